"""`compile` of what learns: the parameters it chooses are enough, the keys it names are those that are taken."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from sklearn import datasets

import fhe
from fhe.errors import EncodingError, ParameterError
from fhe.ml import (
    FisherDiscriminant,
    GradientScaler,
    LinearMeansClassifier,
    LogisticRegression,
    NesterovClassifier,
    NesterovRegressor,
)
from fhe.ml.compiled import Training, levels_for, steps_held
from tests.schemes.owners import INSECURE

SMALL = {"ring_degree": 1024, "insecure": INSECURE}


@cache
def rows() -> tuple[Any, Any]:
    X, y = datasets.load_breast_cancer(return_X_y=True)
    return GradientScaler().fit_transform(X[:40, :5]), y[:40]


@cache
def whole() -> tuple[Any, Any]:
    X, y = rows()
    return np.rint(2 * X).astype(int), y


def compiled(model: Any, **options: Any) -> Training:
    X, y = rows()
    if hasattr(model, "promises"):
        found: Training = model.compile(fhe.spec(X.shape, bound=4), **options, **SMALL)
    else:
        found = model.compile(fhe.spec(X.shape, dtype=int, bound=8), y, **options, **SMALL)
    return found


CASES = [
    (NesterovClassifier(rate=2.0), {"n_iter": 3}, rows),
    (NesterovClassifier(rate=2.0), {"n_iter": 5, "refreshes": 1}, rows),
    (NesterovRegressor(rate=0.5), {"n_iter": 4}, rows),
    (LinearMeansClassifier(division_free=True), {}, whole),
    (FisherDiscriminant(curvature=12), {"n_iter": 2}, whole),
]


@pytest.mark.parametrize(("model", "options", "data"), CASES)
def test_a_server_learns_with_the_keys_that_are_named_and_no_others(model: Any, options: Any, data: Any) -> None:
    training, (X, y) = compiled(model, **options), data()
    owner = training.keygen()
    server = fhe.Context.from_bytes(owner.public().to_bytes())
    assert set(server.keys.galois) == {element for element in training.keys if element}
    encrypted = training.encrypt(owner, X, y)
    arrays = [server.load(array.to_bytes()) for array in (encrypted if isinstance(encrypted, tuple) else (encrypted,))]
    asked: list[int] = []

    def refresh(weights: Any) -> Any:
        asked.append(weights.levels_left)
        return training.model.refreshed_by(owner)(weights)

    learnt = training.fit(*arrays, **({"refresh": refresh} if "refreshes" in options else {})).decrypted(owner)
    clear = type(model)(**learnt.get_params()).fit(X, y)
    np.testing.assert_allclose(learnt.coef_.astype(float), clear.coef_.astype(float), rtol=1e-12, atol=1e-3)
    assert len(asked) == 2 * options.get("refreshes", 0)
    if data is whole:
        assert np.array_equal(learnt.coef_, clear.coef_)


@pytest.mark.parametrize(("first", "each", "refreshes"), [(1, 5, 0), (1, 5, 1), (1, 3, 2), (2, 4, 3)])
def test_levels_are_the_fewest_that_hold_the_steps(first: int, each: int, refreshes: int) -> None:
    for steps in range(2, 12):
        levels = levels_for(steps, first, each, refreshes)
        assert steps_held(levels, first, each, refreshes) >= steps
        assert levels == max(first, each) or steps_held(levels - 1, first, each, refreshes) < steps


def test_what_it_explains() -> None:
    text = NesterovClassifier().compile(fhe.spec((426, 31), bound=3), n_iter=5).explain()
    for part in (
        "426 rows side by side, 32 slots each, in 1 ciphertext of 16384 slots",
        "1 level for the first, 5 for each other, 21 in all",
        "20 evaluation keys, 19 of rotations",
        "no |score| beyond 14",
        "N = 32768",
        "128-bit security",
        "predicted time:",
    ):
        assert part in text


def test_too_many_steps_name_the_remedy() -> None:
    with pytest.raises(ParameterError, match=r"99 steps of NesterovClassifier take 491 levels.*refreshes=1"):
        NesterovClassifier().compile(fhe.spec((100, 8), bound=3), n_iter=99)
    assert NesterovClassifier().compile(fhe.spec((100, 8), bound=3), n_iter=9, refreshes=4).parameters.max_level < 22
    with pytest.raises(ParameterError, match="find no chain"):
        FisherDiscriminant(curvature=12).compile(
            fhe.spec((40, 5), dtype=int, bound=8), rows()[1], n_iter=3, ring_degree=4096
        )


@pytest.mark.parametrize("model", [NesterovClassifier(steps=2), LogisticRegression()], ids=str)
def test_scores_of_what_was_learnt(model: Any) -> None:
    X, y = rows()
    program = model.fit(X, y).compile(fhe.spec(X.shape, bound=4), training=False, precision=1e-3)
    owner = program.keygen()
    np.testing.assert_allclose(
        owner.decrypt(program(program.encrypt(owner, X))), model.decision_function(X), rtol=0, atol=1e-3
    )
    with pytest.raises(EncodingError, match="learns from plain examples"):
        LogisticRegression().fit(X, y).compile(fhe.spec(X.shape, bound=4), training=True)


def test_bad_input() -> None:
    training, (X, y) = compiled(NesterovClassifier(), n_iter=2), rows()
    owner = training.keygen()
    with pytest.raises(EncodingError, match="argument X was promised between -4 and 4"):
        training.encrypt(owner, 10 * X, y)
    with pytest.raises(EncodingError, match="argument X is a real array of shape"):
        training.encrypt(owner, X[:30], y[:30])
    rows_, beside = training.encrypt(owner, X, y)
    with pytest.raises(EncodingError, match=r"X was compiled for .* encrypt it by encrypt"):
        training.fit(X, y)
    other = fhe.ckks(depth=6, **SMALL)
    with pytest.raises(ParameterError, match="encrypted for other parameters"):
        training.fit(other.encrypt(X, bound=4.0), beside)
    with pytest.raises(EncodingError, match="learns from integers"):
        FisherDiscriminant(curvature=12).compile(fhe.spec(X.shape, bound=8), y)
    with pytest.raises(EncodingError, match="division_free=True"):
        LinearMeansClassifier().compile(fhe.spec(X.shape, dtype=int, bound=8), y)
    assert rows_.shape == beside.shape
