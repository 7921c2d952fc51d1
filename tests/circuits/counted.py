"""Numbers that count what is multiplied, and how deep: what circuits of any arithmetic are run on."""

from __future__ import annotations

from typing import Any


class Counted:
    """A value, and the products in a row behind it; plain numbers are of depth 0 and cost nothing."""

    products = 0

    def __init__(self, value: Any, depth: int = 0) -> None:
        self.value, self.depth = value, depth

    @classmethod
    def of(cls, value: Any) -> Counted:
        return value if isinstance(value, Counted) else cls(value)

    def __add__(self, other: Any) -> Counted:
        return Counted(self.value + self.of(other).value, max(self.depth, self.of(other).depth))

    def __sub__(self, other: Any) -> Counted:
        return Counted(self.value - self.of(other).value, max(self.depth, self.of(other).depth))

    def __rsub__(self, other: Any) -> Counted:
        return Counted(other - self.value, self.depth)

    def __mul__(self, other: Any) -> Counted:
        if not isinstance(other, Counted):
            return Counted(self.value * other, self.depth)
        Counted.products += 1
        return Counted(self.value * other.value, max(self.depth, other.depth) + 1)

    __radd__, __rmul__ = __add__, __mul__
