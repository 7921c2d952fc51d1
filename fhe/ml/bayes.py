"""Naive Bayes: log-likelihoods that are quadratic in the features."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import naive_bayes

from fhe.arrays.array import EncryptedArray
from fhe.ml.base import WEIGHING, Model, affine
from fhe.ml.classifiers import Classifier


class GaussianNB(Classifier, Model, naive_bayes.GaussianNB):  # type: ignore[misc]
    """Features that are independent and normal within each class: `sklearn.naive_bayes.GaussianNB`.

    The score of class k is log P(k) - sum_j (log(2 pi v_kj) + (x_j - m_kj)^2 / v_kj) / 2. It is a polynomial, and takes
    two levels of encrypted rows; weights are 1 / v_kj, so standardise beforehand, and drop features that are constant
    within a class.

    >>> import fhe
    >>> model = GaussianNB().fit([[-2.0], [-1.0], [1.0], [2.0]], [0, 0, 1, 1])
    >>> owner = fhe.ckks(depth=2, ring_degree=64, insecure="a small ring for this example")
    >>> model.decide(owner.decrypt(model.predict_joint_log_proba(owner.encrypt([[-1.5], [1.5]], bound=2)))).tolist()
    [0, 1]
    """

    def value_bound(self, feature_bound: float) -> float:
        """A public bound on all values that scoring meets when no |feature| exceeds ``feature_bound``."""
        padded = 1 << (self._features() - 1).bit_length()
        square, linear, constant = (float(np.max(np.abs(part))) for part in self._polynomial())
        return padded * (square * feature_bound**2 + linear * feature_bound) + constant

    def predict_joint_log_proba(self, X: Any) -> Any:
        """The scores log P(k) + log P(x | k) of all classes, ``(n, classes)``."""
        if not isinstance(X, EncryptedArray):
            return super().predict_joint_log_proba(X)
        X = self._rows(X, 2 * WEIGHING, products=True)
        square, linear, constant = self._polynomial()
        return affine(X * X, square, 0.0) + affine(X, linear, constant)

    def predict(self, X: Any) -> Any:
        """The classes of plain rows. What encrypted rows have are scores: decrypt them, and pass them to `decide`."""
        return self._decided(X, "predict_joint_log_proba")

    def _polynomial(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """The scores' coefficients of x^2, x and 1."""
        m, v = self.theta_, self.var_
        constant = np.log(self.class_prior_) - (np.log(2 * np.pi * v) + m**2 / v).sum(axis=1) / 2
        return -1 / (2 * v), m / v, constant
