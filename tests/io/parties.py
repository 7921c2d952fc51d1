"""Small parties for tests of formats: owners of several parameter sets on any backend, and forgers of their bytes."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fhe.arrays.array import EncryptedArray
from fhe.backend.protocol import Backend
from fhe.io.format import Container
from fhe.owner import KeyOwner
from fhe.parameters import BFVParameters, CKKSParameters, Parameters

TINY = {"ring_degree": 16, "insecure": "a small ring for a test"}
SETS: dict[str, Parameters] = {
    "ckks": CKKSParameters(modulus_bits=[46, 40, 40], special_bits=[46], **TINY),
    "bfv": BFVParameters(modulus_bits=[40, 40, 40], special_bits=[45], plain_modulus=97, **TINY),
    # The base level is two primes, a digit two limbs, and the last digit short.
    "ckks of wide levels": CKKSParameters(modulus_bits=[60, 40, 40, 40], special_bits=[45, 45], digit=2, **TINY),
}


def counted(start: int) -> Callable[[], bytes]:
    """Seeds that repeat: 32 bytes each, all different."""
    numbers = itertools.count(start)
    return lambda: next(numbers).to_bytes(32, "little")


@cache
def owner_of(name: str, backend: Backend, start: int = 1) -> KeyOwner:
    """The owner of a parameter set, on a backend; the same keys on every backend."""
    return KeyOwner(SETS[name], backend, _seeds=counted(start << 64))


def values_of(owner: KeyOwner, *shape: int, seed: int = 0) -> NDArray[Any]:
    """Values that the owner's scheme can hold."""
    rng = np.random.default_rng(seed)
    return rng.integers(-6, 7, shape) if isinstance(owner.parameters, BFVParameters) else rng.uniform(-1, 1, shape)


def agrees(owner: KeyOwner, array: EncryptedArray, values: NDArray[Any]) -> bool:
    """Whether an array decrypts to these values, exactly or nearly, as the scheme promises."""
    decrypted = owner.decrypt(array)
    assert decrypted.shape == values.shape
    if isinstance(owner.parameters, BFVParameters):
        return bool(np.array_equal(decrypted, values))
    return bool(np.allclose(decrypted, values, atol=1e-6))


def residues_of(array: EncryptedArray) -> list[NDArray[np.uint64]]:
    """All residues of an array, evaluations in natural order."""
    return [poly.natural() for shard in array.shards for poly in shard.evals()]


# --- forgery ----------------------------------------------------------------------------------------------------------

Path = tuple[Any, ...]


def forged(data: bytes, kind: str, change: Callable[[dict[str, Any], dict[str, bytes]], None]) -> bytes:
    """The container with content and sections changed, and a digest that is right."""
    container = Container.from_bytes(data, kind)
    content = copy.deepcopy(container.content)
    sections = {name: bytes(section) for name, section in container.sections.items()}
    change(content, sections)
    return Container(kind, content, sections).to_bytes()


def with_entry(data: bytes, kind: str, path: Path, value: object) -> bytes:
    """The container with one entry of its content replaced."""

    def change(content: dict[str, Any], _: dict[str, bytes]) -> None:
        *outer, last = path
        for step in outer:
            content = content[step]
        content[last] = value

    return forged(data, kind, change)


def without_entry(data: bytes, kind: str, path: Path) -> bytes:
    """The container with one entry of its content missing."""

    def change(content: dict[str, Any], _: dict[str, bytes]) -> None:
        *outer, last = path
        for step in outer:
            content = content[step]
        del content[last]

    return forged(data, kind, change)


def paths(content: object) -> Iterator[Path]:
    """Where every entry of some content is, inner ones included."""
    entries: list[tuple[Any, object]] = []
    if isinstance(content, dict):
        entries = list(content.items())
    elif isinstance(content, list):
        entries = list(enumerate(content))
    for step, inner in entries:
        yield (step,)
        yield from ((step, *rest) for rest in paths(inner))
