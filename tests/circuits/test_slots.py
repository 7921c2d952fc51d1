"""Sums, copies, selections and permutations of slots, and products of many, against NumPy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fhe.backend.choose import choose
from fhe.circuits import slots
from fhe.circuits.products import depth_of_product, product_of
from fhe.circuits.slots import Permutation
from fhe.errors import EncodingError, MissingKeyError
from fhe.owner import KeyOwner
from fhe.rlwe.ciphertext import Ciphertext
from tests.circuits.test_linear import assert_holds, decrypted, encrypted, numbers
from tests.schemes.owners import BFV, CKKS, shared_owner
from tests.schemes.test_bfv_products import DEEP
from tests.strategies import SEEDS


@pytest.fixture(scope="session", params=[CKKS, BFV], ids=["ckks", "bfv"])
def party(request: pytest.FixtureRequest) -> KeyOwner:
    return shared_owner(request.param, choose("native"))


def rows_of(owner: KeyOwner, values: NDArray[Any]) -> NDArray[Any]:
    return values.reshape(-1, owner.evaluator.row)


def full(owner: KeyOwner, seed: int) -> tuple[NDArray[Any], Ciphertext]:
    values = numbers(owner.parameters, seed, owner.evaluator.slots)
    return values, encrypted(owner, values)


@given(seed=SEEDS)
@settings(max_examples=5)
def test_sums_and_copies(party: KeyOwner, seed: int) -> None:
    ev, (values, x) = party.evaluator, full(party, seed)
    sums = rows_of(party, values).sum(axis=1)
    assert_holds(party, slots.sum_row(ev, x), np.repeat(sums, ev.row))
    assert_holds(party, slots.sum_slots(ev, x), np.full(ev.slots, sums.sum()))
    index = seed % ev.slots
    copied = slots.replicate(ev, x, index)
    assert_holds(party, copied, np.full(ev.slots, values[index]))
    assert (copied.interval, copied.bound) == (x.interval, x.bound)


@given(seed=SEEDS, size=st.integers(1, 16))
@settings(max_examples=5)
def test_selection(party: KeyOwner, seed: int, size: int) -> None:
    ev, mask = party.evaluator, np.random.default_rng(seed).random(size) < 0.5
    (v, x), (w, y) = full(party, seed), full(party, seed + 1)
    padded = np.concatenate([mask, np.zeros(ev.slots - size, dtype=bool)])
    chosen = slots.select(ev, mask, x, y)
    assert_holds(party, chosen, np.where(padded, v, w))
    assert chosen.bound == max(x.bound, y.bound)


@st.composite
def orders(draw: st.DrawFn) -> list[int]:
    """Of 1 to 16 slots from all of a row; shuffles, rolls, copies of one slot."""
    size, row = draw(st.integers(1, 16)), 16
    kind = draw(st.sampled_from(["any", "shuffle", "roll", "one"]))
    if kind == "shuffle":
        return draw(st.permutations(range(size)))
    if kind == "roll":
        step = draw(st.integers(0, row - 1))
        return [(i + step) % row for i in range(size)]
    if kind == "one":
        return [draw(st.integers(0, row - 1))] * size
    return draw(st.lists(st.integers(0, row - 1), min_size=size, max_size=size))


@given(order=orders(), seed=SEEDS)
@settings(max_examples=15)
def test_permutations_of_a_row(party: KeyOwner, order: list[int], seed: int) -> None:
    values, x = full(party, seed)
    permutation = Permutation(party.evaluator, order)
    expected = np.zeros(party.evaluator.slots, dtype=values.dtype)
    expected[: len(order)] = values[order]
    assert_holds(party, permutation(x), expected)
    distances = {(j - i) % party.evaluator.row for i, j in enumerate(order)}
    assert len(permutation.rotations) <= len(distances)


@given(order=st.permutations(range(32)), seed=SEEDS)
@settings(max_examples=5)
def test_permutations_across_both_rows(order: list[int], seed: int) -> None:
    bfv = shared_owner(BFV, choose("native"))
    values, x = full(bfv, seed)
    permutation = Permutation(bfv.evaluator, order)
    assert_holds(bfv, permutation(x), values[order])
    assert len(permutation.rotations) <= 15
    swapped = Permutation(bfv.evaluator, [*range(16, 32), *range(16)])
    assert swapped.rotations == []
    assert_holds(bfv, swapped(x), np.roll(values, 16))


def test_what_is_not_a_slot_is_refused(party: KeyOwner) -> None:
    ev, (_, x) = party.evaluator, full(party, 1)
    for index in (-1, ev.slots):
        with pytest.raises(EncodingError, match=rf"slot {index} is outside 0 … {ev.slots - 1}"):
            slots.replicate(ev, x, index)
        with pytest.raises(EncodingError, match=f"from 0 to {ev.slots - 1}"):
            Permutation(ev, [index])
    for order in ([], [[0]], [0] * (ev.slots + 1)):
        with pytest.raises(EncodingError, match=f"a vector of 1 to {ev.slots}"):
            Permutation(ev, order)  # type: ignore[arg-type]
    for mask in ([1, 0], [[True]], [True] * (ev.slots + 1)):
        with pytest.raises(EncodingError, match=f"at most {ev.slots} booleans"):
            slots.select(ev, mask, x, x)
    keyless = party.public(rotations=[]).evaluator
    with pytest.raises(MissingKeyError):
        Permutation(keyless, [1, 2, 0])


# --- products of many -------------------------------------------------------------------------------------------------


@given(seed=SEEDS, count=st.integers(1, 6))
@settings(max_examples=5)
def test_products_of_many(party: KeyOwner, seed: int, count: int) -> None:
    values = [numbers(party.parameters, seed + i, 16) for i in range(count)]
    product = product_of(party.evaluator, [encrypted(party, v) for v in values])
    settled = party.evaluator.settle(product)
    assert_holds(party, settled, np.prod(values, axis=0))
    if party.parameters.scheme == "ckks":
        assert settled.level == party.parameters.max_level - depth_of_product(count)


def test_deep_factors_wait() -> None:
    """x^4, of two levels, and two fresh factors: the fresh ones meet first."""
    keys = shared_owner(CKKS, choose("native"))
    ev, v = keys.evaluator, numbers(CKKS, 3, 16)
    x = encrypted(keys, v)
    deep = ev.settle(ev.square(ev.settle(ev.square(x))))
    assert deep.level == 1
    settled = ev.settle(product_of(ev, [deep, x, x]))
    assert settled.level == 0
    assert_holds(keys, settled, v**6)


def test_products_of_many_take_logarithmic_room() -> None:
    keys = shared_owner(DEEP, choose("native"))
    ev, t = keys.evaluator, DEEP.plain_modulus
    values = np.random.default_rng(4).integers(-128, 129, (16, 32))
    xs = [keys.encrypt(v, bound=math.inf).shards[0] for v in values]
    product, chain = product_of(ev, xs), xs[0]
    for x in xs[1:5]:
        chain = ev.settle(ev.multiply(chain, x))
    assert ev.room_bits(product) > ev.room_bits(chain) - 8  # four in a row, either way
    exact = np.array([math.prod(map(int, column)) for column in values.T], dtype=object)
    found = decrypted(keys, ev.settle(product))
    assert ((found - exact) % t == 0).all()
    with pytest.raises(EncodingError, match="one factor at least"):
        product_of(ev, [])
