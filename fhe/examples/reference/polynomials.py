"""Polynomials of an encrypted number, of numbers on a grid, and of measurements."""

from __future__ import annotations

from typing import Any

import numpy as np

import fhe
from fhe.examples.reference import Expert, Reference


def of_an_integer(x: Any) -> Any:
    """4 (x^2 + 1) (x + 1)^2, exactly."""
    return 4 * (x**2 + 1) * (x + 1) ** 2


def cubic(x: Any) -> Any:
    """pi x^3 + 0.4 x + 1: of degree 3, hence two levels, however it is written."""
    return np.polyval([np.pi, 0, 0.4, 1], x)


def regression(x: Any) -> Any:
    """A quartic with coefficients that somebody fitted."""
    return np.polyval([2e-6, -1.5e-4, 0.02, 0.3, 1.0], x)


INTEGER = Reference(
    "4 (x^2 + 1) (x + 1)^2",
    of_an_integer,
    {"x": fhe.spec((), bound=(0, 6), dtype=int)},
    lambda rng: {"x": np.array(6)},
    Expert("SEAL, BFV basics", 4096, (36, 36), 37, remark="there modulo 1024, which makes 84 of 7252"),
)
CUBIC = Reference(
    "pi x^3 + 0.4 x + 1",
    cubic,
    {"x": fhe.spec(4096, bound=(0, 1))},
    lambda rng: {"x": np.linspace(0, 1, 4096)},
    Expert("SEAL, CKKS basics", 8192, (60, 40, 40), 60, 40),
    precision=2**-19,
)
REGRESSION = Reference(
    "polynomial regression",
    regression,
    {"x": fhe.spec(4096, bound=(0, 41))},
    lambda rng: {"x": 0.01 * np.arange(4096)},
    Expert("EVA, large programs", 16384, remark="as we read its rule, with primes of 60 bits"),
    precision=1e-3,
)


def main() -> None:
    """All three."""
    for reference in (INTEGER, CUBIC, REGRESSION):
        reference.demonstrate()


if __name__ == "__main__":
    main()
