"""The primes of a modulus chain: derived from sizes, or checked when they were given.

An NTT prime of a ring of degree N is 1 mod 2N. Of each size the largest are taken: just below a power of two they leave
CKKS scales where they were put, and never exceed the width a transform was built for.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain, groupby

from fhe.costs import WORD_BITS
from fhe.errors import ParameterError
from fhe.primes import is_prime

SMALLEST_BITS = 20
LARGEST_LEVEL_BITS = 2 * WORD_BITS
MOST_LIMBS = 256
SMALLEST_RING_DEGREE, LARGEST_RING_DEGREE = 8, 1 << 17

Levels = tuple[tuple[int, ...], ...]


def split(bits: int) -> tuple[int, ...]:
    """The sizes of the primes that make a level: one, or two halves above 50 bits.

    >>> split(50), split(61)
    ((50,), (31, 30))
    """
    return (bits,) if bits <= WORD_BITS else (bits - bits // 2, bits // 2)


def check_degree(N: int) -> None:
    """ParameterError unless N is one that rings here may have.

    >>> check_degree(3 << 12)
    Traceback (most recent call last):
    fhe.errors.ParameterError: the ring degree must be a power of two from 8 to 2^17, not 12288
    """
    if not SMALLEST_RING_DEGREE <= N <= LARGEST_RING_DEGREE or N & (N - 1):
        raise ParameterError(f"the ring degree must be a power of two from 8 to 2^17, not {N}")


def log2_product(numbers: Iterable[int]) -> float:
    """log2 of a product of integers, without forming it.

    >>> log2_product([2**40, 2**41])
    81.0
    """
    return math.fsum(map(math.log2, numbers))


def runs(bits: Iterable[int]) -> str:
    """Sizes for people, equal neighbours counted.

    >>> runs([46, 40, 40, 40])
    '46+3x40'
    """
    counted = ((size, len(list(run))) for size, run in groupby(bits))
    return "+".join(str(size) if count == 1 else f"{count}x{size}" for size, count in counted)


def check_bits(modulus_bits: Sequence[int], special_bits: Sequence[int]) -> None:
    """Raise ParameterError unless there is a base level, a special prime, and every size is in range."""
    if not modulus_bits or not special_bits:
        raise ParameterError("a parameter set needs modulus_bits, base first, and special_bits, one entry each or more")
    if len(modulus_bits) + len(special_bits) > MOST_LIMBS:
        raise ParameterError(f"{len(modulus_bits) + len(special_bits)} levels and special primes exceed {MOST_LIMBS}")
    for bits in (*modulus_bits, *special_bits):
        if not SMALLEST_BITS <= bits <= LARGEST_LEVEL_BITS:
            raise ParameterError(
                f"sizes of levels and special primes go from {SMALLEST_BITS} to {LARGEST_LEVEL_BITS} bits, not {bits}"
            )


@lru_cache(maxsize=256)
def derived_primes(
    ring_degree: int, modulus_bits: tuple[int, ...], special_bits: tuple[int, ...], avoid: int
) -> tuple[Levels, tuple[int, ...]]:
    """The levels and special primes of these sizes, all distinct, none dividing ``avoid``; the same every time.

    A level of b bits is the largest free prime below 2^b, or two primes whose product is close below 2^b. The levels
    above the base, whose products the scales are divided by, choose first.

    >>> derived_primes(4096, (40,), (41,), 1)
    (((1099511480321,),), (2199023190017,))
    """
    search = _Search(ring_degree, avoid)
    upper = [search.group(bits) for bits in modulus_bits[1:]]
    base = search.group(modulus_bits[0])
    return (base, *upper), tuple(chain.from_iterable(map(search.group, special_bits)))


class _Search:
    """The primes of one ring that are still free, from above."""

    def __init__(self, ring_degree: int, avoid: int) -> None:
        self._order, self._avoid = 2 * ring_degree, avoid
        self._taken: set[int] = set()
        self._reached: dict[int, int] = {}

    def group(self, bits: int) -> tuple[int, ...]:
        """One prime, or two, with a product of exactly this many bits."""
        first = self._below(1 << split(bits)[0])
        group = (first,) if bits <= WORD_BITS else (first, self._below(min((1 << bits) // first, 1 << WORD_BITS)))
        if math.prod(group).bit_length() < bits:
            raise ParameterError(
                f"levels of {bits} bits run out of primes that are 1 mod {self._order}: use more bits, a smaller ring "
                "degree, or fewer levels of this size"
            )
        return group

    def _below(self, bound: int) -> int:
        """The largest free prime that is 1 mod 2N and at most ``bound``; 1 when there is none of 20 bits."""
        start = self._reached.get(bound, (bound - 1) // self._order * self._order + 1)
        candidates = range(start, 1 << (SMALLEST_BITS - 1), -self._order)
        free = (q for q in candidates if q not in self._taken and self._avoid % q and is_prime(q))
        q = next(free, 1)
        self._taken.add(q)
        self._reached[bound] = q
        return q


def check_primes(ring_degree: int, levels: Levels, special: tuple[int, ...]) -> None:
    """Raise ParameterError unless these are distinct NTT primes in groups of one or two; cheap checks come first."""
    if not levels or not special:
        raise ParameterError("a parameter set needs a base level and a special prime")
    limbs = sum(map(len, levels)) + len(special)
    if len(levels) > MOST_LIMBS or limbs > MOST_LIMBS:
        raise ParameterError(f"{max(limbs, len(levels))} levels and primes exceed {MOST_LIMBS}")
    if not all(1 <= len(level) <= 2 for level in levels):
        raise ParameterError(f"a level is a group of one or two primes, not of {[len(level) for level in levels]}")
    primes = [*chain.from_iterable(levels), *special]
    for q in primes:
        if type(q) is not int or not SMALLEST_BITS <= q.bit_length() <= WORD_BITS:
            raise ParameterError(f"primes are integers of {SMALLEST_BITS} to {WORD_BITS} bits")
    if len(set(primes)) < len(primes):
        raise ParameterError("the primes of a parameter set must be distinct, special ones included")
    for q in primes:
        if q % (2 * ring_degree) != 1 or not is_prime(q):
            raise ParameterError(f"{q} is not a prime that is 1 mod {2 * ring_degree}")
