"""Edges and corners of an encrypted image, whose borders meet."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

import fhe
from fhe.examples.reference import Arguments, Expert, Reference

SIDE, SMALL = 64, 16
ROOT = [0.17254603006834726, -1.0984324107372518, 2.2137874823876622, 0.0]  # near the square root on (0, 1)


def shifted(image: Any, down: int, right: int, side: int = SIDE) -> Any:
    """The image seen from a neighbouring pixel; a flat image needs no mask for it."""
    return np.roll(image, -(down * side + right))


def gradients(image: Any) -> tuple[Any, Any]:
    """Sobel's differences along both axes."""
    near = {(i, j): shifted(image, i, j) for i, j in product((-1, 0, 1), repeat=2)}
    across = sum((1 + (i == 0)) * (near[i, 1] - near[i, -1]) for i in (-1, 0, 1))
    along = sum((1 + (j == 0)) * (near[1, j] - near[-1, j]) for j in (-1, 0, 1))
    return across, along


def sobel(image: Any) -> Any:
    """How steep it is at each pixel."""
    across, along = gradients(image)
    return np.polyval(ROOT, across**2 + along**2)


def harris(image: Any) -> Any:
    """How much of a corner each pixel is."""
    across, along = gradients(image)
    xx, yy, xy = (
        sum(shifted(z, i, j) for i, j in product((-1, 0, 1), repeat=2)) for z in (across**2, along**2, across * along)
    )
    return xx * yy - xy**2 - 0.04 * (xx + yy) ** 2


def roberts(image: Any) -> Any:
    """The sum of the squares of both diagonal differences, of whole numbers."""
    return (shifted(image, -1, -1, SMALL) - image) ** 2 + (
        shifted(image, -1, 0, SMALL) - shifted(image, 0, -1, SMALL)
    ) ** 2


def picture(rng: np.random.Generator) -> Arguments:
    """A disc on a slope, and some noise."""
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    disc = (x - 0.5) ** 2 + (y - 0.4) ** 2 < 0.08
    return {"image": ((0.25 * x + 0.5 * disc + rng.uniform(0, 0.1, x.shape)) / 4).ravel()}


EVA = Expert("EVA, image processing", 16384, remark="as we read its rule, with primes of 60 bits")
SOBEL = Reference("Sobel's filter", sobel, {"image": fhe.spec(SIDE * SIDE, bound=0.25)}, picture, EVA, precision=1e-2)
HARRIS = Reference(
    "Harris's corners",
    harris,
    {"image": fhe.spec(SIDE * SIDE, bound=0.25)},
    picture,
    EVA,
    precision=1e-2,
)
ROBERTS = Reference(
    "Roberts's cross",
    roberts,
    {"image": fhe.spec(SMALL * SMALL, bound=(0, 255), dtype=int)},
    lambda rng: {"image": np.arange(SMALL * SMALL)},
    Expert("HEIR, Roberts's cross", 8192, remark="the least for its plain modulus of 29 bits"),
)


def main() -> None:
    """All three."""
    for reference in (SOBEL, HARRIS, ROBERTS):
        reference.demonstrate()


if __name__ == "__main__":
    main()
