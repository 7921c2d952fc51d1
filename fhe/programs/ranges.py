"""What the values of a graph can be: an interval for every element, by interval arithmetic.

It is about the exact values of the traced function, in the clear. Functions are approximated on these intervals; how
far encrypted values are from exact ones is tracked elsewhere, operation by operation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fhe.arrays.protocols import JOINS, MOVES, SPLITS
from fhe.arrays.reduce import axes_of, normalised
from fhe.programs.graph import CONSTANT, INPUT, Graph, Node, Slot, slots_of
from fhe.programs.operations import GETITEM, LIBRARY, NUMPY, PART, compute, name_of, plain_operations
from fhe.programs.spec import Spec

SAMPLES = 4097


@dataclass(frozen=True, slots=True, eq=False)
class Range:
    """Element by element, what a value is between; of complex numbers ``high`` bounds magnitudes, and low is -high."""

    low: NDArray[Any]
    high: NDArray[Any]
    values: NDArray[Any] | None = None  # of a constant, as it is: an index

    @property
    def hull(self) -> tuple[float, float]:
        """What all elements are between."""
        return float(np.min(self.low)), float(np.max(self.high))

    @property
    def magnitude(self) -> NDArray[Any]:
        largest: NDArray[Any] = np.maximum(np.abs(self.low), np.abs(self.high))
        return largest

    @property
    def known(self) -> bool:
        return bool(np.all(np.isfinite(self.low)) and np.all(np.isfinite(self.high)))

    @classmethod
    def symmetric(cls, magnitude: NDArray[Any]) -> Range:
        return cls(-magnitude, magnitude)

    @classmethod
    def of(cls, values: NDArray[Any]) -> Range:
        """Of values that are known."""
        if values.dtype.kind == "c":
            return cls.symmetric(np.abs(values))
        floats = values.astype(np.float64)
        return cls(floats, floats, values)

    @classmethod
    def everywhere(cls, shape: tuple[int, ...], low: float, high: float) -> Range:
        return cls(np.broadcast_to(np.float64(low), shape), np.broadcast_to(np.float64(high), shape))


Rule = Callable[[Node, Sequence[Range]], Range]


def ranges(graph: Graph, specs: Mapping[str, Spec]) -> list[Range]:
    """The interval of each element of each node; infinite where nothing is known."""
    names = {number: name for name, number in graph.inputs.items()}
    found: list[Range] = []
    with np.errstate(all="ignore"):
        for number, node in graph:
            if node.operation == INPUT:
                spec = specs[names[number]]
                low = -spec.bound if spec.kind == "complex" else spec.low
                found.append(Range.everywhere(spec.shape, low, spec.bound if spec.kind == "complex" else spec.high))
            else:
                found.append(_range(node, [found[k] for k in node.operands]))
    return found


def _range(node: Node, operands: Sequence[Range]) -> Range:
    if node.operation == CONSTANT and node.value is not None:
        return Range.of(node.value)
    rule = RULES.get(node.operation, _elementwise if node.function is not None or _is_plain_ufunc(node) else _unknown)
    if not all(operand.known for operand in operands):
        rule = RULES["fhe.assume"] if node.operation == "fhe.assume" else _unknown
    if node.dtype.kind == "c" and rule not in (_monotone, _multilinear, _product, _sum, _difference):
        rule = _unknown
    listed = any(isinstance(part, list | tuple) and slots_of(part) for part in node.arguments)
    if listed and rule not in (_monotone, _place):  # operands within a list: x * [y, 2]
        rule = _unknown
    found = rule(node, operands)
    broken = np.isnan(found.low).any() or np.isnan(found.high).any() or found.low.shape != node.shape
    return _unknown(node, operands) if broken else found


def _is_plain_ufunc(node: Node) -> bool:
    """Is this a function of one plain value, element by element, of those that NumPy knows by name?"""
    function = None if node.encrypted else plain_operations().get(node.operation)
    return isinstance(function, np.ufunc) and function.nin == len(node.operands) == 1


def _unknown(node: Node, operands: Sequence[Range]) -> Range:
    return Range.everywhere(node.shape, -np.inf, np.inf)


# --- rules -----------------------------------------------------------------------------------------------------------


def _monotone(node: Node, operands: Sequence[Range]) -> Range:
    """Of what grows with every operand: moves, sums, extremes."""
    low, high = ([end if x.values is None else x.values for x, end in zip(operands, ends, strict=True)]
                 for ends in ([x.low for x in operands], [x.high for x in operands]))  # fmt: skip
    return Range(np.asarray(compute(node, low)), np.asarray(compute(node, high)))


def _sum(node: Node, operands: Sequence[Range]) -> Range:
    return _monotone(node, operands) if len(operands) == 2 else _shifted(node, operands)


def _shifted(node: Node, operands: Sequence[Range]) -> Range:
    """Of one operand and a number that stands among the arguments, as the function itself has it."""
    ends = [np.asarray(compute(node, [end])) for end in (operands[0].low, operands[0].high)]
    if any(end.dtype.kind == "c" for end in ends):
        return Range.symmetric(np.abs(operands[0].magnitude) + abs(_number(node)))
    return Range(np.minimum(*ends), np.maximum(*ends))


def _number(node: Node) -> complex:
    return complex(next(x for x in node.arguments if isinstance(x, int | float | complex)))


def _difference(node: Node, operands: Sequence[Range]) -> Range:
    if len(operands) < 2:
        return _shifted(node, operands)
    x, y = operands
    return Range(np.asarray(x.low - y.high), np.asarray(x.high - y.low))


def _negative(node: Node, operands: Sequence[Range]) -> Range:
    return Range(-operands[0].high, -operands[0].low)


def _product(node: Node, operands: Sequence[Range]) -> Range:
    if len(operands) < 2:
        if isinstance(_number(node), complex) and _number(node).imag:
            return Range.symmetric(operands[0].magnitude * abs(_number(node)))
        return _shifted(node, operands)
    x, y = operands
    if node.operands[0] == node.operands[1] and node.dtype.kind != "c":
        return _square(node, operands)
    corners = [a * b for a in (x.low, x.high) for b in (y.low, y.high)]
    return Range(np.minimum.reduce(corners), np.maximum.reduce(corners))


def _square(node: Node, operands: Sequence[Range]) -> Range:
    x = operands[0]
    least = np.where((x.low <= 0) & (x.high >= 0), 0.0, np.minimum(x.low**2, x.high**2))
    return Range(least, np.maximum(x.low**2, x.high**2))


def _power(node: Node, operands: Sequence[Range]) -> Range:
    exponent = node.arguments[1] if len(operands) == 1 else None
    if not isinstance(exponent, int) or exponent < 1:
        return _elementwise(node, operands) if len(operands) == 1 else _unknown(node, operands)
    x = operands[0]
    ends = x.low**exponent, x.high**exponent
    least = np.minimum(*ends)
    return Range(np.where((exponent % 2 == 0) & (x.low <= 0) & (x.high >= 0), 0.0, least), np.maximum(*ends))


def _quotient(node: Node, operands: Sequence[Range]) -> Range:
    if len(operands) < 2 and not isinstance(node.arguments[0], int | float):
        return _shifted(node, operands)
    if len(operands) < 2:
        return _elementwise(node, operands)
    x, y = operands
    if np.any((y.low <= 0) & (y.high >= 0)):
        return _unknown(node, operands)
    corners = [a / b for a in (x.low, x.high) for b in (y.low, y.high)]
    return Range(np.minimum.reduce(corners), np.maximum.reduce(corners))


def _multilinear(node: Node, operands: Sequence[Range]) -> Range:
    """Of sums of products with a factor of each operand: midpoints, and what all can be off by together."""
    if len(operands) == 2 and node.operands[0] == node.operands[1] and node.shape == () and node.dtype.kind == "f":
        squares = _square(node, operands[:1])  # x @ x
        return Range(np.asarray(squares.low.sum()), np.asarray(squares.high.sum()))
    middles = [(x.low + x.high) / 2 for x in operands]
    radii = [(x.high - x.low) / 2 for x in operands]
    absolute = [np.abs(middle) for middle in middles]
    off = compute(node, [a + r for a, r in zip(absolute, radii, strict=True)]) - compute(node, absolute)
    middle = compute(node, middles)
    return Range(np.asarray(middle - off), np.asarray(middle + off))


def _difference_along(node: Node, operands: Sequence[Range]) -> Range:
    keywords = {"n": 1, "axis": -1, **dict(node.keywords), **dict(zip(("n", "axis"), node.arguments[1:], strict=False))}
    low, high = operands[0].low, operands[0].high
    for _ in range(keywords["n"]):
        count, axis = low.shape[keywords["axis"]], keywords["axis"]
        before, after = range(count - 1), range(1, count)
        low, high = (np.take(low, after, axis) - np.take(high, before, axis),
                     np.take(high, after, axis) - np.take(low, before, axis))  # fmt: skip
    return Range(low, high)


def _variance(node: Node, operands: Sequence[Range]) -> Range:
    x, ddof = operands[0], node.keyword("ddof") or 0
    count = x.low.size // max(node.size, 1)
    spread = float(np.max(x.high) - np.min(x.low)) / 2
    return Range.everywhere(node.shape, 0.0, spread**2 * count / max(count - ddof, 1e-9))


def _average(node: Node, operands: Sequence[Range]) -> Range:
    """sum w x / sum w: between all of x where no weight is negative, and beyond where one is."""
    given = dict(zip(("a", "axis", "weights"), node.arguments, strict=False)) | dict(node.keywords)
    if given.get("weights") is None:
        return _monotone(node, operands)
    x, w = operands[given["a"].index], operands[given["weights"].index]
    if not np.array_equal(w.low, w.high):  # plain, and told later
        return Range.everywhere(node.shape, *x.hull) if np.all(w.low >= 0) else _unknown(node, operands)
    share = normalised(w.low, x.low.shape, given.get("axis"))
    ends = (np.minimum(share * x.low, share * x.high), np.maximum(share * x.low, share * x.high))
    axes = axes_of(given.get("axis"), x.low.ndim)
    return Range(*(np.asarray(end.sum(axis=axes, keepdims=given.get("keepdims", False))) for end in ends))


def _symmetric(node: Node, operands: Sequence[Range]) -> Range:
    """Of a part of complex numbers."""
    return Range.symmetric(operands[0].magnitude)


def _magnitudes(node: Node, operands: Sequence[Range]) -> Range:
    return Range.symmetric(np.abs(compute(node, [x.magnitude for x in operands])))


def _absolute(node: Node, operands: Sequence[Range]) -> Range:
    x = operands[0]
    least = np.where((x.low <= 0) & (x.high >= 0), 0.0, np.minimum(np.abs(x.low), np.abs(x.high)))
    return Range(least, x.magnitude)


def _between(low: float, high: float) -> Rule:
    return lambda node, operands: Range.everywhere(node.shape, low, high)


def _place(node: Node, operands: Sequence[Range]) -> Range:
    return Range.everywhere(node.shape, 0.0, float(max(max(x.low.shape, default=1) for x in operands) * len(operands)))


def _chosen(node: Node, operands: Sequence[Range]) -> Range:
    """np.where: one of both, or of a number among the arguments."""
    parts = [operands[x.index] if isinstance(x, Slot) else Range.of(np.asarray(x)) for x in node.arguments[1:3]]
    low, high = np.minimum(parts[0].low, parts[1].low), np.maximum(parts[0].high, parts[1].high)
    return Range(np.broadcast_to(low, node.shape), np.broadcast_to(high, node.shape))


def _assumed(node: Node, operands: Sequence[Range]) -> Range:
    bound = node.arguments[1] if len(node.arguments) > 1 else node.keyword("bound")
    low, high = bound if isinstance(bound, tuple | list) else (-bound, bound)
    return Range(np.clip(operands[0].low, low, high), np.clip(operands[0].high, low, high))


def _elementwise(node: Node, operands: Sequence[Range]) -> Range:
    """Of a function of one value: sampled, and half of the largest step between samples where it is not monotone."""
    low, high = operands[0].hull
    values = np.asarray(compute(node, [np.linspace(low, high, SAMPLES)]), dtype=np.float64)
    steps = np.diff(values)
    slack = 0.0 if (steps >= 0).all() or (steps <= 0).all() else float(np.max(np.abs(steps))) / 2
    return Range.everywhere(node.shape, float(np.min(values)) - slack, float(np.max(values)) + slack)


SUMS_OF_PRODUCTS = ("matmul", "dot", "vdot", "inner", "outer", "tensordot", "einsum", "convolve", "correlate")
MONOTONE = ("sum", "mean", "cumsum", "add.reduce", "add.accumulate", "trace", "sort", "maximum", "minimum", "clip")
COMPARISONS = ["greater", "greater_equal", "less", "less_equal", "equal", "not_equal"]

RULES: dict[str, Rule] = {
    **{name_of(function): _monotone for function in (*MOVES, *JOINS)},
    **{PART + name_of(function): _monotone for function in SPLITS},
    **{f"np.{name}": _monotone for name in (*MONOTONE, "copy", "real", "append")},
    **{f"fhe.{name}": _monotone for name in ["maximum", "minimum", "clip", "sort"]},
    f"{PART}fhe.sort": _monotone,
    GETITEM: _monotone,
    "np.positive": _monotone,
    "np.conjugate": _monotone,
    "np.imag": _symmetric,
    "np.add": _sum,
    "np.subtract": _difference,
    "np.negative": _negative,
    "np.multiply": _product,
    "np.square": _square,
    "np.power": _power,
    "np.divide": _quotient,
    **{f"np.{name}": _multilinear for name in (*SUMS_OF_PRODUCTS, "multiply.outer")},
    "np.average": _average,
    "np.diff": _difference_along,
    "np.var": _variance,
    "np.prod": _magnitudes,
    "np.multiply.reduce": _magnitudes,
    "np.absolute": _absolute,
    "fhe.absolute": _absolute,
    "fhe.abs": _absolute,
    **{f"{of}.{name}": _between(0.0, 1.0) for name in COMPARISONS for of in ("np", "fhe")},
    "fhe.softmax": _between(0.0, 1.0),
    **{f"{of}.sign": _between(-1.0, 1.0) for of in ("np", "fhe")},
    **{f"{of}.{name}": _place for name in ("argmax", "argmin") for of in ("np", "fhe")},
    **{f"{of}.where": _chosen for of in ("np", "fhe")},
    "fhe.assume": _assumed,
    **dict.fromkeys((*LIBRARY, *NUMPY, "fhe.relu", "fhe.evaluate", "fhe.approximated"), _elementwise),
}
