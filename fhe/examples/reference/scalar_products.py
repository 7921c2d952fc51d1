"""Scalar products of encrypted vectors, exact and approximate, and the distance of bit vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

import fhe
from fhe.examples.reference import Arguments, Expert, Reference

LARGEST, SPREAD = 2**16 - 1, 100


def scalar_product(x: Any, y: Any) -> Any:
    """x . y."""
    return x @ y


def hamming(x: Any, y: Any) -> Any:
    """In how many places two vectors of bits differ."""
    return ((x - y) ** 2).sum()


def integers(rng: np.random.Generator) -> Arguments:
    return {name: rng.integers(-LARGEST, LARGEST, 4096) for name in "xy"}


def reals(rng: np.random.Generator) -> Arguments:
    return {name: rng.normal(0, SPREAD, 256).clip(-5 * SPREAD, 5 * SPREAD) for name in "xy"}


def bits(rng: np.random.Generator) -> Arguments:
    return {name: rng.integers(0, 2, 256) for name in "xy"}


EXACT = Reference(
    "scalar product, integers",
    scalar_product,
    {name: fhe.spec(4096, bound=LARGEST, dtype=int) for name in "xy"},
    integers,
    Expert("Pyfhel, demo 7 (BFV)", 8192, (43, 43, 44, 44), 44),
)
APPROXIMATE = Reference(
    "scalar product, reals",
    scalar_product,
    {name: fhe.spec(256, bound=5 * SPREAD) for name in "xy"},
    reals,
    Expert("Pyfhel, demo 7 (CKKS)", 8192, (60, 20), 60, 20),
    precision=10.0,
)
HAMMING = Reference(
    "Hamming distance",
    hamming,
    {name: fhe.spec(256, bound=(0, 1), dtype=int) for name in "xy"},
    bits,
    Expert("Pyfhel, demo 8", 4096, (36, 36), 37),
)


def main() -> None:
    """All three."""
    for reference in (EXACT, APPROXIMATE, HAMMING):
        reference.demonstrate()


if __name__ == "__main__":
    main()
