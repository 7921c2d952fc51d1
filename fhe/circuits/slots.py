"""Moving slots about: sums and copies of rows, selection by plain masks, permutations.

Slots are numbered through: in BFV the second row of N/2 follows the first. Masks multiply: they take a level in CKKS,
and in BFV room for noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from itertools import product

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fhe.circuits.diagonals import Diagonals
from fhe.circuits.evaluator import Evaluator
from fhe.circuits.linear import inner_sum
from fhe.circuits.matrix import LinearMap
from fhe.errors import EncodingError
from fhe.rlwe.ciphertext import Ciphertext


def sum_row(evaluator: Evaluator, x: Ciphertext) -> Ciphertext:
    """Every slot becomes the sum of its row: log2(N/2) rotations."""
    return inner_sum(evaluator, x, evaluator.row)


def sum_slots(evaluator: Evaluator, x: Ciphertext) -> Ciphertext:
    """Every slot becomes the sum of all slots, both rows of BFV: one swap more."""
    return inner_sum(evaluator, x, evaluator.slots)


def replicate(evaluator: Evaluator, x: Ciphertext, index: int) -> Ciphertext:
    """Every slot becomes slot ``index``: one mask, then `sum_slots`."""
    if not 0 <= index < evaluator.slots:
        raise EncodingError(f"slot {index} is outside 0 … {evaluator.slots - 1} of this ciphertext")
    mask = np.zeros(evaluator.slots, dtype=np.int64)
    mask[index] = 1
    alone = evaluator.settle(evaluator.multiply_plain(x, mask))
    # All summands but one are zero, so what is known of x's values holds for the sum.
    summed = sum_slots(evaluator, replace(alone, interval=None, bound=x.bound / evaluator.slots))
    return replace(summed, interval=x.interval, bound=x.bound)


def select(evaluator: Evaluator, mask: ArrayLike, x: Ciphertext, y: Ciphertext) -> Ciphertext:
    """x where the plain mask is true, else y: y + mask (x - y). Slots beyond the mask are y's."""
    chosen = np.asarray(mask)
    if chosen.dtype.kind != "b" or chosen.ndim != 1 or chosen.size > evaluator.slots:
        raise EncodingError(
            f"a mask is a vector of at most {evaluator.slots} booleans, got shape {chosen.shape} of {chosen.dtype}"
        )
    padded = np.zeros(evaluator.slots, dtype=np.int64)
    padded[: chosen.size] = chosen
    known = None if x.interval is None or y.interval is None else x.interval.hull(y.interval)
    x, y = replace(x, interval=None), replace(y, interval=None)
    chosen_ones = evaluator.add(y, evaluator.multiply_plain(evaluator.sub(x, y), padded))
    return replace(chosen_ones, interval=known, bound=max(x.bound, y.bound))


class Permutation:
    """y[i] = x[order[i]] for i < len(order), the other slots zero; order may repeat and leave out slots.

    Each of the rows of y is a linear map of each of the rows of x, with a diagonal for every distance that occurs:
    few distances need few rotations, and n distances about 2 sqrt(n), some of them hoisted. Encoded once, used often.
    Raises EncodingError for slots that are not there, MissingKeyError, both before any work.
    """

    def __init__(self, evaluator: Evaluator, order: Sequence[int] | NDArray[np.int64]) -> None:
        source = np.asarray(order, dtype=np.int64)
        if source.ndim != 1 or not 0 < source.size <= evaluator.slots:
            raise EncodingError(f"an order of slots is a vector of 1 to {evaluator.slots} of them, not {source.shape}")
        if source.min() < 0 or source.max() >= evaluator.slots:
            raise EncodingError(f"an order of slots holds numbers from 0 to {evaluator.slots - 1}")
        self.evaluator = evaluator
        target, row, rows = np.arange(source.size), evaluator.row, range(evaluator.slots // evaluator.row)
        self._maps: dict[tuple[int, int], LinearMap] = {}
        for to_row, from_row in product(rows, rows):
            here = (target // row == to_row) & (source // row == from_row)
            if here.any():
                self._maps[to_row, from_row] = _shifts(evaluator, target[here] % row, source[here] % row)

    @property
    def rotations(self) -> list[int]:
        """The rotation steps that have to have keys, or to be sums of steps that have."""
        return sorted({step for found in self._maps.values() for step in found.rotations})

    def __call__(self, x: Ciphertext) -> Ciphertext:
        """The permuted slots."""
        evaluator = self.evaluator
        x = evaluator.settle(x)
        sources = {from_row: evaluator.swap(x) if from_row else x for from_row in {key[1] for key in self._maps}}
        targets: dict[int, list[Ciphertext]] = {}
        for (to_row, from_row), found in self._maps.items():
            targets.setdefault(to_row, []).append(found(sources[from_row]))
        rows = {to_row: reduce(evaluator.add, parts) for to_row, parts in targets.items()}
        return reduce(evaluator.add, (evaluator.swap(y) if to_row else y for to_row, y in rows.items()))


def _shifts(evaluator: Evaluator, target: NDArray[np.int64], source: NDArray[np.int64]) -> LinearMap:
    """The map of one row that takes each source slot to its target."""
    row = evaluator.row
    steps = (source - target + row // 2) % row - row // 2
    return LinearMap(evaluator, [Diagonals(row, (steps, target, np.ones(steps.size, dtype=np.int64)))])
