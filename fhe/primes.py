"""Primes q = 1 mod 2N, their 2N-th roots of unity, and the Chinese remainder theorem, on Python integers.

Z_q[X]/(X^N + 1) has a negacyclic number theoretic transform exactly when Z_q holds a primitive 2N-th root of
unity psi, that is when 2N divides q - 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import count as count_from

from fhe.errors import ParameterError

WORD_BITS = 64

# Enough witnesses for every n < 3.3 * 10^24 > 2^64 (Sorenson, Webster, Math. Comp. 86, 2017).
_WITNESSES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)


@lru_cache(maxsize=4096)
def is_prime(n: int) -> bool:
    """Whether n < 2^64 is prime: Miller–Rabin with witnesses that decide every such n.

    >>> is_prime(2**61 - 1), is_prime(3215031751)  # the second fools the witnesses 2, 3, 5 and 7
    (True, False)
    """
    if n.bit_length() > WORD_BITS:
        raise ParameterError(f"primality is decided below 2^{WORD_BITS}, not for a number of {n.bit_length()} bits")
    if n < 2:
        return False
    for witness in _WITNESSES:
        if n % witness == 0:
            return n == witness
    odd, twos = n - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    return all(_passes(n, witness, odd, twos) for witness in _WITNESSES)


def _passes(n: int, witness: int, odd: int, twos: int) -> bool:
    """Whether ``witness^odd = 1`` or ``witness^(odd * 2^i) = -1 mod n`` for some i < twos, as it is for a prime n."""
    power = pow(witness, odd, n)
    if power in (1, n - 1):
        return True
    for _ in range(twos - 1):
        power = power * power % n
        if power == n - 1:
            return True
    return False


def ntt_primes(ring_degree: int, bits: int, count: int, exclude: Iterable[int] = ()) -> list[int]:
    """The `count` largest primes q < 2^bits with q = 1 mod 2N, descending, without those of `exclude`.

    Raises ParameterError when there are not that many.

    >>> ntt_primes(4096, bits=40, count=2)
    [1099511480321, 1099511390209]
    """
    order = _root_order(ring_degree)
    if not 2 <= bits <= WORD_BITS:
        raise ParameterError(f"primes have from 2 to {WORD_BITS} bits, not {bits}")
    excluded = set(exclude)
    primes: list[int] = []
    for q in range(((1 << bits) - 2) // order * order + 1, order, -order):
        if len(primes) == count:
            break
        if q not in excluded and is_prime(q):
            primes.append(q)
    if len(primes) < count:
        raise ParameterError(
            f"only {len(primes)} primes below 2^{bits} are 1 mod {order} and free, {count} are needed: "
            "use more bits, a smaller ring degree, or fewer levels"
        )
    return primes


def ntt_prime_near(ring_degree: int, value: float | Fraction, exclude: Iterable[int] = ()) -> int:
    """The prime q = 1 mod 2N, not in `exclude`, that is closest to a real value; of two, the smaller.

    CKKS divides the scale by a prime at each level; one close to the wanted ratio keeps the scales close.

    >>> ntt_prime_near(4096, 2.0**40)
    1099511480321
    >>> ntt_prime_near(4096, 2.0**40, exclude=[1099511480321])
    1099511799809
    """
    order = _root_order(ring_degree)
    if not 2 <= value < 1 << (WORD_BITS - 1):
        raise ParameterError(f"primes are looked for between 2 and 2^{WORD_BITS - 1}, not near {float(value):g}")
    excluded = set(exclude)
    return next(q for q in _by_distance(Fraction(value), order) if q not in excluded and is_prime(q))


def _by_distance(target: Fraction, order: int) -> Iterator[int]:
    """The numbers above 1 that are 1 mod `order`, by their distance to the target."""
    below = int((target - 1) // order) * order + 1
    above = below + order
    while True:
        if below > 1 and target - below <= above - target:
            yield below
            below -= order
        else:
            yield above
            above += order


def primitive_root(q: int, ring_degree: int) -> int:
    """psi = g^((q-1)/2N) mod q for the smallest g >= 2 that makes psi^N = -1 mod q.

    psi then has order exactly 2N. Raises ParameterError unless q is a prime that is 1 mod 2N.

    >>> psi = primitive_root(7681, 256)
    >>> psi, pow(psi, 256, 7681) == 7681 - 1
    (4055, True)
    """
    order = _root_order(ring_degree)
    if q % order != 1 or not is_prime(q):
        raise ParameterError(f"{q} is not a prime that is 1 mod {order}: take one from ntt_primes({ring_degree}, …)")
    # g^((q-1)/2) is -1 for half of all g: those that are no squares.
    for g in count_from(2):
        psi = pow(g, (q - 1) // order, q)
        if pow(psi, ring_degree, q) == q - 1:
            return psi
    raise AssertionError("every prime has a non-residue")


def crt_centred(residues: Sequence[int], moduli: Sequence[int]) -> int:
    """The integer of (-Q/2, Q/2], Q the product of the moduli, with these residues.

    >>> crt_centred([4, 6], [5, 7]), crt_centred([2, 3], [5, 7])
    (-1, 17)
    """
    if len(residues) != len(moduli) or not moduli:
        raise ParameterError(f"{len(residues)} residues do not belong to {len(moduli)} moduli: give one for each")
    Q = math.prod(moduli)
    if math.lcm(*moduli) != Q:
        raise ParameterError(
            f"the moduli {list(moduli)} share a factor: residues are determined by coprime moduli only"
        )
    x = sum(r * pow(Q // q, -1, q) % q * (Q // q) for r, q in zip(residues, moduli, strict=True)) % Q
    return x - Q if 2 * x > Q else x


def _root_order(ring_degree: int) -> int:
    """2N, for a ring degree N that is a power of two."""
    if ring_degree < 1 or ring_degree & (ring_degree - 1):
        raise ParameterError(f"the ring degree must be a power of two, not {ring_degree}")
    return 2 * ring_degree
