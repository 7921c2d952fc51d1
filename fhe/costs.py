"""What operations cost in cycles: counts of transforms, conversions and key bytes, and one table of constants.

A model to compare parameter sets by, not to predict a machine. The counts are those of hybrid key switching (Han,
Ki, CT-RSA 2020), a merged relinearise–ModDown–rescale, and the product of Kim, Polyakov and Zucca (ASIACRYPT 2021).
Primes are given by their bits: ``q_bits`` for the limbs of Q, ``p_bits`` for the special primes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

# Measured on one core of a Sapphire-Rapids-class server with AVX-512 IFMA, in cycles of its vector multiplier
# (two 512-bit multiply-adds each), hot caches, bracketed by a chain of known instructions. Rough on purpose:
# the choice between parameter sets needs ratios, and those move little from machine to machine.
FORWARD = 3.25  # forward transform, exact, per 8 butterflies, primes below 2^46 (3.23 … 3.26 for N = 2^12 … 2^16)
INVERSE = 3.80  # inverse transform, exact, per 8 butterflies (3.68 … 3.82)
WIDE = 1.40  # factor on transforms for primes of 47 … 50 bits
POINTWISE = 6.0  # one exact modular product of 8 residues
PERMUTED = 0.7  # moving one residue where an automorphism wants it
SHARED_CACHE = 9.5  # bytes per cycle from the shared cache
MEMORY = 4.0  # bytes per cycle from memory
LARGE_KEY = 32e6  # bytes of a switching key from which it is read from memory
CLOCK = 2.1e9  # cycles per second of that machine

NARROW_BITS = 46  # up to here transforms need no reductions inside
WORD_BITS = 50  # no prime is wider


def milliseconds(cycles: float) -> float:
    """Cycles on the machine of the constants, as time.

    >>> milliseconds(2.1e6)
    1.0
    """
    return 1e3 * cycles / CLOCK


def transforms(ring_degree: int, bits: Sequence[int], inverse: bool = False) -> float:
    """One transform for each of the primes.

    >>> transforms(4096, [46]) < transforms(4096, [47]) < transforms(4096, [46, 46])
    True
    """
    passes = ring_degree * math.log2(ring_degree) / 16 * (INVERSE if inverse else FORWARD)
    return passes * sum(WIDE if b > NARROW_BITS else 1.0 for b in bits)


def conversion(ring_degree: int, inputs: int, outputs: int) -> float:
    """From ``inputs`` primes to ``outputs`` others: half-cycle slots 2 i o + 7 i + 4 o for 8 coefficients.

    >>> conversion(8, inputs=5, outputs=6)
    59.5
    """
    return ring_degree / 8 * (2 * inputs * outputs + 7 * inputs + 4 * outputs) / 2


def key_bytes(ring_degree: int, limbs: int, special: int, digit: int) -> int:
    """A switching key in memory: two polynomials over P*Q for each digit.

    >>> key_bytes(2**14, limbs=7, special=3, digit=3)
    7864320
    """
    return 2 * math.ceil(limbs / digit) * (limbs + special) * ring_degree * 8


def decomposition(ring_degree: int, q_bits: Sequence[int], p_bits: Sequence[int], digit: int) -> float:
    """A polynomial to its digits over P*Q, and their inner product with a switching key.

    >>> fewer, more = (decomposition(2**14, [46] + [40] * 6, [46] * special, special) for special in (3, 1))
    >>> fewer < more
    True
    """
    limbs, total = len(q_bits), len(q_bits) + len(p_bits)
    cycles = transforms(ring_degree, q_bits, inverse=True)
    for start in range(0, limbs, digit):
        others = [*q_bits[:start], *q_bits[start + digit :], *p_bits]
        cycles += conversion(ring_degree, total - len(others), len(others)) + transforms(ring_degree, others)
    size = key_bytes(ring_degree, limbs, len(p_bits), digit)  # reading the key takes longer than multiplying by it
    return cycles + size / (MEMORY if size > LARGE_KEY else SHARED_CACHE)


def division(ring_degree: int, dropped: Sequence[int], kept: Sequence[int]) -> float:
    """round(x / D) of one polynomial in the evaluation domain: ModDown, rescaling, or both at once.

    >>> one, other = division(4096, [46], [40, 40]), division(4096, [40], [40])
    >>> division(4096, [46, 40], [40]) < one + other
    True
    """
    return (
        transforms(ring_degree, dropped, inverse=True)
        + conversion(ring_degree, len(dropped), len(kept))
        + transforms(ring_degree, kept)
        + len(kept) * ring_degree / 8 * POINTWISE
    )


def rotation(ring_degree: int, q_bits: Sequence[int], p_bits: Sequence[int], digit: int) -> float:
    """An automorphism with its key switching.

    >>> 0.5 < milliseconds(rotation(2**14, [46] + [40] * 6, [46] * 3, digit=3)) < 5
    True
    """
    return decomposition(ring_degree, q_bits, p_bits, digit) + 2 * division(ring_degree, p_bits, q_bits)


def hoisted_rotation(ring_degree: int, limbs: int, special: int, digit: int) -> float:
    """One more rotation of a decomposed ciphertext, not divided by P: inner product with its key, and automorphism.

    >>> hoisted_rotation(2**14, 7, 3, 3) < rotation(2**14, [46] + [40] * 6, [46] * 3, digit=3)
    True
    """
    moved = 2 * (limbs + special) * ring_degree * PERMUTED
    return key_bytes(ring_degree, limbs, special, digit) / MEMORY + moved  # every rotation has a key of its own


def extended_rotation(ring_degree: int, q_bits: Sequence[int], p_bits: Sequence[int], digit: int) -> float:
    """A rotation of a ciphertext over P*Q that stays there: only c_1 is divided by P, for its digits.

    >>> one = extended_rotation(2**14, [46] + [40] * 6, [46] * 3, digit=3)
    >>> hoisted_rotation(2**14, 7, 3, 3) < one < 2 * rotation(2**14, [46] + [40] * 6, [46] * 3, digit=3)
    True
    """
    own = hoisted_rotation(ring_degree, len(q_bits), len(p_bits), digit)
    return decomposition(ring_degree, q_bits, p_bits, digit) + division(ring_degree, p_bits, q_bits) + own


def extended_product(ring_degree: int, limbs: int) -> float:
    """A ciphertext over so many limbs of P*Q times a plaintext there, added to a sum.

    >>> extended_product(4096, 5) < hoisted_rotation(4096, 4, 1, 1)
    True
    """
    return 2 * limbs * ring_degree / 8 * POINTWISE / 4


def product_ckks(ring_degree: int, q_bits: Sequence[int], p_bits: Sequence[int], digit: int, dropped: int = 1) -> float:
    """Multiply, relinearise and rescale by the last ``dropped`` limbs (none at level 0).

    >>> product_ckks(2**13, [46, 40, 40], [46], 1) < product_ckks(2**14, [46, 40, 40], [46], 1)
    True
    """
    kept = q_bits[: max(len(q_bits) - dropped, 1)]
    tensor = 3 * len(q_bits) * ring_degree / 8 * POINTWISE
    divided = [*p_bits, *q_bits[len(kept) :]]
    return tensor + decomposition(ring_degree, q_bits, p_bits, digit) + 2 * division(ring_degree, divided, kept)


def product_bfv(ring_degree: int, q_bits: Sequence[int], p_bits: Sequence[int], digit: int) -> float:
    """Multiply over Q and an auxiliary basis of its size, relinearise, and divide by t/A and P at once.

    >>> product_bfv(2**14, [46] * 7, [46] * 3, 3) > 2 * product_ckks(2**14, [46] * 7, [46] * 3, 3)
    True
    """
    limbs = len(q_bits)
    shared = len(p_bits) if sum(p_bits) <= sum(q_bits) else limbs
    auxiliary = [*p_bits[:shared], *[NARROW_BITS] * math.ceil((sum(q_bits) - sum(p_bits[:shared])) / NARROW_BITS)]
    both = [*q_bits, *auxiliary]
    there, back = conversion(ring_degree, limbs, len(auxiliary)), conversion(ring_degree, len(auxiliary), limbs)
    extend = 4 * transforms(ring_degree, q_bits, inverse=True) + 4 * there + 2 * transforms(ring_degree, auxiliary)
    round_one = 2 * (back + transforms(ring_degree, both))
    tensor = 4 * len(both) * ring_degree / 8 * POINTWISE
    divide = division(ring_degree, auxiliary, q_bits)
    relinearise = decomposition(ring_degree, q_bits, p_bits, digit)
    return extend + round_one + tensor + relinearise + 3 * divide
