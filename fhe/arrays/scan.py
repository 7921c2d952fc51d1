"""Running sums and differences, convolutions, polynomials with plain coefficients."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, reduce
from typing import Any

import numpy as np
from numpy.polynomial import Polynomial
from numpy.typing import NDArray

from fhe.arrays.elementwise import add, combined, multiply, subtract
from fhe.arrays.functions import apply
from fhe.arrays.packed import A, Packed
from fhe.arrays.products import applied, matrix_vector
from fhe.arrays.rearrange import joined, moved
from fhe.arrays.reduce import part, total, unbroken
from fhe.errors import EncodingError

LONGEST = 512  # entries along which one matrix is not yet too large


def cumsum(x: A, axis: int | None = None) -> A:
    """np.cumsum: one level (CKKS), and the fewer rotations the shorter the axis is.

    A product with a triangle of ones; along a long axis each block adds the sums of those before.
    """
    if axis is None:
        x, axis = moved(x, np.ravel), 0
    axis = range(x.ndim)[axis]
    n = x.shape[axis]
    if n == 1:
        return x
    if n > LONGEST or not unbroken(x.layout, axis, x.layout.row):
        fresh = x.fresh_layout(x.shape)
        within = max(fresh.row // fresh.strides[axis], 1)
        if n > min(within, LONGEST):
            return _blockwise(x, axis, min(within, LONGEST))
        x = x.relaid_fresh(x.shape)
    ones = np.tri(n, dtype=np.int64)
    return matrix_vector(ones, x) if x.ndim == 1 else applied(ones, x, axis)


def _blockwise(x: A, axis: int, length: int) -> A:
    """Blocks of a length that a row of slots holds, each with the sums of those before added."""
    before, blocks = None, []
    for start in range(0, x.shape[axis], length):
        block = part(x, axis, start, start + length)
        sums = cumsum(block, axis)
        blocks.append(sums if before is None else combined(sums, before, x.evaluator.add))
        last = total(block, axis, keepdims=True)
        before = last if before is None else combined(before, last, x.evaluator.add)
    result: A = joined(lambda parts: np.concatenate(parts, axis), blocks)
    return result


def diff(x: A, n: int = 1, axis: int = -1) -> A:
    """np.diff: neighbours, which a rotation brings together."""
    axis = range(x.ndim)[axis]
    for _ in range(n):
        length = x.shape[axis]
        x = combined(part(x, axis, 1, length), part(x, axis, 0, length - 1), x.evaluator.sub)
    return x


def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    """np.convolve, one of the two plain: a product with its Toeplitz matrix, one level (CKKS)."""
    if isinstance(a, Packed) and isinstance(v, Packed):
        raise EncodingError("one of two convolved arrays is plain; multiply encrypted ones by x[:, None] * y and add")
    x, kernel = (a, np.asarray(v)) if isinstance(a, Packed) else (v, np.asarray(a))
    if x.ndim != 1 or kernel.ndim != 1 or not kernel.size:
        raise EncodingError(f"convolve takes vectors, got shapes {x.shape} and {kernel.shape}")
    return matrix_vector(_matrix_of(partial(np.convolve, v=kernel, mode=mode), x.size, kernel.dtype), x)


def correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    """np.correlate with a plain kernel v: one level (CKKS)."""
    if not isinstance(a, Packed) or isinstance(v, Packed):
        raise EncodingError("correlate takes an encrypted array and a plain kernel, in this order")
    kernel = np.asarray(v)
    return matrix_vector(_matrix_of(partial(np.correlate, v=kernel, mode=mode), a.size, kernel.dtype), a)


def _matrix_of(function: Callable[[Any], NDArray[Any]], n: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """The matrix of a linear function of vectors: its columns are what becomes of unit vectors."""
    return np.stack([function(unit) for unit in np.eye(n, dtype=dtype)], axis=1)


def polyval(p: Any, x: A) -> A:
    """np.polyval: plain coefficients, the highest first; real ones of real arrays in ceil(log2(degree + 1)) levels."""
    coefficients = np.atleast_1d(np.asarray(p))
    if x.dtype.kind == "f" and coefficients.dtype.kind in "biuf" and x.layout.tidy and np.any(coefficients[:-2]):
        return apply([Polynomial(np.trim_zeros(coefficients, "f")[::-1])], x)
    powers: dict[int, A] = {1: x}
    for k in range(2, len(coefficients)):
        powers[k] = combined(powers[(k + 1) // 2], powers[k // 2], x.evaluator.multiply, True)
    terms = [multiply(powers[k], c) for k, c in enumerate(coefficients[::-1]) if k and c]
    result: A = add(reduce(add, terms) if terms else multiply(x, 0), coefficients[-1])
    return result


def where(condition: Any, x: Any, y: Any) -> Any:
    """np.where. A plain condition chooses places; an encrypted one, of zeros and ones, is y + condition * (x - y)."""
    if not isinstance(condition, Packed):
        chosen = np.asarray(condition, dtype=bool)
        return joined(lambda parts: np.where(chosen, *parts), (x, y))
    return add(multiply(condition, subtract(x, y)), y)
