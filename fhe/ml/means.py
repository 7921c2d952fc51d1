"""Nearest means: a linear classifier that learns from encrypted rows without a division."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import clone

from fhe.errors import EncodingError
from fhe.ml.base import ENCRYPTED
from fhe.ml.classifiers import LinearClassifier
from fhe.ml.compiled import exactly_compiled
from fhe.ml.labelled import integers, labelled, magnitude, within
from fhe.programs.choice import Demand
from fhe.programs.spec import Spec


class LinearMeansClassifier(LinearClassifier):
    """The class whose mean is nearest: the largest of 2 m_k . x - |m_k|^2, learnt from plain rows or encrypted ones.

    Labels are plain, so are the sizes n_k of the classes. Encrypted rows give encrypted weights: `decrypted`. Learning
    takes two levels, of which one is gone when weights meet rows.

    division_free
        Compute with D m_k, D the least common multiple of the n_k, instead of with the mean m_k: scores are D^2 times
        what they are, and exact for integers, encrypted (BFV) or not. Classes of one size keep D small.

    (Graepel, Lauter, Naehrig, "ML Confidential", ICISC 2012, section 3.)

    >>> import fhe
    >>> X, y = [[0, 1], [1, 0], [7, 9], [9, 7]], [0, 0, 1, 1]
    >>> model = LinearMeansClassifier(division_free=True)
    >>> owner = fhe.bfv(depth=2, value_bits=20, ring_degree=64, insecure="a small ring for this example")
    >>> model = model.fit(owner.encrypt(X, bound=(0, 9)), y)
    >>> scores = owner.decrypt(model.decision_function(owner.encrypt([[2, 3], [6, 6]], bound=(0, 9))))
    >>> scores.tolist(), model.decide(scores).tolist()
    ([-210, 210], [0, 1])
    """

    def __init__(self, *, division_free: bool = False) -> None:
        self.division_free = division_free

    def fit(self, X: Any, y: Any) -> Self:
        """Learn from plain or encrypted rows with plain labels."""
        if isinstance(X, ENCRYPTED) and X.dtype.kind in "iu" and not self.division_free:
            raise EncodingError("integers have no means; use LinearMeansClassifier(division_free=True)")
        X, y = labelled(self, X, y)
        X = integers(X) if self.division_free else X
        self.classes_, member, sizes = np.unique(y, return_inverse=True, return_counts=True)
        if len(sizes) < 2:
            raise ValueError(f"a classifier needs two classes to tell apart, the labels have {len(sizes)} class")
        D = math.lcm(*map(int, sizes)) if self.division_free else 1
        weights = [D // int(n) if self.division_free else 1 / n for n in sizes]
        means = [((member == k) * weight) @ X for k, weight in enumerate(weights)]
        if self.division_free and (isinstance(X, ENCRYPTED) or X.dtype == object):
            means = [within(mean, D * magnitude(X)) for mean in means]  # n_k values of D / n_k each
        coefs = [(mean + mean) * D if D > 1 else mean + mean for mean in means]
        squares = [mean @ mean for mean in means]
        if len(sizes) == 2:
            self.coef_, self.intercept_ = np.stack([coefs[1] - coefs[0]]), np.stack([squares[0] - squares[1]])
        else:
            self.coef_, self.intercept_ = np.stack(coefs), np.stack([-square for square in squares])
        return self

    def depth(self) -> int:
        """The levels that learning takes, and scoring with what was learnt.

        >>> LinearMeansClassifier().depth()
        2
        """
        return 2

    def value_bits(self, sizes: Sequence[int], n_features: int, bound: int) -> int:
        """The bits of the largest score without a division, where no |feature| exceeds ``bound``.

        ``sizes`` are those of the classes.

        >>> LinearMeansClassifier(division_free=True).value_bits([212, 357], n_features=30, bound=7)
        46
        """
        D, padded = math.lcm(*sizes), 1 << (n_features - 1).bit_length()
        return int(6 * D * D * bound * bound * padded).bit_length()

    def compile(self, X: Spec, labels: Any = None, *, training: bool = True, **claims: Any) -> Any:
        """The smallest secure parameters for learning from integer rows with these labels, and just their keys.

        ``claims`` are security, quantum, ring_degree and insecure, as `fhe.bfv` takes them.

        >>> import fhe
        >>> model = LinearMeansClassifier(division_free=True)
        >>> model.compile(fhe.spec((100, 4), dtype=int, bound=7), [0, 1] * 50).parameters.ring_degree
        8192
        """
        if not training:
            return super().compile(X, **claims)
        if not self.division_free:
            raise EncodingError("integers have no means; use LinearMeansClassifier(division_free=True)")
        sizes = np.unique(labels, return_counts=True)[1].tolist()
        bits = self.value_bits(sizes, X.shape[1], int(X.bound))
        return exactly_compiled(clone(self), X, labels, bits, Demand(**claims))
