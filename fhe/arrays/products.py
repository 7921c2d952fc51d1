"""Matrix products of encrypted arrays with plain and encrypted ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fhe.arrays.elementwise import multiply
from fhe.arrays.layout import Axis, Layout
from fhe.arrays.matrix import EncodedMatrix
from fhe.arrays.packed import A, Packed
from fhe.arrays.rearrange import indexed, joined
from fhe.arrays.reduce import total
from fhe.errors import EncodingError
from fhe.rlwe.ciphertext import Ciphertext


def matmul(x: Any, y: Any) -> Any:
    """np.matmul, of which at least one operand is encrypted.

    A plain matrix times an encrypted vector goes by diagonals, everything else by products and sums: the columns (or
    rows) of a result of two dimensions are ciphertexts of their own.
    """
    if isinstance(x, EncodedMatrix):
        return matrix_vector(x, y)
    if isinstance(y, EncodedMatrix):
        return matrix_vector(y.T, x)
    x, y = (operand if isinstance(operand, Packed) else np.asarray(operand) for operand in (x, y))
    _check(x, y)
    if x.ndim == 1 or y.ndim == 1:
        return _with_vector(x, y)
    return _columns(x, y) if isinstance(x, Packed) else _rows(x, y)


def _with_vector(x: Any, y: Any) -> Any:
    """x @ y where one or both have one dimension."""
    if x.ndim == y.ndim:
        return total(multiply(x, y))
    matrix, vector = (y.T, x) if x.ndim == 1 and y.ndim == 2 else (x, y)
    if isinstance(matrix, np.ndarray) and matrix.ndim == 2:
        return matrix_vector(matrix, vector)
    if y.ndim == 1:
        return total(multiply(x, y), axis=-1)
    return total(multiply(_at(x, (slice(None), None)), y), axis=-2)


def _columns(x: Packed, y: Any) -> Any:
    """x @ y, one column after the other."""
    columns = [multiply(x, _at(y, (..., None, slice(None), j))) for j in range(y.shape[-1])]
    return joined(lambda parts: np.stack(parts, axis=-1), [total(column, axis=-1) for column in columns])


def _rows(x: NDArray[Any], y: Packed) -> Any:
    """x @ y, one row after the other."""
    rows = [multiply(x[..., i, :, None], y) for i in range(x.shape[-2])]
    return joined(lambda parts: np.stack(parts, axis=-2), [total(row, axis=-2) for row in rows])


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
    if x.ndim != 1:
        raise EncodingError(f"an encoded matrix multiplies vectors, got shape {x.shape}; take one at a time")
    _check(matrix, x)
    slots, row, evaluator = x.layout.slots, x.layout.row, x.evaluator
    alone = isinstance(x.shards[0], Ciphertext)  # others multiply by the evaluator's means
    if isinstance(matrix, np.ndarray) and (max(matrix.shape) > row or not alone):
        summed: A = total(multiply(x, matrix), axis=-1)
        return summed
    encoded = matrix if isinstance(matrix, EncodedMatrix) else EncodedMatrix(evaluator, matrix)
    dtype = evaluator.result_type(x.dtype, encoded.dtype)
    x = _lying_flat(x)
    step = encoded.map(x.layout.clean, _period(x.layout))
    repeats = (Axis(row // step.period, step.period),) if 0 < step.period < row else ()
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
