"""Polynomials with coefficients modulo t on BFV ciphertexts, and the ones that interpolate a table.

With baby powers x, x^2, … x^k at hand, a polynomial is split at s = k 2^i, p = high x^s + low, until its parts have at
most k coefficients: those are sums of powers times constants. That takes about 2 sqrt(d) + log2 d products, and
ceil(log2(d + 1)) of them in a row. Products of one sum wait for each other and are relinearised together, where the
evaluator lets them. (Paterson, Stockmeyer, SIAM J. Comput. 1973.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fhe.bfv.evaluator import BFVEvaluator
from fhe.rlwe.ciphertext import Ciphertext

WORD_MODULUS = 1 << 31  # products of residues below it fit int64


@dataclass(frozen=True, slots=True)
class Split:
    """How a polynomial is evaluated: ``baby`` powers at hand, ``products`` in all, ``depth`` of them in a row."""

    baby: int
    products: int
    depth: int


@lru_cache(maxsize=1024)
def cheapest_split(n: int, odd: bool = False, polynomials: int = 1) -> Split:
    """The split with the fewest products for n coefficients: of p(x), or of the odd polynomial x h(x^2).

    Several ``polynomials`` of one x share its powers.

    >>> [cheapest_split(n).products for n in (1, 2, 3, 4, 16, 121)], cheapest_split(121, odd=True)
    ([0, 0, 1, 2, 7, 24], Split(baby=8, products=29, depth=8))
    """
    babies = [1 << i for i in range((n - 1).bit_length() + 1)]
    depth = (2 * n - 1 if odd else n - 1).bit_length()
    return min((Split(k, _products(n, k, odd, polynomials), depth) for k in babies), key=lambda split: split.products)


def _products(n: int, k: int, odd: bool, polynomials: int) -> int:
    splits = -(-n // k) - 1
    if odd:  # x^3 … x^(2k-1), the squares of squares that they and the splits take, and the splits
        return min(k, n) - 1 + (n - 1).bit_length() + polynomials * splits
    giants = sum(1 for i in range(n.bit_length()) if k << i < n)
    powers = max(min(k, n) - 2, 0) + giants - (k == 1 < n)
    return powers + polynomials * (splits - (n % k == (k > 1) and splits > 0 and k < n))


def evaluate(evaluator: BFVEvaluator, x: Ciphertext, coefficients: Sequence[int]) -> Ciphertext:
    """sum_i c_i x^i mod t for the residues x of every slot, possibly pending; what its values are is not claimed."""
    return evaluate_all(evaluator, x, [coefficients])[0]


def evaluate_all(evaluator: BFVEvaluator, x: Ciphertext, polynomials: Sequence[Sequence[int]]) -> list[Ciphertext]:
    """Several polynomials of the same x, whose powers are computed once."""
    n = max(map(len, polynomials))
    k = cheapest_split(n, polynomials=len(polynomials)).baby
    powers = {1: replace(evaluator.settle(x), interval=None)}
    for j in range(2, min(k, n)):
        powers[j] = _product(evaluator, powers, (j + 1) // 2, j // 2)
    giants = _squares(evaluator, powers, k, n)
    baby = _level(evaluator, [powers[j] for j in range(1, min(k, n))])
    evaluation = _Evaluation(evaluator, [None, *baby], giants, powers[1])
    return [evaluation.run(list(coefficients)) for coefficients in polynomials]


def evaluate_odd(evaluator: BFVEvaluator, x: Ciphertext, coefficients: Sequence[int]) -> Ciphertext:
    """sum_i c_i x^(2i+1) mod t, likewise."""
    n = len(coefficients)
    k = cheapest_split(n, odd=True).baby
    powers = {1: replace(evaluator.settle(x), interval=None)}
    squares = _squares(evaluator, powers, 2, 2 * n)
    for j in range(3, 2 * min(k, n), 2):
        s = 1 << ((j - 1).bit_length() - 1)
        powers[j] = _product(evaluator, powers, s, j - s)
    baby = _level(evaluator, [powers[j] for j in range(1, 2 * min(k, n), 2)])
    return _Evaluation(evaluator, list(baby), {s // 2: y for s, y in squares.items()}, powers[1]).run(
        list(coefficients)
    )


def _product(evaluator: BFVEvaluator, powers: dict[int, Ciphertext], a: int, b: int) -> Ciphertext:
    """x^(a+b)."""
    x, y = powers[a], powers[b]
    return evaluator.settle(evaluator.square(x) if a == b else evaluator.multiply(x, y))


def _squares(evaluator: BFVEvaluator, powers: dict[int, Ciphertext], first: int, n: int) -> dict[int, Ciphertext]:
    """x^first, x^(2 first), … below n; they are among the powers from now on."""
    found = {}
    while first < n:
        if first not in powers:
            powers[first] = _product(evaluator, powers, first - first // 2, first // 2)
        found[first] = powers[first]
        first *= 2
    return found


def _level(evaluator: BFVEvaluator, powers: list[Ciphertext]) -> list[Ciphertext]:
    """All at the lowest of their levels, where their combinations will be."""
    if not powers:
        return []
    lowest = min(powers, key=lambda power: power.level)
    return [evaluator.align(power, lowest)[0] for power in powers]


@dataclass(slots=True)
class _Evaluation:
    """Baby powers (None for 1), and giant ones by the number of coefficients that they split off."""

    evaluator: BFVEvaluator
    baby: list[Ciphertext | None]
    giants: dict[int, Ciphertext]
    x: Ciphertext

    def run(self, coefficients: list[int]) -> Ciphertext:
        if len(coefficients) <= len(self.baby):
            return self.combination(coefficients)
        s = max(s for s in self.giants if s < len(coefficients))
        low, high = self.run(coefficients[:s]), coefficients[s:]
        if len(high) == 1 and self.baby[0] is None:
            return self.evaluator.add(self.evaluator.multiply_plain(self.giants[s], high[0]), low)
        head = self.evaluator.settle(self.run(high))
        return self.evaluator.add(self.evaluator.multiply(head, self.giants[s]), low)

    def combination(self, coefficients: list[int]) -> Ciphertext:
        """Baby powers times constants."""
        pairs = list(zip(self.baby, coefficients, strict=False))
        terms = [self.evaluator.multiply_plain(power, c) for power, c in pairs if power is not None and c]
        total = terms[0] if terms else self.evaluator.multiply_plain(self.x, 0)
        for term in terms[1:]:
            total = self.evaluator.add(total, term)
        return self.evaluator.add_plain(total, coefficients[0]) if self.baby[0] is None and coefficients[0] else total


# --- tables ----------------------------------------------------------------------------------------------------------


def interpolate(points: Sequence[int], values: Sequence[int], t: int) -> list[int]:
    """The coefficients mod t, centred, of the polynomial of least degree through a table; t is prime, points differ.

    By Newton's divided differences, n^2 operations on residues.

    >>> interpolate([0, 1, 2], [0, 1, 4], 257)
    [0, 0, 1]
    """
    x, divided = _array([p % t for p in points], t), _array([v % t for v in values], t)
    for width in range(1, len(x)):
        spans = (x[width:] - x[:-width]) % t
        divided[width:] = (divided[width:] - divided[width - 1 : -1]) % t * _inverses(spans, t) % t
    coefficients = _array([0] * len(x), t)
    for point, difference in zip(x[::-1], divided[::-1], strict=True):  # Horner on (X - point)
        shifted = np.roll(coefficients, 1)
        shifted[0] = 0
        coefficients = (shifted - coefficients * point) % t
        coefficients[0] = (coefficients[0] + difference) % t
    return trimmed(coefficients.tolist(), t)


def trimmed(coefficients: Sequence[int], t: int) -> list[int]:
    """Centred residues without the zeros of highest degree; one coefficient at least."""
    centred = [(c + t // 2) % t - t // 2 for c in coefficients]
    while len(centred) > 1 and not centred[-1]:
        centred.pop()
    return centred


def _array(values: list[int], t: int) -> NDArray[Any]:
    return np.array(values, dtype=np.int64 if t < WORD_MODULUS else object)


def _inverses(residues: NDArray[Any], t: int) -> NDArray[Any]:
    """1 / r mod t for each: those of equally spaced points are all the same, so there are few."""
    known = {r: pow(r, -1, t) for r in set(residues.tolist())}
    return _array([known[r] for r in residues.tolist()], t)
