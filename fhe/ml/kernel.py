"""Support vectors with a polynomial kernel: a power of scalar products."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn import svm
from sklearn.utils.validation import check_is_fitted

from fhe.arrays.array import EncryptedArray
from fhe.circuits.power import depth_of_power
from fhe.errors import EncodingError
from fhe.ml.base import WEIGHING, Model, affine
from fhe.ml.classifiers import Classifier


class SVC(Classifier, Model, svm.SVC):  # type: ignore[misc]
    """sum_i a_i (gamma x . s_i + r)^d + b over support vectors s_i: `sklearn.svm.SVC`, encrypted rows of two classes.

    Encrypted rows need ``kernel="poly"`` or ``"linear"``: 2 + ceil(log2 d) levels, and a scalar product and a power for
    each support vector, so that few of them (a small C or ``max_iter``) are fast. Use ``encrypt(batch=0)``.

    >>> import fhe
    >>> X, y = [[-1.0], [-0.5], [0.5], [1.0]], [1, 0, 0, 1]
    >>> model = SVC(kernel="poly", degree=2).fit(X, y)
    >>> owner = fhe.ckks(model.depth(), ring_degree=64, insecure="a small ring for this example")
    >>> model.decide(owner.decrypt(model.decision_function(owner.encrypt(X, bound=1)))).tolist()
    [1, 0, 0, 1]
    """

    def depth(self) -> int:
        """The levels that scoring takes: what to give `fhe.ckks`."""
        return 2 * WEIGHING + depth_of_power(self.degree if self.kernel == "poly" else 1)

    def decision_function(self, X: Any) -> Any:
        """The scores: for encrypted rows of two classes an encrypted vector."""
        if not isinstance(X, EncryptedArray):
            return super().decision_function(X)
        check_is_fitted(self)
        if self.kernel not in ("poly", "linear") or len(self.classes_) > 2:
            raise EncodingError(
                f"encrypted rows need two classes and kernel='poly' or 'linear', this model has {len(self.classes_)} "
                f"and {self.kernel!r}; use OneVsRestClassifier's estimators one by one, or another model"
            )
        X = self._rows(X, self.depth(), products=self.kernel == "poly")
        vectors, weights = (part.toarray() if hasattr(part, "toarray") else part for part in self._learnt())
        if self.kernel == "linear":
            return affine(X, weights[0] @ vectors, self.intercept_[0])
        powers = affine(X, self._gamma * vectors, np.full(len(vectors), self.coef0)) ** self.degree
        return powers @ weights[0] + self.intercept_[0]

    def predict(self, X: Any) -> Any:
        """The classes of plain rows. What encrypted rows have are scores: decrypt them, and pass them to `decide`."""
        return self._decided(X, "decision_function") if isinstance(X, EncryptedArray) else super().predict(X)

    def _learnt(self) -> tuple[Any, Any]:
        return self.support_vectors_, self.dual_coef_
