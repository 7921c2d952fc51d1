"""A run of many operations: its calls of the seam in their order, and how long ago each operand was last used.

Where an operation is repeated its operands and keys are in some cache. In a program they come from as far as what was
used since has driven them: a key that is used once a run, from memory. So a run notes each use with its distance, the
bytes that went by since the last; prices come later, of any machine, and for either state of its caches:

    warm    the run is repeated: what it uses for the first time was last used a whole run before
    cold    other work ran between: it comes from memory, and so does what Python and the kernels need of their code
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from fhe.costs.machine import ZEN5, Machine, missed, threaded

FIRST = -1.0  # the place of what was never used


class Use(NamedTuple):
    """Bytes that are read or written, and how many went by since they were last; infinite the first time.

    Of a key also what it is for, and how many of its digits are used: it is read with those between.
    """

    nbytes: float
    distance: float
    key: int | None = None
    digits: int = 0


class Call(NamedTuple):
    """One call: a price as a function of a machine, what it uses, and how many steps of Python surround it."""

    name: str
    price: Callable[..., Any]
    arguments: tuple[Any, ...]
    uses: tuple[Use, ...] = ()
    steps: float = 0.0

    @property
    def touched(self) -> float:
        """All bytes that it uses."""
        return sum(use.nbytes for use in self.uses)


class Run:
    """Calls in their order.

    >>> from fhe.costs import Seam
    >>> def price(N, limbs, machine):
    ...     return Seam(N, machine).mul([46] * limbs)
    >>> run = Run()
    >>> run.add("mul", price, (8192, 4), [(2e6, FIRST)], steps=1)
    >>> run.add("mul", price, (8192, 4), [(2e6, FIRST)])
    >>> run.cycles() < run.cycles(cold=True)
    True
    """

    __slots__ = ("calls", "digits", "passed", "places")

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.passed = 0.0  # bytes that went by
        self.places: dict[int, float] = {}  # where each key was last used
        self.digits: dict[int, int] = {}  # the most that were used of each key: those that it is made of

    def add(
        self,
        name: str,
        price: Callable[..., Any],
        arguments: tuple[Any, ...],
        uses: Sequence[tuple[float, float]] = (),
        steps: float = 0.0,
        key: tuple[int, int, float] | None = None,
    ) -> None:
        """Note a call; ``uses`` are bytes and the place, as `passed` was, where they were last used.

        ``key`` is a number that stands for it, how many of its digits are used, and their bytes.
        """
        found = [Use(nbytes, self._since(place)) for nbytes, place in uses]
        if key is not None:
            number, digits, nbytes = key
            found.append(Use(nbytes, self._since(self.places.get(number, FIRST)), number, digits))
            self.digits[number] = max(digits, self.digits.get(number, 0))
        self.calls.append(Call(name, price, arguments, tuple(found), steps))
        self.passed += sum(use.nbytes for use in found)
        if key is not None:
            self.places[key[0]] = self.passed

    def repeat(self, other: Run, times: int) -> None:
        """The calls of another run, so many times, each on operands of its own: keys are last used a turn before."""
        self.digits |= other.digits
        turn = [
            call._replace(uses=tuple(use._replace(distance=min(use.distance, other.passed)) for use in call.uses))
            for call in other.calls
        ]
        for index in range(times):
            self.calls += turn if index else other.calls
        self.passed += times * other.passed

    def _since(self, place: float) -> float:
        return math.inf if place == FIRST else self.passed - place

    def counts(self) -> Counter[str]:
        """How many calls there are of each name."""
        return Counter(call.name for call in self.calls)

    def cycles(self, machine: Machine = ZEN5, *, cold: bool = False, threads: int = 1) -> Any:
        """Of all calls, on a machine, when so many threads share the loops of each."""
        return sum(self.each(machine, cold=cold, threads=threads), start=0.0)

    def each(self, machine: Machine = ZEN5, *, cold: bool = False, threads: int = 1) -> list[Any]:
        """Of every call; one that is too short to gain from threads runs on its own."""
        found = self._each(machine, cold)
        return found if threads == 1 else list(map(min, found, self._each(threaded(machine, threads), cold)))

    def _each(self, machine: Machine, cold: bool) -> list[Any]:
        known: dict[Any, Any] = {}
        seen: set[str] = set()
        found = []
        for call in self.calls:
            key = call.price, call.arguments
            if key not in known:
                known[key] = call.price(*call.arguments, machine=machine)
            first = cold and call.name not in seen
            seen.add(call.name)
            found.append(known[key] + self._around(call, machine, cold, first))
        return found

    def _around(self, call: Call, machine: Machine, cold: bool, first: bool) -> Any:
        """What a call costs here beyond what it costs when it is repeated: operands from afar, and Python."""
        touched = call.touched
        near = machine.flow(1.0, touched)
        extra = call.steps * (machine.step + machine.step_far * missed(machine.own_cache, touched))
        for nbytes, distance, key, digits in call.uses:
            away = max(touched, distance if distance < math.inf or cold else self.passed)
            far = machine.flow(1.0, away)
            extra = extra + nbytes * (far - near)
            if key is not None:  # what lies between the digits comes along
                extra = extra + nbytes * (self.digits[key] / digits - 1) * far
        if first:
            extra = extra + machine.call_away + call.steps * machine.step_away
        return extra
