"""Learning from encrypted examples gives, decrypted, what learning from plain ones gives."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from sklearn import datasets
from sklearn.exceptions import ConvergenceWarning
from sklearn.neighbors import NearestCentroid
from sklearn.utils.estimator_checks import parametrize_with_checks

import fhe
from fhe.errors import EncodingError, LevelError, ValueOverflowError
from fhe.ml import DescentClassifier, DescentRegressor, LinearMeansClassifier
from fhe.owner import KeyOwner
from tests.ml.test_family import split
from tests.schemes.owners import INSECURE


@cache
def owner(depth: int = 15) -> KeyOwner:
    return fhe.ckks(depth, ring_degree=1024, scale_bits=50, bound=2.0**14, insecure=INSECURE)


@cache
def exact() -> KeyOwner:
    return fhe.bfv(depth=3, value_bits=46, ring_degree=2048, insecure=INSECURE)


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks([LinearMeansClassifier(), DescentClassifier(), DescentRegressor()])
def test_the_conventions_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


# --- nearest means ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [None, 0], ids=["rows", "columns"])
@pytest.mark.parametrize("kinds", [2, 3])
def test_means_of_integers_are_exact(kinds: int, batch: int | None) -> None:
    X, y = datasets.load_iris(return_X_y=True)
    X, y = np.round(10 * X[y < kinds]).astype(int), y[y < kinds]
    train = np.arange(len(X)) % 2 == 0
    clear = LinearMeansClassifier(division_free=True).fit(X[train], y[train])
    hidden = LinearMeansClassifier(division_free=True).fit(
        exact().encrypt(X[train], bound=(0, 80), batch=batch), y[train]
    )
    scores = exact().decrypt(hidden.decision_function(exact().encrypt(X[~train], bound=(0, 80), batch=batch)))
    assert np.array_equal(scores, clear.decision_function(X[~train]))
    assert np.array_equal(hidden.decide(scores), clear.predict(X[~train]))
    assert np.array_equal(hidden.decrypted(exact()).predict(X[~train]), clear.predict(X[~train]))
    assert clear.score(X[~train], y[~train]) > 0.9


@pytest.mark.parametrize("batch", [None, 0], ids=["rows", "columns"])
@pytest.mark.parametrize("name", ["wine", "breast_cancer"])
def test_means_of_reals(name: str, batch: int | None) -> None:
    data, party = split(name), owner(2)
    clear = LinearMeansClassifier().fit(data.X, data.y)
    hidden = LinearMeansClassifier().fit(party.encrypt(data.X, bound=4.0, batch=batch), data.y)
    found = party.decrypt(hidden.decision_function(party.encrypt(data.test, bound=4.0, batch=batch)))
    np.testing.assert_allclose(found, clear.decision_function(data.test), atol=1e-5)
    assert np.array_equal(hidden.decide(found), clear.predict(data.test))


def test_means_are_those_of_scikit_learn() -> None:
    data = split("wine")
    theirs = NearestCentroid().fit(data.X, data.y).predict(data.test)
    for division_free in (False, True):
        ours = LinearMeansClassifier(division_free=division_free).fit(data.X, data.y)
        assert np.array_equal(ours.predict(data.test), theirs)


def test_impossible_examples() -> None:
    X, y = exact().encrypt([[1, 2], [3, 4]], bound=(0, 9)), [0, 1]
    with pytest.raises(EncodingError, match=r"use LinearMeansClassifier\(division_free=True\)"):
        LinearMeansClassifier().fit(X, y)
    model = LinearMeansClassifier(division_free=True)
    with pytest.raises(EncodingError, match="there are 2 encrypted rows and 3 labels"):
        model.fit(X, [0, 1, 1])
    with pytest.raises(ValueError, match="the labels have 1 class"):
        model.fit(X, [1, 1])
    with pytest.raises(EncodingError, match="two dimensions"):
        model.fit(X[0], [0])
    with pytest.raises(ValueOverflowError, match="value_bits"):
        model.fit(exact().encrypt([[10**6, 2], [3, 10**6]], bound=(0, 2**24)), y)


# --- descent ---------------------------------------------------------------------------------------------------------


def examples(model: Any, name: str, party: KeyOwner) -> tuple[Any, Any, Any, Any]:
    """Plain X and y, and both encrypted."""
    data = split(name)
    y = data.y.astype(float) if hasattr(model, "decide") else data.y / 100
    return data.X, y, party.encrypt(data.X, bound=4.0, batch=0), party.encrypt(y, bound=4.0)


CASES = [
    (DescentRegressor(steps=3, rate=0.2), "diabetes", False),
    (DescentRegressor(steps=12, rate=0.2), "diabetes", True),
    (DescentClassifier(steps=3, rate=0.3, score_bound=16.0), "breast_cancer", False),
    (DescentClassifier(steps=6, rate=0.3, score_bound=16.0), "breast_cancer", True),
]


@pytest.mark.parametrize(("model", "name", "refreshed"), CASES)
def test_encrypted_examples_teach_the_same(model: Any, name: str, refreshed: bool) -> None:
    party, asked = owner(9 if refreshed else model.depth()), []
    X, y, hidden_X, hidden_y = examples(model, name, party)

    def refresh(weights: fhe.EncryptedArray) -> fhe.EncryptedArray:
        asked.append(weights.shape)
        return party.encrypt(party.decrypt(weights), batch=1, bound=8.0)

    hidden = model.fit(hidden_X, hidden_y, refresh=refresh if refreshed else None)
    assert isinstance(hidden.coef_, fhe.EncryptedArray)
    assert bool(asked) == refreshed
    learnt = hidden.decrypted(party)
    clear = type(model)(**model.get_params()).fit(X, y)
    np.testing.assert_allclose(learnt.coef_, clear.coef_, atol=1e-5)
    np.testing.assert_allclose(learnt.intercept_, clear.intercept_, atol=1e-5)
    test = split(name).test
    np.testing.assert_allclose(learnt.predict(test), clear.predict(test), atol=1e-4)


def test_a_server_learns_without_the_secret() -> None:
    party, data = owner(6), split("diabetes")
    server = fhe.Context.from_bytes(party.public().to_bytes())
    X, y = (
        server.load(party.encrypt(values, bound=4.0, batch=0).to_bytes()) for values in (data.X[:, :3], data.y / 100)
    )
    learnt = DescentRegressor(steps=3).fit(X, y).decrypted(party)
    clear = DescentRegressor(steps=3).fit(data.X[:, :3], data.y / 100)
    np.testing.assert_allclose(learnt.coef_, clear.coef_, atol=1e-5)


def test_learning_from_more_examples_than_slots() -> None:
    party, data = fhe.ckks(6, ring_degree=256, scale_bits=50, bound=2.0**14, insecure=INSECURE), split("diabetes")
    X, y = party.encrypt(data.X, bound=4.0, batch=0), party.encrypt(data.y / 100, bound=4.0)
    assert X.layout.slots < len(y)
    learnt = DescentRegressor(steps=3, rate=0.2).fit(X, y).decrypted(party)
    clear = DescentRegressor(steps=3, rate=0.2).fit(data.X, data.y / 100)
    np.testing.assert_allclose(learnt.coef_, clear.coef_, atol=1e-5)
    np.testing.assert_allclose(learnt.intercept_, clear.intercept_, atol=1e-5)
    means = LinearMeansClassifier().fit(X, data.y > 150)
    scores = party.decrypt(means.decision_function(party.encrypt(data.test, bound=4.0, batch=0)))
    expected = LinearMeansClassifier().fit(data.X, data.y > 150).decision_function(data.test)
    np.testing.assert_allclose(scores, expected, atol=1e-5)


def test_descent_arrives_where_scikit_learn_does() -> None:
    data = split("diabetes")
    model = DescentRegressor(steps=2000, rate=0.3).fit(data.X, data.y)
    slopes = np.linalg.lstsq(np.column_stack([data.X, np.ones(len(data.X))]), data.y, rcond=None)[0]
    np.testing.assert_allclose([*model.coef_, model.intercept_], slopes, rtol=0.01, atol=0.5)
    data = split("breast_cancer")
    assert DescentClassifier(steps=20, rate=0.2, score_bound=16.0).fit(data.X, data.y).score(data.X, data.y) > 0.95


def test_more_steps_than_there_are_levels_are_refused_before_any_work() -> None:
    model = DescentRegressor(steps=5)
    _, _, X, y = examples(model, "diabetes", owner(2))
    with pytest.raises(LevelError, match=r"5 steps need 10 levels, 2 are left; use fhe.ckks\(depth=10\), fewer steps"):
        model.fit(X, y)
    with pytest.raises(LevelError, match="a step takes 2 levels, refresh gave weights with 0"):
        model.fit(X, y, refresh=lambda weights: weights)


def test_impossible_ways_to_learn() -> None:
    model, party = DescentRegressor(steps=1), owner(2)
    plain_X, plain_y, X, y = examples(model, "diabetes", party)
    for given in ((plain_X, y), (X, plain_y), (X, y[:3]), (X[0], y)):
        with pytest.raises(EncodingError, match="encrypt"):
            model.fit(*given)
    with pytest.raises(EncodingError, match=r"encrypt\(X, batch=0\)"):
        model.fit(party.encrypt(plain_X, bound=4.0), y)
    for parameters in ({"steps": 0}, {"steps": 1.5}, {"rate": -1.0}):
        with pytest.raises(ValueError, match="steps and rate must be positive"):
            DescentRegressor(**parameters).fit(plain_X, plain_y)
    with pytest.raises(ValueError, match="Only binary classification is supported"):
        DescentClassifier().fit(plain_X[:6], [0, 1, 2, 0, 1, 2])
    with pytest.warns(ConvergenceWarning, match="beyond score_bound=1: .* lower rate"):
        DescentClassifier(score_bound=1.0).fit(split("breast_cancer").X, split("breast_cancer").y)
