"""One encrypted row at a time: the answers of the same model in the clear, with the keys that are asked for."""

from __future__ import annotations

import pickle
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.tree import DecisionTreeRegressor as Regressor

import fhe
from fhe.context import Context
from fhe.errors import EncodingError, LevelError, MissingKeyError
from fhe.interval import Interval
from fhe.ml import DecisionTreeClassifier, GradientBoostingClassifier, RandomForestRegressor, digits_of
from fhe.ml.forest import Forest, Tree
from fhe.ml.places import Grid, numbered, parts_of
from fhe.ml.single import Single, depth_of_single
from fhe.owner import KeyOwner
from tests.ml.test_ensembles import data
from tests.profiles import quick
from tests.schemes.owners import INSECURE

N = 1024


@cache
def owner(depth: int = 11) -> KeyOwner:
    return fhe.bfv(depth, value_bits=15, ring_degree=N, insecure=INSECURE)


@cache
def server() -> Context:
    rotations = DecisionTreeClassifier().single_rotations(N)
    return Context.from_bytes(owner().public(rotations=rotations).to_bytes())


@settings(max_examples=quick(8))
@given(seed=st.integers(0, 2**32), bits=st.sampled_from([1, 3, 4, 8]), features=st.integers(1, 6))
def test_any_forest(seed: int, bits: int, features: int) -> None:
    """Uneven trees, one leaf alone, more questions than half the places, several outputs."""
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 1 << bits, (200, features))

    def tree() -> Tree:
        most = int(rng.integers(2, 60))
        fitted = Regressor(max_leaf_nodes=most, max_depth=9).fit(X, rng.integers(-3, 3, 200) * (rng.random() < 0.9))
        found = Tree.of(fitted.tree_, rng.integers(-99, 99, (fitted.tree_.node_count, 2)), (0, 1))
        found.threshold[:] += rng.integers(-2, 3, fitted.tree_.node_count)
        return found.within(Interval(0, (1 << bits) - 1), merging=False)

    trees = [tree() for _ in range(int(rng.integers(1, 4)))]
    forest = Forest(tuple(trees), (5, 0), 0)
    single = Single(owner(), trees, features, bits)
    for row in X[:3]:
        found = single(owner().encrypt(digits_of(row[None], bits), bound=(0, 1)), forest, trees)
        assert [int(owner().decrypt(output)[0]) for output in found] == forest(row[None])[0].tolist()


@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeClassifier(max_depth=5, random_state=0),
        RandomForestRegressor(3, max_depth=4, random_state=0, decimals=1),
        GradientBoostingClassifier(n_estimators=3, max_depth=3, random_state=0),
    ],
)
def test_models_answer_as_in_the_clear(model: Any) -> None:
    X, y = data("iris")
    fast = model.fit(X, y).for_single_rows(server(), bits=5)
    for method in ("predict_proba", "decision_function", "predict"):
        if not hasattr(model, method) or (method != "decision_function" and hasattr(model, "decision_function")):
            continue
        for row in X[[0, 70, 140]]:
            x = server().load(owner().encrypt(digits_of(row[None], 5), bound=(0, 1)).to_bytes())
            found = owner().decrypt(owner().load(getattr(fast, method)(x).to_bytes())).astype(float)
            assert np.array_equal(found, getattr(model, method)(row[None]))


@pytest.mark.parametrize(("height", "bits"), [(1, 4), (2, 8), (6, 4), (9, 2)])
def test_the_stated_depth_suffices(height: int, bits: int) -> None:
    rng = np.random.default_rng(height)
    X, y = rng.integers(0, 1 << bits, (300, 6)), rng.normal(size=300)
    model = RandomForestRegressor(2, max_depth=height, decimals=2, random_state=0).fit(X, y)
    depth = model.depth(bits=bits, single=True)
    party = fhe.bfv(depth, plain_modulus=65537, ring_degree=2048, insecure=INSECURE)
    fast = model.for_single_rows(party, bits=bits)
    found = fast.predict(party.encrypt(digits_of(X[:1], bits), bound=(0, 1)))
    assert party.decrypt(found).astype(float)[0] == model.predict(X[:1])[0]


def test_distances_are_few() -> None:
    """A thousand questions about a dozen features: maps of a few hundred plaintexts, where there could be thousands."""
    rng = np.random.default_rng(0)
    X = rng.integers(0, 1 << 16, (4000, 12))
    fitted = Regressor(max_leaf_nodes=1024, max_depth=16).fit(X, np.sin(X[:, 0] / 5000) + X[:, 1] / 30000 + X[:, 2] % 3)
    nodes, leaves = numbered([Tree.of(fitted.tree_, np.zeros((2047, 1), dtype=np.int64))])
    parts = parts_of(nodes, Grid(8192, 8, 12), 1024)
    assert len(nodes) == 1023
    assert len(leaves[0]) == 1024
    assert sum(len(d.steps) for part in parts for d in (part.exceeds, part.equals, part.counting)) < 1000


def test_what_cannot_be_answered() -> None:
    X, y = data("iris")
    model = DecisionTreeClassifier(max_depth=3).fit(X, y)
    fast, x = model.for_single_rows(owner(), bits=5), owner().encrypt(digits_of(X[:1], 5), bound=(0, 1))
    with pytest.raises(EncodingError, match="for_single_rows"):
        model.predict(x)
    with pytest.raises(EncodingError, match=r"of shape \(1, 3, 3, 4\), not \(2, 3, 3, 4\)"):
        fast.predict(owner().encrypt(digits_of(X[:2], 5), bound=(0, 1)))
    with pytest.raises(EncodingError, match="encrypt with bound="):
        fast.predict(owner().encrypt(digits_of(X[:1], 5), bound=(0, 3)))
    with pytest.raises(EncodingError, match="of another context"):
        model.for_single_rows(owner(10), bits=5).predict(x)
    with pytest.raises(LevelError, match=r"needs 7 products in a row, \d are left"):
        fast.predict(owner().encrypt(digits_of(X[:1], 5), bound=(0, 1), level=4))
    with pytest.raises(EncodingError, match="use a larger ring_degree"):
        model.for_single_rows(fhe.bfv(1, plain_modulus=257, ring_degree=64, insecure=INSECURE), bits=16)
    with pytest.raises(MissingKeyError):
        model.for_single_rows(owner().public(rotations=[1]), bits=5)
    with pytest.raises(TypeError, match="evaluation keys"):
        pickle.dumps(fast)
    for rows, bits in ((X[:1], 2), (-X[:1], 5), (X[:1], 25)):
        with pytest.raises(EncodingError, match="features have 1 to 24 bits"):
            digits_of(rows, bits)
    with pytest.raises(EncodingError, match="rows of integers"):
        digits_of(X[:1] / 2, 5)
    assert depth_of_single(0, 1) == depth_of_single(2, 1) == 4
