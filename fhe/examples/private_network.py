"""A neural network, learnt in the clear, reads encrypted measurements of tumours."""

from __future__ import annotations

from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler

import fhe
from fhe.ml import MLPClassifier, compare


def main() -> None:
    """The network, its polynomial twin, and the twin on encrypted rows."""
    X, y = load_breast_cancer(return_X_y=True)
    X = StandardScaler().fit_transform(X).clip(-4, 4)
    train, test = slice(0, 400), slice(400, None)

    model = MLPClassifier([8], activation="tanh", solver="lbfgs", alpha=10.0, random_state=0).fit(X[train], y[train])
    print(f"tanh        : {model.score(X[test], y[test]):.1%} right")
    model.approximate(X[train], degree=7)  # from now on plain rows and encrypted ones meet the same polynomials
    print(f"polynomials : {model.score(X[test], y[test]):.1%} right")

    owner = fhe.ckks(model.depth(), bound=model.value_bound(4))
    print(compare(model, owner, X[test], y[test], bound=4, batch=0))


if __name__ == "__main__":
    main()
