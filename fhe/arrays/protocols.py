"""NumPy's functions on encrypted arrays: which there are, and what they do."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from fhe.arrays import comparison, contract, elementary, elementwise, extremes, products, reduce, scan
from fhe.arrays.packed import Packed
from fhe.arrays.rearrange import joined, moved, moved_parts

UFUNCS: dict[np.ufunc, Callable[..., Any]] = {
    np.add: elementwise.add,
    np.subtract: elementwise.subtract,
    np.multiply: elementwise.multiply,
    np.matmul: products.matmul,
    np.negative: elementwise.negate,
    np.positive: lambda x: x,
    np.square: lambda x: elementwise.multiply(x, x),
    np.conjugate: elementwise.conjugate,
    np.true_divide: operator.truediv,
    np.power: operator.pow,
    **elementary.UFUNCS,
    **comparison.UFUNCS,
}
METHODS: dict[tuple[np.ufunc, str], Callable[..., Any]] = {
    (np.add, "reduce"): reduce.total,
    (np.multiply, "reduce"): reduce.product,
    (np.add, "accumulate"): scan.cumsum,
    (np.multiply, "outer"): contract.outer,
}

MOVES = (
    *(np.transpose, np.swapaxes, np.moveaxis, np.rollaxis, np.reshape, np.ravel, np.expand_dims, np.squeeze),
    *(np.flip, np.fliplr, np.flipud, np.rot90, np.roll, np.broadcast_to, np.diagonal, np.diag, np.diagflat),
    *(np.take, np.take_along_axis, np.compress, np.extract, np.repeat, np.tile, np.resize, np.delete),
    *(np.tril, np.triu, np.atleast_1d, np.atleast_2d, np.atleast_3d),
)
SPLITS = (np.split, np.array_split, np.hsplit, np.vsplit, np.dsplit, np.unstack) if hasattr(np, "unstack") else ()
JOINS = (np.concatenate, np.stack, np.vstack, np.hstack, np.dstack, np.column_stack, np.block)

FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    np.sum: reduce.total,
    np.mean: reduce.mean,
    np.average: reduce.average,
    np.var: reduce.variance,
    np.prod: reduce.product,
    np.cumsum: scan.cumsum,
    np.diff: scan.diff,
    np.convolve: scan.convolve,
    np.correlate: scan.correlate,
    np.polyval: scan.polyval,
    np.dot: contract.dot,
    np.vdot: contract.vdot,
    np.inner: contract.inner,
    np.outer: contract.outer,
    np.tensordot: contract.tensordot,
    np.einsum: contract.einsum,
    np.trace: contract.trace,
    np.real: elementwise.real,
    np.imag: elementwise.imaginary,
    np.append: lambda x, values, axis=None: joined(partial(_appended, axis), (x, values)),
    np.copy: lambda x: x,
    np.shape: lambda x: x.shape,
    np.ndim: lambda x: x.ndim,
    np.size: lambda x, axis=None: x.size if axis is None else x.shape[axis],
    np.zeros_like: lambda x, dtype=None: np.zeros(x.shape, dtype or x.dtype),
    np.ones_like: lambda x, dtype=None: np.ones(x.shape, dtype or x.dtype),
    np.full_like: lambda x, value, dtype=None: np.full(x.shape, value, dtype),
    np.iscomplexobj: lambda x: x.dtype.kind == "c",
    np.max: extremes.largest,
    np.min: extremes.smallest,
    **comparison.FUNCTIONS,
}
OTHERWISE = {  # what is not offered -> what is
    "std nanstd norm": "fhe.sqrt(np.var(x), interval=(low, high)), or let the owner take the root",
    "ptp": "np.max(x) - np.min(x)",
    "median percentile quantile": "compute with fhe.sort, or let the owner sort",
    "logical_and bitwise_and": "masks are numbers, 0 and 1: a * b",
    "logical_or bitwise_or": "masks are numbers, 0 and 1: a + b - a * b",
    "logical_xor bitwise_xor": "masks are numbers, 0 and 1: a + b - 2 * a * b",
    "logical_not invert": "masks are numbers, 0 and 1: 1 - a",
    "select choose piecewise": "np.where(mask, a, b), one in another",
    "heaviside": "np.where(x > 0, 1, 0)",
    "fabs": "np.abs(x)",
    "round around rint floor ceil trunc fix": "keep all digits, or let the owner round",
    "floor_divide remainder divmod fmod mod": "keep the product, or let the owner divide",
    "cumprod nancumprod": "np.prod of slices, x[:1], x[:2], …",
    "kron": "np.outer(x, y), reshaped",
    "pad": "np.concatenate([zeros, x, zeros])",
    "meshgrid": "np.broadcast_to(x, shape)",
    "isnan isinf isfinite nan_to_num nansum nanmean nanmax nanmin": "no encrypted value is NaN or infinite",
}
UNREADABLE = {  # what no one can know without the key -> the oblivious way
    "argsort median percentile quantile partition argpartition searchsorted lexsort": (
        "an order cannot be read; compute with encrypted comparisons, or let the owner sort"
    ),
    "nonzero flatnonzero unique argwhere trim_zeros count_nonzero intersect1d isin": (
        "a shape cannot depend on encrypted values; multiply by an encrypted mask of zeros and ones instead"
    ),
    "any all allclose array_equal isclose array_equiv": (
        "an answer would have to be encrypted too; compute differences, and let their owner look at them"
    ),
    "put place putmask copyto fill_diagonal put_along_axis": (
        "encrypted arrays do not change; make a new one with np.where(mask, value, x)"
    ),
}


def _appended(axis: int | None, parts: Any) -> Any:
    array, values = parts
    return np.append(array, values, axis)


def function(called: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A NumPy function of arguments among which is an encrypted array."""
    if called in FUNCTIONS:
        return FUNCTIONS[called](*args, **kwargs)
    first, *rest = args if args else [None]
    if isinstance(first, Packed) and called in MOVES:
        return moved(first, lambda a: called(a, *rest, **kwargs))
    if isinstance(first, Packed) and called in SPLITS:
        return moved_parts(first, lambda a: called(a, *rest, **kwargs))
    if called in JOINS:
        return joined(lambda parts: called(parts, *rest, **kwargs), first)
    name = called.__name__
    for names, instead in UNREADABLE.items():
        if name in names.split():
            raise TypeError(f"np.{name} of an encrypted array: {instead}")
    _refuse_otherwise(name)
    offered = sorted(known.__name__ for known in (*FUNCTIONS, *MOVES, *SPLITS, *JOINS))
    raise TypeError(f"np.{name} of an encrypted array is not offered; there are {', '.join(offered)}")


def _refuse_otherwise(name: str) -> None:
    """Raise TypeError for what is not offered, where something else does the same."""
    for names, instead in OTHERWISE.items():
        if name in names.split():
            raise TypeError(f"np.{name} of an encrypted array is not offered; instead: {instead}")


def ufunc(called: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A NumPy ufunc of operands among which is an encrypted array."""
    if (called, method) in METHODS:
        return METHODS[called, method](*inputs, **({} if method == "outer" else {"axis": 0, **kwargs}))
    if method == "__call__" and called in UFUNCS and not kwargs:
        return UFUNCS[called](*inputs)
    _refuse_otherwise(called.__name__)
    offered = ", ".join(known.__name__ for known in UFUNCS)
    raise TypeError(
        f"np.{called.__name__} of an encrypted array is not offered; there are {offered}, each without "
        "keywords; other functions need a polynomial, see fhe.approximate"
    )
