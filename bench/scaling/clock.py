"""What is measured, beside what the model says of it."""

from __future__ import annotations

from dataclasses import dataclass

from bench.machine import clock_ghz
from fhe import costs


@dataclass(frozen=True)
class Point:
    """One operation at one place of a curve, in milliseconds."""

    curve: str
    operation: str
    x: float
    measured: float
    predicted: float

    @property
    def ratio(self) -> float:
        return self.predicted / self.measured


class Clock:
    """Cycles of the model in milliseconds, at the clock that runs now."""

    def __init__(self, machine: costs.Machine) -> None:
        self.machine = machine
        self.hertz = machine.clock

    def read(self) -> None:
        self.hertz = 1e9 * (clock_ghz() or self.machine.clock / 1e9)

    def milliseconds(self, cycles: float) -> float:
        return 1e3 * cycles / self.hertz
