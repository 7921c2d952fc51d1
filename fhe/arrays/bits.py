"""Integers encrypted bit by bit: any width, exact comparison and sums in logarithmic depth.

`EncryptedBits` holds one `EncryptedArray` of zeros and ones for each bit, so it takes as many ciphertexts as there are
bits, however many slots are used: it pays for thousands of values. Sums grow by a bit, so nothing ever overflows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fhe.arrays.exact import claiming, complement
from fhe.circuits.bits import BIT, Bit, BitCircuits, Leaf
from fhe.errors import EncodingError
from fhe.interval import Interval
from fhe.io.registry import to_bytes
from fhe.validate import first_of, python_integers

WIDEST = 1024


class EncryptedBits:
    """Encrypted integers by their bits, least significant first; in two's complement where ``signed``.

    Made by `Context.encrypt_bits`. Comparisons give an `EncryptedArray` of 0 and 1. It combines with others of its
    kind, and with plain integers, which are compared at a lower price.

    >>> import fhe
    >>> owner = fhe.bfv(depth=5, plain_modulus=257, ring_degree=64, insecure="for this example", backend="reference")
    >>> x, y = owner.encrypt_bits([3, 200, 7], bits=8), owner.encrypt_bits([5, 100, 7], bits=8)
    >>> owner.decrypt(x > y).tolist(), owner.decrypt(x == y).tolist(), owner.decrypt(x + y).tolist()
    ([0, 1, 0], [0, 0, 1], [8, 300, 14])
    """

    __slots__ = ("bits", "signed")

    def __init__(self, bits: Sequence[Any], signed: bool = False) -> None:
        self.bits = tuple(bits)
        self.signed = signed

    # --- what is publicly known -------------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        shape: tuple[int, ...] = self.bits[0].shape
        return shape

    @property
    def width(self) -> int:
        """The number of bits, a sign included."""
        return len(self.bits)

    @property
    def interval(self) -> Interval:
        """What so many bits can hold."""
        return interval_of_bits(self.width, self.signed)

    @property
    def evaluator(self) -> Any:
        return self.bits[0].evaluator

    @property
    def key_id(self) -> bytes:
        key_id: bytes = self.bits[0].key_id
        return key_id

    def __len__(self) -> int:
        return len(self.bits[0])

    def __repr__(self) -> str:
        kind = "signed" if self.signed else "unsigned"
        return f"EncryptedBits(shape={self.shape}, {self.width} bits, {kind}, level={self.bits[0].level})"

    def decoded(self, bits: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """The integers of plain bits: int64 where that holds them, else Python's."""
        dtype = np.int64 if self.width < 64 else object
        total = np.zeros(self.shape, dtype=dtype)
        for index, bit in enumerate(bits):
            weight = -(1 << index) if self.signed and index == self.width - 1 else 1 << index
            total = total + bit.astype(dtype) * weight
        return total

    # --- as one array -----------------------------------------------------------------------------------------------

    def to_integers(self) -> Any:
        """The same integers as an `EncryptedArray`, a sum of multiples of bits: no product, where t holds them."""
        weights = [1 << index for index in range(self.width)]
        if self.signed:
            weights[-1] = -weights[-1]
        total = self.bits[0] * weights[0]
        for bit, weight in zip(self.bits[1:], weights[1:], strict=True):
            total = total + bit * weight
        return total

    # --- comparison -------------------------------------------------------------------------------------------------

    def __gt__(self, other: Any) -> Any:
        if isinstance(other, EncryptedBits):
            a, b, signed = self._aligned(other)
            return CIRCUITS.greater(a, b, signed)
        return self._encrypted(CIRCUITS.greater_of(self._against(other, less=False)))

    def __lt__(self, other: Any) -> Any:
        if isinstance(other, EncryptedBits):
            return other > self
        return self._encrypted(CIRCUITS.greater_of(self._against(other, less=True)))

    def __ge__(self, other: Any) -> Any:
        return complement(self < other)

    def __le__(self, other: Any) -> Any:
        return complement(self > other)

    def __ne__(self, other: object) -> Any:
        if isinstance(other, EncryptedBits):
            return CIRCUITS.differ(*self._aligned(other)[:2])
        return self._encrypted(CIRCUITS.any_of([n for _, n in self._against(other, less=False)]))

    def __eq__(self, other: object) -> Any:
        return complement(self != other)

    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> NoReturn:
        raise TypeError("an encrypted array has no truth value: no branch can depend on it; compute both branches")

    # --- arithmetic -------------------------------------------------------------------------------------------------

    def __add__(self, other: EncryptedBits) -> EncryptedBits:
        """The exact sum, a bit wider."""
        a, b, signed = self._aligned(other, wider=self.signed or getattr(other, "signed", False))
        total = CIRCUITS.add(a, b)
        return EncryptedBits(total[:-1] if signed else total, signed)

    def __sub__(self, other: EncryptedBits) -> EncryptedBits:
        """The exact difference, signed."""
        a, b, _ = self._aligned(other, wider=True)
        return EncryptedBits(CIRCUITS.subtract(a, b)[:-1], signed=True)

    def chosen(self, mask: Any, other: EncryptedBits) -> EncryptedBits:
        """These integers where the mask is 1, else the others: a product for each bit."""
        a, b, signed = self._aligned(other)
        return EncryptedBits([CIRCUITS.choose(mask, x, y) for x, y in zip(a, b, strict=True)], signed)

    def settled(self) -> EncryptedBits:
        """With pending relinearisations done."""
        return EncryptedBits([bit.settled() for bit in self.bits], self.signed)

    def to_bytes(self) -> bytes:
        """The integers as bytes, to be read by `Context.load`."""
        return to_bytes(self)

    # --- inside -----------------------------------------------------------------------------------------------------

    def _aligned(self, other: EncryptedBits, wider: bool = False) -> tuple[list[Bit], list[Bit], bool]:
        """The bits of both in one width, a bit more than needed where ``wider``, and whether they are signed."""
        if not isinstance(other, EncryptedBits):
            raise EncodingError(
                f"encrypted bits combine with encrypted bits, not {type(other).__name__}; encrypt it: "
                f"ctx.encrypt_bits(values, bits={self.width})"
            )
        signed = self.signed or other.signed
        width = max(x.width + (signed and not x.signed) for x in (self, other)) + wider
        return self._widened(width), other._widened(width), signed

    def _widened(self, width: int) -> list[Bit]:
        return [*self.bits, *[self.bits[-1] if self.signed else None] * (width - self.width)]

    def _encrypted(self, bit: Bit) -> Any:
        """A mask as an encrypted array, also where it is public: nothing of 8 bits is greater than 255."""
        if bit is None or isinstance(bit, np.ndarray):
            return claiming(self.bits[0] * 0 + (0 if bit is None else bit), BIT)
        return bit

    def _against(self, other: Any, less: bool) -> list[Leaf]:
        """(greater, not equal) of every bit and those of plain integers; (less, not equal) where asked."""
        low, high = self.interval.ends
        plain = np.asarray(np.clip(python_integers(np.asarray(other)), low - 1, high + 1), dtype=object)
        signed = self.signed or low - 1 in plain
        width = self.width + (signed and not self.signed) + (high + 1 in plain or (self.signed and low - 1 in plain))
        leaves = []
        for index, bit in enumerate(self._widened(width)):
            of_plain = np.asarray((plain >> index) & 1, dtype=np.int64)
            is_sign = signed and index == width - 1
            leaves.append(_plain_leaf(bit, of_plain, less != is_sign))
        return leaves


def encrypted_bits(
    encrypt: Callable[[NDArray[np.int64]], Any], values: ArrayLike, bits: int | None, signed: bool | None
) -> EncryptedBits:
    """Every bit of plain integers, encrypted; `Context.encrypt_bits` says more."""
    array = np.asarray(values)
    narrow = array.dtype.kind in "iu" and array.dtype.itemsize < 8
    if bits is None and not narrow:
        raise EncodingError(
            f"how many bits values of dtype {array.dtype} may have is for you to say: encrypt_bits(…, bits=16)"
        )
    if bits is None:
        bits, signed = 8 * array.dtype.itemsize, array.dtype.kind == "i" if signed is None else signed
    if not 1 <= bits <= WIDEST:
        raise EncodingError(f"integers have 1 to {WIDEST} bits here, not {bits}")
    plain, interval = python_integers(array), interval_of_bits(bits, bool(signed))
    low, high = interval.ends
    beyond = np.argwhere((plain < low) | (plain > high))
    if len(beyond):
        raise EncodingError(
            f"{first_of(beyond)} is outside {low} … {high}, what {bits} {'signed' if signed else 'unsigned'} bits "
            "hold; use more bits, or signed=True"
        )
    return EncryptedBits([encrypt(np.asarray((plain >> i) & 1, dtype=np.int64)) for i in range(bits)], bool(signed))


def interval_of_bits(bits: int, signed: bool) -> Interval:
    """What so many bits hold, a sign among them where ``signed``."""
    return Interval(-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else Interval(0, (1 << bits) - 1)


def _plain_leaf(a: Bit, b: NDArray[np.int64], less: bool) -> Leaf:
    """(a > b, a != b) of a bit and plain ones, or (a < b, a != b): no product of ciphertexts."""
    if not b.any():
        return (None if less else a), a
    if a is None:
        return (b if less else None), b
    if b.all():
        opposite = complement(a)
        return (opposite if less else None), opposite
    above = a * (1 - b)
    return (claiming(b - a * b, BIT) if less else claiming(above, BIT)), claiming(above + (b - a * b), BIT)


def _claimed(bit: Any) -> Any:
    return bit if isinstance(bit, np.ndarray) else claiming(bit.settled(), BIT)


CIRCUITS = BitCircuits(_claimed)
