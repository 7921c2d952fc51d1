"""Integers of encrypted bits against many public constants, in logarithmic depth, sharing whatever can be shared.

For a group of bits that reads x, let T(c) be the bit x > c, for -1 <= c < 2^k; T(-1) = 1 and T(2^k - 1) = 0. Then
x = c is T(c - 1) - T(c), without a product, and two adjacent groups join as

    T(c) = T_high(c_high) + (T_high(c_high - 1) - T_high(c_high)) T_low(c_low),    c = c_high 2^k + c_low:

a product for each constant, none where c_low ends in ones. Groups of two bits take one product for all constants. What
different constants have in common, bytes or half-bytes, is computed once, so many constants tend towards one product
each. (Thermometers instead of the equalities of Garay, Schoenmakers, Villegas, PKC 2007.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fhe.circuits.bits import Bit


def depth_of_thresholds(bits: int) -> int:
    """ceil(log2 k): products in a row to compare k-bit integers with public ones.

    >>> [depth_of_thresholds(k) for k in (1, 2, 8, 16, 17)]
    [0, 1, 3, 4, 5]
    """
    return (bits - 1).bit_length()


class Thresholds:
    """x > c for public c, from the bits of x, least significant first; in two's complement where ``signed``.

    ``bit`` is applied to every result of the formula: for encrypted arrays it settles, and claims, a bit. What is
    public whatever x is comes as the plain number 0 or 1.

    >>> x = Thresholds([1, 0, 1, 1])  # 13
    >>> [x.greater(c) for c in (-1, 0, 12, 13, 14, 15)]
    [1, 1, 1, 0, 0, 0]
    """

    def __init__(
        self, bits: Sequence[Bit], signed: bool = False, bit: Callable[[Any], Any] = lambda value: value
    ) -> None:
        self._bits = [*bits[:-1], 1 - bits[-1]] if signed else list(bits)  # with 2^(k-1) added
        self._shift = 1 << (len(bits) - 1) if signed else 0
        self._bit = bit
        self._known: dict[tuple[int, int, int], Any] = {}

    def greater(self, constant: int) -> Any:
        """The bit x > c."""
        return self._above(0, len(self._bits), constant + self._shift)

    def _above(self, low: int, high: int, constant: int) -> Any:
        """T(c) of the bits from ``low`` up to ``high``."""
        width = high - low
        if not 0 <= constant < (1 << width) - 1:
            return int(constant < 0)
        if width == 1:
            return self._bits[low]
        key = low, high, constant
        if key not in self._known:
            self._known[key] = self._pair(low, constant) if width == 2 else self._joined(low, high, constant)
        return self._known[key]

    def _pair(self, low: int, constant: int) -> Any:
        """T(0) = a OR b, T(1) = b, T(2) = a AND b, of bits a and b."""
        a, b = self._bits[low], self._bits[low + 1]
        if constant == 1:
            return b
        if constant == 0:
            return self._bit(a + b - self._above(low, low + 2, 2))
        return self._bit(a * b)

    def _joined(self, low: int, high: int, constant: int) -> Any:
        """T(c) of two groups; the lower is of 2^i bits, so that groups of all constants are the same."""
        middle = low + (1 << ((high - low - 1).bit_length() - 1))
        above, below = constant >> (middle - low), constant & ((1 << (middle - low)) - 1)
        greater = self._above(middle, high, above)
        if below == (1 << (middle - low)) - 1:
            return greater
        equal = self._above(middle, high, above - 1) - greater
        return self._bit(equal * self._above(low, middle, below) + greater)
