"""CKKS encoding: N/2 complex slots to a real polynomial and back.

A polynomial m is read at the roots zeta^(5^j), zeta = exp(i pi / N): slot j is m(zeta^(5^j)). These exponents
are exactly those that are 1 mod 4, so with w_n = m_n + i m_(n + N/2)

    m(zeta^(4r+1)) = sum_n (w_n zeta^n) exp(2 pi i r n / (N/2)),    n, r < N/2,

a single complex FFT of half the size. (Cheon, Kim, Kim, Song, ASIACRYPT 2017, in this arrangement.)
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fhe.errors import EncodingError, ParameterError, ScaleError
from fhe.parameters import CKKSParameters
from fhe.ring.basis import Basis
from fhe.ring.poly import CoeffPoly, Poly
from fhe.rlwe.chain import ModulusChain
from fhe.rlwe.ciphertext import Plaintext
from fhe.validate import finite, first_of, one_dimensional


class CKKSEncoder:
    """Encodes up to N/2 real or complex values at a scale Delta: m = round(Delta * embed^-1(z))."""

    __slots__ = ("_order", "_twist", "chain", "parameters")

    def __init__(self, chain: ModulusChain) -> None:
        if not isinstance(chain.parameters, CKKSParameters):
            raise ParameterError(f"the CKKS encoder needs CKKSParameters, got {type(chain.parameters).__name__}")
        self.chain = chain
        self.parameters: CKKSParameters = chain.parameters
        self._order, self._twist = embedding_tables(self.parameters.ring_degree)

    @property
    def slots(self) -> int:
        return self.parameters.ring_degree // 2

    def encode(
        self, values: ArrayLike, level: int | None = None, scale: float | None = None, bound: float | None = None
    ) -> Plaintext:
        """The plaintext whose slots are ``values``, the remaining slots zero.

        ``scale`` defaults to the level's own, ``bound`` (public, on every |value|) to the parameters'.
        Raises EncodingError for more values than slots, NaN or infinity, or a value beyond the bound.
        """
        level = self.parameters.max_level if level is None else level
        scale = self.parameters.scale(level) if scale is None else scale
        bound = self.parameters.bound if bound is None else bound
        self.check_room(level, scale, bound)
        array = check_values(one_dimensional(values, self.slots, "CKKS slots"), bound)
        slots = np.zeros(self.slots, dtype=np.complex128 if array.dtype.kind == "c" else np.float64)
        slots[: array.size] = array
        return Plaintext(self.chain, self.polynomial(slots, scale, self.chain.q(level)), level, scale, bound)

    def polynomial(self, slots: NDArray[Any], scale: float, basis: Basis) -> CoeffPoly:
        """round(Delta * embed^-1(z)) over any basis, for the values of all slots, or of one period of them.

        Slots that repeat with a power of two T are those of a polynomial in X^(N / 2T), of a ring of degree 2T.
        """
        return self._spread(np.rint(self.embed(slots) * scale), basis)

    def rounded(self, slots: NDArray[Any], scale: float, basis: Basis) -> tuple[CoeffPoly, NDArray[np.float64]]:
        """`polynomial`, and by how much rounding moved each of the slots given, in units of 1 / scale."""
        embedded = np.rint(self.embed(slots) * scale)
        return self._spread(embedded, basis), np.abs(self.unembed(embedded) - scale * slots)

    def _spread(self, coefficients: NDArray[np.float64], basis: Basis) -> CoeffPoly:
        """The polynomial of these coefficients in powers of X^(N / count)."""
        if len(coefficients) < self.parameters.ring_degree:
            full = np.zeros(self.parameters.ring_degree)
            full[:: self.parameters.ring_degree // len(coefficients)] = coefficients
            coefficients = full
        return CoeffPoly.from_floats(basis, coefficients)

    def decode(self, poly: Poly, scale: float, count: int | None = None) -> NDArray[np.complex128]:
        """The first ``count`` slots of a polynomial at this scale."""
        return self.unembed(poly.to_coeff().lift() / scale)[: self.slots if count is None else count]

    def check_room(self, level: int, scale: float, bound: float) -> None:
        """Raise ScaleError unless |value| <= bound at this scale fits half the modulus of the level."""
        room = self.chain.log_q(level) - 1
        need = math.log2(scale) + math.log2(max(bound, 2.0**-300))
        if need >= room:
            raise ScaleError(
                f"values up to {bound:g} at scale 2^{math.log2(scale):.1f} need {need:.1f} bits, level {level} holds "
                f"{room:.1f}; use a smaller bound, or parameters with a larger bound="
            )

    def embed(self, slots: NDArray[Any]) -> NDArray[np.float64]:
        """Slots to real coefficients ``(..., N)``; fewer slots, a power of two, in a ring of their own."""
        count = slots.shape[-1]
        order, twist = (self._order, self._twist) if count == self.slots else embedding_tables(2 * count)
        at_roots = np.empty(slots.shape, dtype=np.complex128 if slots.dtype.kind == "c" else np.float64)
        at_roots[..., order] = slots
        w = _transformed(at_roots) * (twist.conj() / count)
        return np.concatenate([w.real, w.imag], axis=-1)

    def unembed(self, coefficients: NDArray[np.float64]) -> NDArray[np.complex128]:
        """Real coefficients ``(..., N)`` to slots; fewer, a power of two, in a ring of their own."""
        half = coefficients.shape[-1] // 2
        order, twist = (self._order, self._twist) if half == self.slots else embedding_tables(2 * half)
        w = (coefficients[..., :half] + 1j * coefficients[..., half:]) * twist
        at_roots: NDArray[np.complex128] = np.fft.ifft(w, axis=-1, norm="forward")
        return at_roots[..., order]


def _transformed(x: NDArray[Any]) -> NDArray[np.complex128]:
    """sum_r x_r exp(-2 pi i r n / size) for all n; of real numbers by half of them, the others are their conjugates."""
    if x.dtype.kind == "c":
        return np.fft.fft(x, axis=-1)
    half = np.fft.rfft(x, axis=-1)
    return np.concatenate([half, half[..., x.shape[-1] // 2 - 1 : 0 : -1].conj()], axis=-1)


def check_values(array: NDArray[Any], bound: float) -> NDArray[Any]:
    """Real or complex finite values up to the bound, or EncodingError naming the first index that is not."""
    if array.dtype.kind not in "biufc":
        raise EncodingError(f"CKKS encodes real or complex numbers, got dtype {array.dtype}")
    if not 0 < bound < math.inf:
        raise EncodingError(f"the bound on the values must be a positive number, got {bound}")
    beyond = np.argwhere(np.abs(finite(array)) > bound)
    if len(beyond):
        raise EncodingError(
            f"{first_of(beyond)} exceeds the public bound {bound:g}; scale the data, or pass a larger bound="
        )
    return array


def check_between(array: NDArray[Any], low: float, high: float) -> None:
    """Raise EncodingError, naming the first index, unless all values are from ``low`` to ``high``."""
    if array.dtype.kind not in "biuf" or not low <= high:
        raise EncodingError(f"a bound (low, high) is for real numbers, got {(low, high)} for dtype {array.dtype}")
    if len(beyond := np.argwhere((array < low) | (array > high))):
        raise EncodingError(f"{first_of(beyond)} is outside the public bounds {low:g} and {high:g}")


@lru_cache(maxsize=16)
def embedding_tables(ring_degree: int) -> tuple[NDArray[np.int64], NDArray[np.complex128]]:
    """r_j with 5^j = 4 r_j + 1 mod 2N, and zeta^n, for j, n < N/2."""
    half = ring_degree // 2
    order, power = np.empty(half, dtype=np.int64), 1
    for j in range(half):
        order[j] = power // 4
        power = power * 5 % (2 * ring_degree)
    return order, np.exp(1j * np.pi * np.arange(half) / ring_degree)
