"""What linear models share: the score X @ w + b of plain and of encrypted rows, and what it needs on a server."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from fhe.arrays.array import EncryptedArray
from fhe.arrays.functions import require
from fhe.circuits.linear import inner_sum_steps
from fhe.errors import EncodingError

WEIGHING = 1  # level of the product with the weights


class LinearModel(BaseEstimator):  # type: ignore[misc]
    """Weights w and an intercept b, learnt in the clear; rows to score may be encrypted, one row after another."""

    coef_: NDArray[np.float64]
    intercept_: NDArray[np.float64] | float
    n_features_in_: int

    def rotations(self, n_features: int | None = None) -> list[int]:
        """The rotation steps that scoring takes: what to give `KeyOwner.public`.

        >>> LinearModel().rotations(n_features=30)
        [1, 2, 4, 8, 16]
        """
        return inner_sum_steps(self._features() if n_features is None else n_features)

    def value_bound(self, feature_bound: float) -> float:
        """A public bound on all values that scoring meets when no |feature| exceeds ``feature_bound``.

        It is what `fhe.ckks` takes as ``bound``: the largest |weight| counts for every place of a padded row.
        """
        padded = 1 << (self._features() - 1).bit_length()
        return float(feature_bound * np.max(np.abs(self.coef_)) * padded + np.max(np.abs(self.intercept_)))

    def _scores(self, X: Any, depth: int = WEIGHING) -> Any:
        """X @ w + b, one for each row, encrypted if the rows are; ``depth`` is what the caller will take in all."""
        X = self._rows(X, depth)
        return X @ np.ravel(self.coef_) + float(np.ravel(self.intercept_)[0])

    def _rows(self, X: Any, depth: int) -> Any:
        """Rows fit to be scored, or what is wrong with them."""
        features = self._features()
        if not isinstance(X, EncryptedArray):
            return validate_data(self, X, reset=False)
        if X.ndim != 2:
            raise EncodingError(f"expected encrypted rows (two dimensions), got shape {X.shape}; encrypt x[None, :]")
        if X.shape[1] != features:
            name = type(self).__name__
            raise EncodingError(f"X has {X.shape[1]} features, but {name} is expecting {features} features as input")
        products = depth > WEIGHING
        require(X, levels=depth, rotations=self.rotations(), products=products, what=f"this {type(self).__name__}")
        return X

    def _features(self) -> int:
        check_is_fitted(self)
        return int(self.n_features_in_)

    def _learn(self, fitted: Any) -> Self:
        """Take over what a scikit-learn model has learnt."""
        for name in ("coef_", "intercept_", "classes_", "n_iter_", "n_features_in_", "feature_names_in_"):
            if hasattr(fitted, name):
                setattr(self, name, getattr(fitted, name))
        return self
