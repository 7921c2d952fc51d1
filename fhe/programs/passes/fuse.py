"""Chains of elementwise functions of one value become one function, to be approximated once.

``1 / (1 + exp(-x))`` is three functions, three approximations on ever wider intervals, and three times the levels; or
it is one function of x. A chain begins at its *root*, a value that is not itself made element by element from one
other, and ends where something else begins.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from fhe.programs.graph import CONSTANT, Graph, Node, Rewriter, Slot
from fhe.programs.operations import ARITHMETIC, LIBRARY, NUMPY, compute

FUSED = "function"


def is_function(node: Node) -> bool:
    """Is it no polynomial, and still elementwise: something to approximate?"""
    if node.operation == "np.power":
        return not (isinstance(node.arguments[1], int) and node.arguments[1] >= 1)
    return node.function is not None or node.operation in NUMPY or (node.operation in LIBRARY and not node.keywords)


def fused(graph: Graph) -> Graph:
    """Every chain with something to approximate as one node, of operation `FUSED`, with its function in the clear."""
    roots, users = _roots(graph), graph.users()
    returned = set(graph.returned())
    rewriter = Rewriter(graph)
    for number in range(len(graph)):
        ends = number in returned or any(roots[user] != roots[number] for user in users[number])
        chain = _chain(graph, number, roots) if roots[number] != number and ends else []
        if any(is_function(graph.nodes[k]) for k in chain):
            rewriter.new[number] = rewriter.add(_one(graph, chain, roots[number], rewriter))
        else:
            rewriter.keep(number)
    return rewriter.graph()


def _roots(graph: Graph) -> list[int]:
    """For each node the value that it is an elementwise function of: itself where there is no such."""
    roots: list[int] = []
    for number, node in graph:
        sources = [k for k in node.operands if graph.nodes[k].encrypted]
        others = [graph.nodes[k] for k in node.operands if not graph.nodes[k].encrypted]
        numbers = all(other.operation == CONSTANT and other.scalar is not None for other in others)
        found = {roots[k] for k in sources}
        elementwise = node.operation in ARITHMETIC or is_function(node)
        if elementwise and numbers and len(found) == 1 and node.dtype.kind == "f":
            (root,) = found
            alike = graph.nodes[root].shape == node.shape and graph.nodes[root].dtype.kind == "f"
            roots.append(root if alike else number)
        else:
            roots.append(number)
    return roots


def _chain(graph: Graph, end: int, roots: list[int]) -> list[int]:
    """The nodes from a root to an end, ascending."""
    found, waiting = {end}, [end]
    while waiting:
        for operand in graph.nodes[waiting.pop()].operands:
            if operand != roots[end] and operand not in found:
                found.add(operand)
                waiting.append(operand)
    return sorted(found)


def _one(graph: Graph, chain: list[int], root: int, rewriter: Rewriter) -> Node:
    end = graph.nodes[chain[-1]]
    names = " ".join(dict.fromkeys(_short(graph.nodes[k]) for k in chain if graph.nodes[k].operation != CONSTANT))
    return replace(
        end,
        operation=f"{FUSED} {names}",
        operands=(rewriter.new[root],),
        arguments=(Slot(0),),
        keywords=(),
        function=composed(graph, chain, root),
    )


def _short(node: Node) -> str:
    return node.operation.removeprefix("np.").removeprefix("fhe.")


def composed(graph: Graph, chain: list[int], root: int) -> Callable[[Any], Any]:
    """The chain in the clear, as a function of arrays of any shape."""
    nodes = [(number, graph.nodes[number]) for number in chain]
    numbers = {number: node.scalar for number, node in nodes if node.operation == CONSTANT}

    def function(x: Any) -> Any:
        values: dict[int, Any] = {root: np.asarray(x, dtype=np.float64), **numbers}
        with np.errstate(all="ignore"):
            for number, node in nodes:
                if number not in values:
                    values[number] = compute(node, [values[k] for k in node.operands])
        return values[chain[-1]]

    return function
