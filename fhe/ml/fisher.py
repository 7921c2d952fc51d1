"""Fisher's discriminant: by scikit-learn from plain rows, by gradient steps without a division from encrypted ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn import discriminant_analysis
from sklearn.base import clone
from sklearn.utils.validation import validate_data

from fhe.ml.base import ENCRYPTED
from fhe.ml.classifiers import LinearClassifier
from fhe.ml.compiled import exactly_compiled
from fhe.ml.labelled import integers, labelled, magnitude, within
from fhe.programs.choice import Demand
from fhe.programs.spec import Spec


class FisherDiscriminant(LinearClassifier, discriminant_analysis.LinearDiscriminantAnalysis):  # type: ignore[misc]
    """Means of classes, apart by the scatter they share: `sklearn.discriminant_analysis.LinearDiscriminantAnalysis`.

    With ``gradient_steps=r`` two classes are learnt in integers, from plain or encrypted rows alike and equal: with
    D the least common multiple of the sizes n_k, s_k the classes' sums, d = D (m_1 - m_0), C = D S_W, S_W the scatter
    within classes and h = D n curvature, the steps w_(j+1) = w_j + (d - C w_j) / h towards C w = d, from w_1 = d / h,
    have their divisions collected in front:

        W_1 = d,    W_(j+1) = h W_j + h^j d - C W_j,    C v = D X.T (X v) - sum_k D / n_k s_k (s_k . v)

    The score is 2 D W_r . x - W_r . D (m_0 + m_1): positive beyond the middle of the means. Labels are plain.

    gradient_steps
        r; the first gives nearest means. Each other one takes four levels (`depth`).
    curvature
        A whole number, near the largest eigenvalue of the scatter of a row, S_W / n. Too large is slow, and less than
        half of it goes astray; exactness does not depend on it.

    (Graepel, Lauter, Naehrig, "ML Confidential", ICISC 2012, ePrint 2012/323: least squares by few gradient steps.)

    >>> import fhe
    >>> X, y = [[0, 1], [1, 0], [2, 3], [3, 2]], [0, 0, 1, 1]
    >>> model = FisherDiscriminant(gradient_steps=2, curvature=1)
    >>> owner = fhe.bfv(depth=model.depth(), value_bits=40, ring_degree=64, insecure="a small ring for this example")
    >>> model = model.fit(owner.encrypt(X, bound=(0, 3)), y)
    >>> scores = owner.decrypt(model.decision_function(owner.encrypt([[1, 1], [3, 3]], bound=(0, 3))))
    >>> model.decide(scores).tolist()
    [0, 1]
    """

    def __init__(
        self,
        solver: str = "svd",
        *,
        shrinkage: Any = None,
        priors: Any = None,
        n_components: int | None = None,
        store_covariance: bool = False,
        tol: float = 1e-4,
        covariance_estimator: Any = None,
        gradient_steps: int | None = None,
        curvature: int = 1,
    ) -> None:
        super().__init__(
            solver=solver,
            shrinkage=shrinkage,
            priors=priors,
            n_components=n_components,
            store_covariance=store_covariance,
            tol=tol,
            covariance_estimator=covariance_estimator,
        )
        self.gradient_steps = gradient_steps
        self.curvature = curvature

    def depth(self) -> int:
        """The levels that learning by gradient steps takes, and scoring with what was learnt: what to give `fhe.bfv`.

        >>> [FisherDiscriminant(gradient_steps=r).depth() for r in (1, 2, 3)]
        [3, 7, 11]
        """
        return 4 * (self.gradient_steps or 1) - 1

    def fit(self, X: Any, y: Any) -> Self:
        """Learn from plain rows; by gradient steps from encrypted ones as well, with plain labels."""
        if self.gradient_steps is None and not isinstance(X, ENCRYPTED):
            return self._exact(*validate_data(self, X, y))
        if not (isinstance(self.gradient_steps, int) and self.gradient_steps > 0 and self.curvature >= 1):
            raise ValueError(
                f"encrypted rows are learnt from by gradient_steps=r and a whole curvature, both positive; got "
                f"{self.gradient_steps!r} and {self.curvature!r}"
            )
        X, y = labelled(self, X, y)
        self.classes_, member, sizes = np.unique(y, return_inverse=True, return_counts=True)
        if len(sizes) != 2:
            raise ValueError(f"gradient steps learn two classes apart, the labels have {len(sizes)}; one against rest")
        self._descend(integers(X), member, [int(n) for n in sizes])
        return self

    def _exact(self, X: Any, y: Any) -> Self:
        super().fit(X, y)
        return self

    def transform(self, X: Any) -> Any:
        """Plain rows along the directions that tell classes apart; not by gradient steps, which find no others."""
        if self.gradient_steps is not None:
            raise ValueError("gradient steps learn scores and no directions; use decision_function(X)")
        return super().transform(X)

    def compile(
        self, X: Spec, labels: Any = None, *, n_iter: int | None = None, training: bool = True, **claims: Any
    ) -> Any:
        """The smallest secure parameters for gradient steps on integer rows with these labels, and just their keys.

        ``claims`` are security, quantum, ring_degree and insecure, as `fhe.bfv` takes them.

        >>> import fhe
        >>> rows, ring = fhe.spec((100, 4), dtype=int, bound=7), {"ring_degree": 1024, "insecure": "a small ring"}
        >>> training = FisherDiscriminant(curvature=20).compile(rows, [0, 1] * 50, n_iter=2, **ring)
        >>> training.parameters.max_level >= 4, len(training.keys)
        (True, 18)
        """
        if not training:
            return super().compile(X, **claims)
        model = clone(self).set_params(gradient_steps=n_iter or self.gradient_steps or 1)
        sizes = np.unique(labels, return_counts=True)[1].tolist()
        bits = model.value_bits(sizes, X.shape[1], int(X.bound))
        return exactly_compiled(model, X, labels, bits, Demand(**claims))

    def value_bits(self, sizes: Sequence[int], n_features: int, bound: int) -> int:
        """The bits of the largest score, where no |feature| exceeds ``bound``: what to give `fhe.bfv`.

        ``sizes`` are those of the classes. Half a bit more than it is proven to be goes for sums over padded slots.

        >>> FisherDiscriminant(gradient_steps=3, curvature=20).value_bits([212, 357], n_features=30, bound=7)
        118
        """
        D, largest = math.lcm(*sizes), self._bounds(sizes, n_features, bound)[-1]
        padded = 1 << (n_features - 1).bit_length()
        return (2 * D * bound * largest * 2 * padded).bit_length()

    def _bounds(self, sizes: Sequence[int], features: int, bound: int) -> list[int]:
        """What no entry of W_1, W_2, … exceeds: |C v| <= D sum(sizes) bound^2 features |v|, entry by entry."""
        D, n = math.lcm(*sizes), sum(sizes)
        h, found = D * n * int(self.curvature), [2 * D * bound]
        for step in range(1, self.gradient_steps or 1):
            found.append(found[-1] * (h + D * n * bound**2 * features) + found[0] * h**step)
        return found

    def _descend(self, X: Any, member: Any, sizes: list[int]) -> None:
        """The steps; everything is an integer."""
        D, steps, largest = math.lcm(*sizes), self.gradient_steps or 1, magnitude(X)
        h = D * sum(sizes) * int(self.curvature)
        bounds = self._bounds(sizes, X.shape[1], largest)
        sums = [within((member == k).astype(np.int64) @ X, n * largest) for k, n in enumerate(sizes)]
        first, second = (total * (D // n) for total, n in zip(sums, sizes, strict=True))
        W = d = second - first
        for step in range(1, steps):
            change = ((X @ W) * np.full(len(X), D)) @ X  # one plain factor for D, and to be zero in the padding
            for total, scaled in zip(sums, (first, second), strict=True):
                change = change - scaled * (total @ W)
            W = within(W * h + d * h**step - change, bounds[step])
        self.coef_, self.intercept_ = np.stack([W * (2 * D)]), np.stack([-(W @ (first + second))])
