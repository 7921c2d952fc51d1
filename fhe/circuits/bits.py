"""Integers as bits: comparison, sums and choices in logarithmic depth, from products alone.

A bit is anything of value 0 or 1 that knows + - and *: an encrypted array holds that bit of many integers at once. Then
a b is AND, a + b - a b OR, a + b - 2 a b XOR, modulo whatever. No constant is ever needed: instead of "equal" circuits
carry n, "not equal". Two adjacent groups of bits, high and low, join as

    greater = g_high + (1 - n_high) g_low = g_high + g_low - n_high g_low,    n = n_high + n_low - n_high n_low,

a product each, and a balanced tree of k bits takes ceil(log2 k) of them in a row, after one for the bits themselves.
(Divide and conquer as in Garay, Schoenmakers, Villegas, PKC 2007.) A bit that is publicly 0 is None, and costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fhe.interval import Interval

BIT = Interval(0, 1)

Bit = Any  # of value 0 or 1, or None, which is 0
Leaf = tuple[Bit, Bit]
Join = Callable[[Leaf, Leaf, bool], Leaf]


def depth_of_bits(bits: int) -> int:
    """1 + ceil(log2 k): products in a row to compare k-bit integers.

    >>> [depth_of_bits(k) for k in (1, 2, 8, 16, 17, 32)]
    [1, 2, 4, 5, 6, 6]
    """
    return 1 + (bits - 1).bit_length()


def products_of_bits(bits: int) -> int:
    """Products, each relinearised, to compare k-bit integers: for every bit, and in the tree.

    >>> [products_of_bits(k) for k in (1, 2, 8, 16)]
    [1, 3, 19, 42]
    """
    return 3 * bits - 2 - (bits - 1).bit_length()


class BitCircuits:
    """Circuits on bits, least significant first. ``bit`` is applied to every result of the formulas above.

    For encrypted arrays it settles what is pending, and claims what the formula gives: a bit.

    >>> plain = BitCircuits(lambda bit: bit)
    >>> plain.greater([0, 1, 1], [1, 0, 1]), plain.differ([0, 1], [0, 1])
    (1, 0)
    >>> plain.add([1, 1], [1, 0]), plain.subtract([0, 1], [1, 0])
    ([0, 0, 1], [1, 0, 0])
    """

    def __init__(self, bit: Callable[[Any], Any]) -> None:
        self._bit = bit

    def bit(self, value: Bit) -> Bit:
        return None if value is None else self._bit(value)

    # --- one bit of two integers ------------------------------------------------------------------------------------

    def both(self, a: Bit, b: Bit) -> Bit:
        """a AND b."""
        return self.bit(_times(a, b))

    def either(self, a: Bit, b: Bit) -> Bit:
        """a OR b = a + b - a b."""
        return self.bit(_minus(_plus(a, b), _times(a, b)))

    def exclusive(self, a: Bit, b: Bit, ab: Bit) -> Bit:
        """a XOR b = a + b - 2 a b, given the product."""
        return self.bit(_minus(_minus(_plus(a, b), ab), ab))

    def choose(self, mask: Bit, a: Bit, b: Bit) -> Bit:
        """a where the mask is 1, else b: b + mask (a - b)."""
        return self.bit(_plus(b, _times(mask, _minus(a, b))))

    # --- comparison -------------------------------------------------------------------------------------------------

    def greater(self, a: Sequence[Bit], b: Sequence[Bit], signed: bool = False) -> Bit:
        """a > b for integers of equally many bits; two's complement where ``signed``."""
        leaves = self._leaves(a, b)
        if signed:  # of two signs the negative one is the smaller
            leaves[-1] = self._leaves(b[-1:], a[-1:])[0]
        return self.greater_of(leaves)

    def _leaves(self, a: Sequence[Bit], b: Sequence[Bit]) -> list[Leaf]:
        """(greater, not equal) bit by bit."""
        products = [self.both(x, y) for x, y in zip(a, b, strict=True)]
        return [(self.bit(_minus(x, xy)), self.exclusive(x, y, xy)) for x, y, xy in zip(a, b, products, strict=True)]

    def greater_of(self, leaves: Sequence[Leaf]) -> Bit:
        """Whether the first is greater, from (greater, not equal) bit by bit."""
        return self._greater_of(leaves, needed=False)[0]

    def _greater_of(self, leaves: Sequence[Leaf], needed: bool) -> Leaf:
        """(greater, not equal); the latter means something only where ``needed``."""
        if len(leaves) == 1:
            return leaves[0]
        half = (len(leaves) + 1) // 2
        return self._higher(self._greater_of(leaves[half:], True), self._greater_of(leaves[:half], needed), needed)

    def _higher(self, high: Leaf, low: Leaf, needed: bool) -> Leaf:
        """The join of two groups: what is greater above, or below where all above is equal."""
        (g_high, n_high), (g_low, n_low) = high, low
        g = self.bit(_minus(_plus(g_high, g_low), _times(n_high, g_low)))
        return g, self.either(n_high, n_low) if needed else None

    def differ(self, a: Sequence[Bit], b: Sequence[Bit]) -> Bit:
        """a != b."""
        return self.any_of([n for _, n in self._leaves(a, b)])

    def any_of(self, bits: Sequence[Bit]) -> Bit:
        """Whether one of them is 1."""
        if len(bits) == 1:
            return bits[0]
        half = len(bits) // 2
        return self.either(self.any_of(bits[:half]), self.any_of(bits[half:]))

    # --- sums -------------------------------------------------------------------------------------------------------

    def add(self, a: Sequence[Bit], b: Sequence[Bit]) -> list[Bit]:
        """a + b of equally many bits, and the carry out of them.

        A group of bits generates a carry (g), or hands one on (p): g = g_high + p_high g_low, p = p_high p_low.
        """
        products = [self.both(x, y) for x, y in zip(a, b, strict=True)]
        sums = [self.exclusive(x, y, xy) for x, y, xy in zip(a, b, products, strict=True)]
        return self._with_carries(sums, list(zip(products, sums, strict=True)), self._carry)

    def subtract(self, a: Sequence[Bit], b: Sequence[Bit]) -> list[Bit]:
        """a - b of equally many bits, modulo a power of two, and the borrow: whether b > a in the bits below."""
        leaves = self._leaves(b, a)
        return self._with_carries([n for _, n in leaves], leaves, self._higher)

    def _carry(self, high: Leaf, low: Leaf, needed: bool) -> Leaf:
        (g_high, p_high), (g_low, p_low) = high, low
        g = self.bit(_plus(g_high, _times(p_high, g_low)))
        return g, self.both(p_high, p_low) if needed else None

    def _with_carries(self, sums: list[Bit], groups: list[Leaf], join: Join) -> list[Bit]:
        """sums XOR what comes out of bits 0, 0 … 1, 0 … 2, …, all of it by k/2 log2 k joins.

        (Sklansky, IRE Trans. Electronic Computers 1960.)
        """
        width = 1
        while width < len(groups):
            for index in range(len(groups)):
                if index & width:  # the upper half of a block meets the last of the lower half
                    below = groups[(index & ~(width - 1)) - 1]
                    groups[index] = join(groups[index], below, index >= 2 * width)  # of prefixes only g is asked for
            width *= 2
        carries = [g for g, _ in groups]
        bits = [self.exclusive(s, c, self.both(s, c)) for s, c in zip(sums[1:], carries, strict=False)]
        return [sums[0], *bits, carries[-1]]


def _times(a: Bit, b: Bit) -> Bit:
    return None if a is None or b is None else a * b


def _plus(a: Bit, b: Bit) -> Bit:
    return b if a is None else a if b is None else a + b


def _minus(a: Bit, b: Bit) -> Bit:
    return a if b is None else -b if a is None else a - b
