"""Linear circuits: sums over slots, and products with plain matrices by their diagonals."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fhe.circuits.evaluator import Evaluator
from fhe.circuits.matrix import LinearMap
from fhe.circuits.rotations import doubled
from fhe.rlwe.ciphertext import Ciphertext
from fhe.rlwe.extended import extended
from fhe.rlwe.routes import Routes


def inner_sum_steps(count: int, stride: int = 1, row: int | None = None) -> list[int]:
    """The rotations that `inner_sum` needs: stride, 2 stride, … (those that stay within a row).

    >>> inner_sum_steps(6), inner_sum_steps(4, stride=8)
    ([1, 2, 4], [8, 16])
    """
    steps = [stride << k for k in range((count - 1).bit_length())]
    return steps if row is None else [step for step in steps if step < row]


def inner_sum(evaluator: Evaluator, x: Ciphertext, count: int, stride: int = 1) -> Ciphertext:
    """Slot 0 becomes the sum of slots 0, stride, …, (count-1) stride, as does every slot relative to itself.

    ``count`` is rounded up to a power of two: the slots between must be zero. log2(count) rotations, no level.
    """
    steps = inner_sum_steps(count, stride)
    needed = [step for step in steps if step < evaluator.row]
    if needed:
        x = summed(evaluator, x, needed)
    if len(needed) < len(steps):  # BFV: both rows are occupied
        x = evaluator.add(x, evaluator.swap(x))
    return x


def summed(evaluator: Evaluator, x: Ciphertext, steps: list[int]) -> Ciphertext:
    """x added to itself rotated, step after step; what is pending of a product, and the division by P, come last.

    Undivided products of BFV are settled first: their levels fall, and every rotation costs less.
    """
    x = evaluator.settle(x) if x.raised else x
    routes = Routes.of(evaluator.keys, evaluator.row)
    routes.require(steps)
    noise = evaluator.switched_noise(evaluator.noise_of(x), x.level, x.degree - 1)
    for step in steps:
        noise = evaluator.summed_noise(noise, evaluator.switched_noise(noise, x.level, routes.length(step) or 0))
    result = evaluator.forecast(x, noise, (np.array([1 << len(steps)], dtype=object), np.zeros(1, dtype=object)))
    whole = x if x.degree < 2 else extended(x, evaluator.keys)
    return result.with_polys(doubled(evaluator, routes, whole, steps).lowered(result.level))


def matrix_vector(evaluator: Evaluator, matrix: NDArray[Any], x: Ciphertext, zero_padded: bool = True) -> Ciphertext:
    """matrix @ x for a plain matrix (m, n) and a vector in the first n slots: one level (CKKS).

    The matrix is encoded as it goes; a `LinearMap` keeps it. The slots after the first m hold no meaning afterwards.
    """
    return LinearMap.of_matrix(evaluator, matrix, zero_padded)(x)
