"""Comparison of real arrays (CKKS): right where operands differ by a margin, by composite polynomials for the sign.

A comparison takes a margin and an error. Where |x - y| is at least the margin, the answer is within the error of 0 or
1; nearer, it lies between them. By default the margin is 2^-8 of the public bound on |x - y|, and the error 2^-8: 11
levels, and one to scale the difference. Halving the margin, or squaring the error, takes about one level more:
`sign_of` says how many, docs/functions.md has a table. More than one polynomial is composed wherever it pays, and this
takes conjugates: a server needs `public(conjugation=True)`, or rotations by default.

Extremes are better than that: near a tie either operand will do, so maximum and minimum are within the margin always,
and their errors add up where one is taken of another.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial, reduce
from typing import Any, NoReturn

import numpy as np

from fhe.arrays.elementary import bound_of
from fhe.arrays.functions import apply, depth_of_stages, require
from fhe.circuits.approximation import Approximation
from fhe.circuits.deviation import as_exact, distance, off_by
from fhe.circuits.sign import sign as composed_sign
from fhe.circuits.sign import slack

MARGIN = ERROR = 2.0**-8


def sign_of(x: Any, margin: float | None = None, error: float | None = None) -> Approximation:
    """The composition that `sign` applies: its degrees, error and depth.

    >>> import fhe
    >>> owner = fhe.ckks(depth=1, ring_degree=64, insecure="a small ring for this example")
    >>> print(sign_of(owner.encrypt([1.0], bound=4), margin=0.5))
    degree 7, 7 on [-4, 4] beyond a margin of 0.5, error at most 0.0037, 7 levels
    """
    bound = bound_of(x)
    return composed_sign(MARGIN * bound if margin is None else margin, ERROR if error is None else error, bound)


def sign(x: Any, margin: float | None = None, error: float | None = None) -> Any:
    """-1 or 1 where |x| is at least the margin, between them elsewhere."""
    return apply(sign_of(x, margin, error), x)


def greater(x: Any, y: Any, margin: float | None = None, error: float | None = None) -> Any:
    """1 where x > y by the margin, 0 where x < y by it, between them elsewhere."""
    difference = x - y
    return apply(_step(difference, margin, error), difference)


def differ(x: Any, y: Any, margin: float | None = None, error: float | None = None) -> NoReturn:
    """Not offered: approximate numbers are never known to be equal."""
    raise TypeError(
        "approximate numbers are never known to be equal, so that x == y has no answer; ask whether they are near: "
        "abs(x - y) < tolerance"
    )


def complement(mask: Any) -> Any:
    """1 - mask."""
    return 1 - mask


def extreme(x: Any, y: Any, largest: bool, margin: float | None = None, error: float | None = None) -> Any:
    """The larger or the smaller of both, element by element; within the margin where they are nearer than it."""
    low, high, off = _exchanged(x, y, margin, error)
    return (high if largest else low).map(lambda shard: off_by(shard, off))


def _exchanged(x: Any, y: Any, margin: float | None, error: float | None) -> tuple[Any, Any, float]:
    """Both in ascending order, element by element, and how far they may be off, beside their tracked noise.

    They are x - d s and y + d s, with d = x - y and s = 1 where d > 0, else 0. Beyond the margin, an error e of s makes
    one of |d| e; within it d s is off by no more than d, whatever s is between 0 and 1.
    """
    d = (x - y).settled()
    bound, step = bound_of(d), _step(d, margin, error)
    levels = depth_of_stages(step.stages, d.layout.tidy) + 1
    require(d, levels=levels, products=True, conjugation=len(step.gaps) > 1, what=f"ordering by {step.what}")
    asked, off = d, 0.0
    if (near := max(map(distance, d.shards))) > bound * slack(step.gaps[0]):
        # What a ciphertext holds, it holds exactly; and extremes are off by no more than their operands, on the real
        # line and beside it.
        off, x, y, d = math.sqrt(2) * near, _exact(x), _exact(y), _exact(d)
        asked = d + d.map(d.evaluator.swap)  # 2 d without what lies beside the real line
        step = _step(asked, step.gaps[0] * bound_of(asked), error)
    off += max(bound_of(d) * step.error, step.margin * bound_of(d) / bound_of(asked))
    moved = d * apply(replace(step, error=0.0), asked)
    most = max(map(_bound, (x, y))) + off
    low, high = (_within((z + part).settled(), most) for z, part in ((x, -moved), (y, moved)))
    return low, high, off


def _exact(x: Any) -> Any:
    """The same ciphertexts, as encryptions of just what they hold."""
    return x.map(as_exact) if hasattr(x, "shards") else x


def _bound(x: Any) -> float:
    return bound_of(x) if hasattr(x, "shards") else float(np.max(np.abs(x)))


def _within(x: Any, most: float) -> Any:
    """The same array, no value of which is known to exceed a bound."""
    return x.map(lambda shard: replace(shard, bound=min(shard.bound, most)))


def _step(d: Any, margin: float | None, error: float | None) -> Approximation:
    error = ERROR if error is None else error
    return sign_of(d, margin, 2 * error).scaled(0.5, 0.5)


# --- small sets ------------------------------------------------------------------------------------------------------


def sort(arrays: Sequence[Any], margin: float | None = None, error: float | None = None) -> list[Any]:
    """The arrays in ascending order, element by element, by a network of comparisons: within a margin for each stage.

    Two arrays take one stage, 3 and 4 three, 5 … 8 six: each as deep as a maximum. What a stage is off, the next takes
    as it is: sorting changes no distance between two sets of numbers.
    """
    found, off = list(arrays), [0.0] * len(arrays)
    for i, j in network(len(found)):
        found[i], found[j], more = _exchanged(found[i], found[j], margin, error)
        off[i] = off[j] = max(off[i], off[j]) + more
    return [x.map(partial(off_by, most=most)) for x, most in zip(found, off, strict=True)]


def network(count: int) -> Iterator[tuple[int, int]]:
    """Batcher's odd-even merge sort: the pairs to be brought in order, one after the other. (AFIPS 1968.)

    >>> list(network(4))
    [(0, 1), (2, 3), (0, 2), (1, 3), (1, 2)]
    """
    p = 1
    while p < count:
        k = p
        while k >= 1:
            for j in range(k % p, count - k, 2 * k):
                for i in range(min(k, count - j - k)):
                    if (i + j) // (2 * p) == (i + j + k) // (2 * p):
                        yield i + j, i + j + k
            k //= 2
        p *= 2


def argmax(arrays: Sequence[Any], margin: float | None = None, error: float | None = None) -> Any:
    """Which of the arrays is the largest, element by element, where it is so by the margin; a number between elsewhere.

    All pairs are compared at once; the product over its comparisons is 1 for the largest alone.
    """
    above: list[list[Any]] = [[] for _ in arrays]
    for i in range(len(arrays)):
        for j in range(i):
            above[i].append(greater(arrays[i], arrays[j], margin, error))
            above[j].append(complement(above[i][-1]))
    return reduce(lambda a, b: a + b, [_product(wins) * index for index, wins in enumerate(above) if index])


def _product(factors: list[Any]) -> Any:
    while len(factors) > 1:
        pairs = [a * b for a, b in zip(factors[::2], factors[1::2], strict=False)]
        factors = pairs + factors[len(factors) & ~1 :]
    return factors[0]
