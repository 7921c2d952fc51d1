"""Polynomials that stand in for functions, each with its error: plain numerics, no ciphertext.

They are NumPy's own objects. A `Chebyshev` series p on a domain [a, b] is read as p = sum_k c_k T_k(u), with
u in [-1, 1] the image of the domain: no term exceeds |c_k|, so nothing cancels, whatever the degree.

What an error means. A function f, given as a program, can only be sampled. `deviation` takes f - p at Chebyshev points,
at least 64 for each degree, and adds half of the largest step between two of them: a bound wherever f - p is nowhere
steeper between points than across some of them. It holds for functions as smooth as a polynomial of 64 times the
degree, and for kinks; it cannot hold for a spike between two points.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.polynomial import Chebyshev
from numpy.typing import NDArray

from fhe.circuits.extremes import Series, points
from fhe.circuits.polynomial import depth_of_polynomial
from fhe.circuits.remez import minimax
from fhe.errors import EncodingError

Reals = NDArray[np.float64]
Function = Callable[[Reals], Reals]

GRID = 1 << 14
POINTS_PER_DEGREE = 64
NOISE_FLOOR = 2.0**-48  # coefficients this far below the largest are rounding errors of the interpolation
LARGEST_DEGREE, EXCHANGED_DEGREE = 2047, 511
SYMMETRIC = 2.0**-40


@dataclass(frozen=True, slots=True)
class Approximation:
    """Polynomials applied one after the other, and what is known of their error.

    stages
        The first takes values of its own domain, the others values of [-1, 1].
    error
        A bound on the distance from the function, where it is approximated.
    gaps
        For each stage, the magnitude below which its values need not be right (the margin of a sign); none by default.

    >>> cubic = best(np.sin, 3, -1, 1)
    >>> cubic.domain, cubic.depth, cubic.error < 0.0006, round(float(cubic(0.5) - np.sin(0.5)), 4)
    ((-1.0, 1.0), 2, True, -0.0002)
    """

    stages: tuple[Chebyshev, ...]
    error: float
    gaps: tuple[float, ...] = ()

    def __call__(self, x: Reals) -> Reals:
        """The approximation's value, in the clear."""
        for stage in self.stages:
            x = stage(x)
        return x

    @property
    def domain(self) -> tuple[float, float]:
        """The interval outside which the approximation means nothing."""
        low, high = self.stages[0].domain
        return float(low), float(high)

    @property
    def depth(self) -> int:
        """The levels it takes on an encrypted array whose padding is zero: one more where it is not."""
        return needs_map(self.stages[0]) + sum(depth_of_polynomial(stage.degree()) for stage in self.stages)

    @property
    def margin(self) -> float:
        """Of a sign: the magnitude below which values need not be told from zero."""
        return self.gaps[0] * self.domain[1] if self.gaps else 0.0

    def scaled(self, factor: float, offset: float) -> Approximation:
        """factor * f + offset, in the same levels."""
        *stages, last = self.stages
        return replace(self, stages=(*stages, factor * last + offset), error=abs(factor) * self.error)

    @property
    def what(self) -> str:
        """What it is, in words that a sentence can go on from."""
        low, high = self.domain
        degrees = ", ".join(str(stage.degree()) for stage in self.stages)
        margin = f" beyond a margin of {self.margin:.2g}" if self.gaps else ""
        kind = "a composition" if self.stages[1:] else "a polynomial"
        return f"{kind} of degree {degrees} on [{low:g}, {high:g}]{margin}"

    def __str__(self) -> str:
        return f"{self.what.partition(' of ')[2]}, error at most {self.error:.2g}, {self.depth} levels"


def chebyshev(function: Function, degree: int, low: float = -1.0, high: float = 1.0) -> Approximation:
    """The polynomial that interpolates a function at the Chebyshev points of [low, high].

    Its error is within a factor 2 + (2/pi) log(degree + 1) of the best polynomial's (Rivlin's bound on the Lebesgue
    constant of these points, plus one).

    >>> chebyshev(sigmoid, 15, -8, 8).error < 0.0014
    True
    """
    return _measured(function, Chebyshev.interpolate(function, degree, domain=[low, high]), low, high)


def best(function: Function, degree: int, low: float = -1.0, high: float = 1.0) -> Approximation:
    """The polynomial of this degree that stays nearest to a function on [low, high] (Remez); even or odd if f is.

    Beyond degree 511 it is the one that interpolates at the Chebyshev points: within a factor 7 of the best.

    Raises EncodingError for a function that is not finite there, or an interval that is none.

    >>> best(sigmoid, 15, -8, 8).error < 0.0009
    True
    """
    _check(function, degree, low, high)
    if degree > EXCHANGED_DEGREE:
        return chebyshev(function, degree, low, high)
    parity, centre = _parity(function, low, high)
    found = minimax(lambda x: function(x) - centre, degree, low, high, parity=parity)
    return _measured(function, found.polynomial + centre, low, high)


def within(
    function: Function, error: float, low: float = -1.0, high: float = 1.0, most: int = LARGEST_DEGREE
) -> Approximation:
    """The best polynomial of the least degree whose error is at most this; EncodingError if that is beyond ``most``.

    >>> within(np.exp, 1e-6, -1, 1).stages[0].degree()
    7
    """
    if not error > 0:
        raise EncodingError(f"the error of an approximation must be positive, got {error:g}")
    tried: dict[int, Approximation] = {}

    def good(degree: int) -> bool:
        tried[degree] = best(function, degree, low, high)
        return tried[degree].error <= error

    above = 1
    while not good(above):
        if above == most:
            raise EncodingError(
                f"no polynomial of degree {most} is within {error:g} on [{low:g}, {high:g}], the best is "
                f"within {tried[above].error:.2g}; allow a larger error, or give a narrower interval"
            )
        above = min(2 * above + 1, most)
    below = above // 2
    while above - below > 1:
        middle = (above + below) // 2
        above, below = (middle, below) if good(middle) else (above, middle)
    return tried[above]


def deviation(function: Function, approximate: Function, degree: int, low: float, high: float) -> float:
    """A bound on |f - p| over [low, high] from samples, as the head of this module says."""
    x = np.concatenate([[low], points(max(GRID, POINTS_PER_DEGREE * (degree + 1)), low, high)[::-1], [high]])
    error = function(x) - approximate(x)
    return float(np.max(np.abs(error)) + 0.5 * np.max(np.abs(np.diff(error))))


def _measured(function: Function, p: Chebyshev, low: float, high: float) -> Approximation:
    coefficients = np.array(p.coef)
    coefficients[np.abs(coefficients) < NOISE_FLOOR * np.max(np.abs(coefficients))] = 0.0
    p = Chebyshev(coefficients, domain=[low, high]).trim()
    return Approximation((p,), deviation(function, p, p.degree(), low, high))


def _parity(function: Function, low: float, high: float) -> tuple[int | None, float]:
    """0 or 1 and c for a function that is even or odd about an interval's centre, but for a constant c; None and 0."""
    if low != -high:
        return None, 0.0
    x = points(65, low, high)
    plus, minus, middle = function(x), function(-x), float(function(np.zeros(1))[0])
    scale = SYMMETRIC * float(np.max(np.abs(plus)))
    if np.max(np.abs(plus - minus)) <= scale:
        return 0, 0.0
    if np.max(np.abs(plus + minus - 2 * middle)) <= scale:
        return 1, middle
    return None, 0.0


def _check(function: Function, degree: int, low: float, high: float) -> None:
    if isinstance(degree, bool) or not isinstance(degree, int) or not 1 <= degree <= LARGEST_DEGREE:
        raise EncodingError(f"the degree of an approximation goes from 1 to {LARGEST_DEGREE}, got {degree!r}")
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise EncodingError(f"an interval has two finite ends, the lower first, got ({low!r}, {high!r})")
    x = np.concatenate([points(257, low, high), [low, high]])
    with np.errstate(all="ignore"):
        values = np.asarray(function(x))
    if values.shape != x.shape or values.dtype.kind not in "fiu" or not np.all(np.isfinite(values)):
        raise EncodingError(
            f"a function to be approximated takes arrays of reals and is finite on all of [{low:g}, {high:g}]; "
            "this one is not: give an interval inside its domain, or wrap it in np.vectorize"
        )


def needs_map(p: Series) -> bool:
    """Does it take a level to bring p's domain to its window? Whole factors and offsets take none."""
    return float(p.mapparms()[1]) % 1.0 != 0.0


def sigmoid(x: Reals) -> Reals:
    """1 / (1 + exp(-x)), without overflow."""
    result: Reals = 0.5 * (1 + np.tanh(x / 2))
    return result
