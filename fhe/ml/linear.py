"""Linear and logistic regression: trained in the clear by scikit-learn, scoring plain or encrypted rows."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn import linear_model
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data

from fhe.arrays.array import EncryptedArray
from fhe.arrays.functions import apply, depth_of_stages, require
from fhe.circuits import approximation
from fhe.circuits.approximation import Approximation
from fhe.circuits.sign import sign
from fhe.errors import EncodingError
from fhe.ml.base import WEIGHING, LinearModel

SIGN_ERROR = 1e-3


class LinearRegression(RegressorMixin, LinearModel):  # type: ignore[misc]
    """y = X @ w + b, with the weights of least squares.

    >>> import fhe
    >>> model = LinearRegression().fit([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], [1.0, 3.0, 4.0])
    >>> owner = fhe.ckks(depth=1, ring_degree=64, insecure="a small ring for this example")
    >>> owner.decrypt(model.predict(owner.encrypt([[1.0, 1.0]]))).round(3).tolist()
    [6.0]
    """

    def __init__(self, *, fit_intercept: bool = True) -> None:
        self.fit_intercept = fit_intercept

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Learn from plain data, by `sklearn.linear_model.LinearRegression`."""
        X, y = validate_data(self, X, y, y_numeric=True)
        clear = linear_model.LinearRegression(fit_intercept=self.fit_intercept)
        return self._learn(clear.fit(X, y, sample_weight))

    def predict(self, X: Any) -> Any:
        """X @ w + b: for encrypted rows an encrypted vector, at the cost of one level."""
        return self._scores(X)


class LogisticRegression(ClassifierMixin, LinearModel):  # type: ignore[misc]
    """Two classes, the probability of the second being sigmoid(X @ w + b).

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
    >>> model.classes_[(scores > 0).astype(int)].tolist()
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

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags

    @classmethod
    def from_sklearn(cls, fitted: Any, **parameters: Any) -> Self:
        """The same model as a fitted `sklearn.linear_model.LogisticRegression` of two classes.

        ``parameters`` are those of this class, such as ``score_bound``.
        """
        check_is_fitted(fitted)
        if np.shape(getattr(fitted, "coef_", ())) != (1, fitted.n_features_in_):
            raise EncodingError(f"expected a linear classifier of two classes, got {fitted}")
        return cls(**parameters)._learn(fitted)

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Learn from plain data, by `sklearn.linear_model.LogisticRegression`."""
        X, y = validate_data(self, X, y)
        if (kind := type_of_target(y, input_name="y", raise_unknown=True)) != "binary":
            raise ValueError(f"Only binary classification is supported. The type of the target is {kind}.")
        names = ("C", "fit_intercept", "class_weight", "tol", "max_iter", "random_state")
        clear = linear_model.LogisticRegression(**{name: getattr(self, name) for name in names})
        return self._learn(clear.fit(X, y, sample_weight))

    def approximation(self, method: str) -> Approximation | None:
        """What stands in for a method's function on encrypted rows: its polynomials, domain and measured error.

        None for "decision_function", which is exact but for the scheme's noise.
        """
        if method == "decision_function":
            return None
        if method == "predict_proba":
            return _sigmoid(self.score_bound, self.sigmoid_degree)
        if method == "predict":
            return _sign(self.score_bound, self.margin)
        raise ValueError(f"methods are decision_function, predict_proba and predict, not {method!r}")

    def depth(self, method: str = "decision_function") -> int:
        """The levels that a method takes on encrypted rows: what to give `fhe.ckks`.

        >>> [LogisticRegression().depth(method) for method in ("decision_function", "predict_proba", "predict")]
        [1, 6, 11]
        """
        found = self.approximation(method)
        return WEIGHING + (0 if found is None else depth_of_stages(found.stages, clean=False))

    def decision_function(self, X: Any) -> Any:
        """X @ w + b: for encrypted rows an encrypted vector, at the cost of one level."""
        return self._scores(X)

    def predict_proba(self, X: Any) -> Any:
        """The probabilities of both classes, ``(n, 2)``; for encrypted rows that of ``classes_[1]`` alone, ``(n,)``."""
        scores = self._scores(X, self.depth("predict_proba"))
        if isinstance(scores, EncryptedArray):
            return apply(_sigmoid(self.score_bound, self.sigmoid_degree), scores)
        second = approximation.sigmoid(scores)
        return np.column_stack([1 - second, second])

    def predict(self, X: Any) -> Any:
        """The more probable class of each row; for encrypted rows its number, within half the sign's error.

        Encrypted classes must be numbers. A server needs ``public(rotations=…, conjugation=True)``. Comparing decrypted
        scores with 0 is far cheaper, where that will do.
        """
        check_is_fitted(self)
        if not isinstance(X, EncryptedArray):
            return self.classes_[(self._scores(X) > 0).astype(np.intp)]
        low, high = self._numeric_classes()
        found = _sign(self.score_bound, self.margin)
        require(X, conjugation=len(found.stages) > 1)
        scores = self._scores(X, self.depth("predict"))
        return apply(found.scaled((high - low) / 2, (low + high) / 2), scores)

    def _numeric_classes(self) -> tuple[float, float]:
        if np.asarray(self.classes_).dtype.kind not in "biuf":
            raise EncodingError(
                f"classes of dtype {self.classes_.dtype} are no numbers; decrypt decision_function(X) and take "
                "classes_[1] where it is positive"
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
