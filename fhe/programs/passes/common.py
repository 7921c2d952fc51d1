"""What is computed twice, computed once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.polynomial import Chebyshev, Polynomial

from fhe.arrays.approximate import ApproximateFunction
from fhe.programs.graph import INPUT, Graph, Rewriter, Slot

COMMUTATIVE = ("np.add", "np.multiply")


def without_repetitions(graph: Graph) -> Graph:
    """The same operation on the same operands, in any order where that is the same, becomes one node."""
    rewriter = Rewriter(graph)
    known: dict[Any, int] = {}
    for number, node in graph:
        operands = tuple(rewriter.new[k] for k in node.operands)
        called = [_key(part, operands) for part in node.arguments]
        if node.operation in COMMUTATIVE:
            called.sort(key=repr)
        keywords = sorted((name, _key(value, operands)) for name, value in node.keywords)
        own = number if node.operation == INPUT else None
        key = (node.operation, tuple(called), tuple(keywords), id(node.function), _key(node.value, ()), own)
        if key in known:
            rewriter.new[number] = known[key]
        else:
            known[key] = rewriter.keep(number)
    return rewriter.graph()


def _key(value: Any, operands: tuple[int, ...]) -> Any:
    """A value to compare by; 1 and 1.0 differ, and so do arrays of different dtypes."""
    if isinstance(value, Slot):
        return "operand", operands[value.index]
    if isinstance(value, np.ndarray):
        return "array", value.dtype.str, value.shape, value.tobytes()
    parts: tuple[Any, ...] | None = None
    if isinstance(value, list | tuple):
        parts = tuple(value)
    elif isinstance(value, slice):
        parts = value.start, value.stop, value.step
    elif isinstance(value, Polynomial | Chebyshev):
        parts = value.coef, value.domain, value.window
    elif isinstance(value, ApproximateFunction):
        parts = value.stages, value.error, value.gaps
    if parts is not None:
        return type(value).__name__, tuple(_key(part, operands) for part in parts)
    return type(value).__name__, value if isinstance(value, int | float | complex | str) else repr(value)
