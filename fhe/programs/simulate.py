"""Results as they will be: computed in the clear, by the polynomials that stand in for functions, with noise."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from fhe.arrays.approximate import ApproximateFunction
from fhe.programs.dry import DryMachine
from fhe.programs.graph import Graph, mapped
from fhe.programs.operations import in_the_clear
from fhe.programs.plan import Plan


def simulated(plan: Plan, inputs: dict[str, Any], seed: int | None = None) -> Any:
    """The results for plain arguments, each with Gaussian noise of the root mean square that is expected of it."""
    rng, found = np.random.default_rng(seed), in_the_clear(plan.graph, inputs)
    if plan.precision is None:
        return found
    deviations = dict(zip(plan.graph.returned(), _deviations(plan), strict=True))
    arrays = dict(zip(plan.graph.returned(), _flat(found), strict=True))

    def noisy(number: int) -> Any:
        values = np.asarray(arrays[number])
        noise, other = rng.normal(0.0, deviations[number], (2, *values.shape))
        return values + (noise + 1j * other if values.dtype.kind == "c" else noise)

    return mapped(plan.graph.outputs, lambda slot: noisy(slot.index))


@lru_cache(maxsize=16)
def _deviations(plan: Plan) -> tuple[float, ...]:
    """Of each result, what noise alone makes of it: from a dry run with polynomials that err not."""
    trial = DryMachine(plan.parameters).run(_without_errors(plan.graph), plan.specs)
    return tuple(2.0**-y.expected_precision_bits for y in trial.outputs)


def _without_errors(graph: Graph) -> Graph:
    def exact(part: Any) -> Any:
        return ApproximateFunction(part.stages, 0.0, part.gaps) if isinstance(part, ApproximateFunction) else part

    nodes = (replace(node, arguments=tuple(map(exact, node.arguments))) for node in graph.nodes)
    return Graph(tuple(nodes), graph.inputs, graph.outputs)


def _flat(found: Any) -> list[Any]:
    """What a program returned, in the order of its outputs."""
    if isinstance(found, dict):
        return [array for part in found.values() for array in _flat(part)]
    if isinstance(found, tuple | list):
        return [array for part in found for array in _flat(part)]
    return [found]
