"""The primes of a modulus chain: derived from sizes, or checked when they were given.

An NTT prime of a ring of degree N is 1 mod 2N. Of each size the largest are taken: those just below a power of two
leave CKKS scales where they were put, and never exceed the width a transform was built for.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain, groupby

from fhe.costs import WORD_BITS
from fhe.errors import ParameterError
from fhe.primes import is_prime, ntt_primes

SMALLEST_BITS = 20
LARGEST_LEVEL_BITS = 2 * WORD_BITS
MOST_LIMBS = 256

Levels = tuple[tuple[int, ...], ...]


def split(bits: int) -> tuple[int, ...]:
    """The sizes of the primes that make a level: one, or two halves above 50 bits.

    >>> split(50), split(61)
    ((50,), (31, 30))
    """
    return (bits,) if bits <= WORD_BITS else (bits - bits // 2, bits // 2)


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

    Primes nearest to their power of two go to the levels above the base first, whose quotients are the scales.

    >>> derived_primes(4096, (40,), (41,), 1)
    (((1099511480321,),), (2199023190017,))
    """
    sizes = Counter(chain.from_iterable(map(split, (*modulus_bits, *special_bits))))
    pools = {bits: iter(_primes_of(ring_degree, bits, count, avoid)) for bits, count in sizes.items()}
    upper = [_take(pools, bits) for bits in modulus_bits[1:]]
    base = _take(pools, modulus_bits[0])
    return (base, *upper), tuple(chain.from_iterable(_take(pools, bits) for bits in special_bits))


def _take(pools: dict[int, Iterator[int]], bits: int) -> tuple[int, ...]:
    return tuple(next(pools[part]) for part in split(bits))


def _primes_of(ring_degree: int, bits: int, count: int, avoid: int) -> list[int]:
    """The largest primes of exactly this size that are 1 mod 2N and do not divide ``avoid``."""
    excluded: set[int] = set()
    while True:
        primes = ntt_primes(ring_degree, bits, count, exclude=excluded)
        excluded |= (dividing := {q for q in primes if avoid % q == 0})
        if not dividing:
            break
    enough = sum(q.bit_length() == bits for q in primes)
    if enough < count:
        raise ParameterError(
            f"{count} primes of {bits} bits are needed, only {enough} are 1 mod {2 * ring_degree}: use more bits, "
            "a smaller ring degree, or fewer levels of this size"
        )
    return primes


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
