"""Support vectors with polynomial kernels and Gaussians: scores of two classes, and of every pair of more."""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn import svm
from sklearn.utils.validation import check_is_fitted

from fhe.arrays.approximate import ApproximateFunction, approximate
from fhe.arrays.array import EncryptedArray
from fhe.arrays.elementary import bound_of
from fhe.arrays.functions import apply
from fhe.circuits.power import depth_of_power
from fhe.errors import EncodingError
from fhe.ml.base import WEIGHING, Model, affine
from fhe.ml.classifiers import Classifier

SCORE_ERROR = 0.01  # of a score, by what stands in for the Gaussian


class SVC(Classifier, Model, svm.SVC):  # type: ignore[misc]
    """sum_i a_i K(x, s_i) + b over support vectors s_i: `sklearn.svm.SVC`, for encrypted rows (CKKS).

    ``kernel="poly"`` and ``"linear"`` are exact but for noise: (gamma x . s + r)^d takes 2 + ceil(log2 d) levels. For
    ``"rbf"``, exp(-gamma |x - s|^2) is a polynomial on what the public bound of the rows leaves for |x - s|^2, so good
    that no score is off by more than 0.01: the narrower the bound, the fewer levels; see `depth`. Two classes have one
    score; more have one for each pair of them, `pair_scores`, and `decide` counts votes as scikit-learn does.

    Many rows, with ``encrypt(batch=0)``, take a power or polynomial for each support vector, all rows at once; one row,
    ``encrypt(x[None])``, only one for all of them.

    >>> import fhe
    >>> X, y = [[-1.0], [-0.5], [0.5], [1.0]], [1, 0, 0, 1]
    >>> model = SVC(kernel="poly", degree=2).fit(X, y)
    >>> owner = fhe.ckks(model.depth(), ring_degree=64, insecure="a small ring for this example")
    >>> model.decide(owner.decrypt(model.decision_function(owner.encrypt(X, bound=1)))).tolist()
    [1, 0, 0, 1]
    >>> model = SVC(kernel="rbf").fit(X, ["a", "b", "b", "c"])
    >>> owner = fhe.ckks(model.depth(bound=1), ring_degree=64, insecure="a small ring for this example")
    >>> model.decide(owner.decrypt(model.pair_scores(owner.encrypt([[0.5]], bound=1)))).tolist()
    ['b']
    """

    def depth(self, bound: float | None = None) -> int:
        """The levels that scoring takes: what to give `fhe.ckks`; for Gaussians of rows of a public ``bound``."""
        if self.kernel != "rbf":
            return 2 * WEIGHING + depth_of_power(self.degree if self.kernel == "poly" else 1)
        if bound is None:
            raise ValueError("what a Gaussian takes depends on the public bound of the rows: give bound=")
        check_is_fitted(self)
        return 2 * WEIGHING + self.gaussian(bound).depth

    def gaussian(self, bound: float) -> ApproximateFunction:
        """What stands in for exp(-gamma u) where u = |x - s|^2, of rows of a public bound.

        >>> model = SVC().fit([[0.0], [1.0]], [0, 1])
        >>> print(model.gaussian(bound=1.0))
        degree 8 on [0, 4], error at most 0.0025, 5 levels
        """
        vectors, weights = self._learnt()
        distance = float(np.max(np.sum((np.abs(vectors) + bound) ** 2, axis=1)))
        most = float(np.max(np.sum(np.abs(_of_pairs(weights, self.n_support_)), axis=1)))
        return _gaussian(float(self._gamma), distance, SCORE_ERROR / max(most, 1.0))

    def rotations(self, n_features: int | None = None) -> list[int]:
        """The rotation steps for one row by itself, powers of two both ways; none for ``encrypt(batch=0)``."""
        most = max(self._features() if n_features is None else n_features, len(getattr(self, "support_", [])), 2)
        powers = [1 << k for k in range((most - 1).bit_length())]
        return [*powers, *(-power for power in powers)]

    def decision_function(self, X: Any) -> Any:
        """The scores: for encrypted rows of two classes an encrypted vector."""
        if not isinstance(X, EncryptedArray):
            return super().decision_function(X)
        check_is_fitted(self)
        if len(self.classes_) > 2:
            raise EncodingError(
                f"encrypted rows of {len(self.classes_)} classes have scores of pairs; decrypt pair_scores(X) and "
                "pass it to decide"
            )
        return self.pair_scores(X)

    def pair_scores(self, X: Any) -> Any:
        """The score of every pair of classes, ``(samples, pairs)``, positive for the first; of two ``(samples,)``."""
        check_is_fitted(self)
        if not isinstance(X, EncryptedArray):
            return self._decision_function(X)
        if self.kernel not in ("poly", "linear", "rbf"):
            raise EncodingError(f"encrypted rows need kernel='poly', 'linear' or 'rbf', not {self.kernel!r}")
        depth = self.depth(bound_of(X)) if self.kernel == "rbf" else self.depth()
        X = self._rows(X, depth, products=self.kernel != "linear")
        vectors, weights = self._learnt()
        weights = _of_pairs(weights, self.n_support_)
        if self.kernel == "linear":
            vectors, weights = weights @ vectors, np.eye(len(weights))
        if len(X) == 1 and X.layout.strides[1] % X.layout.slots:
            scores = (weights @ self._kernels(X[0], lambda W, z: W @ z, vectors) + self.intercept_)[None]
        else:
            scores = affine(self._kernels(X, _columns, vectors), weights, self.intercept_)
        return scores[:, 0] if len(weights) == 1 else scores

    def _kernels(self, X: Any, times: Any, vectors: NDArray[np.float64]) -> Any:
        """K(x, s_i) for every support vector; ``times(W, X)`` are scalar products with rows of W."""
        if self.kernel == "linear":
            return times(vectors, X)
        if self.kernel == "poly":
            return (times(self._gamma * vectors, X) + self.coef0) ** self.degree
        squares = (X * X).sum(axis=-1, keepdims=True)
        distances = times(-2 * vectors, X) + squares + np.sum(vectors**2, axis=1)
        gaussian = self.gaussian(bound_of(X))
        return apply(gaussian, distances, f"exp(-gamma |x - s|^2) by {gaussian.what}")

    def decide(self, scores: ArrayLike) -> NDArray[Any]:
        """The classes of decrypted scores: of two by their sign, of more by votes of all pairs, the first of equals."""
        check_is_fitted(self)
        scores, n = np.asarray(scores), len(self.classes_)
        if n == 2:
            return super().decide(scores)
        pairs = list(combinations(range(n), 2))
        if scores.ndim != 2 or scores.shape[1] != len(pairs):
            raise EncodingError(
                f"{n} classes have {len(pairs)} pairs, the scores shape {scores.shape}; decrypt pair_scores(X)"
            )
        votes = np.zeros((len(scores), n), dtype=np.int64)
        for score, (first, second) in zip(scores.T, pairs, strict=True):
            votes[:, first] += score > 0
            votes[:, second] += score <= 0
        return np.asarray(self.classes_[votes.argmax(axis=1)])

    def predict(self, X: Any) -> Any:
        """The classes of plain rows. What encrypted rows have are scores: decrypt them, and pass them to `decide`."""
        return self._decided(X, "pair_scores") if isinstance(X, EncryptedArray) else super().predict(X)

    def _learnt(self) -> tuple[Any, Any]:
        vectors, weights = self.support_vectors_, self.dual_coef_
        return tuple(part.toarray() if hasattr(part, "toarray") else part for part in (vectors, weights))


@lru_cache(maxsize=32)
def _gaussian(gamma: float, distance: float, error: float) -> ApproximateFunction:
    return approximate(lambda u: np.exp(-gamma * u), (0.0, distance), error=error)


def _of_pairs(weights: NDArray[np.float64], support: NDArray[np.int32]) -> NDArray[np.float64]:
    """The weight of every support vector in the score of each pair of classes, (i, j).

    libsvm keeps them, for the vectors of i, in row j - 1, and for those of j in row i.
    """
    ends = np.cumsum(support)
    slices = [slice(end - count, end) for end, count in zip(ends, support, strict=True)]
    found = []
    for i, j in combinations(range(len(support)), 2):
        row = np.zeros(weights.shape[1])
        row[slices[i]], row[slices[j]] = weights[j - 1, slices[i]], weights[i, slices[j]]
        found.append(row)
    return np.array(found)


def _columns(W: NDArray[np.float64], X: Any) -> Any:
    """A column of scalar products for each row of W."""
    return affine(X, W, np.zeros(len(W)))
