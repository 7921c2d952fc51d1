"""Polynomials of Z_Q[X]/(X^N + 1), the domain in the type.

`CoeffPoly` holds coefficients, `EvalPoly` evaluations. Sums work in either; the product of the ring is the
entrywise product of evaluations, so only `EvalPoly` has ``*`` between polynomials. Polynomials are immutable.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from fhe.backend.protocol import Buffer
from fhe.errors import ParameterError
from fhe.primes import crt_centred
from fhe.ring.basis import Basis


class Poly(ABC):
    """What both domains share. ``data`` is an opaque buffer of the basis' backend, shape ``(..., L, N)``."""

    __slots__ = ("basis", "data")

    def __init__(self, basis: Basis, data: Buffer) -> None:
        self.basis = basis
        self.data = data

    @classmethod
    def zero(cls, basis: Basis) -> Self:
        return cls(basis, basis.backend.zeros(basis.handle))

    @abstractmethod
    def to_eval(self) -> EvalPoly:
        """The same polynomial as evaluations."""

    @abstractmethod
    def to_coeff(self) -> CoeffPoly:
        """The same polynomial by coefficients."""

    @abstractmethod
    def automorphism(self, element: int) -> Self:
        """f(X^g)."""

    @abstractmethod
    def divide_round(self, start: int, stop: int) -> Self:
        """round(x / D) over the limbs ``start … stop-1``, D the product of the other primes."""

    @property
    def residues(self) -> NDArray[np.uint64]:
        """The residues ``(..., L, N)``, read-only; evaluations in the backend's own order."""
        return self.basis.backend.view(self.data)

    def limbs(self, start: int, stop: int) -> Self:
        """The same integers in the primes ``start … stop-1`` only: x mod the product of those."""
        if start == 0 and stop == len(self.basis):
            return self
        return type(self)(self.basis.limbs(start, stop), self.basis.backend.limbs(self.data, start, stop))

    def __add__(self, other: Self) -> Self:
        _same(self, other)
        return type(self)(self.basis, self.basis.backend.add(self.basis.handle, self.data, other.data))

    def __sub__(self, other: Self) -> Self:
        _same(self, other)
        return type(self)(self.basis, self.basis.backend.sub(self.basis.handle, self.data, other.data))

    def __neg__(self) -> Self:
        return type(self)(self.basis, self.basis.backend.neg(self.basis.handle, self.data))

    def scale(self, factor: int) -> Self:
        """factor * x for one integer."""
        return self.scale_limbs(self.basis.residues_of(factor))

    def scale_limbs(self, factors: Sequence[int]) -> Self:
        """x * f_i in limb i: the product with the integer that has these residues."""
        return type(self)(self.basis, self.basis.backend.mul_scalar(self.basis.handle, self.data, factors))

    def join(self, other: Self) -> Self:
        """The polynomial whose limbs are those of self followed by those of other."""
        return type(self)(self.basis + other.basis, self.basis.backend.join(self.data, other.data))

    def wipe(self) -> None:
        """Overwrite with zeros. The polynomial must not be used afterwards."""
        self.basis.backend.wipe(self.data)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.basis!r}, shape={self.data.shape})"


class CoeffPoly(Poly):
    """A polynomial by its coefficients.

    >>> basis = Basis.of(8, [97], backend="reference")
    >>> x = CoeffPoly.from_int64(basis, np.array([1, -2, 0, 0, 0, 0, 0, 3]))
    >>> (x + x).coefficients(), x.automorphism(3).coefficients()
    ([2, -4, 0, 0, 0, 0, 0, 6], [1, 0, 0, -2, 0, 3, 0, 0])
    """

    __slots__ = ()

    @classmethod
    def from_int64(cls, basis: Basis, coefficients: NDArray[np.int64]) -> CoeffPoly:
        """The polynomial with these signed coefficients, ``(..., N)``."""
        return cls(basis, basis.backend.reduce(basis.handle, np.ascontiguousarray(coefficients)))

    @classmethod
    def from_floats(cls, basis: Basis, coefficients: NDArray[np.float64]) -> CoeffPoly:
        """The polynomial with these *integral* doubles as coefficients, exactly."""
        if float(np.max(np.abs(coefficients), initial=0.0)) < 2.0**62:
            return cls.from_int64(basis, coefficients.astype(np.int64))
        high = np.rint(coefficients * 2.0**-53)  # what is left has at most 53 bits, as has the high part: both exact
        low = coefficients - high * 2.0**53
        return cls.from_floats(basis, high).scale(1 << 53) + cls.from_int64(basis, low.astype(np.int64))

    def to_eval(self) -> EvalPoly:
        return EvalPoly(self.basis, self.basis.backend.ntt(self.basis.handle, self.data))

    def to_coeff(self) -> CoeffPoly:
        return self

    def automorphism(self, element: int) -> CoeffPoly:
        return CoeffPoly(self.basis, self.basis.backend.automorphism_coeff(self.basis.handle, self.data, element))

    def convert(self, target: Basis, before: Sequence[int] = (), after: Sequence[int] = ()) -> CoeffPoly:
        """The centred representative mod Q, in the primes of another basis; `scale_limbs` ``before`` and ``after``."""
        data = self.basis.backend.convert(self.basis.handle, target.handle, self.data, before, after)
        return CoeffPoly(target, data)

    def extend(self, target: Basis) -> CoeffPoly:
        """The centred representative mod Q, in the primes of Q followed by those of ``target``."""
        return self.join(self.convert(target))

    def divide_round(self, start: int, stop: int) -> CoeffPoly:
        data = self.basis.backend.divide_round_coeff(self.basis.handle, start, stop, self.data)
        return CoeffPoly(self.basis.limbs(start, stop), data)

    def lift(self) -> NDArray[np.float64]:
        """The centred integer coefficients, rounded to doubles."""
        return self.basis.backend.lift(self.basis.handle, self.data)

    def scale_round(self, plain: Basis) -> tuple[CoeffPoly, NDArray[np.float64]]:
        """round(t x / Q) modulo the prime t of ``plain``, and t x / Q less that, as doubles."""
        rounded, rest = self.basis.backend.scale_round(self.basis.handle, plain.handle, self.data)
        return CoeffPoly(plain, rounded), rest

    def coefficients(self) -> list[Any]:
        """The exact centred integer coefficients, nested lists of Python ints of shape ``(..., N)``."""
        rows = np.moveaxis(self.residues.astype(object), -2, 0)
        lifted = [
            crt_centred(residues, self.basis.moduli) for residues in zip(*(row.ravel() for row in rows), strict=True)
        ]
        return np.array(lifted, dtype=object).reshape(rows.shape[1:]).tolist()  # type: ignore[no-any-return]


class EvalPoly(Poly):
    """A polynomial by its evaluations at the odd powers of the 2N-th root of unity.

    >>> basis = Basis.of(8, [97], backend="reference")
    >>> x = CoeffPoly.from_int64(basis, np.array([0, 0, 0, 0, 0, 0, 0, 1])).to_eval()
    >>> (x * x).to_coeff().coefficients()  # X^14 = -X^6
    [0, 0, 0, 0, 0, 0, -1, 0]
    """

    __slots__ = ()

    def to_coeff(self) -> CoeffPoly:
        return CoeffPoly(self.basis, self.basis.backend.intt(self.basis.handle, self.data))

    def to_eval(self) -> EvalPoly:
        return self

    def __mul__(self, other: EvalPoly) -> EvalPoly:
        _same(self, other)
        return EvalPoly(self.basis, self.basis.backend.mul(self.basis.handle, self.data, other.data))

    def mul_add(self, other: EvalPoly, addend: EvalPoly) -> EvalPoly:
        """self * other + addend."""
        _same(self, other)
        _same(self, addend)
        return EvalPoly(self.basis, self.basis.backend.mul_add(self.basis.handle, self.data, other.data, addend.data))

    def add_constant(self, constant: int) -> EvalPoly:
        """self + the constant polynomial."""
        residues = self.basis.residues_of(constant)
        return EvalPoly(self.basis, self.basis.backend.add_scalar(self.basis.handle, self.data, residues))

    def automorphism(self, element: int) -> EvalPoly:
        return EvalPoly(self.basis, self.basis.backend.automorphism_eval(self.basis.handle, self.data, element))

    def divide_round(self, start: int, stop: int) -> EvalPoly:
        data = self.basis.backend.divide_round_eval(self.basis.handle, start, stop, self.data)
        return EvalPoly(self.basis.limbs(start, stop), data)

    def divide_round_sum(self, special: int, start: int, stop: int, addend: EvalPoly) -> EvalPoly:
        """round((x + P y) / D) over the limbs ``start … stop-1``, P the product of the first ``special`` primes."""
        _same(self.limbs(special, len(self.basis)), addend)
        data = self.basis.backend.divide_round_sum(self.basis.handle, special, start, stop, self.data, addend.data)
        return EvalPoly(self.basis.limbs(start, stop), data)

    def natural(self) -> NDArray[np.uint64]:
        """The evaluations in the natural order, ``[..., k]`` at psi^(2k+1): the same on every backend."""
        return self.basis.backend.view(self.basis.backend.to_natural(self.basis.handle, self.data))

    @classmethod
    def from_natural(cls, basis: Basis, data: Buffer) -> EvalPoly:
        """From a buffer that holds evaluations in the natural order."""
        return cls(basis, basis.backend.from_natural(basis.handle, data))


def _same(x: Poly, y: Poly) -> None:
    if x.basis is not y.basis and x.basis != y.basis:
        raise ParameterError(f"polynomials of different bases do not mix: {x.basis!r} and {y.basis!r}")
    if type(x) is not type(y):
        raise ParameterError(f"{type(x).__name__} and {type(y).__name__} do not mix; use to_eval() or to_coeff()")


@contextmanager
def wiped(*secrets: Poly) -> Iterator[None]:
    """Wipe these polynomials when the block ends, however it ends."""
    try:
        yield
    finally:
        for poly in secrets:
            poly.wipe()
