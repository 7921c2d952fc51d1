"""How large and how steep real polynomials are, proved from finitely many points: plain numerics, no ciphertext.

A polynomial p of degree n takes at M > n Chebyshev points of an interval at least cos(n pi / 2M) of its largest
magnitude there (Ehlich, Zeller, Math. Z. 1964): p(cos t) is a trigonometric polynomial, which falls from its maximum
no faster than cos(n t), and a point is never further than pi / 2M.

Off the interval, on the ellipse with foci -1 and 1 and semi-axes of sum rho, it has at most rho^n times that
(Bernstein). All points of distance d from [-1, 1] lie within the ellipse of major semi-axis 1 + d.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.polynomial import Chebyshev, Polynomial
from numpy.typing import NDArray

Series = Polynomial | Chebyshev

POINTS_PER_DEGREE = 16  # 1 / cos(pi / 32) = 1.005


def points(count: int, low: float, high: float) -> NDArray[np.float64]:
    """The Chebyshev points of an interval, descending: at most pi / (2 count) from any other, as angles.

    >>> points(3, 0, 2).round(3).tolist()
    [1.866, 1.0, 0.134]
    """
    x: NDArray[np.float64] = low + (high - low) * (1 + np.cos(np.pi * (np.arange(count) + 0.5) / count)) / 2
    return x


def largest(p: Series, low: float, high: float) -> float:
    """max |p(x)| over low <= x <= high, or half a per cent more.

    >>> 1 <= largest(Chebyshev.basis(7), -1, 1) < 1.006, largest(Polynomial([1, -2]), 0, 3) >= 5
    (True, True)
    """
    degree = p.degree()
    count = POINTS_PER_DEGREE * (degree + 1)
    return float(np.max(np.abs(p(points(count, low, high))))) / math.cos(math.pi * degree / (2 * count))


def steepest(p: Series, low: float, high: float, distance: float) -> float:
    """max |p'(z)| over the complex z of at most this distance from an interval, or not much more.

    By Bernstein's ellipse around the interval, or by p'' on that around [-1, 1] if this is less.

    >>> steepest(Polynomial([0, 3]), -1, 1, 0.1), 9 <= steepest(Chebyshev.basis(3), -1, 1, 1e-6) < 9.1
    (3.0, True)
    """
    first, second = p.deriv(), p.deriv(2)
    on_interval, around = largest(first, low, high), max(abs(low), abs(high), 1.0)
    by_ellipse = on_interval * _ellipse(low, high, distance) ** first.degree()
    bent = largest(second, -around, around) * _ellipse(-around, around, distance) ** second.degree()
    return min(by_ellipse, on_interval + distance * bent)


def _ellipse(low: float, high: float, distance: float) -> float:
    """rho of the ellipse with foci low and high that holds all points of this distance from the line between."""
    major = 1 + 2 * distance / (high - low)
    return major + math.sqrt(major * major - 1)
