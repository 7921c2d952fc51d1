"""Integers that cannot be told apart are never returned: intervals of results, and what is refused because of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhe.arrays.array import EncryptedArray
from fhe.backend.protocol import Backend
from fhe.errors import EncodingError, FHEError, NoiseError, ValueOverflowError
from fhe.interval import Interval
from fhe.owner import KeyOwner, bfv
from fhe.parameters import BFVParameters
from tests.schemes.owners import BFV, COEFFICIENTS, INSECURE, shared_owner

T, SLOTS = BFV.plain_modulus, BFV.slots
TWO = BFVParameters(ring_degree=32, modulus_bits=[40] * 3, special_bits=[46], plain_modulus=2, insecure=INSECURE)
WIDE = BFVParameters(
    ring_degree=32, modulus_bits=[50] * 5, special_bits=[50, 50], plain_modulus=(1 << 50) - 27, insecure=INSECURE
)


def interval_of(x: EncryptedArray) -> Interval:
    interval = x.shards[0].interval
    assert interval is not None
    return interval


@st.composite
def intervals(draw: st.DrawFn, reach: int = 40) -> Interval:
    """Intervals around zero, many of a single sign or a single value."""
    return Interval(-draw(st.integers(0, reach) | st.just(0)), draw(st.integers(0, reach) | st.just(0)))


@st.composite
def promised(draw: st.DrawFn) -> tuple[Interval, np.ndarray]:
    """An interval and values of it, often its ends, or one that stands out."""
    interval = draw(intervals())
    low, high = interval.ends
    values = draw(st.lists(st.integers(low, high) | st.sampled_from([low, high, 0]), min_size=SLOTS, max_size=SLOTS))
    return interval, np.array(values)


OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
    "square": lambda x, y: x * x,
    "negate and add": lambda x, y: -x + y,
}


@pytest.mark.parametrize("name", OPERATIONS)
@given(a=intervals(), b=intervals())
def test_an_interval_is_what_its_corners_make(name: str, a: Interval, b: Interval) -> None:
    """No wider than the operation's values, no narrower: every integer within is checked where that is quick."""
    found = {
        "add": a + b,
        "sub": a - b,
        "multiply": a * b,
        "square": a.square(),
        "negate and add": -a + b,
    }[name]
    some = lambda i: sorted({i.low, min(i.low + 1, i.ends[1]), 0, max(i.ends[1] - 1, i.low), i.ends[1]})  # noqa: E731
    results = [OPERATIONS[name](x, y) for x, y in product(some(a), some(b))]
    assert (min(results), max(results)) == found.ends


@given(a=intervals(), b=intervals())
def test_a_value_of_either_is_in_their_hull(a: Interval, b: Interval) -> None:
    assert a.hull(b).ends == (min(a.low, b.low), max(a.ends[1], b.ends[1]))


@pytest.mark.parametrize("t", [2, 3, 8, 97])
def test_residues_are_read_from_one_end_up(t: int) -> None:
    """Signed from -t/2, unsigned from 0; signed wherever an operand is."""
    signed, unsigned, few = Interval.residues(t), Interval.residues(t, signed=False), Interval(-1, 1)
    everything = np.arange(-2 * t, 2 * t)
    assert sorted(set(signed.representatives(everything, t).tolist())) == list(range(-(t // 2), t - t // 2))
    assert sorted(set(unsigned.representatives(everything, t).tolist())) == list(range(t))
    for mixed in (signed + unsigned, unsigned * signed, few + signed, signed.hull(unsigned), few - signed):
        assert mixed == signed
    for mixed in (unsigned + unsigned, unsigned * few, few + unsigned, unsigned.hull(few)):
        assert mixed == unsigned


@pytest.mark.parametrize("name", OPERATIONS)
@given(x=promised(), y=promised())
def test_overflow_is_refused_exactly_when_it_is_possible(
    bfv: KeyOwner, name: str, x: tuple[Interval, np.ndarray], y: tuple[Interval, np.ndarray]
) -> None:
    (a, v), (b, w) = x, y
    (i, j), (k, m) = a.ends, b.ends
    corners = [OPERATIONS[name](p, q) for p, q in product((i, j, 0), (k, m, 0))]
    encrypted = bfv.encrypt(v, bound=a.ends), bfv.encrypt(w, bound=b.ends)
    if max(corners) - min(corners) >= T:
        with pytest.raises(ValueOverflowError, match="may take values from"):
            OPERATIONS[name](*encrypted)
    else:
        assert np.array_equal(bfv.decrypt(OPERATIONS[name](*encrypted)), OPERATIONS[name](v, w))


STEPS: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "from": lambda x, y: y - x,
    "multiply": lambda x, y: x * y,
    "three times": lambda x, y: 3 * x,
    "minus seven": lambda x, y: x - 7,
    "ramp": lambda x, y: x + np.arange(SLOTS),
    "signs": lambda x, y: x * np.resize([1, -1, 0], SLOTS),
    "cube": lambda x, y: x**3,
}


@given(x=promised(), y=promised(), steps=st.lists(st.sampled_from(sorted(STEPS)), max_size=6))
def test_no_accepted_circuit_is_wrong(
    bfv: KeyOwner, x: tuple[Interval, np.ndarray], y: tuple[Interval, np.ndarray], steps: list[str]
) -> None:
    """Python's integers are the truth; what is refused is refused by name."""
    (a, v), (b, w) = x, y
    clear, other = v.astype(object), w.astype(object)
    hidden, hidden_other = bfv.encrypt(v, bound=a.ends), bfv.encrypt(w, bound=b.ends)
    for step in steps:
        try:
            hidden = STEPS[step](hidden, hidden_other)
        except (ValueOverflowError, NoiseError):
            break
        clear = STEPS[step](clear, other)
        assert bfv.decrypt(hidden).tolist() == clear.tolist()
        low, high = interval_of(hidden).ends
        assert low <= min(clear)
        assert max(clear) <= high


@given(x=promised(), y=promised())
def test_sums_over_slots_are_counted(
    bfv: KeyOwner, x: tuple[Interval, np.ndarray], y: tuple[Interval, np.ndarray]
) -> None:
    a, v = x
    for count in (3, SLOTS):
        try:
            total = bfv.encrypt(v[:count], bound=a.ends).sum()
        except ValueOverflowError:
            assert 4 * (a.ends[1] - a.low) >= T or count == SLOTS
            continue
        assert bfv.decrypt(total) == v[:count].sum()


@given(a=intervals(), rows=st.lists(st.lists(st.integers(-2, 2), min_size=2, max_size=2), min_size=1, max_size=3))
def test_sums_of_multiples_reach_as_far_as_their_corners(bfv: KeyOwner, a: Interval, rows: list[list[int]]) -> None:
    x = bfv.encrypt(np.zeros(SLOTS, int), bound=a.ends).shards[0]
    factors = np.array(rows, dtype=object)
    reached = [
        sum(f * v for f, v in zip(row, corner, strict=True)) for row in rows for corner in product(a.ends, a.ends)
    ]
    tracker: Any = bfv.evaluator
    try:
        claims = tracker.values.linear(x, np.maximum(factors, 0).sum(axis=1), np.minimum(factors, 0).sum(axis=1))
    except ValueOverflowError:
        assert max(reached) - min(reached) >= T
        return
    assert claims["interval"].ends == (min(reached), max(reached))


@given(low=st.fractions(-9, 9), width=st.fractions(1, 9))
def test_a_promise_holds_its_integers_and_zero(low: Fraction, width: Fraction) -> None:
    """What an array leaves of a ciphertext is zero, whatever was promised of its values."""
    promise = float(low), float(low + width)
    held = [0, *(k for k in range(-20, 20) if promise[0] <= k <= promise[1])]
    assert Interval.declared(promise, np.dtype("int64"), T).ends == (min(held), max(held))


@pytest.mark.parametrize("zero", [True, False])
@given(values=st.lists(st.integers(1, 9)) | st.lists(st.integers(-9, -1)) | st.lists(st.integers(-9, 9)))
def test_public_values_have_an_interval(values: list[int], zero: bool) -> None:
    held = [*values, 0] if zero or not values else values
    assert Interval.of(np.array(values, dtype=np.int64), zero).ends == (min(held), max(held))


@given(x=promised(), y=promised(), steps=st.lists(st.sampled_from(sorted(STEPS)), max_size=4))
@pytest.mark.parametrize("signed", [True, False])
def test_residues_wrap(
    bfv: KeyOwner, signed: bool, x: tuple[Interval, np.ndarray], y: tuple[Interval, np.ndarray], steps: list[str]
) -> None:
    """Modulo t, signed or unsigned, whatever is computed; one such operand makes residues of the other."""
    clear, other = x[1].astype(object), y[1].astype(object)
    low = -(T // 2) if signed else 0
    hidden = bfv.encrypt(x[1], bound=math.inf if signed else (0, math.inf))
    hidden_other = bfv.encrypt(y[1], bound=y[0].ends)
    for step in steps:
        try:
            hidden = STEPS[step](hidden, hidden_other)
        except NoiseError:
            break
        clear = STEPS[step](clear, other)
    assert bfv.decrypt(hidden).tolist() == [(c - low) % T + low for c in clear]


def test_padding_is_part_of_the_promise(bfv: KeyOwner) -> None:
    """Three values of [100, 110], and 29 zeros: their sum is 310 to nobody, and t = 257 does not hold it."""
    x = bfv.encrypt([100, 105, 105], bound=(100, 110))
    assert interval_of(x) == Interval(0, 110)
    with pytest.raises(ValueOverflowError, match=r"from 0 to 440, more than t = 257 .*value_bits=9"):
        x.sum()


def test_a_product_of_coefficients_sums_them(backend: Backend) -> None:
    """Without batching a coefficient of a product is a sum of N products."""
    keys = shared_owner(COEFFICIENTS, backend)
    x, y = keys.encrypt(np.full(32, 3), bound=3), keys.encrypt(np.full(32, 5), bound=5)
    product = keys.evaluator.multiply(x.shards[0], y.shards[0])
    assert product.interval == Interval(-480, 480)
    assert keys.evaluator.decode(keys._secret.decrypt(product), product)[31] == 480
    with pytest.raises(ValueOverflowError, match="from -960 to 960"):
        keys.evaluator.multiply(keys.evaluator.add(x.shards[0], x.shards[0]), y.shards[0])
    plain = keys.evaluator.multiply_plain(x.shards[0], np.array([1, -2, 3]))
    assert plain.interval == Interval(-18, 18)
    turned = keys.evaluator.rotate(keys.encrypt([0, 7], bound=(0, 7)).shards[0], 1)
    assert turned.interval == Interval(-7, 7)


def test_every_modulus_down_to_two_and_up_to_fifty_bits(backend: Backend) -> None:
    bits = shared_owner(TWO, backend)
    assert bits.decrypt(bits.encrypt([0, 1, 1])).tolist() == [0, 1, 1]
    assert bits.decrypt(bits.encrypt([1], bound=(0, math.inf)) + 1).tolist() == [0]
    with pytest.raises(ValueOverflowError, match="from 0 to 2, more than t = 2 tells apart"):
        bits.encrypt([1]) + bits.encrypt([1])
    wide, edge = shared_owner(WIDE, backend), (WIDE.plain_modulus - 1) // 2
    x = wide.encrypt([edge, -edge, 0], bound=edge)
    assert wide.decrypt(-x).tolist() == [-edge, edge, 0]
    unsigned = wide.encrypt([2 * edge, 1], bound=(0, 2 * edge))
    assert wide.decrypt(unsigned).tolist() == [2 * edge, 1]
    with pytest.raises(ValueOverflowError):
        x + 1


def test_what_encryption_assumes() -> None:
    """Of narrow dtypes what they hold; else what any two of can be multiplied."""
    default = lambda dtype, t=65537: Interval.declared(None, np.dtype(dtype), t)  # noqa: E731
    assert default(bool) == Interval(0, 1)
    assert default(np.int8) == Interval(-128, 127)
    assert default(np.uint16) == Interval(0, 65535)
    assert default(np.int32) == default(np.int64) == default(float) == Interval(-181, 181)
    assert default(np.int64, 257) == Interval(-11, 11)
    assert default(np.int64, 2) == Interval(0, 1)
    for t in range(3, 2000):
        reach = default(np.int64, t)
        assert (reach * reach).fits(t)
        assert not (Interval.symmetric(reach.high + 1) * Interval.symmetric(reach.high + 1)).fits(t)


@pytest.mark.parametrize("bound", [-1, math.nan, (3, 1), (-math.inf, -1)])
def test_promises_that_make_no_sense(bfv: KeyOwner, bound: Any) -> None:
    with pytest.raises(EncodingError, match="bound= takes a largest magnitude, or a pair"):
        bfv.encrypt([0], bound=bound)


def test_promises_are_kept(bfv: KeyOwner) -> None:
    with pytest.raises(EncodingError, match="index 1 is outside 0 … 9 for plain modulus t = 257"):
        bfv.encrypt([0, -1], bound=(0, 9))
    with pytest.raises(ValueOverflowError, match="an encryption may take values from -129 to 129"):
        bfv.encrypt([0], bound=129)


def test_owners_have_a_bound_of_their_own() -> None:
    options: dict[str, Any] = {"plain_modulus": 257, "ring_degree": 64, "insecure": INSECURE, "backend": "reference"}
    narrow, unsigned, wrapping = bfv(bound=(0, 3), **options), bfv(signed=False, **options), bfv(wrap=True, **options)
    assert interval_of(narrow.encrypt([3])) == Interval(0, 3)
    assert interval_of(unsigned.encrypt([16])) == Interval(0, 16)
    assert wrapping.decrypt(wrapping.encrypt([100]) * 2).tolist() == [-57]
    both = bfv(wrap=True, signed=False, **options)
    assert both.decrypt(both.encrypt([100]) * 2 - 201).tolist() == [256]
    with pytest.raises(FHEError, match="leave wrap= and signed= out"):
        bfv(wrap=True, bound=3, **options)
