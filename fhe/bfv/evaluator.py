"""BFV on ciphertexts: exact arithmetic modulo t, with a noise bound that is checked before every operation.

A ciphertext at level l satisfies c_0 + c_1 s = (Q_l / t) m + v with |v| below ``2^noise``; it decrypts exactly
while |v| < Q_l / (2 t). Products are tensors that wait undivided for their sums (`fhe.bfv.product`); `settle` divides
and relinearises them, and leaves them at the lowest level that holds them as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fhe import noise
from fhe.bfv import levels, product
from fhe.bfv.encoder import BFVEncoder
from fhe.bfv.overflow import Claims, ValueTracker
from fhe.errors import EncodingError, NoiseError
from fhe.interval import Bound, Interval
from fhe.ring.poly import CoeffPoly, EvalPoly, Poly
from fhe.rlwe import evaluate
from fhe.rlwe.automorphism import swap_element
from fhe.rlwe.ciphertext import Ciphertext, Factors, Plaintext, same_key
from fhe.rlwe.encodings import remembered
from fhe.rlwe.keyswitch import Digits
from fhe.rlwe.public import Encryption, EvaluationKeys, check_key
from fhe.rlwe.routes import all_rotated, rotated

FRESH_NOISE = {
    Encryption.SYMMETRIC: noise.fresh_symmetric,
    Encryption.PUBLIC: noise.fresh_public,
    Encryption.DIVIDED: noise.fresh_divided,
}

FAILURE = 0.5  # distance from an integer at which rounding errs
MOST_PRODUCTS = 512  # that anybody counts


class BFVEvaluator:
    """Add, multiply, relinearize, rotate, swap, switch modulus; needs no secret.

    Operands are never changed. A result whose noise bound would pass the limit raises NoiseError, one that could wrap
    modulo t ValueOverflowError, before any work.
    """

    __slots__ = ("chain", "encoder", "keys", "parameters", "values")

    def __init__(self, encoder: BFVEncoder, keys: EvaluationKeys) -> None:
        self.encoder = encoder
        self.chain = encoder.chain
        self.parameters = encoder.parameters
        self.keys = keys
        self.values = ValueTracker(self.parameters, encoder.modulus)

    def lazy(self) -> BFVEvaluator:
        """This one."""
        return self

    @property
    def slots(self) -> int:
        return self.encoder.slots

    @property
    def row(self) -> int:
        return self.encoder.slots // 2

    # --- values in and out ---------------------------------------------------------------------------------------

    def promise(self, bound: Bound, dtype: np.dtype[Any]) -> Interval:
        """The interval of values to be encrypted: `Interval.declared`."""
        return Interval.declared(bound, dtype, self.encoder.modulus)

    def admit(self, values: NDArray[Any], bound: Interval | None) -> tuple[NDArray[Any], Interval]:
        """Integers of an interval, as int64; without one, any between -t and t."""
        exact = self.encoder.integers(values)
        self.encoder.check_range(exact, bound)
        return exact, Interval.residues(self.encoder.modulus) if bound is None else bound

    def encode(self, slots: NDArray[Any], level: int, bound: Interval) -> Plaintext:
        """The plaintext of one ciphertext's slots, to be encrypted."""
        return replace(self.encoder.encode(slots, level), **self.values.claims(bound, "an encryption"))

    def decode(self, phase: CoeffPoly, x: Ciphertext) -> NDArray[np.int64]:
        """The slots of the decryption phase of x: the integers of its interval, or its residues as they are read.

        Of wide integers they are one residue, from which `fhe.wide.combined` makes integers. Raises NoiseError, which
        tells nothing more, for noise above a quarter of what decryption fails at: who makes ciphertexts fail on
        purpose, or nearly, learns the key from when they do (ePrint 2024/116, 2024/127). Honest noise stays far below
        its bound, and this refuses long before a value could be wrong.
        """
        (residues, distance), t = self.encoder.measured(phase), self.encoder.t
        if distance > FAILURE / 4:
            raise NoiseError(
                "the noise of this ciphertext is too close to where decryption fails: it is not what its bounds say. "
                "Do not tell its sender; use fhe.bfv(depth=…) with more depth if it is your own"
            )
        return residues if t < self.encoder.modulus else self.values.of(x).representatives(residues, t)

    def fresh_noise(self, encryption: Encryption, bound: Interval, level: int) -> dict[str, Any]:
        """log2 of the noise bound of a new encryption."""
        return {"noise": FRESH_NOISE[encryption](self.parameters)}

    def precision_bits(self, x: Ciphertext) -> float:
        """Infinite: arithmetic modulo t is exact."""
        return math.inf

    expected_precision_bits = precision_bits

    def room_bits(self, x: Ciphertext) -> float:
        """Bits between the tracked noise bound and the limit; needs no secret."""
        return self.limit(x.level) - x.noise

    def result_type(self, dtype: np.dtype[Any], other: np.dtype[Any]) -> np.dtype[Any]:
        """int64, for integers only."""
        if other.kind not in "biuO":
            raise EncodingError(
                f"BFV computes with integers, got an operand of dtype {other}; round it, or use fhe.ckks"
            )
        return np.dtype(np.int64)

    # --- linear ------------------------------------------------------------------------------------------------

    def add(self, x: Ciphertext, y: Ciphertext) -> Ciphertext:
        """x + y mod t."""
        return self._sum(x, y, self.values.add(x, y))

    def _sum(self, x: Ciphertext, y: Ciphertext, values: Claims) -> Ciphertext:
        x, y = self.align(x, y)
        bound = self._checked(noise.add(x.noise, y.noise), x.level, "a sum")
        c, raised = product.added(x, y)
        return x.with_polys(c, noise=bound, raised=raised, **values)

    def either(self, x: Ciphertext, y: Ciphertext) -> Ciphertext:
        """x + y mod t of which at most one is not zero in each slot: the hull of their intervals."""
        return self._sum(x, y, self.values.either(x, y))

    def sub(self, x: Ciphertext, y: Ciphertext) -> Ciphertext:
        """x - y mod t."""
        values = self.values.sub(x, y)
        x, y = self.align(x, y)
        bound = self._checked(noise.add(x.noise, y.noise), x.level, "a difference")
        if x.raised == y.raised:
            return x.with_polys(evaluate.sub(x, y), noise=bound, **values)
        c, raised = product.added(x, y.with_polys(evaluate.negate(y)))
        return x.with_polys(c, noise=bound, raised=raised, **values)

    def negate(self, x: Ciphertext) -> Ciphertext:
        """-x mod t."""
        values = self.values.negate(x)
        return x.with_polys(evaluate.negate(x), **values)

    def add_plain(self, x: Ciphertext, values: ArrayLike | Plaintext) -> Ciphertext:
        """x + values mod t, slot by slot; a single number is added to every slot.

        A Plaintext must come from `BFVEncoder.encode`, at any level: the sum is at the lower one.
        """
        if isinstance(values, Plaintext) and isinstance(values.poly, EvalPoly):
            raise EncodingError("this plaintext was encoded to multiply by; to add it, encode it with `encode`")
        evaluated = bool(x.raised) or isinstance(x.c[0], EvalPoly)
        plain = values if isinstance(values, Plaintext) else self._summand(values, x.level, evaluated)
        claims = self.values.add_plain(x, self.values.of(plain))
        x = x if plain.level >= x.level else self.mod_switch(x, plain.level)
        rounded = -1.0 if plain.level == x.level else 0.0  # by 1/2; twice if Q_l m / t is divided again
        bound = self._checked(noise.add(x.noise, rounded), x.level, "a sum with a plaintext")
        m: Poly = plain.poly
        m = m if plain.level == x.level else m.divide_round(0, self.parameters.limbs(x.level))
        c0, *rest = x.c
        if x.raised:
            c0, _ = product.raised_sum(c0.to_eval(), x.raised, m.to_eval(), 0)
        else:
            c0 += m.to_eval() if evaluated else m.to_coeff()
        return x.with_polys([c0, *rest], noise=bound, **claims)

    def _summand(self, values: ArrayLike, level: int, evaluated: bool) -> Plaintext:
        """What is to be added, as it was encoded before, if it was."""

        def make() -> Plaintext:
            full = np.broadcast_to(values, self.slots) if np.ndim(values) == 0 else values
            plain = self.encoder.encode(full, level)
            return replace(plain, poly=plain.poly.to_eval()) if evaluated else plain

        return remembered(self.chain, ("summand", level, evaluated), values, make)

    def _factor_of(self, values: ArrayLike, level: int) -> Plaintext:
        """What is to be multiplied by, likewise."""
        make = partial(self.encoder.encode_factor, values, level)
        return remembered(self.chain, ("factor", level), values, make)

    def multiply_plain(self, x: Ciphertext, values: ArrayLike | Plaintext) -> Ciphertext:
        """x * values mod t, slot by slot; a single integer multiplies every slot.

        A Plaintext must come from `BFVEncoder.encode_factor`, at any level: the product is at the lower one.
        """
        if not isinstance(values, Plaintext) and np.ndim(values) == 0:
            return self._multiply_integer(x, int(self.encoder.integers(np.atleast_1d(values))[0]))
        plain = values if isinstance(values, Plaintext) else self._factor_of(values, x.level)
        if isinstance(plain.poly, CoeffPoly):
            raise EncodingError("this plaintext was encoded to be added; to multiply by it, use `encode_factor`")
        claims = self.values.multiply_plain(x, plain)
        x = x if plain.level >= x.level else self.mod_switch(x, plain.level)
        bound = self._checked(x.noise + math.log2(max(plain.bound, 1.0)), x.level, "a product with a plaintext")
        x, factor = x.divided(), plain.poly.limbs(0, self.parameters.limbs(x.level)).to_eval()
        return x.with_polys([c * factor for c in x.evals()], noise=bound, **claims)

    def _multiply_integer(self, x: Ciphertext, factor: int) -> Ciphertext:
        claims = self.values.scale(x, factor)
        factor = (factor + self.encoder.t // 2) % self.encoder.t - self.encoder.t // 2
        bound = self._checked(x.noise + math.log2(max(abs(factor), 1)), x.level, "a product with an integer")
        return x.with_polys([c.scale(factor) for c in x.c], noise=bound, **claims)

    # --- products ----------------------------------------------------------------------------------------------

    def multiply(self, x: Ciphertext, y: Ciphertext) -> Ciphertext:
        """x * y mod t, slot by slot: of degree 2 and undivided until it is settled."""
        return self.inner_product([x], [y])

    def square(self, x: Ciphertext) -> Ciphertext:
        """x * x mod t."""
        return self.inner_product([x], [x])

    def inner_product(self, xs: Sequence[Ciphertext], ys: Sequence[Ciphertext]) -> Ciphertext:
        """xs[0] * ys[0] + xs[1] * ys[1] + … mod t, slot by slot: one scaling and one relinearisation, once settled.

        Operands are settled first, and brought to the lowest of their levels. Raises, before any work, EncodingError
        for other than one y for each x, ValueOverflowError and NoiseError for what the result would be.
        """
        if len(xs) != len(ys) or not xs:
            raise EncodingError(f"a sum of products takes pairs, one at least: not {len(xs)} and {len(ys)} factors")
        values = self.values.inner_product(xs, ys)
        for x in (*xs, *ys):
            same_key(xs[0], x)
        distinct = {id(x): x for x in (*xs, *ys)}
        level = min(map(levels.settled_level, distinct.values()))
        noises = {key: levels.settled_noise(x, level) for key, x in distinct.items()}
        bounds = (
            noise.multiply_bfv(self.parameters, level, noises[id(x)], noises[id(y)])
            for x, y in zip(xs, ys, strict=True)
        )
        what = "a product" if len(xs) == 1 else f"a sum of {len(xs)} products"
        bound = self._checked(noise.add(*bounds), level, what)
        factors = {key: self._factor(x, level) for key, x in distinct.items()}
        c, raised = product.products([(factors[id(x)], factors[id(y)]) for x, y in zip(xs, ys, strict=True)])
        return xs[0].with_polys(c, level=level, noise=bound, raised=raised, **values)

    def _factor(self, x: Ciphertext, level: int) -> Ciphertext:
        """A settled factor, at a lower level still; lowered by its coefficients, which a product needs anyway."""
        x = self.settle(x)
        return x if x.level == level else self.mod_switch(x.with_polys(x.coeffs()), level)

    def relinearize(self, x: Ciphertext) -> Ciphertext:
        """Degree 2 to degree 1, at the same level."""
        return x if x.degree < 2 else self._relinearized(x, x.level)

    def settle(self, x: Ciphertext) -> Ciphertext:
        """Degree 1 at the lowest level that holds the result as well: what is pending, and a modulus switch, in one.

        Noise is divided along with the modulus, so nothing is lost until what any next operation adds counts; the
        level is chosen by the tracked bound alone. Lower levels are smaller and faster.
        """
        level = levels.settled_level(x)
        return self.mod_switch(x, level) if x.degree < 2 else self._relinearized(x, level)

    def settled_level(self, x: Ciphertext) -> int:
        """The level that `settle` leads to."""
        return levels.settled_level(x)

    def _relinearized(self, x: Ciphertext, level: int) -> Ciphertext:
        bound = levels.switched_noise(self.chain, levels.linear_noise(x), x.level, level)
        self._checked(bound, level, "a relinearisation")
        check_key(x, self.keys.key_id, "evaluation keys")
        c = product.relinearized(x, self.keys.require_relinearization(), level)
        return x.with_polys(c, level=level, noise=bound, raised=0)

    # --- levels and rotations ----------------------------------------------------------------------------------

    def mod_switch(self, x: Ciphertext, level: int) -> Ciphertext:
        """round(Q_level / Q_l * c): smaller ciphertexts, the noise divided along."""
        if level == x.level:
            return x
        x.at_level(level)  # raises for an impossible level
        bound = levels.switched_noise(self.chain, x.noise, x.level, level, x.degree)
        self._checked(bound, level, "a modulus switch")
        limbs = self.parameters.limbs(level)
        c = [poly.divide_round(x.raised, x.raised + limbs) for poly in x.c]
        return x.with_polys(c, level=level, noise=bound, raised=0)

    def align(self, x: Ciphertext, y: Ciphertext) -> tuple[Ciphertext, Ciphertext]:
        """Two ciphertexts at the lower of their levels."""
        same_key(x, y)
        level = min(x.level, y.level)
        return self.mod_switch(x, level), self.mod_switch(y, level)

    def rotate(self, x: Ciphertext, step: int) -> Ciphertext:
        """Both rows of N/2 slots rotated towards index 0: ``np.roll(row, -step)``."""
        return rotated(self._automorphism, self.keys, x, step)

    def rotations(self, x: Ciphertext, steps: Sequence[int]) -> list[Ciphertext]:
        """x rotated by each step; the decomposition is shared (hoisting) by those that have a key."""
        return all_rotated(self._automorphism, self.keys, x, steps, self.relinearize)

    def swap(self, x: Ciphertext) -> Ciphertext:
        """The two rows exchanged."""
        return self._automorphism(x, swap_element(self.parameters.ring_degree))

    def _automorphism(self, x: Ciphertext, element: int, digits: Digits | None = None) -> Ciphertext:
        if element == 1:
            return x
        self.keys.require_galois(element)
        values = self.values.automorphism(x)
        x = self.relinearize(x)
        switched = noise.add(x.noise, noise.key_switch(self.parameters, x.level))
        bound = self._checked(switched, x.level, "a rotation")
        return replace(evaluate.automorphism(x, element, self.keys, digits), noise=bound, **values)

    # --- linear maps over P*Q ------------------------------------------------------------------------------------

    def encode_factors(
        self,
        vectors: NDArray[Any],
        level: int,
        gains: tuple[float, float],
        copies: int = 1,
        scale: float | None = None,
    ) -> Factors:
        """Plaintexts over P*Q_level; log2 of the sum of their canonical norms bounds the growth of noise."""
        assert scale is None, "integers have no scale"
        full = np.tile(vectors, max(self.row // vectors.shape[-1], 1))
        messages = [self.encoder.message(vector) for vector in full]
        growth = noise.add(*map(noise.canonical_norm, messages)) + math.log2(copies)
        polys = [CoeffPoly.from_int64(self.chain.qp(level), message).to_eval() for message in messages]
        return Factors(tuple(polys), level, 1.0, growth)

    def noise_of(self, x: Ciphertext) -> float:
        """log2 of its bound."""
        return x.noise

    def summed_noise(self, *noises: float) -> float:
        """Of a sum."""
        return noise.add(*noises)

    def switched_noise(self, bound: float, level: int, times: int) -> float:
        """After so many key switchings."""
        return noise.add(bound, noise.key_switch(self.parameters, level) + math.log2(times)) if times else bound

    def weighted_noise(self, x: Ciphertext, bound: float, factors: Factors) -> float:
        """Of sum_k u_k x_k."""
        return noise.multiply_plain(bound, factors.gain)

    def forecast(
        self, x: Ciphertext, bound: float, sums: tuple[NDArray[Any], NDArray[Any]], scale: float = 1.0
    ) -> Ciphertext:
        """The metadata of a linear map of x."""
        if not self.parameters.batching:
            raise EncodingError(
                f"plain modulus {self.encoder.t} makes no slots to sum or to multiply by a matrix, only coefficients; "
                f"use a prime that is 1 mod {2 * self.parameters.ring_degree}"
            )
        claims = self.values.linear(x, *sums)
        bound = noise.add(bound, noise.divide_round(self.parameters))
        return replace(x, noise=self._checked(bound, x.level, "a linear map"), raised=0, **claims)

    # --- limits ------------------------------------------------------------------------------------------------

    def products_left(self, x: Ciphertext, factor_bits: float = 0.0) -> int:
        """How many products in a row, each relinearised, x still allows with factors as noisy as it then is.

        ``factor_bits`` is log2 of what a multiplication by constants, before them, multiplies the noise by.
        """
        switch = noise.key_switch(self.parameters, x.level)
        bound = noise.add(x.noise, switch) + factor_bits
        for count in range(MOST_PRODUCTS):
            bound = noise.add(noise.multiply_bfv(self.parameters, x.level, bound, bound), switch)
            bound += noise.SETTLING_LOSS_BITS
            if bound >= self.limit(x.level):
                return count
        return MOST_PRODUCTS

    def limit(self, level: int) -> float:
        """log2 of Q_l / (2 t): where decryption begins to fail."""
        return self.chain.log_q(level) - math.log2(2 * self.encoder.t)

    def _checked(self, bound: float, level: int, what: str) -> float:
        if bound >= self.limit(level):
            raise NoiseError(
                f"{what} at level {level} would bring the noise bound to 2^{bound:.1f}, the limit is "
                f"2^{self.limit(level):.1f}; use fhe.bfv(depth=…) with more depth, or a smaller plain_modulus"
            )
        return bound
