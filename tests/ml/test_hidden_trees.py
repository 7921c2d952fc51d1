"""Trees with encrypted thresholds and leaves: plain rows and encrypted ones come to the same decimals."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

import fhe
from fhe.errors import EncodingError, LevelError
from fhe.ml import DecisionTreeClassifier, DecisionTreeRegressor, GradientBoostingClassifier, RandomForestClassifier
from fhe.owner import KeyOwner
from tests.ml.test_ensembles import BITS, FEW, data
from tests.schemes.owners import INSECURE


@cache
def owner(depth: int) -> KeyOwner:
    return fhe.bfv(depth, value_bits=17, ring_degree=512, insecure=INSECURE)


@pytest.mark.parametrize(
    ("model", "name", "bound"),
    [
        (DecisionTreeRegressor(max_depth=4, random_state=0), "diabetes", 400),
        (DecisionTreeClassifier(max_depth=3, random_state=0), "iris", 1),
        (RandomForestClassifier(**FEW), "wine", 1),
        (GradientBoostingClassifier(**FEW), "cancer", 4),
    ],
)
def test_both_kinds_of_rows(model: Any, name: str, bound: float) -> None:
    X, y = data(name)
    model.fit(X[::2], y[::2])
    methods = ("decision_function", "predict_proba", "predict")
    method = next(method for method in methods if hasattr(model, method))
    party = owner(model.depth(bits=BITS, hidden=True))
    hidden, X = model.encrypted(party, bits=BITS, bound=bound), X[1:30]
    for rows in (X, party.encrypt_bits(X, bits=BITS, batch=0)):
        found = party.decrypt(getattr(hidden, method)(rows)).astype(float)
        assert np.array_equal(found, getattr(model, method)(X))


def test_what_cannot_be_answered() -> None:
    X, y = data("iris")
    model = DecisionTreeClassifier(max_depth=2, random_state=0).fit(X, y)
    party = owner(model.depth(bits=BITS, hidden=True))
    hidden = model.encrypted(party, bits=BITS, bound=1)
    with pytest.raises(EncodingError, match="decrypt predict_proba"):
        hidden.predict(X)
    with pytest.raises(EncodingError, match="rows of 4 features"):
        hidden.predict_proba(X[:, :3])
    with pytest.raises(EncodingError, match="plain or by encrypt_bits"):
        hidden.predict_proba(X / 2)
    with pytest.raises(EncodingError, match="integers from 0 to 31"):
        hidden.predict_proba(X + 32)
    with pytest.raises(EncodingError, match="of 5 bits and no sign"):
        hidden.predict_proba(party.encrypt_bits(X, bits=6, batch=0))
    with pytest.raises(EncodingError, match="give a larger one"):
        model.encrypted(party, bits=BITS, bound=0.5)
    with pytest.raises(LevelError, match=r"use fhe.bfv\(depth=\d+\) or more"):
        model.encrypted(owner(3), bits=BITS, bound=1).predict_proba(X)
