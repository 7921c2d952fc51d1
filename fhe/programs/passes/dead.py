"""Without what nobody uses."""

from __future__ import annotations

from fhe.programs.graph import Graph, Rewriter


def without_dead(graph: Graph) -> Graph:
    """The graph of what is returned, and of all its arguments."""
    alive = {*graph.returned(), *graph.inputs.values()}
    for number in range(len(graph) - 1, -1, -1):
        if number in alive:
            alive.update(graph.nodes[number].operands)
    rewriter = Rewriter(graph)
    for number in sorted(alive):
        rewriter.keep(number)
    return rewriter.graph()
