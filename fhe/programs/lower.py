"""From functions to polynomials: everything that a graph leaves to approximation, made definite.

Each function gets an interval, from `fhe.programs.ranges`, and an error; afterwards the graph holds polynomials and
numbers, and nothing of the function it was traced from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fhe.arrays.approximate import ApproximateFunction, ends
from fhe.arrays.elementary import elementary
from fhe.circuits.approximation import within
from fhe.errors import EncodingError
from fhe.programs.graph import Graph, Node, Rewriter, Slot
from fhe.programs.operations import LIBRARY, POLYNOMIAL, compute
from fhe.programs.ranges import Range

WITH_ERROR = ("fhe.softmax", "fhe.relu", "fhe.abs", "np.absolute", "fhe.absolute")
COMPARED = ("greater", "greater_equal", "less", "less_equal", "maximum", "minimum", "sign", "clip")
PLACED = ("sort", "argmax", "argmin")
MARGINAL = (*(f"{of}.{name}" for name in (*COMPARED, *PLACED) for of in ("np", "fhe")), "part fhe.sort")
MOST_DEGREE = 1023


def approximates(node: Node) -> bool:
    """Is there a function in it, or anything that takes an error?"""
    known = node.operation in LIBRARY or node.operation in (*WITH_ERROR, *MARGINAL)
    return node.encrypted and (node.function is not None or known)


def lowered(graph: Graph, ranges: Sequence[Range], error: float) -> Graph:
    """The graph with polynomials within ``error`` in place of functions, and the same for what takes an error."""
    rewriter = Rewriter(graph)
    for number, node in graph:
        if (node.function is not None and node.encrypted) or (node.operation in LIBRARY and node.encrypted):
            interval = ranges[node.operands[0]].hull
            polynomial = _polynomial(node, interval, error)
            operand = rewriter.new[node.operands[0]]
            made = replace(
                node,
                operation=POLYNOMIAL,
                operands=(operand,),
                arguments=(polynomial, Slot(0)),
                keywords=(),
                function=None,
            )
            rewriter.new[number] = rewriter.add(made)
        elif node.encrypted and node.operation in (*WITH_ERROR, *MARGINAL):
            made = _with_error(node, ranges, error)
            rewriter.new[number] = rewriter.add(replace(made, operands=tuple(rewriter.new[k] for k in node.operands)))
        else:
            rewriter.keep(number)
    return rewriter.graph()


def _polynomial(node: Node, interval: tuple[float, float], error: float) -> ApproximateFunction:
    low, high = interval
    given = dict(node.keywords)
    if given.get("interval") is not None:
        low, high = ends(given["interval"])
    if low == high:
        low, high = low - 1e-3 * max(abs(low), 1.0), high + 1e-3 * max(abs(high), 1.0)
    if node.operation in LIBRARY and (given.get("degree") is not None or given.get("error") is not None):
        return elementary(node.operation[4:], low, high, given.get("degree"), given.get("error"))
    try:
        found = within(lambda x: compute(node, [x]), error, low, high, MOST_DEGREE)
    except EncodingError as problem:
        raise EncodingError(
            f"{node.operation} at {node.where} has to be approximated on [{low:g}, {high:g}], the public interval of "
            f"its operand: {problem} Narrow it by fhe.assume(x, bound), or by tighter bounds of the arguments"
        ) from problem
    return ApproximateFunction(found.stages, found.error, found.gaps)


def _with_error(node: Node, ranges: Sequence[Range], error: float) -> Node:
    """The node with its keywords filled in."""
    given = dict(node.keywords)
    if node.operation in MARGINAL:
        given.setdefault("error", error)
    else:
        given.setdefault("error", error)
        if given.get("interval") is None and given.get("degree") is None:
            low, high = ranges[node.operands[0]].hull
            given["interval"] = (low, high) if node.operation == "fhe.softmax" else max(abs(low), abs(high))
    operation = "fhe." + node.operation.removeprefix("np.") if node.operation.startswith("np.") else node.operation
    return replace(node, operation=operation, keywords=tuple(given.items()))
