"""A small BFV integer against many public constants: polynomials of it that share its powers.

x > c on low … high is a table, and so a polynomial of degree high - low. Those of all c are combinations of the same
powers: high - low products at most for all of them together, where each alone takes about 2 sqrt(high - low).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from fhe.bfv.evaluator import BFVEvaluator
from fhe.circuits.capacity import require_products
from fhe.circuits.differences import WIDEST, as_bit
from fhe.circuits.modular import evaluate_all, interpolate
from fhe.errors import EncodingError
from fhe.interval import Interval
from fhe.rlwe.ciphertext import Ciphertext


def depth_of_tables(interval: Interval) -> int:
    """ceil(log2 n) for n values, and one for constants: products in a row.

    >>> depth_of_tables(Interval(0, 1)), depth_of_tables(Interval(0, 16)), depth_of_tables(Interval(-8, 7))
    (2, 6, 5)
    """
    return (interval.ends[1] - interval.low).bit_length() + 1


def beyond(evaluator: BFVEvaluator, x: Ciphertext, interval: Interval, constants: Sequence[int]) -> list[Ciphertext]:
    """For each c the bit x > c where c >= 0, and x <= c where c < 0: zero where x is zero, as padding is.

    The interval is that of x, zero within it, and holds every c and c + 1. Raises, before any work, EncodingError for
    more than `WIDEST` values or a plain modulus without slots, NoiseError where the noise leaves too little room.
    """
    low, high = interval.ends
    t = evaluator.encoder.t
    if high - low > WIDEST:
        raise EncodingError(
            f"telling integers from {low} to {high} from constants would take a polynomial of degree {high - low}; "
            f"promise a smaller bound= when encrypting, or encrypt bits: ctx.encrypt_bits(values, "
            f"bits={interval.value_bits})"
        )
    if not evaluator.parameters.batching:
        raise EncodingError(f"comparing values slot by slot needs batching, and t = {t} allows none; use value_bits=")
    factor_bits = math.log2(t / 2 * (high - low + 1))
    require_products(evaluator, x, (high - low).bit_length(), "x > c", factor_bits)
    found = evaluate_all(evaluator, replace(x, interval=None), [_table(low, high, c, t) for c in constants])
    return [as_bit(evaluator.settle(bit)) for bit in found]


@lru_cache(maxsize=4096)
def _table(low: int, high: int, c: int, t: int) -> tuple[int, ...]:
    """x > c on low … high, or x <= c for negative c, as coefficients modulo t."""
    points = range(low, high + 1)
    return tuple(interpolate(points, [int((x > c) == (c >= 0)) for x in points], t))
