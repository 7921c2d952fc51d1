"""Modulus chains in sizes; for BFV the cheapest that holds the noise of so many products, and a flood behind them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from fhe import costs
from fhe.costs import NARROW_BITS, WORD_BITS
from fhe.moduli import SMALLEST_BITS
from fhe.noise import add, chain_noise, flood, public_encryption

LARGEST_DIGIT = 8
MARGINS = range(10, -31, -5)
QUARTER_BITS = 2  # of the room for noise, which owners want to see free
NEED_SLACK_BITS = 0.1  # primes are a little smaller than the powers of two they are counted as


@dataclass(frozen=True, slots=True)
class Chain:
    """A modulus chain in sizes: levels, special primes, limbs of a digit; and its cycles, to compare by."""

    levels: tuple[int, ...]
    special: tuple[int, ...]
    digit: int
    cycles: float


@dataclass(frozen=True, slots=True)
class Integers:
    """What a BFV chain is for: the ring, the plain modulus t, products in a row, sums of them, bits to hide by."""

    ring_degree: int
    plain_modulus: int
    depth: int
    sums: int
    hide: int | None

    def need(self, digits: Sequence[float]) -> float:
        """The bits that Q has to have for keys of such digits."""
        N, log_t = self.ring_degree, math.log2(self.plain_modulus)
        noise = chain_noise(N, log_t, math.inf, digits, self.depth, self.sums)
        if self.hide is not None:
            own = add(noise, public_encryption(N))
            noise = add(own, flood(N, own, self.hide)) + QUARTER_BITS
        return noise + log_t + 1


def integer_chain(asked: Integers, room: float) -> Chain | None:
    """The cheapest chain whose noise bound stays within the limit after ``depth`` products.

    A smaller P lets every key switching add more noise, which Q then has to hold: both ways are tried.
    """
    if asked.need([-math.inf]) > room:
        return None  # not even with free key switching
    candidates = (
        found
        for digit in range(1, LARGEST_DIGIT + 1)
        for margin in MARGINS
        for width in (NARROW_BITS, WORD_BITS)
        if (found := _candidate(asked, digit, margin, width))
    )
    fitting = [found for found in candidates if sum(found.levels) + sum(found.special) <= room]
    return min(fitting, key=lambda chain: chain.cycles, default=None)


@lru_cache(maxsize=4096)
def _candidate(asked: Integers, digit: int, margin: int, width: int) -> Chain | None:
    """Levels of at most ``width`` bits for digits of ``digit`` limbs and a P of ``margin`` bits more than a digit."""
    limbs, need = digit, math.inf
    while limbs * width < need:  # more limbs are more digits, and a little more noise
        limbs = digit if need == math.inf else max(limbs + 1, math.ceil(need / width))
        need = asked.need([-float(margin)] * math.ceil(limbs / digit)) + NEED_SLACK_BITS
    size = max(math.ceil(need / limbs), SMALLEST_BITS)
    wanted = max(digit * size + margin, SMALLEST_BITS)
    primes = math.ceil(wanted / width)
    special = (max(math.ceil(wanted / primes), SMALLEST_BITS),) * primes
    q_bits = (size,) * limbs
    cycles = costs.product_bfv(asked.ring_degree, q_bits, special, digit)
    cycles += costs.rotation(asked.ring_degree, q_bits, special, digit)
    return Chain(q_bits, special, digit, cycles)
