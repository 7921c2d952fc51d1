"""Nearest neighbours of encrypted integers: votes and means as in the clear, equals in the same order."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import neighbors
from sklearn.exceptions import NotFittedError

import fhe
from fhe.context import Context
from fhe.errors import EncodingError, LevelError
from fhe.ml import KNeighborsClassifier, KNeighborsRegressor, compare, from_sklearn
from fhe.owner import KeyOwner
from tests.ml.test_ensembles import data
from tests.profiles import quick
from tests.schemes.owners import INSECURE


@cache
def owner(depth: int, ring_degree: int = 2048) -> KeyOwner:
    return fhe.bfv(depth, plain_modulus=65537, ring_degree=ring_degree, insecure=INSECURE)


@settings(max_examples=quick(6))
@given(
    seed=st.integers(0, 2**32),
    n=st.integers(1, 12),
    features=st.integers(1, 5),
    high=st.integers(1, 4),
    low=st.sampled_from([0, -2]),
    rows=st.integers(1, 3),
)
def test_any_examples(seed: int, n: int, features: int, high: int, low: int, rows: int) -> None:
    rng = np.random.default_rng(seed)
    examples, X = rng.integers(low, high + 1, (n, features)), rng.integers(low, high + 1, (rows, features))
    k = int(rng.integers(1, n + 1))
    classifier = KNeighborsClassifier(k).fit(examples, rng.integers(0, 3, n))
    regressor = KNeighborsRegressor(k).fit(examples, rng.normal(size=n))
    party = owner(classifier.depth((low, high), rows=rows))
    x = party.encrypt(X, bound=(low, high))
    assert np.array_equal(party.decrypt(classifier.votes(x)), classifier.votes(X))
    distances = ((X[:, None, :] - examples) ** 2).sum(axis=2)
    order = np.argsort(distances, axis=1, kind="stable")[:, :k]
    assert np.array_equal(classifier.votes(X), [np.bincount(classifier._y[i], minlength=len(classifier.classes_)) for i in order])  # fmt: skip # noqa: E501
    found = party.decrypt(regressor.predict(x)).astype(float)
    assert np.abs(found - regressor._y[order].mean(axis=1)).max() <= k * 0.5e-2 + 1e-9


def test_many_examples_take_several_ciphertexts() -> None:
    X, y = data("iris")
    X = X // 8
    model = KNeighborsClassifier(5).fit(X[::5], y[::5])
    small, large = owner(model.depth((0, 3)), 512), owner(model.depth((0, 3)), 4096)
    votes = [p.decrypt(model.votes(p.encrypt(X[1:2], bound=(0, 3)))) for p in (small, large)]
    assert np.array_equal(votes[0], votes[1])
    assert np.array_equal(votes[0], model.votes(X[1:2]))
    with pytest.raises(EncodingError, match="leave room for 1 rows at once in 256 slots, not 2"):
        model.votes(small.encrypt(X[:2], bound=(0, 3)))


@pytest.mark.parametrize(("name", "examples"), [("iris", 24), ("wine", 20)])
def test_accuracy_of_shipped_data(name: str, examples: int) -> None:
    """As scikit-learn decides, where no two examples are equally near."""
    X, y = data(name)
    X, order = X // 8, np.random.default_rng(0).permutation(len(X))
    X, y = X[order], y[order]
    theirs = neighbors.KNeighborsClassifier(3).fit(X[:examples], y[:examples])
    model = from_sklearn(theirs)
    rows = 1
    party = owner(model.depth((0, 3), rows=rows), 4096)
    server = Context.from_bytes(party.public(rotations=model.rotations(ring_degree=4096)).to_bytes())
    for row in X[examples : examples + 2]:
        votes = model.votes(server.load(party.encrypt(row[None], bound=(0, 3)).to_bytes()))
        assert np.array_equal(party.decrypt(party.load(votes.to_bytes())), model.votes(row[None]))
    ours = model.decide(model.votes(X[examples:]))
    assert np.mean(ours == y[examples:]) >= theirs.score(X[examples:], y[examples:]) - 0.03


def test_reports_compare_them() -> None:
    X, y = data("iris")
    model = KNeighborsClassifier(3).fit(X[::10] // 8, y[::10])
    party = owner(model.depth((0, 3), rows=2))
    found = compare(model, party, X[[3, 73]] // 8, y[[3, 73]], bound=(0, 3))
    assert found.method == "votes"
    assert found.different_decisions == 0


def test_what_cannot_be_answered() -> None:
    X, y = data("iris")
    X, small = X // 8, owner(4)
    model, x = KNeighborsClassifier(3), small.encrypt(X[:1], bound=(0, 3))
    with pytest.raises(NotFittedError):
        model.votes(x)
    model.fit(X[::10], y[::10])
    with pytest.raises(LevelError, match=r"needs \d+ products in a row, \d are left; use fhe.bfv\(depth="):
        model.votes(x)
    with pytest.raises(EncodingError, match="X has 3 features, but KNeighborsClassifier is expecting 4"):
        model.votes(x[:, :3])
    with pytest.raises(EncodingError, match=r"decrypt votes\(X\) and pass it to decide"):
        model.predict(x)
    with pytest.raises(EncodingError, match="two dimensions"):
        model.votes(x[0])
    with pytest.raises(EncodingError, match="round, and use"):
        model.votes(fhe.ckks(2, ring_degree=512, insecure=INSECURE).encrypt(X[:1] / 3.0))
    with pytest.raises(EncodingError, match="uniform"):
        KNeighborsClassifier(3, weights="distance").fit(X[::10], y[::10]).votes(x)
    with pytest.raises(EncodingError, match="round the examples"):
        KNeighborsClassifier(3).fit(X[::10] / 3, y[::10]).votes(x)
    with pytest.raises(EncodingError, match="do not fit a row"):
        KNeighborsClassifier(3).fit(X, y).votes(owner(1, 256).encrypt(X[:1], bound=(0, 3)))
