"""Polynomials that stand in for functions, each with its measured error: plain numerics, no ciphertext.

They are NumPy's own objects. A `Chebyshev` series p on a domain [a, b] is read as p = sum_k c_k T_k(u), with
u in [-1, 1] the image of the domain: no term exceeds |c_k|, so nothing cancels, whatever the degree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import Chebyshev, Polynomial
from numpy.typing import NDArray

Function = Callable[[NDArray[np.float64]], NDArray[np.float64]]

GRID = 1 << 14
NOISE_FLOOR = 2.0**-48  # coefficients this far below the largest are rounding errors of the interpolation
MOST_STAGES = 12

# Cheon, D. Kim, D. Kim, ASIACRYPT 2020 (ePrint 2019/1234): f_3 flattens near +-1, g_3 is steep at 0.
SIGN_F = (Polynomial([0, 35, 0, -35, 0, 21, 0, -5]) / 2**4).convert(kind=Chebyshev)
SIGN_G = (Polynomial([0, 4589, 0, -16577, 0, 25614, 0, -12860]) / 2**10).convert(kind=Chebyshev)


@dataclass(frozen=True, slots=True)
class Approximation:
    """Polynomials applied one after the other, and the largest error measured where they are meant to hold.

    The first takes values of its own domain, the others values of [-1, 1].
    """

    stages: tuple[Chebyshev, ...]
    error: float

    def __call__(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """The approximation's value, in the clear."""
        for stage in self.stages:
            x = stage(x)
        return x

    @property
    def domain(self) -> tuple[float, float]:
        """The interval outside which the approximation means nothing."""
        low, high = self.stages[0].domain
        return float(low), float(high)


def chebyshev(function: Function, degree: int, low: float = -1.0, high: float = 1.0) -> Approximation:
    """The polynomial that interpolates a function at the Chebyshev points of [low, high].

    Its error is within a factor 2 + (2/pi) log(degree + 1) of the best polynomial's (Rivlin's bound on the Lebesgue
    constant of these points, plus one).

    >>> chebyshev(sigmoid, 15, -8, 8).error < 0.0014
    True
    """
    polynomial = Chebyshev.interpolate(function, degree, domain=[low, high])
    floor = NOISE_FLOOR * np.max(np.abs(polynomial.coef))
    polynomial.coef[np.abs(polynomial.coef) < floor] = 0.0  # the zeros of an even or odd function, exactly
    x = np.linspace(low, high, GRID + 1)
    return Approximation((polynomial.trim(),), float(np.max(np.abs(polynomial(x) - function(x)))))


def sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 / (1 + exp(-x)), without overflow."""
    result: NDArray[np.float64] = 0.5 * (1 + np.tanh(x / 2))
    return result


def sign(margin: float, error: float = 1e-3, bound: float = 1.0) -> Approximation:
    """sign(x) for margin <= |x| <= bound, within ``error``: g_3 repeated, then f_3 repeated, in the fewest stages.

    Nearer to 0 the result lies between -1 and 1.

    >>> approximation = sign(margin=0.25, error=1e-3, bound=8)
    >>> len(approximation.stages), approximation.error < 3e-4
    (4, True)
    """
    if not 0 < margin < bound:
        raise ValueError(f"the margin of a sign must lie between 0 and the bound {bound:g}, got {margin:g}")
    x = np.concatenate([np.geomspace(margin / bound, 1, GRID), np.linspace(margin / bound, 1, GRID)])
    for stages in range(1, MOST_STAGES + 1):
        found = min((_sign_error(x, stages - f, f), f) for f in range(stages + 1))
        if found[0] <= error:
            break
    else:
        raise ValueError(f"a sign with margin {margin:g} of {bound:g} within {error:g} takes too many stages; widen it")
    f = found[1]
    first, *rest = (SIGN_G,) * (stages - f) + (SIGN_F,) * f
    return Approximation((Chebyshev(first.coef, domain=[-bound, bound]), *rest), found[0])


def _sign_error(x: NDArray[np.float64], g: int, f: int) -> float:
    for _ in range(g):
        x = SIGN_G(x)
    for _ in range(f):
        x = SIGN_F(x)
    return float(np.max(np.abs(1 - x)))
