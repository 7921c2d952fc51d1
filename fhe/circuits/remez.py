"""Best polynomials in the maximum norm, by Remez' exchange: plain numerics, no ciphertext.

Let m basis polynomials B_j span the polynomials allowed (T_j of the interval; odd ones alone, or even ones, on half of
it: Chebyshev systems all). A combination p is the best approximation of f exactly if f - p takes its largest
magnitude, with alternating signs, at m + 1 points (Chebyshev). The exchange solves

    sum_j c_j B_j(x_i) + (-1)^i E = f(x_i),    i = 0 … m

at m + 1 points, and moves them to the extremes of f - p, until none is much larger than |E|. At every step |E| is a
lower bound on what any p can reach (de la Vallée-Poussin), which says when to stop. (Remez, 1934; in this form
Powell, Approximation Theory and Methods, 1981, chapters 8 and 9.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import Chebyshev
from numpy.polynomial.chebyshev import chebvander
from numpy.typing import NDArray

from fhe.circuits.extremes import points

Reals = NDArray[np.float64]
Function = Callable[[Reals], Reals]

POINTS_PER_EXTREME, FEWEST_POINTS = 24, 512
MOST_EXCHANGES = 60
SKEW = 0.5
LEVEL = 1e-6  # the extremes of a best approximation are equal to this factor
FLOOR = 2.0**-45  # of the largest value: where rounding errors of the function and the basis begin


@dataclass(frozen=True, slots=True)
class Minimax:
    """A polynomial on a domain, the points where its error alternates, |E|, which none can undercut, and its error."""

    polynomial: Chebyshev
    reference: Reals
    levelled: float
    error: float


def minimax(
    function: Function, degree: int, low: float, high: float, *, parity: int | None = None, gap: float = 0.0
) -> Minimax:
    """The polynomial of a degree that stays nearest to a function on [low, high].

    ``parity`` 0 or 1, for an even or odd function on an interval around 0, allows even or odd polynomials alone;
    then ``gap`` leaves out the points of smaller magnitude. The result is best up to rounding: where the error comes
    near 2^-52 of the function, the exchange ends.

    >>> found = minimax(np.exp, 3, -1, 1)
    >>> round(found.levelled, 6), len(found.reference)
    (0.005528, 5)
    """
    exponents = np.arange(degree + 1) if parity is None else np.arange(parity, degree + 1, 2)
    grid = _grid(len(exponents) + 1, low, high, None if parity is None else gap)

    def basis(x: Reals) -> Reals:
        u = (2 * x - (low + high)) / (high - low)
        return np.asarray(chebvander(u, degree)[:, exponents], dtype=np.float64)

    on_grid, wanted = basis(grid), function(grid)
    floor = FLOOR * float(np.max(np.abs(wanted)))
    at = grid[_spread(len(grid), len(exponents) + 1)]
    found: list[tuple[float, Reals, float, Reals]] = []
    for _ in range(MOST_EXCHANGES):
        coefficients, level = _levelled(basis(at), function(at))
        error: Reals = wanted - on_grid @ coefficients
        largest, moved = float(np.max(np.abs(error))), None
        if (extremes := _alternating(error, len(at))) is not None:
            moved = _peaks(grid, error, extremes)
            sharp = np.abs(function(moved) - basis(moved) @ coefficients) > np.abs(error[extremes])
            moved = np.where(sharp, moved, grid[extremes])
            largest = max(largest, float(np.max(np.abs(function(moved) - basis(moved) @ coefficients))))
        found.append((largest, coefficients, level, at))
        if moved is None or largest <= max(level * (1 + LEVEL), floor):
            break
        at = moved
    largest, coefficients, level, at = min(found, key=lambda exchange: exchange[0])
    series = np.zeros(degree + 1)
    series[exponents] = coefficients
    return Minimax(Chebyshev(series, domain=[low, high]), at, level, largest)


def _grid(extremes: int, low: float, high: float, gap: float | None) -> Reals:
    """Ascending points, as dense everywhere as the extremes of so many are: Chebyshev's, of x^2 where f has a parity.

    0 is one of them, the likeliest place of a kink.
    """
    count = max(POINTS_PER_EXTREME * extremes, FEWEST_POINTS)
    if gap is None:
        inner, ends = points(count, low, high), [low, high]
        grid = np.concatenate([inner, ends, [0.0] if low < 0 < high else []])
    else:
        grid = np.concatenate([np.sqrt(points(count, gap**2, high**2)), [gap, high]])
    unique: Reals = np.unique(grid).astype(np.float64)
    return unique


def _spread(points_given: int, count: int) -> NDArray[np.intp]:
    """Indices of ``count`` points of the grid, spread as the extremes of a Chebyshev polynomial are, but for a skew.

    Without it the points would lie symmetrically, where an odd function has no level: E would be 0, and stay so.
    """
    share = np.linspace(0, 1, count)
    return np.rint((share + SKEW / count * share * (1 - share)) * (points_given - 1)).astype(np.intp)


def _levelled(basis: Reals, wanted: Reals) -> tuple[Reals, float]:
    """The combination whose errors at m + 1 points are E and -E in turn, and |E|."""
    signs = (-1.0) ** np.arange(len(wanted))
    system = np.column_stack([basis, signs])
    try:
        solution = np.linalg.solve(system, wanted).astype(np.float64)
    except np.linalg.LinAlgError:  # more degrees than doubles tell apart on a short interval: any solution will do
        solution = np.linalg.lstsq(system, wanted)[0].astype(np.float64)
    return solution[:-1], abs(float(solution[-1]))


def _peaks(grid: Reals, error: Reals, extremes: NDArray[np.intp]) -> Reals:
    """Where parabolas through the extremes and their neighbours on the grid have their vertices."""
    middle = np.clip(extremes, 1, len(grid) - 2)
    left, right = grid[middle] - grid[middle - 1], grid[middle] - grid[middle + 1]
    rise, fall = error[middle] - error[middle + 1], error[middle] - error[middle - 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        vertex = grid[middle] - (left**2 * rise - right**2 * fall) / (2 * (left * rise - right * fall))
    inside = (middle == extremes) & (vertex > grid[middle - 1]) & (vertex < grid[middle + 1])
    return np.where(inside, vertex, grid[extremes])


def _alternating(error: Reals, count: int) -> NDArray[np.intp] | None:
    """Indices of ``count`` extremes of alternating sign, the largest among them; None if there are not so many."""
    positive = error > 0
    borders = np.flatnonzero(positive[1:] != positive[:-1]) + 1
    runs = np.split(np.arange(len(error)), borders)
    extremes = np.array([run[np.argmax(np.abs(error[run]))] for run in runs])
    while len(extremes) > count:
        size = np.abs(error[extremes])
        if len(extremes) == count + 1:  # one too many: an end, or signs would not alternate
            extremes = extremes[1:] if size[0] < size[-1] else extremes[:-1]
        else:  # the smallest, and the smaller of its neighbours
            smallest = int(np.argmin(np.maximum(size[1:], size[:-1])))
            extremes = np.delete(extremes, [smallest, smallest + 1])
    return extremes if len(extremes) == count else None
