"""Odd polynomials of scores, times rows, in few levels: what a step learns from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.polynomial import Chebyshev, Polynomial


class Odd(NamedTuple):
    """The polynomial p(z) = sum_k c_k (s z)^(2k + 1), s the scale that makes the last c_k one, but for its sign."""

    scale: float
    coefficients: tuple[float, ...]

    @property
    def depth(self) -> int:
        """The levels from s z to p(z) x: one for x, and one for each square."""
        return 1 + (len(self.coefficients) - 1).bit_length()


def odd(polynomial: Polynomial | Chebyshev) -> Odd:
    """An odd polynomial of degree 1, 3, 7, 15 …, in powers of s z.

    >>> odd(Polynomial([0.0, 1.0, 0.0, -8.0]))
    Odd(scale=2.0, coefficients=(0.5, -1.0))
    """
    c = polynomial.convert(kind=Polynomial).coef[1::2]
    last = 2 * len(c) - 1
    s = float(abs(c[-1]) ** (1 / last))
    lower = (float(value / s**k) for value, k in zip(c[:-1], range(1, last, 2), strict=True))
    return Odd(s, (*lower, float(np.sign(c[-1]))))


def times(coefficients: Sequence[float], ux: Any, squares: list[Any]) -> Any:
    """p(u) x from u x and u^2, by halves: the lower one, and u^(2k) the upper one. ``squares`` are u^2, u^4, u^8 …"""
    if len(coefficients) == 1:
        return -ux if coefficients[0] == -1 else scaled(ux, coefficients[0])
    doublings = (len(coefficients) - 1).bit_length() - 1
    while len(squares) <= doublings:
        squares.append(squares[-1] * squares[-1])
    half = 1 << doublings
    upper = squares[doublings] * times(coefficients[half:], ux, squares)
    return times(coefficients[:half], ux, squares) + upper


def scaled(x: Any, factor: float) -> Any:
    """x times a number, which is nothing to do for one."""
    return x if factor == 1 else x * factor
