"""Exact comparison of BFV integers by their difference d, whose public interval is small: a polynomial decides.

Only the differences that can occur count, not t. So d > 0 is a table over low … high, and what it is elsewhere does not
matter; its polynomial is chosen among those that agree there:

*   d > 0 on [1 - n, n] is odd about 1/2: with v = 2 d - 1, it is 1/2 + v h(v^2), h of degree n - 1;
*   the sign of d on [-n, n] is odd: d h(d^2);
*   d != 0 on [-n, n] is even: e(d^2), of degree n in d^2;
*   any table, of degree high - low;
*   d != 0 everywhere modulo a prime t: d^(t-1), by Fermat, in log2 t products.

All of them are 0 at d = 0, so that padding stays zero. (Odd and even: Iliashenko, Zucca, PoPETs 2021. Evaluation:
`fhe.circuits.modular`.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from fhe.bfv.evaluator import BFVEvaluator
from fhe.circuits.bits import BIT
from fhe.circuits.capacity import require_products
from fhe.circuits.modular import WORD_MODULUS, cheapest_split, evaluate, evaluate_odd, interpolate, trimmed
from fhe.circuits.power import depth_of_power, power
from fhe.errors import EncodingError
from fhe.interval import Interval
from fhe.rlwe.ciphertext import Ciphertext

WIDEST = 1 << 12  # differences whose table is worth a polynomial


@dataclass(frozen=True, slots=True)
class Plan:
    """How a comparison of differences is computed, and what it costs: products in all and in a row."""

    form: str
    size: int
    products: int
    depth: int

    def __str__(self) -> str:
        return f"{self.form} of degree {self.size}: {self.products} products, {self.depth} in a row"


def plan_greater(difference: Interval, method: str | None = None) -> Plan:
    """The cheapest polynomial for d > 0.

    >>> print(plan_greater(Interval(-120, 120)))
    odd polynomial of degree 241: 29 products, 8 in a row
    """
    n = max(difference.ends[1], 1 - difference.low)
    return _best([_odd_plan(n), _table_plan(difference)], method)


def plan_sign(difference: Interval, method: str | None = None) -> Plan:
    """The cheapest polynomial for the sign of d.

    >>> print(plan_sign(Interval(-120, 120)))
    odd polynomial of degree 239: 28 products, 8 in a row
    """
    return _best([_odd_plan(max(difference.ends[1], -difference.low, 1)), _table_plan(difference)], method)


def plan_differ(difference: Interval, t: int, method: str | None = None) -> Plan:
    """The cheapest polynomial for d != 0.

    >>> print(plan_differ(Interval(-120, 120), 65537))
    even polynomial of degree 240: 25 products, 8 in a row
    >>> print(plan_differ(Interval(-120, 120), 257))
    Fermat power of degree 256: 8 products, 8 in a row
    """
    n = max(difference.ends[1], -difference.low, 1)
    even, fermat = cheapest_split(n + 1), (t - 1).bit_length() + (t - 1).bit_count() - 2
    plans = [Plan("Fermat power", t - 1, fermat, depth_of_power(t - 1))]
    plans.append(Plan("even polynomial", 2 * n, even.products + 1, even.depth + 1))
    return _best([*plans, _table_plan(difference)], method)


def _odd_plan(n: int) -> Plan:
    split = cheapest_split(n, odd=True)
    return Plan("odd polynomial", 2 * n - 1, split.products, split.depth)


def _table_plan(difference: Interval) -> Plan:
    width = difference.ends[1] - difference.low + 1
    split = cheapest_split(width)
    return Plan("polynomial", width - 1, split.products, split.depth)


def _best(plans: list[Plan], method: str | None) -> Plan:
    """The form asked for, or the least work: a product costs about the square of the levels that its circuit needs."""
    forms = [plan.form for plan in plans]
    if method is not None and method not in forms:
        raise EncodingError(f"integers are compared here by method={' or '.join(map(repr, forms))}, not {method!r}")
    plans = [plan for plan in plans if method in (None, plan.form)]
    return min(plans, key=lambda plan: (plan.products * plan.depth**2, plan.depth))


def greater(evaluator: BFVEvaluator, d: Ciphertext, difference: Interval, method: str | None = None) -> Ciphertext:
    """1 where d > 0, else 0, for differences of a public interval."""
    plan, t = plan_greater(difference, method), evaluator.encoder.t
    d = _admitted(evaluator, d, plan, "x > y")
    low, high = difference.ends
    if plan.form == "polynomial":
        return as_bit(evaluator.settle(evaluate(evaluator, d, _table(low, high, 0, t))))
    v = evaluator.add_plain(evaluator.multiply_plain(d, 2), -1)
    product = evaluate_odd(evaluator, v, _odd_about_half(max(high, 1 - low), t))
    return as_bit(evaluator.settle(evaluator.add_plain(product, (t + 1) // 2)))


def sign(evaluator: BFVEvaluator, d: Ciphertext, difference: Interval, method: str | None = None) -> Ciphertext:
    """-1, 0 or 1: the sign of d."""
    plan, t = plan_sign(difference, method), evaluator.encoder.t
    d = _admitted(evaluator, d, plan, "sign(x)")
    low, high = difference.ends
    if plan.form == "polynomial":
        result = evaluate(evaluator, d, _table(low, high, -1, t))
    else:
        result = evaluate_odd(evaluator, d, _odd_about_zero(max(high, -low, 1), t))
    return replace(evaluator.settle(result), interval=Interval(max(low, -1), min(high, 1)), bound=1.0)


def differ(evaluator: BFVEvaluator, d: Ciphertext, difference: Interval, method: str | None = None) -> Ciphertext:
    """1 where d != 0, else 0."""
    t = evaluator.encoder.t
    plan = plan_differ(difference, t, method)
    d = _admitted(evaluator, d, plan, "x != y")
    low, high = difference.ends
    if plan.form == "Fermat power":
        result = power(evaluator, d, t - 1)
    elif plan.form == "even polynomial":
        result = evaluate(evaluator, evaluator.square(d), _even(max(high, -low, 1), t))
    else:
        result = evaluate(evaluator, d, _table(low, high, 1, t))
    return as_bit(evaluator.settle(result))


def as_bit(x: Ciphertext) -> Ciphertext:
    """x, known to be 0 or 1."""
    return replace(x, interval=BIT, bound=1.0)


def _admitted(evaluator: BFVEvaluator, d: Ciphertext, plan: Plan, what: str) -> Ciphertext:
    """d as residues, if the polynomial makes sense modulo t and fits the noise that is left."""
    parameters, t = evaluator.parameters, evaluator.encoder.t
    if not parameters.batching:
        raise EncodingError(
            f"comparing values slot by slot needs batching, a prime t = 1 mod {2 * parameters.ring_degree}, and "
            f"t = {t} is none; use fhe.bfv(value_bits=…)"
        )
    constants = 0.0 if plan.form == "Fermat power" else math.log2(t / 2 * max(plan.size, 1))
    require_products(evaluator, d, plan.depth, what, constants)
    return replace(d, interval=None)


# --- coefficients ------------------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def _table(low: int, high: int, negative: int, t: int) -> tuple[int, ...]:
    """1 for d > 0, 0 for d = 0, and ``negative`` for d < 0, on low … high."""
    points = range(low, high + 1)
    return tuple(interpolate(points, [int(d > 0) + negative * (d < 0) for d in points], t))


@lru_cache(maxsize=256)
def _odd_about_half(n: int, t: int) -> tuple[int, ...]:
    """h(v^2) = 1 / 2v for v = 1, 3, …, 2n - 1."""
    odd = range(1, 2 * n, 2)
    return tuple(interpolate([v * v for v in odd], [pow(2 * v, -1, t) for v in odd], t))


@lru_cache(maxsize=256)
def _odd_about_zero(n: int, t: int) -> tuple[int, ...]:
    """h(d^2) = 1 / d for d = 1 … n."""
    return tuple(interpolate([d * d for d in range(1, n + 1)], [pow(d, -1, t) for d in range(1, n + 1)], t))


@lru_cache(maxsize=256)
def _even(n: int, t: int) -> tuple[int, ...]:
    """1 - prod_k (1 - u / k^2) for k = 1 … n: 0 at u = 0, and 1 at the other squares."""
    product = np.zeros(n + 1, dtype=np.int64 if t < WORD_MODULUS else object)
    product[0] = 1
    for k in range(1, n + 1):
        factor = -pow(k * k, -1, t) % t
        product[1 : k + 1] = (product[1 : k + 1] + product[:k] * factor) % t
    return tuple(trimmed([0, *(-product[1:]).tolist()], t))
