"""Models on scikit-learn's data: encrypted rows, encrypted weights, or both, against the same model in the clear."""

from __future__ import annotations

from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import datasets, decomposition, discriminant_analysis, linear_model, naive_bayes, svm
from sklearn import preprocessing as clear_preprocessing
from sklearn.ensemble import AdaBoostClassifier
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

import fhe
from fhe.errors import EncodingError, LevelError, MissingKeyError
from fhe.ml import (
    PCA,
    FisherDiscriminant,
    GaussianNB,
    KMeans,
    LinearRegression,
    LinearSVC,
    LogisticRegression,
    Ridge,
    StandardScaler,
    from_sklearn,
)
from fhe.owner import KeyOwner
from tests.schemes.owners import INSECURE

FEATURE_BOUND = 4.0
Array = NDArray[Any]


class Split(NamedTuple):
    X: Array
    y: Array
    test: Array


@cache
def split(name: str) -> Split:
    """Standardised and clipped; every third sample is to be scored."""
    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    X = clear_preprocessing.StandardScaler().fit_transform(X).clip(-FEATURE_BOUND, FEATURE_BOUND)
    scored = np.arange(len(X)) % 3 == 0
    return Split(X[~scored], y[~scored], X[scored])


@cache
def owner(depth: int = 2) -> KeyOwner:
    return fhe.ckks(depth, ring_degree=1024, scale_bits=36, bound=2.0**14, insecure=INSECURE)


def scores_of(model: Any, X: Any) -> Any:
    for method in ("decision_function", "predict_joint_log_proba", "predict"):
        if hasattr(model, method):
            return getattr(model, method)(X)
    raise AssertionError(model)


CASES = [
    *[(Ridge(), "diabetes"), (LinearRegression(), "diabetes")],
    *[(LogisticRegression(), name) for name in ("breast_cancer", "wine", "iris")],
    *[(LinearSVC(), "breast_cancer"), (LinearSVC(), "iris"), (FisherDiscriminant(), "wine")],
    *[(FisherDiscriminant(), "breast_cancer"), (GaussianNB(), "wine"), (GaussianNB(), "breast_cancer")],
]


@pytest.mark.filterwarnings("ignore:Liblinear failed")
@pytest.mark.parametrize("batch", [None, 0], ids=["rows", "columns"])
@pytest.mark.parametrize(("model", "name"), CASES, ids=[f"{type(m).__name__}-{name}" for m, name in CASES])
def test_encrypted_rows_get_the_clear_answers(model: Any, name: str, batch: int | None) -> None:
    data = split(name)
    model.fit(data.X, data.y)
    clear, hidden = scores_of(model, data.test), scores_of(model, owner().encrypt(data.test, bound=4.0, batch=batch))
    found = owner().decrypt(hidden)
    np.testing.assert_allclose(found, clear, rtol=0, atol=1e-5 * np.max(np.abs(clear)))
    if hasattr(model, "decide"):
        assert np.array_equal(model.decide(found), model.predict(data.test))


@pytest.mark.parametrize("name", ["wine", "breast_cancer"])
def test_encrypted_weights_score_plain_and_encrypted_rows(name: str) -> None:
    data = split(name)
    model = LogisticRegression().fit(data.X, data.y)
    clear, hidden = model.decision_function(data.test), model.encrypted(owner(), bound=4.0)
    for X in (data.test, owner().encrypt(data.test, bound=4.0), owner().encrypt(data.test, bound=4.0, batch=0)):
        found = hidden.decision_function(X)
        assert isinstance(found, fhe.EncryptedArray)
        np.testing.assert_allclose(owner().decrypt(found), clear, atol=1e-4)
    np.testing.assert_allclose(hidden.decrypted(owner()).decision_function(data.test), clear, atol=1e-4)
    assert isinstance(model.coef_, np.ndarray)


def test_weights_of_a_vector_and_of_several_targets_travel_as_well() -> None:
    data = split("diabetes")
    for y in (data.y / 100, np.column_stack([data.y, -data.y]) / 100, data.y[:, None] / 100):
        model = Ridge().fit(data.X, y)
        for scored, X in ((model, owner().encrypt(data.test, bound=4.0)), (model.encrypted(owner()), data.test)):
            found = scored.predict(X)
            assert found.shape == model.predict(data.test).shape
            np.testing.assert_allclose(owner().decrypt(found), model.predict(data.test), atol=1e-4)


def test_a_pipeline_takes_encrypted_rows() -> None:
    X, y = datasets.load_iris(return_X_y=True)
    for pipeline in (
        make_pipeline(StandardScaler(), LogisticRegression()),
        make_pipeline(StandardScaler(with_std=False), PCA(3, whiten=True), FisherDiscriminant()),
        make_pipeline(StandardScaler(with_mean=False), PCA(2), LinearSVC()),
    ):
        pipeline.fit(X, y)
        found = owner(3).decrypt(pipeline.decision_function(owner(3).encrypt(X, bound=8)))
        np.testing.assert_allclose(found, pipeline.decision_function(X), atol=1e-4)
        assert np.array_equal(pipeline[-1].decide(found), pipeline.predict(X))


def test_probabilities_of_three_classes() -> None:
    data = split("iris")
    model = LogisticRegression(C=0.01, score_bound=1.5).fit(data.X, data.y)
    assert np.max(np.abs(model.decision_function(data.test))) < 1.5
    party = fhe.ckks(depth=12, ring_degree=512, bound=64, insecure=INSECURE)
    found = party.decrypt(model.predict_proba(party.encrypt(data.test, bound=4.0, batch=0)))
    np.testing.assert_allclose(found, model.predict_proba(data.test), atol=2e-3)


FITTED = [
    linear_model.Ridge(),
    linear_model.LinearRegression(),
    linear_model.LogisticRegression(),
    svm.LinearSVC(),
    discriminant_analysis.LinearDiscriminantAnalysis(),
    naive_bayes.GaussianNB(),
    clear_preprocessing.StandardScaler(),
    decomposition.PCA(2),
    make_pipeline(clear_preprocessing.StandardScaler(), "passthrough", linear_model.LogisticRegression()),
]


@pytest.mark.parametrize("theirs", FITTED, ids=lambda model: type(model).__name__)
def test_fitted_models_are_taken_over(theirs: Any) -> None:
    data = split("wine")
    ours = from_sklearn(theirs.fit(data.X, data.y))
    method = "predict" if hasattr(theirs, "predict") else "transform"
    np.testing.assert_allclose(getattr(ours, method)(data.test), getattr(theirs, method)(data.test))
    assert (ours[-1] if hasattr(ours, "steps") else ours).__module__.startswith("fhe.ml")


def test_what_has_no_twin_is_refused() -> None:
    data = split("iris")
    with pytest.raises(EncodingError, match="AdaBoostClassifier has no twin for encrypted rows; there are"):
        from_sklearn(AdaBoostClassifier(n_estimators=2).fit(data.X, data.y))
    with pytest.raises(NotFittedError):
        from_sklearn(linear_model.Ridge())


TRACED = [
    (LogisticRegression(), "decision_function"),
    (LogisticRegression(score_bound=30.0), "predict_proba"),
    (Ridge(), "predict"),
    (GaussianNB(), "predict_joint_log_proba"),
    (StandardScaler(), "transform"),
    (PCA(2), "transform"),
    (KMeans(2, random_state=0), "scores"),
]


@pytest.mark.parametrize(
    ("model", "method"), TRACED, ids=lambda part: part if isinstance(part, str) else type(part).__name__
)
def test_what_scores_can_be_compiled(model: Any, method: str) -> None:
    data = split("iris")
    kinds = data.y > 0
    score = getattr(model.fit(data.X, kinds), method)
    program = fhe.compile(score, fhe.spec(data.test.shape, bound=FEATURE_BOUND), precision=0.02)
    party = program.keygen()
    np.testing.assert_allclose(party.decrypt(program(program.encrypt(party, data.test))), score(data.test), atol=0.02)
    with pytest.raises(EncodingError, match="is expecting 4 features"):
        fhe.compile(score, fhe.spec((2, 3), bound=FEATURE_BOUND))


# --- bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [Ridge(), LinearSVC(), GaussianNB(), StandardScaler(), PCA()], ids=str)
def test_unfitted_models_and_wrong_features(model: Any) -> None:
    data, x = split("iris"), owner().encrypt(np.ones((2, 3)))
    ask = model.transform if hasattr(model, "transform") else partial(scores_of, model)
    with pytest.raises(NotFittedError):
        ask(x)
    model.fit(data.X, data.y)
    with pytest.raises(EncodingError, match=rf"X has 3 features, but {type(model).__name__} is expecting 4"):
        ask(x)
    with pytest.raises(EncodingError, match="two dimensions"):
        ask(owner().encrypt(np.ones(4)))
    with pytest.raises(LevelError, match=r"needs (a level|\d levels), none is left; use fhe.ckks\(depth="):
        ask(owner().encrypt(np.ones((2, 4)), level=0))


@pytest.mark.parametrize("model", [LinearSVC(), GaussianNB(), LogisticRegression()], ids=str)
def test_classes_of_encrypted_rows_are_the_owners_to_read(model: Any) -> None:
    data = split("iris")
    model.fit(data.X, data.y)
    with pytest.raises(EncodingError, match=r"decrypt (decision_function|predict_joint_log_proba)\(X\) and pass it"):
        model.predict(owner().encrypt(data.test, bound=4.0))


def test_keys_that_a_server_lacks_are_named() -> None:
    data = split("iris")
    model = LinearSVC().fit(data.X, data.y)
    server = owner().public(relinearization=False, rotations=[])
    with pytest.raises(MissingKeyError, match="rotation key for step 1"):
        model.decision_function(server.load(owner().encrypt(data.test, bound=4.0).to_bytes()))
    columns = server.load(owner().encrypt(data.test, bound=4.0, batch=0).to_bytes())
    np.testing.assert_allclose(
        owner().decrypt(model.decision_function(columns)), model.decision_function(data.test), atol=1e-5
    )
    with pytest.raises(MissingKeyError, match="relinearisation key"):
        model.encrypted(server).decision_function(columns)


def test_the_stated_bound_on_values_suffices() -> None:
    data = split("wine")
    for model in (GaussianNB(), LinearSVC()):
        bound = model.fit(data.X, data.y).value_bound(FEATURE_BOUND)
        assert np.max(np.abs(scores_of(model, data.test))) < bound
        party = fhe.ckks(2, ring_degree=1024, bound=bound, insecure=INSECURE)
        scores_of(model, party.encrypt(data.test, bound=FEATURE_BOUND)).settled()
