"""Logistic regression of two classes and more: trained in the clear, scoring plain or encrypted rows."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn import linear_model
from sklearn.utils.validation import check_is_fitted, validate_data

from fhe.arrays.array import EncryptedArray
from fhe.arrays.elementary import softmax
from fhe.arrays.functions import apply, assume, depth_of_stages, require
from fhe.circuits import approximation
from fhe.circuits.approximation import Approximation
from fhe.circuits.sign import sign
from fhe.errors import EncodingError
from fhe.ml.base import WEIGHING, require_plain
from fhe.ml.classifiers import LinearClassifier

SIGN_ERROR = 1e-3


class LogisticRegression(LinearClassifier):
    """Of two classes the probability of the second is sigmoid(X @ w + b), of more those of all are a softmax.

    C, fit_intercept, class_weight, tol, max_iter, random_state
        as in `sklearn.linear_model.LogisticRegression`, which does the learning.
    score_bound
        What no |X @ w + b| exceeds: the caller's promise, on which `predict_proba` and `predict` of *encrypted*
        rows rest. A score beyond it makes the answers meaningless, its own and its neighbours'.
    sigmoid_degree
        Of the polynomial that stands in for the sigmoid; its error is in ``approximation("predict_proba")``.
    margin
        The |score| from which on encrypted `predict` is right; nearer to 0 it gives a value between the classes.

    >>> import fhe
    >>> model = LogisticRegression().fit([[-2.0], [-1.0], [1.0], [2.0]], [0, 0, 1, 1])
    >>> owner = fhe.ckks(depth=1, ring_degree=64, insecure="a small ring for this example")
    >>> scores = owner.decrypt(model.decision_function(owner.encrypt([[-1.5], [1.5]])))
    >>> model.decide(scores).tolist()
    [0, 1]
    """

    def __init__(
        self,
        *,
        C: float = 1.0,
        fit_intercept: bool = True,
        class_weight: Any = None,
        tol: float = 1e-4,
        max_iter: int = 100,
        random_state: Any = None,
        score_bound: float = 8.0,
        sigmoid_degree: int = 15,
        margin: float = 0.25,
    ) -> None:
        self.C = C
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.tol = tol
        self.max_iter = max_iter
        self.random_state = random_state
        self.score_bound = score_bound
        self.sigmoid_degree = sigmoid_degree
        self.margin = margin

    @classmethod
    def from_sklearn(cls, fitted: Any, **parameters: Any) -> Self:
        """The same model as a fitted `sklearn.linear_model.LogisticRegression`.

        ``parameters`` are those of this class, such as ``score_bound``.
        """
        check_is_fitted(fitted)
        if np.ndim(getattr(fitted, "coef_", ())) != 2 or not hasattr(fitted, "classes_"):
            raise EncodingError(f"expected a linear classifier, got {fitted}")
        return super().from_sklearn(fitted, **parameters)

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Learn from plain data, by `sklearn.linear_model.LogisticRegression`."""
        require_plain(self, X, y)
        X, y = validate_data(self, X, y)
        names = ("C", "fit_intercept", "class_weight", "tol", "max_iter", "random_state")
        clear = linear_model.LogisticRegression(**{name: getattr(self, name) for name in names})
        return self._learn(clear.fit(X, y, sample_weight))

    def approximation(self, method: str) -> Approximation | None:
        """What stands in for a method's function on encrypted rows: its polynomials, domain and measured error.

        None for "decision_function", which is exact but for the scheme's noise. Of two classes.
        """
        if method == "decision_function":
            return None
        if method == "predict_proba":
            return _sigmoid(self.score_bound, self.sigmoid_degree)
        if method == "predict":
            return _sign(self.score_bound, self.margin)
        raise ValueError(f"methods are decision_function, predict_proba and predict, not {method!r}")

    def depth(self, method: str = "decision_function") -> int:
        """The levels that a method of two classes takes on encrypted rows: what to give `fhe.ckks`.

        >>> [LogisticRegression().depth(method) for method in ("decision_function", "predict_proba", "predict")]
        [1, 6, 11]
        """
        found = self.approximation(method)
        return WEIGHING + (0 if found is None else depth_of_stages(found.stages, clean=False))

    def predict_proba(self, X: Any) -> Any:
        """The probabilities of all classes, ``(n, classes)``; for encrypted rows of two that of ``classes_[1]`` alone.

        Encrypted rows of more classes go through `fhe.softmax` on (-score_bound, score_bound): a level or two for each
        unit of it, beyond ten.
        """
        check_is_fitted(self)
        if len(self.classes_) > 2:
            scores = self._scores(X)
            return softmax(scores, axis=-1, interval=(-self.score_bound, self.score_bound))
        scores = self._scores(X, self.depth("predict_proba"))
        if isinstance(scores, EncryptedArray):
            return apply(_sigmoid(self.score_bound, self.sigmoid_degree), assume(scores, self.score_bound))
        second = approximation.sigmoid(scores)
        return np.column_stack([1 - second, second])

    def predict(self, X: Any) -> Any:
        """The most probable class of each row; of two classes, for encrypted rows, within half the sign's error.

        Encrypted classes must be numbers. A server needs ``public(rotations=…, conjugation=True)``. Deciding by
        decrypted scores is far cheaper, where that will do.
        """
        check_is_fitted(self)
        if not isinstance(X, EncryptedArray) or len(self.classes_) > 2:
            return super().predict(X)
        low, high = self._numeric_classes()
        found = _sign(self.score_bound, self.margin)
        require(X, conjugation=len(found.stages) > 1)
        scores = self._scores(X, self.depth("predict"))
        return apply(found.scaled((high - low) / 2, (low + high) / 2), assume(scores, self.score_bound))

    def _numeric_classes(self) -> tuple[float, float]:
        if np.asarray(self.classes_).dtype.kind not in "biuf":
            raise EncodingError(
                f"classes of dtype {self.classes_.dtype} are no numbers; decrypt decision_function(X) and pass it to "
                "decide"
            )
        low, high = map(float, self.classes_)
        return low, high


@lru_cache(maxsize=64)
def _sigmoid(bound: float, degree: int) -> Approximation:
    if not (bound > 0 and isinstance(degree, int) and degree > 0):
        raise ValueError(f"score_bound and sigmoid_degree must be positive, got {bound!r} and {degree!r}")
    return approximation.best(approximation.sigmoid, degree, -bound, bound)


@lru_cache(maxsize=64)
def _sign(bound: float, margin: float) -> Approximation:
    return sign(margin, SIGN_ERROR, bound)
