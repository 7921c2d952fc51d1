"""Comparison of encrypted reals: right beyond the margin, harmless within it, and its bound holds."""

from __future__ import annotations

import operator
from dataclasses import replace
from itertools import permutations, product
from typing import Any

import numpy as np
import pytest

import fhe
from fhe.arrays import comparison, margins
from fhe.backend.protocol import Backend
from fhe.errors import EncodingError, LevelError, MissingKeyError
from fhe.owner import KeyOwner
from fhe.parameters import CKKSParameters
from fhe.reference import ReferenceBackend
from tests.schemes.owners import INSECURE, shared_owner

DEEP = CKKSParameters(
    ring_degree=32, modulus_bits=[60] + [40] * 14, special_bits=[46] * 5, scale_bits=40, insecure=INSECURE
)
DEEPER = CKKSParameters(
    ring_degree=32, modulus_bits=[60] + [40] * 27, special_bits=[46] * 7, scale_bits=40, insecure=INSECURE
)
MARGIN = 2 / 256  # by default, of operands up to 1


@pytest.fixture(scope="session")
def party(backend: Backend) -> KeyOwner:
    """16 slots, 14 levels."""
    return shared_owner(DEEP, backend)


@pytest.fixture
def quick() -> KeyOwner:
    return shared_owner(DEEP, ReferenceBackend())


def operands(margin: float = MARGIN) -> tuple[Any, Any]:
    """Ends, equal values, differences of the margin, of less and of a little more, and random ones."""
    x = np.array([1, -1, 1, -1, 0, 0.5, 0.5, 0.5, 0.5, -0.25, 0])
    y = np.array(
        [-1, 1, 1, -1, 0, 0.5 + margin, 0.5 - margin, 0.5 + margin / 2, 0.5 - 1e-6, -0.25 - 1.5 * margin, 0.01]
    )
    drawn = np.random.default_rng(5).uniform(-1, 1, (2, 5))
    return np.append(x, drawn[0]), np.append(y, drawn[1])


def encrypted(party: KeyOwner) -> tuple[Any, Any, Any, Any]:
    x, y = operands()
    return x, y, party.encrypt(x, bound=1.0), party.encrypt(y, bound=1.0)


def check(found: Any, truth: Any, x: Any, y: Any, error: float) -> None:
    """Beyond the margin within the error, elsewhere between the ends."""
    far = np.abs(x - y) >= MARGIN * (1 - 1e-12)
    assert np.count_nonzero(far) >= 8
    assert np.max(np.abs(found - truth)[far]) <= error
    assert np.min(found) >= truth.min() - error
    assert np.max(found) <= truth.max() + error


def test_greater(party: KeyOwner) -> None:
    x, y, a, b = encrypted(party)
    mask = margins.greater(a, b)
    check(party.decrypt(mask), (x > y) * 1.0, x, y, 2.0**-mask.precision_bits)
    assert 2.0**-mask.precision_bits <= 2.0**-8
    assert a.level - mask.level == margins.sign_of(a - b).depth == 12
    assert mask.shards[0].bound < 1.01


def test_sign_and_its_complement(quick: KeyOwner) -> None:
    x, y, a, b = encrypted(quick)
    s = margins.sign(a - b, margin=MARGIN, error=0.01)
    check(quick.decrypt(s), np.sign(x - y), x, y, 2.0**-s.precision_bits)
    mask = margins.greater(a, b)
    np.testing.assert_allclose(quick.decrypt(margins.complement(mask)), 1 - quick.decrypt(mask), atol=1e-6)


@pytest.mark.parametrize("largest", [True, False])
def test_extremes_are_within_the_margin_always(party: KeyOwner, largest: bool) -> None:
    x, y, a, b = encrypted(party)
    found = margins.extreme(a, b, largest)
    expected = np.maximum(x, y) if largest else np.minimum(x, y)
    assert np.max(np.abs(party.decrypt(found) - expected)) <= 2.0**-found.precision_bits <= 1.05 * MARGIN
    assert a.level - found.level == 13
    assert found.shards[0].bound <= 1 + MARGIN


def test_a_plain_operand(quick: KeyOwner) -> None:
    x, _, a, _ = encrypted(quick)
    found = margins.extreme(a, 0.25, True)
    assert np.max(np.abs(quick.decrypt(found) - np.maximum(x, 0.25))) <= 2.0**-found.precision_bits
    y = np.linspace(-1, 1, 16)
    mask = quick.decrypt(margins.greater(y, a))
    far = np.abs(x - y) >= MARGIN
    assert np.max(np.abs(mask - (y > x))[far]) < 2.0**-8


@pytest.mark.parametrize(("a_plain", "b_plain"), [*product([True, False], repeat=2)])
def test_where_chooses(quick: KeyOwner, a_plain: bool, b_plain: bool) -> None:
    x, y, a, b = encrypted(quick)
    mask = margins.greater(a, b)
    high, low = (x if a_plain else a), (y if b_plain else b)
    chosen = quick.decrypt(np.where(mask, high, low))
    far = np.abs(x - y) >= MARGIN
    np.testing.assert_allclose(chosen[far], np.maximum(x, y)[far], atol=MARGIN)


def test_a_wider_margin_takes_fewer_levels(quick: KeyOwner) -> None:
    x = quick.encrypt([1.0], bound=1.0)
    depths = [margins.sign_of(x, margin=margin, error=0.05).depth for margin in (0.5, 0.1, 0.01)]
    assert depths == sorted(set(depths))
    assert margins.sign_of(x, margin=0.1, error=0.05).gaps[0] == pytest.approx(0.1)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_sorting_three(order: tuple[int, ...]) -> None:
    party = shared_owner(DEEPER, ReferenceBackend())
    rows = np.array([[-0.9, 0.3, 0.5, 0.1], [0.1, 0.3, 0.501, 0.1], [0.8, -0.3, 0.499, 0.1]])[list(order)]
    found = margins.sort([party.encrypt(row, bound=1.0) for row in rows], margin=0.15, error=0.05)
    for row, expected in zip(found, np.sort(rows, axis=0), strict=True):
        promised = 2.0**-row.precision_bits
        assert np.max(np.abs(party.decrypt(row) - expected)) <= promised <= 0.46


@pytest.mark.parametrize("count", range(2, 9))
def test_the_network_sorts(count: int) -> None:
    """Whatever consists of zeros and ones, and therefore everything (Knuth 5.3.4, theorem Z)."""
    for bits in product([0, 1], repeat=count):
        values = list(bits)
        for i, j in margins.network(count):
            assert i < j
            values[i], values[j] = min(values[i], values[j]), max(values[i], values[j])
        assert values == sorted(values)


@pytest.mark.parametrize("count", [2, 3, 4])
def test_the_place_of_the_largest(count: int) -> None:
    party = shared_owner(DEEPER, ReferenceBackend())
    rows = np.random.default_rng(count).permuted(np.linspace(-1, 1, count)[:, None] * np.ones(6), axis=0)
    found = margins.argmax([party.encrypt(row, bound=1.0) for row in rows])
    np.testing.assert_allclose(party.decrypt(found), np.argmax(rows, axis=0), atol=0.05)


# --- by operators and NumPy's functions, and along axes ---------------------------------------------------------------


def test_operators_and_numpy(quick: KeyOwner) -> None:
    x, y, a, b = encrypted(quick)
    far = np.abs(x - y) >= MARGIN
    for compare in (operator.gt, operator.ge, operator.lt, operator.le):
        for first, second in ((a, b), (a, y), (x, b)):
            found = quick.decrypt(compare(first, second))
            assert np.max(np.abs(found - compare(x, y))[far]) <= 2.0**-8
    for extreme, function in ((np.maximum, fhe.maximum), (np.minimum, fhe.minimum)):
        np.testing.assert_array_equal(quick.decrypt(extreme(a, b)), quick.decrypt(function(a, b)))
        assert np.max(np.abs(quick.decrypt(extreme(a, b)) - extreme(x, y))) <= MARGIN
    np.testing.assert_allclose(quick.decrypt(np.sign(a - b))[far], np.sign(x - y)[far], atol=2.0**-8)
    np.testing.assert_allclose(quick.decrypt(abs(a)), np.abs(x), atol=0.005)


def test_extremes_of_extremes_add_their_errors() -> None:
    """The first is off by up to a margin: far more than the second's slack, and yet no harm."""
    party = shared_owner(DEEPER, ReferenceBackend())
    values = np.append(np.linspace(-1, 1, 13), [-0.5 + 1e-3, 0.25, 0.25 - 2e-3])
    found = np.clip(party.encrypt(values, bound=1.0), -0.5, 0.25)
    assert np.max(np.abs(party.decrypt(found) - np.clip(values, -0.5, 0.25))) <= 2.0**-found.precision_bits < 0.02
    assert found.level == DEEPER.max_level - 26


@pytest.mark.parametrize("direction", [1.0, -1.0, 1j])
def test_an_extreme_of_what_is_itself_off(quick: KeyOwner, direction: complex) -> None:
    """Errors beyond the slack, in every direction, where values are largest too: they stay, and nothing else comes."""
    x, y = operands()
    near = 0.05
    a = quick.encrypt(x + direction * near, bound=1.1).map(
        lambda shard: replace(shard, noise=shard.noise + near * shard.scale, bound=1.0)
    )
    found = margins.extreme(a.of_dtype(np.dtype(np.float64)), quick.encrypt(y, bound=1.0), True)
    promised = 2.0**-found.precision_bits
    assert np.max(np.abs(quick.decrypt(found) - np.maximum(x, y))) <= promised <= 2**0.5 * near + 1.2 * MARGIN


def test_axes() -> None:
    """A column of each matrix in a ciphertext of its own: what `batch` is for."""
    party = shared_owner(DEEPER, ReferenceBackend())
    rows = np.array([[0.5, -0.5, 1.0], [-1.0, 0.0, 1.0], [0.3, 0.9, -0.3]])
    x = party.encrypt(rows, bound=1.0, batch=0)
    np.testing.assert_allclose(party.decrypt(np.argmax(x, axis=1)), np.argmax(rows, axis=1), atol=0.05)
    np.testing.assert_allclose(party.decrypt(np.argmin(x, axis=1)), np.argmin(rows, axis=1), atol=0.05)
    pairs = party.encrypt(rows[:, :2], bound=1.0, batch=0)
    np.testing.assert_allclose(party.decrypt(np.sort(pairs, axis=1)), np.sort(rows[:, :2], axis=1), atol=0.01)


def test_what_will_be_done_is_said(quick: KeyOwner) -> None:
    x = quick.encrypt([1.0], bound=2.0)
    assert comparison.explain(x, 0.5, margin=0.5) == (
        "differences up to 2.5\n"
        "x > y: degree 7, 7 on [-2.5, 2.5] beyond a margin of 0.5, error at most 0.00022, 7 levels"
    )


# --- what cannot work -------------------------------------------------------------------------------------------------


def test_equality_has_no_answer(quick: KeyOwner) -> None:
    with pytest.raises(TypeError, match=r"ask whether they are near: abs\(x - y\) < tolerance"):
        margins.differ(quick.encrypt([1.0]), 1.0)


def test_levels_keys_and_margins_are_checked_before_any_work(quick: KeyOwner, monkeypatch: pytest.MonkeyPatch) -> None:
    x, low = quick.encrypt([0.5], bound=1.0), quick.encrypt([0.5], bound=1.0, level=5)
    server = quick.public(rotations=[])
    handed = server.load(x.to_bytes())
    monkeypatch.setattr(type(quick.evaluator), "multiply", lambda *arguments: pytest.fail("work before the check"))
    with pytest.raises(LevelError, match=r"degree 59, 29 .* margin of 0.0039 needs 11 levels, 5 are left"):
        margins.greater(low, 0.0)
    with pytest.raises(LevelError, match=r"^ordering by a composition of degree .* needs 12 levels, 5 are left"):
        margins.extreme(low, 0.0, True)
    with pytest.raises(MissingKeyError, match=r"owner.public\(conjugation=True\)"):
        margins.greater(handed, 0.0)
    with pytest.raises(EncodingError, match="the margin of a sign must lie between 0 and the bound"):
        margins.greater(x, 0.0, margin=2.0)
    with pytest.raises(EncodingError, match="the error of a sign"):
        margins.greater(x, 0.0, error=0.0)
