"""A backend as tests see it: arrays in, arrays out, evaluations in natural order whatever the backend's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fhe.backend.protocol import Backend, BasisHandle, Buffer, Key
from tests.strategies import Primes

Array = NDArray[np.uint64]


class Machine:
    """A backend, and what a test needs around it."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    def handle(self, basis: Primes) -> BasisHandle:
        """The backend's own handle for a basis."""
        return self.backend.basis(basis.ring_degree, basis.moduli, basis.roots)

    def load(self, basis: Primes, residues: Array) -> Buffer:
        """Coefficients, or rows whose domain does not matter."""
        return self.backend.load(self.handle(basis), residues)

    def load_eval(self, basis: Primes, residues: Array) -> Buffer:
        """Evaluations that are given in natural order."""
        order = self.backend.evaluation_order(basis.ring_degree)
        return self.backend.load(self.handle(basis), np.ascontiguousarray(residues[..., order]))

    def load_key(self, basis: Primes, key: Sequence[Sequence[Array]]) -> Key:
        """A switching key of rows (b_j), (a_j), evaluations in natural order."""
        b, a = ([self.load_eval(basis, row) for row in half] for half in key)
        return self.backend.pack_key(self.handle(basis), b, a)

    def read(self, buffer: Buffer) -> Array:
        """Coefficients, or rows whose domain does not matter."""
        return np.array(self.backend.view(buffer))

    def read_eval(self, buffer: Buffer) -> Array:
        """Evaluations, in natural order."""
        own = self.backend.view(buffer)
        natural = np.empty_like(own)
        natural[..., self.backend.evaluation_order(own.shape[-1])] = own
        return natural

    def call(self, operation: str, basis: Primes, *arguments: Any) -> Array:
        """An operation from arrays to an array, rows whose domain does not matter (or coefficients)."""
        loaded = [self.load(basis, x) if isinstance(x, np.ndarray) else x for x in arguments]
        return self.read(getattr(self.backend, operation)(self.handle(basis), *loaded))

    def ntt(self, basis: Primes, coefficients: Array) -> Array:
        """Coefficients to evaluations in natural order."""
        return self.read_eval(self.backend.ntt(self.handle(basis), self.load(basis, coefficients)))

    def intt(self, basis: Primes, evaluations: Array) -> Array:
        """Evaluations in natural order to coefficients."""
        return self.read(self.backend.intt(self.handle(basis), self.load_eval(basis, evaluations)))

    def multiply(self, basis: Primes, x: Array, y: Array) -> Array:
        """The ring product of coefficients, through evaluations."""
        b, handle = self.backend, self.handle(basis)
        return self.read(
            b.intt(handle, b.mul(handle, b.ntt(handle, self.load(basis, x)), b.ntt(handle, self.load(basis, y))))
        )
