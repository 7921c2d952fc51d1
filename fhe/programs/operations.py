"""The operations of graphs: names, and the functions that plain and encrypted arrays both understand.

A name says where the function is from: ``np.sum``, ``fhe.exp``, ``getitem``. What is not listed here is nothing a
stored graph can ask for.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from fhe.arrays.offered import OFFERED
from fhe.arrays.packed import Packed
from fhe.arrays.protocols import FUNCTIONS, JOINS, METHODS, MOVES, SPLITS, UFUNCS
from fhe.arrays.rearrange import moved
from fhe.programs.graph import CONSTANT, Graph, Node, mapped
from fhe.progress import steps

POLYNOMIAL = "fhe.approximated"
GETITEM = "getitem"
PART = "part "  # in front of a name: one of several results
NUMPY = tuple(f"np.{name}" for name in ("exp", "log", "sqrt", "reciprocal", "tanh", "sin", "cos"))
LIBRARY = tuple(
    f"fhe.{name}"
    for name in ("exp", "log", "sqrt", "rsqrt", "inverse", "sigmoid", "tanh", "sin", "cos", "gelu")  # of one value
)
ARITHMETIC = tuple(
    f"np.{name}" for name in ("add", "subtract", "multiply", "negative", "positive", "square", "power", "divide")
)
METADATA = (np.shape, np.ndim, np.size, np.zeros_like, np.ones_like, np.full_like, np.iscomplexobj)


def name_of(function: Callable[..., Any], method: str = "__call__") -> str:
    """The name of a function of NumPy, or of a ufunc's method."""
    return f"np.{function.__name__}" + ("" if method == "__call__" else f".{method}")


@cache
def operations() -> dict[str, Callable[..., Any]]:
    """Every operation on encrypted arrays, by name."""
    numpy: list[Any] = [*UFUNCS, *(f for f in FUNCTIONS if f not in METADATA), *MOVES, *JOINS]
    table: dict[str, Callable[..., Any]] = {name_of(function): function for function in numpy}
    table |= {name_of(ufunc, method): getattr(ufunc, method) for ufunc, method in METHODS}
    table |= {PART + name_of(function): _part_of(function) for function in SPLITS}
    table |= {f"fhe.{name}": function for name, function in OFFERED.items()}
    table |= {f"{PART}fhe.sort": lambda part, arrays, **how: OFFERED["sort"](arrays, **how)[part]}
    return table | {GETITEM: operator.getitem}


@cache
def plain_operations() -> dict[str, Callable[..., Any]]:
    """What plain arguments may be computed with besides: all of NumPy's ufuncs."""
    named = {name: getattr(np, name) for name in np.__all__}
    return operations() | {f"np.{name}": f for name, f in named.items() if isinstance(f, np.ufunc)}


def _part_of(function: Callable[..., Any]) -> Callable[..., Any]:
    def part_of(part: int, x: Any, *args: Any, **kwargs: Any) -> Any:
        """One of the arrays that a function splits an array into."""
        if isinstance(x, Packed):
            return moved(x, lambda a: function(a, *args, **kwargs)[part])
        return function(x, *args, **kwargs)[part]

    return part_of


def compute(node: Node, operands: Sequence[Any]) -> Any:
    """The value of a node, for plain or encrypted operands."""
    if node.operation == CONSTANT:
        return node.value
    value = node.called(operands, node.function or plain_operations()[node.operation])
    return np.array(value, dtype=object) if type(value) is int else value  # NumPy would go on with 64 bits


Watch = Callable[[int, Node, Any], Any]
Compute = Callable[[Node, Sequence[Any]], Any]


def evaluate(graph: Graph, inputs: dict[str, Any], watch: Watch | None = None, step: Compute = compute) -> Any:
    """What a graph returns for these inputs; ``watch(number, node, value)`` sees every value, and may replace it.

    The very same walk computes in the clear, encrypted, and in a dry run. Values are let go once nobody needs them.
    """
    values: dict[int, Any] = {number: inputs[name] for name, number in graph.inputs.items()}
    last = {operand: number for number, node in graph for operand in node.operands}
    returned = set(graph.returned())
    for number, node in steps(graph, "steps"):
        if number not in values:
            values[number] = step(node, [values[k] for k in node.operands])
        if watch is not None and (seen := watch(number, node, values[number])) is not None:
            values[number] = seen
        for operand in set(node.operands):
            if last[operand] == number and operand not in returned:
                del values[operand]
    return mapped(graph.outputs, lambda slot: values[slot.index])


def in_the_clear(graph: Graph, inputs: dict[str, Any]) -> Any:
    """What a graph returns for plain arrays."""
    with np.errstate(all="ignore"):
        return evaluate(graph, {name: np.asarray(value) for name, value in inputs.items()})
