"""Forests and boosted trees on encrypted integers: the decimals of the same model in the clear, all of them."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import datasets, ensemble, linear_model
from sklearn.exceptions import NotFittedError

import fhe
from fhe.errors import EncodingError, ValueOverflowError
from fhe.interval import Interval
from fhe.ml import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    compare,
    from_sklearn,
)
from fhe.ml.forest import Forest, Tree
from fhe.ml.questions import Rows
from fhe.owner import KeyOwner
from tests.profiles import quick
from tests.schemes.owners import INSECURE

BITS = 5
FEW: dict[str, Any] = {"n_estimators": 4, "max_depth": 3, "random_state": 0}
CASES = [
    (DecisionTreeClassifier(max_depth=3, random_state=0), "digits", "predict_proba"),
    (DecisionTreeRegressor(max_depth=5, random_state=0), "diabetes", "predict"),
    (RandomForestClassifier(**FEW), "wine", "predict_proba"),
    (RandomForestRegressor(**FEW), "diabetes", "predict"),
    (ExtraTreesClassifier(**FEW), "cancer", "predict_proba"),
    (ExtraTreesRegressor(**FEW), "diabetes", "predict"),
    (GradientBoostingClassifier(**FEW), "cancer", "decision_function"),
    (GradientBoostingClassifier(**FEW), "iris", "decision_function"),
    (GradientBoostingRegressor(**FEW), "diabetes", "predict"),
]
LOADERS = {
    "iris": datasets.load_iris,
    "wine": datasets.load_wine,
    "cancer": datasets.load_breast_cancer,
    "digits": datasets.load_digits,
    "diabetes": datasets.load_diabetes,
}


@cache
def data(name: str) -> tuple[Any, Any]:
    """Features in 32 steps from their least to their largest value."""
    X, y = LOADERS[name](return_X_y=True)
    low, high = X.min(axis=0), X.max(axis=0)
    return np.round((X - low) / np.where(high > low, high - low, 1) * 31).astype(int), y


@cache
def owner(depth: int, value_bits: int) -> KeyOwner:
    return fhe.bfv(depth, value_bits=value_bits, ring_degree=1024, insecure=INSECURE)


@pytest.mark.parametrize(("model", "name", "method"), CASES, ids=lambda value: getattr(value, "__name__", None))
def test_encrypted_answers_are_the_same_decimals(model: Any, name: str, method: str) -> None:
    X, y = data(name)
    model.fit(X[::2], y[::2])
    party = owner(model.depth(bits=BITS), max(model.value_bits, 14))
    hidden = getattr(model, method)(party.encrypt_bits(X[1::2], bits=BITS, batch=0))
    found, clear = party.decrypt(hidden).astype(float), getattr(model, method)(X[1::2])
    assert hidden.places == model.decimals
    assert np.array_equal(found, clear)
    if method != "predict":
        assert np.array_equal(model.classes_[found.argmax(1)] if found.ndim > 1 else model.decide(found),
                              model.predict(X[1::2]))  # fmt: skip


@pytest.mark.parametrize(("model", "name", "method"), CASES, ids=lambda value: getattr(value, "__name__", None))
def test_rounding_the_leaves_costs_nothing(model: Any, name: str, method: str) -> None:
    """Beside scikit-learn's own model: scores within half a unit for each tree, the same accuracy up to 0.5 points."""
    X, y = data(name)
    kind = type(model).__name__
    base = next(c for c in type(model).__mro__ if c.__module__.startswith("sklearn.") and c.__name__ == kind)
    parameters = {key: value for key, value in model.get_params().items() if key != "decimals"}
    theirs, model = base(**parameters).fit(X[::2], y[::2]), model.fit(X[::2], y[::2])
    units = 2 * (len(model.forest_.trees) + 1) * 10.0**-model.decimals
    assert np.abs(getattr(theirs, method)(X) - getattr(model, method)(X)).max() <= units
    assert abs(theirs.score(X[1::2], y[1::2]) - model.score(X[1::2], y[1::2])) <= 0.005
    taken = from_sklearn(theirs, decimals=model.decimals)
    assert np.array_equal(getattr(taken, method)(X), getattr(model, method)(X))


@settings(max_examples=quick(8))
@given(seed=st.integers(0, 2**32), bits=st.sampled_from([None, 3, 4]), trees=st.integers(1, 3))
def test_any_forest_of_integers(seed: int, bits: int | None, trees: int) -> None:
    """Negative features, several outputs, equal leaves, thresholds beyond the interval."""
    rng = np.random.default_rng(seed)
    low, high = (-5, 6) if bits is None else (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
    X, outputs = rng.integers(low, high + 1, (100, 3)), int(rng.integers(1, 4))

    def tree() -> Tree:
        y = rng.integers(-3, 3, 100)
        fitted = DecisionTreeRegressor(max_leaf_nodes=int(rng.integers(2, 12))).fit(X, y).tree_
        found = Tree.of(fitted, rng.integers(-20, 20, (fitted.node_count, outputs)), tuple(range(outputs)))
        found.threshold[:] += rng.integers(-4, 5, fitted.node_count) * (rng.random(fitted.node_count) < 0.2)
        return found

    forest = Forest(tuple(tree() for _ in range(trees)), tuple(rng.integers(-9, 9, outputs).tolist()), 0)
    party = owner(forest.depth(Interval(low, high), bits=bits is not None), 12)
    x = party.encrypt(X, bound=(low, high), batch=0) if bits is None else party.encrypt_bits(X, bits, signed=True,
                                                                                            batch=0)  # fmt: skip
    found = np.stack([party.decrypt(output) for output in forest(Rows(x, 3, "a forest"))], axis=1)
    assert np.array_equal(found, forest(X))


def test_wide_integers_hold_many_decimals() -> None:
    X, y = data("diabetes")
    model = RandomForestRegressor(2, max_depth=2, random_state=0, decimals=9).fit(X, y)
    party = fhe.bfv(model.depth(bits=BITS), value_bits=model.value_bits, ring_degree=256, insecure=INSECURE)
    hidden = model.predict(party.encrypt_bits(X[:20], bits=BITS, batch=0))
    assert np.array_equal(party.decrypt(hidden).astype(float), model.predict(X[:20]))
    assert model.value_bits > 32


def test_reports_compare_them() -> None:
    X, y = data("wine")
    model = GradientBoostingClassifier(**FEW).fit(X[::2], y[::2])
    party = owner(model.depth(bits=BITS), 16)
    found = compare(model, party, X[1::2], y[1::2], encrypt=lambda owner, X: owner.encrypt_bits(X, bits=BITS, batch=0))
    assert found.method == "decision_function"
    assert found.different_decisions == 0
    assert found.largest_difference == 0


def test_what_cannot_be_encrypted_says_so() -> None:
    X, y = data("iris")
    forest = RandomForestClassifier(**FEW, decimals=5)
    small = owner(9, 7)
    x = small.encrypt_bits(X[:4], bits=BITS, batch=0)
    with pytest.raises(NotFittedError):
        forest.predict_proba(x)
    forest.fit(X, y)
    with pytest.raises(EncodingError, match=r"decrypt predict_proba\(X\) and pass it to decide"):
        forest.predict(x)
    with pytest.raises(ValueOverflowError, match=r"use fhe.bfv\(value_bits=17\)"):
        forest.predict_proba(x)
    with pytest.raises(EncodingError, match="X has 3 features, but RandomForestClassifier is expecting 4"):
        forest.predict_proba(small.encrypt_bits(X[:4, :3], bits=BITS, batch=0))
    with pytest.raises(EncodingError, match="exact up to 2\\^24"):
        forest.predict_proba(small.encrypt_bits(X[:4], bits=30, batch=0))
    with pytest.raises(EncodingError, match="leave no room"):
        RandomForestRegressor(2, decimals=19).fit(X, 1000.0 + y)
    two = DecisionTreeRegressor().fit(X, np.column_stack([y, y]))
    with pytest.raises(EncodingError, match="of several outputs"):
        two.predict(x)
    assert two.predict(X).shape == (150, 2)
    on_top = ensemble.GradientBoostingRegressor(n_estimators=2, init=linear_model.LinearRegression()).fit(X, y)
    with pytest.raises(EncodingError, match="on top of another model"):
        from_sklearn(on_top).predict(x)
    assert np.array_equal(from_sklearn(on_top).predict(X), on_top.predict(X))
