"""Networks that look at encrypted digits: a convolution and two layers, with squares between them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

import fhe
from fhe.examples.reference import Expert, Reference

SIDE, CLASSES = 28, 10


def network(first: Any, second: Any, third: Any) -> Callable[[Any], Any]:
    """Scores of the ten digits, for these plain weights. A convolution is a matrix of which most entries are zero."""

    def scores(image: Any) -> Any:
        return ((image @ first) ** 2 @ second) ** 2 @ third

    return scores


def windows(size: int, stride: int) -> NDArray[np.int64]:
    """Which pixels each window sees, ``(windows, size * size)``."""
    corners = np.arange(0, SIDE - size + 1, stride)
    corner = (corners[:, None] * SIDE + corners).ravel()
    return corner[:, None] + (np.arange(size)[:, None] * SIDE + np.arange(size)).ravel()


def convolution(kernels: NDArray[Any], seen: NDArray[np.int64]) -> NDArray[np.float64]:
    """The matrix (pixels, windows * kernels) of a convolution."""
    matrix = np.zeros((SIDE * SIDE, len(seen), len(kernels)))
    for index, pixels in enumerate(seen):
        matrix[pixels, index] = kernels.T
    return matrix.reshape(SIDE * SIDE, -1)


def reference(name: str, kernels: int, size: int, stride: int, hidden: int, expert: Expert) -> Reference:
    """A network of this shape, with weights that let no value exceed one."""
    rng, seen = np.random.default_rng(0), windows(size, stride)
    shapes = (size * size, kernels), (len(seen) * kernels, hidden), (hidden, CLASSES)
    filters, *layers = (weights / np.abs(weights).sum(axis=0) for weights in map(rng.standard_normal, shapes))
    return Reference(
        name,
        network(convolution(filters.T, seen), *layers),
        {"image": fhe.spec(SIDE * SIDE, bound=(0, 1))},
        lambda rng: {"image": rng.uniform(0, 1, SIDE * SIDE)},
        expert,
        precision=0.02,
    )


CONVOLUTION = reference(
    "convolution on MNIST", 4, 7, 3, 64, Expert("TenSEAL, tutorial 4", 8192, (31, *[26] * 6), 31, 26)
)
LOLA = reference("LoLa", 5, 2, 2, 100, Expert("Orion, lola.yml", 8192, (29, *[26] * 5), 58, 26))
CRYPTONETS = reference(
    "CryptoNets", 5, 5, 2, 100, Expert("CryptoNets", 8192, remark="there on integers, weights rounded to 1/32")
)


def main() -> None:
    """One of them; the others differ in their sizes."""
    CONVOLUTION.demonstrate()


if __name__ == "__main__":
    main()
