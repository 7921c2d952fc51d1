"""Matrix products of encrypted arrays with plain and encrypted ones."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fhe.arrays.elementwise import multiply
from fhe.arrays.layout import Axis, Layout
from fhe.arrays.matrix import EncodedMatrix, PlainMatrix
from fhe.arrays.packed import A, Packed
from fhe.arrays.rearrange import indexed, joined, moved
from fhe.arrays.reduce import total
from fhe.circuits.matrix_product import MatrixProduct
from fhe.errors import EncodingError, MissingKeyError
from fhe.parameters import CKKSParameters
from fhe.rlwe.ciphertext import Ciphertext
from fhe.validate import dense

FEW = 4  # columns of an encrypted matrix that are as well multiplied one by one


def matmul(x: Any, y: Any) -> Any:
    """np.matmul, of which at least one operand is encrypted.

    A plain matrix times an encrypted vector goes by diagonals, two encrypted matrices in the slots of one ciphertext
    each where they fit. Everything else goes by products and sums: the columns (or rows) of a result of two dimensions
    are then ciphertexts of their own.
    """
    x, y = (z if isinstance(z, Packed | EncodedMatrix) else dense(z) for z in (x, y))
    _check(x, y)
    if isinstance(x, np.ndarray | EncodedMatrix) and x.ndim == 2:
        return matrix_vector(x, y) if y.ndim == 1 else _rows(x, y)
    if isinstance(y, np.ndarray | EncodedMatrix) and y.ndim == 2:
        return matrix_vector(y.T, x) if x.ndim == 1 else _columns(x, y)
    if x.ndim == 1 or y.ndim == 1:
        return _with_vector(x, y)
    if isinstance(x, Packed) and isinstance(y, Packed) and (slots := _slotwise(x, y)) is not None:
        return slots
    return _columns(x, y) if isinstance(x, Packed) else _rows(x, y)


def _slotwise(x: Packed, y: Packed) -> Packed | None:
    """x @ y of two encrypted matrices in one ciphertext each, where they fit, and there are keys and levels for it.

    `MatrixProduct` takes two levels, and wants both alike, repeated through the row: as encryption lays out matrices
    whose sides round up to one power of two. Others are moved there first (CKKS), which takes one level more.
    """
    (m, inner), n = x.shape[-2:], y.shape[-1]
    if x.ndim + y.ndim > 4 or not all(isinstance(shard, Ciphertext) for shard in (*x.shards, *y.shards)):
        return None
    try:
        product = MatrixProduct(x.evaluator, m, inner, n)
        product.require_keys()
    except (EncodingError, MissingKeyError):
        return None
    slots, row = x.layout.slots, x.layout.row
    repeats = (Axis(row // product.period, product.period),) if product.period < row else ()
    left, right, result = (
        Layout(s, slots, (product.pitch, 1), repeats=repeats, row=row) for s in (x.shape, y.shape, (m, n))
    )
    if not (_lies_as(x.layout, left) and _lies_as(y.layout, right)):
        ckks = isinstance(x.evaluator.chain.parameters, CKKSParameters)
        if not ckks or n < FEW or min(x.levels_left, y.levels_left) < 3:
            return None
        x, y = x.relaid(left).cleaned(), y.relaid(right).cleaned()
    x = x.resting_on(y.promises)
    return x.like([product(x.shards[0], y.shards[0])], result, x.evaluator.result_type(x.dtype, y.dtype))


def _lies_as(layout: Layout, wanted: Layout) -> bool:
    """Are the elements where they are wanted in the first row of slots, and zeros elsewhere?"""
    alike = layout.clean and layout.offset == 0 and layout.strides == wanted.strides and len(layout.repeats) <= 1
    return alike and layout.shards == 1 and _period(layout) == _period(wanted)


def _with_vector(x: Any, y: Any) -> Any:
    """x @ y where one or both have one dimension."""
    if x.ndim == y.ndim:
        return total(multiply(x, y))
    if y.ndim == 1:
        return total(multiply(x, y), axis=-1)
    return total(multiply(_at(x, (slice(None), None)), y), axis=-2)


def _columns(x: Packed, y: Any) -> Any:
    """x @ y: a plain matrix acts on all rows at once, where they allow it; else one column after the other."""
    if not isinstance(y, Packed) and y.ndim == 2 and y.shape[1] > 1:
        made = _boxwise(y.T, x, x.ndim - 1)
        if made is not None:
            return made
    y = y.values if isinstance(y, EncodedMatrix) else y
    columns = [multiply(x, _at(y, (..., None, slice(None), j))) for j in range(y.shape[-1])]
    return joined(lambda parts: np.stack(parts, axis=-1), [total(column, axis=-1) for column in columns])


def _rows(x: Any, y: Packed) -> Any:
    """x @ y for a plain x, likewise."""
    if x.ndim == 2 and x.shape[0] > 1:
        made = _boxwise(x, y, y.ndim - 2)
        if made is not None:
            return made
    x = x.values if isinstance(x, EncodedMatrix) else x
    rows = [multiply(x[..., i, :, None], y) for i in range(x.shape[-2])]
    return joined(lambda parts: np.stack(parts, axis=-2), [total(row, axis=-2) for row in rows])


def applied(matrix: NDArray[Any], x: A, axis: int) -> A:
    """A plain matrix times every vector along an axis: one level (CKKS)."""
    if (made := _boxwise(matrix, x, axis)) is not None:
        return made
    last = moved(x, lambda a: np.moveaxis(a, axis, -1)[..., None, :])
    summed: A = total(multiply(last, matrix), axis=-1)
    return moved(summed, lambda a: np.moveaxis(a, -1, axis))


def _boxwise(matrix: NDArray[Any] | EncodedMatrix, x: A, axis: int) -> A | None:
    """The same by diagonals, if the vectors lie in boxes of a power of two that hold the results, too."""
    period = _box(x.layout, axis, max(matrix.shape))
    if not period or not isinstance(x.shards[0], Ciphertext):
        return None
    x.require_slots()
    encoded = _encoded(matrix, x)
    dtype = x.evaluator.result_type(x.dtype, encoded.dtype)
    shape = (*x.shape[:axis], encoded.shape[0], *x.shape[axis + 1 :])
    return x.map(encoded.boxes(period, x.layout.strides[axis]), replace(x.layout, shape=shape)).of_dtype(dtype)


def _encoded(matrix: NDArray[Any] | EncodedMatrix, x: Packed) -> EncodedMatrix:
    """The matrix for x, as it was encoded before if it was."""
    if isinstance(matrix, EncodedMatrix):
        return matrix
    return PlainMatrix(x.evaluator, matrix, min(map(x.evaluator.settled_level, x.shards)))


@lru_cache(maxsize=256)
def _box(layout: Layout, axis: int, length: int) -> int:
    """The slots of a box around each vector along an axis that is to take so many entries; 0 if there are no such."""
    stride = layout.strides[axis]
    others = [*layout.repeats, *(other for k, other in enumerate(layout.axes) if k != axis)]
    if stride <= 0 or min(other.stride for other in (*others, Axis(1, 0))) < 0:
        return 0
    inner = sum((n - 1) * s for n, s in others if s < stride)
    period = 1 << (length * stride - 1).bit_length()
    apart = all(s % period == 0 for n, s in others if s >= stride)
    return period if apart and period <= layout.row and layout.offset % period + inner < stride else 0


def _at(x: Any, index: Any) -> Any:
    return indexed(x, index) if isinstance(x, Packed) else x[index]


def _check(x: Any, y: Any) -> None:
    if not x.ndim or not y.ndim:
        raise EncodingError(f"matmul of shapes {x.shape} and {y.shape}: a number has no axis to sum over; use *")
    inner, other = x.shape[-1], y.shape[max(y.ndim - 2, 0)]
    if inner != other:
        raise EncodingError(f"matmul of shapes {x.shape} and {y.shape}: {inner} and {other} differ")


def matrix_vector(matrix: NDArray[Any] | EncodedMatrix, x: A) -> A:
    """A plain matrix times a vector, by diagonals where both fit a row of slots: one level (CKKS)."""
    slots, row, evaluator = x.layout.slots, x.layout.row, x.evaluator
    alone = isinstance(x.shards[0], Ciphertext)  # others multiply by the evaluator's means
    if isinstance(matrix, np.ndarray) and (max(matrix.shape) > row or not alone):
        summed: A = total(multiply(x, matrix), axis=-1)
        return summed
    encoded = _encoded(matrix, x)
    dtype = evaluator.result_type(x.dtype, encoded.dtype)
    x = _lying_flat(x)
    step = encoded.map(x.layout.clean, _period(x.layout))
    covered = min(_length(x.layout) * max(_period(x.layout), 1), slots)
    repeats = (Axis(covered // step.period, step.period),) if 0 < step.period < covered else ()
    layout = Layout(encoded.shape[:1], slots, repeats=repeats, clean=step.period > 0, row=row)
    return x.like([step(x.shards[0])], layout, dtype)


def _lying_flat(x: A) -> A:
    """A vector side by side from slot 0, in one ciphertext."""
    fresh = x.fresh_layout(x.shape)
    if x.layout.strides != fresh.strides or x.layout.offset or len(x.shards) > 1:
        x = x.relaid_fresh(x.shape)
    return x


def _period(layout: Layout) -> int:
    """The power of two with which a vector repeats through the rows of slots, 0 where it does not."""
    period, reach = layout.repeats[0].stride if layout.repeats else layout.row, layout.row
    fills = layout.clean and layout.size <= period and period & (period - 1) == 0
    return period if fills and len(layout.repeats) <= 1 and _length(layout) * period >= reach else 0


def _length(layout: Layout) -> int:
    return layout.repeats[0].length if layout.repeats else 1
