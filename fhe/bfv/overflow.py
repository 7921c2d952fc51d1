"""Which integers the results of BFV operations can be: intervals in, an interval out, or ValueOverflowError.

Operations on slots act on intervals as on numbers. Without batching the "values" are coefficients: there a product is
negacyclic, a sum of N signed terms, and an automorphism changes signs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from fhe.interval import Interval
from fhe.parameters import BFVParameters
from fhe.rlwe.ciphertext import Ciphertext, Plaintext


class Claims(TypedDict):
    """What a ciphertext publicly says of its values."""

    interval: Interval
    bound: float


@dataclass(frozen=True, slots=True)
class ValueTracker:
    """The intervals of results modulo t. Every method raises before anything is computed."""

    parameters: BFVParameters
    t: int

    def of(self, x: Ciphertext | Plaintext) -> Interval:
        """The interval that x claims; signed residues where it claims none."""
        return Interval.residues(self.t) if x.interval is None else x.interval

    def claims(self, interval: Interval, what: str) -> Claims:
        """The interval of a result, if t holds it."""
        bound = self.t / 2 if interval.wraps else interval.magnitude
        return {"interval": interval.fit(self.t, what), "bound": float(bound)}

    def add(self, x: Ciphertext, y: Ciphertext) -> Claims:
        return self.claims(self.of(x) + self.of(y), "a sum")

    def either(self, x: Ciphertext, y: Ciphertext) -> Claims:
        return self.claims(self.of(x).hull(self.of(y)), "one of two")

    def sub(self, x: Ciphertext, y: Ciphertext) -> Claims:
        return self.claims(self.of(x) - self.of(y), "a difference")

    def negate(self, x: Ciphertext) -> Claims:
        return self.claims(-self.of(x), "a negation")

    def add_plain(self, x: Ciphertext, plain: Interval) -> Claims:
        return self.claims(self.of(x) + plain, "a sum with a plaintext")

    def scale(self, x: Ciphertext, factor: int) -> Claims:
        return self.claims(self.of(x) * Interval(factor, factor), "a product with an integer")

    def multiply_plain(self, x: Ciphertext, plain: Plaintext) -> Claims:
        """By slots the interval of the factor counts, by coefficients the sum of their magnitudes (`factor`)."""
        return self.claims(self.of(x) * self.of(plain), "a product with a plaintext")

    def factor(self, interval: Interval, message: NDArray[np.int64]) -> Interval:
        """What multiplying by a plaintext multiplies intervals by."""
        if self.parameters.batching:
            return interval
        return Interval.symmetric(int(np.abs(message).astype(object).sum()))

    def inner_product(self, xs: Sequence[Ciphertext], ys: Sequence[Ciphertext]) -> Claims:
        products = list(map(self._product, xs, ys))
        return self.claims(reduce(add, products), "a product" if len(products) == 1 else "a sum of products")

    def _product(self, x: Ciphertext, y: Ciphertext) -> Interval:
        a, b = self.of(x), self.of(y)
        if not self.parameters.batching:
            return self._negacyclic(a, b)
        return a.square() if x is y else a * b

    def linear(self, x: Ciphertext, positive: NDArray[np.object_], negative: NDArray[np.object_]) -> Claims:
        """Of sums of multiples of x, for each of them the sum of the positive factors and that of the negative ones."""
        interval = self.of(x)
        if not interval.wraps:
            low, high = interval.ends
            lowest, highest = positive * low + negative * high, positive * high + negative * low
            interval = Interval(int(lowest.min()), int(highest.max()))
        return self.claims(interval, "a linear map")

    def automorphism(self, x: Ciphertext) -> Claims:
        interval = self.of(x)
        if not self.parameters.batching and interval.high is not None:
            interval = interval.hull(-interval)
        return self.claims(interval, "an automorphism")

    def _negacyclic(self, a: Interval, b: Interval) -> Interval:
        product = a * b
        if product.high is None:
            return product
        return Interval.symmetric(self.parameters.ring_degree * max(abs(product.low), abs(product.high)))
