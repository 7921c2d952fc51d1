"""Regression learnt by gradient descent, from plain examples or encrypted ones, by the same steps."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import validate_data

from fhe.arrays.approximate import ApproximateFunction, approximate
from fhe.arrays.array import EncryptedArray
from fhe.arrays.functions import apply, assume, depth_of_stages
from fhe.circuits.approximation import sigmoid
from fhe.errors import EncodingError, LevelError
from fhe.ml.base import LinearModel
from fhe.ml.classifiers import TwoClasses
from fhe.progress import progress as shown

PRODUCTS = 2  # levels of a step: rows with weights, and what is missing with rows
BEYOND = (
    "scores reach {:.3g}, beyond score_bound={:g}: encrypted examples would learn nonsense; lower rate, or raise it"
)
Refresh = Callable[[EncryptedArray], EncryptedArray]


class Descent(LinearModel):
    """w += rate / n * X.T @ (y - h(X @ w + b)), steps times, from zero; and b with it.

    Encrypted examples: rows as ``encrypt(X, batch=0)`` and their y as ``encrypt(y)``. The first step takes two levels,
    each other as many, and those of h: `depth`. The tracked error is a worst case, and grows faster than the usual one:
    after a few steps it asks for a larger ``scale_bits``, or for a refresh. ``fit(…, refresh=…)`` goes on where no
    level is left. It is called with encrypted weights, which only the owner of the key can encrypt anew:

        refresh=lambda weights: owner.encrypt(owner.decrypt(weights), batch=1)

    weight_bound
        What no |weight|, |intercept| or error |y - h| exceeds: the caller's promise (`fhe.assume`), without which the
        tracked bounds would grow from step to step.
    """

    steps: int
    rate: float
    weight_bound: float

    def depth(self, steps: int | None = None) -> int:
        """The levels that learning takes in so many steps, by default all: what to give `fhe.ckks`.

        >>> DescentRegressor(steps=3).depth(), DescentClassifier(steps=3).depth()
        (6, 14)
        """
        return PRODUCTS + ((self.steps if steps is None else steps) - 1) * self._levels()

    def fit(self, X: Any, y: Any, refresh: Refresh | None = None, *, progress: bool = False) -> Self:
        """Learn from plain or encrypted examples; the weights are encrypted if the examples are."""
        if not (isinstance(self.steps, int) and self.steps > 0 and self.rate > 0):
            raise ValueError(f"steps and rate must be positive, got {self.steps!r} and {self.rate!r}")
        X, y = self._examples(X, y, refresh)
        rate = self.rate / len(X)
        missing, scaled, rates = y - self._expected(0.0), X * rate, np.full(len(X), rate)  # rates are 0 in the padding
        w, b = missing @ scaled, missing @ rates
        for _ in shown(range(self.steps - 1), "steps", progress):
            w, b = self._ready(w[:, None], refresh)[:, 0], self._ready(b.reshape(1, 1), refresh)[0, 0]
            missing = self._promised(y - self._expected(X @ w + b))
            w, b = w + missing @ scaled, b + missing @ rates
        self.coef_, self.intercept_ = w, b
        return self

    def _expected(self, scores: Any) -> Any:
        """h of the scores."""
        return scores

    def _levels(self) -> int:
        """Levels of each step but the first."""
        return PRODUCTS

    def _ready(self, weights: Any, refresh: Refresh | None) -> Any:
        """The weights with levels for a step."""
        if not isinstance(weights, EncryptedArray):
            return weights
        if weights.levels_left < self._levels() and refresh is not None:
            weights = refresh(weights)
            if weights.levels_left < self._levels():
                raise LevelError(
                    f"a step takes {self._levels()} levels, refresh gave weights with {weights.levels_left}; encrypt "
                    f"them at the highest level, of parameters with depth={self._levels()} or more"
                )
        return self._promised(weights)

    def _promised(self, values: Any) -> Any:
        return assume(values, self.weight_bound) if isinstance(values, EncryptedArray) else values

    def _examples(self, X: Any, y: Any, refresh: Refresh | None) -> tuple[Any, Any]:
        if not isinstance(X, EncryptedArray):
            if isinstance(y, EncryptedArray):
                raise EncodingError("plain rows with encrypted y: encrypt both, or neither")
            return self._plain_examples(*validate_data(self, X, y, y_numeric=not hasattr(self, "decide"), dtype=float))
        if not isinstance(y, EncryptedArray) or X.ndim != 2 or y.shape != X.shape[:1]:
            raise EncodingError(
                f"expected encrypted rows (n, features) and encrypted y (n,), got shapes {X.shape} and {np.shape(y)}"
            )
        if X.layout.strides[1] % X.layout.slots:
            raise EncodingError("learning takes rows with a ciphertext for each feature: encrypt(X, batch=0)")
        needed, left = self.depth() if refresh is None else self._levels(), min(X.levels_left, y.levels_left)
        if needed > left:
            raise LevelError(
                f"{self.steps} steps need {needed} levels, {left} are left; use fhe.ckks(depth={needed}), fewer steps, "
                "or refresh="
            )
        self.n_features_in_ = X.shape[1]
        return X, y

    def _plain_examples(self, X: Any, y: Any) -> tuple[Any, Any]:
        return X, y


class DescentRegressor(RegressorMixin, Descent):  # type: ignore[misc]
    """y = X @ w + b, by descent along the gradient of the squared error.

    >>> import fhe
    >>> X, y = np.array([[-1.0], [0.0], [1.0]]), np.array([-1.0, 1.0, 3.0])
    >>> model = DescentRegressor(steps=3, rate=1.0)
    >>> owner = fhe.ckks(depth=model.depth(), ring_degree=64, insecure="a small ring for this example")
    >>> learnt = model.fit(owner.encrypt(X, batch=0), owner.encrypt(y)).decrypted(owner)
    >>> learnt.coef_.round(3).tolist(), learnt.intercept_.round(3).tolist()
    ([1.926], 1.0)
    """

    def __init__(self, *, steps: int = 10, rate: float = 0.5, weight_bound: float = 8.0) -> None:
        self.steps = steps
        self.rate = rate
        self.weight_bound = weight_bound

    def predict(self, X: Any) -> Any:
        """X @ w + b: for encrypted rows, or weights, encrypted."""
        return self._scores(X)


class DescentClassifier(TwoClasses, Descent):
    """Two classes, sigmoid(X @ w + b) the probability of the second, by descent along the log-likelihood's gradient.

    Encrypted labels are 0 and 1. Plain examples meet the same polynomial for the sigmoid as encrypted ones do.

    score_bound
        What no |X @ w + b| exceeds while learning: the caller's promise. Learning from plain examples of the kind warns
        where it is not kept.

    >>> import fhe
    >>> X, y = np.array([[-2.0], [-1.0], [1.0], [2.0]]), np.array([0, 0, 1, 1])
    >>> model = DescentClassifier(steps=2)
    >>> owner = fhe.ckks(depth=model.depth(), ring_degree=64, insecure="a small ring for this example")
    >>> learnt = model.fit(owner.encrypt(X, batch=0), owner.encrypt(y.astype(float))).decrypted(owner)
    >>> bool(np.allclose(learnt.coef_, DescentClassifier(steps=2).fit(X, y).coef_, atol=1e-5))
    True
    """

    def __init__(
        self,
        *,
        steps: int = 10,
        rate: float = 1.0,
        weight_bound: float = 8.0,
        score_bound: float = 8.0,
        sigmoid_degree: int = 5,
    ) -> None:
        self.steps = steps
        self.rate = rate
        self.weight_bound = weight_bound
        self.score_bound = score_bound
        self.sigmoid_degree = sigmoid_degree

    def _expected(self, scores: Any) -> Any:
        function = _sigmoid(self.score_bound, self.sigmoid_degree)
        if isinstance(scores, EncryptedArray):
            return apply(function.stages, scores)  # what learns is the polynomial: it is off from nothing
        if (largest := np.max(np.abs(scores))) > self.score_bound:
            warnings.warn(BEYOND.format(largest, self.score_bound), ConvergenceWarning, stacklevel=3)
        return function(np.clip(scores, *function.domain))

    def _levels(self) -> int:
        return PRODUCTS + depth_of_stages(_sigmoid(self.score_bound, self.sigmoid_degree).stages)

    def _examples(self, X: Any, y: Any, refresh: Refresh | None) -> tuple[Any, Any]:
        self.classes_ = np.array([0, 1])
        return super()._examples(X, y, refresh)

    def _plain_examples(self, X: Any, y: Any) -> tuple[Any, Any]:
        if (kind := type_of_target(y, input_name="y", raise_unknown=True)) != "binary":
            raise ValueError(f"Only binary classification is supported. The type of the target is {kind}.")
        self.classes_, y = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("a classifier needs two classes to tell apart, the labels have 1 class")
        return X, y.astype(np.float64)


@lru_cache(maxsize=64)
def _sigmoid(bound: float, degree: int) -> ApproximateFunction:
    return approximate(sigmoid, bound, degree=degree)
