"""What an audit found: a record for each operation, and what is wrong with it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Step:
    """An operation of a program as it was run.

    number, operation, where
        Of the node of the program's graph; ``where`` is the line that asked for it. What is returned has the number -1.
    shape, level
        Of the value; the levels left below it.
    largest
        The largest magnitude in the clear.
    error, bound, expected
        How far any element is off, beside the shadow in the clear; what the tracked bound allows; what is usual in root
        mean square. All 0 where arithmetic is exact (BFV).
    lost_bits
        Of the tracked precision, or of the room for noise (BFV), beside the worst operand.
    room_bits, budget_bits
        Bits that noise (BFV) or values (CKKS) may still grow, as tracked; and the noise budget as measured (BFV).
    seconds
        What it took.
    flags
        What is wrong, in words.
    """

    number: int
    operation: str
    where: str
    shape: tuple[int, ...]
    level: int
    largest: float
    error: float
    bound: float
    expected: float
    lost_bits: float
    room_bits: float
    budget_bits: float
    seconds: float
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Search:
    """A search for inputs that maximise the error: how many runs it took, and the error of the worst."""

    runs: int
    first: float
    error: float


@dataclass(frozen=True)
class Findings:
    """What a run under a throw-away key showed, beside its shadow in the clear.

    ``steps`` are the operations in order, then what is returned; ``inputs`` those of the run: the given ones, or worse
    ones that ``search`` found.
    """

    name: str
    parameters: str
    exact: bool
    steps: tuple[Step, ...]
    inputs: Mapping[str, NDArray[Any]] = field(repr=False)
    search: Search | None = None

    @property
    def worst(self) -> Step:
        """The operation that loses the most bits, or the worst of those that are flagged."""
        return max(self.flagged or self.steps, key=lambda step: (_excess(step), step.lost_bits))

    @property
    def flagged(self) -> tuple[Step, ...]:
        """The operations with which something is wrong."""
        return tuple(step for step in self.steps if step.flags)

    @property
    def ok(self) -> bool:
        """Did every bound and every assumption hold?"""
        return not self.flagged

    @property
    def error(self) -> float:
        """How far any result is off."""
        return max(step.error for step in self.steps if step.number < 0)

    def records(self) -> list[dict[str, Any]]:
        """A dictionary for each step, as ``pandas.DataFrame`` takes them."""
        return [asdict(step) for step in self.steps]


def _excess(step: Step) -> float:
    """log2 of the error over its bound, where that is beyond it."""
    if not step.flags:
        return -math.inf
    return math.log2(step.error / step.bound) if step.bound and step.error else math.inf if step.error else 0.0
