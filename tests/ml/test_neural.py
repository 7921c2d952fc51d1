"""Perceptrons and polynomial kernels on encrypted rows against the same models on plain ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import neural_network, svm

import fhe
from fhe.errors import EncodingError, LevelError
from fhe.ml import SVC, MLPClassifier, MLPRegressor, from_sklearn
from fhe.owner import KeyOwner
from tests.ml.test_family import split
from tests.schemes.owners import INSECURE

pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer")


def network(name: str, activation: str = "tanh", **parameters: Any) -> MLPClassifier:
    data = split(name)
    options = {"alpha": 1.0, "max_iter": 200, "random_state": 0, **parameters}
    return MLPClassifier([8], activation=activation, **options).fit(data.X, data.y)


def owner_for(model: Any) -> KeyOwner:
    bound = model.value_bound(4.0) if hasattr(model, "value_bound") else 2.0**16
    return fhe.ckks(model.depth(), bound=bound, ring_degree=1024, scale_bits=36, insecure=INSECURE)


@pytest.mark.parametrize("batch", [None, 0], ids=["rows", "columns"])
@pytest.mark.parametrize(
    ("name", "activation", "degree"),
    [("wine", "relu", 2), ("breast_cancer", "logistic", 3), ("iris", "tanh", 7), ("wine", "identity", 1)],
)
def test_encrypted_rows_get_the_answers_of_the_polynomials(
    name: str, activation: str, degree: int, batch: int | None
) -> None:
    data, model = split(name), network(name, activation)
    assert model.approximate(data.X, degree=degree) is model
    party = owner_for(model)
    hidden = model.decision_function(party.encrypt(data.test, bound=4.0, batch=batch))
    scores = party.decrypt(hidden)
    np.testing.assert_allclose(scores, model.decision_function(data.test), atol=1e-5)
    assert np.array_equal(model.decide(scores), model.predict(data.test))
    assert hidden.level >= 0


def test_good_polynomials_hardly_change_a_network() -> None:
    data, model = split("breast_cancer"), network("breast_cancer")
    clear = model.predict(data.test)
    assert np.mean(model.approximate(data.X, degree=15).predict(data.test) == clear) >= 0.995
    coarse = model.approximate(data.X, degree=1)
    assert coarse.depth() < network("breast_cancer").approximate(data.X, degree=15).depth()


def test_two_hidden_layers_and_several_targets() -> None:
    data = split("diabetes")
    for y in (data.y / 100, np.column_stack([data.y, -data.y]) / 100):
        model = MLPRegressor(hidden_layer_sizes=[6, 4], max_iter=100, random_state=0).fit(data.X, y)
        model.approximate(data.X, degree=3)
        party = owner_for(model)
        found = model.predict(party.encrypt(data.test, bound=4.0, batch=0))
        assert found.shape == y[: len(data.test)].shape
        np.testing.assert_allclose(party.decrypt(found), model.predict(data.test), atol=1e-5)


def test_learning_anew_forgets_the_polynomials() -> None:
    data, model = split("iris"), network("iris")
    model.approximate(data.X)
    for learn in (model.fit, model.partial_fit):
        learn(data.X, data.y)
        with pytest.raises(EncodingError, match=r"need polynomials for tanh; call MLPClassifier.approximate\(X\)"):
            model.depth()
        model.approximate(data.X)


def test_impossible_networks() -> None:
    data, model = split("iris"), network("iris")
    party = fhe.ckks(2, ring_degree=512, insecure=INSECURE)
    x = party.encrypt(data.test, bound=4.0)
    with pytest.raises(EncodingError, match=r"call MLPClassifier\.approximate"):
        model.decision_function(x)
    with pytest.raises(ValueError, match="slack must be at least 1"):
        model.approximate(data.X, slack=0.5)
    with pytest.raises(LevelError, match=r"MLPClassifier needs \d levels, 2 are left"):
        model.approximate(data.X).decision_function(x)


@pytest.mark.parametrize(("kernel", "degree"), [("poly", 2), ("poly", 3), ("linear", 1)])
def test_support_vectors(kernel: str, degree: int) -> None:
    data = split("breast_cancer")
    model = SVC(kernel=kernel, degree=degree, coef0=1.0, C=0.05).fit(data.X, data.y)
    party = owner_for(model)
    scores = party.decrypt(model.decision_function(party.encrypt(data.test, bound=4.0, batch=0)))
    np.testing.assert_allclose(scores, model.decision_function(data.test), atol=1e-5)
    assert np.array_equal(model.decide(scores), model.predict(data.test))


def test_support_vectors_that_encrypted_rows_cannot_meet() -> None:
    party = fhe.ckks(4, ring_degree=512, insecure=INSECURE)
    for name, kernel, said in (
        ("breast_cancer", "sigmoid", "kernel='poly', 'linear' or 'rbf', not 'sigmoid'"),
        ("iris", "poly", r"3 classes have scores of pairs; decrypt pair_scores\(X\)"),
    ):
        data = split(name)
        model = SVC(kernel=kernel).fit(data.X, data.y)
        with pytest.raises(EncodingError, match=said):
            model.decision_function(party.encrypt(data.test, bound=4.0))
        assert model.score(data.X, data.y) > 0.8


def test_several_labels_at_once() -> None:
    data = split("wine")
    labels = np.column_stack([data.y == 0, data.y != 1]).astype(int)
    model = MLPClassifier([8], alpha=1.0, random_state=0).fit(data.X, labels).approximate(data.X)
    party = owner_for(model)
    found = model.decide(party.decrypt(model.decision_function(party.encrypt(data.test, bound=4.0))))
    assert np.array_equal(found, model.predict(data.test))
    assert np.array_equal(found, (model.predict_proba(data.test) > 0.5).astype(int))


def test_probabilities_are_of_plain_rows() -> None:
    for name in ("iris", "breast_cancer"):
        data, model = split(name), network(name)
        before = model.predict_proba(data.test)
        assert before.shape == (len(data.test), len(model.classes_))
        np.testing.assert_allclose(neural_network.MLPClassifier.predict_proba(model, data.test), before)
        np.testing.assert_allclose(model.approximate(data.X, degree=31).predict_proba(data.test), before, atol=0.02)
        with pytest.raises(EncodingError, match="decrypt decision_function"):
            model.predict_proba(fhe.ckks(1, ring_degree=512, insecure=INSECURE).encrypt(data.test, bound=4.0))


def test_fitted_ones_are_taken_over() -> None:
    data = split("breast_cancer")
    clear = neural_network.MLPClassifier([4], max_iter=50, random_state=0).fit(data.X, data.y)
    assert np.array_equal(from_sklearn(clear).predict(data.test), clear.predict(data.test))
    vectors = svm.SVC(kernel="poly").fit(data.X, data.y)
    np.testing.assert_allclose(from_sklearn(vectors).decision_function(data.test), vectors.decision_function(data.test))
