"""Linear regression, with and without a penalty: trained in the clear by scikit-learn, predicting from either rows."""

from __future__ import annotations

from typing import Any, Self

from numpy.typing import ArrayLike
from sklearn import linear_model
from sklearn.base import RegressorMixin
from sklearn.utils.validation import validate_data

from fhe.ml.base import LinearModel, require_plain


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
        require_plain(self, X, y)
        X, y = validate_data(self, X, y, y_numeric=True)
        clear = linear_model.LinearRegression(fit_intercept=self.fit_intercept)
        return self._learn(clear.fit(X, y, sample_weight))

    def predict(self, X: Any) -> Any:
        """X @ w + b: for encrypted rows an encrypted vector, at the cost of one level."""
        return self._scores(X)


class Ridge(LinearModel, linear_model.Ridge):  # type: ignore[misc]
    """y = X @ w + b, with weights that are kept small: `sklearn.linear_model.Ridge`, one target or several.

    >>> import fhe
    >>> model = Ridge(alpha=1e-6).fit([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], [1.0, 3.0, 4.0])
    >>> owner = fhe.ckks(depth=1, ring_degree=64, insecure="a small ring for this example")
    >>> owner.decrypt(model.predict(owner.encrypt([[1.0, 1.0]]))).round(3).tolist()
    [6.0]
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn from plain data, by `sklearn.linear_model.Ridge`."""
        require_plain(self, X, y)
        super().fit(X, y, sample_weight)
        return self

    def predict(self, X: Any) -> Any:
        """X @ W.T + b: for encrypted rows encrypted, at the cost of one level."""
        return self._scores(X)
