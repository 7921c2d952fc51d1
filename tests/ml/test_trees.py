"""Decision trees on encrypted integers: the classes of the same tree in the clear, all of them."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import datasets, tree
from sklearn.exceptions import NotFittedError

import fhe
from fhe.errors import EncodingError, LevelError
from fhe.ml import DecisionTreeClassifier, from_sklearn
from fhe.owner import KeyOwner
from tests.schemes.owners import INSECURE


@cache
def owner(depth: int = 10) -> KeyOwner:
    return fhe.bfv(depth, value_bits=14, ring_degree=1024, insecure=INSECURE)


@cache
def iris() -> tuple[Any, Any]:
    """Lengths in millimetres."""
    X, y = datasets.load_iris(return_X_y=True)
    return np.round(10 * X).astype(int), y


def test_digits() -> None:
    X, y = datasets.load_digits(return_X_y=True)
    X = X.astype(int)
    model = DecisionTreeClassifier(max_depth=4, random_state=0).fit(X[::2], y[::2])
    party = owner(model.depth((0, 16)))
    hidden = model.predict(party.encrypt(X[1::2], bound=(0, 16), batch=0))
    assert np.array_equal(party.decrypt(hidden), model.predict(X[1::2]))
    assert model.score(X[1::2], y[1::2]) > 0.5


@pytest.mark.parametrize("batch", [None, 0], ids=["rows", "columns"])
@pytest.mark.parametrize("depth", [1, 3])
def test_differences_and_bits_decide_alike(depth: int, batch: int | None) -> None:
    X, y = iris()
    model = DecisionTreeClassifier(max_depth=depth, random_state=0).fit(X, y)
    for x in (owner(12).encrypt(X, bound=(0, 79), batch=batch), owner(12).encrypt_bits(X, bits=7, batch=batch)):
        assert np.array_equal(owner(12).decrypt(model.predict(x)), model.predict(X))


@given(
    X=st.lists(st.tuples(st.integers(-4, 4), st.integers(-4, 4)), min_size=4, max_size=12),
    labels=st.lists(st.integers(-3, 9), min_size=12, max_size=12),
)
def test_whatever_a_tree_has_learnt(X: list[tuple[int, int]], labels: list[int]) -> None:
    """Negative numbers, classes of any integers, trees that ask little or nothing; every point of the domain."""
    model = DecisionTreeClassifier(max_depth=3, random_state=0).fit(X, labels[: len(X)])
    rows = np.stack(np.meshgrid(np.arange(-4, 5), np.arange(-4, 5)), axis=-1).reshape(-1, 2)
    hidden = model.predict(owner().encrypt(rows, bound=(-4, 4), batch=0))
    assert np.array_equal(owner().decrypt(hidden), model.predict(rows))


def test_the_stated_depth_suffices_and_less_is_refused() -> None:
    X, y = iris()
    model = DecisionTreeClassifier(max_depth=4, random_state=0).fit(X, y)
    for how in ({"bound": (0, 79)}, {"bits": 7}):
        depth = model.depth(**how)
        party = fhe.bfv(depth, plain_modulus=65537, ring_degree=512, insecure=INSECURE)
        small = fhe.bfv(3, plain_modulus=65537, ring_degree=512, insecure=INSECURE)
        kinds = [
            p.encrypt(X, batch=0, **how) if "bound" in how else p.encrypt_bits(X, batch=0, **how)
            for p in (party, small)
        ]
        assert np.array_equal(party.decrypt(model.predict(kinds[0])), model.predict(X))
        with pytest.raises(LevelError, match=r"needs \d+ products in a row, \d are left; use fhe.bfv\(depth=\d+\)"):
            model.predict(kinds[1])


def test_fitted_trees_are_taken_over() -> None:
    X, y = iris()
    theirs = tree.DecisionTreeClassifier(max_depth=2).fit(X, y)
    assert np.array_equal(from_sklearn(theirs).predict(X), theirs.predict(X))


def test_impossible_rows() -> None:
    X, y = iris()
    model, x = DecisionTreeClassifier(max_depth=2), owner().encrypt(X[:4], bound=(0, 79))
    with pytest.raises(NotFittedError):
        model.predict(x)
    model.fit(X, y)
    with pytest.raises(EncodingError, match="X has 3 features, but DecisionTreeClassifier is expecting 4"):
        model.predict(x[:, :3])
    with pytest.raises(EncodingError, match="two dimensions"):
        model.predict(x[0])
    with pytest.raises(EncodingError, match="questions about integers, got dtype float64; round"):
        model.predict(fhe.ckks(2, ring_degree=512, insecure=INSECURE).encrypt(X[:4] / 10.0))
    with pytest.raises(EncodingError, match="encrypted classes are integers"):
        DecisionTreeClassifier().fit(X, np.array(list("abc"))[y]).predict(x)
    for arguments in ({}, {"bound": (0, 9), "bits": 4}):
        with pytest.raises(ValueError, match="give bound="):
            model.depth(**arguments)
