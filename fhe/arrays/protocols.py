"""NumPy's functions on encrypted arrays: which there are, and what they do."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from fhe.arrays import elementary, products, reduce
from fhe.arrays.elementwise import combined, with_plain
from fhe.arrays.packed import A, Packed
from fhe.arrays.rearrange import joined, moved, moved_parts


def add(x: Any, y: Any) -> Any:
    """x + y, of which at least one is encrypted."""
    if not isinstance(x, Packed):
        x, y = y, x
    if isinstance(y, Packed):
        return combined(x, y, x.evaluator.add)
    return with_plain(x, y, x.evaluator.add_plain)


def negate(x: A) -> A:
    """-x."""
    return x.map(x.evaluator.negate)


def subtract(x: Any, y: Any) -> Any:
    """x - y, of which at least one is encrypted."""
    if not isinstance(x, Packed):
        return add(negate(y), x)
    if isinstance(y, Packed):
        return combined(x, y, x.evaluator.sub)
    evaluator = x.evaluator
    return with_plain(x, y, lambda shard, values: evaluator.add_plain(shard, np.negative(values)))


UFUNCS: dict[np.ufunc, Callable[..., Any]] = {
    np.add: add,
    np.subtract: subtract,
    np.multiply: products.multiplied,
    np.matmul: products.matmul,
    np.negative: negate,
    np.positive: lambda x: x,
    np.square: lambda x: products.multiplied(x, x),
    **elementary.UFUNCS,
}
REDUCTIONS: dict[np.ufunc, Callable[..., Any]] = {np.add: reduce.total, np.multiply: reduce.product}

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
    np.var: reduce.variance,
    np.prod: reduce.product,
    np.dot: products.matmul,
    np.append: lambda x, values, axis=None: joined(partial(_appended, axis), (x, values)),
    np.shape: lambda x: x.shape,
    np.ndim: lambda x: x.ndim,
    np.size: lambda x, axis=None: x.size if axis is None else x.shape[axis],
}


def _appended(axis: int | None, parts: Any) -> Any:
    array, values = parts
    return np.append(array, values, axis)


def function(called: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A NumPy function of arguments among which is an encrypted array."""
    if called in FUNCTIONS:
        return FUNCTIONS[called](*args, **kwargs)
    if called in MOVES:
        x, *rest = args
        return moved(x, lambda a: called(a, *rest, **kwargs))
    if called in SPLITS:
        x, *rest = args
        return moved_parts(x, lambda a: called(a, *rest, **kwargs))
    if called in JOINS:
        operands, *rest = args
        return joined(lambda parts: called(parts, *rest, **kwargs), operands)
    offered = sorted(known.__name__ for known in (*FUNCTIONS, *MOVES, *SPLITS, *JOINS))
    raise TypeError(f"np.{called.__name__} of an encrypted array is not offered; there are {', '.join(offered)}")


def ufunc(called: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A NumPy ufunc of operands among which is an encrypted array."""
    if method == "reduce" and called in REDUCTIONS:
        return REDUCTIONS[called](*inputs, **{"axis": 0, **kwargs})
    if method == "__call__" and called in UFUNCS and not kwargs:
        return UFUNCS[called](*inputs)
    offered = ", ".join(known.__name__ for known in UFUNCS)
    raise TypeError(
        f"np.{called.__name__} of an encrypted array is not offered; there are {offered}, each without "
        "keywords; other functions need a polynomial, see fhe.approximate"
    )
