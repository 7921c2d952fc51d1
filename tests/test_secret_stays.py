"""Nothing that the owner gives away leads to the secret: not by reference, not by value, not in bytes.

The walk starts at a `Context` made by `KeyOwner.public` and follows every reference that Python knows: attributes,
slots, closures, caches, and the globals of the library's modules. The same walk from the owner must find the secret.
"""

from __future__ import annotations

import gc
import pickle
import sys
from collections.abc import Iterator
from types import FrameType, FunctionType, ModuleType
from typing import Any

import numpy as np
import pytest

import fhe
from fhe.ring.poly import Poly
from fhe.ring.random import system_seed
from fhe.rlwe.secret import SecretKey

N = 64
TOY: Any = {"ring_degree": N, "insecure": "a small ring for this test"}
OWNERS_MODULES = ("fhe", "fhe.owner", "fhe.keyfile", "fhe.files", "fhe.rlwe.secret", "fhe.cli", "fhe.__main__")


@pytest.fixture(scope="module", params=["reference", "native"])
def owner(request: pytest.FixtureRequest) -> fhe.KeyOwner:
    """An owner of each backend, who has made and used keys."""
    owner = fhe.ckks(depth=1, backend=request.param, **TOY)
    x = owner.encrypt([1.0, 2.0], symmetric=True, bound=2.0)
    owner.decrypt((x * x).sum())
    return owner


def reachable(root: object) -> Iterator[object]:
    """Every object that a chain of references leads to, modules that are the owner's or not ours left out."""
    closed = {
        id(vars(module)) for name, module in list(sys.modules.items()) if not is_open(name) and module is not None
    }
    seen, queue = {*closed, id(sys.modules), id(root)}, [root]
    while queue:
        found = queue.pop()
        yield found
        if isinstance(found, FunctionType) and not is_open(found.__module__):
            seen.add(id(found.__globals__))  # of a function given by others, such as a part of `fhe.research.exchanged`
        for referent in gc.get_referents(found):
            if id(referent) not in seen and not isinstance(referent, ModuleType | FrameType):
                seen.add(id(referent))
                queue.append(referent)


def is_open(module: str) -> bool:
    return module.startswith("fhe.") and module not in OWNERS_MODULES


def secret_of(root: object) -> list[SecretKey]:
    return [found for found in reachable(root) if isinstance(found, SecretKey)]


def rows_of(poly: Poly) -> set[bytes]:
    """Each residue row of a polynomial, in both domains, as bytes."""
    domains: list[Poly] = [poly.to_eval(), poly.to_coeff()]
    return {row.tobytes() for domain in domains for row in np.asarray(domain.residues).reshape(-1, N)}


def traces_of(secret: SecretKey) -> set[bytes]:
    """What would give the secret away: its residues, its coefficients as small integers, the same packed."""
    s = secret._s
    small = s.to_coeff().residues[..., 0, :].astype(np.int64)
    q = s.basis.moduli[0]
    centred = np.where(small > q // 2, small - q, small)
    assert set(np.unique(centred)) == {-1, 0, 1}
    packed = {pack(domain.limbs(i, i + 1)) for domain in (s, s.to_coeff()) for i in range(len(s.basis))}
    return rows_of(s) | packed | {centred.tobytes(), centred.astype(np.int8).tobytes()}


def pack(poly: Poly) -> bytes:
    return poly.basis.backend.pack(poly.basis.handle, poly.data)


def holds(found: object, traces: set[bytes]) -> bool:
    """Does an object hold bytes in which one of the traces occurs?"""
    try:
        if isinstance(found, Poly):
            return not traces.isdisjoint(rows_of(found))  # of dry runs there are none: TypeError
        held = memoryview(found).tobytes()  # type: ignore[arg-type]
    except (TypeError, ValueError, BufferError):
        return False
    return any(trace in held for trace in traces)


def test_no_reference_leads_to_the_secret(owner: fhe.KeyOwner) -> None:
    assert secret_of(owner), "the walk does not find what is there"
    assert not secret_of(owner.public())


def test_no_buffer_holds_the_secret(owner: fhe.KeyOwner) -> None:
    traces = traces_of(secret_of(owner)[0])
    assert any(holds(found, traces) for found in reachable(owner)), "the walk does not find what is there"
    holders = [type(found).__name__ for found in reachable(owner.public()) if holds(found, traces)]
    assert not holders


def test_no_bytes_hold_the_secret(owner: fhe.KeyOwner) -> None:
    secret = secret_of(owner)[0]
    public = owner.public(conjugation=True)
    x = owner.encrypt([1.0, 2.0], symmetric=True, bound=2.0)
    for data in (public.to_bytes(), x.to_bytes(), (x * x).to_bytes(), pickle.dumps(public), pickle.dumps(x)):
        assert not any(trace in data for trace in traces_of(secret))


@pytest.mark.parametrize("dump", [pickle.dumps, lambda secret: secret.__reduce_ex__(4)], ids=["pickle", "reduce"])
def test_the_secret_cannot_be_pickled(owner: fhe.KeyOwner, dump: Any) -> None:
    with pytest.raises(TypeError):
        dump(secret_of(owner)[0])
    with pytest.raises(TypeError):
        dump(owner)


def test_only_seeds_of_uniform_halves_are_given_away() -> None:
    """An owner draws seeds for the secret and the key's name, then for each key one for a and one for its errors."""
    drawn: list[bytes] = []

    def seeds() -> bytes:
        drawn.append(system_seed())
        return drawn[-1]

    owner = fhe.KeyOwner(fhe.ckks(depth=1, backend="reference", **TOY).parameters, "reference", _seeds=seeds)
    data = owner.public().to_bytes()
    shown = [seed in data or seed.hex().encode() in data for seed in drawn]
    assert shown == [False, False] + [True, False] * (len(drawn) // 2 - 1)
