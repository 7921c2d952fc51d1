"""Clusters: encrypted rows find the nearest centre, and centres are learnt as the same polynomials learn them."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import cluster, datasets, preprocessing
from sklearn.utils.estimator_checks import parametrize_with_checks

import fhe
from fhe.errors import EncodingError, LevelError
from fhe.ml import KMeans
from fhe.ml.clusters import _soft
from fhe.owner import KeyOwner
from tests.schemes.owners import INSECURE

RANDOM = "random centres to begin with differ for repeated samples and for weights, as in scikit-learn's own"
EXPECTED = {f"check_sample_weight_equivalence_on_{kind}_data": RANDOM for kind in ("dense", "sparse")}


@cache
def owner(depth: int = 8) -> KeyOwner:
    return fhe.ckks(depth, ring_degree=2048, scale_bits=42, bound=2.0**16, insecure=INSECURE)


@cache
def flowers() -> NDArray[Any]:
    X, _ = datasets.load_iris(return_X_y=True)
    found: NDArray[Any] = preprocessing.StandardScaler().fit_transform(X).clip(-2.5, 2.5)
    return found


def begun(clusters: int) -> NDArray[Any]:
    return flowers()[[0, 60, 120][:clusters]]


def softly(X: NDArray[Any], C: NDArray[Any], bound: float, times: int) -> NDArray[Any]:
    """The same in the clear."""
    for _ in range(times):
        scores = 2 * X @ C.T - (C * C).sum(axis=1)
        h = _soft(7)((scores[:, :, None] - scores[:, None, :]) / bound)
        shares = np.stack([np.prod(np.delete(h[:, j], j, axis=1), axis=1) for j in range(len(C))])
        C = shares @ X / shares.sum(axis=1, keepdims=True)
    return C


@pytest.mark.parametrize("clusters", [2, 3])
def test_encrypted_rows_teach_the_same(clusters: int) -> None:
    model = KMeans(clusters, init=begun(clusters), n_init=1, max_iter=3, score_bound=50.0)
    rows = owner(model.depth()).encrypt(flowers(), bound=2.5)
    found = model.fit(rows, refresh=model.refreshed_by(owner(model.depth()))).decrypted(owner(model.depth()))
    np.testing.assert_allclose(found.cluster_centers_, softly(flowers(), begun(clusters), 50.0, 3), atol=1e-4)
    hard = cluster.KMeans(clusters, init=begun(clusters), n_init=1).fit(flowers())
    assert np.mean(found.predict(flowers()) == hard.labels_) > 0.85


def test_encrypted_rows_find_the_nearest_centre() -> None:
    X = flowers()
    model = KMeans(3, random_state=0).fit(X)
    for batch in (None, 0):
        scores = owner().decrypt(model.scores(owner().encrypt(X, bound=2.5, batch=batch)))
        np.testing.assert_allclose(scores, model.scores(X), atol=1e-6)
        assert np.array_equal(model.decide(scores), model.labels_)


def test_bad_input() -> None:
    rows = owner(3).encrypt(flowers(), bound=2.5)
    with pytest.raises(EncodingError, match="begin with public centres"):
        KMeans(2).fit(rows)
    with pytest.raises(EncodingError, match="pass refresh="):
        KMeans(2, init=begun(2)).fit(rows)
    with pytest.raises(LevelError, match="an iteration of this KMeans needs 6 levels, 3 are left"):
        KMeans(2, init=begun(2), max_iter=1).fit(rows)
    with pytest.raises(EncodingError, match="without batch="):
        KMeans(2, init=begun(2), max_iter=1).fit(owner(3).encrypt(flowers(), bound=2.5, batch=0))
    model = KMeans(2, init=begun(2), max_iter=1).fit(owner().encrypt(flowers(), bound=2.5))
    for ask in (model.scores, model.predict):
        with pytest.raises(EncodingError, match=r"decrypted\(owner\)"):
            ask(flowers())
    with pytest.raises(EncodingError, match="pass it to decide"):
        model.predict(rows)


@pytest.mark.wide
@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks([KMeans(n_clusters=3)], expected_failed_checks=lambda estimator: EXPECTED)
def test_the_conventions_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)
