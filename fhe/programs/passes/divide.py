"""Division by encrypted values, and by plain ones that are not known yet, as a product with an inverse."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fhe.programs.graph import CONSTANT, Graph, Node, Rewriter, Slot

DIVIDE, INVERSE, MULTIPLY = "np.divide", "np.reciprocal", "np.multiply"


def with_inverses(graph: Graph) -> Graph:
    """a / b with b no constant becomes a (1 / b): of one encrypted value b it is then a function to approximate."""
    rewriter = Rewriter(graph)
    for number, node in graph:
        if node.operation != DIVIDE or not _divisor_varies(graph, node):
            rewriter.keep(number)
            continue
        divisor = node.arguments[1]
        source = graph.nodes[node.operands[divisor.index]]
        new = rewriter.new[node.operands[divisor.index]]
        inverse = rewriter.add(_inverse(source, new, node.where))
        dividend = node.arguments[0]
        product = replace(node, operation=MULTIPLY, operands=(inverse,), arguments=(dividend, Slot(0)))
        if isinstance(dividend, Slot):
            operands = inverse, rewriter.new[node.operands[dividend.index]]
            product = replace(product, operands=operands, arguments=(Slot(1), Slot(0)))
        rewriter.new[number] = rewriter.add(product)
    return rewriter.graph()


def _divisor_varies(graph: Graph, node: Node) -> bool:
    divisor = node.arguments[1]
    if not isinstance(divisor, Slot):
        return False
    source = graph.nodes[node.operands[divisor.index]]
    return node.encrypted and source.operation != CONSTANT


def _inverse(source: Node, number: int, where: str) -> Node:
    if source.encrypted:
        return Node(INVERSE, (number,), (Slot(0),), shape=source.shape, dtype=source.dtype, where=where)
    dtype = np.result_type(source.dtype, np.float64)
    return Node(DIVIDE, (number,), (1.0, Slot(0)), shape=source.shape, dtype=dtype, encrypted=False, where=where)
