"""Linear models on encrypted rows against the same models on plain ones, and against scikit-learn's."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import linear_model
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import fhe
from fhe.backend.protocol import Backend
from fhe.ckks.evaluator import CKKSEvaluator
from fhe.errors import EncodingError, LevelError, MissingKeyError, ScaleError
from fhe.ml import LinearRegression, LogisticRegression
from fhe.owner import KeyOwner
from fhe.parameters import CKKSParameters
from fhe.reference import ReferenceBackend
from tests.schemes.owners import BFV, INSECURE, shared_owner

DEEP = CKKSParameters(
    ring_degree=16, modulus_bits=[60] + [40] * 14, special_bits=[46] * 5, scale_bits=40, insecure=INSECURE
)
SHALLOW = CKKSParameters(ring_degree=32, modulus_bits=[60, 40], special_bits=[46, 46], scale_bits=40, insecure=INSECURE)
FEATURES = 3
Array = NDArray[Any]


@pytest.fixture(scope="session")
def party(backend: Backend) -> KeyOwner:
    """8 slots, hence two rows in a ciphertext; 14 levels."""
    return shared_owner(DEEP, backend)


@pytest.fixture
def quick() -> KeyOwner:
    """16 slots, one level, for what needs no second opinion."""
    return shared_owner(SHALLOW, ReferenceBackend())


@cache
def data(samples: int = 5, seed: int = 0) -> Array:
    return np.random.default_rng(seed).uniform(-1, 1, (samples, FEATURES))


@cache
def logistic(**parameters: Any) -> LogisticRegression:
    """Learnt from sixty samples, scores up to about 6."""
    X = data(60, seed=1)
    return LogisticRegression(C=5, **parameters).fit(X, (X @ [3.0, -2.0, 1.0] + 0.5 > 0).astype(int))


def rows_with_scores(model: LogisticRegression, scores: Array) -> Array:
    """Rows along the weights whose scores are these."""
    w, b = model.coef_[0], model.intercept_[0]
    rows: Array = (scores - b)[:, None] * w / (w @ w)
    return rows


# --- plain data ------------------------------------------------------------------------------------------------------


def test_plain_answers_are_those_of_scikit_learn() -> None:
    X, y = data(60, seed=1), np.where(data(60, seed=1)[:, 0] > 0, "yes", "no")
    theirs, ours = linear_model.LogisticRegression(C=2.0).fit(X, y), LogisticRegression(C=2.0).fit(X, y)
    np.testing.assert_allclose(ours.decision_function(X), theirs.decision_function(X))
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X))
    assert ours.predict(X).tolist() == theirs.predict(X).tolist()
    assert ours.score(X, y) == theirs.score(X, y)


def test_a_fitted_model_is_taken_over() -> None:
    X, y = data(60, seed=1), data(60, seed=1)[:, 0] > 0
    theirs = linear_model.LogisticRegression().fit(X, y)
    ours = LogisticRegression.from_sklearn(theirs, score_bound=12.0)
    assert ours.score_bound == 12.0
    np.testing.assert_array_equal(ours.decision_function(X), theirs.decision_function(X))


def test_what_is_no_linear_classifier_is_not_taken_over() -> None:
    with pytest.raises(NotFittedError):
        LogisticRegression.from_sklearn(linear_model.LogisticRegression())
    with pytest.raises(EncodingError, match="expected a linear classifier"):
        LogisticRegression.from_sklearn(linear_model.Ridge().fit(data(9), np.arange(9)))


def test_it_clones_and_pipes() -> None:
    model = clone(LogisticRegression(score_bound=5.0, margin=0.5))
    assert (model.score_bound, model.margin) == (5.0, 0.5)
    X = data(60, seed=1)
    assert make_pipeline(StandardScaler(), model).fit(X, X[:, 0] > 0).score(X, X[:, 0] > 0) > 0.9


# --- encrypted rows --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("samples", [1, 2, 5])
def test_encrypted_scores_are_the_clear_ones(party: KeyOwner, samples: int) -> None:
    model, X = logistic(), data(samples)
    x = party.encrypt(X, bound=1.0)
    scores = model.decision_function(x)
    assert scores.shape == (samples,)
    assert x.level - scores.level == model.depth("decision_function") == 1
    np.testing.assert_allclose(party.decrypt(scores), model.decision_function(X), atol=1e-6)


def test_rotations_of_a_row_sum_come_before_its_rescale(quick: KeyOwner) -> None:
    """So that a sum is rounded once; products of ciphertexts are rescaled with their relinearisation."""
    evaluator = quick.evaluator
    assert isinstance(evaluator, CKKSEvaluator)
    rows = quick.encrypt(data(), bound=1.0)
    assert all(map(evaluator.is_pending, logistic().decision_function(rows).shards))
    assert not any(map(evaluator.is_pending, (rows * rows).sum(axis=-1).shards))


def test_the_depth_counts_the_mask_even_where_no_scaling_is_needed() -> None:
    assert LogisticRegression(score_bound=1.0).depth("predict_proba") == 6


def test_encrypted_regression(party: KeyOwner) -> None:
    X = data(40, seed=2)
    model = LinearRegression().fit(X, X @ [1.0, -2.0, 0.5] + 3)
    predicted = model.predict(party.encrypt(data(), bound=1.0))
    np.testing.assert_allclose(party.decrypt(predicted), data() @ [1.0, -2.0, 0.5] + 3, atol=1e-6)


def test_encrypted_probabilities_are_within_the_stated_error(party: KeyOwner) -> None:
    model = logistic()
    scores = np.array([-8.0, -3.0, 0.1, 8.0])
    X = rows_with_scores(model, scores)
    x = party.encrypt(X, bound=4.0)
    found = model.predict_proba(x)
    approximation = model.approximation("predict_proba")
    assert approximation is not None
    assert x.level - found.level == model.depth("predict_proba") == 6
    assert np.max(np.abs(party.decrypt(found) - model.predict_proba(X)[:, 1])) <= approximation.error + 1e-6
    np.testing.assert_allclose(party.decrypt(found), approximation(scores), atol=1e-6)


def test_encrypted_classes_are_right_beyond_the_margin(party: KeyOwner) -> None:
    model = logistic()
    X = rows_with_scores(model, np.array([-8.0, -0.25, 0.25, 8.0]))
    x = party.encrypt(X, bound=4.0)
    found = model.predict(x)
    approximation = model.approximation("predict")
    assert approximation is not None
    assert x.level - found.level == model.depth("predict") == 11
    assert np.max(np.abs(party.decrypt(found) - model.predict(X))) <= approximation.error / 2 + 1e-5


def test_classes_need_not_be_zero_and_one(party: KeyOwner) -> None:
    X = data(60, seed=1)
    model = LogisticRegression(margin=2.0, score_bound=8.0).fit(X, np.where(X[:, 0] > 0, 5, -3))
    rows = rows_with_scores(model, np.array([-4.0, 4.0]))
    found = party.decrypt(model.predict(party.encrypt(rows, bound=4.0)))
    np.testing.assert_allclose(found, [-3, 5], atol=0.01)


def test_classes_that_are_no_numbers_stay_with_the_owner(party: KeyOwner) -> None:
    X = data(60, seed=1)
    model = LogisticRegression().fit(X, np.where(X[:, 0] > 0, "yes", "no"))
    with pytest.raises(EncodingError, match="decrypt decision_function"):
        model.predict(party.encrypt(data(), bound=1.0))


# --- a server with just the keys it needs ----------------------------------------------------------------------------


def test_a_server_needs_what_the_model_says(quick: KeyOwner) -> None:
    model = logistic()
    published = quick.public(relinearization=False, rotations=model.rotations()).to_bytes()
    server = fhe.Context.from_bytes(published, "reference")
    reply = model.decision_function(server.load(quick.encrypt(data(), bound=1.0, symmetric=True).to_bytes())).to_bytes()
    np.testing.assert_allclose(quick.decrypt(quick.load(reply)), model.decision_function(data()), atol=1e-6)


def test_rotations_follow_the_number_of_features() -> None:
    assert logistic().rotations() == [1, 2]
    assert LogisticRegression().rotations(n_features=30) == [1, 2, 4, 8, 16]
    assert LogisticRegression().rotations(n_features=1) == []


def test_the_bound_on_values_suffices_and_is_needed() -> None:
    model = logistic()
    bound = model.value_bound(1.0)
    assert np.max(np.abs(model.decision_function(data(100)))) < bound
    owner = fhe.ckks(depth=1, bound=bound, ring_degree=32, insecure=INSECURE, backend="reference")
    model.decision_function(owner.encrypt(data(), bound=1.0)).settled()
    small = fhe.ckks(depth=1, bound=bound / 4, ring_degree=32, insecure=INSECURE, backend="reference")
    with pytest.raises(ScaleError, match="a larger bound="):
        model.decision_function(small.encrypt(data(), bound=1.0)).settled()


@pytest.fixture
def idle(monkeypatch: pytest.MonkeyPatch, quick: KeyOwner) -> None:
    """No product may be computed."""
    for name in ("multiply", "multiply_plain", "rotate"):
        monkeypatch.setattr(type(quick.evaluator), name, lambda *arguments: pytest.fail("work before the check"))


@pytest.mark.usefixtures("idle")
def test_a_missing_rotation_is_named_before_any_work(quick: KeyOwner) -> None:
    server = quick.public(relinearization=False, rotations=[1])
    rows = server.load(quick.encrypt(data(), bound=1.0).to_bytes())
    with pytest.raises(MissingKeyError, match=r"rotating by 2 needs a rotation key for step 2"):
        logistic().decision_function(rows)


@pytest.mark.usefixtures("idle")
def test_too_few_levels_are_named_before_any_work(quick: KeyOwner) -> None:
    rows = quick.encrypt(data(), bound=1.0)
    for method, depth in (("predict_proba", 6), ("predict", 11)):
        with pytest.raises(LevelError, match=rf"needs {depth} levels, 1 is left; use fhe.ckks\(depth={depth}\)"):
            getattr(logistic(), method)(rows)
    with pytest.raises(LevelError, match="needs a level, none is left"):
        logistic().decision_function(quick.encrypt(data(), bound=1.0, level=0))


@pytest.mark.usefixtures("idle")
def test_a_missing_relinearisation_key_is_named_before_any_work(party: KeyOwner) -> None:
    server = party.public(relinearization=False, rotations=logistic().rotations())
    rows = server.load(party.encrypt(data(), bound=1.0).to_bytes())
    with pytest.raises(MissingKeyError, match="relinearisation key"):
        logistic().predict_proba(rows)


# --- bad input -------------------------------------------------------------------------------------------------------


def test_rows_must_have_the_features_of_the_model(quick: KeyOwner) -> None:
    with pytest.raises(EncodingError, match="X has 4 features, but LogisticRegression is expecting 3"):
        logistic().decision_function(quick.encrypt(np.ones((2, 4))))
    with pytest.raises(EncodingError, match=r"two dimensions\), got shape \(3,\)"):
        logistic().decision_function(quick.encrypt(np.ones(3)))


def test_integers_modulo_t_have_no_real_weights() -> None:
    rows = shared_owner(BFV, ReferenceBackend()).encrypt([[1, 2, 3]])
    with pytest.raises(EncodingError, match="BFV computes with integers"):
        logistic().decision_function(rows)


@pytest.mark.parametrize("method", ["decision_function", "predict_proba", "predict"])
def test_a_model_learns_before_it_answers(quick: KeyOwner, method: str) -> None:
    with pytest.raises(NotFittedError):
        getattr(LogisticRegression(), method)(quick.encrypt(data(), bound=1.0))


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        ("predict_proba", {"score_bound": 0.0}),
        ("predict_proba", {"sigmoid_degree": 0}),
        ("predict_proba", {"sigmoid_degree": 7.5}),
        ("predict", {"margin": 9.0}),
        ("predict_log_proba", {}),
    ],
)
def test_impossible_parameters(method: str, parameters: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must be positive|must lie between|methods are"):
        LogisticRegression(**parameters).depth(method)
