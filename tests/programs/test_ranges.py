"""What a value can be: every rule, for every form of its operation, against values at the ends of their intervals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fhe
from fhe import spec
from fhe.programs.graph import Node
from fhe.programs.operations import evaluate
from fhe.programs.ranges import RULES, ranges
from fhe.programs.spec import Spec
from fhe.programs.symbolic import traced
from tests.profiles import quick

TABLE, POSITIVE = spec((2, 3), bound=(-1, 3)), spec((2, 3), bound=(0.5, 3))
VECTOR, OTHER, SQUARE = spec(3, bound=(-1, 3)), spec(3, bound=(-2, 1)), spec((3, 3), bound=(-1, 3))
COMPLEX = spec(4, bound=2, kind="complex")
PLAIN = spec(3, bound=(-2, 1), encrypted=False)
SIGNED = np.array([1.0, -0.5, 0.25])

OF_TABLES: dict[str, Callable[[Any], Any]] = {
    "sums": lambda x: x + x.sum(axis=0) - np.add.reduce(x, axis=-1, keepdims=True),
    "sum from a start": lambda x: np.sum(x, axis=1, initial=-3),
    "means": lambda x: x.mean() - x.mean(axis=0),
    "running sums": lambda x: np.cumsum(x, axis=1) + np.add.accumulate(x, axis=1),
    "moves": lambda x: np.roll(np.concatenate([x, -x]), 1, axis=0)[::-1, 1:],
    "appended": lambda x: np.append(x, [9.0, -9.0]),
    "split": lambda x: np.split(x, 3, axis=1)[2] - np.split(x, 3, axis=1)[0],
    "a number": lambda x: 2 - (-3 * x + 1) / -2,
    "a list": lambda x: [1, -2, 3] - x * [1, -2, 3] / [2, 1, -4] + [1, 2, -3],
    "a constant": lambda x: np.positive(x) * SIGNED - SIGNED,
    "complex numbers": lambda x: np.real((1 + 2j) * x - 1j),
    "powers": lambda x: x**3 - x**4 + np.square(x) * x,
    "a list to multiply by": lambda x: x @ [1, -2, 3],
    "factors in a list": lambda x: np.dot(x, [[1, -2], [3, 4], [-5, 6]]),
    "an inner list": lambda x: np.inner(x, [1, -2, 3]),
    "an outer list": lambda x: np.outer(x, [1, -2, 3]),
    "a contracted list": lambda x: np.tensordot(x, [1, -2, 3], axes=([-1], [-1])),
    "a summed list": lambda x: np.einsum("ij,j->i", x, [1, -2, 3]),
    "squares of rows": lambda x: x @ x.T,
    "average": lambda x: np.average(x) + np.average(x, axis=0),
    "weighted": lambda x: np.average(x, axis=1, weights=[1, 0.5, 0.25]),
    "weighted by signs": lambda x: np.average(x, axis=1, weights=SIGNED),
    "weighted by signs below": lambda x: np.average(x, 1, -SIGNED),
    "weighted by elements": lambda x: np.average(x, axis=0, weights=[SIGNED, -2 * SIGNED + 3], keepdims=True),
    "products": lambda x: np.prod(x, axis=1) + np.multiply.reduce(x, axis=1),
    "product from below": lambda x: np.prod(x, axis=1, initial=-3),
    "variance": lambda x: np.var(x, axis=1) + np.var(x, axis=1, ddof=1),
    "differences": lambda x: np.diff(x, axis=0),
    "second differences": lambda x: np.diff(x, 2),
    "magnitudes": lambda x: np.abs(x - 1) * fhe.abs(x),
    "signs": lambda x: fhe.sign(x) + np.sign(x),
    "either": lambda x: np.where(x > 0, x, -5) + fhe.where(x >= 1, 7, x),
    "either of lists": lambda x: np.where(x > [0, 1, 2], [5, -7, 9], x),
    "extremes": lambda x: np.maximum(x, [1, -2, 1]) - fhe.minimum(x, 2) + np.clip(x, 0, 2),
    "sorted": lambda x: fhe.sort([x[0], x[1]])[0] - fhe.sort([x[0], x[1]])[1],
    "the place": lambda x: fhe.argmax([x[0], x[1]]) - fhe.argmin([x[0], x[1]]),
    "functions": lambda x: np.exp(-x * x) + fhe.sigmoid(x) - fhe.relu(x) + np.sin(2 * x),
    "softmax": lambda x: fhe.softmax(x / 4),
    "promised": lambda x: fhe.assume(x * 3, (-3, 9)),
}
FORMS: dict[str, tuple[Callable[..., Any], list[Spec]]] = {
    **{name: (function, [TABLE]) for name, function in OF_TABLES.items()},
    "inverse powers": (lambda x: x**-1 + 1 / x - 2 / np.reciprocal(x), [POSITIVE]),
    "quotients": (lambda x, y: x / (y + 4) - x / (y - 2), [VECTOR, OTHER]),
    "squares of what is lower than it is high": (lambda x: np.square(x) - x * x, [OTHER]),
    "a divisor on both sides of zero": (lambda x, y: x / (y + 0.5), [VECTOR, OTHER]),
    "comparisons": (lambda x, y: (x > y) * x + (x <= y) - 2 * (x < y) + (x >= y), [VECTOR, OTHER]),
    "a square": (lambda x: x @ x - np.vdot(x, [1, -2, 3]), [VECTOR]),
    "a product with a list": (lambda x: np.multiply.outer(x, [1, -2, 1]), [VECTOR]),
    "matrices": (lambda x: np.dot(x, x) - np.trace(x) + np.diagonal(x), [SQUARE]),
    "filters": (lambda x: np.convolve(x, [1, -2, 1]) - np.correlate(x, [1, -2, 1], "full"), [VECTOR]),
    "a filter by name": (lambda x: np.convolve(x, v=[1, -2, 1]), [VECTOR]),
    "three factors": (lambda x, y: np.einsum("i,i,j->ij", x, y, x), [VECTOR, OTHER]),
    "products of signs": (lambda x, y: x * y - np.outer(x, y).sum(axis=1) + np.vdot(x, y), [VECTOR, OTHER]),
    "plain": (lambda x, y: x @ y + np.tensordot(x, y, 1), [VECTOR, PLAIN]),
    "plain in a list": (lambda x, y: np.dot(x, [y[0], 2, -3]) + x * [y[0], 2, -3], [VECTOR, PLAIN]),
    "plain weights": (lambda x, y: np.average(x, weights=y + 3), [VECTOR, PLAIN]),
    "parts": (lambda z: np.imag(z) * np.real(z), [COMPLEX]),
    "parts of products": (lambda x: ((1 + 2j) * x).imag - (x @ np.array([1j, 2, 3 + 1j])).imag, [VECTOR]),
    "conjugates": (lambda z: (z * np.conj(z)) - z[::-1] + (1 + 2j) * z, [COMPLEX]),
    "complex": (lambda z: z - np.array([1j, 1, 2, 3]) * z + (3 - 4j), [COMPLEX]),
}


def drawn(said: Spec, rng: np.random.Generator) -> Any:
    """An array of which many elements are at an end of their interval."""
    if said.kind == "complex":
        return said.bound * np.exp(1j * rng.choice([0, 1, 2, 3, rng.uniform(0, 4)], said.shape) * np.pi / 2)
    return rng.choice([said.low, said.high, rng.uniform(said.low, said.high)], said.shape)


@pytest.mark.parametrize("name", FORMS)
def test_every_value_is_within_its_range(name: str) -> None:
    function, said = FORMS[name]
    specs = dict(zip(["x", "y"], said, strict=False)) if len(said) == 2 else {_argument(function): said[0]}
    graph = traced(function, specs)
    known = ranges(graph, specs)

    def watch(number: int, node: Node, value: Any) -> None:
        low, high, value = known[number].low, known[number].high, np.asarray(value)
        slack = 1e-9 * (1 + np.abs(value))
        if value.dtype.kind == "c":
            assert np.all(np.abs(value) <= high + slack), node
        else:
            assert np.all(low - slack <= value), node
            assert np.all(value <= high + slack), node

    rng = np.random.default_rng(0)
    for _ in range(quick(100)):
        evaluate(graph, {name: drawn(spec, rng) for name, spec in specs.items()}, watch)


def _argument(function: Callable[..., Any]) -> str:
    return function.__code__.co_varnames[0]


def test_every_rule_has_been_tried() -> None:
    tried = {node.operation for function, said in FORMS.values() for node in _nodes(function, said)}
    rules = {rule.__name__ for name, rule in RULES.items() if name in tried}
    assert {rule.__name__ for rule in RULES.values()} <= rules


def _nodes(function: Callable[..., Any], said: list[Spec]) -> tuple[Node, ...]:
    return traced(function, dict(zip(function.__code__.co_varnames, said, strict=False))).nodes


@pytest.mark.parametrize(
    "function",
    [lambda x: x @ [1.0, -2.0, 1.0], lambda x: np.average(x, weights=SIGNED), lambda x: np.imag(x * 1j).sum() / 2],
    ids=["factors in a list", "signed weights", "imaginary parts"],
)
def test_what_such_values_are_approximated_on_holds_them(function: Callable[[Any], Any]) -> None:
    program = fhe.compile(lambda x: np.tanh(function(x)), VECTOR, precision=1e-2, insecure="a test", ring_degree=1024)
    owner, values = program.keygen(), np.array([3.0, -1.0, 3.0])
    decrypted = owner.decrypt(program(program.encrypt(owner, values)))
    assert np.allclose(decrypted, program.clear(values), atol=1e-2)
