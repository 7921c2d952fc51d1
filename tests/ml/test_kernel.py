"""Support vectors on encrypted rows: classes as in the clear, one row or many, two classes or more."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from sklearn import datasets, svm
from sklearn.preprocessing import MinMaxScaler

import fhe
from fhe.errors import EncodingError, LevelError
from fhe.ml import SVC, compare, from_sklearn
from fhe.owner import KeyOwner
from tests.schemes.owners import INSECURE

LOADERS = {"iris": datasets.load_iris, "wine": datasets.load_wine, "cancer": datasets.load_breast_cancer}


@cache
def data(name: str) -> tuple[Any, Any]:
    X, y = LOADERS[name](return_X_y=True)
    return MinMaxScaler((-0.5, 0.5)).fit_transform(X).clip(-0.5, 0.5), y


@cache
def owner(depth: int) -> KeyOwner:
    return fhe.ckks(depth, ring_degree=2048, bound=2.0**10, insecure=INSECURE)


@pytest.mark.parametrize(
    ("name", "kernel", "C"),
    [("iris", "rbf", 1.0), ("wine", "rbf", 1.0), ("cancer", "rbf", 10.0), ("wine", "poly", 1.0)],
)
def test_decisions_are_those_of_the_clear_twin(name: str, kernel: str, C: float) -> None:
    X, y = data(name)
    model = SVC(kernel=kernel, degree=2, C=C).fit(X[::2], y[::2])
    party = owner(model.depth(bound=0.5) if kernel == "rbf" else model.depth())
    scores = party.decrypt(model.pair_scores(party.encrypt(X[1::2], bound=0.5, batch=0)))
    clear = model.pair_scores(X[1::2])
    assert np.abs(scores - clear).max() <= (0.011 if kernel == "rbf" else 1e-3)
    assert np.mean(model.decide(scores) == model.predict(X[1::2])) >= 0.995
    assert np.array_equal(model.decide(clear), model.predict(X[1::2]))


@pytest.mark.parametrize("kernel", ["rbf", "poly", "linear"])
def test_one_row_alone(kernel: str) -> None:
    """All support vectors in the slots of one ciphertext, with the keys that are asked for."""
    X, y = data("iris")
    model = from_sklearn(svm.SVC(kernel=kernel, degree=3).fit(X[::2], y[::2]))
    party = owner(model.depth(bound=0.5) if kernel == "rbf" else model.depth())
    server = party.public(rotations=model.rotations())
    for row in X[1::50]:
        x = server.load(party.encrypt(row[None], bound=0.5).to_bytes())
        scores = party.decrypt(party.load(model.pair_scores(x).to_bytes()))
        assert scores.shape == (1, 3)
        assert np.abs(scores - model.pair_scores(row[None])).max() <= 0.011
    two = SVC(kernel=kernel).fit(X[:100], y[:100])
    party = owner(two.depth(bound=0.5) if kernel == "rbf" else two.depth())
    score = party.decrypt(two.decision_function(party.encrypt(X[:1], bound=0.5)))
    assert score.shape == (1,)
    assert np.abs(score - two.decision_function(X[:1])).max() <= 0.011


def test_reports_compare_them() -> None:
    X, y = data("iris")
    model = SVC().fit(X[::2], y[::2])
    found = compare(model, owner(model.depth(bound=0.5)), X[1::2], y[1::2], bound=0.5, batch=0)
    assert found.method == "pair_scores"
    assert found.different_decisions == 0


def test_what_cannot_be_scored() -> None:
    X, y = data("iris")
    model, party = SVC().fit(X, y), owner(3)
    x = party.encrypt(X[:4], bound=0.5, batch=0)
    with pytest.raises(ValueError, match="give bound="):
        model.depth()
    with pytest.raises(LevelError, match=r"use fhe.ckks\(depth="):
        model.pair_scores(x)
    with pytest.raises(EncodingError, match=r"decrypt pair_scores\(X\)"):
        model.decision_function(x)
    with pytest.raises(EncodingError, match=r"decrypt pair_scores\(X\)"):
        model.predict(x)
    with pytest.raises(EncodingError, match="3 classes have 3 pairs"):
        model.decide(np.zeros((4, 2)))
    with pytest.raises(EncodingError, match="not 'sigmoid'"):
        SVC(kernel="sigmoid").fit(X, y).pair_scores(x)
    with pytest.raises(EncodingError, match="X has 3 features"):
        model.pair_scores(x[:, :3])
