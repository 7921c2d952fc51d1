"""Polynomials of ciphertexts against NumPy, and what they may cost."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.polynomial import Chebyshev, Polynomial

from fhe.backend.protocol import Backend
from fhe.circuits import polynomial
from fhe.circuits.approximation import SIGN_F, SIGN_G, chebyshev, sigmoid
from fhe.circuits.polynomial import Series, depth_of_polynomial, evaluate_polynomial
from fhe.ckks import evaluator as ckks_evaluator
from fhe.errors import EncodingError, LevelError, MissingKeyError
from fhe.owner import KeyOwner
from fhe.parameters import CKKSParameters
from fhe.reference import ReferenceBackend
from fhe.rlwe.ciphertext import Ciphertext
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
    with pytest.raises(LevelError, match=f"degree {degree} needs {depth} levels, {depth - 1} are left"):
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
