"""Logistic regression learnt from encrypted tumours, over seeded splits, beside scikit-learn's converged model.

    python -m bench.training            # the clear twin on 20 splits: the same polynomial arithmetic in NumPy
    python -m bench.training 3          # and three of them encrypted, which should be off by noise alone

Without a refresh five steps, with one nine. Accuracy and AUC are those of held-out quarters.
"""

from __future__ import annotations

import sys
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import fhe
from fhe.ml import GradientScaler, NesterovClassifier

SPLITS, HELD_OUT, RATE, WEIGHTS = 20, 0.25, 2.5, 4.0
WAYS = {"without a refresh": (5, 0), "with one refresh": (9, 1)}
Array = NDArray[Any]


def quality(scores: Array, y: Array) -> tuple[float, float]:
    """Accuracy in points, and AUC."""
    return 100 * float(np.mean((scores > 0) == y)), float(roc_auc_score(y, scores))


def model(steps: int) -> NesterovClassifier:
    """The same on plain and encrypted rows."""
    return NesterovClassifier(steps=steps, rate=RATE, weight_bound=WEIGHTS)


class Split(NamedTuple):
    """Scaled rows to learn from, and to be judged by."""

    X: Array
    y: Array
    test: Array
    truth: Array


class Encrypted:
    """Parameters and keys, made once for all splits."""

    def __init__(self, shape: tuple[int, int], bound: float, steps: int, refreshes: int) -> None:
        self.training = model(steps).compile(fhe.spec(shape, bound=bound), refreshes=refreshes)
        self.owner = self.training.keygen()
        self.server = fhe.Context.from_bytes(self.owner.public().to_bytes())
        print(self.training.explain())

    def learn(self, X: Array, y: Array) -> tuple[Any, float]:
        """The weights, learnt by a server and decrypted by the owner; and the server's seconds."""
        arrays = [self.server.load(part.to_bytes()) for part in self.training.encrypt(self.owner, X, y)]
        start = perf_counter()
        learnt = self.training.fit(*arrays, refresh=self.training.model.refreshed_by(self.owner))
        return learnt.decrypted(self.owner), perf_counter() - start


def main(encrypted: int) -> None:
    """The means and worst splits of both ways, and a line for each encrypted split."""
    X, y = load_breast_cancer(return_X_y=True)
    splits = list(StratifiedShuffleSplit(SPLITS, test_size=HELD_OUT, random_state=0).split(X, y))
    theirs = np.array([_converged(X, y, *split) for split in splits])
    print(f"scikit-learn, converged: accuracy {theirs[:, 0].mean():.2f}, AUC {theirs[:, 1].mean():.4f}")
    scaled = []
    for train, test in splits:
        scaler = GradientScaler().fit(X[train])
        scaled.append(Split(scaler.transform(X[train]), y[train], scaler.transform(X[test]), y[test]))
    for way, (steps, refreshes) in WAYS.items():
        twins = [model(steps).fit(split.X, split.y) for split in scaled]
        found = [quality(twin.decision_function(s.test), s.truth) for twin, s in zip(twins, scaled, strict=True)]
        off = np.array(found) - theirs
        (accuracy, auc), (worst, least) = off.mean(axis=0), off.min(axis=0)
        print(f"{way}, {steps} steps: accuracy {accuracy:+.2f} points (worst split {worst:+.2f}), ", end="")
        print(f"AUC {auc:+.4f} (worst {least:+.4f})")
        if encrypted:
            _encrypted(scaled[:encrypted], twins, theirs, (steps, refreshes))


def _encrypted(splits: list[Split], twins: list[Any], theirs: Array, way: tuple[int, int]) -> None:
    party = Encrypted(splits[0].X.shape, max(np.max(np.abs(split.X)) for split in splits), *way)
    for number, (split, twin) in enumerate(zip(splits, twins, strict=False)):
        learnt, seconds = party.learn(split.X, split.y)
        error = np.max(np.abs(learnt.coef_ - twin.coef_))
        accuracy = quality(learnt.decision_function(split.test), split.truth)[0] - theirs[number, 0]
        print(f"  split {number}: {seconds:.1f} s, weights off by {error:.1e}, accuracy {accuracy:+.2f}")


def _converged(X: Array, y: Array, train: Array, test: Array) -> tuple[float, float]:
    found = make_pipeline(StandardScaler(), LogisticRegression(max_iter=5000)).fit(X[train], y[train])
    return quality(found.decision_function(X[test]), y[test])


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 0)
