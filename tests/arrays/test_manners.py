"""Short scripts as people write them, on plain arrays, on encrypted ones, and compiled: equal, or refused in words."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from sklearn import linear_model
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import fhe
from fhe.errors import EncodingError, FHEError
from fhe.ml import from_sklearn

SMALL: dict[str, Any] = {"ring_degree": 512, "insecure": "a small ring for a test"}
ROWS, VECTOR, WEIGHTS = np.array([[1, -2, 3], [0, 2, -1]]), np.array([2, -1, 0]), np.array([[1, 0], [2, -1], [-1, 1]])
KEEP, FRAME = np.array([True, False, True]), np.array([3, 0, 1])


class Frame:
    """What is no array, and knows how to become one: as data frames are."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray[Any, Any]:
        return np.array(FRAME, dtype=dtype)


SCRIPTS: dict[str, tuple[Callable[[Any], Any], np.ndarray[Any, Any]]] = {
    "a column beside rows": (lambda x: x + np.array([[10], [20]]), ROWS),
    "rows times a vector": (lambda x: x * VECTOR, ROWS),
    "all pairs": (lambda x: x[:, None] * x[None, :], VECTOR),
    "sums of columns": (lambda x: x.sum(axis=0), ROWS),
    "sums that keep their axis": (lambda x: x - x.sum(axis=1, keepdims=True), ROWS),
    "a sum over a tuple of axes": (lambda x: np.sum(x, axis=(0, 1)), ROWS),
    "products with odd shapes": (lambda x: x @ WEIGHTS @ np.ones((2, 1), dtype=int), ROWS),
    "a matrix from the left": (lambda x: WEIGHTS @ x, ROWS),
    "a stack of matrices": (lambda x: x @ np.stack([WEIGHTS, -WEIGHTS]), ROWS),
    "one by one": (lambda x: x @ np.array([[2]]), np.array([[3]])),
    "backwards, every other": (lambda x: x[::-2] - x[-1], VECTOR),
    "a list of indices": (lambda x: x[[0, 2]], VECTOR),
    "an array of indices": (lambda x: x[np.array([2, 0, 2])], VECTOR),
    "a plain mask as an index": (lambda x: x[KEEP], VECTOR),
    "np.take with an array": (lambda x: np.take(x, np.array([1, 0]), axis=1), ROWS),
    "a plain condition": (lambda x: np.where(KEEP, x, 7), VECTOR),
    "bools are numbers": (lambda x: x * KEEP + True, VECTOR),
    "numbers of NumPy": (lambda x: np.int8(2) * x + np.uint16(3), VECTOR),
    "a list": (lambda x: x * 2 + [1, 2, 3], VECTOR),
    "something like an array": (lambda x: x * Frame(), VECTOR),
    "a number without axes": (lambda x: (x * x + 1).reshape(1, 1), np.array(3)),
    "sum() of Python": (lambda x: sum(x) + sum([x, x]), VECTOR),
    "a loop": (lambda x: np.stack([row * k for k, row in enumerate(x)]), ROWS),
    "flattened": (lambda x: np.concatenate([x.flatten(), x.ravel()]), ROWS),
    "repeated and rolled": (lambda x: np.roll(np.repeat(x, 2), 1), VECTOR),
    "a polynomial": (lambda x: 2 * x**3 - x + 1, VECTOR),
    "running sums of rows": (lambda x: np.cumsum(x, axis=1), ROWS),
    "Einstein's sum": (lambda x: np.einsum("ij,kj->ik", x, x), ROWS),
    "a convolution": (lambda x: np.convolve(x, [1, -1]), VECTOR),
    "an outer product": (lambda x: np.outer(x, VECTOR), VECTOR),
    "large numbers": (lambda x: x * 10**3, VECTOR),
}
EXACTLY: dict[str, tuple[Callable[[Any], Any], np.ndarray[Any, Any]]] = {
    "the largest": (np.max, VECTOR),
    "the largest of rows": (lambda x: x.max(axis=1, keepdims=True), ROWS),
    "the smallest of columns": (lambda x: np.min(x, axis=0), ROWS),
    "where the largest is": (np.argmax, ROWS),
    "where the smallest of rows are": (lambda x: x.argmin(axis=1), ROWS),
    "clipped": (lambda x: x.clip(-1, 1), VECTOR),
    "a count": (lambda x: (x > 0).sum(), VECTOR),
    "both of two": (lambda x: (x > -1) * (x < 2), VECTOR),
    "equal": (lambda x: x == 2, VECTOR),
}
REFUSED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "and": (lambda x: (x * x) & (x * x), r"masks are numbers, 0 and 1"),
    "not": (lambda x: ~(x * x), r"masks are numbers, 0 and 1|1 - a"),
    "logical": (lambda x: np.logical_and(x, x), r"masks are numbers, 0 and 1: a \* b"),
    "whole quotients": (lambda x: x // 2, "let their owner divide|let the owner divide"),
    "remainders": (lambda x: x % 2, "let their owner divide|let the owner divide"),
    "deviations": (np.std, r"instead: fhe.sqrt\(np.var"),
    "a range": (np.ptp, r"np.max\(x\) - np.min\(x\)"),
    "rounding": (np.round, "let the owner round"),
    "a median": (np.median, "an order cannot be read"),
    "padding": (lambda x: np.pad(x, 1), "np.concatenate"),
    "a branch": (lambda x: 1 if x.sum() else 0, "no branch can depend on it"),
    "an encrypted index": (
        lambda x: VECTOR[x],
        "cannot become a float|no readable|have no values|used as",
    ),
    "a list of values": (lambda x: x.tolist(), "owner.decrypt"),
    "an item": (lambda x: x.sum().item(), "owner.decrypt"),
    "nothing": (lambda x: x[3:], "at least one element"),
    "other shapes": (lambda x: x + np.ones(2, dtype=int), "broadcast"),
    "a change": (lambda x: x.__setitem__(0, 1), "do not change"),
    "masked": (lambda x: x + np.ma.masked_array([1, 2, 3], [True, False, False]), "masked|values.filled"),
}


WAYS = [
    *[("eager", "real"), ("eager", "integer"), ("compiled", "real")],
    pytest.param("compiled", "integer", marks=pytest.mark.wide),
]


@cache
def owner(kind: str) -> fhe.KeyOwner:
    if kind == "integer":
        return fhe.bfv(depth=3, value_bits=40, **SMALL)
    return fhe.ckks(depth=5, **SMALL)


def computed(how: str, kind: str, function: Callable[[Any], Any], x: np.ndarray[Any, Any]) -> Any:
    """The function of x: encrypted as it stands, or compiled for it."""
    x = x.astype(float if kind == "real" else int)
    if how == "eager":
        return owner(kind).decrypt(function(owner(kind).encrypt(x, bound=4)))
    program = fhe.compile(function, fhe.spec(x.shape, kind=kind, bound=4), precision=1e-3, **SMALL)
    keys = program.keygen()
    return program.decrypt(keys, program(program.encrypt(keys, x)))


@pytest.mark.parametrize(("how", "kind"), WAYS)
@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_mean_what_they_mean_in_the_clear(name: str, how: str, kind: str) -> None:
    function, x = SCRIPTS[name]
    expected, found = function(x), computed(how, kind, function, x)
    assert np.shape(found) == np.shape(expected)
    np.testing.assert_allclose(found, expected, atol=0.01 * (kind == "real"), rtol=1e-6 * (kind == "real"))


@pytest.mark.parametrize("name", EXACTLY)
def test_orders_of_integers(name: str) -> None:
    function, x = EXACTLY[name]
    expected, found = function(x), computed("compiled", "integer", function, x)
    assert np.asarray(found).tolist() == np.asarray(expected).astype(int).tolist()


@pytest.mark.parametrize(("how", "kind"), WAYS)
@pytest.mark.parametrize("name", REFUSED)
def test_what_there_is_not_is_refused_in_words(name: str, how: str, kind: str) -> None:
    function, says = REFUSED[name]
    with pytest.raises((TypeError, ValueError, IndexError, FHEError), match=says):
        computed(how, kind, function, VECTOR)


@pytest.mark.parametrize("values", [[], np.zeros((0, 3)), ["a"], [None, 1], [np.nan], np.array(["2020"], "datetime64")])
def test_what_is_no_array_of_numbers_is_not_encrypted(values: Any) -> None:
    with pytest.raises(EncodingError):
        owner("real").encrypt(values)


def test_pipelines_of_scikit_learn_are_programs() -> None:
    X = np.random.default_rng(0).normal(size=(40, 3))
    fitted = make_pipeline(StandardScaler(), linear_model.LogisticRegression()).fit(X, X[:, 0] > 0)
    found = computed("compiled", "real", from_sklearn(fitted).decision_function, X[:4])
    np.testing.assert_allclose(found, fitted.decision_function(X[:4]), atol=1e-3)
