"""Where the elements of an array lie in the slots of its ciphertexts: strides, as in NumPy, over a memory of slots.

The slots of all ciphertexts ("shards"), one after another, are a memory of ``shards * slots`` places. The element of
index (i, j, …) is at place ``offset + i * strides[0] + j * strides[1] + …``, so that transposing, slicing, reversing
and broadcasting (stride 0) an encrypted array moves nothing. Encryption begins each row at a multiple of a power of
two, and repeats what is small through the whole ciphertext:

    shape (3, 3), strides (4, 1), 16 slots        shape (3,), strides (1,), 16 slots      shape (20,), 16 slots
    | a0 a1 a2  .  b0 b1 b2  . |                  | x0 x1 x2  .  x0 x1 x2  . |            | x0  x1  x2 …  x15 |
    | c0 c1 c2  .   .  .  .  . |                  | x0 x1 x2  .  x0 x1 x2  . |            | x16 … x19  .  .  . |
                                                  repeats ((4, 4),)

So the sum of a row's elements appears in every place of a repeated vector, a vector meets every row of a matrix, and a
number every element, without a rotation. Slots marked with a dot are padding: zero while the layout is ``clean``.
Where both rows of a BFV ciphertext are used, the second follows the first; ``row`` slots rotate among themselves.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from fhe.errors import EncodingError

T = TypeVar("T")

ZERO, UNKNOWN = 0, -1  # what `Layout.contents` says of slots without an element


class Axis(NamedTuple):
    """So many steps of so many places."""

    length: int
    stride: int


@dataclass(frozen=True)
class Layout:
    """Shape, strides and offset of an array in a memory of ``slots`` per ciphertext.

    repeats
        (count, stride) pairs: what is at an element's place is also ``stride`` further, ``count`` times in all.
    clean
        Is every place zero that holds neither an element nor a repetition of one?
    row
        Slots that rotate among themselves; 0 stands for all slots of a ciphertext.

    >>> rows = Layout.of((3, 3), 16)
    >>> rows.strides, rows.shards, rows.view(np.transpose).layout.strides
    ((4, 1), 1, (1, 4))
    >>> vector = Layout.of((3,), 16)
    >>> vector.repeats, vector.pack(np.array([7, 8, 9])).tolist()
    ((Axis(length=4, stride=4),), [[7, 8, 9, 0, 7, 8, 9, 0, 7, 8, 9, 0, 7, 8, 9, 0]])
    """

    shape: tuple[int, ...]
    slots: int
    strides: tuple[int, ...] = ()
    offset: int = 0
    repeats: tuple[Axis, ...] = ()
    clean: bool = True
    row: int = 0

    def __post_init__(self) -> None:
        strides = self.strides or _row_major(self.shape)
        unused = tuple(0 if n == 1 else s for n, s in zip(self.shape, strides, strict=True))
        object.__setattr__(self, "strides", unused)
        object.__setattr__(self, "row", self.row or self.slots)

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:  # layouts are keys of everything that is planned
        return hash((self.shape, self.slots, self.strides, self.offset, self.repeats, self.clean, self.row))

    @cached_property
    def plain(self) -> bool:
        """Is the memory just the array, row by row?"""
        return self.size == self.shards * self.slots and not self.offset and self.strides == _row_major(self.shape)

    @classmethod
    def of(
        cls, shape: tuple[int, ...], slots: int, row: int = 0, *, batch: int | None = None, repeat: bool = True
    ) -> Layout:
        """The layout that encryption gives an array.

        By default the last axis lies side by side and every other begins at a multiple of a power of two (of whole
        ciphertexts where it is longer than one). ``batch`` names an axis that lies side by side alone, all others
        across ciphertexts: the most throughput for many samples.

        >>> Layout.of((1000, 3), 512, batch=0).strides, Layout.of((1000, 3), 512).strides
        ((1, 1024), (4, 1))
        """
        if 0 in shape:
            raise EncodingError(f"an encrypted array holds at least one element, got shape {shape}")
        order = list(range(len(shape)))
        if batch is not None:
            order.append(order.pop(range(len(shape))[batch]))
        strides, extent = [0] * len(shape), 1
        for axis in reversed(order):
            alone = batch is not None and axis != order[-1]
            strides[axis] = _padded(max(extent, slots) if alone else extent, slots)
            extent = strides[axis] * shape[axis]
        in_shard = Axis(shape[order[-1]], 1) if batch is not None else Axis(extent, 1)
        period = _padded(in_shard.length, slots)
        repeats = (Axis(slots // period, period),) if repeat and period < slots else ()
        return cls(shape, slots, tuple(strides), repeats=repeats, row=row)

    # --- size ------------------------------------------------------------------------------------------------------

    @cached_property
    def size(self) -> int:
        return math.prod(self.shape)

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        """Count and stride of every axis."""
        return tuple(map(Axis, self.shape, self.strides))

    @cached_property
    def places_used(self) -> int:
        """How many places hold an element, repetitions not counted; less than the size where axes are broadcast."""
        return math.prod(n for n, stride in self.axes if stride)

    @cached_property
    def last(self) -> int:
        """The highest place of an element."""
        return self.offset + sum((n - 1) * stride for n, stride in self.axes if stride > 0)

    @cached_property
    def lowest(self) -> int:
        """The lowest place of an element."""
        return self.offset + sum((n - 1) * stride for n, stride in self.axes if stride < 0)

    @cached_property
    def shards(self) -> int:
        """How many ciphertexts there are."""
        return self.last // self.slots + 1

    @cached_property
    def full(self) -> bool:
        """Is there no padding at all?"""
        return self.places_used * math.prod(r.length for r in self.repeats) == self.shards * self.slots

    @property
    def tidy(self) -> bool:
        """Is every slot an element, a repetition of one, or zero?"""
        return self.clean or self.full

    @cached_property
    def virtual(self) -> bool:
        """Do elements share places, as after `np.broadcast_to`?"""
        return any(n > 1 and not stride for n, stride in self.axes)

    @cached_property
    def injective(self) -> bool:
        """Has every element, and every repetition, a place of its own, as in nested boxes?"""
        reach = 1
        for count, stride in sorted((*self.repeats, *self.axes), key=lambda axis: abs(axis.stride)):
            if count > 1 and abs(stride) < reach:
                return False
            reach += (count - 1) * abs(stride)
        return True

    @cached_property
    def within(self) -> bool:
        """Are all places there, the repetitions of an element in its ciphertext?"""
        inner = sum((n - 1) * stride for n, stride in self.axes if stride > 0 and stride % self.slots)
        copies = sum((r.length - 1) * r.stride for r in self.repeats)
        return self.lowest >= 0 and (not self.repeats or self.offset % self.slots + inner + copies < self.slots)

    # --- values in and out -----------------------------------------------------------------------------------------

    def window(self, memory: NDArray[Any], repeated: bool = False) -> NDArray[Any]:
        """The elements as a view of a memory of ``shards * slots`` items, in front of them the repetitions."""
        axes = (*self.repeats, *self.axes) if repeated else self.axes
        size = memory.itemsize
        return np.ndarray(
            tuple(n for n, _ in axes), memory.dtype, memory.data, self.offset * size, tuple(s * size for _, s in axes)
        )

    def pack(self, array: NDArray[Any]) -> NDArray[Any]:
        """The array's elements in their slots, ``(shards, slots)``, padding zero."""
        if self.plain and array.shape == self.shape:
            return np.ascontiguousarray(array).reshape(-1, self.slots)
        out = np.zeros(self.shards * self.slots, dtype=array.dtype)
        self.window(out, repeated=True)[...] = array
        return out.reshape(self.shards, self.slots)

    def unpack(self, slots: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """The inverse of `pack`, whatever the padding holds."""
        memory = slots[0] if len(slots) == 1 else np.concatenate(slots)
        return self.window(np.ascontiguousarray(memory)).copy()

    def mask(self) -> NDArray[np.float64]:
        """1 at every element and its repetitions, 0 in the padding: ``(shards, slots)``."""
        return self.pack(np.ones((), dtype=np.float64))

    def numbers(self) -> NDArray[np.int64]:
        """The number of each element, from 1; elements that share a place share a number."""
        numbers = np.arange(1, self.size + 1).reshape(self.shape)
        own = tuple(slice(None) if stride else slice(1) for stride in self.strides)
        return np.broadcast_to(numbers[own], self.shape)

    def contents(self) -> NDArray[np.int64]:
        """What each slot holds, ``(shards, slots)``: the number of an element, `ZERO`, or `UNKNOWN`."""
        out = np.full(self.shards * self.slots, ZERO if self.clean else UNKNOWN)
        self.window(out, repeated=True)[...] = self.numbers()
        return out.reshape(self.shards, self.slots)

    # --- views -----------------------------------------------------------------------------------------------------

    def view(self, function: Callable[[NDArray[Any]], NDArray[Any]]) -> View | None:
        """What a NumPy function that only looks differently at an array makes of this one; None if it copies."""
        memory = np.empty(self.shards * self.slots, dtype=np.int8)  # NumPy does the algebra of strides; nobody reads it
        seen = function(self.window(memory))
        if not seen.size:
            raise EncodingError(f"an encrypted array holds at least one element, got shape {seen.shape}")
        if not np.may_share_memory(seen, memory):
            return None
        offset = _address(seen) - _address(memory)
        whole = replace(self, shape=seen.shape, strides=seen.strides, offset=offset)
        layout, shards = _cropped(whole)
        if layout.clean and layout.places_used != self.places_used:
            layout = replace(layout, clean=layout.places_used == sum(_elements(self)[index] for index in shards))
        return View(layout, shards)


class View(NamedTuple):
    """A layout, and which of the ciphertexts it is about."""

    layout: Layout
    shards: tuple[int, ...]

    def of(self, shards: Sequence[T]) -> Sequence[T]:
        """These ciphertexts of all."""
        return shards if len(self.shards) == len(shards) else [shards[index] for index in self.shards]


def _cropped(layout: Layout) -> View:
    """The layout of the ciphertexts that it uses, as if there were no others.

    Axes that step by whole ciphertexts are boxes in boxes around those that do not; each is closed up in turn.
    """
    slots, strides = layout.slots, list(layout.strides)
    inner = [(n - 1) * stride for n, stride in layout.axes if stride % slots]
    shard, slot = divmod(layout.offset, slots)
    low, high = ((slot + sum(s for s in inner if s * sign > 0)) // slots for sign in (-1, 1))
    used, offset = list(range(shard + low, shard + high + 1)), slot - low * slots
    outer = [axis for axis, stride in enumerate(strides) if stride and stride % slots == 0]
    for axis in sorted(outer, key=lambda axis: abs(strides[axis])):
        n, step = layout.shape[axis], strides[axis] // slots
        if abs(step) <= used[-1] - used[0]:  # no boxes: whatever lies between stays
            first = layout.lowest // slots
            return View(replace(layout, offset=layout.offset - first * slots), tuple(range(first, layout.shards)))
        closed = len(used) * slots
        strides[axis] = closed if step > 0 else -closed
        offset += 0 if step > 0 else (n - 1) * closed
        used = [index + k * step for k in (range(n) if step > 0 else range(n - 1, -1, -1)) for index in used]
    return View(replace(layout, strides=tuple(strides), offset=offset), tuple(used))


@lru_cache(maxsize=256)
def _elements(layout: Layout) -> tuple[int, ...]:
    """How many places of each ciphertext hold an element, repetitions not counted."""
    used = np.zeros(layout.shards * layout.slots, dtype=np.int8)
    layout.window(used)[...] = 1
    return tuple(used.reshape(layout.shards, layout.slots).sum(axis=1, dtype=np.int64).tolist())


def _padded(extent: int, slots: int) -> int:
    """The power of two, or the multiple of the slots, from ``extent`` on."""
    return 1 << (extent - 1).bit_length() if extent <= slots else -(-extent // slots) * slots


def _row_major(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The strides of an array without padding."""
    return tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))


def _address(array: NDArray[Any]) -> int:
    address: int = array.__array_interface__["data"][0]
    return address
