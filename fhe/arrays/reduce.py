"""Sums and products along axes.

A sum along an axis adds ciphertexts where the axis runs across them, and rotates where it runs within them: log2 n
rotations (a few more where n is no power of two and the padding is not zero), never a level. Where the summed axis
fills its period, every place of it holds the sum afterwards, ready to be broadcast.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fhe.arrays.elementwise import combined, magnitude_squared, multiply, with_plain
from fhe.arrays.layout import Axis, Layout
from fhe.arrays.moves import slid
from fhe.arrays.packed import A, Packed
from fhe.arrays.rearrange import moved
from fhe.errors import EncodingError
from fhe.rlwe.ciphertext import Ciphertext

Axes = int | Sequence[int] | None


def axes_of(axis: Axes, ndim: int) -> tuple[int, ...]:
    """The axes meant, counted from 0, each once; NumPy's AxisError for one that is not there."""
    if axis is None:
        return tuple(range(ndim))
    return np.lib.array_utils.normalize_axis_tuple(axis, ndim)


def total(x: A, axis: Axes = None, keepdims: bool = False) -> A:
    """np.sum."""
    chosen = axes_of(axis, x.ndim)
    if backwards := tuple(k for k in chosen if x.layout.strides[k] < 0):  # the order of summands does not matter
        x = moved(x, partial(np.flip, axis=backwards))
    for k in sorted(chosen, key=lambda k: -x.layout.strides[k]):
        x = _along(x, k)
    shape = tuple(1 if k in chosen else n for k, n in enumerate(x.shape) if keepdims or k not in chosen)
    return moved(x, lambda a: a.reshape(shape)) if x.shape != shape else x


def mean(x: A, axis: Axes = None, keepdims: bool = False) -> A:
    """np.mean; for CKKS, since integers modulo t have no halves."""
    x.evaluator.result_type(x.dtype, np.dtype(np.float64))
    count = math.prod(x.shape[k] for k in axes_of(axis, x.ndim))
    return scaled(total(x, axis, keepdims), 1 / count)


def scaled(x: A, factor: float) -> A:
    """x times a number that need not be whole."""
    return x if factor == 1 else with_plain(x, factor, x.evaluator.multiply_plain, absorbing=True)


def average(x: Any, axis: Axes = None, weights: Any = None, *, keepdims: bool = False) -> Any:
    """np.average, with plain weights."""
    if weights is None:
        return mean(x, axis, keepdims)
    if not isinstance(x, Packed) or isinstance(weights, Packed):
        raise TypeError("np.average divides by the sum of its weights, which must be plain; else use (x * w).sum()")
    return total(multiply(x, normalised(weights, x.shape, axis)), axis, keepdims)


def normalised(weights: Any, shape: tuple[int, ...], axis: Axes) -> NDArray[np.float64]:
    """The weights of an average over axes of an array of this shape, over their sum."""
    chosen, weights = axes_of(axis, len(shape)), np.asarray(weights, dtype=np.float64)
    if weights.shape != shape:
        if weights.shape != tuple(shape[k] for k in chosen):
            raise EncodingError(f"weights of shape {weights.shape} fit neither {shape} nor its axes {chosen}")
        weights = weights.reshape([n if k in chosen else 1 for k, n in enumerate(shape)])
    sums = np.broadcast_to(weights, shape).sum(axis=chosen, keepdims=True)
    if not np.all(sums):
        raise ZeroDivisionError("the weights sum to zero, they cannot be normalised")
    shares: NDArray[np.float64] = weights / sums
    return shares


def variance(x: A, axis: Axes = None, ddof: float = 0, keepdims: bool = False) -> A:
    """np.var: the mean of |x - mean|^2, with n - ddof for n.

    Two levels, and one where the mean has to be copied along its axis: x and its sum are scaled side by side, so that
    nothing is left to divide after the square.
    """
    x.evaluator.result_type(x.dtype, np.dtype(np.float64))
    count = math.prod(x.shape[k] for k in axes_of(axis, x.ndim))
    if count <= ddof:
        raise EncodingError(f"a variance of {count} elements with ddof={ddof} divides by {count - ddof}; lower ddof")
    weight = 1 / math.sqrt(count - ddof)
    center = scaled(total(x, axis, keepdims=True), weight / count)
    deviation = combined(scaled(x, weight), center, x.evaluator.sub)
    return total(magnitude_squared(deviation), axis, keepdims)


def product(x: A, axis: Axes = None, keepdims: bool = False) -> A:
    """np.prod, in ceil(log2 n) levels."""
    chosen = axes_of(axis, x.ndim)
    for k in chosen:
        x = _product_along(x, k)
    shape = tuple(1 if k in chosen else n for k, n in enumerate(x.shape) if keepdims or k not in chosen)
    return moved(x, lambda a: a.reshape(shape)) if x.shape != shape else x


def _product_along(x: A, axis: int) -> A:
    """Halves multiplied, until one is left; what is over at odd lengths is multiplied in from the shallowest on."""
    rest: A | None = None
    while (n := x.shape[axis]) > 1:
        if n % 2:
            last = part(x, axis, n - 1, n)
            rest = last if rest is None else combined(rest, last, x.evaluator.multiply, True)
        half = n // 2
        x = combined(part(x, axis, 0, half), part(x, axis, half, 2 * half), x.evaluator.multiply, True)
    return x if rest is None else combined(x, rest, x.evaluator.multiply, True)


def part(x: A, axis: int, start: int, stop: int) -> A:
    """The entries of an axis from ``start`` to ``stop``."""
    return moved(x, lambda a: a[(*[slice(None)] * axis, slice(start, stop))])


# --- a sum along one axis -----------------------------------------------------------------------------------------


def _along(x: A, axis: int) -> A:
    """The sum along an axis, which stays with one entry."""
    n, stride = x.layout.axes[axis]
    if n == 1:
        return x
    if not stride:
        return part(x.map(lambda shard: x.evaluator.multiply_plain(shard, n)), axis, 0, 1)
    x = _within_shards(x, axis)
    if x.shape[axis] == 1:
        return x
    x.require_slots()
    x = x.rotatable()
    if (block := _block(x.layout, axis)) is not None:
        return _by_doubling(x, axis, block)
    if unbroken(x.layout, axis, x.layout.row):
        summed = x.map(lambda shard: slid(x.evaluator, shard, x.shape[axis], stride))
        return part(x.like(summed.shards, replace(x.layout, clean=False)), axis, 0, 1)
    tidy = x.relaid_fresh(x.shape).cleaned()
    return _along(tidy, axis)


def _within_shards(x: A, axis: int) -> A:
    """Ciphertexts added until the axis runs within each."""
    n, stride = x.layout.axes[axis]
    slots = x.layout.slots
    count = max(slots // stride, 1)
    if unbroken(x.layout, axis, slots):
        return x
    if stride % slots and not _aligned(x.layout, axis):
        x = x.relaid_fresh(x.shape)
        return _within_shards(x, axis)
    x = x if n % count == 0 else x.cleaned()
    parts = [part(x, axis, k, k + count) for k in range(0, n, count)]
    columns = zip(*(part.shards for part in parts), strict=True)
    clean = all(part.layout.tidy for part in parts)
    return x.like([_sum(x, column) for column in columns], replace(parts[0].layout, clean=clean))


def _sum(x: A, shards: Sequence[Ciphertext]) -> Ciphertext:
    result = shards[0]
    for shard in shards[1:]:
        result = x.evaluator.add(result, shard)
    return result


@lru_cache(maxsize=512)
def unbroken(layout: Layout, axis: int, unit: int) -> bool:
    """Does the axis run within one row, or ciphertext, of ``unit`` slots, wherever it begins?"""
    units = layout.window(np.arange(layout.shards * layout.slots)) // unit
    return bool((units == np.take(units, [0], axis=axis)).all())


@lru_cache(maxsize=512)
def _aligned(layout: Layout, axis: int) -> bool:
    """Does the axis begin in front of everything else in a ciphertext, and fill ciphertexts without a rest?"""
    stride = layout.strides[axis]
    first = np.take(layout.window(np.arange(layout.shards * layout.slots)), 0, axis=axis)
    return layout.slots % stride == 0 and bool((first % layout.slots < stride).all())


@lru_cache(maxsize=512)
def _block(layout: Layout, axis: int) -> int | None:
    """The power of two that the axis may be taken to count, with zeros at its end; None if there is no such."""
    n, stride = layout.axes[axis]
    block = 1 << (n - 1).bit_length()
    others = [abs(s) for k, s in enumerate(layout.strides) if k != axis and s] + [r.stride for r in layout.repeats]
    inner = sum((m - 1) * s for k, (m, s) in enumerate(layout.axes) if k != axis and 0 < s < stride)
    room = min([s for s in others if s >= stride], default=layout.slots)
    fits = layout.clean and min(layout.strides) >= 0 and layout.slots % stride == 0
    return block if fits and block * stride <= room and layout.offset + inner < stride else None


def _by_doubling(x: A, axis: int, block: int) -> A:
    """log2(block) rotations; where block * stride is a period of the whole ciphertext, every place gets the sum."""
    layout, stride = x.layout, x.layout.strides[axis]
    period = block * stride
    within = min(block, layout.row // stride)

    def of(shard: Ciphertext) -> Ciphertext:
        shard = slid(x.evaluator, shard, within, stride)
        return x.evaluator.add(shard, x.evaluator.swap(shard)) if within < block else shard

    copies = math.prod(r.length for r in layout.repeats) if layout.repeats else 1
    cyclic = period * copies == layout.slots and all(r.stride >= period for r in layout.repeats)
    summed = x.map(of)
    first = replace(layout, clean=cyclic, strides=tuple(0 if k == axis else s for k, s in enumerate(layout.strides)))
    first = replace(first, shape=tuple(1 if k == axis else n for k, n in enumerate(layout.shape)))
    repeats = merged((Axis(block, stride), *layout.repeats)) if cyclic else layout.repeats
    return x.like(summed.shards, replace(first, repeats=repeats))


def merged(repeats: Sequence[Axis]) -> tuple[Axis, ...]:
    """The same repetitions in as few pairs as may be.

    >>> merged((Axis(4, 1), Axis(2, 4), Axis(2, 16)))
    (Axis(length=8, stride=1), Axis(length=2, stride=16))
    """
    result: list[Axis] = []
    for axis in sorted(repeats, key=lambda axis: axis.stride):
        if result and axis.stride == result[-1].length * result[-1].stride:
            result[-1] = Axis(result[-1].length * axis.length, result[-1].stride)
        elif axis.length > 1:
            result.append(axis)
    return tuple(result)
