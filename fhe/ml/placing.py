"""Where images lie in the slots of one ciphertext, so that a network's matrices have few diagonals.

A matrix times a vector is a product with a plain vector for each distance between an entry and where it goes. Entries
of an image keep their places from layer to layer: with them at a distance d stays everything that a window reaches, one
diagonal for each of its taps whatever the size of the image. Channels go where the image repeats, so that all of them
are made by the same diagonals, and into the gaps that strides leave (multiplexing; Lee et al., ICML 2022). Where
matrices are dense no place is better than another, and vectors lie side by side.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fhe.circuits.diagonals import Diagonals, repeating
from fhe.circuits.matrix import cheapest
from fhe.circuits.schedule import Schedule, prices
from fhe.errors import EncodingError
from fhe.ml.folding import Affine, Folded
from fhe.parameters import Parameters
from fhe.rlwe.routes import Routes


@dataclass(frozen=True, slots=True)
class Grid:
    """Places of an image: from row to row, from column to column, and the box around it, a power of two."""

    down: int
    right: int
    box: int


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """The slots of a vector's entries within a period that repeats through the row; of an image with its grid."""

    slots: NDArray[np.int64]
    period: int
    grid: Grid | None = None
    apart: tuple[int, int] = (1, 1)  # neighbours on the grid, along both axes

    @classmethod
    def of(cls, slots: NDArray[np.int64], period: int, shape: Sequence[int]) -> Places:
        """Of samples as they were encrypted: any slots, and a grid where they form one."""
        image = slots.reshape(shape)
        grid = None
        if len(shape) == 3 and min(shape[1:]) > 1:
            down, right = int(image[0, 1, 0] - image[0, 0, 0]), int(image[0, 0, 1] - image[0, 0, 0])
            regular = np.add.outer(np.arange(shape[1]) * down, np.arange(shape[2]) * right)
            if 0 < right < down and (image - image[:, :1, :1] == regular).all():
                grid = Grid(down, right, 1 << int(regular.max()).bit_length())
        return cls(slots.ravel(), period, grid)

    def following(self, affine: Affine, row: int) -> Iterator[Places]:
        """Where the result of a map may lie: side by side, or on the grid, channels in gaps and boxes."""
        size = len(affine.offset)
        if size <= row:
            yield Places(np.arange(size), 1 << (size - 1).bit_length())
        if self.grid is None or len(affine.shape) != 3:
            return
        apart = self.apart[0] * affine.pitch[0], self.apart[1] * affine.pitch[1]
        for gaps in sorted({1 << k for k in range((apart[0] * apart[1]).bit_length())} | {apart[0] * apart[1]}):
            found = self._gridded(affine.shape, self.grid, apart, gaps)
            if found is not None and found.period <= row:
                yield found

    @staticmethod
    def _gridded(shape: Sequence[int], grid: Grid, apart: tuple[int, int], gaps: int) -> Places | None:
        """So many channels in the gaps of each box; None where they would meet."""
        channels, height, width = shape
        box, gap = np.divmod(np.arange(channels), gaps)
        rows = np.add.outer(gap // apart[1], np.arange(height) * apart[0]) * grid.down
        columns = np.add.outer(gap % apart[1], np.arange(width) * apart[1]) * grid.right
        within = rows[:, :, None] + columns[:, None, :]
        slots = (within + (box * grid.box)[:, None, None]).ravel()
        if within.max() >= grid.box or len(np.unique(slots)) < slots.size:
            return None
        return Places(slots, grid.box << int(box.max()).bit_length(), grid, apart)


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One map of a network: its diagonals, where its result lies, and how it will be computed."""

    diagonals: Diagonals
    places: Places
    schedule: Schedule
    level: int


@dataclass(frozen=True, eq=False)
class Plan:
    """All maps of a network, at the levels where they stand."""

    steps: tuple[Step, ...]

    @property
    def rotations(self) -> dict[int, int]:
        """Every step that is rotated by, and the highest level at which it is."""
        found: dict[int, int] = {}
        for step in self.steps:
            for rotation in step.schedule.rotations:
                found[rotation] = max(found.get(rotation, 0), step.level)
        return dict(sorted(found.items()))

    @property
    def cycles(self) -> float:
        """By the model of `fhe.costs`, of the maps."""
        return sum(step.schedule.cycles for step in self.steps)


def plan(network: Folded, first: Places, parameters: Parameters, levels: Sequence[int]) -> Plan:
    """The cheapest places for whatever leaves a map, all choices together: one decides the diagonals of the next.

    Raises EncodingError where something does not fit a row of slots.
    """
    row = parameters.ring_degree // 2
    ways: list[tuple[float, Places, tuple[Step, ...]]] = [(0.0, first, ())]
    for affine, level in zip(network.maps, levels, strict=True):
        found: dict[Any, tuple[float, Places, tuple[Step, ...]]] = {}
        for cost, places, steps in ways:
            for target in places.following(affine, row):
                step = _step(affine, places, target, parameters, level)
                if step is None:
                    continue
                key = step.places.slots.tobytes(), step.places.period
                total = cost + step.schedule.cycles
                if key not in found or total < found[key][0]:
                    found[key] = total, step.places, (*steps, step)
        if not found:
            raise EncodingError(
                f"{len(affine.offset)} values of shape {affine.shape} do not fit a row of {row} slots; use a larger "
                "ring_degree, fewer channels, or encrypt many images at once with batch=0"
            )
        ways = list(found.values())
    return Plan(min(ways, key=lambda way: way[0])[2])


def _step(affine: Affine, places: Places, target: Places, parameters: Parameters, level: int) -> Step | None:
    """A map between these places, by the cheapest of its forms."""
    row = parameters.ring_degree // 2
    forms = list(repeating(affine.matrix, row, places.period, places.slots, target.slots))
    found = cheapest([form for form, _ in forms], prices(parameters, level), _every_step(row))
    if found is None:
        return None
    diagonals, schedule = found
    period = next(period for form, period in forms if form is diagonals)
    return Step(diagonals, Places(target.slots, period, target.grid, target.apart), schedule, level)


@lru_cache(maxsize=8)
def _every_step(row: int) -> Routes:
    return Routes(None, row)
