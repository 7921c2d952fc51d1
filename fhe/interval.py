"""What is publicly known of encrypted integers: an interval, and whether it fits the plain modulus.

A residue mod t stands for exactly one integer of an interval of at most t integers. So every operation first finds the
interval of its result from those of its operands, and raises ValueOverflowError where that holds more than t: what is
computed then decrypts to the true integer. An interval is a promise about *all* slots, padding included; it is chosen
by the caller, by the dtype or by default, never from the data.

Arithmetic modulo t, where wrapping is wanted, has residues instead of an interval: all integers are allowed, and each
is read as its representative from ``low`` up, signed or unsigned. Whatever meets residues becomes residues.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fhe.errors import EncodingError, ValueOverflowError

Bound = float | tuple[float, float] | None

WORD = 1 << 62  # what int64 holds with room for one sum


@dataclass(frozen=True, slots=True)
class Interval:
    """The integers from ``low`` to ``high``; residues, to be read from ``low`` up, where ``high`` is None.

    >>> Interval(-3, 5) + Interval(0, 10), Interval(-3, 5) * Interval(-2, 2), Interval(-3, 5).square()
    (Interval(low=-3, high=15), Interval(low=-10, high=10), Interval(low=0, high=25))
    """

    low: int
    high: int | None

    # --- where intervals come from ----------------------------------------------------------------------------------

    @classmethod
    def residues(cls, t: int, signed: bool = True) -> Interval:
        """Arithmetic modulo t, read in [-t/2, t/2) or, unsigned, in [0, t)."""
        return cls(-(t // 2) if signed else 0, None)

    @classmethod
    def symmetric(cls, reach: int) -> Interval:
        """-reach … reach."""
        return cls(-reach, reach)

    @classmethod
    def of(cls, values: NDArray[np.integer] | NDArray[np.object_], zero: bool = False) -> Interval:
        """The interval of public values; with ``zero``, of zero too."""
        low, high = (int(values.min()), int(values.max())) if values.size else (0, 0)
        return cls(min(low, 0), max(high, 0)) if zero else cls(low, high)

    @classmethod
    def declared(cls, bound: Bound, dtype: np.dtype[Any], t: int) -> Interval:
        """What a caller promises of values to be encrypted, zero always included, since padding is zero.

        ``bound`` is a largest magnitude or a pair (low, high); infinity asks for residues, ``(0, inf)`` for unsigned
        ones. Without it, integers narrower than 64 bits may be whatever their dtype holds, if t tells all of it apart,
        and any others at most sqrt(t / 2) in magnitude, so that every product of two inputs fits.

        >>> import numpy as np
        >>> Interval.declared(None, np.dtype("uint8"), 65537), Interval.declared(None, np.dtype("int64"), 65537)
        (Interval(low=0, high=255), Interval(low=-181, high=181))
        """
        if bound is None:
            return cls._by_default(dtype, t)
        low, high = (-bound, bound) if not isinstance(bound, tuple) else bound
        if not low <= high or (high < 0 and low == -math.inf):
            raise EncodingError(f"bound= takes a largest magnitude, or a pair (low, high), not {bound}")
        if math.inf in (abs(low), abs(high)):
            return cls.residues(t, signed=low < 0)
        return cls(min(math.ceil(low), 0), max(math.floor(high), 0)).fit(t, "an encryption")

    @classmethod
    def _by_default(cls, dtype: np.dtype[Any], t: int) -> Interval:
        own = cls(0, 1) if dtype.kind == "b" else None
        if dtype.kind in "iu" and dtype.itemsize < 8:
            own = cls(int(np.iinfo(dtype).min), int(np.iinfo(dtype).max))
        if own and own.fits(t):
            return own
        return cls.symmetric(math.isqrt((t - 1) // 2)) if t > 2 else cls(0, 1)

    # --- what they say ----------------------------------------------------------------------------------------------

    @property
    def wraps(self) -> bool:
        """Is this arithmetic modulo t?"""
        return self.high is None

    @property
    def magnitude(self) -> float:
        """The largest |value|."""
        return math.inf if self.high is None else max(abs(self.low), abs(self.high))

    @property
    def ends(self) -> tuple[int, int]:
        """(low, high) of an interval that is one."""
        assert self.high is not None
        return self.low, self.high

    def fits(self, t: int) -> bool:
        """Does t tell the integers of this interval apart?"""
        return self.high is None or (self.high - self.low < t and max(abs(self.low), abs(self.high)) < max(t, WORD))

    def fit(self, t: int, what: str) -> Interval:
        """This interval; ValueOverflowError, with what would hold it, if ``what`` it is of could wrap modulo t."""
        if not self.fits(t):
            raise ValueOverflowError(
                f"{what} may take values from {_short(self.low)} to {_short(self.high)}, more than t = {_short(t)} "
                f"tells apart; use fhe.bfv(value_bits={self.value_bits}), promise a smaller bound= when encrypting, or "
                f"ask for arithmetic modulo t with wrap=True"
            )
        return self

    @property
    def value_bits(self) -> int:
        """Bits, besides the sign, of the widest integer within."""
        return max(abs(self.low), abs(self.high or 0), 1).bit_length()

    def representatives(self, residues: NDArray[np.int64], t: int) -> NDArray[np.int64]:
        """The integers that residues mod t stand for: the first from ``low`` up."""
        return (residues - self.low % t) % t + self.low

    # --- arithmetic -------------------------------------------------------------------------------------------------

    def __add__(self, other: Interval) -> Interval:
        if self.high is None or other.high is None:
            return self._wrapped(other)
        return Interval(self.low + other.low, self.high + other.high)

    def __sub__(self, other: Interval) -> Interval:
        return self + -other

    def __neg__(self) -> Interval:
        return self if self.high is None else Interval(-self.high, -self.low)

    def __mul__(self, other: Interval) -> Interval:
        if self.high is None or other.high is None:
            return self._wrapped(other)
        corners = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        return Interval(min(corners), max(corners))

    def square(self) -> Interval:
        """Of x * x."""
        product = self * self
        return product if product.high is None else Interval(max(product.low, 0), product.high)

    def hull(self, other: Interval) -> Interval:
        """Of a value of either."""
        if self.high is None or other.high is None:
            return self._wrapped(other)
        return Interval(min(self.low, other.low), max(self.high, other.high))

    def _wrapped(self, other: Interval) -> Interval:
        """Residues; unsigned unless an operand's are signed."""
        return Interval(min(x.low for x in (self, other) if x.high is None), None)


def _short(number: int | None) -> str:
    """A number as people read it: in full up to 2^64, then by its bits."""
    number = number or 0
    return str(number) if abs(number) <= 1 << 64 else f"{'-' if number < 0 else ''}2^{abs(number).bit_length()}"
