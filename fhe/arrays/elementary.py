"""exp, log, sqrt … of arrays: NumPy's function of plain ones, its best polynomial on an interval of encrypted ones.

The interval is the tracked public bound, (-b, b), or ``interval=``, the caller's promise: outside of it a polynomial
means nothing, and grows fast. ``degree`` and ``error`` are as in `approximate`, and so is what they default to: an
error of 1e-4, or degree 63. `elementary` gives the polynomial itself, with its error and depth; docs/functions.md has
a table. The result's tracked error is what the operand's error becomes, and the approximation's.

All raise EncodingError for an interval on which the function is not defined, LevelError, before any work, for too few
levels, and MissingKeyError without a relinearisation key.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fhe.arrays.approximate import ApproximateFunction, Interval, approximate, ends
from fhe.arrays.functions import apply, depth_of_stages, require
from fhe.arrays.offered import offered
from fhe.circuits import approximation
from fhe.circuits.deviation import as_exact, distance, off_by
from fhe.circuits.remez import Function
from fhe.circuits.sign import sign
from fhe.errors import EncodingError, NoiseError

BERNSTEIN = 0.2802  # times b / degree is the error of the best polynomial for |x| on (-b, b)
MODERATE_DEGREE = 255


@dataclass(frozen=True, slots=True)
class Elementary:
    """A function in the clear, and where it is defined: for ``low`` < x, or at it too if ``closed``."""

    clear: Function
    low: float = -math.inf
    closed: bool = False


def _erf(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.vectorize(math.erf, otypes=[np.float64])(x)  # type: ignore[no-any-return]


ELEMENTARY: dict[str, Elementary] = {
    "exp": Elementary(np.exp),
    "log": Elementary(np.log, 0.0),
    "sqrt": Elementary(np.sqrt, 0.0, closed=True),
    "rsqrt": Elementary(lambda x: 1 / np.sqrt(x), 0.0),
    "inverse": Elementary(lambda x: 1 / np.asarray(x)),
    "sigmoid": Elementary(approximation.sigmoid),
    "tanh": Elementary(np.tanh),
    "sin": Elementary(np.sin),
    "cos": Elementary(np.cos),
    "gelu": Elementary(lambda x: 0.5 * x * (1 + _erf(np.asarray(x) / math.sqrt(2)))),
    "relu": Elementary(lambda x: np.maximum(x, 0.0)),
    "abs": Elementary(np.abs),
}


@lru_cache(maxsize=256)
def elementary(
    name: str, low: float, high: float, degree: int | None = None, error: float | None = None
) -> ApproximateFunction:
    """What stands in for a function on (low, high), as `approximate` makes it.

    >>> print(elementary("sigmoid", -8.0, 8.0, degree=15))
    degree 15 on [-8, 8], error at most 0.00088, 5 levels
    """
    function = ELEMENTARY[name]
    inside = low >= function.low if function.closed else low > function.low
    if not inside or (name == "inverse" and low <= 0 <= high):
        where = "without 0" if name == "inverse" else f"with low {'>=' if function.closed else '>'} {function.low:g}"
        raise EncodingError(
            f"fhe.{name} of an encrypted array needs an interval=(low, high) {where}, on which all its values lie; "
            f"given or publicly known is ({low:g}, {high:g})"
        )
    return approximate(function.clear, (low, high), degree=degree, error=error)


def bound_of(x: Any) -> float:
    """The tracked public bound on all |values| of an encrypted array."""
    return max(float(shard.bound) for shard in x.shards)


def _applied(name: str, x: Any, interval: Interval | None, degree: int | None, error: float | None) -> Any:
    if not hasattr(x, "shards"):
        return ELEMENTARY[name].clear(np.asarray(x, dtype=np.float64))
    bound = bound_of(x)
    low, high = ends(bound if interval is None else interval)
    if low > bound or high < -bound:
        raise EncodingError(f"the interval ({low:g}, {high:g}) holds no value of magnitude up to {bound:g}, the bound")
    function = elementary(name, low, high, degree, error)
    return apply(function, x, f"fhe.{name} by {function.what}")


@offered()
def exp(x: Any, *, interval: Interval | None = None, degree: int | None = None, error: float | None = None) -> Any:
    """e^x.

    On (-1, 1): degree 5, 3 levels, error 4.5e-5. On (-8, 8): degree 17, 6 levels, error 5.1e-5; but noise grows
    like the slope, by e^8.

    >>> import fhe
    >>> owner = fhe.ckks(depth=3, ring_degree=64, insecure="a small ring for this example")
    >>> owner.decrypt(exp(owner.encrypt([-1.0, 0.5], bound=1))).round(3).tolist()
    [0.368, 1.649]
    """
    return _applied("exp", x, interval, degree, error)


@offered()
def log(x: Any, *, interval: Interval | None = None, degree: int | None = None, error: float | None = None) -> Any:
    """The natural logarithm of positive numbers.

    Needs ``interval=(low, high)``, low > 0. Degrees grow like sqrt(high / low): on (0.5, 2) degree 7, 4 levels, error
    4.2e-5; on (0.1, 10) degree 36, 7 levels, error 8.9e-5.

    >>> import fhe
    >>> owner = fhe.ckks(depth=5, ring_degree=64, insecure="a small ring for this example")
    >>> owner.decrypt(log(owner.encrypt([1.5, 2.0]), interval=(0.5, 2))).round(3).tolist()
    [0.405, 0.693]
    """
    return _applied("log", x, interval, degree, error)


@offered()
def sqrt(x: Any, *, interval: Interval | None = None, degree: int | None = None, error: float | None = None) -> Any:
    """The square root of numbers from 0 on.

    Needs ``interval=(low, high)``, low >= 0. From 0 on, the error of degree d is about 0.14 sqrt(high) / d, all of it
    near 0. On (0.1, 10): degree 24, 6 levels, error 8e-5.

    >>> import fhe
    >>> owner = fhe.ckks(depth=5, ring_degree=64, insecure="a small ring for this example")
    >>> owner.decrypt(sqrt(owner.encrypt([1.0, 2.0]), interval=(0.5, 2))).round(3).tolist()
    [1.0, 1.414]
    """
    return _applied("sqrt", x, interval, degree, error)


@offered()
def rsqrt(x: Any, *, interval: Interval | None = None, degree: int | None = None, error: float | None = None) -> Any:
    """1 / sqrt(x) of positive numbers.

    Needs ``interval=(low, high)``, low > 0. On (0.1, 10): degree 42, 7 levels, error 8.9e-5.

    >>> import fhe
    >>> owner = fhe.ckks(depth=5, ring_degree=64, insecure="a small ring for this example")
    >>> owner.decrypt(rsqrt(owner.encrypt([1.0, 2.0]), interval=(0.5, 2))).round(3).tolist()
    [1.0, 0.707]
    """
    return _applied("rsqrt", x, interval, degree, error)


@offered()
def inverse(x: Any, *, interval: Interval | None = None, degree: int | None = None, error: float | None = None) -> Any:
    """1 / x.

    Needs an ``interval`` without 0. On (0.5, 2): degree 9, 5 levels, error 3.8e-5; on (0.01, 1): degree 63, 7 levels,
    error 1.6e-4 of up to 100. With k = high / low the relative error of degree d is about
    ((sqrt(k) - 1) / (sqrt(k) + 1))^d: log2 sqrt(k) levels and a few. Newton's iteration y (2 - x y) takes two levels a
    step, and log2(k) steps to begin with: never less.

    >>> import fhe
    >>> owner = fhe.ckks(depth=5, ring_degree=64, insecure="a small ring for this example")
    >>> owner.decrypt(inverse(owner.encrypt([1.0, 2.0]), interval=(0.5, 2))).round(3).tolist()
    [1.0, 0.5]
    """
    return _applied("inverse", x, interval, degree, error)


@offered()
def sigmoid(x: Any, *, interval: Interval | None = None, degree: int | None = None, error: float | None = None) -> Any:
    """1 / (1 + e^-x).

    On (-8, 8): degree 21, 6 levels, error 8.8e-5; by ``degree=7`` 4 levels, 0.019; by ``degree=15`` 5 levels, 8.8e-4.

    >>> import fhe
    >>> owner = fhe.ckks(depth=5, ring_degree=64, insecure="a small ring for this example")
    >>> owner.decrypt(sigmoid(owner.encrypt([-1.0, 2.0]), interval=8, degree=15)).round(2).tolist()
    [0.27, 0.88]
    """
    return _applied("sigmoid", x, interval, degree, error)


@offered()
def tanh(x: Any, *, interval: Interval | None = None, degree: int | None = None, error: float | None = None) -> Any:
    """The hyperbolic tangent.

    On (-4, 4): degree 23, 6 levels, error 8.2e-5.

    >>> import fhe
    >>> owner = fhe.ckks(depth=5, ring_degree=64, insecure="a small ring for this example")
    >>> owner.decrypt(tanh(owner.encrypt([-1.0, 2.0]), interval=4, degree=15)).round(2).tolist()
    [-0.76, 0.96]
    """
    return _applied("tanh", x, interval, degree, error)


@offered()
def sin(x: Any, *, interval: Interval | None = None, degree: int | None = None, error: float | None = None) -> Any:
    """The sine of an angle in radians.

    On (-pi, pi): degree 9, 5 levels, error 5.9e-6. On (-b, b) the degree is little more than b.

    >>> import fhe
    >>> owner = fhe.ckks(depth=5, ring_degree=64, insecure="a small ring for this example")
    >>> owner.decrypt(sin(owner.encrypt([-1.0, 2.0]), interval=np.pi)).round(3).tolist()
    [-0.841, 0.909]
    """
    return _applied("sin", x, interval, degree, error)


@offered()
def cos(x: Any, *, interval: Interval | None = None, degree: int | None = None, error: float | None = None) -> Any:
    """The cosine of an angle in radians.

    On (-pi, pi): degree 8, 5 levels, error 4e-5. On (-b, b) the degree is little more than b.

    >>> import fhe
    >>> owner = fhe.ckks(depth=5, ring_degree=64, insecure="a small ring for this example")
    >>> owner.decrypt(cos(owner.encrypt([-1.0, 2.0]), interval=np.pi)).round(3).tolist()
    [0.54, -0.416]
    """
    return _applied("cos", x, interval, degree, error)


@offered()
def gelu(x: Any, *, interval: Interval | None = None, degree: int | None = None, error: float | None = None) -> Any:
    """x Phi(x), Phi the distribution function of the normal distribution.

    On (-4, 4): degree 16, 6 levels, error 3.5e-5; by ``degree=15`` 5 levels, 1.7e-4.

    >>> import fhe
    >>> owner = fhe.ckks(depth=6, ring_degree=64, insecure="a small ring for this example")
    >>> owner.decrypt(gelu(owner.encrypt([-1.0, 2.0]), interval=4)).round(2).tolist()
    [-0.16, 1.95]
    """
    return _applied("gelu", x, interval, degree, error)


@offered()
def relu(x: Any, *, interval: Interval | None = None, degree: int | None = None, error: float | None = None) -> Any:
    """max(x, 0).

    On (-1, 1): degree 63, 6 levels, error 2.3e-3; the error of degree d is about 0.14 b / d on (-b, b). Where
    ``error`` is so small that the degree would pass 255, it is x (1 + sign(x)) / 2 by a composite sign: 17 levels for
    b / 4096.

    >>> import fhe
    >>> owner = fhe.ckks(depth=6, ring_degree=64, insecure="a small ring for this example")
    >>> owner.decrypt(relu(owner.encrypt([-1.0, 2.0], bound=2), degree=31)).round(1).tolist()
    [0.0, 2.0]
    """
    return _kinked("relu", 0.5, x, interval, degree, error)


@offered()
def abs(x: Any, *, interval: Interval | None = None, degree: int | None = None, error: float | None = None) -> Any:
    """|x|, as `relu` with twice its error; x sign(x) where that is too much.

    >>> import fhe
    >>> owner = fhe.ckks(depth=6, ring_degree=64, insecure="a small ring for this example")
    >>> owner.decrypt(abs(owner.encrypt([-1.0, 2.0], bound=2), degree=31)).round(1).tolist()
    [1.0, 2.0]
    """
    return _kinked("abs", 1.0, x, interval, degree, error)


def _kinked(name: str, half: float, x: Any, interval: Interval | None, degree: int | None, error: float | None) -> Any:
    """|x| times 1 or 1/2, and x times 0 or 1/2: by a polynomial, or where that is none of moderate degree by a sign.

    x s(x) with |s - sign| <= error / b beyond the margin is right within error there, and below the margin too if that
    is no larger than the error, since |x s(x) - |x|| <= |x|.
    """
    if not hasattr(x, "shards") or error is None or degree is not None:
        return _applied(name, x, interval, degree, error)
    bound = max(map(builtins.abs, ends(bound_of(x) if interval is None else interval)))
    if BERNSTEIN * half * bound / error <= MODERATE_DEGREE:
        return _applied(name, x, interval, degree, error)
    composed = sign(error / half, error / half / bound, bound).scaled(half, 1 - half)
    levels, what = depth_of_stages(composed.stages, x.layout.tidy) + 1, f"fhe.{name} by {composed.what}"
    require(x, levels=levels, products=True, what=what)
    y = x * apply(composed, x)
    return y.map(lambda shard: off_by(shard, error))


@offered()
def softmax(x: Any, axis: int = -1, *, interval: Interval | None = None, error: float = 1e-3) -> Any:
    """e^x_i / (e^x_1 + … + e^x_n) along an axis, within ``error``.

    An exponential, a sum, its inverse and a product. On (-1, 1): 9 levels for 10 numbers. The inverse is wanted on an
    interval of k = e^(high - low): on (-4, 4) 16 levels, and a loose bound. A level more goes where the sum has to be
    brought back to its elements. Subtract what is publicly known of a maximum beforehand: the narrower, the better.

    >>> import fhe
    >>> owner = fhe.ckks(depth=10, ring_degree=64, insecure="a small ring for this example")
    >>> owner.decrypt(softmax(owner.encrypt([-0.5, 0.5, 1.0], bound=1))).round(2).tolist()
    [0.12, 0.33, 0.55]
    """
    if not hasattr(x, "shards"):
        powers = np.exp(x - np.max(x, axis=axis, keepdims=True))
        return powers / powers.sum(axis=axis, keepdims=True)
    low, high = ends(bound_of(x) if interval is None else interval)
    count, least, each = x.shape[axis], math.exp(low), error * math.exp(low) / 4

    def inverted(off: float) -> ApproximateFunction:
        ends = count * (least - off), count * (math.exp(high) + off)
        return elementary("inverse", *ends, error=error * math.exp(-high) / 2)

    depth = depth_of_stages(elementary("exp", low, high, error=each).stages, x.layout.tidy) + inverted(each).depth + 1
    require(x, levels=depth, products=True, what=f"fhe.softmax on ({low:g}, {high:g})")
    powers = exp(x, interval=(low, high), error=each).settled()
    if (off := max(map(distance, powers.shards))) >= least:
        raise NoiseError(
            f"on ({low:g}, {high:g}) exponentials go down to {least:.2g}, and are known within {off:.2g}; use a larger "
            "scale_bits, or a narrower interval"
        )
    exact = powers.map(as_exact)
    # With errors up to e in the powers p_i and s = p_1 + … + p_n, those of p_i / s are up to (e + n e p_i / s) / s.
    more = (1 + 1 / count) * off / (least - off)
    return (exact * inverted(off)(exact.sum(axis=axis, keepdims=True))).map(lambda shard: off_by(shard, more))


UFUNCS: dict[np.ufunc, Callable[..., Any]] = {
    np.exp: exp,
    np.log: log,
    np.sqrt: sqrt,
    np.reciprocal: inverse,
    np.tanh: tanh,
    np.sin: sin,
    np.cos: cos,
}
