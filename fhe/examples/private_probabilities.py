"""Beyond scores: probabilities and decisions computed under encryption, by polynomials of stated error."""

from __future__ import annotations

import numpy as np

import fhe
from fhe.examples.private_prediction import FEATURE_BOUND, breast_cancer
from fhe.ml import LogisticRegression

SAMPLES = 16


def main() -> None:
    """Compute both for a few samples and compare with the clear model."""
    data = breast_cancer(SAMPLES)
    # Heavily regularised, scores stay small: the narrower their interval, the better a polynomial fits.
    model = LogisticRegression(C=0.005, score_bound=4.5, sigmoid_degree=15, margin=0.2)
    model.fit(data.train, data.train_labels)

    for method in ("predict_proba", "predict"):
        approximation = model.approximation(method)
        assert approximation is not None
        owner = fhe.ckks(depth=model.depth(method), bound=model.value_bound(FEATURE_BOUND))
        samples = owner.encrypt(data.test, bound=FEATURE_BOUND)
        found = owner.decrypt(getattr(model, method)(samples))
        expected = getattr(model, method)(data.test)
        expected = expected[:, 1] if expected.ndim == 2 else expected
        print(f"{method}: {model.depth(method)} levels, N = {owner.parameters.ring_degree}")
        print(f"  error of the polynomials {approximation.error:.1e}, ", end="")
        print(f"largest difference from the clear model {np.max(np.abs(found - expected)):.1e}")


if __name__ == "__main__":
    main()
