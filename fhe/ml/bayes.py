"""Naive Bayes: log-likelihoods that are quadratic in the features."""

from __future__ import annotations

from copy import copy
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn import naive_bayes
from sklearn.utils.validation import check_is_fitted

from fhe.arrays.array import EncryptedArray
from fhe.errors import EncodingError
from fhe.ml.base import WEIGHING, Model, affine, hidden
from fhe.ml.classifiers import Classifier
from fhe.ml.labelled import labelled


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

    theta_: Any
    var_: Any
    class_prior_: Any

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn from plain rows, by scikit-learn; or means and variances of encrypted ones with plain labels.

        That takes two levels. What was learnt then scores nothing, because scores divide by variances, until its owner
        has it `decrypted`: the model that scikit-learn learns from the same rows.

        >>> import fhe
        >>> owner = fhe.ckks(depth=2, ring_degree=64, insecure="a small ring for this example")
        >>> hidden = GaussianNB().fit(owner.encrypt([[-2.0], [-1.0], [1.0], [3.0]], bound=4), [0, 0, 1, 1])
        >>> hidden.decrypted(owner).theta_.round(3).tolist(), hidden.decrypted(owner).predict([[-1.5]]).tolist()
        ([[-1.5], [2.0]], [0])
        """
        if not isinstance(X, EncryptedArray):
            return self._taught(X, y, sample_weight)
        if sample_weight is not None:
            raise EncodingError("encrypted rows are learnt from with one weight; leave sample_weight out")
        X, y = labelled(self, X, y)
        self.classes_, member, sizes = np.unique(y, return_inverse=True, return_counts=True)
        self.class_count_ = sizes.astype(np.float64)
        self.class_prior_ = self.class_count_ / len(y) if self.priors is None else np.asarray(self.priors)
        weights, squares = [(member == k) / n for k, n in enumerate(sizes)], X * X
        self.theta_ = [(X * weight[:, None]).sum(axis=0) for weight in weights]
        moments = [(squares * weight[:, None]).sum(axis=0) for weight in weights]
        self.var_ = [moment - mean * mean for moment, mean in zip(moments, self.theta_, strict=True)]
        return self

    def decrypted(self, owner: Any) -> Self:
        """The model with means and variances decrypted by the `KeyOwner`, smoothed as scikit-learn does."""
        check_is_fitted(self)
        clear = copy(self)
        clear.theta_ = np.stack([owner.decrypt(mean) for mean in self.theta_])
        variances = np.stack([owner.decrypt(variance) for variance in self.var_]).clip(0)
        weights = self.class_count_ / self.class_count_.sum()
        total = weights @ (variances + clear.theta_**2) - (weights @ clear.theta_) ** 2
        clear.epsilon_ = self.var_smoothing * float(np.max(total))
        clear.var_ = variances + clear.epsilon_
        return clear

    def _taught(self, X: Any, y: Any, sample_weight: Any) -> Self:
        super().fit(X, y, sample_weight)
        return self

    def value_bound(self, feature_bound: float) -> float:
        """A public bound on all values that scoring meets when no |feature| exceeds ``feature_bound``."""
        padded = 1 << (self._features() - 1).bit_length()
        square, linear, constant = (float(np.max(np.abs(part))) for part in self._polynomial())
        return padded * (square * feature_bound**2 + linear * feature_bound) + constant

    def predict_joint_log_proba(self, X: Any) -> Any:
        """The scores log P(k) + log P(x | k) of all classes, ``(n, classes)``."""
        if isinstance(getattr(self, "var_", None), list):
            raise EncodingError("scores divide by variances, which are encrypted; use decrypted(owner) first")
        if not hidden(X):
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
