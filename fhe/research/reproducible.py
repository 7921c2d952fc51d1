"""Keys and encryptions that are the same every time, because everything random in them follows from a seed."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from itertools import count
from typing import Any

from fhe import KeyOwner
from fhe.backend.protocol import Backend
from fhe.parameters import Parameters

LABEL = b"fhe.research.reproducible"


class _Reproducible(KeyOwner):
    """An owner without a secret: whoever knows the seed has its key."""

    def __repr__(self) -> str:
        return f"INSECURE {super().__repr__()}"


def reproducible(
    parameters: Parameters, backend: Backend | str | None = None, *, seed: int, **options: Any
) -> KeyOwner:
    """The owner whose i-th seed is SHA-256(label, seed, i): the same keys and ciphertexts, run after run.

    There is no default for ``seed``, no environment variable and no global state: it takes this name, each time. The
    parameters that come with its ciphertexts and keys say INSECURE and why, in files too. ``options`` are those of
    `KeyOwner`.

    >>> import fhe
    >>> parameters = fhe.CKKSParameters(ring_degree=2**13, modulus_bits=[50, 40], special_bits=[50])
    >>> one, other = (reproducible(parameters, seed=7) for _ in range(2))
    >>> one.encrypt([0.5]).to_bytes() == other.encrypt([0.5]).to_bytes()
    True
    >>> one.parameters
    CKKSParameters(..., 192-bit security by its size; INSECURE: all keys follow from the seed 7)
    """
    numbers = count()
    start = LABEL + str(int(seed)).encode()

    def seeds() -> bytes:
        return sha256(start + b"/%d" % next(numbers)).digest()

    reason = f"INSECURE: all keys follow from the seed {int(seed)}"
    marked = replace(parameters, insecure=f"{reason}; {parameters.insecure}" if parameters.insecure else reason)
    return _Reproducible(marked, backend, _seeds=seeds, **options)
