"""Real polynomials on CKKS ciphertexts, in the least depth: ceil(log2(d + 1)) levels for degree d.

The basis B_0, B_1, … is that of the NumPy object given: powers of u (`Polynomial`), or T_k(u) (`Chebyshev`). A
polynomial of degree below 2^k is split at powers of two s <= 2^(k-1), while it has terms that are not at hand,

    p = q_1 B_(s_1) + q_2 B_(s_2) + … + r,

where each q_i, of degree below 2^(k-1), takes k-1 levels, each B_s takes log2 s <= k-1, and the last product one
more. All products of one line, and the terms c_j B_j of r, are added while still pending, so that they share a
single relinearisation and rescale.

Scales need no levels and no rescales of their own: to make q_i B_s have the scale S, q_i is computed at S q / Delta_s,
q what its rescale divides by; and a term c_j B_j meets S by its integer factor round(c_j S / Delta_j) alone.
(Paterson, Stockmeyer, SIAM J. Comput. 1973; least depth, and scales handed down: Bossuat et al., EUROCRYPT 2021.)
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
from numpy.polynomial import Chebyshev, Polynomial

from fhe.circuits.deviation import as_exact, distance, off_by
from fhe.circuits.evaluator import Evaluator
from fhe.circuits.extremes import Series, largest, steepest
from fhe.errors import EncodingError, LevelError
from fhe.parameters import CKKSParameters
from fhe.rlwe.ciphertext import Ciphertext

NOTHING = 2.0**-64  # what the bound of an encrypted zero counts as


def depth_of_polynomial(degree: int) -> int:
    """ceil(log2(d + 1)): the levels that a polynomial of degree d takes.

    >>> [depth_of_polynomial(d) for d in (0, 1, 2, 3, 4, 7, 8, 15, 31)]
    [0, 1, 2, 2, 3, 3, 4, 4, 5]
    """
    return degree.bit_length()


def evaluate_polynomial(
    evaluator: Evaluator, x: Ciphertext, p: Series, within: tuple[float, float] | None = None
) -> Ciphertext:
    """p(u) for the slots u of x, where p is read on its window: a map from p's domain is the caller's business.

    The slots are real. For a Chebyshev series the tracked bound is x's, so |u| <= 1 should be known or promised:
    beyond it T_k grows like (2u)^k. ``within`` = (a, b) says that a <= |u| <= b, where the error bound need not hold
    for other u: p may then be steep between -a and a. Raises LevelError before any work when levels are short,
    MissingKeyError without a relinearisation key.

    The error bound: x is the exact encryption of values u + e, |e| <= d. So |p(u + e) - p(u)| is at most d times the
    steepest slope of p nearby, and what the circuit itself adds is tracked as if x had no noise.
    """
    parameters = evaluator.chain.parameters
    if not isinstance(parameters, CKKSParameters):
        raise EncodingError("polynomials with real coefficients are for CKKS; in BFV use powers, sums and products")
    if evaluator.lazy() is not evaluator:  # what makes it exact is sums at the scales of products
        return evaluator.settle(evaluate_polynomial(evaluator.lazy(), x, p, within))
    kind, coefficients = type(p), tuple(map(float, np.trim_zeros(p.coef, "b")))
    degree = max(len(coefficients) - 1, 0)
    x, depth = evaluator.settle(x), depth_of_polynomial(degree)
    if depth > x.level:
        what = f"a polynomial of degree {degree}"
        raise LevelError.short(what, depth, x.level, parameters.max_level, "a lower degree")
    if degree == 0:
        return evaluator.add_plain(evaluator.multiply_plain(x, 0), coefficients[0] if coefficients else 0.0)
    plan = _cheapest(kind, coefficients)
    if plan.relinearizations():
        evaluator.keys.require_relinearization()
    near = distance(x)
    most, slope = _range_and_slope(kind, coefficients, max(x.bound, NOTHING), within, near)
    y = _Evaluation(evaluator, parameters, as_exact(x), kind).run(plan, parameters.scale(x.level - depth + 1) ** 2)
    return replace(off_by(y, slope * near, slope * (x.rms or x.noise) / x.scale), bound=min(most, y.bound))


@lru_cache(maxsize=256)
def _range_and_slope(
    kind: type[Series], coefficients: tuple[float, ...], bound: float, within: tuple[float, float] | None, near: float
) -> tuple[float, float]:
    """max |p(u)| over |u| <= bound; max |p'| near those u, or near those of a <= |u| <= b."""
    p, (low, high) = kind(coefficients), within or (-bound, bound)
    slopes = steepest(p, low, high, near), steepest(p, -high, -low, near)
    return largest(p, -bound, bound), max(slopes)


# --- what to compute ---------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Plan:
    """sum_i q_i B_(s_i) + sum_j c_j B_j + c_0, to be pending after ``depth`` - 1 levels; on [-1, 1] up to ``most``."""

    depth: int
    degree: int
    most: float
    constant: float = 0.0
    terms: dict[int, float] = field(default_factory=dict)
    products: list[tuple[_Plan, int]] = field(default_factory=list)

    def walk(self) -> Iterator[_Plan]:
        """This plan and all within."""
        yield self
        for quotient, _ in self.products:
            yield from quotient.walk()

    def relinearizations(self) -> int:
        """One for each plan with products, one for each basis polynomial."""
        plans = list(self.walk())
        wanted = {s for plan in plans for _, s in plan.products} | {j for plan in plans for j in plan.terms}
        basis: set[int] = set()
        for index in wanted:
            _close(index, basis)
        return len(basis) + sum(bool(plan.products) for plan in plans)

    def tensors(self) -> int:
        return sum(len(plan.products) for plan in self.walk())


def _close(index: int, found: set[int]) -> None:
    """Collect B_k for every k that B_index is made from, but for B_0 and B_1."""
    if index > 1 and index not in found:
        found.add(index)
        s = largest_part(index)
        for part in (s, index - s, 2 * s - index):
            _close(part, found)


def largest_part(index: int) -> int:
    """The s of B_k = B_s B_(k-s): the largest power of two below k.

    >>> [largest_part(k) for k in (2, 3, 4, 5, 8)]
    [1, 2, 2, 4, 4]
    """
    return 1 << ((index - 1).bit_length() - 1)


@lru_cache(maxsize=256)
def _cheapest(kind: type[Series], coefficients: tuple[float, ...]) -> _Plan:
    """The plan with the fewest relinearisations, over how many odd basis polynomials are kept at hand."""
    depth = depth_of_polynomial(len(coefficients) - 1)
    plans = [_plan(kind(coefficients), depth, (1 << kept) - 1) for kept in range(1, depth + 1)]
    return min(plans, key=lambda plan: (plan.relinearizations(), plan.tensors()))


def _plan(p: Series, depth: int, kept: int) -> _Plan:
    plan = _Plan(depth, p.degree(), largest(p, -1.0, 1.0))
    while True:
        far = [j for j in np.flatnonzero(p.coef).tolist() if j and not _at_hand(j, depth, kept)]
        if not far:
            break
        s = 1 << (max(far).bit_length() - 1)
        quotient, p = divmod(p, type(p).basis(s))
        plan.products.append((_plan(quotient, depth - 1, kept), s))
    plan.constant, *rest = map(float, p.coef)
    plan.terms = {j: c for j, c in enumerate(rest, 1) if c}
    return plan


def _at_hand(j: int, depth: int, kept: int) -> bool:
    """May B_j, a power of two or among those kept, be scaled in the last of ``depth`` levels?"""
    return (j <= kept or j & (j - 1) == 0) and (j - 1).bit_length() < depth


# --- computing it ------------------------------------------------------------------------------------------------


class _Evaluation:
    """The basis polynomials B_k of one ciphertext, each computed once, and the plans that use them.

    Every B_k keeps the scale that its products give it, whatever that is, and a plan is computed at the scale that
    its own product needs: nothing is ever multiplied, or rescaled, only to meet a scale.
    """

    def __init__(self, evaluator: Evaluator, parameters: CKKSParameters, x: Ciphertext, kind: type[Series]) -> None:
        self.evaluator = evaluator
        self.parameters = parameters
        self.top = x.level
        self.kind = kind
        self.known = {1: x}

    def basis(self, k: int) -> Ciphertext:
        """B_k, settled, after ceil(log2 k) levels: u^s u^(k-s), or 2 T_s T_(k-s) - T_(2s-k)."""
        if k not in self.known:
            s = largest_part(k)
            product = self.product(self.basis(s), self.basis(k - s))
            if self.kind is Chebyshev:
                product = self.evaluator.multiply_plain(product, 2)
                if 2 * s == k:
                    product = self.evaluator.add_plain(product, -1.0)
                else:
                    rest = self.term(2 * s - k, -1.0, product.level, product.scale)
                    product = self.evaluator.add(product, rest)
            self.known[k] = replace(self.evaluator.settle(product), bound=self.bound(k))
        return self.known[k]

    def product(self, x: Ciphertext, y: Ciphertext) -> Ciphertext:
        """x y at the lower of their levels, at the product of their scales."""
        if x is y:
            return self.evaluator.square(x)
        level = min(x.level, y.level)
        return self.evaluator.multiply(x.at_level(level), y.at_level(level))

    def bound(self, k: int) -> float:
        """max |B_k(u)| over complex |u| <= b; over |u| <= 1 for a Chebyshev polynomial of a real u, if b is less.

        On the points of distance d from [-1, 1], |T_k| is largest at 1 + d.
        """
        b = self.known[1].bound
        return float(self.kind.basis(k)(b if self.kind is Polynomial else max(b, 1.0)))

    def term(self, j: int, c: float, level: int, scale: float) -> Ciphertext:
        """c B_j at this level and scale."""
        x = self.basis(j).at_level(level)
        factor = round(c * scale / x.scale)
        scaled = replace(x, scale=scale, noise=abs(factor) * x.noise, rms=abs(factor) * x.rms, bound=abs(c) * x.bound)
        rounded = off_by(scaled, 0.5 * x.scale * x.bound / scale)  # c, to half a unit of scale / x.scale
        return rounded.with_polys([poly.scale(factor) for poly in x.c])

    def run(self, plan: _Plan, scale: float) -> Ciphertext:
        """The pending value of a plan, at this scale."""
        level = self.top - plan.depth + 1
        parts = [self.quotient(quotient, s, scale) for quotient, s in plan.products]
        parts += [self.term(j, c, level, scale) for j, c in plan.terms.items()]
        # Sums are taken modulo Q: only the last of them must fit.
        bound = min(sum(part.bound for part in parts) + abs(plan.constant), self.most(plan))
        total = replace(parts[0], bound=bound)
        for part in parts[1:]:
            total = self.evaluator.add(total, replace(part, bound=0.0))
        return replace(self.evaluator.add_plain(total, plan.constant), bound=bound)

    def quotient(self, plan: _Plan, s: int, scale: float) -> Ciphertext:
        """The value of a plan times B_s, at this scale: the plan's own, rescaled, is what is missing in that of B_s."""
        level = self.top - plan.depth + 1
        divisor = float(math.prod(self.evaluator.chain.level_primes(level)))
        value = self.run(plan, scale / self.basis(s).scale * divisor)
        return self.product(self.evaluator.settle(value), self.basis(s))

    def most(self, plan: _Plan) -> float:
        """What the value of a plan cannot exceed: Bernstein's rho^n, on the ellipse that reaches to |u| = b."""
        b = max(self.known[1].bound, 1.0)
        return plan.most * (b + math.sqrt(b * b - 1)) ** plan.degree if self.kind is Chebyshev else math.inf
