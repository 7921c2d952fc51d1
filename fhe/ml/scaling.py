"""Features scaled so that plain gradient steps are those of the quadratic gradient."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data


class GradientScaler(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """X standardised, clipped, with a constant feature; then column j over sqrt(sum_k |H_jk|), where H = X.T X / 4n.

    H bounds the Hessian of the logistic loss (Böhning, Lindsay, 1988), and the diagonal matrix of the sums of its rows
    bounds H. Steps divided by that diagonal, the quadratic gradient, are steps of rate 1 in these coordinates: what
    learns from them needs neither an inverse nor a level. Its owner scales rows before they are encrypted, as with a
    `StandardScaler`: those to learn from, and those to be scored.

    clip
        In deviations; outliers beyond it decide how far a sigmoid's polynomial has to reach.

    (Chiang, arXiv 2201.10838.)

    >>> GradientScaler().fit_transform([[0.0], [4.0]]).round(3).tolist()
    [[-2.0, 2.0], [2.0, 2.0]]
    """

    def __init__(self, *, clip: float = 2.0) -> None:
        self.clip = clip

    @property
    def bound_(self) -> float:
        """What no |value| of scaled rows exceeds: what to promise when encrypting them."""
        check_is_fitted(self)
        return float(max(self.clip * np.max(self.weights_[:-1]), self.weights_[-1]))

    def fit(self, X: Any, y: Any = None) -> Self:
        """Mean, deviation and weight of every feature of plain rows."""
        X = validate_data(self, X, dtype=np.float64)
        if not self.clip > 0:
            raise ValueError(f"clip is a positive number of deviations, got {self.clip!r}")
        self.mean_, deviations = X.mean(axis=0), X.std(axis=0)
        self.scale_ = np.where(deviations > 0, deviations, 1.0)
        rows = self._standardised(X)
        self.weights_ = 1 / np.sqrt(np.maximum(np.abs(rows.T @ rows).sum(axis=1) / (4 * len(rows)), 0.25 / len(rows)))
        self._n_features_out = len(self.weights_)
        return self

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Plain rows, scaled; the last column is constant."""
        check_is_fitted(self)
        scaled = self._standardised(validate_data(self, X, dtype=np.float64, reset=False))
        result: NDArray[np.float64] = scaled * self.weights_
        return result

    def _standardised(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        clipped = ((X - self.mean_) / self.scale_).clip(-self.clip, self.clip)
        return np.column_stack([clipped, np.ones(len(X))])
