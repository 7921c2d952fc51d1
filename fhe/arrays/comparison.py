"""Comparison of arrays, by whichever way their kind allows: the operators, and NumPy's functions, end here.

Integers (BFV) are compared exactly, by polynomials of bounded differences (`fhe.arrays.exact`), or bit by bit where
they were encrypted so (`fhe.arrays.bits`). Results are masks: encrypted arrays of 0 and 1, which multiply, and choose
in `where`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from itertools import combinations
from typing import Any

import numpy as np

from fhe.arrays import elementary, exact, scan
from fhe.arrays.bits import EncryptedBits
from fhe.arrays.packed import Packed
from fhe.circuits.bits import depth_of_bits, products_of_bits
from fhe.errors import EncodingError
from fhe.interval import Interval
from fhe.parameters import BFVParameters, CKKSParameters


def greater(x: Any, y: Any) -> Any:
    """1 where x > y, else 0."""
    if _bitwise(x, y):
        return x > y if isinstance(x, EncryptedBits) else y < x
    return _exact(x, y).greater(x, y)


def less(x: Any, y: Any) -> Any:
    """1 where x < y, else 0."""
    return greater(y, x)


def greater_equal(x: Any, y: Any) -> Any:
    """1 where x >= y, else 0."""
    return exact.complement(greater(y, x))


def less_equal(x: Any, y: Any) -> Any:
    """1 where x <= y, else 0."""
    return exact.complement(greater(x, y))


def not_equal(x: Any, y: Any) -> Any:
    """1 where x != y, else 0."""
    if _bitwise(x, y):
        return x != y if isinstance(x, EncryptedBits) else y != x
    return _exact(x, y).differ(x, y)


def equal(x: Any, y: Any) -> Any:
    """1 where x == y, else 0."""
    return exact.complement(not_equal(x, y))


def sign(x: Any) -> Any:
    """-1, 0 or 1."""
    if isinstance(x, EncryptedBits):
        return exact.claiming((x > 0) - (x < 0), Interval(-1, 1))
    return _exact(x).sign(x)


def absolute(x: Any) -> Any:
    """|x|, as x sign(x); of real numbers as `fhe.abs`."""
    if isinstance(x.evaluator.chain.parameters, CKKSParameters):
        return elementary.abs(x)
    interval = exact.interval_of(x)
    reach = max(abs(interval.low), abs(interval.high or 0))
    return exact.claiming(exact.claiming(x, None) * sign(x), Interval(0, reach))


def where(mask: Any, a: Any, b: Any) -> Any:
    """a where the mask is 1, else b; a plain mask chooses places."""
    if not isinstance(mask, Packed) or not isinstance(mask.evaluator.chain.parameters, BFVParameters):
        return scan.where(mask, a, b)
    if _bitwise(a, b):
        if not (isinstance(a, EncryptedBits) and isinstance(b, EncryptedBits)):
            raise EncodingError("a choice between bits and something else; encrypt both with encrypt_bits")
        return a.chosen(mask, b)
    return exact.where(mask, a, b)


def maximum(x: Any, y: Any) -> Any:
    """The larger of both, element by element."""
    return _extreme(x, y, greater(x, y), max)


def minimum(x: Any, y: Any) -> Any:
    """The smaller of both, element by element."""
    return _extreme(x, y, greater(y, x), min)


def clip(x: Any, low: Any = None, high: Any = None) -> Any:
    """x, but not below ``low`` nor above ``high``."""
    x = x if low is None else maximum(x, low)
    return x if high is None else minimum(x, high)


def _extreme(x: Any, y: Any, mask: Any, of: Callable[..., int]) -> Any:
    if _bitwise(x, y):
        return where(mask, x, y)
    chosen, (a, b) = where(mask, x, y), map(exact.interval_of, (x, y))
    return exact.claiming(chosen, Interval(of(a.low, b.low), of(a.ends[1], b.ends[1])))


# --- small sets ------------------------------------------------------------------------------------------------------


def sort(arrays: Sequence[Any]) -> list[Any]:
    """The arrays in ascending order, element by element: the rows of ``np.sort(np.stack(arrays), axis=0)``.

    All pairs are compared at once, and counted: as deep as one comparison, and an equality with each rank.
    """
    ranks, places = _ranks(arrays, greater), range(len(arrays))
    return [_picked([equal(rank, place) for rank in ranks], arrays) for place in places]


def argmax(arrays: Sequence[Any]) -> Any:
    """Which of the arrays is the largest, the first of equals, element by element: ``np.argmax(…, axis=0)``."""
    return _index_of_first(_ranks(arrays, less))


def argmin(arrays: Sequence[Any]) -> Any:
    """Which of the arrays is the smallest, the first of equals, element by element."""
    return _index_of_first(_ranks(arrays, greater))


def _ranks(arrays: Sequence[Any], after: Callable[[Any, Any], Any]) -> list[Any]:
    """How many others come before each, where ``after(x, y)`` says that x comes after y; equals keep their order."""
    if len(arrays) < 2:
        raise EncodingError(f"an order takes two arrays and more, got {len(arrays)}")
    counts: list[Any] = [0] * len(arrays)
    for i, j in combinations(range(len(arrays)), 2):
        later = after(arrays[i], arrays[j])
        counts[i] = counts[i] + later
        counts[j] = counts[j] + exact.complement(later)
    return [exact.claiming(count, Interval(0, len(arrays) - 1)) for count in counts]


def _index_of_first(ranks: Sequence[Any]) -> Any:
    total = sum(equal(rank, 0) * index for index, rank in enumerate(ranks) if index)
    return exact.claiming(total, Interval(0, len(ranks) - 1))


def _picked(masks: Sequence[Any], arrays: Sequence[Any]) -> Any:
    """The array whose mask is 1, of masks that exclude each other: a sum of products."""
    if all(isinstance(array, EncryptedBits) for array in arrays):
        signed = arrays[0].signed
        if any((array.width, array.signed) != (arrays[0].width, signed) for array in arrays):
            raise EncodingError("bits that are to be sorted have one width and sign; encrypt them with the same bits=")
        columns = zip(*(array.bits for array in arrays), strict=True)
        return EncryptedBits([_picked(masks, column) for column in columns], signed)
    hull = reduce(Interval.hull, map(exact.interval_of, arrays))
    free = [exact.claiming(mask, None) * exact.claiming(a, None) for mask, a in zip(masks, arrays, strict=True)]
    return exact.claiming(reduce(lambda a, b: a + b, free).settled(), hull)


# --- how --------------------------------------------------------------------------------------------------------------


def explain(x: Any, y: Any) -> str:
    """How x > y and x == y will be computed, and what that takes; pass the depth to `fhe.bfv` when making keys.

    >>> import fhe
    >>> owner = fhe.bfv(depth=4, plain_modulus=257, ring_degree=64, insecure="for this example", backend="reference")
    >>> print(explain(owner.encrypt([1, 2], bound=(0, 3)), 2))
    differences from -2 to 1
    x > y: polynomial of degree 3: 2 products, 2 in a row
    x == y: polynomial of degree 3: 2 products, 2 in a row
    """
    if _bitwise(x, y):
        width = max(z.width for z in (x, y) if isinstance(z, EncryptedBits))
        products, depth = products_of_bits(width), depth_of_bits(width)
        if not (isinstance(x, EncryptedBits) and isinstance(y, EncryptedBits)):
            products, depth = products - width, depth - 1
        return f"{width} bits\nx > y: {products} products, {depth} in a row\nx == y: at most as many"
    difference, of_greater, of_equal = _exact(x, y).plan(x, y)
    return f"differences from {difference.low} to {difference.high}\nx > y: {of_greater}\nx == y: {of_equal}"


def _bitwise(*operands: Any) -> bool:
    return any(isinstance(x, EncryptedBits) for x in operands)


def _exact(*operands: Any) -> Any:
    """The module that compares these arrays; TypeError where there is none."""
    array = next(x for x in operands if isinstance(x, Packed))
    if isinstance(array.evaluator.chain.parameters, BFVParameters):
        return exact
    raise TypeError(
        "encrypted arrays cannot be compared here, the answer would have to be encrypted too; compute x - y, and "
        "let its owner look at the sign"
    )


UFUNCS: dict[np.ufunc, Callable[..., Any]] = {
    np.greater: greater,
    np.greater_equal: greater_equal,
    np.less: less,
    np.less_equal: less_equal,
    np.equal: equal,
    np.not_equal: not_equal,
    np.maximum: maximum,
    np.minimum: minimum,
    np.sign: sign,
    np.absolute: absolute,
}
FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {np.where: where, np.clip: clip}
