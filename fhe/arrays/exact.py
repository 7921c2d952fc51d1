"""Exact comparison of integer arrays (BFV), by polynomials of their differences.

What is public of the operands, their intervals, bounds the difference and so the degree: `fhe.circuits.differences`.
Masks are arrays of 0 and 1, with zero padding, and say so in their interval.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial, reduce
from typing import Any

import numpy as np

from fhe.arrays.packed import Packed
from fhe.arrays.wide import WideArray
from fhe.bfv.evaluator import BFVEvaluator
from fhe.circuits import differences
from fhe.circuits.bits import BIT
from fhe.circuits.differences import Plan
from fhe.errors import EncodingError
from fhe.interval import Bound, Interval
from fhe.rlwe.ciphertext import Ciphertext
from fhe.validate import python_integers
from fhe.wide import value_modulus

ENCRYPTED = Packed, WideArray

OnDifference = Callable[[BFVEvaluator, Ciphertext, Interval], Ciphertext]


def interval_of(x: Any) -> Interval:
    """The public interval of an array's slots; of plain values, with zero, which is in the padding."""
    if isinstance(x, WideArray):
        return interval_of(x.parts[0])
    if isinstance(x, Packed):
        signed = Interval.residues(value_modulus(x.evaluator.chain.parameters))
        return reduce(Interval.hull, (shard.interval or signed for shard in x.shards))
    return Interval.of(python_integers(np.asarray(x)), zero=True)


def claiming(x: Any, interval: Interval | None) -> Any:
    """The same array with another public interval; as residues for None."""
    bound = 1.0 if interval is None or interval.high is None else interval.magnitude
    return x.map(lambda shard: replace(shard, interval=interval, bound=float(bound)))


def assumed(x: Any, bound: Bound) -> Any:
    """The array, of whose integers the caller promises a largest magnitude, or a pair (low, high)."""
    promised = Interval.declared(bound, np.dtype(np.int64), value_modulus(x.evaluator.chain.parameters))
    if bound is None or promised.wraps:
        raise EncodingError(f"an assumption is a largest magnitude, or a pair (low, high), not {bound}")

    def of(shard: Ciphertext) -> Ciphertext:
        known = shard.interval
        if known is None or known.high is None:
            return replace(shard, interval=promised, bound=float(promised.magnitude))
        low, high = max(known.low, promised.low), min(known.high, promised.ends[1])
        if low > high:
            raise EncodingError(f"no value within {promised} is one of {known}, which these are known to be")
        return replace(shard, interval=Interval(low, high), bound=float(max(abs(low), abs(high))))

    return x.map(of)


def greater(x: Any, y: Any, method: str | None = None) -> Any:
    """1 where x > y, else 0."""
    return _decided(x - y, partial(differences.greater, method=method))


def differ(x: Any, y: Any, method: str | None = None) -> Any:
    """1 where x != y, else 0."""
    return _decided(x - y, partial(differences.differ, method=method))


def sign(x: Any, method: str | None = None) -> Any:
    """-1, 0 or 1."""
    return _decided(x, partial(differences.sign, method=method))


def complement(mask: Any) -> Any:
    """1 - mask, padding left at zero."""
    return claiming(1 - mask, BIT)


def where(mask: Any, a: Any, b: Any) -> Any:
    """a where the mask is 1, else b: b + mask (a - b), of which only the result need fit the plain modulus."""
    interval = interval_of(mask)
    if interval.high is None or interval.low < 0 or interval.high > 1:
        raise EncodingError(
            f"a mask holds 0 and 1, as comparisons give it, and this array {interval}; compare it with something, or "
            "encrypt it with bound=(0, 1)"
        )
    result = interval_of(a).hull(interval_of(b))
    a, b = (claiming(value, None) if isinstance(value, ENCRYPTED) else np.asarray(value) for value in (a, b))
    chosen = claiming(mask, None) * (a - b)
    return claiming(chosen + b if isinstance(b, ENCRYPTED) or b.any() else chosen, result)


def plan(x: Any, y: Any) -> tuple[Interval, Plan, Plan]:
    """The public interval of x - y, and how x > y and x == y would be computed."""
    d = x - y
    interval = _ordered(interval_of(d))
    of_equal = differences.plan_differ(interval, d.evaluator.parameters.plain_modulus)
    return interval, differences.plan_greater(interval), of_equal


def _decided(d: Any, decision: OnDifference) -> Any:
    if isinstance(d, WideArray):
        return d.each(_decided, d, decision)
    interval = _ordered(interval_of(d))
    return d.map(lambda shard: decision(d.evaluator, shard, interval))


def _ordered(interval: Interval) -> Interval:
    low, high = interval.low, interval.high
    if high is None:
        raise EncodingError("residues modulo t have no order; encrypt with a public bound= instead of wrap=True")
    if high - low > differences.WIDEST:
        raise EncodingError(
            f"comparing differences from {low} to {high} would take a polynomial of degree {high - low}; promise a "
            f"smaller bound= when encrypting, or compare bits: ctx.encrypt_bits(values, bits={interval.value_bits})"
        )
    return Interval(min(low, 0), max(high, 0))
