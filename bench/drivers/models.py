"""What both sides of the comparison of models learn from; also for interpreters older than the project's own.

Breast cancer: 30 standardised features. Digits: zeros and ones, 64 pixels of 17 shades.
"""

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits

ROWS = 100  # scored at once


def cancer():
    """Features to learn from, labels, and rows to score."""
    features, labels = load_breast_cancer(return_X_y=True)
    features = np.clip((features - features.mean(axis=0)) / features.std(axis=0), -6, 6)
    return features[ROWS:], labels[ROWS:], features[:ROWS]


def digits():
    """The same of digits, as integers."""
    images, labels = load_digits(n_class=2, return_X_y=True)
    images = images.astype(int)
    return images[ROWS:], labels[ROWS:], images[:ROWS]


def same(found, clear):
    """The share of rows that are as in the clear: a few may differ where models are quantised."""
    share = float(np.mean(np.asarray(found) == np.asarray(clear)))
    if share < 0.9:
        raise SystemExit(f"only {share:.0%} of the predictions are those of the model in the clear")
    return share
