"""Means and Fisher's discriminant learnt from encrypted integers equal the same integers computed in the clear."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import datasets

import fhe
from fhe.errors import ValueOverflowError
from fhe.ml import FisherDiscriminant, LinearMeansClassifier
from fhe.owner import KeyOwner
from tests.schemes.owners import INSECURE

LARGEST = 7
STEPS = [1, 2, 3]


@cache
def halves() -> tuple[NDArray[Any], NDArray[Any]]:
    """Standardised features of tumours in halves of a deviation, clipped; 120 rows of 8 features."""
    X, y = datasets.load_breast_cancer(return_X_y=True)
    return np.rint(2 * (X - X.mean(axis=0)) / X.std(axis=0)).clip(-LARGEST, LARGEST).astype(int)[:120, :8], y[:120]


def fisher(steps: int) -> FisherDiscriminant:
    return FisherDiscriminant(gradient_steps=steps, curvature=12)


@cache
def owner(steps: int) -> KeyOwner:
    model, (X, y) = fisher(steps), halves()
    bits = model.value_bits(np.bincount(y).tolist(), X.shape[1], LARGEST)
    return fhe.bfv(depth=model.depth(), value_bits=bits, ring_degree=2048, insecure=INSECURE)


@pytest.mark.parametrize("steps", STEPS)
def test_gradient_steps_are_exact(steps: int) -> None:
    X, y = halves()
    hidden = fisher(steps).fit(owner(steps).encrypt(X, bound=LARGEST), y)
    clear = fisher(steps).fit(X, y)
    scores = owner(steps).decrypt(hidden.decision_function(owner(steps).encrypt(X, bound=LARGEST)))
    assert np.array_equal(scores, clear.decision_function(X))
    assert np.array_equal(hidden.decrypted(owner(steps)).coef_, clear.coef_)
    assert np.array_equal(hidden.decide(scores), clear.predict(X))


@pytest.mark.parametrize("steps", STEPS)
def test_gradient_steps_are_those_of_fractions(steps: int) -> None:
    X, y = halves()
    sizes, n = np.bincount(y), len(y)
    D, curvature = np.lcm(*sizes), 12
    m = [X[y == k].mean(axis=0) for k in (0, 1)]
    R = X - np.where(y[:, None] == 1, m[1], m[0])
    d, C, h = D * (m[1] - m[0]), D * R.T @ R, float(D * n * curvature)
    w = d / h
    for _ in range(1, steps):
        w = w + (d - C @ w) / h
    learnt = fisher(steps).fit(X, y)
    np.testing.assert_allclose(learnt.coef_[0].astype(float) / (2 * D * h**steps), w, rtol=1e-9)
    np.testing.assert_allclose(learnt.intercept_.astype(float) / (2 * D * h**steps), -w @ (m[0] + m[1]) / 2, rtol=1e-9)


def test_more_steps_come_nearer_to_the_exact_discriminant() -> None:
    X, y = halves()
    exact = FisherDiscriminant().fit(X, y).coef_[0]

    def angle(steps: int) -> float:
        w = fisher(steps).fit(X, y).coef_[0]
        w = (w / max(abs(w))).astype(float)
        return float(w @ exact / np.linalg.norm(w) / np.linalg.norm(exact))

    near = [angle(steps) for steps in (1, 2, 3, 20)]
    assert near == sorted(near)
    assert near[-1] > 0.7


def test_value_bits_hold_every_step() -> None:
    X, y = halves()
    for steps in STEPS:
        model = fisher(steps).fit(X, y)
        largest = max(abs(int(score)) for score in model.decision_function(np.where(model.coef_[0] > 0, 7, -7)[None]))
        assert largest.bit_length() <= model.value_bits(np.bincount(y).tolist(), X.shape[1], LARGEST)


def test_too_few_value_bits_are_refused() -> None:
    X, y = halves()
    party = fhe.bfv(depth=6, value_bits=40, ring_degree=2048, insecure=INSECURE)
    with pytest.raises(ValueOverflowError, match="value_bits"):
        fisher(2).fit(party.encrypt(X, bound=LARGEST), y)


def test_impossible_steps() -> None:
    X, y = halves()
    for parameters in ({"gradient_steps": 0}, {"gradient_steps": 1.5}, {"gradient_steps": 2, "curvature": 0}):
        with pytest.raises(ValueError, match="gradient_steps=r and a whole curvature"):
            FisherDiscriminant(**parameters).fit(X, y)
    with pytest.raises(ValueError, match="gradient_steps=r"):
        FisherDiscriminant().fit(owner(1).encrypt(X, bound=LARGEST), y)
    with pytest.raises(ValueError, match="two classes apart, the labels have 3"):
        fisher(1).fit(X[:6], [0, 1, 2, 0, 1, 2])
    with pytest.raises(ValueError, match="no directions"):
        fisher(1).fit(X, y).transform(X)


def test_means_of_wide_integers_are_exact() -> None:
    X, y = halves()
    party = fhe.bfv(depth=2, value_bits=70, ring_degree=2048, insecure=INSECURE)
    hidden = LinearMeansClassifier(division_free=True).fit(party.encrypt(X, bound=LARGEST), y)
    clear = LinearMeansClassifier(division_free=True).fit(X, y)
    assert np.array_equal(hidden.decrypted(party).coef_, clear.coef_)
    scores = party.decrypt(hidden.decision_function(party.encrypt(X, bound=LARGEST)))
    assert np.array_equal(scores, clear.decision_function(X))


def test_means_without_a_division_are_exact_in_the_clear_however_large() -> None:
    X, y = np.array([[10**6, 3], [1, 10**6], [2, 7], [5, 1], [4, 4]]), np.array([0, 0, 1, 1, 1])
    model = LinearMeansClassifier(division_free=True).fit(X * 10**6, y)
    twice = LinearMeansClassifier(division_free=True).fit(X, y)
    assert np.array_equal(model.coef_, twice.coef_ * 10**6)
    assert np.array_equal(model.intercept_, twice.intercept_.astype(object) * 10**12)
