"""A scikit-learn pipeline scores encrypted flowers; then the model is what is hidden, and the flowers are plain."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import fhe
from fhe.ml import from_sklearn


def main() -> None:
    """Three kinds of iris, told apart both ways."""
    X, y = load_iris(return_X_y=True)
    learnt, found = np.arange(len(X)) % 2 == 0, np.arange(len(X)) % 2 == 1
    theirs = make_pipeline(StandardScaler(), LogisticRegression()).fit(X[learnt], y[learnt])
    ours = from_sklearn(theirs)  # the same answers, to encrypted rows as well

    owner = fhe.ckks(depth=2, bound=512)
    scores = owner.decrypt(ours.decision_function(owner.encrypt(X[found], bound=8)))
    same = np.mean(ours[-1].decide(scores) == ours.predict(X[found]))
    print(
        f"hidden flowers: {same:.0%} of {found.sum()} classes as in the clear, scores up to {np.abs(scores).max():.1f}"
    )

    hidden = ours[-1].encrypted(owner, bound=4)
    scores = owner.decrypt(hidden.decision_function(ours[0].transform(X[found])))
    print(f"hidden model: {np.mean(hidden.decide(scores) == y[found]):.0%} of the classes are right")


if __name__ == "__main__":
    main()
