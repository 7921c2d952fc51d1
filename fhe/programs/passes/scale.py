"""Factors that meet: each product with a fraction is a level, so two in a row become one.

``(x / 3) * 2`` is ``x * (2 / 3)``, ``(x @ W) / 3`` is ``x @ (W / 3)``, ``2 * x.mean()`` is ``x.sum() * (2 / n)``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fhe.programs.graph import CONSTANT, Graph, Node, Rewriter, Slot

MULTIPLY, DIVIDE, MEAN, SUM = "np.multiply", "np.divide", "np.mean", "np.sum"
LINEAR = (MULTIPLY, "np.matmul", "np.dot", "np.inner", "np.convolve", "np.correlate")  # in a constant operand
Number = int | float


class Scaling(NamedTuple):
    """A node that is an earlier one times a number."""

    source: int
    factor: Number


def with_factors_met(graph: Graph) -> Graph:
    """The graph with as few products with numbers in a row as there can be."""
    users, returned, rewriter = graph.users(), set(graph.returned()), Rewriter(graph)
    alone = {k for k in range(len(graph)) if len(users[k]) == 1 and k not in returned}
    scalings: dict[int, Scaling] = {}
    for number, node in graph:
        found = scaling(graph, node)
        if found is None:
            rewriter.keep(number)
            continue
        if (inner := scalings.get(found.source)) is not None:
            own = alone if found.source in alone else set()
            found = Scaling(inner.source, inner.factor * found.factor)
        else:
            own = alone
        scalings[number] = found
        rewriter.new[number] = _scaled(graph, rewriter, node, found, own)
    return rewriter.graph()


def scaling(graph: Graph, node: Node) -> Scaling | None:
    """What a node is a multiple of, if it is that; integers are divided by nothing."""
    if node.operation not in (MULTIPLY, DIVIDE) or node.dtype.kind == "c" or not node.encrypted:
        return None
    values = [graph.nodes[node.operands[x.index]].scalar if isinstance(x, Slot) else x for x in node.arguments]
    if node.operation == DIVIDE and (node.dtype.kind == "i" or not isinstance(values[1], int | float) or not values[1]):
        return None
    for place in (1,) if node.operation == DIVIDE else (1, 0):
        other = node.arguments[1 - place]
        if not isinstance(values[place], int | float) or not isinstance(other, Slot):
            continue
        source = node.operands[other.index]
        if graph.nodes[source].encrypted and graph.nodes[source].shape == node.shape:
            return Scaling(source, 1 / values[1] if node.operation == DIVIDE else values[place])
    return None


def _scaled(graph: Graph, rewriter: Rewriter, node: Node, found: Scaling, alone: set[int]) -> int:
    """A node of the new graph for the multiple, within what makes the source where nobody else uses that."""
    source = graph.nodes[found.source]
    constants = [k for k in source.operands if graph.nodes[k].operation == CONSTANT]
    if found.source in alone and source.operation in LINEAR and len(constants) == 1 and len(source.operands) == 2:
        constant = graph.nodes[constants[0]]
        assert constant.value is not None
        values = _times(constant.value, found.factor)
        new = rewriter.add(replace(constant, value=values, dtype=values.dtype))
        operands = tuple(new if k == constants[0] else rewriter.new[k] for k in source.operands)
        return rewriter.add(replace(source, operands=operands))
    base, factor = rewriter.new[found.source], found.factor
    if found.source in alone and source.operation == MEAN:
        whole = graph.nodes[source.operands[0]]
        operands = tuple(rewriter.new[k] for k in source.operands)
        base, factor = (
            rewriter.add(replace(source, operation=SUM, operands=operands)),
            factor * source.size / whole.size,
        )
    return rewriter.add(replace(node, operation=MULTIPLY, operands=(base,), arguments=(Slot(0), factor), keywords=()))


def _times(values: NDArray[Any], factor: Number) -> NDArray[Any]:
    """The product; of integers exactly, whatever their size."""
    if values.dtype.kind not in "biuO" or not isinstance(factor, int):
        return values * factor
    exact = np.asarray(values.astype(object) * factor)
    fits = all(-(1 << 63) <= value < 1 << 63 for value in exact.ravel())
    return exact.astype(np.int64) if fits else exact
