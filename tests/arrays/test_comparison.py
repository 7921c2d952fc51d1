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
from tests.profiles import quick
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
    with pytest.raises(EncodingError, match=r"index 0 is outside 0 … 15, what 4 unsigned bits hold"):
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


@pytest.mark.parametrize("method", ["odd polynomial", "polynomial"])
def test_a_method_can_be_chosen(method: str) -> None:
    party, v, w = deep(), np.array([-3, 0, 2, 3]), np.array([3, 0, 1, 3])
    x, y = party.encrypt(v, bound=3), party.encrypt(w, bound=3)
    assert party.decrypt(fhe.greater(x, y, method=method)).tolist() == (v > w).astype(int).tolist()
    assert party.decrypt(fhe.sign(x, method=method)).tolist() == np.sign(v).tolist()
    for other in ("even polynomial", "polynomial"):
        assert party.decrypt(fhe.equal(x, y, method=other)).tolist() == (v == w).astype(int).tolist()
    with pytest.raises(EncodingError, match="by method='odd polynomial' or 'polynomial', not 'magic'"):
        fhe.greater(x, y, method="magic")
    with pytest.raises(EncodingError, match="integers are compared exactly, without margin"):
        fhe.greater(x, y, margin=0.5)


@pytest.mark.parametrize("difference", [1, 5, 20, (0, 9), (-30, 2)])
def test_the_depth_that_is_named_suffices(difference: Any) -> None:
    low, high = difference if isinstance(difference, tuple) else (-difference, difference)
    depth = fhe.depth_of_comparison(difference=difference)
    party = fhe.bfv(depth=depth, ring_degree=64, insecure=INSECURE)
    v = np.array([low, high, 0, min(1, high)])
    x = party.encrypt(v, bound=(low, high))
    assert party.decrypt(x > 0).tolist() == (v > 0).astype(int).tolist()
    assert party.decrypt(x == 0).tolist() == (v == 0).astype(int).tolist()
    with pytest.raises(EncodingError, match="give one of them"):
        fhe.depth_of_comparison()


@pytest.mark.parametrize("bits", [1, 8, 16])
def test_the_depth_that_is_named_suffices_for_bits(bits: int) -> None:
    party = fhe.bfv(depth=fhe.depth_of_comparison(bits=bits), ring_degree=64, insecure=INSECURE)
    top = (1 << bits) - 1
    x, y = party.encrypt_bits([0, top, top, 0], bits), party.encrypt_bits([0, top, 0, top], bits)
    assert party.decrypt(x > y).tolist() == [0, 0, 1, 0]
    assert party.decrypt(x == y).tolist() == [1, 1, 0, 0]


def test_promises_make_integers_of_residues() -> None:
    """Where worst cases explode the caller may know better: in sums of squares of a fixed total, say."""
    party = small()
    x = party.encrypt([10, -9, 8], bound=np.inf)
    total = fhe.assume((x * x).sum() - 200, bound=(0, 100))
    assert party.decrypt(total) == 45
    narrow = fhe.assume(party.encrypt([1, 2], bound=np.inf) * 2 - 2, bound=2)
    assert party.decrypt(narrow > 0).tolist() == [0, 1]
    assert interval_of(narrow) == Interval(-2, 2)
    assert interval_of(fhe.assume(narrow, bound=(0, 5))) == Interval(0, 2)
    for wrong in (None, np.inf):
        with pytest.raises(EncodingError, match="an assumption is a largest magnitude"):
            fhe.assume(x, bound=wrong)


def test_coefficients_do_not_multiply_element_by_element() -> None:
    party = fhe.bfv(depth=1, plain_modulus=1 << 20, ring_degree=64, insecure=INSECURE)
    x = party.encrypt([1, 2, 3], bound=3)
    assert party.decrypt(3 * x + [1, 1, 1]).tolist() == [4, 7, 10]
    for product in (lambda: x * x, lambda: x * np.array([1, 2, 3]), lambda: x**2, lambda: x > 1, lambda: x @ x):
        with pytest.raises(EncodingError, match=r"no slots|needs batching"):
            product()


@pytest.mark.wide
@pytest.mark.parametrize("bits", [8, 16, 32])
def test_sixteen_thousand_comparisons_at_full_security(bits: int) -> None:
    party = fhe.bfv(depth=fhe.depth_of_comparison(bits=bits), ring_degree=1 << 14)
    rng = np.random.default_rng(bits)
    v, w = rng.integers(0, 1 << bits, (2, 1 << 14))
    w[:4096] = v[:4096]
    w[4096:8192] = v[4096:8192] ^ (1 << rng.integers(0, bits, 4096))  # one bit differs
    x, y = party.encrypt_bits(v, bits), party.encrypt_bits(w, bits)
    assert np.array_equal(party.decrypt(x > y), v > w)
    assert np.array_equal(party.decrypt(x == y), v == w)
    assert np.array_equal(party.decrypt(x <= int(w[0])), v <= w[0])


@pytest.mark.wide
@pytest.mark.parametrize("reach", [1, 7, 127, 255])
def test_every_pair_of_small_integers_at_full_security(reach: int) -> None:
    depth = fhe.depth_of_comparison(difference=reach)
    party = fhe.bfv(depth=depth, ring_degree=1 << 14 if depth < 10 else 1 << 15)
    values = np.arange(reach + 1)
    v, w = (a.ravel() for a in np.meshgrid(values, values))
    x, y = party.encrypt(v, bound=(0, reach)), party.encrypt(w, bound=(0, reach))
    assert np.array_equal(party.decrypt(x > y), v > w)
    assert np.array_equal(party.decrypt(x != y), v != w)
    assert np.array_equal(party.decrypt(np.sign(x - y)), np.sign(v - w))
