"""Clusters: rows to the nearest of few centres, and centres learnt from encrypted rows with their owner's help."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from functools import lru_cache, reduce
from operator import mul
from typing import Any, Self

import numpy as np
from numpy.polynomial import Chebyshev
from numpy.typing import ArrayLike, NDArray
from sklearn import cluster
from sklearn.utils.validation import check_is_fitted

from fhe.arrays.array import EncryptedArray
from fhe.arrays.functions import apply, assume, depth_of_stages, require
from fhe.circuits.approximation import best, sigmoid
from fhe.errors import EncodingError
from fhe.ml.base import WEIGHING, Model, affine
from fhe.ml.labelled import beside
from fhe.progress import progress as shown

STIFFNESS = 8.0  # the sigmoid's argument where scores of two centres are score_bound apart
SMALLEST = 1e-9  # size of a cluster that nobody belongs to
Vectors = list[Any]
Refresh = Callable[[Vectors, Vectors], Vectors]


class KMeans(Model, cluster.KMeans):  # type: ignore[misc]
    """The nearest centre, the largest of 2 c_k . x - |c_k|^2: `sklearn.cluster.KMeans`, which learns from plain rows.

    From encrypted ones, ``fit(X, refresh=…)`` learns softly: row x belongs to centre j as far as the product over the
    others of h(s_j - s_k) says, s the scores and h the best polynomial for a sigmoid on (-score_bound, score_bound).
    ``init`` are public centres to begin with, ``max_iter`` says how often. Sums of rows and of shares are encrypted;
    dividing one by the other is what ``refresh`` asks the key's owner for, who sees centres and sizes on the way, and
    whoever computes sees nothing. `depth` levels each time. The last sums become centres when `decrypted`.

    score_bound
        What the scores of no two centres are further apart than: the caller's promise (`fhe.assume`).

    >>> import fhe
    >>> X = np.array([[-2.0, 0.1], [-1.5, 0.0], [1.5, 0.2], [2.0, 0.1]])
    >>> model = KMeans(2, init=np.array([[-1.0, 0.0], [1.0, 0.0]]), max_iter=2, score_bound=16)
    >>> owner = fhe.ckks(depth=model.depth(), ring_degree=64, insecure="a small ring for this example")
    >>> learnt = model.fit(owner.encrypt(X, bound=2), refresh=model.refreshed_by(owner)).decrypted(owner)
    >>> learnt.predict(X).tolist()
    [0, 0, 1, 1]
    """

    sums_: Vectors
    sizes_: Vectors

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: Any = "k-means++",
        n_init: Any = "auto",
        max_iter: int = 300,
        tol: float = 1e-4,
        verbose: int = 0,
        random_state: Any = None,
        copy_x: bool = True,
        algorithm: str = "lloyd",
        score_bound: float = 64.0,
        sigmoid_degree: int = 7,
    ) -> None:
        super().__init__(
            n_clusters=n_clusters,
            init=init,
            n_init=n_init,
            max_iter=max_iter,
            tol=tol,
            verbose=verbose,
            random_state=random_state,
            copy_x=copy_x,
            algorithm=algorithm,
        )
        self.score_bound = score_bound
        self.sigmoid_degree = sigmoid_degree

    def depth(self) -> int:
        """The levels of one iteration on encrypted rows: what to give `fhe.ckks`.

        >>> KMeans(2).depth(), KMeans(4).depth()
        (6, 8)
        """
        polynomial = depth_of_stages([_soft(self.sigmoid_degree)])
        return 2 * WEIGHING + polynomial + int(self.n_clusters - 2).bit_length() + WEIGHING

    def scores(self, X: Any) -> Any:
        """2 X @ C.T - |C|^2, ``(n, clusters)``: of encrypted rows encrypted, one level; decrypted, for `decide`."""
        check_is_fitted(self)
        C = self._centres()
        return affine(self._rows(X, WEIGHING), 2 * C, -np.sum(C * C, axis=1))

    def decide(self, scores: ArrayLike) -> NDArray[Any]:
        """The nearest centre of each row, by decrypted scores."""
        nearest: NDArray[Any] = np.asarray(scores).argmax(axis=-1)
        return nearest

    def predict(self, X: Any) -> Any:
        """The nearest centres of plain rows. What encrypted rows have are `scores`: decrypt them for `decide`."""
        if isinstance(X, EncryptedArray):
            raise EncodingError(
                "predict would have to see which centre is nearest; decrypt scores(X) and pass it to decide"
            )
        self._centres()
        return super().predict(X)

    def fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        refresh: Refresh | None = None,
        progress: bool = False,
    ) -> Self:
        """Centres of plain rows, by scikit-learn; of encrypted ones softly, with the help of their owner."""
        if not isinstance(X, EncryptedArray):
            super().fit(X, y, sample_weight)
            return self
        C = self._begun(X, refresh)
        require(X, levels=self.depth(), products=True, what="an iteration of this KMeans")
        self.n_features_in_ = X.shape[1]
        for iteration in shown(range(self.max_iter), "iterations", progress):
            if iteration:
                C = refresh(self.sums_, self.sizes_)  # type: ignore[misc]
            shares = self._shares(X, C)
            self.sums_ = [(X * beside(share, X.layout)).sum(axis=0) for share in shares]
            self.sizes_ = [share.sum(axis=0) for share in shares]
        return self

    def refreshed_by(self, owner: Any) -> Refresh:
        """A ``refresh=`` where the owner of the key is at hand."""

        def refresh(sums: Vectors, sizes: Vectors) -> Vectors:
            C = _divided(owner, sums, sizes)
            return [owner.encrypt(c, bound=max(float(np.max(np.abs(C))), 2.0**-10)) for c in C]

        return refresh

    def decrypted(self, owner: Any) -> Self:
        """The model with centres: sums, decrypted by the `KeyOwner`, over sizes."""
        clear = copy(self)
        clear.cluster_centers_ = np.ascontiguousarray(_divided(owner, self.sums_, self.sizes_))
        clear._n_threads = 1
        return clear

    def _centres(self) -> NDArray[np.float64]:
        if not hasattr(self, "cluster_centers_") and hasattr(self, "sums_"):
            raise EncodingError("the centres are encrypted sums yet; use decrypted(owner) first")
        check_is_fitted(self)
        C: NDArray[np.float64] = self.cluster_centers_
        return C

    def _begun(self, X: EncryptedArray, refresh: Refresh | None) -> Vectors:
        C = np.asarray(self.init) if not isinstance(self.init, str) and not callable(self.init) else np.empty(0)
        if C.shape != (self.n_clusters, X.shape[-1]) or X.ndim != 2 or self.n_clusters < 2:
            raise EncodingError(
                f"encrypted rows begin with public centres, two or more: init of shape ({self.n_clusters}, "
                f"{X.shape[-1]}), got {self.init!r}"
            )
        if refresh is None and self.max_iter > 1:
            raise EncodingError("centres are sums over sizes, and the owner of the key divides: pass refresh=")
        if X.layout.strides[1] != 1 and X.shape[1] > 1:
            raise EncodingError("learning takes rows side by side: encrypt(X), without batch=")
        return list(C)

    def _shares(self, X: EncryptedArray, C: Vectors) -> Vectors:
        """How far each row belongs to each centre, one column each."""
        k, over = self.n_clusters, np.full((len(X), 1), 1 / self.score_bound)
        soft = _soft(self.sigmoid_degree)
        h: dict[tuple[int, int], Any] = {}
        for i in range(k):
            for j in range(i):
                apart = ((X + X - (C[i] + C[j])) * (C[i] - C[j])).sum(axis=1, keepdims=True)  # s_i - s_j
                h[i, j] = apply([soft], assume(apart * over, 1.0))
                h[j, i] = 1 - h[i, j]
        return [_product([h[i, j] for j in range(k) if j != i]) for i in range(k)]


def _product(factors: Vectors) -> Any:
    """By halves, so that it is no deeper than it must be."""
    while len(factors) > 2:
        pairs = [mul(*factors[i : i + 2]) for i in range(0, len(factors) - 1, 2)]
        factors = pairs + factors[2 * len(pairs) :]
    return reduce(mul, factors)


def _divided(owner: Any, sums: Vectors, sizes: Vectors) -> NDArray[np.float64]:
    shares = [max(float(owner.decrypt(size)[0]), SMALLEST) for size in sizes]
    centres: NDArray[np.float64] = np.stack([owner.decrypt(total) for total in sums]) / np.array(shares)[:, None]
    return centres


@lru_cache(maxsize=16)
def _soft(degree: int) -> Chebyshev:
    """A sigmoid of scores over their bound."""
    return best(lambda t: sigmoid(STIFFNESS * t), degree, -1.0, 1.0).stages[0]
