"""What stands before a model in a pipeline: features brought to one scale, or to few dimensions."""

from __future__ import annotations

from copy import copy
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn import decomposition, preprocessing
from sklearn.utils.validation import check_is_fitted

from fhe.arrays.array import EncryptedArray
from fhe.arrays.functions import assume, require
from fhe.errors import EncodingError
from fhe.ml.base import WEIGHING, Model, affine, hidden
from fhe.ml.labelled import beside

POWER = 3  # levels of a power iteration: rows with a direction, a mask with 1 / n, and rows with that


class StandardScaler(Model, preprocessing.StandardScaler):  # type: ignore[misc]
    """(X - mean) / deviation, feature by feature: `sklearn.preprocessing.StandardScaler`.

    >>> import fhe
    >>> scaler = StandardScaler().fit([[0.0], [4.0]])
    >>> owner = fhe.ckks(depth=1, ring_degree=64, insecure="a small ring for this example")
    >>> owner.decrypt(scaler.transform(owner.encrypt([[3.0]]))).round(3).tolist()
    [[0.5]]
    """

    def rotations(self, n_features: int | None = None) -> list[int]:
        """None: nothing moves."""
        return []

    def transform(self, X: Any, copy: bool | None = None) -> Any:
        """For encrypted rows at the cost of one level."""
        if not hidden(X):
            return super().transform(X, copy)
        X = self._rows(X, WEIGHING if self.with_std else 0)
        X = X - self.mean_ if self.with_mean else X
        return X / self.scale_ if self.with_std else X


class PCA(Model, decomposition.PCA):  # type: ignore[misc]
    """(X - mean) @ components.T, the directions of most variance: `sklearn.decomposition.PCA`.

    >>> import fhe
    >>> pca = PCA(n_components=1).fit([[0.0, 0.0], [2.0, 2.0], [4.0, 4.0]])
    >>> owner = fhe.ckks(depth=1, ring_degree=64, insecure="a small ring for this example")
    >>> abs(owner.decrypt(pca.transform(owner.encrypt([[2.0, 2.0], [3.0, 3.0]])))).round(3).tolist()
    [[0.0], [1.414]]
    """

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn from plain rows, by scikit-learn; from encrypted ones by power iteration, ``iterated_power`` times.

        v = C v / features, C the covariance of the rows, from public normal v, one for each of ``n_components``, whole
        numbers both: three levels a time. What was learnt are encrypted directions, neither orthogonal nor of length
        one, until their owner has them `decrypted`. Rows are to be standardised, and encrypted without batch=: that no
        entry of C exceeds 1 is the caller's promise (`fhe.assume`).

        >>> import fhe
        >>> X = np.array([[-2.0, -2.1], [-1.0, -0.9], [1.0, 1.1], [2.0, 1.9]])
        >>> owner = fhe.ckks(depth=6, ring_degree=64, insecure="a small ring for this example")
        >>> hidden = PCA(n_components=1, iterated_power=2, random_state=0).fit(owner.encrypt(X, bound=4))
        >>> abs(hidden.decrypted(owner).components_).round(1).tolist()
        [[0.7, 0.7]]
        """
        if not isinstance(X, EncryptedArray):
            return self._taught(X)
        k, times = self.n_components, self.iterated_power
        if not (isinstance(k, int) and isinstance(times, int) and 0 < k <= X.shape[-1] and times > 0):
            raise ValueError(f"encrypted rows take whole n_components and iterated_power, got {k!r} and {times!r}")
        if X.ndim != 2 or (X.layout.strides[1] != 1 and X.shape[1] > 1):
            raise EncodingError(
                f"expected encrypted rows side by side, got shape {X.shape}; encrypt them without batch="
            )
        require(X, levels=POWER * times, products=True, what=f"{times} iterations of this PCA")
        self.n_features_in_ = X.shape[1]
        self.mean_ = X.sum(axis=0) * (1 / len(X))
        start = np.random.default_rng(self.random_state).normal(size=(k, X.shape[1]))
        self.directions_ = [self._iterated(X, v, times) for v in start]
        return self

    def _iterated(self, X: EncryptedArray, v: Any, times: int) -> Any:
        n, features = X.shape
        largest, share = float(np.max(np.abs(v))), 1 / (n * features)
        weight, mean = np.full((n, 1), share), X.sum(axis=0) * share
        for _ in range(times):
            along = beside((X * v).sum(axis=1, keepdims=True) * weight, X.layout)
            v = assume((X * along).sum(axis=0) - mean * (self.mean_ * v).sum(), largest)
        return v

    def decrypted(self, owner: Any) -> Self:
        """The model with its mean and directions decrypted by the `KeyOwner`, made orthogonal and of length one."""
        check_is_fitted(self)
        clear = copy(self)
        clear.mean_ = owner.decrypt(self.mean_)
        directions = np.column_stack([owner.decrypt(v) for v in self.directions_])
        clear.components_ = np.linalg.qr(directions / np.linalg.norm(directions, axis=0))[0].T
        clear.n_components_ = len(clear.components_)
        return clear

    def _taught(self, X: Any) -> Self:
        super().fit(X)
        return self

    def transform(self, X: Any) -> Any:
        """For encrypted rows at the cost of one level."""
        if isinstance(getattr(self, "mean_", None), EncryptedArray):
            raise EncodingError("directions have no length yet, they are encrypted; use decrypted(owner) first")
        if not hidden(X):
            return super().transform(X)
        X = self._rows(X, WEIGHING)
        W: NDArray[np.float64] = self.components_
        if self.whiten:
            W = W / np.sqrt(self.explained_variance_)[:, None]
        return affine(X, W, -W @ self.mean_)
