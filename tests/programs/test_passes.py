"""Tracing and every pass keep the meaning of a function: in the clear its results stay what they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fhe
from fhe.programs.compiler import PASSES
from fhe.programs.graph import Graph, Node
from fhe.programs.operations import evaluate, in_the_clear
from fhe.programs.passes.common import without_repetitions
from fhe.programs.passes.dead import without_dead
from fhe.programs.passes.fuse import fused
from fhe.programs.ranges import ranges
from fhe.programs.symbolic import traced
from tests.profiles import quick
from tests.programs.strategies import COLUMNS, MATRIX, ROWS, functions

SPECS = {"x": fhe.spec((ROWS, COLUMNS), bound=1.5), "y": fhe.spec((COLUMNS,), bound=(-1, 2))}
REALS = st.integers(0, 2**32)


def arguments(seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {name: rng.uniform(spec.low, spec.high, spec.shape) for name, spec in SPECS.items()}


def encrypted(function: Callable[..., Any]) -> Graph | None:
    """The graph, where all that is returned depends on an argument."""
    return traced(function, SPECS)


def same(found: Any, expected: Any) -> None:
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)


@settings(max_examples=quick(60), deadline=None)
@given(functions(), REALS)
def test_a_traced_function_computes_what_it_computed(function: Callable[..., Any], seed: int) -> None:
    values = arguments(seed)
    same(in_the_clear(traced(function, SPECS), values), function(**values))


@pytest.mark.parametrize("name", sorted({transformed.__name__ for transformed in PASSES}))
@settings(max_examples=quick(40), deadline=None)
@given(function=functions(), seed=REALS)
def test_a_pass_keeps_results(name: str, function: Callable[..., Any], seed: int) -> None:
    transformed = next(one for one in PASSES if one.__name__ == name)
    graph, values = traced(function, SPECS), arguments(seed)
    same(in_the_clear(transformed(graph), values), in_the_clear(graph, values))


@settings(max_examples=quick(40), deadline=None)
@given(functions(), REALS)
def test_all_passes_together_keep_results(function: Callable[..., Any], seed: int) -> None:
    graph = found = traced(function, SPECS)
    for transformed in PASSES:
        found = transformed(found)
    values = arguments(seed)
    same(in_the_clear(found, values), in_the_clear(graph, values))


@settings(max_examples=quick(60), deadline=None)
@given(functions(), REALS)
def test_every_value_is_within_its_range(function: Callable[..., Any], seed: int) -> None:
    graph = traced(function, SPECS)
    known = ranges(graph, SPECS)

    def watch(number: int, node: Node, value: Any) -> None:
        slack = 1e-9 * (1 + np.abs(value))
        assert np.all(known[number].low - slack <= value), node
        assert np.all(value <= known[number].high + slack), node

    evaluate(graph, arguments(seed), watch)


# --- what each pass is for -------------------------------------------------------------------------------------------


def names(graph: Graph) -> list[str]:
    return [node.operation for node in graph.nodes]


def of_x(function: Callable[[Any], Any]) -> Graph:
    return traced(function, {"x": SPECS["x"]})


def test_what_nobody_uses_is_left_out() -> None:
    def wasteful(x: Any) -> Any:
        _ = np.exp(x).sum()
        return x + 1

    assert names(without_dead(of_x(wasteful))) == ["input", "np.add"]


def test_what_is_computed_twice_is_computed_once() -> None:
    graph = of_x(lambda x: (x * np.arange(3.0) + 2) * (2 + np.arange(3.0) * x))
    found = without_repetitions(graph)
    assert names(without_dead(found)).count("np.add") == 1
    assert found.nodes[-1].operands[0] == found.nodes[-1].operands[1]


def test_different_arguments_are_not_one() -> None:
    graph = of_x(lambda x: (x[0], x[1], x.sum(axis=0), x.sum(axis=1), x + 1, x + 1.5))
    assert len(without_repetitions(graph)) == len(graph)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: 1 / (1 + np.exp(-x)),
        lambda x: np.exp(-(x**2)),
        lambda x: np.log1p(np.exp(2 * x + 1)) * 3 - 0.5,
        lambda x: x * np.tanh(x) + x**2,
        lambda x: np.sqrt(4 + x) / (3 + x),
    ],
    ids=["logistic", "bell", "softplus", "both", "quotient"],
)
def test_a_chain_of_functions_of_one_value_becomes_one(function: Callable[[Any], Any]) -> None:
    graph = of_x(function)
    for transformed in PASSES:
        graph = transformed(graph)
    kinds = [name.split()[0] for name in names(graph)]
    assert kinds == ["input", "function"]


def test_polynomials_and_functions_of_two_values_are_not_fused() -> None:
    assert names(fused(of_x(lambda x: 2 * x**3 - x))) == names(of_x(lambda x: 2 * x**3 - x))
    graph = fused(of_x(lambda x: np.exp(x) * x.sum(axis=0)))
    assert [name.split()[0] for name in names(graph)] == ["input", "function", "np.sum", "np.multiply"]


def test_a_link_that_is_also_returned_is_a_function_of_its_own() -> None:
    def softmax(x: Any) -> Any:
        e = np.exp(x)
        return e, e / (1 + e)

    graph = of_x(softmax)
    for transformed in PASSES:
        graph = transformed(graph)
    assert [name.split()[0] for name in names(graph)] == ["input", "function", "function"]


@pytest.mark.parametrize(
    ("function", "operations"),
    [
        (lambda x: x / 3 * 2 / 5, ["np.multiply"]),
        (lambda x: 2 * x.mean() / 7, ["np.sum", "np.multiply"]),
        (lambda x: (x @ MATRIX) / 3, ["np.matmul"]),
        (lambda x: (x * MATRIX[0]) * 0.5, ["np.multiply"]),
        (lambda x: (x + 1) / 3, ["np.add", "np.multiply"]),
    ],
)
def test_factors_meet(function: Callable[[Any], Any], operations: list[str]) -> None:
    graph = of_x(function)
    for transformed in PASSES:
        graph = transformed(graph)
    assert [name for name in names(graph) if name not in ("input", "constant")] == operations


def test_a_value_that_others_use_keeps_its_factor() -> None:
    def both(x: Any) -> Any:
        y = x @ MATRIX
        return y, y / 3

    graph = of_x(both)
    for transformed in PASSES:
        graph = transformed(graph)
    values = {"x": arguments(1)["x"]}
    same(in_the_clear(graph, values), both(**values))
    assert names(graph).count("np.matmul") == 1


def test_integers_stay_integers() -> None:
    specs = {"x": fhe.spec(3, bound=5, kind="integer")}
    graph = traced(lambda x: (x @ np.arange(9).reshape(3, 3)) * 4 * 3, specs)
    for transformed in PASSES:
        graph = transformed(graph)
    x = np.array([1, -5, 3])
    found = in_the_clear(graph, {"x": x})
    assert found.dtype.kind == "i"
    assert np.array_equal(found, 12 * (x @ np.arange(9).reshape(3, 3)))


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x * np.array([2**40, 1, 1]) * 2**30,
        lambda x: (x @ np.array([[2**40], [1], [0]])) * 2**24 * 2**8,
        lambda x: x * np.array([2**61, 1, -1]) * -8,
    ],
)
def test_integer_factors_do_not_wrap(function: Callable[[Any], Any]) -> None:
    specs = {"x": fhe.spec(3, bound=1, kind="integer")}
    graph = traced(function, specs)
    for transformed in PASSES:
        graph = transformed(graph)
    x = np.array([1, -1, 1], dtype=object)
    assert np.array_equal(in_the_clear(graph, {"x": x}), function(x))
