"""Polynomials of ciphertexts against NumPy, and what they may cost."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.polynomial import Chebyshev, Polynomial

from fhe.backend.protocol import Backend
from fhe.circuits import polynomial
from fhe.circuits.approximation import chebyshev, sigmoid
from fhe.circuits.polynomial import Series, depth_of_polynomial, evaluate_polynomial
from fhe.ckks import evaluator as ckks_evaluator
from fhe.errors import EncodingError, LevelError, MissingKeyError
from fhe.owner import KeyOwner
from fhe.parameters import CKKSParameters
from fhe.reference import ReferenceBackend
from fhe.rlwe.ciphertext import Ciphertext
from tests.circuits.classics import SIGN_F, SIGN_G
from tests.schemes.owners import BFV, INSECURE, shared_owner

DEEP = CKKSParameters(
    ring_degree=16, modulus_bits=[60] + [40] * 6, special_bits=[46] * 4, scale_bits=40, insecure=INSECURE
)
POINTS = np.array([-1.0, -0.7, -0.3, 0.0, 0.1, 0.5, 0.9, 1.0])


@pytest.fixture(scope="session")
def party(backend: Backend) -> KeyOwner:
    """8 slots, 6 levels."""
    return shared_owner(DEEP, backend)


@pytest.fixture
def quick() -> KeyOwner:
    """The same for tests that count, and need no second opinion."""
    return shared_owner(DEEP, ReferenceBackend())


def encrypted(party: KeyOwner, level: int | None = None) -> Ciphertext:
    return party.encrypt(POINTS, bound=1.0, level=level).shards[0]


def values(party: KeyOwner, x: Ciphertext) -> Any:
    settled = party.evaluator.settle(x)
    return party.evaluator.decode(party._secret.decrypt(settled), settled).real


def series(degree: int, kind: type[Series], seed: int) -> Series:
    return kind(np.random.default_rng(seed).uniform(-1, 1, degree + 1))


@settings(max_examples=10)
@given(degree=st.integers(1, 40), kind=st.sampled_from([Polynomial, Chebyshev]), seed=st.integers(0, 99))
def test_a_polynomial_takes_its_value_in_least_depth(
    party: KeyOwner, degree: int, kind: type[Series], seed: int
) -> None:
    p = series(degree, kind, seed)
    x = encrypted(party)
    y = party.evaluator.settle(evaluate_polynomial(party.evaluator, x, p))
    error = np.max(np.abs(values(party, y) - p(POINTS)))
    assert x.level - y.level == math.ceil(math.log2(degree + 1)) == depth_of_polynomial(degree)
    assert error < 1e-6
    assert error <= 2.0 ** -party.evaluator.precision_bits(y)
    assert np.max(np.abs(p(POINTS))) <= y.bound


@pytest.mark.parametrize(
    "p", [SIGN_F, SIGN_G, Polynomial([0, 0, 0, 1]), Chebyshev([0.5, 0, 0, 0, 0, 1e-9]), SIGN_F * 9]
)
def test_sparse_polynomials(party: KeyOwner, p: Series) -> None:
    y = evaluate_polynomial(party.evaluator, encrypted(party), p)
    np.testing.assert_allclose(values(party, y), p(POINTS), atol=1e-6)


@pytest.mark.parametrize("p", [SIGN_G, chebyshev(np.tanh, 15, -4, 4).stages[0], series(31, Chebyshev, 5)])
@pytest.mark.parametrize("shift", [1e-4, -1e-6])
def test_an_error_grows_by_the_slope(quick: KeyOwner, p: Series, shift: float) -> None:
    """A known error on every value: the bound covers what becomes of it, and is near it where p is steepest."""
    p = type(p)(p.coef)
    u = (1 - abs(shift)) * np.cos(np.linspace(0, np.pi, 8))
    off = quick.encrypt(u + shift, bound=1.0).shards[0]
    off = replace(off, noise=off.noise + abs(shift) * off.scale)
    y = evaluate_polynomial(quick.evaluator, off, p)
    assert np.max(np.abs(values(quick, y) - p(u))) <= y.noise / y.scale
    slope, bend = (np.max(np.abs(p.deriv(m)(np.linspace(-1, 1, 999)))) for m in (1, 2))
    circuit = evaluate_polynomial(quick.evaluator, replace(off, noise=0.0), p)
    assert y.noise / y.scale <= 1.02 * abs(shift) * (slope + 2 * abs(shift) * bend) + 1e-5
    assert circuit.noise / circuit.scale < 1e-5


def test_an_error_grows_by_the_slope_of_where_values_are(quick: KeyOwner) -> None:
    """SIGN_F is 35/16 steep at 0, and flat near 1 and -1."""
    x = replace(encrypted(quick), noise=0.0)
    noisy = replace(x, noise=1e-4 * x.scale)
    anywhere = evaluate_polynomial(quick.evaluator, noisy, SIGN_F)
    near_one = evaluate_polynomial(quick.evaluator, noisy, SIGN_F, within=(0.9, 1.0))
    assert 35 / 16 * 1e-4 < anywhere.noise / anywhere.scale < 3e-4
    assert near_one.noise / near_one.scale < 35 / 16 * (1 - 0.9**2) ** 3 * 1e-4 * 1.2


def test_the_usual_error_is_as_expected(quick: KeyOwner) -> None:
    """Of one polynomial on many encryptions: an estimate, within a factor."""
    p, x = Chebyshev([0.5, 0.25, 0, -0.5, 0.125]), np.cos(np.linspace(0, np.pi, 8))
    results = [evaluate_polynomial(quick.evaluator, quick.encrypt(x, bound=1.0).shards[0], p) for _ in range(40)]
    seen = np.sqrt(np.mean([(values(quick, y) - p(x)) ** 2 for y in results]))
    expected = 2.0 ** -quick.evaluator.expected_precision_bits(results[0])
    assert expected / 12 < seen < 1.5 * expected


@pytest.mark.parametrize("kind", [Polynomial, Chebyshev])
def test_nothing_is_rescaled_only_to_meet_a_scale(
    quick: KeyOwner, monkeypatch: pytest.MonkeyPatch, kind: type[Series]
) -> None:
    """Every rescale ends a basis polynomial or a quotient; levels meet by dropping limbs, scales by integer factors."""
    monkeypatch.setattr(
        type(quick.evaluator),
        "adjust",
        lambda self, x, level: x if x.level == level else pytest.fail(f"down to {level}"),
    )
    p = series(31, kind, 2)
    y = evaluate_polynomial(quick.evaluator, encrypted(quick), p)
    np.testing.assert_allclose(values(quick, y), p(POINTS), atol=1e-5)


def test_levels_of_other_sizes_move_scales_but_no_values() -> None:
    """Levels of 39 … 41 bits: no basis polynomial has its level's scale, and every sum must still be of equals."""
    uneven = replace(DEEP, modulus_bits=(60, 41, 39, 41, 39, 41, 39), levels=(), special=(), special_bits=(46,) * 4)
    party = shared_owner(uneven, ReferenceBackend())
    p = series(40, Chebyshev, 3)
    y = party.evaluator.settle(evaluate_polynomial(party.evaluator, party.encrypt(POINTS, bound=1.0).shards[0], p))
    assert y.scale == pytest.approx(uneven.scale(y.level), rel=1e-12)
    np.testing.assert_allclose(values(party, y), p(POINTS), atol=1e-5)


def test_rounding_a_coefficient_away_counts_as_noise(quick: KeyOwner) -> None:
    """0.4 / Delta is scaled to the integer 0: all of the term is error."""
    p = Polynomial([0.0, 0.4 / DEEP.scale(0)])
    y = evaluate_polynomial(quick.evaluator, encrypted(quick), p)
    assert np.max(np.abs(p(POINTS))) <= y.noise / y.scale


@pytest.mark.parametrize("p", [Polynomial([3.0]), Chebyshev([0.0]), Polynomial([2.0, 0.0, 0.0])])
def test_constants_take_no_level(quick: KeyOwner, p: Series) -> None:
    y = evaluate_polynomial(quick.evaluator, encrypted(quick, level=0), p)
    np.testing.assert_allclose(values(quick, y), p(POINTS), atol=1e-6)


def test_any_level_and_pending_operands(quick: KeyOwner) -> None:
    pending = quick.evaluator.multiply_plain(encrypted(quick, level=4), np.full(8, 0.5))
    y = quick.evaluator.settle(evaluate_polynomial(quick.evaluator, pending, SIGN_G))
    assert y.level == 0
    np.testing.assert_allclose(values(quick, y), SIGN_G(POINTS / 2), atol=1e-6)


@pytest.mark.parametrize(
    ("p", "most"), [(SIGN_F, 4), (chebyshev(sigmoid, 15, -8, 8).stages[0], 7), (series(31, Chebyshev, 1), 10)]
)
def test_relinearisations_are_few_and_as_planned(
    quick: KeyOwner, monkeypatch: pytest.MonkeyPatch, p: Series, most: int
) -> None:
    done = []
    merged = ckks_evaluator.evaluate.relinearize_rescale
    monkeypatch.setattr(
        ckks_evaluator.evaluate, "relinearize_rescale", lambda x, keys: done.append(x.level) or merged(x, keys)
    )
    monkeypatch.setattr(
        ckks_evaluator.evaluate, "relinearize", lambda x, keys: pytest.fail("not merged with a rescale")
    )
    on_window = type(p)(p.coef)
    quick.evaluator.settle(evaluate_polynomial(quick.evaluator, encrypted(quick), on_window))
    planned = polynomial._cheapest(type(p), tuple(map(float, p.coef))).relinearizations()
    assert len(done) == planned <= most


@pytest.mark.parametrize("degree", [2, 4, 8, 16])
def test_too_few_levels_are_noticed_before_any_work(
    quick: KeyOwner, monkeypatch: pytest.MonkeyPatch, degree: int
) -> None:
    depth = depth_of_polynomial(degree)
    x = encrypted(quick, level=depth - 1)
    for name in ("multiply", "multiply_plain", "add", "square"):
        monkeypatch.setattr(type(quick.evaluator), name, lambda *arguments: pytest.fail("work before the check"))
    with pytest.raises(LevelError, match=f"degree {degree} needs {depth} levels, {depth - 1} (is|are) left"):
        evaluate_polynomial(quick.evaluator, x, series(degree, Chebyshev, 0))


def test_a_missing_key_is_noticed_before_any_work(quick: KeyOwner, monkeypatch: pytest.MonkeyPatch) -> None:
    server = quick.public(relinearization=False, rotations=[])
    monkeypatch.setattr(type(server.evaluator), "multiply", lambda *arguments: pytest.fail("work before the check"))
    with pytest.raises(MissingKeyError, match="needs a relinearisation key"):
        evaluate_polynomial(server.evaluator, encrypted(quick), SIGN_F)
    evaluate_polynomial(server.evaluator, encrypted(quick), Polynomial([1.0, 0.5]))  # needs none


def test_integers_modulo_t_have_no_real_polynomials() -> None:
    party = shared_owner(BFV, ReferenceBackend())
    with pytest.raises(EncodingError, match="are for CKKS"):
        evaluate_polynomial(party.evaluator, party.encrypt([1, 2]).shards[0], SIGN_F)
