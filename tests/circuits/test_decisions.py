"""Public thresholds and binary decisions, on plain numbers that count products: values, work and depth."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhe.circuits.decisions import LEAF, Decision, depth_of_decision
from fhe.circuits.thresholds import Thresholds, depth_of_thresholds
from tests.circuits.counted import Counted


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("width", range(1, 9))
def test_every_integer_against_every_constant(width: int, signed: bool) -> None:
    low = -(1 << (width - 1)) if signed else 0
    x = np.arange(low, low + (1 << width))
    circuit = Thresholds([Counted(x >> i & 1) for i in range(width)], signed)
    for c in range(low - 2, low + (1 << width) + 2):
        found = Counted.of(circuit.greater(c))
        assert np.array_equal(np.broadcast_to(found.value, x.shape), x > c)
        assert found.depth <= depth_of_thresholds(width)


@given(constants=st.sets(st.integers(0, 2**16 - 1), min_size=1, max_size=300))
def test_many_constants_share_their_bytes(constants: set[int]) -> None:
    """A product for each, two bytes above and one below for each that is new, 10 at most for each byte of a byte."""
    Counted.products = 0
    circuit = Thresholds([Counted(0)] * 16)
    for c in constants:
        circuit.greater(c)
    above, below = ({c >> 8 for c in constants}, {c & 255 for c in constants})
    bytes_above = {a - 1 for a in above} | above
    nibbles = 4 * min(16, 2 * len(bytes_above))
    assert Counted.products <= len(constants) + len(bytes_above) + len(below) + nibbles + 8


def random_tree(rng: np.random.Generator, inner: int) -> tuple[list[int], list[int]]:
    """Leaves split one after another."""
    left, right, leaves = [LEAF], [LEAF], [0]
    for _ in range(inner):
        node = leaves.pop(rng.integers(len(leaves)))
        left[node], right[node] = len(left), len(left) + 1
        leaves += [len(left), len(left) + 1]
        left += [LEAF, LEAF]
        right += [LEAF, LEAF]
    return left, right


def full_tree(height: int) -> tuple[list[int], list[int]]:
    inner = (1 << height) - 1
    nodes = range(2 * inner + 1)
    return [2 * i + 1 if i < inner else LEAF for i in nodes], [2 * i + 2 if i < inner else LEAF for i in nodes]


def reached(left: list[int], right: list[int], answers: Any) -> Any:
    at, rows = np.zeros(answers.shape[1], dtype=int), np.arange(answers.shape[1])
    for _ in left:
        down = np.where(answers[at, rows], np.array(right)[at], np.array(left)[at])
        at = np.where(down == LEAF, at, down)
    return at


@pytest.mark.parametrize("hidden", [False, True])
@given(inner=st.integers(0, 40), outputs=st.integers(1, 4), same=st.booleans(), seed=st.integers(0, 2**32))
def test_whatever_the_tree(inner: int, outputs: int, same: bool, hidden: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    left, right = random_tree(rng, inner)
    answers = rng.integers(0, 2, (len(left), 50))
    values = rng.integers(-1 if same else -9, 1 if same else 9, (len(left), outputs))

    def leaf(node: int) -> list[Any]:
        return [Counted(int(value)) if hidden else int(value) for value in values[node]]

    decision = Decision(left, right, lambda node: Counted(answers[node]), leaf)
    expected = values[reached(left, right, answers)]
    for output, value in enumerate(decision.values()):
        found = Counted.of(value)
        assert np.array_equal(np.broadcast_to(found.value, 50), expected[:, output])
        assert found.depth <= depth_of_decision(decision.height, hidden)


@pytest.mark.parametrize("outputs", [1, 2, 5])
@pytest.mark.parametrize("height", range(1, 11))
def test_products_grow_like_the_questions_and_depth_like_their_logarithm(height: int, outputs: int) -> None:
    left, right = full_tree(height)
    Counted.products = 0
    values = np.arange(len(left))[:, None] * np.arange(1, outputs + 1)
    found = Decision(left, right, lambda _: Counted(0), lambda leaf: values[leaf].tolist()).values()
    assert max(value.depth for value in found) == math.ceil(math.log2(height))
    questions = (1 << height) - 1
    assert Counted.products <= questions * (1 if outputs == 1 else 1.5 if outputs == 2 else 2.5)
