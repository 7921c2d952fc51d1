"""Residue number systems: a basis of primes, and the ways from one basis to another, through big integers.

An integer x modulo Q = q_0 … q_{L-1} is held as its residues x_i = x mod q_i. With ``y_i = [x_i (Q/q_i)^-1] mod q_i``

    sum_i y_i * (Q/q_i) = [x mod Q] + v * Q,    0 <= v < L,

because both sides agree modulo every q_i and the left one is below L * Q. A *column* here is the tuple of residues
of one coefficient, one for each prime.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Final, NamedTuple

Rows = Sequence["array[int]"]


class RootPowers(NamedTuple):
    """What a transform modulo q needs: psi^e and psi^-e for 0 <= e < 2N, and N^-1."""

    forward: array[int]
    inverse: array[int]
    inverse_N: int


@lru_cache(maxsize=512)
def root_powers(ring_degree: int, q: int, psi: int) -> RootPowers:
    """The powers of a psi with psi^N = -1, by which psi^-e = psi^(2N-e)."""
    forward = array("Q", [1])
    for _ in range(2 * ring_degree - 1):
        forward.append(forward[-1] * psi % q)
    return RootPowers(forward, array("Q", [1, *reversed(forward[1:])]), pow(ring_degree, -1, q))


@dataclass(frozen=True)
class Basis:
    """Primes q_i = 1 mod 2N and their primitive 2N-th roots of unity psi_i."""

    ring_degree: int
    moduli: tuple[int, ...]
    roots: tuple[int, ...]

    def __post_init__(self) -> None:
        assert all(pow(psi, self.ring_degree, q) == q - 1 for q, psi in zip(self.moduli, self.roots, strict=True))

    def __len__(self) -> int:
        return len(self.moduli)

    def select(self, limbs: Iterable[int]) -> Basis:
        """The basis of some of the primes."""
        chosen = list(limbs)
        return Basis(self.ring_degree, tuple(self.moduli[i] for i in chosen), tuple(self.roots[i] for i in chosen))

    @cached_property
    def product(self) -> int:
        """Q."""
        return math.prod(self.moduli)

    @cached_property
    def cofactors(self) -> list[int]:
        """Q/q_i."""
        return [self.product // q for q in self.moduli]

    @cached_property
    def inverses(self) -> list[int]:
        """(Q/q_i)^-1 mod q_i."""
        return [pow(cofactor, -1, q) for cofactor, q in zip(self.cofactors, self.moduli, strict=True)]

    @cached_property
    def powers(self) -> list[RootPowers]:
        """Each prime's `RootPowers`."""
        return [root_powers(self.ring_degree, q, psi) for q, psi in zip(self.moduli, self.roots, strict=True)]

    def digits(self, column: Sequence[int]) -> list[int]:
        """The y_i of the equation above."""
        return [x * inverse % q for x, inverse, q in zip(column, self.inverses, self.moduli, strict=True)]

    def weighted_sum(self, y: Sequence[int]) -> int:
        """sum_i y_i * (Q/q_i)."""
        return sum(digit * cofactor for digit, cofactor in zip(y, self.cofactors, strict=True))

    def quotient(self, y: Sequence[int]) -> tuple[int, float]:
        """v = round(s) and s - v for s = sum_i y_i / q_i in IEEE doubles, in this order: as in `Backend.convert`."""
        s = 0.0
        for digit, q in zip(y, self.moduli, strict=True):
            s += float(digit) * (1.0 / q)
        v = math.floor(s + 0.5)
        return v, s - v


def convert(source: Basis, target: Basis, rows: Rows) -> list[array[int]]:
    """The representative of x mod Q that is nearest to zero, in the primes of the target."""
    integers = []
    for column in zip(*rows, strict=True):
        y = source.digits(column)
        integers.append(source.weighted_sum(y) - source.quotient(y)[0] * source.product)
    return to_residues(target, integers)


def scale_round(basis: Basis, t: int, rows: Rows) -> tuple[array[int], list[float]]:
    """round(t x / Q) mod t, and t x / Q less that.

    For r, the representative of t x that is nearest to zero, t x / Q rounds to (t x - r) / Q, which is -r / Q modulo t.
    """
    messages, rests = array("Q"), []
    for column in zip(*rows, strict=True):
        y = basis.digits([t * residue for residue in column])
        v, rest = basis.quotient(y)
        messages.append((v * basis.product - basis.weighted_sum(y)) * pow(basis.product, -1, t) % t)
        rests.append(rest)
    return messages, rests


def to_residues(basis: Basis, integers: Sequence[int]) -> list[array[int]]:
    """Each integer modulo each prime."""
    return [array("Q", [x % q for x in integers]) for q in basis.moduli]


def centred(basis: Basis, rows: Rows) -> list[int]:
    """The integers of (-Q/2, Q/2] with these residues, exactly."""
    Q = basis.product
    integers = (basis.weighted_sum(basis.digits(column)) % Q for column in zip(*rows, strict=True))
    return [x - Q if 2 * x > Q else x for x in integers]


EXACT: Final = 2**100  # in magnitude: below it every sum of `mixed_radix_sum` but the last is exact


def to_double(basis: Basis, integer: int) -> float:
    """The double nearest to an integer of (-Q/2, Q/2] below 2^100 in magnitude, else the `mixed_radix_sum`."""
    return float(integer) if abs(integer) < EXACT else mixed_radix_sum(balanced_digits(basis, integer), basis.moduli)


def balanced_digits(basis: Basis, integer: int) -> list[int]:
    """The a_i with |a_i| < q_i/2 and x = a_0 + a_1 q_0 + a_2 q_0 q_1 + …, for x in (-Q/2, Q/2]."""
    digits = []
    for q in basis.moduli:
        digits.append((integer + q // 2) % q - q // 2)
        integer = (integer - digits[-1]) // q
    return digits


def mixed_radix_sum(digits: Sequence[int], moduli: Sequence[int]) -> float:
    """a_0 + a_1 q_0 + a_2 q_0 q_1 + … by Horner's rule in pairs (high, low) of doubles, as `Backend.lift` has it."""
    high = low = 0.0
    for digit, q in zip(reversed(digits), reversed(moduli), strict=True):
        a, product = digit * 2.0**-64, high * q
        error = float(Fraction(high) * q - Fraction(product))
        total = product + a
        rest = (low * q + error) + (a - (total - product))
        joined = total + rest
        low = rest - (joined - total)
        high = min(max(joined, -(2.0**965)), 2.0**965)
    return high * 2.0**64
