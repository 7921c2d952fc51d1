"""The logistic function and the square root of encrypted numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

import fhe
from fhe.examples.reference import Expert, Reference

EXPERT = Expert("OpenFHE, function evaluation", 16384, remark="shown at N = 1024, which it says is not secure")


def logistic(x: Any) -> Any:
    """1 / (1 + e^-x)."""
    return 1 / (1 + np.exp(-x))


def root(x: Any) -> Any:
    """sqrt(x)."""
    return np.sqrt(x)


LOGISTIC = Reference(
    "logistic function",
    logistic,
    {"x": fhe.spec(9, bound=5)},
    lambda rng: {"x": np.linspace(-4, 4, 9)},
    EXPERT,
    precision=4e-6,
)
ROOT = Reference(
    "square root",
    root,
    {"x": fhe.spec(9, bound=(1, 9))},
    lambda rng: {"x": np.linspace(1, 9, 9)},
    EXPERT,
    precision=1e-4,
)


def main() -> None:
    """Both: a chain of functions of one value is approximated at once."""
    for reference in (LOGISTIC, ROOT):
        reference.demonstrate()


if __name__ == "__main__":
    main()
