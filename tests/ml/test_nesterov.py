"""Nesterov's steps on encrypted rows end where the same steps on plain rows do."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.polynomial import Polynomial
from sklearn import datasets, linear_model
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import fhe
from fhe.circuits.approximation import sigmoid
from fhe.errors import EncodingError, LevelError
from fhe.ml import (
    GradientScaler,
    LinearRegression,
    LogisticRegression,
    NesterovClassifier,
    NesterovRegressor,
    Ridge,
)
from fhe.ml.odd import odd, times
from fhe.owner import KeyOwner
from tests.schemes.owners import INSECURE


@cache
def owner(depth: int, ring_degree: int = 2048) -> KeyOwner:
    return fhe.ckks(depth, ring_degree=ring_degree, scale_bits=40, bound=2.0**14, insecure=INSECURE)


@cache
def tumours(samples: int = 60) -> tuple[Any, Any]:
    X, y = datasets.load_breast_cancer(return_X_y=True)
    return GradientScaler().fit_transform(X[:samples, :7]), y[:samples]


@cache
def diabetes(samples: int = 60) -> tuple[Any, Any]:
    X, y = datasets.load_diabetes(return_X_y=True)
    return GradientScaler().fit_transform(X[:samples, :7]), (y[:samples] - y[:samples].mean()) / 100


def encrypted(party: KeyOwner, model: Any, X: Any, y: Any) -> tuple[Any, Any]:
    rows, beside = model.examples(X, y)
    return party.encrypt(rows, bound=4.0), party.encrypt(beside, bound=4.0)


CASES = [
    (NesterovClassifier(steps=1), tumours, False),
    (NesterovClassifier(steps=3, rate=2.0), tumours, False),
    (NesterovClassifier(steps=3, rate=2.0, sigmoid_degree=3, alpha=0.5), tumours, False),
    (NesterovClassifier(steps=6, rate=2.0, sigmoid_degree=5), tumours, True),
    (NesterovRegressor(steps=1, rate=0.2), diabetes, False),
    (NesterovRegressor(steps=4, rate=0.2, alpha=2.0), diabetes, False),
    (NesterovRegressor(steps=12, rate=0.2), diabetes, True),
]


@pytest.mark.parametrize(("model", "examples", "refreshed"), CASES)
def test_encrypted_rows_teach_the_same(model: Any, examples: Any, refreshed: bool) -> None:
    X, y = examples()
    party, asked = owner(11 if refreshed else model.depth()), []

    def refresh(weights: fhe.EncryptedArray) -> fhe.EncryptedArray:
        asked.append(weights.shape)
        return model.refreshed_by(party)(weights)

    hidden = model.fit(*encrypted(party, model, X, y), refresh=refresh if refreshed else None)
    assert isinstance(hidden.coef_, fhe.EncryptedArray)
    assert bool(asked) == refreshed
    clear = type(model)(**model.get_params()).fit(X, y)
    learnt = hidden.decrypted(party)
    np.testing.assert_allclose(
        learnt.coef_, clear.coef_, atol=min(model.error_bound, 2.0**-hidden.coef_.precision_bits)
    )
    np.testing.assert_allclose(learnt.coef_, clear.coef_, atol=1e-4)
    assert np.mean(learnt.predict(X) == clear.predict(X)) > 0.99 or not hasattr(model, "decide")


def test_rows_in_several_ciphertexts() -> None:
    model, (X, y) = NesterovClassifier(steps=2), tumours(150)
    party = owner(model.depth(), 1024)
    rows, beside = encrypted(party, model, X, y)
    assert len(rows.shards) > 1
    np.testing.assert_allclose(
        model.fit(rows, beside).decrypted(party).coef_, NesterovClassifier(steps=2).fit(X, y).coef_, atol=1e-4
    )


def test_a_server_learns_and_scores_without_the_secret() -> None:
    model, (X, y) = NesterovRegressor(steps=2, rate=0.3), diabetes()
    party = owner(model.depth() + 1)
    server = fhe.Context.from_bytes(party.public().to_bytes())
    hidden = model.fit(*[server.load(part.to_bytes()) for part in encrypted(party, model, X, y)])
    scores = party.decrypt(hidden.predict(server.load(party.encrypt(X, bound=4.0).to_bytes())))
    np.testing.assert_allclose(scores, NesterovRegressor(steps=2, rate=0.3).fit(X, y).predict(X), atol=1e-4)


def test_the_steps_are_those_of_the_textbook() -> None:
    X, y = tumours()
    model = NesterovClassifier(steps=5, rate=1.5, alpha=0.3)
    polynomial = model.approximation().stages[0]
    v = w = np.zeros(X.shape[1])
    t, rate = 1.0, 1.5 / len(X)
    for _ in range(5):
        new = w + rate * (X.T @ (y - 0.5 - polynomial(X @ w)) - 0.3 * w)
        t, before = (1 + np.sqrt(1 + 4 * t * t)) / 2, t
        v, w = new, new + (before - 1) / t * (new - v)
    np.testing.assert_allclose(model.fit(X, y).coef_, v, atol=1e-12)


def test_where_the_steps_lead() -> None:
    X, y = diabetes(400)
    ridge = linear_model.Ridge(alpha=3.0, fit_intercept=False).fit(X, y)
    found = NesterovRegressor(steps=400, rate=0.25, alpha=3.0).fit(X, y)
    np.testing.assert_allclose(found.coef_, ridge.coef_, atol=1e-3)
    X, y = datasets.load_breast_cancer(return_X_y=True)
    model = make_pipeline(GradientScaler(), NesterovClassifier(steps=5, rate=2.5)).fit(X, y)
    theirs = make_pipeline(StandardScaler(), linear_model.LogisticRegression()).fit(X, y)
    assert model.score(X, y) > theirs.score(X, y) - 0.02


def test_scaled_rows_have_a_hessian_that_steps_of_rate_one_stay_below() -> None:
    X, _ = datasets.load_breast_cancer(return_X_y=True)
    scaler = GradientScaler().fit(X)
    rows = scaler.transform(X)
    assert np.linalg.eigvalsh(rows.T @ rows / (4 * len(rows)))[-1] <= 1 + 1e-9
    assert np.max(np.abs(rows)) <= scaler.bound_ <= np.max(np.abs(rows)) + 1e-9
    assert scaler.get_feature_names_out().shape == (31,)
    with pytest.raises(ValueError, match="clip is a positive number"):
        GradientScaler(clip=0.0).fit(X)


@pytest.mark.parametrize("degree", [1, 3, 5, 7, 9, 15])
def test_odd_polynomials_by_halves(degree: int) -> None:
    coefficients = np.zeros(degree + 1)
    coefficients[1::2] = np.random.default_rng(degree).normal(size=(degree + 1) // 2)
    polynomial, z = Polynomial(coefficients), np.linspace(-2, 2, 9)
    found = odd(polynomial)
    u = found.scale * z
    np.testing.assert_allclose(times(found.coefficients, u * 3, [u * u]), 3 * polynomial(z), rtol=1e-10)
    assert found.depth == 1 + ((degree + 1) // 2 - 1).bit_length()


def test_the_sigmoid_and_its_error() -> None:
    found, z = NesterovClassifier(score_bound=8.0).approximation(), np.linspace(-8, 8, 1001)
    assert np.max(np.abs(found.stages[0](z) + 0.5 - sigmoid(z))) <= found.error < 0.03


def test_bad_input() -> None:
    model, (X, y) = NesterovClassifier(steps=3), tumours()
    party = owner(4)
    rows, beside = encrypted(party, model, X, y)
    with pytest.raises(LevelError, match=r"3 steps need 11 levels, 4 are left; .*depth=11\), fewer steps, or"):
        model.fit(rows, beside)
    with pytest.raises(LevelError, match=r"a step takes 5 levels, 4 are left; use fhe.ckks\(depth=5\)"):
        model.fit(rows, beside, refresh=lambda weights: weights)
    for given in ((rows, y), (X, beside), (rows, beside[:, 0]), (rows[0], beside[0])):
        with pytest.raises(EncodingError, match="y beside every feature"):
            model.fit(*given)
    with pytest.raises(EncodingError, match="without batch="):
        model.fit(party.encrypt(X, batch=0), party.encrypt(X, batch=0))
    for parameters in ({"steps": 0}, {"steps": 1.5}, {"rate": 0.0}, {"alpha": -1.0}):
        with pytest.raises(ValueError, match="steps and rate must be positive, alpha not negative"):
            NesterovClassifier(**parameters).fit(X, y)
    with pytest.raises(ValueError, match="sigmoid_degree odd and positive"):
        NesterovClassifier(sigmoid_degree=4).fit(X, y)
    with pytest.raises(ValueError, match="Only binary classification is supported"):
        model.fit(X[:6], [0, 1, 2, 0, 1, 2])
    with pytest.warns(ConvergenceWarning, match="beyond score_bound=1: .* lower rate"):
        NesterovClassifier(score_bound=1.0, rate=4.0).fit(X, y)


@pytest.mark.parametrize("model", [LinearRegression(), Ridge(), LogisticRegression()], ids=lambda m: type(m).__name__)
def test_what_learns_in_the_clear_names_what_learns_encrypted(model: Any) -> None:
    X, y = tumours()
    rows, beside = encrypted(owner(4), NesterovClassifier(), X, y)
    for examples in ((rows, beside), (rows, y), (X, beside)):
        with pytest.raises(EncodingError, match=rf"{type(model).__name__} learns from plain examples; .* Nesterov"):
            model.fit(*examples)


def test_a_refresh_that_gives_too_few_levels() -> None:
    model, (X, y) = NesterovRegressor(steps=6, rate=0.2), diabetes()
    party = owner(4)
    with pytest.raises(LevelError, match="a step takes 3 levels, refresh gave weights with 1"):
        model.fit(*encrypted(party, model, X, y), refresh=lambda weights: party.encrypt(np.zeros(8), level=1))


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks([NesterovClassifier(), NesterovRegressor(), GradientScaler()])
def test_the_conventions_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)
