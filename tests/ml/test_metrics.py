"""The comparison tells what is so, and notices what is not."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

import fhe
from fhe.errors import EncodingError
from fhe.ml import (
    DecisionTreeClassifier,
    DescentRegressor,
    GaussianNB,
    LinearSVC,
    Ridge,
    StandardScaler,
    compare,
)
from tests.ml.test_family import owner, split
from tests.ml.test_trees import iris
from tests.ml.test_trees import owner as exact
from tests.schemes.owners import INSECURE


@pytest.mark.parametrize(
    ("model", "name", "method", "names"),
    [
        (LinearSVC(), "breast_cancer", "decision_function", {"accuracy", "AUC"}),
        (GaussianNB(), "wine", "predict_joint_log_proba", {"accuracy"}),
        (Ridge(), "diabetes", "predict", {"R2"}),
        (DescentRegressor(rate=0.2), "diabetes", "predict", {"R2"}),
        (make_pipeline(StandardScaler(), LinearSVC()), "iris", "decision_function", {"accuracy"}),
    ],
)
def test_nothing_differs(model: Any, name: str, method: str, names: set[str]) -> None:
    data = split(name)
    model.fit(data.X, data.y)
    found = compare(model, owner(), data.X, data.y, bound=4.0)
    assert (found.method, set(found.metrics), found.samples) == (method, names, len(data.X))
    assert all(abs(clear - hidden) < 1e-6 for clear, hidden in found.metrics.values())
    assert found.different_decisions in ({None} if "R2" in names else {0})
    assert found.largest_difference < 1e-3
    assert min(found.request_bytes, found.reply_bytes) > len(data.X)
    assert found.key_bytes is None
    told = found.as_dict()
    assert json.loads(json.dumps(told))["samples_per_second"] == found.samples_per_second > 0
    assert f"{len(data.X)} samples" in str(found)
    assert all(name in str(found) for name in names)


def test_trees_of_bits() -> None:
    X, y = iris()
    model = DecisionTreeClassifier(max_depth=2, random_state=0).fit(X, y)
    found = compare(model, exact(), X, y, encrypt=lambda party, X: party.encrypt_bits(X, bits=7, batch=0))
    assert found.different_decisions == 0
    assert found.metrics["accuracy"] == (model.score(X, y), model.score(X, y))
    assert found.largest_difference == 0


def test_a_server_of_its_own_computes() -> None:
    data, party = split("iris"), fhe.ckks(1, ring_degree=512, insecure=INSECURE)
    model = LinearSVC().fit(data.X, data.y)
    server = party.public(relinearization=False, rotations=model.rotations())
    found = compare(model, party, data.X, data.y, server=server, bound=4.0, symmetric=True)
    assert found.key_bytes == len(server.to_bytes())
    assert "once" in str(found)


def test_a_wrong_answer_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    data, party = split("breast_cancer"), owner()
    model = LinearSVC().fit(data.X, data.y)
    decrypt = party.decrypt
    monkeypatch.setattr(party, "decrypt", lambda scores: -decrypt(scores))
    found = compare(model, party, data.X, data.y, bound=4.0)
    assert found.different_decisions == len(data.X)
    assert found.metrics["AUC"][1] == pytest.approx(1 - found.metrics["AUC"][0])
    assert found.largest_difference > 0.5


def test_impossible_comparisons() -> None:
    data, party = split("iris"), owner()
    model = LinearSVC().fit(data.X, data.y)
    with pytest.raises(EncodingError, match="pass the plain ones"):
        compare(model, party, party.encrypt(data.X, bound=4.0), data.y)
    with pytest.raises(EncodingError, match=r"pass model.decrypted\(owner\)"):
        compare(model.encrypted(party), party, data.X, data.y)
    with pytest.raises(EncodingError, match="100 rows and 3 values of y"):
        compare(model, party, data.X, np.ones(3))
    with pytest.raises(EncodingError, match="StandardScaler has none of"):
        compare(StandardScaler().fit(data.X), party, data.X, data.y)
