"""Polynomials mod t on ciphertexts, against Python's integers: values, products, depth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhe.backend.protocol import Backend
from fhe.bfv.evaluator import BFVEvaluator
from fhe.choice import choose_bfv
from fhe.circuits.differences import (
    differ,
    greater,
    plan_differ,
    plan_greater,
    plan_sign,
    sign,
)
from fhe.circuits.modular import cheapest_split, evaluate, evaluate_odd, interpolate
from fhe.errors import NoiseError
from fhe.interval import Interval
from fhe.owner import KeyOwner
from fhe.reference.backend import ReferenceBackend
from tests.profiles import quick
from tests.schemes.owners import INSECURE, shared_owner

T = 257
DEEP = choose_bfv(9, plain_modulus=T, ring_degree=32, insecure=INSECURE)
SHALLOW = choose_bfv(2, plain_modulus=T, ring_degree=32, insecure=INSECURE)


class Counting(BFVEvaluator):
    """Counts products, and how many are in a row."""

    def __init__(self, owner: KeyOwner) -> None:
        assert isinstance(owner.evaluator, BFVEvaluator)
        super().__init__(owner.evaluator.encoder, owner.evaluator.keys)
        self.products = 0

    def inner_product(self, xs: Any, ys: Any) -> Any:
        self.products += len(xs)
        return super().inner_product(xs, ys)


def polynomial(coefficients: list[int], x: np.ndarray, odd: bool) -> np.ndarray:
    powers = [x.astype(object) ** (2 * i + 1 if odd else i) for i in range(len(coefficients))]
    return sum(c * p for c, p in zip(coefficients, powers, strict=True)) % T


@pytest.mark.parametrize("odd", [False, True])
@settings(max_examples=quick(15))
@given(coefficients=st.lists(st.integers(-128, 128), min_size=1, max_size=24), seed=st.integers(0, 2**32))
def test_values_and_work_of_a_polynomial(backend: Backend, odd: bool, coefficients: list[int], seed: int) -> None:
    owner = shared_owner(DEEP, backend)
    evaluator, n = Counting(owner), len(coefficients)
    x = np.random.default_rng(seed).integers(0, T, 32)
    hidden = owner.encrypt(x, bound=(0, T - 1)).shards[0]
    found = evaluator.settle((evaluate_odd if odd else evaluate)(evaluator, hidden, coefficients))
    assert np.array_equal(evaluator.decode(owner._secret.decrypt(found), found) % T, polynomial(coefficients, x, odd))
    assert evaluator.products <= cheapest_split(n, odd).products
    if all(coefficients):
        assert evaluator.products == cheapest_split(n, odd).products


@pytest.mark.parametrize("n", [1, 2, 3, 5, 16, 17, 100, 333])
def test_splits_are_near_the_square_root(n: int) -> None:
    assert cheapest_split(n).products <= 2 * n**0.5 + n.bit_length()
    assert cheapest_split(n).depth == (n - 1).bit_length()
    assert cheapest_split(n, odd=True).depth == (2 * n - 1).bit_length()


@pytest.mark.parametrize("t", [257, 65537, (1 << 50) - 27])
@given(values=st.lists(st.integers(0, 2**50), min_size=1, max_size=30), low=st.integers(-50, 50))
def test_interpolation_goes_through_its_table(t: int, values: list[int], low: int) -> None:
    points = range(low, low + len(values))
    coefficients = interpolate(points, values, t)
    assert len(coefficients) <= len(values)
    assert [sum(c * p**i for i, c in enumerate(coefficients)) % t for p in points] == [v % t for v in values]


@st.composite
def differences(draw: st.DrawFn) -> Interval:
    low, high = draw(st.integers(-20, 0)), draw(st.integers(0, 20))
    return Interval(low, max(high, low + 1))


@settings(max_examples=quick(8))
@given(difference=differences())
def test_every_difference_is_decided(backend: Backend, difference: Interval) -> None:
    """All of the interval at once, in the slots; and as much as was planned."""
    owner, (low, high) = shared_owner(DEEP, backend), difference.ends
    d = np.resize(np.arange(low, high + 1), 32) if high - low < 32 else np.linspace(low, high, 32).astype(int)
    plans = [plan_greater(difference), plan_differ(difference, T), plan_sign(difference)]
    for decide, plan, expected in zip((greater, differ, sign), plans, (d > 0, d != 0, np.sign(d)), strict=True):
        evaluator = Counting(owner)
        found = decide(evaluator, owner.encrypt(d, bound=(low, high)).shards[0], difference)
        assert np.array_equal(evaluator.decode(owner._secret.decrypt(found), found), expected)
        assert evaluator.products <= plan.products


def test_what_does_not_fit_is_said_before_any_product() -> None:
    owner = shared_owner(SHALLOW, ReferenceBackend())
    evaluator, difference = Counting(owner), Interval(-20, 20)
    d = owner.encrypt([1], bound=20).shards[0]
    with pytest.raises(NoiseError, match=r"x > y takes 6 products in a row and one with constants, .* with \d more"):
        greater(evaluator, d, difference)
    assert evaluator.products == 0


def test_fermat_decides_all_residues(backend: Backend) -> None:
    """Where every difference may occur, a power of a small t is the cheapest."""
    owner, difference = shared_owner(DEEP, backend), Interval(-128, 128)
    assert plan_differ(difference, T).form == "Fermat power"
    d = np.arange(-16, 16) * 8
    found = differ(owner.evaluator, owner.encrypt(d, bound=128).shards[0], difference)
    assert np.array_equal(owner.evaluator.decode(owner._secret.decrypt(found), found), d != 0)
