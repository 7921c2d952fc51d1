"""Trees of XGBoost and LightGBM, where they are installed; and what they write, read without them."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator

import fhe
from fhe.errors import EncodingError
from fhe.ml import compare, from_sklearn
from fhe.ml.boosters import BoostedClassifier, BoostedRegressor
from tests.ml.test_ensembles import BITS, data, owner
from tests.schemes.owners import INSECURE

MODELS = [
    ("xgboost", "XGBClassifier", "iris", {"n_estimators": 3, "max_depth": 3}),
    ("xgboost", "XGBClassifier", "cancer", {"n_estimators": 4, "max_depth": 3, "base_score": 0.3}),
    ("xgboost", "XGBRegressor", "diabetes", {"n_estimators": 4, "max_depth": 3}),
    ("lightgbm", "LGBMClassifier", "wine", {"n_estimators": 3, "num_leaves": 6, "verbose": -1}),
    ("lightgbm", "LGBMClassifier", "cancer", {"n_estimators": 4, "num_leaves": 6, "verbose": -1}),
    ("lightgbm", "LGBMRegressor", "diabetes", {"n_estimators": 4, "num_leaves": 6, "verbose": -1}),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("library", "kind", "name", "parameters"), MODELS)
def test_installed_libraries(library: str, kind: str, name: str, parameters: dict[str, Any]) -> None:
    X, y = data(name)
    theirs = getattr(pytest.importorskip(library), kind)(**parameters).fit(X[::2], y[::2])
    model = from_sklearn(theirs)
    assert np.array_equal(model.predict(X), theirs.predict(X)) or kind.endswith("Regressor")
    assert abs(model.score(X[1::2], y[1::2]) - theirs.score(X[1::2], y[1::2])) < 0.005
    party = owner(model.depth(bits=BITS), max(model.value_bits, 16))
    found = compare(model, party, X[1::2], y[1::2], encrypt=lambda owner, X: owner.encrypt_bits(X, bits=BITS, batch=0))
    assert found.largest_difference == 0
    assert not found.different_decisions


class Stub(BaseEstimator):  # type: ignore[misc]
    """What a model of XGBoost shows: x_0 < 2.5 goes left; x_1 < 4 then."""

    __module__ = "xgboost.sklearn"
    n_features_in_, off, name, split_type = 2, 0.25, "gbtree", 0

    def get_booster(self) -> Any:
        tree = {
            "left_children": [1, -1, 3, -1, -1],
            "right_children": [2, -1, 4, -1, -1],
            "split_conditions": [2.5, 1.0, 4.0, -0.5, 2.0],
            "split_indices": [0, 0, 1, 0, 0],
            "split_type": [self.split_type] * 5,
        }
        found = {"learner": {"gradient_booster": {"name": self.name, "model": {"trees": [tree], "tree_info": [0]}}}}
        return SimpleNamespace(save_raw=lambda _: json.dumps(found).encode())

    def predict(self, X: Any, output_margin: bool = False) -> Any:
        return self.off + np.where(X[:, 0] < 2.5, 1.0, np.where(X[:, 1] < 4, -0.5, 2.0))


class Linked(Stub):
    """One that answers by something else than scores."""

    __module__ = "xgboost.sklearn"

    def predict(self, X: Any, output_margin: bool = False) -> Any:
        return np.exp(super().predict(X)) if not output_margin else super().predict(X)


ROWS = np.array([[2, 9], [3, 3], [3, 4]])


def test_what_they_write_is_read() -> None:
    model = from_sklearn(Stub(), decimals=2)
    assert isinstance(model, BoostedRegressor)
    assert model.predict(ROWS).tolist() == [1.25, -0.25, 2.25]
    party = fhe.bfv(model.depth(bits=4), value_bits=14, ring_degree=256, insecure=INSECURE)
    found = party.decrypt(model.predict(party.encrypt_bits(ROWS, bits=4, batch=0))).astype(float)
    assert found.tolist() == [1.25, -0.25, 2.25]


def test_what_is_no_sum_of_trees_is_refused() -> None:
    for name, value, what in (("name", "dart", "no sum of trees"), ("split_type", 1, "splits by categories")):
        fitted = Stub()
        setattr(fitted, name, value)
        with pytest.raises(EncodingError, match=what):
            from_sklearn(fitted)
    with pytest.raises(EncodingError, match="not the sum of all its trees"):
        from_sklearn(Linked())
    model = from_sklearn(Stub())
    with pytest.raises(EncodingError, match="rows of 2 integers"):
        model.predict(ROWS / 2)
    with pytest.raises(EncodingError, match="fit there"):
        BoostedClassifier().fit(ROWS, [0, 1, 0])
