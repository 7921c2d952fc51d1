"""Decision trees on encrypted integers: every comparison is exact, and so is the class."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from sklearn import tree
from sklearn.utils.validation import check_is_fitted

from fhe.arrays import comparison
from fhe.arrays.array import EncryptedArray
from fhe.arrays.bits import EncryptedBits
from fhe.arrays.exact import interval_of
from fhe.circuits.bits import depth_of_bits
from fhe.circuits.differences import plan_greater
from fhe.errors import EncodingError, LevelError
from fhe.interval import Interval
from fhe.ml.base import Model

LEAF = -1


class DecisionTreeClassifier(Model, tree.DecisionTreeClassifier):  # type: ignore[misc]
    """Questions x_j > c, one after the other: `sklearn.tree.DecisionTreeClassifier`, for encrypted integers (BFV) too.

    Rows are integers, such as features in steps of a fixed size, and so are classes. Encrypt rows with ``batch=0`` and
    a narrow ``bound=(low, high)``: questions are then polynomials of x_j - c, each for all samples at once. Or use
    `encrypt_bits`, for wide integers. All questions are asked, and answers chosen from the leaves up, so that nothing
    shows which way a sample goes. In CKKS comparisons are up to a margin: not offered.

    >>> import fhe
    >>> X, y = np.array([[0, 5], [1, 1], [3, 2], [3, 6]]), [0, 0, 1, 2]
    >>> model = DecisionTreeClassifier(random_state=0).fit(X, y)
    >>> owner = fhe.bfv(model.depth((0, 7)), plain_modulus=257, ring_degree=64, insecure="for this example")
    >>> owner.decrypt(model.predict(owner.encrypt(X, bound=(0, 7), batch=0))).tolist()
    [0, 0, 1, 2]
    """

    def rotations(self, n_features: int | None = None) -> list[int]:
        """None: nothing moves."""
        return []

    def depth(self, bound: tuple[int, int] | None = None, *, bits: int | None = None) -> int:
        """Products in a row that `predict` takes, for rows of ``bound=(low, high)`` or of ``bits``: for `fhe.bfv`."""
        check_is_fitted(self)
        if (bound is None) == (bits is None):
            raise ValueError("the depth depends on how rows are encrypted: give bound=(low, high) or bits=")
        if bits is not None:
            asked = depth_of_bits(bits)
        else:
            low, high = bound  # type: ignore[misc]
            asked = max((plan_greater(Interval(low - c, high - c)).depth for c in self._questions()), default=0)
        return asked + int(self.tree_.max_depth)

    def predict(self, X: Any, check_input: bool = True) -> Any:
        """The class of each row; for encrypted rows an encrypted vector of integers."""
        if not isinstance(X, EncryptedArray | EncryptedBits):
            return super().predict(X, check_input)
        check_is_fitted(self)
        self._check(X)
        columns: dict[int, Any] = {}
        answer = self._answer(X, 0, columns)
        if isinstance(answer, int):  # the tree asks nothing
            bit = X.bits[0] if isinstance(X, EncryptedBits) else X
            return bit[:, 0] * 0 + answer
        return answer

    def _answer(self, X: Any, node: int, columns: dict[int, Any]) -> Any:
        """The class that a node comes to: plain for a leaf, else chosen by its question."""
        found, feature = self.tree_, int(self.tree_.feature[node])
        if found.children_left[node] == LEAF:
            return int(self.classes_[np.argmax(found.value[node][0])])
        left, right = (
            self._answer(X, int(child[node]), columns) for child in (found.children_left, found.children_right)
        )
        if isinstance(left, int) and isinstance(right, int) and left == right:
            return left
        if feature not in columns:
            columns[feature] = _column(X, feature)
        return comparison.where(comparison.greater(columns[feature], math.floor(found.threshold[node])), right, left)

    def _questions(self) -> list[int]:
        inner = self.tree_.children_left != LEAF
        return [math.floor(c) for c in self.tree_.threshold[inner]]

    def _check(self, X: Any) -> None:
        shape, name = X.shape, type(self).__name__
        if len(shape) != 2:
            raise EncodingError(f"expected encrypted rows (two dimensions), got shape {shape}; encrypt x[None, :]")
        if shape[1] != self._features():
            raise EncodingError(
                f"X has {shape[1]} features, but {name} is expecting {self._features()} features as input"
            )
        if np.asarray(self.classes_).ndim != 1 or self.classes_.dtype.kind not in "iu":
            raise EncodingError(
                f"encrypted classes are integers, these are {self.classes_.dtype}; number them, and fit again"
            )
        if isinstance(X, EncryptedBits):
            first, depth = X.bits[0], self.depth(bits=X.width)
        elif X.dtype.kind in "iu":
            first, depth = X, self.depth(interval_of(X).ends)
        else:
            raise EncodingError(f"{name} asks questions about integers, got dtype {X.dtype}; round, and use fhe.bfv")
        if depth > first.products_left:
            raise LevelError(
                f"this {name} needs {depth} products in a row, {first.products_left} are left; use "
                f"fhe.bfv(depth={depth}) or more, or a tree of a smaller max_depth"
            )


def _column(X: Any, feature: int) -> Any:
    if isinstance(X, EncryptedBits):
        return EncryptedBits([bit[:, feature] for bit in X.bits], X.signed)
    return X[:, feature]
