"""What moments teach: naive Bayes and principal components of encrypted rows, beside scikit-learn's of plain ones."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from sklearn import decomposition, naive_bayes

import fhe
from fhe.errors import EncodingError, LevelError
from fhe.ml import PCA, GaussianNB
from fhe.owner import KeyOwner
from tests.ml.test_family import split
from tests.schemes.owners import INSECURE


@cache
def owner(depth: int) -> KeyOwner:
    return fhe.ckks(depth, ring_degree=4096, scale_bits=45, bound=2.0**12, insecure=INSECURE)


@pytest.mark.parametrize("name", ["wine", "breast_cancer"])
def test_means_and_variances_of_classes(name: str) -> None:
    data = split(name)
    hidden = GaussianNB().fit(owner(2).encrypt(data.X, bound=4.0), data.y)
    clear, theirs = hidden.decrypted(owner(2)), naive_bayes.GaussianNB().fit(data.X, data.y)
    for attribute in ("theta_", "var_", "class_prior_", "epsilon_"):
        np.testing.assert_allclose(getattr(clear, attribute), getattr(theirs, attribute), atol=1e-6)
    assert np.array_equal(clear.predict(data.test), theirs.predict(data.test))


@pytest.mark.parametrize("iterations", [1, 4])
def test_principal_components(iterations: int) -> None:
    data = split("wine")
    model = PCA(n_components=2, iterated_power=iterations, random_state=1)
    found = model.fit(owner(3 * iterations).encrypt(data.X, bound=4.0)).decrypted(owner(3 * iterations))
    start = np.random.default_rng(1).normal(size=(2, data.X.shape[1])).T
    directions = np.linalg.matrix_power(np.cov(data.X.T, bias=True), iterations) @ start
    expected = np.linalg.qr(directions / np.linalg.norm(directions, axis=0))[0].T
    np.testing.assert_allclose(found.components_, expected, atol=1e-3)
    np.testing.assert_allclose(found.components_ @ found.components_.T, np.eye(2), atol=1e-9)
    np.testing.assert_allclose(found.transform(data.test), (data.test - data.X.mean(axis=0)) @ expected.T, atol=1e-2)
    exact = decomposition.PCA(2).fit(data.X)
    kept = np.linalg.norm(exact.components_ @ found.components_.T) / np.sqrt(2)
    assert kept > (0.7 if iterations == 1 else 0.95)


def test_what_is_still_encrypted_scores_nothing() -> None:
    data, party = split("wine"), owner(3)
    rows = party.encrypt(data.X, bound=4.0)
    hidden = GaussianNB().fit(rows, data.y)
    with pytest.raises(EncodingError, match=r"decrypted\(owner\)"):
        hidden.predict_joint_log_proba(data.test)
    with pytest.raises(EncodingError, match="sample_weight"):
        GaussianNB().fit(rows, data.y, np.ones(len(data.y)))
    with pytest.raises(EncodingError, match=r"decrypted\(owner\)"):
        PCA(n_components=1, iterated_power=1).fit(rows).transform(data.test)
    with pytest.raises(LevelError, match="2 iterations of this PCA needs 6 levels"):
        PCA(n_components=1, iterated_power=2).fit(rows)
    with pytest.raises(ValueError, match="whole n_components and iterated_power"):
        PCA().fit(rows)
    with pytest.raises(EncodingError, match="without batch="):
        PCA(n_components=1, iterated_power=1).fit(party.encrypt(data.X, bound=4.0, batch=0))
