"""Means, covariances and a correlation of encrypted rows."""

from __future__ import annotations

import numpy as np

import fhe

SAMPLES, FEATURES = 1000, 4


def main() -> None:
    """Everything stays encrypted but the number of samples and a bound on their values."""
    rng = np.random.default_rng(4)
    rows = (rng.standard_normal((SAMPLES, FEATURES)) @ rng.standard_normal((FEATURES, FEATURES))).clip(-8, 8)
    rows /= 4

    owner = fhe.ckks(depth=4)
    x = owner.encrypt(rows, bound=2, batch=0)  # samples side by side: a feature in a ciphertext
    centred = x - x.mean(axis=0)
    covariance = centred.T @ centred / (SAMPLES - 1)

    found = owner.decrypt(covariance)
    print(f"covariances of {FEATURES} features, {SAMPLES} samples, N = {owner.parameters.ring_degree}")
    print(f"  differ from NumPy's by {np.max(np.abs(found - np.cov(rows.T))):.1e}")

    first, second = centred[:, 0], centred[:, 1]
    judge = np.corrcoef(rows[:, 0], rows[:, 1])[0, 1]
    products = [owner.decrypt((a * b).mean()) for a, b in ((first, second), (first, first), (second, second))]
    print(f"  first correlation {products[0] / np.sqrt(products[1] * products[2]):.4f}, in the clear {judge:.4f}")


if __name__ == "__main__":
    main()
