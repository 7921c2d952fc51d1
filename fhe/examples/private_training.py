"""Learning from flowers nobody may see: exact means of integers, and gradient descent with the owner's help."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_iris

import fhe
from fhe.ml import DescentClassifier, LinearMeansClassifier


def main() -> None:
    """Both ways, and what they find against the same in the clear."""
    X, y = load_iris(return_X_y=True)
    millimetres = np.round(10 * X).astype(int)

    owner = fhe.bfv(depth=3, value_bits=46)
    model = LinearMeansClassifier(division_free=True)
    model.fit(owner.encrypt(millimetres, bound=(0, 80)), y)  # learnt, and still unknown to whoever learnt it
    clear = LinearMeansClassifier(division_free=True).fit(millimetres, y)
    learnt = model.decrypted(owner)
    print(f"means: weights equal {np.array_equal(learnt.coef_, clear.coef_)}, {learnt.score(millimetres, y):.0%} right")

    X, y = (X[y > 0] - X.mean(axis=0)) / 2, (y[y > 0] - 1).astype(float)
    owner = fhe.ckks(depth=8, scale_bits=45, bound=512)
    descent = DescentClassifier(steps=4, rate=4.0)
    descent.fit(
        owner.encrypt(X, bound=2, batch=0),
        owner.encrypt(y, bound=1),
        refresh=lambda weights: owner.encrypt(owner.decrypt(weights), batch=1, bound=8),
    )
    learnt, clear = descent.decrypted(owner), DescentClassifier(steps=4, rate=4.0).fit(X, y)
    off = np.max(np.abs(learnt.coef_ - clear.coef_))
    print(f"descent: weights off by {off:.1e}, {learnt.score(X, y):.0%} right, {clear.score(X, y):.0%} in the clear")


if __name__ == "__main__":
    main()
