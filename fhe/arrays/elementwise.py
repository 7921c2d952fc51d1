"""Element by element: encrypted with encrypted, encrypted with plain, whatever their shapes and layouts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fhe.arrays.layout import Layout
from fhe.arrays.packed import A, Packed, broadcast_shape
from fhe.arrays.plans import Cost, Held, Plan, cheapest, conversion
from fhe.errors import EncodingError
from fhe.rlwe.ciphertext import Ciphertext
from fhe.validate import dense

Encrypted = Callable[[Ciphertext, Ciphertext], Ciphertext]
Plain = Callable[[Ciphertext, ArrayLike], Ciphertext]

NUMBERS = (int, float)
SMALLEST_BOUND = 2.0**-20


@dataclass(frozen=True, slots=True, eq=False)
class Meeting:
    """How two layouts come together: a plan for each (None for what stays), and where the results lie."""

    plans: tuple[Plan | None, Plan | None]
    sum: Layout
    product: Layout

    @property
    def cost(self) -> Cost:
        """Of both plans."""
        x, y = (Cost() if plan is None else plan.cost for plan in self.plans)
        return x + y


def combined(x: A, y: A, operation: Encrypted, absorbing: bool = False) -> A:
    """operation(x, y), element by element; ``absorbing`` where zero times anything is zero.

    Arrays that lie alike are combined as they are. Others are brought together at the least cost, see `meeting`.
    """
    dtype = x.dtype if x.dtype is y.dtype else x.evaluator.result_type(x.dtype, y.dtype)
    x = x.resting_on(y.promises) if y.promises else x
    layout = x.layout
    if layout is not y.layout and layout != y.layout:
        meet = meeting(layout, y.layout, x.held)
        layout = meet.product if absorbing else meet.sum
        x = x if meet.plans[0] is None else x.carried(meet.plans[0])
        y = y if meet.plans[1] is None else y.carried(meet.plans[1])
    if len(x.shards) == 1:
        return x.like((operation(x.shards[0], y.shards[0]),), layout, dtype)
    return x.like(list(map(operation, x.shards, y.shards)), layout, dtype)


@lru_cache(maxsize=512)
def meeting(x: Layout, y: Layout, held: Held = None) -> Meeting:
    """The cheapest way to bring two arrays together: to the layout of one, to strides of both, or to a new one.

    Where keys for some steps are ``held``, by those.

    >>> rows, vector = Layout.of((4, 3), 16), Layout.of((3,), 16)
    >>> meeting(rows, vector).cost, meeting(rows, Layout.of((4, 1), 16)).cost
    (Cost(levels=0, rotations=0, masks=0), Cost(levels=1, rotations=5, masks=4))
    """
    shape = broadcast_shape(x.shape, y.shape)

    def plans(target: Layout) -> tuple[Plan, ...]:
        return conversion(x, target, held), conversion(y, target, held)

    p, q = cheapest(_targets(x, y, shape), plans, held)
    kept = tuple(None if plan.target == source and plan.picks == tuple(range(source.shards)) else plan
                 for plan, source in ((p, x), (q, y)))  # fmt: skip
    return Meeting(
        (kept[0], kept[1]), replace(p.target, clean=p.clean and q.clean), replace(p.target, clean=p.clean or q.clean)
    )


def _targets(x: Layout, y: Layout, shape: tuple[int, ...]) -> Iterator[Layout]:
    """Layouts that two arrays may meet in; every place at most once."""
    seen_x, seen_y = (layout.view(lambda a: np.broadcast_to(a, shape)) for layout in (x, y))
    assert seen_x is not None
    assert seen_y is not None
    both = []
    for one, other in ((seen_x.layout, seen_y.layout), (seen_y.layout, seen_x.layout)):
        strides = tuple(s or t for s, t in zip(one.strides, other.strides, strict=True))
        both.append(replace(one, strides=strides))
    both.append(Layout.of(shape, x.slots, x.row))
    for layout in both:
        if layout.virtual or not layout.injective or not layout.within:
            continue
        yield layout
        if layout.repeats:
            yield replace(layout, repeats=())


# --- operations ---------------------------------------------------------------------------------------------------


def add(x: Any, y: Any) -> Any:
    """x + y, encrypted if an operand is."""
    if not isinstance(x, Packed):
        x, y = y, x
    if isinstance(y, Packed):
        return combined(x, y, x.evaluator.add)
    return with_plain(x, y, x.evaluator.add_plain) if isinstance(x, Packed) else np.add(x, y)


def subtract(x: Any, y: Any) -> Any:
    """x - y, encrypted if an operand is."""
    if not isinstance(x, Packed):
        return add(negate(y), x) if isinstance(y, Packed) else np.subtract(x, y)
    if isinstance(y, Packed):
        return combined(x, y, x.evaluator.sub)
    evaluator = x.evaluator
    return with_plain(x, y, lambda shard, values: evaluator.add_plain(shard, np.negative(values)))


def multiply(x: Any, y: Any) -> Any:
    """x * y, encrypted if an operand is. Coefficients without slots multiply as polynomials: by numbers alone here."""
    if not isinstance(x, Packed):
        x, y = y, x
    if isinstance(y, Packed):
        if y.layout.shape:
            x.require_slots()
        return combined(x, y, x.evaluator.multiply, absorbing=True)
    if not isinstance(x, Packed):
        return np.multiply(x, y)
    if not isinstance(y, NUMBERS) and np.shape(y):
        x.require_slots()
    return with_plain(x, y, x.evaluator.multiply_plain, absorbing=True)


def negate(x: A) -> A:
    """-x."""
    return x.map(x.evaluator.negate)


def conjugate(x: A) -> A:
    """The complex conjugate; a real array is its own."""
    return x.map(x.evaluator.swap) if x.dtype.kind == "c" else x


def real(x: A) -> A:
    """(x + conj x) / 2: a level; a real array is its own real part."""
    if x.dtype.kind != "c":
        return x
    twice = combined(x, conjugate(x), x.evaluator.add)
    return with_plain(twice, 0.5, x.evaluator.multiply_plain, absorbing=True).of_dtype(np.dtype(np.float64))


def imaginary(x: A) -> A:
    """(x - conj x) / 2i: a level; zero for a real array."""
    if x.dtype.kind != "c":
        return with_plain(x, 0, x.evaluator.multiply_plain, absorbing=True)
    twice = combined(x, conjugate(x), x.evaluator.sub)
    return with_plain(twice, -0.5j, x.evaluator.multiply_plain, absorbing=True).of_dtype(np.dtype(np.float64))


def magnitude_squared(x: A) -> A:
    """|x|^2."""
    square = combined(x, conjugate(x), x.evaluator.multiply, absorbing=True)
    return square.of_dtype(np.dtype(np.float64)) if x.dtype.kind == "c" else square


# --- with plain operands ------------------------------------------------------------------------------------------


def with_plain(x: A, other: Any, operation: Plain, absorbing: bool = False) -> A:
    """operation(x, other) for a plain array or number; ``absorbing`` as in `combined`."""
    everywhere = absorbing or x.layout.full or not x.layout.clean
    kinds = "fc" if isinstance(other, float) else "ifc"
    if everywhere and isinstance(other, NUMBERS) and x.dtype.kind in kinds and math.isfinite(other):
        if len(x.shards) == 1:
            return x.like((operation(x.shards[0], other),), x.layout)
        return x.map(lambda shard: operation(shard, other))
    array = dense(other)
    if array.dtype.kind in "biu" and x.dtype.kind in "fc":  # whole numbers are reals, whatever their size
        array = array.astype(np.float64)
    dtype = x.dtype if array.dtype == x.dtype else x.evaluator.result_type(x.dtype, array.dtype)
    if array.dtype != x.dtype or not array.ndim:
        array, _ = x.evaluator.admit(array, _bound(array, x))
    if everywhere and not array.ndim:
        return x.map(lambda shard: operation(shard, array)).of_dtype(dtype)
    if array.shape != x.shape or x.layout.virtual:
        x = _roomy(x, broadcast_shape(x.shape, array.shape))
    slots = x.layout.pack(array)  # into the elements' slots only, so that padding stays zero
    layout = replace(x.layout, clean=True) if absorbing and not x.layout.clean else x.layout
    try:
        return x.like(list(map(operation, x.shards, slots)), layout, dtype)
    except EncodingError:
        x.evaluator.admit(array, _bound(array, x))  # says where in the array, if that is what is wrong
        raise


def _bound(array: NDArray[Any], x: Packed) -> float | None:
    """What no |value| of a plain operand exceeds, where x is approximate: its own largest, since it is no secret."""
    if x.dtype.kind not in "fc" or array.dtype.kind not in "fc" or not array.size:
        return None
    largest = float(np.max(np.abs(array)))
    return max(largest, SMALLEST_BOUND) if np.isfinite(largest) else None


def _roomy(x: A, shape: tuple[int, ...]) -> A:
    """The array broadcast to a shape, every element at a place of its own."""
    if x.shape == shape and not x.layout.virtual:
        return x
    seen = x.layout.view(lambda a: np.broadcast_to(a, shape))
    assert seen is not None
    return x.relaid_fresh(shape) if seen.layout.virtual else x.relaid(seen.layout)
