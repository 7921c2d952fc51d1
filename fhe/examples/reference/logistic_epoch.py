"""An epoch of logistic regression: data, labels and weights are all encrypted."""

from __future__ import annotations

from typing import Any

import numpy as np

import fhe
from fhe.examples.reference import Arguments, Expert, Reference

PEOPLE, FEATURES = 780, 9
SIGMOID = [-0.004, 0.0, 0.197, 0.5]  # near the sigmoid on (-5, 5)
DECAY = np.array([[*[0.05] * FEATURES, 0.0]])  # of all weights but the intercept


def epoch(x: Any, y: Any, w: Any) -> Any:
    """One step of gradient descent on all people; a last feature of ones makes the intercept a weight like others."""
    off = np.polyval(SIGMOID, (x * w).sum(axis=1, keepdims=True)) - y
    return w - (off * x).mean(axis=0, keepdims=True) - DECAY * w


def sample(rng: np.random.Generator) -> Arguments:
    """Standardised features, and who fell ill."""
    features = rng.standard_normal((PEOPLE, FEATURES)).clip(-4, 4)
    y = (features @ rng.standard_normal((FEATURES, 1)) > 0).astype(np.float64)
    return {"x": np.hstack([features, np.ones((PEOPLE, 1))]), "y": y, "w": rng.uniform(-0.1, 0.1, (1, FEATURES + 1))}


REFERENCE = Reference(
    "logistic regression, an epoch",
    epoch,
    {
        "x": fhe.spec((PEOPLE, FEATURES + 1), bound=4, batch=0),
        "y": fhe.spec((PEOPLE, 1), bound=(0, 1), kind="real", batch=0),
        "w": fhe.spec((1, FEATURES + 1), bound=0.1, batch=0),
    },
    sample,
    Expert("TenSEAL, tutorial 1, training", 8192, (40, *[21] * 6), 40, 21),
    precision=0.25,
)


def main() -> None:
    """People lie side by side in the slots, so that sums over features move nothing."""
    REFERENCE.demonstrate()


if __name__ == "__main__":
    main()
