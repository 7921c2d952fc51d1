"""Functions as polynomials: made for an interval, applied to plain and to encrypted arrays."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fhe.arrays.functions import apply
from fhe.arrays.offered import offered
from fhe.circuits.approximation import Approximation, best, within
from fhe.circuits.extremes import Series
from fhe.circuits.remez import Function
from fhe.errors import EncodingError

Interval = tuple[float, float] | float

TOLERANCE = 1e-4  # of the largest |f|, or of 1 if that is less, where neither degree nor error is given
USUAL_DEGREE = 63


class ApproximateFunction(Approximation):
    """A polynomial that stands in for a function on an interval; it is called like the function.

    ``error`` bounds its distance from the function, ``depth`` is the levels it takes, ``domain`` the interval, and
    ``stages`` the polynomials themselves, as NumPy's. On plain arrays it gives the polynomial's value: what the
    encrypted result will be, but for noise. Made by `approximate`.

    >>> import fhe
    >>> softplus = fhe.approximate(lambda x: np.log1p(np.exp(x)), (-4, 4), error=1e-3)
    >>> print(softplus)
    degree 8 on [-4, 4], error at most 0.00031, 5 levels
    >>> owner = fhe.ckks(depth=softplus.depth, ring_degree=64, insecure="a small ring for this example")
    >>> y = softplus(owner.encrypt([-1.0, 2.0], bound=4))
    >>> owner.decrypt(y).round(2).tolist(), softplus(np.array([-1.0, 2.0])).round(2).tolist()
    ([0.31, 2.13], [0.31, 2.13])
    """

    __slots__ = ()

    def __call__(self, x: Any) -> Any:
        """The approximation of every element."""
        return approximated(self, x)


@offered()
def approximated(function: ApproximateFunction, x: Any) -> Any:
    """What an `ApproximateFunction` is called for."""
    if hasattr(x, "shards"):
        return apply(function, x)
    return Approximation.__call__(function, np.asarray(x, dtype=np.float64))


def approximate(
    function: Function, interval: Interval, *, degree: int | None = None, error: float | None = None
) -> ApproximateFunction:
    """The polynomial that stays nearest to a function on an interval, of a degree or within an error.

    ``function`` takes and gives real NumPy arrays. ``interval`` is (low, high), or b for (-b, b). A polynomial of
    degree d takes ceil(log2(d + 1)) levels, and one more unless 2 / (high - low) is whole. Without ``degree`` and
    ``error`` it is the least degree up to 63 whose error is within 1e-4, or 1e-4 of the largest |f| if that is less;
    degree 63 if there is none. The error is absolute; it is measured at 64 points for each degree and more, and what
    lies between them is bounded by the steps from point to point: this holds for functions without spikes. (Remez'
    exchange; see `fhe.circuits.remez`.)

    Raises EncodingError for an interval, degree or error that is none, and for a function that is not finite there.

    >>> import fhe
    >>> cube_root = fhe.approximate(np.cbrt, (0.1, 1), degree=7)
    >>> cube_root.depth, round(cube_root.error, 6), round(float(cube_root(0.512)), 4)
    (4, 0.000145, 0.8001)
    """
    low, high = ends(interval)
    if degree is not None and error is not None:
        raise EncodingError("an approximation is of a degree or within an error; give one of them")
    if degree is not None:
        found = best(function, degree, low, high)
    elif error is not None:
        found = within(function, error, low, high)
    else:
        found = _usual(function, low, high)
    return ApproximateFunction(found.stages, found.error, found.gaps)


@offered()
def evaluate(polynomial: Series, x: Any) -> Any:
    """p(x), element by element, for a NumPy `Polynomial` or `Chebyshev` and a plain or encrypted array.

    An encrypted one takes ceil(log2(degree + 1)) levels, and one more where p's domain has to be brought to its window.
    The elements must lie in the domain of a Chebyshev series: beyond it they grow like their power. For a polynomial in
    powers of x the tracked error grows with the coefficients; `Polynomial.convert(kind=Chebyshev)` has smaller ones.

    >>> import fhe
    >>> owner = fhe.ckks(depth=2, ring_degree=64, insecure="a small ring for this example")
    >>> cubic = np.polynomial.Polynomial([1, 0, -3, 2])
    >>> owner.decrypt(fhe.evaluate(cubic, owner.encrypt([0.0, 0.5, 2.0], bound=2))).round(3).tolist()
    [1.0, 0.5, 5.0]
    """
    return apply([polynomial], x) if hasattr(x, "shards") else polynomial(np.asarray(x))


def ends(interval: Interval) -> tuple[float, float]:
    """(low, high), or (-b, b) for a number b."""
    if isinstance(interval, tuple | list) and len(interval) == 2:
        low, high = interval
    elif np.ndim(interval) == 0 and not isinstance(interval, str):
        low, high = -float(interval), float(interval)
    else:
        raise EncodingError(f"an interval is (low, high), or b for (-b, b), got {interval!r}")
    return float(low), float(high)


def _usual(function: Function, low: float, high: float) -> Approximation:
    coarse = best(function, 1, low, high)  # checks the function and the interval
    x = np.linspace(*coarse.domain, 257)
    error = TOLERANCE * min(1.0, float(np.max(np.abs(function(x)))))
    try:
        return within(function, error, low, high, USUAL_DEGREE) if error else coarse
    except EncodingError:
        return best(function, USUAL_DEGREE, low, high)


def periodic(function: Function, period: float, start: float = 0.0) -> Function:
    """x -> f(start + (x - start) mod period): one period of a function, repeated; to be approximated.

    >>> import fhe
    >>> wave = fhe.periodic(lambda x: 4 * x * (1 - x), period=1.0)
    >>> wave(np.array([0.25, 3.25, -0.75])).tolist(), fhe.approximate(wave, (-1, 1), degree=31).error < 0.06
    ([0.75, 0.75, 0.75], True)
    """
    if not (math.isfinite(period) and period > 0):
        raise EncodingError(f"a period is a positive number, got {period!r}")

    def repeated(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return function(start + np.mod(x - start, period))

    return repeated


def piecewise(breaks: Sequence[float], functions: Sequence[Callable[[Any], Any] | float]) -> Function:
    """One function (or number) below the first break, one between each two, one from the last on; to be approximated.

    >>> import fhe
    >>> clipped = fhe.piecewise([-1.0, 1.0], [-1.0, lambda x: x, 1.0])
    >>> clipped(np.array([-2.0, 0.5, 3.0])).tolist(), fhe.approximate(clipped, 3, degree=15).error < 0.08
    ([-1.0, 0.5, 1.0], True)
    """
    at = np.asarray(breaks, dtype=np.float64)
    if at.ndim != 1 or len(functions) != at.size + 1 or not np.all(np.diff(at) > 0):
        raise EncodingError(
            f"{at.size} ascending breaks make {at.size + 1} pieces, got breaks {list(breaks)} and {len(functions)} "
            "functions"
        )

    def joined(x: NDArray[np.float64]) -> NDArray[np.float64]:
        x = np.asarray(x, dtype=np.float64)
        conditions = [np.searchsorted(at, x, side="right") == piece for piece in range(len(functions))]
        return np.piecewise(x, conditions, list(functions))

    return joined
