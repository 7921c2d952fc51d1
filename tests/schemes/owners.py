"""Owners for tests: small insecure rings, and randomness that repeats."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from itertools import count

from fhe.backend.protocol import Backend
from fhe.owner import KeyOwner
from fhe.parameters import BFVParameters, CKKSParameters, Parameters

INSECURE = "a small ring for tests"

CKKS = CKKSParameters(
    ring_degree=32, modulus_bits=[46] + [40] * 3, special_bits=[46, 46], scale_bits=40, insecure=INSECURE
)
BFV = BFVParameters(ring_degree=32, modulus_bits=[40] * 4, special_bits=[46, 46], plain_modulus=257, insecure=INSECURE)
COEFFICIENTS = BFVParameters(  # no batching: t is neither prime nor 1 mod 2N
    ring_degree=32, modulus_bits=[40] * 3, special_bits=[46, 46], plain_modulus=1024, insecure=INSECURE
)


class RepeatingSeeds:
    """SHA-256 of a tag and a counter: the same seeds again and again. Never for real keys."""

    def __init__(self, tag: str) -> None:
        self._tag = tag.encode()
        self._counter = count()

    def __call__(self) -> bytes:
        return hashlib.sha256(self._tag + next(self._counter).to_bytes(8, "little")).digest()


def owner(parameters: Parameters, backend: Backend, tag: str = "owner") -> KeyOwner:
    """A new owner whose keys and encryptions repeat."""
    return KeyOwner(parameters, backend, _seeds=RepeatingSeeds(tag))


@lru_cache
def shared_owner(parameters: Parameters, backend: Backend) -> KeyOwner:
    """One owner for all tests that only use it (its rotation keys are made once)."""
    return owner(parameters, backend)
