"""Indexing, joining, rolling, repeating: whatever NumPy function only moves elements, NumPy itself says where to.

A function that only looks differently at memory (slices, transposes) is asked for strides, and nothing moves. Any
other is applied to the *numbers* of the elements, 0 standing for zero: where they end up is where the elements go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fhe.arrays.elementwise import with_plain
from fhe.arrays.layout import Layout, View
from fhe.arrays.moves import carried
from fhe.arrays.packed import A, Packed
from fhe.arrays.plans import Held, Numbers, Plan, arrangement, cheapest
from fhe.errors import EncodingError

Mover = Callable[[Any], Any]
SMALL = 1 << 13  # elements of arrays whose plans are kept


def moved(x: A, function: Mover) -> A:
    """What a NumPy function of one array that only moves elements makes of an encrypted one; it may bring in zeros."""
    if view := x.layout.view(function):
        return x.like(view.of(x.shards), view.layout)
    return arranged([x], function(x.layout.numbers()))


def moved_parts(x: A, function: Callable[[Any], Sequence[Any]]) -> list[A]:
    """The same for a function that returns several arrays."""
    count = len(function(np.broadcast_to(np.int8(0), x.shape)))
    return [moved(x, partial(_part, function, part)) for part in range(count)]


def _part(function: Callable[[Any], Sequence[Any]], part: int, array: Any) -> Any:
    return function(array)[part]


def indexed(x: A, index: Any) -> A:
    """``x[index]``: ints, slices, None, Ellipsis and plain arrays of integers or booleans."""
    index = index if isinstance(index, tuple) else (index,)
    if any(isinstance(part, Packed) for part in index):
        raise TypeError(
            "an encrypted index cannot choose an element: the place read would tell it; multiply by an encrypted "
            "one-hot vector instead, (x * one_hot).sum()"
        )
    if not any(part is Ellipsis for part in index):
        index = (*index, ...)  # a single element is an array of no dimensions
    if all(part is None or part is ... or type(part) in (int, slice) for part in index):
        key = tuple((part.start, part.stop, part.step) if type(part) is slice else part for part in index)
        view = _sliced(x.layout, key)
        return x.like(view.of(x.shards), view.layout)
    return moved(x, lambda a: a[index])


@lru_cache(maxsize=512)
def _sliced(layout: Layout, key: tuple[Any, ...]) -> View:
    """The view of an index, in which triples stand for slices."""
    index = tuple(slice(*part) if isinstance(part, tuple) else part for part in key)
    view = layout.view(lambda a: a[index])
    assert view is not None
    return view


def arranged(arrays: Sequence[A], numbers: Numbers) -> A:
    """A new array of the elements of others, numbered through from 1, and 0 for zero, at the least cost."""
    if not numbers.size:
        raise EncodingError(f"an encrypted array holds at least one element, got shape {numbers.shape}")
    x, sources = arrays[0], tuple(array.layout for array in arrays)
    if numbers.size <= SMALL:
        best = _planned_small(sources, numbers.shape, numbers.astype(np.int64).tobytes(), x.held)
    else:
        best = _planned(sources, numbers, x.held)
    if best.picks is None:
        x.require_slots()
    shards = [shard for array in arrays for shard in array.shards]
    dtype = x.dtype
    for array in arrays[1:]:
        dtype = x.evaluator.result_type(dtype, array.dtype)
    made = x.like(carried(x.evaluator, best, shards, dtype.kind), best.result, dtype)
    return made.resting_on(frozenset().union(*(array.promises for array in arrays)))


@lru_cache(maxsize=256)
def _planned_small(sources: tuple[Layout, ...], shape: tuple[int, ...], numbers: bytes, held: Held) -> Plan:
    """`_planned`, remembered: what is done once is often done again."""
    return _planned(sources, np.frombuffer(numbers, dtype=np.int64).reshape(shape), held)


def _planned(sources: tuple[Layout, ...], numbers: Numbers, held: Held) -> Plan:
    targets = _targets(sources, numbers.shape)
    (best,) = cheapest(targets, lambda target: (arrangement(sources, numbers, target, held),), held)
    return best


def _targets(sources: tuple[Layout, ...], shape: tuple[int, ...]) -> Iterable[Layout]:
    """Layouts a rearrangement may have: several of one kind behind each other, as one of the arrays, fresh."""
    targets = []
    for layout in dict.fromkeys(sources):
        if layout.virtual:
            continue
        behind = layout.slots * layout.shards
        for axis in range(len(shape)):
            if layout.shape == shape[:axis] + shape[axis + 1 :]:
                strides = (*layout.strides[:axis], behind, *layout.strides[axis:])
                targets.append(replace(layout, shape=shape, strides=strides))
        if layout.shape == shape:
            targets.append(layout)
    targets.append(Layout.of(shape, sources[0].slots, sources[0].row))
    return dict.fromkeys([*targets, *(replace(target, repeats=()) for target in targets)])


def joined(function: Mover, operands: Any) -> Any:
    """What a function of several arrays that only moves elements, like np.concatenate, makes of them.

    ``operands``, its one argument, are encrypted and plain arrays in lists and tuples; plain values are put where
    they belong by an addition.
    """
    arrays: list[Packed] = []
    numbered = _replaced(operands, lambda x: _numbered(x, arrays), np.zeros_like)
    result = arranged(arrays, function(numbered))
    plain = function(_replaced(operands, lambda x: np.zeros(x.shape, np.int8), np.asarray))
    return with_plain(result, plain, result.evaluator.add_plain) if np.any(plain) else result


def _numbered(x: Packed, arrays: list[Packed]) -> Numbers:
    before = sum(array.size for array in arrays)
    arrays.append(x)
    return x.layout.numbers() + before


def _replaced(operands: Any, encrypted: Callable[[Any], Any], plain: Callable[[Any], NDArray[Any]]) -> Any:
    """Nested lists of operands with every array replaced."""
    if isinstance(operands, Packed):
        return encrypted(operands)
    if isinstance(operands, list | tuple) and any(map(_holds_encrypted, operands)):
        return type(operands)(_replaced(part, encrypted, plain) for part in operands)
    return plain(np.asarray(operands))


def _holds_encrypted(operand: Any) -> bool:
    if isinstance(operand, list | tuple):
        return any(map(_holds_encrypted, operand))
    return isinstance(operand, Packed)
