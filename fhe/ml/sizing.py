"""Parameters for a network: the smallest secure ring whose levels hold its values with the precision asked for."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import Any

from fhe.choice import choose_chain
from fhe.costs import NARROW_BITS
from fhe.ml.folding import Folded
from fhe.ml.latency import FINER_BITS, value_scale
from fhe.moduli import SMALLEST_BITS
from fhe.parameters import CKKSParameters

Sizes = Iterator[tuple[int, ...]]

WIDEST_BITS = 80
ROOM_BITS = 2  # of the base above the largest value: its sign, and noise


def parameters_for(
    network: Folded, feature_bound: float, precision_bits: float, assume: bool, **options: Any
) -> CKKSParameters:
    """For samples up to a bound, and values within a network that are usually right to 2^-precision_bits.

    Levels are as wide as the ring allows that holds the narrowest: what security leaves makes results finer.
    """
    bounds = network.bounds(feature_bound, assume)
    sizes = partial(_squares if network.squares else _others, network, bounds, precision_bits)
    return choose_chain(sizes, feature_bound, **options)


def rounding_bits(ring_degree: int) -> float:
    """log2 of the root mean square in a slot of what dividing a ciphertext adds.

    >>> round(rounding_bits(8192), 1)
    10.9
    """
    return math.log2(ring_degree / 12 * (1 + 2 * ring_degree / 3)) / 2


def _squares(network: Folded, bounds: list[float], precision_bits: float, ring_degree: int) -> Sizes:
    """Chains where squares take no level: values have the scale S of `value_scale`, and their squares S^2."""
    depth, wanted = network.depth, precision_bits + rounding_bits(ring_degree)
    for level in _level_sizes(2 * (wanted - FINER_BITS)):
        bits = math.log2(value_scale(level))
        needs = [bits + math.log2(bounds[-1])]
        for above, bound in zip(range(depth - 1, 0, -1), bounds, strict=False):
            needs.append(2 * (bits + math.log2(max(bound, 1.0))) - above * level)
        yield (max(math.ceil(max(needs)) + ROOM_BITS, SMALLEST_BITS), *[level] * depth)


def _others(network: Folded, bounds: list[float], precision_bits: float, ring_degree: int) -> Sizes:
    """Chains where every product takes a level, at its scale."""
    for level in _level_sizes(precision_bits + rounding_bits(ring_degree)):
        yield (math.ceil(level + math.log2(bounds[-1])) + ROOM_BITS, *[level] * network.depth)


def _level_sizes(least: float) -> Iterator[int]:
    """The widest first that are one fast prime; where that is not enough, the narrowest first."""
    lowest = max(math.ceil(least), SMALLEST_BITS)
    yield from range(NARROW_BITS, lowest - 1, -1) if lowest <= NARROW_BITS else range(lowest, WIDEST_BITS)
