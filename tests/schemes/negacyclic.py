"""Z[X]/(X^n + 1) on Python integers, apart from the library: what measured noise is made of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Poly = NDArray[Any]  # of Python integers or doubles, length n


def multiply(f: Sequence[int], g: Sequence[int]) -> Poly:
    """f g in Z[X]/(X^n + 1), through one product of two large integers."""
    n = len(f)
    width = max(max(map(abs, f)).bit_length() + max(map(abs, g)).bit_length() + n.bit_length() + 2, 8)
    base = 1 << width
    packed = _packed(f, width) * _packed(g, width)
    coefficients, half = [], base >> 1
    for _ in range(2 * n):
        low = packed & (base - 1)
        low -= base if low >= half else 0
        coefficients.append(low)
        packed = (packed - low) >> width
    return np.array([a - b for a, b in zip(coefficients[:n], coefficients[n:], strict=True)], dtype=object)


def _packed(f: Sequence[int], width: int) -> int:
    total = 0
    for coefficient in reversed([int(c) for c in f]):
        total = (total << width) + coefficient
    return total


def centred(f: Poly, q: int) -> Poly:
    return (f + q // 2) % q - q // 2


def rounded(f: Poly, numerator: int, denominator: int) -> Poly:
    """round(numerator * f / denominator)."""
    return (2 * numerator * f + denominator) // (2 * denominator)


def ternary(rng: np.random.Generator, n: int = 256) -> Poly:
    return rng.integers(-1, 2, n).astype(object)


def error(rng: np.random.Generator, n: int = 256) -> Poly:
    return (rng.binomial(42, 0.5, n) - 21).astype(object)


def uniform(rng: np.random.Generator, q: int, n: int = 256) -> Poly:
    words = rng.integers(0, 2**32, (n, 12), dtype=np.uint64).tolist()
    return centred(np.array([sum(w << (32 * i) for i, w in enumerate(row)) for row in words], dtype=object), q)


def at_roots(f: Poly) -> NDArray[np.complex128]:
    """f(zeta^(1-2k))."""
    n = len(f)
    return np.fft.fft(np.asarray(f, dtype=float) * np.exp(1j * np.pi * np.arange(n) / n))


def log_largest(f: Poly) -> float:
    return math.log2(max(map(abs, f)))


def log_rms(f: Poly) -> float:
    return math.log2(sum(int(c) ** 2 for c in f) / len(f)) / 2
