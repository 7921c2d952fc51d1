"""Bases: the primes over which residue polynomials live, bound to the backend that computes there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property, lru_cache

from fhe.backend.choose import choose
from fhe.backend.protocol import Backend, BasisHandle
from fhe.errors import ParameterError
from fhe.primes import primitive_root


class Basis:
    """Primes q_0 … q_{L-1} at ring degree N: the ring Z_Q[X]/(X^N + 1) with Q = prod q_i, limb by limb.

    Make one with `Basis.of`, which returns the same object for the same arguments.

    >>> basis = Basis.of(16, [97, 193], backend="reference")
    >>> basis.product, basis.limbs(1, 2).moduli
    (18721, (193,))
    """

    __slots__ = ("__dict__", "backend", "handle", "moduli", "ring_degree")

    def __init__(self, backend: Backend, ring_degree: int, moduli: tuple[int, ...]) -> None:
        if len(set(moduli)) != len(moduli):
            raise ParameterError(f"a basis needs distinct primes, got {list(moduli)}")
        self.backend = backend
        self.ring_degree = ring_degree
        self.moduli = moduli
        roots = [_root(q, ring_degree) for q in moduli]
        self.handle: BasisHandle = backend.basis(ring_degree, moduli, roots)

    @classmethod
    def of(cls, ring_degree: int, moduli: Sequence[int], backend: Backend | str | None = None) -> Basis:
        """The basis of these primes on a backend (given, named, or the default of `choose`)."""
        if backend is None or isinstance(backend, str):
            backend = choose(backend)
        return _basis(backend, ring_degree, tuple(moduli))

    @cached_property
    def product(self) -> int:
        """Q."""
        return math.prod(self.moduli)

    def limbs(self, start: int, stop: int) -> Basis:
        """The basis of the primes ``start … stop-1``."""
        return _basis(self.backend, self.ring_degree, self.moduli[start:stop])

    def __add__(self, other: Basis) -> Basis:
        """The primes of self followed by those of other."""
        return _basis(self.backend, self.ring_degree, self.moduli + other.moduli)

    def residues_of(self, integer: int) -> list[int]:
        """integer mod q_i, one for each limb."""
        return [integer % q for q in self.moduli]

    def __len__(self) -> int:
        return len(self.moduli)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Basis):
            return NotImplemented
        return self is other or (
            self.backend is other.backend and self.ring_degree == other.ring_degree and self.moduli == other.moduli
        )

    def __hash__(self) -> int:
        return hash((id(self.backend), self.ring_degree, self.moduli))

    def __repr__(self) -> str:
        bits = ", ".join(str(q.bit_length()) for q in self.moduli)
        return f"Basis(N={self.ring_degree}, bits=[{bits}], backend={self.backend.name}/{self.backend.target})"


@lru_cache(maxsize=4096)
def _root(q: int, ring_degree: int) -> int:
    return primitive_root(q, ring_degree)


@lru_cache(maxsize=1024)
def _basis(backend: Backend, ring_degree: int, moduli: tuple[int, ...]) -> Basis:
    return Basis(backend, ring_degree, moduli)
