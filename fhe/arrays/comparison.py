"""Comparison of arrays, by whichever way their kind allows: the operators, and NumPy's functions, end here.

Integers (BFV) are compared exactly, by polynomials of bounded differences (`fhe.arrays.exact`), or bit by bit where
they were encrypted so (`fhe.arrays.bits`). Results are masks: encrypted arrays of 0 and 1, which multiply, and choose
in `where`.

Reals (CKKS) are compared up to a margin, by composite polynomials (`fhe.arrays.margins`). For them alone, functions
take ``margin=`` and ``error=``: where operands differ by the margin, a mask is within the error of 0 or 1. By default
both are 2^-8, the margin of the public bound on the difference; `explain` says which levels that takes. For integers
``method=`` chooses among the forms of polynomials that `explain` names, instead of what is cheapest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial, reduce
from itertools import combinations
from typing import Any

import numpy as np

from fhe.arrays import elementary, exact, margins, scan
from fhe.arrays.bits import EncryptedBits
from fhe.arrays.offered import offered
from fhe.circuits.bits import depth_of_bits, products_of_bits
from fhe.circuits.differences import plan_greater
from fhe.errors import EncodingError
from fhe.interval import Interval
from fhe.parameters import BFVParameters, CKKSParameters


def _sorted(arrays: Any, axis: int = -1) -> Any:
    """`sort` of plain arrays."""
    return np.sort(arrays, axis) if isinstance(arrays, np.ndarray) else list(np.sort(np.stack(arrays), axis=0))


def _place(of: Callable[..., Any], arrays: Any, axis: int = -1) -> Any:
    """`argmax` and `argmin` of plain arrays."""
    return of(arrays, axis) if isinstance(arrays, np.ndarray) else of(np.stack(arrays), axis=0)


@offered(np.greater)
def greater(x: Any, y: Any, **how: Any) -> Any:
    """1 where x > y, else 0.

    >>> import fhe
    >>> owner = fhe.ckks(depth=10, ring_degree=64, insecure="a small ring for this example")
    >>> mask = fhe.greater(owner.encrypt([0.5, -0.5, 1.0], bound=1), 0.0, margin=0.25, error=0.01)
    >>> abs(owner.decrypt(mask).round(1)).tolist()
    [1.0, 0.0, 1.0]
    """
    if _bitwise(x, y):
        return x > y if isinstance(x, EncryptedBits) else y < x
    return _way(how, x, y).greater(x, y, **how)


@offered(np.less)
def less(x: Any, y: Any, **how: Any) -> Any:
    """1 where x < y, else 0; as `greater`.

    >>> import fhe
    >>> owner = fhe.bfv(depth=4, plain_modulus=257, ring_degree=64, insecure="a small ring for this example")
    >>> owner.decrypt(fhe.less(owner.encrypt([1, 2, 3], bound=(0, 3)), 2)).tolist()
    [1, 0, 0]
    """
    return greater(y, x, **how)


@offered(np.greater_equal)
def greater_equal(x: Any, y: Any, **how: Any) -> Any:
    """1 where x >= y, else 0."""
    return _complement(greater(y, x, **how))


@offered(np.less_equal)
def less_equal(x: Any, y: Any, **how: Any) -> Any:
    """1 where x <= y, else 0."""
    return _complement(greater(x, y, **how))


@offered(np.not_equal)
def not_equal(x: Any, y: Any, **how: Any) -> Any:
    """1 where x != y, else 0; of integers only."""
    if _bitwise(x, y):
        return x != y if isinstance(x, EncryptedBits) else y != x
    return _way(how, x, y).differ(x, y, **how)


@offered(np.equal)
def equal(x: Any, y: Any, **how: Any) -> Any:
    """1 where x == y, else 0; of integers only.

    >>> import fhe
    >>> owner = fhe.bfv(depth=8, plain_modulus=257, ring_degree=64, insecure="a small ring for this example")
    >>> x = owner.encrypt([1, 2, 3], bound=(0, 3))
    >>> owner.decrypt(fhe.equal(x, 2)).tolist(), owner.decrypt(fhe.equal(x, 3, method="Fermat power")).tolist()
    ([0, 1, 0], [0, 0, 1])
    """
    return exact.complement(not_equal(x, y, **how))


@offered(np.sign)
def sign(x: Any, **how: Any) -> Any:
    """-1, 0 or 1.

    >>> import fhe
    >>> owner = fhe.ckks(depth=10, ring_degree=64, insecure="a small ring for this example")
    >>> owner.decrypt(fhe.sign(owner.encrypt([0.5, -0.5, 1.0], bound=1), margin=0.25)).round(1).tolist()
    [1.0, -1.0, 1.0]
    """
    if isinstance(x, EncryptedBits):
        return exact.claiming((x > 0) - (x < 0), Interval(-1, 1))
    return _way(how, x).sign(x, **how)


@offered(np.absolute)
def absolute(x: Any, **options: Any) -> Any:
    """|x|: of integers exactly, as x sign(x); of reals by a polynomial, with the options of `elementary.abs`.

    >>> import fhe
    >>> owner = fhe.bfv(depth=4, plain_modulus=257, ring_degree=64, insecure="a small ring for this example")
    >>> owner.decrypt(fhe.abs(owner.encrypt([-3, 0, 2], bound=3))).tolist()
    [3, 0, 2]
    """
    if not isinstance(x, exact.ENCRYPTED) or isinstance(x.evaluator.chain.parameters, CKKSParameters):
        return elementary.abs(x, **options)
    if options:
        raise EncodingError(f"integers have exact magnitudes: {', '.join(options)} is for real arrays")
    interval = exact.interval_of(x)
    reach = max(abs(interval.low), abs(interval.high or 0))
    return exact.claiming(exact.claiming(x, None) * sign(x), Interval(0, reach))


@offered(np.where)
def where(mask: Any, a: Any, b: Any) -> Any:
    """a where the mask is 1, else b; a plain mask chooses places.

    >>> import fhe
    >>> owner = fhe.bfv(depth=4, plain_modulus=257, ring_degree=64, insecure="a small ring for this example")
    >>> x = owner.encrypt([1, 2, 3], bound=(0, 3))
    >>> owner.decrypt(fhe.where(x > 1, 10 * x, 0)).tolist()
    [0, 20, 30]
    """
    if not isinstance(mask, exact.ENCRYPTED) or not isinstance(mask.evaluator.chain.parameters, BFVParameters):
        return scan.where(mask, a, b)
    if _bitwise(a, b):
        if not (isinstance(a, EncryptedBits) and isinstance(b, EncryptedBits)):
            raise EncodingError("a choice between bits and something else; encrypt both with encrypt_bits")
        return a.chosen(mask, b)
    return exact.where(mask, a, b)


@offered(np.maximum)
def maximum(x: Any, y: Any, **how: Any) -> Any:
    """The larger of both, element by element; of reals within the margin.

    >>> import fhe
    >>> owner = fhe.ckks(depth=10, ring_degree=64, insecure="a small ring for this example")
    >>> x, y = owner.encrypt([0.5, -0.5], bound=1), owner.encrypt([0.0, 1.0], bound=1)
    >>> owner.decrypt(fhe.maximum(x, y, margin=0.1, error=0.01)).round(1).tolist()
    [0.5, 1.0]
    """
    return _extreme(x, y, True, how)


@offered(np.minimum)
def minimum(x: Any, y: Any, **how: Any) -> Any:
    """The smaller of both, element by element; of reals within the margin.

    >>> import fhe
    >>> owner = fhe.bfv(depth=4, plain_modulus=257, ring_degree=64, insecure="a small ring for this example")
    >>> owner.decrypt(fhe.minimum(owner.encrypt([1, 2, 3], bound=(0, 3)), 2)).tolist()
    [1, 2, 2]
    """
    return _extreme(x, y, False, how)


@offered(np.clip)
def clip(x: Any, low: Any = None, high: Any = None, **how: Any) -> Any:
    """x, but not below ``low`` nor above ``high``."""
    x = x if low is None else maximum(x, low, **how)
    return x if high is None else minimum(x, high, **how)


def _extreme(x: Any, y: Any, largest: bool, how: dict[str, Any]) -> Any:
    if not _bitwise(x, y) and _way(how, x, y) is margins:
        return margins.extreme(x, y, largest, **how)
    chosen = where(greater(x, y) if largest else greater(y, x), x, y)
    if _bitwise(x, y):
        return chosen
    (a, b), of = map(exact.interval_of, (x, y)), max if largest else min
    return exact.claiming(chosen, Interval(of(a.low, b.low), of(a.ends[1], b.ends[1])))


# --- small sets ------------------------------------------------------------------------------------------------------


@offered(_sorted)
def sort(arrays: Any, axis: int = -1, **how: Any) -> Any:
    """An array sorted along an axis; or a list of arrays in ascending order, element by element.

    Integers: all pairs are compared at once, and counted: as deep as one comparison, and an equality with each rank.
    Reals: by a network of comparisons, each within the margin, for small numbers of arrays.

    >>> import fhe
    >>> owner = fhe.bfv(depth=8, plain_modulus=257, ring_degree=64, insecure="a small ring for this example")
    >>> rows = [owner.encrypt(row, bound=(0, 3)) for row in ([3, 1], [1, 2], [2, 0])]
    >>> [owner.decrypt(row).tolist() for row in fhe.sort(rows)]
    [[1, 0], [2, 1], [3, 2]]
    """
    if isinstance(arrays, exact.ENCRYPTED):
        return np.stack(sort(_parts(arrays, axis), 0, **how), axis=axis)
    if _real(how, arrays):
        return margins.sort(arrays, **how)
    ranks, places = _ranks(arrays, greater), range(len(arrays))
    return [_picked([equal(rank, place) for rank in ranks], arrays) for place in places]


@offered(partial(_place, np.argmax))
def argmax(arrays: Any, axis: int = -1, **how: Any) -> Any:
    """Where an array is largest along an axis; or which of the arrays of a list is, element by element.

    The first of equals, of integers; of reals nearer than the margin something between.

    >>> import fhe
    >>> owner = fhe.bfv(depth=8, plain_modulus=257, ring_degree=64, insecure="a small ring for this example")
    >>> rows = [owner.encrypt(row, bound=(0, 3)) for row in ([3, 1], [1, 2], [2, 0])]
    >>> owner.decrypt(fhe.argmax(rows)).tolist()
    [0, 1]
    """
    parts = _parts(arrays, axis) if isinstance(arrays, exact.ENCRYPTED) else arrays
    if _real(how, parts):
        return margins.argmax(parts, **how)
    return _index_of_first(_ranks(parts, less))


@offered(partial(_place, np.argmin))
def argmin(arrays: Any, axis: int = -1, **how: Any) -> Any:
    """Where an array is smallest along an axis; or which of the arrays of a list is; as `argmax`.

    >>> import fhe
    >>> owner = fhe.ckks(depth=12, ring_degree=64, insecure="a small ring for this example")
    >>> rows = [owner.encrypt(row, bound=1) for row in ([0.5, 0.0], [-1.0, 0.25], [1.0, 1.0])]
    >>> abs(owner.decrypt(fhe.argmin(rows, margin=0.2, error=0.01)).round(1)).tolist()
    [1.0, 0.0]
    """
    parts = _parts(arrays, axis) if isinstance(arrays, exact.ENCRYPTED) else arrays
    if _real(how, parts):
        return margins.argmax([-part for part in parts], **how)
    return _index_of_first(_ranks(parts, greater))


def _parts(x: Any, axis: int) -> list[Any]:
    moved = np.moveaxis(x, axis, 0)
    return [moved[index] for index in range(len(moved))]


def _real(how: dict[str, Any], arrays: Sequence[Any]) -> bool:
    if len(arrays) < 2:
        raise EncodingError(f"an order takes two arrays and more, got {len(arrays)}")
    return not _bitwise(*arrays) and _way(how, *arrays) is margins


def _ranks(arrays: Sequence[Any], after: Callable[[Any, Any], Any]) -> list[Any]:
    """How many others come before each, where ``after(x, y)`` says that x comes after y; equals keep their order."""
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


def explain(x: Any, y: Any, **how: Any) -> str:
    """How x > y and x == y will be computed, and what that takes; pass the depth to `fhe.bfv` or `fhe.ckks`.

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
    if _way(how, x, y) is margins:
        difference = x - y
        step = margins.sign_of(difference, **how)
        return f"differences up to {margins.bound_of(difference):g}\nx > y: {step}"
    difference, of_greater, of_equal = exact.plan(x, y)
    return f"differences from {difference.low} to {difference.high}\nx > y: {of_greater}\nx == y: {of_equal}"


def depth_of_comparison(bits: int | None = None, difference: int | tuple[int, int] | None = None) -> int:
    """What to ask of `fhe.bfv(depth=…)` for x > y, and no less for x == y: by bits, or by what x - y can be.

    ``difference`` is the largest |x - y|, or a pair (low, high). What follows on a comparison comes on top.

    >>> import fhe
    >>> fhe.depth_of_comparison(bits=16), fhe.depth_of_comparison(difference=120)
    (5, 9)
    """
    if (bits is None) == (difference is None):
        raise EncodingError("a comparison is of so many bits=, or of a bounded difference=; give one of them")
    if bits is not None:
        return depth_of_bits(bits)
    low, high = difference if isinstance(difference, tuple) else (-int(difference or 0), int(difference or 0))
    interval = Interval(min(low, 0), max(high, 0))
    return plan_greater(interval).depth + 1  # constants count as one


def _bitwise(*operands: Any) -> bool:
    return any(isinstance(x, EncryptedBits) for x in operands)


def _way(how: dict[str, Any], *operands: Any) -> Any:
    """The module that compares these arrays."""
    array = next(x for x in operands if isinstance(x, exact.ENCRYPTED))
    if isinstance(array.evaluator.chain.parameters, CKKSParameters):
        return margins
    if how.keys() - {"method"}:
        raise EncodingError(f"integers are compared exactly, without {', '.join(how)}; choose a method=, or none")
    return exact


def _complement(mask: Any) -> Any:
    real = not isinstance(mask, EncryptedBits) and isinstance(mask.evaluator.chain.parameters, CKKSParameters)
    return margins.complement(mask) if real else exact.complement(mask)


def _along(of: Callable[..., Any], x: Any, axis: int | None = None) -> Any:
    """As NumPy has it: without an axis, of all elements."""
    return of(np.ravel(x), axis=0) if axis is None else of(x, axis=axis)


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
FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    np.where: where,
    np.clip: clip,
    np.sort: sort,
    np.argmax: partial(_along, argmax),
    np.argmin: partial(_along, argmin),
}
