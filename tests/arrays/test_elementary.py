"""exp, log, sqrt … of encrypted arrays against NumPy, within what they promise."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.polynomial import Chebyshev, Polynomial

import fhe
from fhe.arrays.elementary import ELEMENTARY, elementary
from fhe.backend.protocol import Backend
from fhe.errors import EncodingError, LevelError, NoiseError
from fhe.owner import KeyOwner
from fhe.parameters import CKKSParameters
from fhe.reference import ReferenceBackend
from tests.codebase import ROOT
from tests.schemes.owners import BFV, INSECURE, shared_owner
from tests.vectors import make_function_table

DEEP = CKKSParameters(
    ring_degree=32, modulus_bits=[60] + [40] * 12, special_bits=[46] * 4, scale_bits=40, insecure=INSECURE
)
CASES: list[tuple[str, float, float, float]] = [
    ("exp", -1.0, 1.0, 1e-3),
    ("exp", -3.0, 1.0, 1e-2),
    ("log", 0.5, 4.0, 1e-2),
    ("sqrt", 0.0, 1.0, 2e-2),
    ("sqrt", 0.5, 4.0, 1e-3),
    ("rsqrt", 0.5, 4.0, 1e-2),
    ("inverse", 0.5, 4.0, 1e-2),
    ("inverse", -2.0, -0.5, 1e-2),
    ("sigmoid", -8.0, 8.0, 1e-2),
    ("tanh", -3.0, 3.0, 1e-2),
    ("sin", -math.pi, math.pi, 1e-2),
    ("cos", -1.0, 3.0, 1e-3),
    ("gelu", -4.0, 4.0, 1e-2),
    ("relu", -2.0, 2.0, 5e-2),
    ("abs", -2.0, 2.0, 5e-2),
]


@pytest.fixture(scope="session")
def party(backend: Backend) -> KeyOwner:
    """16 slots, 12 levels."""
    return shared_owner(DEEP, backend)


@pytest.fixture
def quick() -> KeyOwner:
    return shared_owner(DEEP, ReferenceBackend())


def inputs(low: float, high: float, seed: int = 0) -> Any:
    """Both ends, what is nearest to zero, equal values, and random ones."""
    nearest = min(max(0.0, low), high)
    drawn = np.random.default_rng(seed).uniform(low, high, 8)
    return np.concatenate([[low, high, nearest, nearest, (low + high) / 2], drawn])


@pytest.mark.parametrize(("name", "low", "high", "error"), CASES)
def test_it_is_within_its_promise(quick: KeyOwner, name: str, low: float, high: float, error: float) -> None:
    function: Callable[..., Any] = getattr(fhe, name)
    values = inputs(low, high)
    x = quick.encrypt(values, bound=max(abs(low), abs(high)))
    y = function(x, interval=(low, high), error=error)
    stated = elementary(name, low, high, error=error)
    difference = np.max(np.abs(quick.decrypt(y) - function(values)))
    promised = 2.0**-y.precision_bits
    assert stated.error <= error
    assert difference <= promised <= 1.3 * error
    assert stated.error <= 20 * difference
    assert x.level - y.level == stated.depth
    assert np.max(np.abs(function(values))) <= y.shards[0].bound + stated.error


@pytest.mark.parametrize("name", ["exp", "sigmoid", "abs"])
def test_on_every_backend(party: KeyOwner, name: str) -> None:
    values = inputs(-1, 1, seed=3)
    y = getattr(fhe, name)(party.encrypt(values, bound=1.0), degree=7)
    assert np.max(np.abs(party.decrypt(y) - getattr(fhe, name)(values))) <= 2.0**-y.precision_bits
    assert y.level == DEEP.max_level - 3


@pytest.mark.parametrize(
    ("ufunc", "name"), [(np.exp, "exp"), (np.tanh, "tanh"), (np.sin, "sin"), (np.cos, "cos")], ids=str
)
def test_numpy_knows_them(quick: KeyOwner, ufunc: np.ufunc, name: str) -> None:
    x = quick.encrypt(inputs(-1, 1), bound=1.0)
    np.testing.assert_array_equal(quick.decrypt(ufunc(x)), quick.decrypt(getattr(fhe, name)(x)))


@pytest.mark.parametrize("ufunc", [np.log, np.sqrt, np.reciprocal], ids=str)
def test_a_bound_is_not_enough_for_some(quick: KeyOwner, ufunc: np.ufunc) -> None:
    with pytest.raises(EncodingError, match=r"needs an interval=\(low, high\) with"):
        ufunc(quick.encrypt([1.0]))


def test_without_an_interval_the_public_bound_is_it(quick: KeyOwner) -> None:
    x = quick.encrypt([-3.0, 3.0], bound=3.0)
    sums = x + x  # up to 6
    assert np.max(np.abs(quick.decrypt(fhe.sigmoid(sums, degree=31)) - fhe.sigmoid(np.array([-6.0, 6.0])))) < 1e-5


@pytest.mark.parametrize("name", sorted(ELEMENTARY))
def test_plain_arrays_take_the_function_itself(name: str) -> None:
    values = np.array([0.25, 1.0, 2.0])
    np.testing.assert_array_equal(getattr(fhe, name)(values), ELEMENTARY[name].clear(values))
    assert getattr(fhe, name)(0.5) == pytest.approx(float(ELEMENTARY[name].clear(np.array(0.5))))


@pytest.mark.parametrize("half", [1.0, 0.5])
def test_a_small_error_at_a_kink_takes_a_sign(half: float) -> None:
    """Ends, the margin and what lies below it: the promise holds at all of them."""
    party = shared_owner(
        CKKSParameters(
            ring_degree=32, modulus_bits=[60] + [40] * 16, special_bits=[46] * 4, scale_bits=40, insecure=INSECURE
        ),
        ReferenceBackend(),
    )
    error = 2.0**-10
    values = np.array([-1, 1, 0, error, -error, error / 2, -error / 4, 3 * error, 0.3, -0.7])
    function = fhe.abs if half == 1 else fhe.relu
    x = party.encrypt(values, bound=1.0)
    y = function(x, error=error * half)
    assert np.max(np.abs(party.decrypt(y) - function(values))) <= error * half
    assert error * half <= 2.0**-y.precision_bits <= 2.5 * error * half


def test_integers_have_exact_magnitudes() -> None:
    party = shared_owner(BFV, ReferenceBackend())
    with pytest.raises(EncodingError, match="exact magnitudes: degree is for real arrays"):
        fhe.abs(party.encrypt([1, -2], bound=2), degree=3)


def test_softmax(quick: KeyOwner) -> None:
    values = np.array([[-1.0, 1.0, 0.0], [1.0, 1.0, 1.0], [-1.0, -1.0, 1.0]])
    y = fhe.softmax(quick.encrypt(values, bound=1.0), axis=-1)
    expected = np.exp(values) / np.exp(values).sum(axis=-1, keepdims=True)
    assert np.max(np.abs(quick.decrypt(y) - expected)) <= 1e-3 <= 2.0**-y.precision_bits < 5e-3
    np.testing.assert_allclose(fhe.softmax(values), expected)
    columns = fhe.softmax(quick.encrypt(values, bound=1.0), axis=0)
    np.testing.assert_allclose(quick.decrypt(columns), fhe.softmax(values, axis=0), atol=1e-3)


def test_softmax_says_beforehand_what_it_cannot_do(quick: KeyOwner, monkeypatch: pytest.MonkeyPatch) -> None:
    noisy = quick.encrypt([0.5, -0.5], bound=1.0).map(lambda shard: replace(shard, noise=0.2 * shard.scale))
    with pytest.raises(NoiseError, match=r"exponentials go down to 0.37, and are known within"):
        fhe.softmax(noisy)
    x = quick.encrypt([0.5, -0.5], bound=1.0, level=8)
    monkeypatch.setattr(type(quick.evaluator), "multiply", lambda *arguments: pytest.fail("work before the check"))
    with pytest.raises(LevelError, match=r"fhe.softmax on \(-1, 1\) needs 9 levels, 8 are left"):
        fhe.softmax(x)


# --- what cannot work ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "interval", "message"),
    [
        ("log", (0.0, 1.0), "with low > 0"),
        ("sqrt", (-0.1, 1.0), "with low >= 0"),
        ("rsqrt", 2.0, "with low > 0"),
        ("inverse", (-1.0, 1.0), "without 0"),
        ("exp", (1.0, -1.0), "two finite ends"),
        ("exp", (20.0, 30.0), "holds no value of magnitude up to 16, the bound"),
        ("exp", (-1.0, 0.0, 1.0), r"an interval is \(low, high\)"),
        ("exp", "wide", r"an interval is \(low, high\)"),
    ],
)
def test_an_interval_must_make_sense(quick: KeyOwner, name: str, interval: Any, message: str) -> None:
    with pytest.raises(EncodingError, match=message):
        getattr(fhe, name)(quick.encrypt([1.0]), interval=interval)


def test_too_few_levels_name_what_is_needed(quick: KeyOwner) -> None:
    x = quick.encrypt([1.0], level=3)
    used = quick.parameters.max_level - 3
    message = rf"^fhe.sigmoid by a polynomial of degree 15 on \[-8, 8\] needs 5 levels, 3 are left; .*={used + 5}\)"
    with pytest.raises(LevelError, match=message):
        fhe.sigmoid(x, interval=8, degree=15)
    with pytest.raises(LevelError, match=r"^fhe.abs by a composition of degree .* needs 15 levels, 3 are left"):
        fhe.abs(x, interval=1.0, error=2.0**-10)


def test_integers_have_no_exponential() -> None:
    with pytest.raises(EncodingError, match="take real arrays, got dtype int64"):
        fhe.exp(shared_owner(BFV, ReferenceBackend()).encrypt([1, 2]), interval=2, degree=3)


# --- functions of one's own ------------------------------------------------------------------------------------------


def test_a_function_of_ones_own_on_both_kinds(quick: KeyOwner) -> None:
    bump = fhe.approximate(lambda x: 1 / (1 + x**2), (-3, 3), error=1e-3)
    values = inputs(-3, 3)
    y = bump(quick.encrypt(values, bound=3.0))
    assert np.max(np.abs(quick.decrypt(y) - bump(values))) <= 2.0**-y.precision_bits - bump.error
    assert np.max(np.abs(bump(values) - 1 / (1 + values**2))) <= bump.error <= 1e-3


def test_the_usual_degree() -> None:
    assert fhe.approximate(np.exp, 1).error <= 1e-4
    assert fhe.approximate(lambda x: np.sin(x) / 100, 1).error <= 1e-6
    assert fhe.approximate(np.exp, 16).error <= 1e-4
    assert fhe.approximate(np.abs, 1).stages[0].degree() == 62  # even; no degree up to 63 reaches 1e-4
    assert fhe.approximate(np.zeros_like, 1).error == 0
    with pytest.raises(EncodingError, match="give one of them"):
        fhe.approximate(np.exp, 1, degree=3, error=0.1)


def test_a_polynomial_of_ones_own_on_both_kinds(quick: KeyOwner) -> None:
    for p in (Polynomial([1.0, -2.0, 0.5, 0.25]), Chebyshev([0.1, 0.2, -0.3], domain=[-3, 1])):
        values = inputs(-3, 1)
        y = fhe.evaluate(p, quick.encrypt(values, bound=3.0))
        np.testing.assert_allclose(fhe.evaluate(p, values), p(values))
        assert np.max(np.abs(quick.decrypt(y) - p(values))) <= 2.0**-y.precision_bits < 1e-4


def test_a_promise_narrows_the_interval(quick: KeyOwner) -> None:
    x = quick.encrypt([0.6, 0.8], bound=1.0)
    length = fhe.assume(x @ x, bound=1)
    found = fhe.tanh(length)
    assert length.shards[0].bound == 1
    assert (x @ x).shards[0].bound > 1
    assert abs(quick.decrypt(found) - math.tanh(1)) <= 2.0**-found.precision_bits < 1e-3
    with pytest.raises(EncodingError, match="a positive number"):
        fhe.assume(x, bound=0.0)


def test_periods_and_pieces() -> None:
    saw = fhe.periodic(lambda x: x, 2.0, start=-1.0)
    np.testing.assert_allclose(saw(np.array([-1.0, 0.5, 1.5, -2.5])), [-1.0, 0.5, -0.5, -0.5])
    steps = fhe.piecewise([0.0, 1.0], [1, lambda x: x**2, 5.0])
    np.testing.assert_allclose(steps(np.array([-1.0, 0.0, 0.5, 1.0, 7.0])), [1, 0, 0.25, 5, 5])
    with pytest.raises(EncodingError, match="a period is a positive number"):
        fhe.periodic(np.sin, -1.0)
    with pytest.raises(EncodingError, match="1 ascending breaks make 2 pieces"):
        fhe.piecewise([0.0], [1.0])
    with pytest.raises(EncodingError, match="ascending"):
        fhe.piecewise([1.0, 0.0], [1.0, 2.0, 3.0])


def test_the_table_is_what_its_script_makes() -> None:
    """But for the last digit of an error."""
    kept, made = (ROOT / "docs/functions.md").read_text().split(), make_function_table.text().split()
    assert len(kept) == len(made)
    for old, new in zip(kept, made, strict=True):
        if re.fullmatch(r"[\d.]+e-\d+", new):
            assert float(old) == pytest.approx(float(new), rel=0.1)
        else:
            assert old == new
