"""Comparison of encrypted arrays, against NumPy: differences, bits, choices, orders; and what is refused."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fhe
from fhe.arrays import comparison
from fhe.arrays.bits import EncryptedBits
from fhe.arrays.exact import interval_of
from fhe.backend.choose import choose
from fhe.choice import choose_bfv
from fhe.context import Context
from fhe.errors import EncodingError, FormatError, NoiseError
from fhe.interval import Interval
from fhe.io.format import Container
from fhe.owner import KeyOwner
from tests.schemes.owners import INSECURE, owner

DEEP = choose_bfv(12, plain_modulus=65537, ring_degree=64, insecure=INSECURE)
SMALL = choose_bfv(8, plain_modulus=257, ring_degree=64, insecure=INSECURE)

COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "greater": lambda x, y: x > y,
    "greater_equal": lambda x, y: x >= y,
    "less": lambda x, y: x < y,
    "less_equal": lambda x, y: x <= y,
    "equal": lambda x, y: x == y,
    "not_equal": lambda x, y: x != y,
}


def quick(examples: int) -> int:
    """So many, or all that the profile asks for when it is the wide one."""
    return min(examples, settings().max_examples) if settings().max_examples < 100 else settings().max_examples


@cache
def deep() -> KeyOwner:
    return owner(DEEP, choose())


@cache
def small() -> KeyOwner:
    return owner(SMALL, choose())


@st.composite
def pairs(draw: st.DrawFn, low: int, high: int, count: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Two vectors within bounds: many ends, zeros, and equals."""
    value = st.integers(low, high) | st.sampled_from([low, high, 0, low + 1, high - 1])
    x = draw(st.lists(value, min_size=count, max_size=count))
    y = [draw(value | st.just(v) | st.just(min(v + 1, high))) for v in x]
    return np.array(x, dtype=object), np.array(y, dtype=object)


def padding_is_zero(party: KeyOwner, x: Any) -> bool:
    """Whether the slots beyond the elements hold zero, as the array says."""
    last = x.settled().shards[-1]
    holds = x.layout.pack(np.ones(x.shape, dtype=np.int64))[-1]
    return not x.layout.clean or not party.evaluator.decode(party._secret.decrypt(last), last)[holds == 0].any()


@pytest.mark.parametrize("name", COMPARISONS)
@settings(max_examples=quick(10))
@given(xy=pairs(-9, 9))
def test_by_difference(name: str, xy: tuple[np.ndarray, np.ndarray]) -> None:
    party, compare, (x, y) = small(), COMPARISONS[name], xy
    a, b = party.encrypt(x, bound=9), party.encrypt(y, bound=9)
    for found, expected in [
        (compare(a, b), compare(x, y)),
        (compare(a, y), compare(x, y)),
        (compare(x[0], b), compare(x[0], y)),
        (getattr(np, name)(a, int(y[0])), compare(x, y[0])),
    ]:
        assert np.array_equal(party.decrypt(found), expected.astype(int))
        assert interval_of(found) == Interval(0, 1)
        assert padding_is_zero(party, found)


def test_by_difference_everywhere(backend: Any) -> None:
    party, x, y = owner(SMALL, backend), np.array([-3, 0, 2, 3]), np.array([3, 0, 1, 3])
    a, b = party.encrypt(x, bound=3), party.encrypt(y, bound=3)
    for compare in COMPARISONS.values():
        assert np.array_equal(party.decrypt(compare(a, b)), compare(x, y))


@pytest.mark.parametrize("name", COMPARISONS)
@pytest.mark.parametrize(("bits", "signed"), [(1, False), (6, True), (16, False), (33, True)])
@settings(max_examples=quick(5))
@given(data=st.data())
def test_by_bits(name: str, bits: int, signed: bool, data: st.DataObject) -> None:
    party, compare = deep(), COMPARISONS[name]
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    x, y = data.draw(pairs(low, high))
    a, b = party.encrypt_bits(x, bits, signed=signed), party.encrypt_bits(y, bits, signed=signed)
    edge = data.draw(st.sampled_from([low - 2, low - 1, low, 0, 1, high, high + 1, 2 * high]))
    for found, expected in [
        (compare(a, b), compare(x, y)),
        (compare(a, y), compare(x, y)),
        (compare(a, edge), compare(x, edge)),
        (compare(edge, a), compare(edge, x)),
    ]:
        assert np.array_equal(party.decrypt(found), expected.astype(int))
        assert padding_is_zero(party, found)


@settings(max_examples=quick(5))
@given(xy=pairs(0, 255), narrow=pairs(-8, 7))
def test_arithmetic_of_bits(xy: tuple[np.ndarray, np.ndarray], narrow: tuple[np.ndarray, np.ndarray]) -> None:
    """Exact, whatever the widths and signs: sums and differences grow."""
    party, (x, _), (_, y) = deep(), xy, narrow
    a, b = party.encrypt_bits(x, 8), party.encrypt_bits(y, 4, signed=True)
    assert party.decrypt(a + b).tolist() == (x + y).tolist()
    assert party.decrypt(b - a).tolist() == (y - x).tolist()
    assert party.decrypt(comparison.maximum(a, b)).tolist() == np.maximum(x, y).tolist()
    assert party.decrypt(comparison.where(a > b, b, a)).tolist() == np.minimum(x, y).tolist()
    assert party.decrypt(comparison.sign(b)).tolist() == np.sign(y).tolist()
    whole = b.to_integers()
    assert interval_of(whole) == Interval(-8, 7)
    assert party.decrypt(whole).tolist() == y.tolist()


@settings(max_examples=quick(10))
@given(xy=pairs(-5, 5))
def test_choices(xy: tuple[np.ndarray, np.ndarray]) -> None:
    party, (x, y) = deep(), xy
    a, b = party.encrypt(x, bound=5), party.encrypt(y, bound=(-5, 5))
    for found, expected, reach in [
        (comparison.where(a > b, a - b, 0), np.where(x > y, x - y, 0), (-10, 10)),
        (comparison.where(a > b, 7, b), np.where(x > y, 7, y), (-5, 7)),
        (comparison.where(x > 0, a, b), np.where(x > 0, x, y), None),
        (np.maximum(a, b), np.maximum(x, y), (-5, 5)),
        (np.minimum(a, 2), np.minimum(x, 2), (-5, 2)),
        (comparison.clip(a, -2, 3), np.clip(x, -2, 3), (-2, 3)),
        (np.sign(a), np.sign(x), (-1, 1)),
        (abs(a), abs(x), (0, 5)),
    ]:
        assert party.decrypt(found).tolist() == expected.tolist()
        assert reach is None or interval_of(found).ends == reach


@settings(max_examples=quick(5))
@given(rows=st.lists(st.lists(st.integers(0, 3), min_size=6, max_size=6), min_size=2, max_size=4))
def test_orders_of_small_sets(rows: list[list[int]]) -> None:
    party, stacked = deep(), np.array(rows)
    for arrays in (
        [party.encrypt(row, bound=(0, 3)) for row in rows],
        [party.encrypt_bits(row, 2) for row in rows],
    ):
        for found, expected in zip(comparison.sort(arrays), np.sort(stacked, axis=0), strict=True):
            assert party.decrypt(found).tolist() == expected.tolist()
        assert party.decrypt(comparison.argmax(arrays)).tolist() == stacked.argmax(axis=0).tolist()
        assert party.decrypt(comparison.argmin(arrays)).tolist() == stacked.argmin(axis=0).tolist()


def test_how_is_explained() -> None:
    party = deep()
    x, bits = party.encrypt([1], bound=(0, 120)), party.encrypt_bits([1], 16)
    assert "x > y: odd polynomial of degree 241: 29 products, 8 in a row" in comparison.explain(x, x)
    assert comparison.explain(bits, bits).startswith("16 bits\nx > y: 42 products, 5 in a row")
    assert comparison.explain(bits, 7).startswith("16 bits\nx > y: 26 products, 4 in a row")


def test_what_cannot_be_compared_is_said() -> None:
    party = deep()
    wide, residues = party.encrypt([1], bound=8000), party.encrypt([1], bound=np.inf)
    with pytest.raises(EncodingError, match=r"polynomial of degree 32000; .*encrypt_bits\(values, bits=14\)"):
        wide > -wide  # noqa: B015
    with pytest.raises(EncodingError, match="residues modulo t have no order"):
        residues > 0  # noqa: B015
    with pytest.raises(EncodingError, match="a mask holds 0 and 1, as comparisons give it"):
        comparison.where(party.encrypt([1], bound=2), 1, 2)
    with pytest.raises(EncodingError, match=r"index .0,. is outside 0 … 15, what 4 unsigned bits hold"):
        party.encrypt_bits([16], 4)
    with pytest.raises(EncodingError, match="how many bits"):
        party.encrypt_bits([16])
    with pytest.raises(EncodingError, match="encrypted bits combine with encrypted bits"):
        party.encrypt_bits([1], 4) + 1
    with pytest.raises(TypeError, match="no branch can depend on it"):
        bool(party.encrypt_bits([1], 4) > 0)
    deep_down = party.encrypt([1], bound=100, level=2)
    with pytest.raises(NoiseError, match="x > y takes 8 products in a row"):
        deep_down > 3  # noqa: B015


def test_bits_have_the_width_of_their_dtype() -> None:
    party = deep()
    x = party.encrypt_bits(np.array([-128, 127], dtype=np.int8))
    assert (x.width, x.signed, len(x), x.shape) == (8, True, 2, (2,))
    assert party.decrypt(x).tolist() == [-128, 127]
    assert not party.encrypt_bits(np.array([1], dtype=np.uint16)).signed
    assert repr(x) == f"EncryptedBits(shape=(2,), 8 bits, signed, level={DEEP.max_level})"


def test_bits_travel() -> None:
    party = deep()
    server = Context.from_bytes(party.public().to_bytes())
    x = party.encrypt_bits([3, -4, 5], 5, signed=True, symmetric=True)
    received = server.load(x.to_bytes())
    assert (received.width, received.signed) == (5, True)
    assert party.decrypt(party.load((received > 0).to_bytes())).tolist() == [1, 0, 1]
    assert received.to_bytes() == server.load(received.to_bytes()).to_bytes()
    fhe.install(server)
    assert isinstance(pickle.loads(pickle.dumps(x)), EncryptedBits)  # noqa: S301
    forged = Container("bits", {"width": 1, "signed": False}, {"bit.0": party.encrypt([2], bound=3).to_bytes()})
    with pytest.raises(FormatError, match=r"claims Interval\(low=-3, high=3\) is no bit"):
        server.load(forged.to_bytes())
