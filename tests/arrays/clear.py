"""An evaluator of slots in the clear: what arrays make of their ciphertexts, without any.

It counts what it is asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fhe.arrays.array import EncryptedArray
from fhe.arrays.layout import Layout

GARBAGE = 10**9


@dataclass(frozen=True, eq=False)
class Slots:
    """What stands for a ciphertext: values in slots, and the levels it took to make them."""

    values: NDArray[np.int64]
    depth: int = 0
    degree: int = 1
    level: int = 9
    nbytes: int = 8
    key_id: bytes = b"clear"


class ClearEvaluator:
    """Integers in ``slots`` slots, in rows that rotate."""

    def __init__(self, slots: int, row: int) -> None:
        self.slots, self.row = slots, row
        self.counts: Counter[str] = Counter()
        self.used: set[int] = set()
        self.chain = SimpleNamespace(parameters=None)
        self.keys = SimpleNamespace(rotation_steps=lambda: self.held)
        self.held: list[int] | None = None

    def admit(self, values: NDArray[Any], bound: float | None) -> tuple[NDArray[Any], float]:
        return values.astype(np.int64), 1.0

    def result_type(self, dtype: np.dtype[Any], other: np.dtype[Any]) -> np.dtype[Any]:
        return np.dtype(np.int64)

    def add(self, x: Slots, y: Slots) -> Slots:
        return Slots(x.values + y.values, max(x.depth, y.depth))

    def either(self, x: Slots, y: Slots) -> Slots:
        assert not (x.values * y.values).any()
        return self.add(x, y)

    def sub(self, x: Slots, y: Slots) -> Slots:
        return Slots(x.values - y.values, max(x.depth, y.depth))

    def negate(self, x: Slots) -> Slots:
        return replace(x, values=-x.values)

    def add_plain(self, x: Slots, values: ArrayLike) -> Slots:
        return replace(x, values=x.values + np.asarray(values))

    def multiply(self, x: Slots, y: Slots) -> Slots:
        self.counts["products"] += 1
        return Slots(x.values * y.values, max(x.depth, y.depth) + 1)

    square = None

    def multiply_plain(self, x: Slots, values: ArrayLike) -> Slots:
        if np.ndim(values) == 0:
            return replace(x, values=x.values * int(np.asarray(values)))
        self.counts["masks"] += 1
        return Slots(x.values * np.asarray(values), x.depth + 1)

    def settle(self, x: Slots) -> Slots:
        return x

    def settled_level(self, x: Slots) -> int:
        return x.level

    def precision_bits(self, x: Slots) -> float:
        return np.inf

    def rotate(self, x: Slots, step: int) -> Slots:
        step %= self.row
        self.counts["rotations"] += bool(step)
        self.used.add(step)
        return replace(x, values=np.roll(x.values.reshape(-1, self.row), -step, axis=1).ravel())

    def rotations(self, x: Slots, steps: Sequence[int]) -> list[Slots]:
        return [self.rotate(x, step) for step in steps]

    def swap(self, x: Slots) -> Slots:
        self.counts["rotations"] += 1
        return replace(x, values=x.values.reshape(-1, self.row)[::-1].ravel())


def laid_out(evaluator: Any, values: NDArray[Any], layout: Layout) -> EncryptedArray:
    """An array with its elements where the layout says, and garbage where it promises nothing."""
    slots = layout.pack(values.astype(np.int64))
    if not layout.clean:
        slots = np.where(layout.mask() == 1, slots, GARBAGE)
    return EncryptedArray(evaluator, [Slots(row) for row in slots], layout, np.dtype(np.int64))


def read(x: EncryptedArray) -> NDArray[np.int64]:
    """The elements; every claim of the layout on the slots is checked."""
    held = np.array([shard.values for shard in x.shards])
    values = x.layout.unpack(list(held))
    contents = x.layout.contents()
    assert held.shape == contents.shape
    assert not held[contents == 0].any(), "what is said to be zero is not"
    known = contents > 0
    assert np.array_equal(held[known], values.ravel()[contents[known] - 1]), "a repetition is none"
    return values
