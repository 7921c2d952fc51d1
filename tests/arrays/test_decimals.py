"""Fixed-point decimals against `decimal.Decimal` with digits enough: exact, whatever is mixed."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Context as Digits
from decimal import Decimal
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fhe
from fhe.arrays.decimals import EncryptedDecimals, fixed
from fhe.backend.choose import choose
from fhe.choice import choose_bfv
from fhe.context import Context
from fhe.errors import EncodingError, FormatError, ValueOverflowError
from fhe.owner import KeyOwner
from tests.io.parties import with_entry
from tests.profiles import quick
from tests.schemes.owners import INSECURE, RepeatingSeeds

EXACT = Digits(prec=200)
SETS = {bits: choose_bfv(3, value_bits=bits, ring_degree=64, insecure=INSECURE) for bits in (46, 128)}


@cache
def party(bits: int) -> KeyOwner:
    return KeyOwner(SETS[bits], choose(), decimals=2, _seeds=RepeatingSeeds("decimals"))


def amounts(places: int = 2, reach: int = 1000) -> st.SearchStrategy[list[Decimal]]:
    ends = st.sampled_from([Decimal(0), Decimal(reach), Decimal(-reach), Decimal(1).scaleb(-places), Decimal("0.10")])
    one = st.decimals(-reach, reach, places=places, allow_nan=False) | ends
    return st.lists(one, min_size=4, max_size=4)


STEPS: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "from a half": lambda x, y: Decimal("0.5") - x,
    "tax": lambda x, y: x * Decimal("1.19"),
    "times": lambda x, y: x * y,
    "doubled": lambda x, y: 2 * x,
    "weights": lambda x, y: x * np.array([Decimal("0.125"), 1, -2, 0], dtype=object),
    "negate": lambda x, y: -x,
    "reverse": lambda x, y: x[::-1],
    "cents": lambda x, y: x + Decimal("0.01"),
}


@pytest.mark.parametrize("bits", SETS)
@settings(max_examples=quick(15))
@given(v=amounts(), w=amounts(), steps=st.lists(st.sampled_from(sorted(STEPS)), max_size=4))
def test_no_accepted_computation_is_off_by_anything(
    bits: int, v: list[Decimal], w: list[Decimal], steps: list[str]
) -> None:
    keys, a, b = party(bits), np.array(v, dtype=object), np.array(w, dtype=object)
    x, y = keys.encrypt(v, bound=1000), keys.encrypt(w, bound=1000)
    for step in steps:
        try:
            x = STEPS[step](x, y)
        except ValueOverflowError:
            break
        a = STEPS[step](a, b)
        found = keys.decrypt(x)
        assert found.tolist() == a.tolist()
        assert all(-d.as_tuple().exponent == x.places for d in found)  # type: ignore[attr-defined]


@given(st.lists(st.decimals(allow_nan=False, allow_infinity=False, places=5) | st.integers() | st.floats(-1e9, 1e9)))
def test_plain_numbers_are_what_they_print(values: list[Any]) -> None:
    integers, places = fixed(np.array([*values, Decimal(0)], dtype=object))
    expected = [Decimal(str(value)) for value in [*values, 0]]
    assert [Decimal(i).scaleb(-places, EXACT) for i in integers] == expected
    assert places == 0 or any(i % 10 for i in integers)


def test_money() -> None:
    """Prices times quantities, tax, a discount where a sum is large; encrypted quantities on either side."""
    keys = KeyOwner(choose_bfv(12, value_bits=60, ring_degree=64, insecure=INSECURE), choose(), decimals=2)
    prices, counts = keys.encrypt(["1.10", 0.25, 3], bound=5), keys.encrypt([2, 4, 1], bound=9, decimals=0)
    total = (prices * counts).sum() * 1.19
    assert (total.places, keys.decrypt(total).item()) == (4, Decimal("7.3780"))
    assert keys.decrypt(counts * prices).tolist() == keys.decrypt(prices * counts).tolist()
    assert keys.decrypt(prices @ counts) == Decimal("6.20")
    assert keys.decrypt(counts - prices).tolist() == [Decimal("0.90"), Decimal("3.75"), Decimal("-2.00")]
    assert keys.decrypt(prices).astype(float).tolist() == [1.1, 0.25, 3.0]
    large, listed = prices > 1, lambda *amounts: [Decimal(amount) for amount in amounts]
    assert keys.decrypt(large).tolist() == [1, 0, 1]
    assert keys.decrypt(np.where(large, prices - 0.5, prices)).tolist() == listed("0.60", "0.25", "2.50")
    assert keys.decrypt(np.minimum(prices, Decimal("1.05"))).tolist() == listed("1.05", "0.25", "1.05")
    assert keys.decrypt(np.concatenate([prices, prices * 0.1])).tolist()[3:] == listed("0.110", "0.025", "0.300")
    assert prices.shape == (3,)
    assert repr(prices).startswith("EncryptedDecimals(places=2, ")


def test_what_would_round_is_refused() -> None:
    keys = party(46)
    x = keys.encrypt([1.25], bound=9)
    with pytest.raises(EncodingError, match="values with 3 decimals do not fit decimals=2 without rounding"):
        keys.encrypt([0.125])
    with pytest.raises(EncodingError, match="3 places cannot become 2: that would round"):
        x.at(3).at(2)
    with pytest.raises(EncodingError, match=r"index \(1,\) is no finite decimal"):
        keys.encrypt([1, float("nan")])
    for inexact in (lambda: x / 3, lambda: np.exp(x), lambda: np.mean(x), lambda: x.mean):
        with pytest.raises((TypeError, AttributeError)):
            inexact()
    with pytest.raises(TypeError, match="no branch can depend on it"):
        bool(x)
    with pytest.raises(EncodingError, match="index 0 is outside"):
        keys.encrypt([10], bound=9.99)
    assert keys.decrypt(keys.encrypt([0.29], bound=0.29)).tolist() == [Decimal("0.29")]
    with pytest.raises(EncodingError):
        fhe.ckks(depth=1, ring_degree=64, insecure=INSECURE).encrypt([1.5], decimals=2)


def test_decimals_travel() -> None:
    keys = party(128)
    server = Context.from_bytes(keys.public().to_bytes())
    x = server.load(keys.encrypt([1.5, -2], bound=9, symmetric=True).to_bytes())
    assert isinstance(x, EncryptedDecimals)
    reply = (x * x + server.encrypt(["0.001", 1], bound=1, decimals=3)).to_bytes()
    assert keys.decrypt(keys.load(reply)).tolist() == [Decimal("2.2510"), Decimal("5.0000")]
    with pytest.raises(FormatError, match="entry places"):
        keys.load(with_entry(reply, "decimals", ("places",), -1))
