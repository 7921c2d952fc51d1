"""Received metadata is the sender's claim: read value by value, each with its type and range."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from fhe.errors import FormatError

T = TypeVar("T")


class Claims:
    """A dictionary of plain values from elsewhere. Whatever is asked of it is as asked, or FormatError.

    >>> claims = Claims({"level": 2, "seed": "00ff"}, "a key", ["level", "seed"])
    >>> claims.integer("level", 0, 3), claims.octets("seed", 2)
    (2, b'\\x00\\xff')
    >>> claims.integer("level", 0, 1)
    Traceback (most recent call last):
    fhe.errors.FormatError: entry level of a key must be an integer from 0 to 1, got 2
    """

    __slots__ = ("_values", "_what")

    def __init__(self, values: object, what: str, names: Iterable[str]) -> None:
        names = list(names)
        if not isinstance(values, dict) or set(values) != set(names):
            raise FormatError(f"{what} has the entries {', '.join(names)} and no others")
        self._values: dict[str, Any] = values
        self._what = what

    def integer(self, name: str, low: int, high: int) -> int:
        """An integer of [low, high]."""
        value = self._values[name]
        if type(value) is not int or not low <= value <= high:
            raise self._wrong(name, f"an integer from {low} to {high}")
        return value

    def integers(self, name: str, most: int) -> list[int]:
        """A list of at most ``most`` integers; their range is for the caller to check."""
        values = self.items(name)
        if len(values) > most or not all(type(value) is int for value in values):
            raise self._wrong(name, f"a list of up to {most} integers")
        return values

    def number(self, name: str, low: float) -> float:
        """A finite floating-point number from ``low`` up."""
        value = self._values[name]
        if type(value) is not float or not low <= value < math.inf:
            raise self._wrong(name, f"a finite floating-point number from {low:g} up")
        return value

    def pair(self, name: str, bits: int) -> tuple[int, int | None]:
        """An integer of at most so many bits, and another that is no less, or null."""
        values = self.items(name)
        wanted = f"two ascending integers of up to {bits} bits, the second perhaps null"
        if len(values) != 2 or type(values[0]) is not int or type(values[1]) not in (int, type(None)):
            raise self._wrong(name, wanted)
        low, high = values
        if low.bit_length() > bits or (high is not None and not (low <= high and high.bit_length() <= bits)):
            raise self._wrong(name, wanted)
        return low, high

    def flag(self, name: str) -> bool:
        """True or False."""
        value = self._values[name]
        if type(value) is not bool:
            raise self._wrong(name, "true or false")
        return value

    def choice(self, name: str, choices: Mapping[str, T]) -> T:
        """What one of the names stands for."""
        value = self._values[name]
        if not isinstance(value, str) or value not in choices:
            raise self._wrong(name, f"one of {', '.join(choices)}")
        return choices[value]

    def octets(self, name: str, size: int) -> bytes:
        """So many bytes, from lower-case hexadecimal digits."""
        value = self._values[name]
        if not (isinstance(value, str) and len(value) == 2 * size and set(value) <= set("0123456789abcdef")):
            raise self._wrong(name, f"{2 * size} hexadecimal digits")
        return bytes.fromhex(value)

    def knows(self, name: str) -> bool:
        """Whether there is such an entry at all, for what has had several forms."""
        return name in self._values

    def has(self, name: str) -> bool:
        """Whether an optional entry is more than null."""
        return self._values[name] is not None

    def items(self, name: str) -> list[Any]:
        """A list, its items as they came."""
        value = self._values[name]
        if not isinstance(value, list):
            raise self._wrong(name, "a list")
        return value

    def raw(self, name: str) -> object:
        """The value as it came, for a reader of its own."""
        return self._values[name]

    def _wrong(self, name: str, wanted: str) -> FormatError:
        return FormatError(f"entry {name} of {self._what} must be {wanted}, got {reprlib.repr(self._values[name])}")
