"""Parameters for a network: the smallest secure ring whose levels hold its values with the precision asked for."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from fhe.choice import choose_chain
from fhe.circuits.extremes import largest
from fhe.costs import NARROW_BITS
from fhe.ml.folding import SQUARE, Folded
from fhe.ml.latency import FINER_BITS, value_scale
from fhe.moduli import SMALLEST_BITS
from fhe.noise import ROUNDING_VARIANCE, secret_norm, spread
from fhe.parameters import CKKSParameters

Sizes = Iterator[tuple[int, ...]]

WIDEST_BITS = 80
ROOM_BITS = 2  # of the base above the largest value: its sign, and a little
GAPS = 4  # slots for each entry of a vector, of which encrypted weights do not tell that they are zero
LARGEST_OF_MANY = 4  # the largest of some thousand rounding errors, in root mean squares


def parameters_for(
    network: Folded, feature_bound: float, precision_bits: float, assume: bool, **options: Any
) -> CKKSParameters:
    """For samples up to a bound, and values within a network that are usually right to 2^-precision_bits.

    Levels are as wide as the ring allows that holds the narrowest: what security leaves makes results finer.
    """
    sizes = partial(_squares if network.squares else _others, network, feature_bound, precision_bits, assume)
    return choose_chain(sizes, feature_bound, **options)


def rounding_bits(ring_degree: int) -> float:
    """log2 of the root mean square in a slot of what dividing a ciphertext adds.

    >>> round(rounding_bits(8192), 1)
    10.9
    """
    return math.log2(ring_degree / 12 * (1 + 2 * ring_degree / 3)) / 2


def _squares(network: Folded, bound: float, precision_bits: float, assume: bool, ring_degree: int) -> Sizes:
    """Chains where squares take no level: values have the scale S of `value_scale`, and their squares S^2."""
    depth, wanted = network.depth, precision_bits + rounding_bits(ring_degree)
    for level in _level_sizes(2 * (wanted - FINER_BITS)):
        scale = value_scale(level)
        reached = _reached(network, bound, assume, ring_degree, scale, 2.0**level / scale)
        needs = [math.log2(scale * reached[-1])]
        for above, most in zip(range(depth - 1, 0, -1), reached, strict=False):
            needs.append(2 * math.log2(scale * max(most, 1.0)) - above * level)
        yield (max(math.ceil(max(needs)) + ROOM_BITS, SMALLEST_BITS), *[level] * depth)


def _others(network: Folded, bound: float, precision_bits: float, assume: bool, ring_degree: int) -> Sizes:
    """Chains where every product takes a level, at its scale."""
    for level in _level_sizes(precision_bits + rounding_bits(ring_degree)):
        reached = _reached(network, bound, assume, ring_degree, 2.0**level, 2.0**level)
        yield (math.ceil(level + math.log2(reached[-1])) + ROOM_BITS, *[level] * network.depth)


def _reached(
    network: Folded, bound: float, assume: bool, ring_degree: int, scale: float, weight_scale: float
) -> list[float]:
    """What values and bounds on their errors come to after each map: as evaluation tracks them, or a little more."""
    divided = math.sqrt(ring_degree * ROUNDING_VARIANCE * (1 + secret_norm(ring_degree) ** 2)) * spread(ring_degree)
    encoded = math.sqrt(ring_degree * ROUNDING_VARIANCE) * LARGEST_OF_MANY
    moved = (encoded + divided if network.apart else encoded) / weight_scale  # weights that are encrypted have noise
    error, found = 0.0, []
    for index, affine in enumerate(network.maps):
        count = int(np.count_nonzero(affine.matrix, axis=1).max())
        more = (GAPS << (affine.matrix.shape[1] - 1).bit_length()) / count if network.apart else 1.0
        error = more * (affine.gain * error + count * moved * bound) + divided / scale
        found.append(more * affine.bound(bound) + error)
        if index < len(network.polynomials):
            p = network.polynomials[index]
            most = affine.bound(bound) if p is SQUARE and not assume else 1.0
            error = largest(p.deriv(), -most, most) * error + error * error
            bound = most * most if p is SQUARE else largest(p, -1.0, 1.0)
    return found


def _level_sizes(least: float) -> Iterator[int]:
    """The widest first that are one fast prime; where that is not enough, the narrowest first."""
    lowest = max(math.ceil(least), SMALLEST_BITS)
    yield from range(NARROW_BITS, lowest - 1, -1) if lowest <= NARROW_BITS else range(lowest, WIDEST_BITS)
