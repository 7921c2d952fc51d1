"""Scores of a logistic regression, for encrypted people and plain weights."""

from __future__ import annotations

from typing import Any

import numpy as np

import fhe
from fhe.examples.reference import Arguments, Expert, Reference

PEOPLE, FEATURES = 334, 9


def scores(x: Any, w: Any, b: Any) -> Any:
    """Whoever is above zero is at risk."""
    return x @ w + b


def sample(rng: np.random.Generator) -> Arguments:
    """Standardised features, as of a health survey."""
    features = rng.standard_normal((PEOPLE, FEATURES)).clip(-8, 8)
    return {"x": features, "w": rng.uniform(-1, 1, FEATURES), "b": rng.uniform(-1, 1, ())}


REFERENCE = Reference(
    "logistic regression, scores",
    scores,
    {
        "x": fhe.spec((PEOPLE, FEATURES), bound=8, batch=0),
        "w": fhe.spec(FEATURES, bound=1, encrypted=False),
        "b": fhe.spec((), bound=1, encrypted=False),
    },
    sample,
    Expert("TenSEAL, tutorial 1, evaluation", 4096, (40, 20), 40, 20),
    precision=0.02,
)


def main() -> None:
    """Its expert lost three points of accuracy to a scale of 20 bits."""
    REFERENCE.demonstrate()


if __name__ == "__main__":
    main()
