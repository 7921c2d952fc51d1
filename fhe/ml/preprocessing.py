"""What stands before a model in a pipeline: features brought to one scale, or to few dimensions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import decomposition, preprocessing

from fhe.arrays.array import EncryptedArray
from fhe.ml.base import WEIGHING, Model, affine


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
        if not isinstance(X, EncryptedArray):
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

    def transform(self, X: Any) -> Any:
        """For encrypted rows at the cost of one level."""
        if not isinstance(X, EncryptedArray):
            return super().transform(X)
        X = self._rows(X, WEIGHING)
        W: NDArray[np.float64] = self.components_
        if self.whiten:
            W = W / np.sqrt(self.explained_variance_)[:, None]
        return affine(X, W, -W @ self.mean_)
