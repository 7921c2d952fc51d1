"""From a keystream to samples, one little-endian 64-bit word w after another; nothing here runs in constant time."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence
from typing import Any

WORD = 1 << 64


def to_words(stream: Any) -> array[int]:
    """The words of bytes-like keystream."""
    words = array("Q")
    words.frombytes(memoryview(stream).cast("B"))
    if sys.byteorder == "big":
        words.byteswap()
    return words


def uniform(words: Sequence[int], count: int, q: int) -> array[int]:
    """The first `count` residues w mod q among the w < floor(2^64/q) * q, where every residue is equally likely."""
    limit = WORD // q * q
    residues = array("Q", [w % q for w in words if w < limit][:count])
    if len(residues) < count:
        raise ValueError(
            f"{len(residues)} of {len(words)} words are below the rejection limit of a {q.bit_length()}-bit prime and "
            f"{count} are needed: take primes below 2^50, and words from a random stream"
        )
    return residues


def ternary(words: Sequence[int], count: int) -> list[int]:
    """floor(3 w / 2^64) - 1: the three thirds of the words, to within 2^-64, are -1, 0 and 1."""
    return [(3 * w >> 64) - 1 for w in words[:count]]


def centred_binomial(words: Sequence[int], count: int) -> list[int]:
    """popcount(bits 0 … 20 of w) - popcount(bits 21 … 41): the sum of 21 differences of two fair bits."""
    mask = (1 << 21) - 1
    return [(w & mask).bit_count() - (w >> 21 & mask).bit_count() for w in words[:count]]


def pack(row: Sequence[int], bits: int) -> bytes:
    """The number sum_k row[k] * 2^(bits * k), little-endian."""
    digits = "".join(f"{residue:0{bits}b}" for residue in reversed(row))
    return int(digits, 2).to_bytes(len(row) * bits // 8, "little")


def unpack(data: bytes, bits: int) -> array[int]:
    """The inverse of `pack`."""
    count = 8 * len(data) // bits
    digits = f"{int.from_bytes(data, 'little'):0{count * bits}b}"
    return array("Q", [int(digits[start : start + bits], 2) for start in range((count - 1) * bits, -1, -bits)])
