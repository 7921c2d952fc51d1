"""BFV on ciphertexts: exact arithmetic modulo t, with a noise bound that is checked before every operation.

A ciphertext at level l satisfies c_0 + c_1 s = (Q_l / t) m + v with |v| below ``2^noise``; it decrypts exactly
while |v| < Q_l / (2 t). Multiplication is that of Halevi, Polyakov and Shoup (CT-RSA 2019): both operands are
extended to Q*B, multiplied as integers, and t/Q of the product is rounded back.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fhe import noise
from fhe.bfv.encoder import BFVEncoder
from fhe.bfv.overflow import ValueTracker
from fhe.errors import EncodingError, NoiseError
from fhe.interval import Bound, Interval
from fhe.primes import ntt_primes
from fhe.ring.basis import Basis
from fhe.ring.poly import CoeffPoly, EvalPoly, Poly
from fhe.rlwe import evaluate
from fhe.rlwe.automorphism import rotation_element, swap_element
from fhe.rlwe.chain import ModulusChain
from fhe.rlwe.ciphertext import Ciphertext, Factors, Plaintext, same_key
from fhe.rlwe.keyswitch import Digits
from fhe.rlwe.public import EvaluationKeys
from fhe.rlwe.routes import way
from fhe.validate import integers

AUXILIARY_BITS = 46


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
        self.values = ValueTracker(self.parameters, encoder.t)

    @property
    def slots(self) -> int:
        return self.encoder.slots

    @property
    def row(self) -> int:
        return self.encoder.slots // 2

    # --- values in and out ---------------------------------------------------------------------------------------

    def promise(self, bound: Bound, dtype: np.dtype[Any]) -> Interval:
        """The interval of values to be encrypted: `Interval.declared`."""
        return Interval.declared(bound, dtype, self.encoder.t)

    def admit(self, values: NDArray[Any], bound: Interval | None) -> tuple[NDArray[Any], Interval]:
        """Integers of an interval, as int64; without one, any between -t and t."""
        exact = integers(values)
        self.encoder.check_range(exact, bound)
        return exact, Interval.residues(self.encoder.t) if bound is None else bound

    def encode(self, slots: NDArray[Any], level: int, bound: Interval) -> Plaintext:
        """The plaintext of one ciphertext's slots, to be encrypted."""
        return replace(self.encoder.encode(slots, level), **self.values.claims(bound, "an encryption"))

    def decode(self, phase: CoeffPoly, x: Ciphertext) -> NDArray[np.int64]:
        """The slots of the decryption phase of x: the integers of its interval, or its residues as they are read."""
        return self.values.of(x).representatives(self.encoder.decode(phase), self.encoder.t)

    def fresh_noise(self, symmetric: bool, bound: Interval, level: int) -> float:
        """log2 of the noise bound of a new encryption."""
        return noise.fresh_symmetric(self.parameters) if symmetric else noise.fresh_public(self.parameters)

    def precision_bits(self, x: Ciphertext) -> float:
        """Infinite: arithmetic modulo t is exact."""
        return math.inf

    def room_bits(self, x: Ciphertext) -> float:
        """Bits between the tracked noise bound and the limit; needs no secret."""
        return self.limit(x.level) - x.noise

    def result_type(self, dtype: np.dtype[Any], other: np.dtype[Any]) -> np.dtype[Any]:
        """int64, for integers only."""
        if other.kind not in "biu":
            raise EncodingError(
                f"BFV computes with integers, got an operand of dtype {other}; round it, or use fhe.ckks"
            )
        return np.dtype(np.int64)

    # --- linear ------------------------------------------------------------------------------------------------

    def add(self, x: Ciphertext, y: Ciphertext) -> Ciphertext:
        """x + y mod t."""
        values = self.values.add(x, y)
        x, y = self.align(x, y)
        bound = self._checked(noise.add(x.noise, y.noise), x.level, "a sum")
        return x.with_polys(evaluate.add(x, y), noise=bound, **values)

    def sub(self, x: Ciphertext, y: Ciphertext) -> Ciphertext:
        """x - y mod t."""
        values = self.values.sub(x, y)
        x, y = self.align(x, y)
        bound = self._checked(noise.add(x.noise, y.noise), x.level, "a difference")
        return x.with_polys(evaluate.sub(x, y), noise=bound, **values)

    def negate(self, x: Ciphertext) -> Ciphertext:
        """-x mod t."""
        values = self.values.negate(x)
        return x.with_polys(evaluate.negate(x), **values)

    def add_plain(self, x: Ciphertext, values: ArrayLike | Plaintext) -> Ciphertext:
        """x + values mod t, slot by slot; a single number is added to every slot.

        A Plaintext must come from `BFVEncoder.encode` at the ciphertext's level.
        """
        plain = values if isinstance(values, Plaintext) else self.encoder.encode(self._filled(values), x.level)
        claims = self.values.add_plain(x, self.values.of(plain))
        bound = self._checked(noise.add(x.noise, -1.0), x.level, "a sum with a plaintext")
        c0, *rest = x.c
        m = plain.poly.to_coeff() if isinstance(c0, CoeffPoly) else plain.poly.to_eval()
        return x.with_polys([c0 + m, *rest], noise=bound, **claims)

    def multiply_plain(self, x: Ciphertext, values: ArrayLike | Plaintext) -> Ciphertext:
        """x * values mod t, slot by slot; a single integer multiplies every slot.

        A Plaintext must come from `BFVEncoder.encode_factor` at the ciphertext's level.
        """
        if not isinstance(values, Plaintext) and np.ndim(values) == 0:
            return self._multiply_integer(x, int(integers(np.atleast_1d(values))[0]))
        plain = values if isinstance(values, Plaintext) else self.encoder.encode_factor(values, x.level)
        claims = self.values.multiply_plain(x, plain)
        bound = self._checked(x.noise + math.log2(max(plain.bound, 1.0)), x.level, "a product with a plaintext")
        factor = plain.poly.to_eval()
        return x.with_polys([c * factor for c in x.evals()], noise=bound, **claims)

    def _multiply_integer(self, x: Ciphertext, factor: int) -> Ciphertext:
        claims = self.values.scale(x, factor)
        factor = (factor + self.encoder.t // 2) % self.encoder.t - self.encoder.t // 2
        bound = self._checked(x.noise + math.log2(max(abs(factor), 1)), x.level, "a product with an integer")
        return x.with_polys([c.scale(factor) for c in x.c], noise=bound, **claims)

    def _filled(self, values: ArrayLike) -> ArrayLike:
        return np.broadcast_to(values, self.slots) if np.ndim(values) == 0 else values

    # --- products ----------------------------------------------------------------------------------------------

    def multiply(self, x: Ciphertext, y: Ciphertext) -> Ciphertext:
        """x * y mod t, slot by slot, of degree 2."""
        if x is y:
            return self.square(x)
        values = self.values.multiply(x, y)
        x, y = self.align(self.relinearize(x), self.relinearize(y))
        bound = self._product_noise(x, y)
        auxiliary = auxiliary_basis(self.chain, x.level)
        c = evaluate.tensor(_extended(x.c, auxiliary), _extended(y.c, auxiliary))
        return x.with_polys([self._scaled_down(poly, x.level) for poly in c], noise=bound, **values)

    def square(self, x: Ciphertext) -> Ciphertext:
        """x * x mod t, of degree 2, extending once."""
        values = self.values.multiply(x, x)
        x = self.relinearize(x)
        bound = self._product_noise(x, x)
        c = evaluate.square(_extended(x.c, auxiliary_basis(self.chain, x.level)))
        return x.with_polys([self._scaled_down(poly, x.level) for poly in c], noise=bound, **values)

    def settle(self, x: Ciphertext) -> Ciphertext:
        """`relinearize`, by the name that both schemes share."""
        return self.relinearize(x)

    def relinearize(self, x: Ciphertext) -> Ciphertext:
        """Degree 2 to degree 1."""
        if x.degree < 2:
            return x
        bound = self._checked(
            noise.add(x.noise, noise.key_switch(self.parameters, x.level)), x.level, "a relinearisation"
        )
        return replace(evaluate.relinearize(x, self.keys), noise=bound)

    def _product_noise(self, x: Ciphertext, y: Ciphertext) -> float:
        return self._checked(noise.multiply_bfv(self.parameters, x.level, x.noise, y.noise), x.level, "a product")

    def _scaled_down(self, product: EvalPoly, level: int) -> CoeffPoly:
        """round(t x / Q) mod Q, through B: B is larger than the result, so B alone holds it."""
        limbs = self.parameters.limbs(level)
        scaled = product.to_coeff().scale(self.encoder.t).divide_round(limbs, len(product.basis))
        return scaled.convert(self.chain.q(level))

    # --- levels and rotations ----------------------------------------------------------------------------------

    def mod_switch(self, x: Ciphertext, level: int) -> Ciphertext:
        """round(Q_level / Q_l * c): smaller ciphertexts, the noise divided along."""
        if level == x.level:
            return x
        lower = x.at_level(level)  # raises for an impossible level
        shrunk = x.noise + math.log2(lower.c[0].basis.product) - math.log2(x.c[0].basis.product)
        bound = self._checked(noise.add(shrunk, noise.divide_round(self.parameters)), level, "a modulus switch")
        limbs = self.parameters.limbs(level)
        return x.with_polys([c.divide_round(0, limbs) for c in x.c], level=level, noise=bound)

    def align(self, x: Ciphertext, y: Ciphertext) -> tuple[Ciphertext, Ciphertext]:
        """Two ciphertexts at the lower of their levels."""
        same_key(x, y)
        level = min(x.level, y.level)
        return self.mod_switch(x, level), self.mod_switch(y, level)

    def rotate(self, x: Ciphertext, step: int) -> Ciphertext:
        """Both rows of N/2 slots rotated towards index 0: ``np.roll(row, -step)``."""
        for part in way(self.keys, step, self.row):
            x = self._automorphism(x, rotation_element(part, self.parameters.ring_degree))
        return x

    def rotations(self, x: Ciphertext, steps: Sequence[int]) -> list[Ciphertext]:
        """x rotated by each step; the decomposition is shared (hoisting) by those that have a key."""
        ways, x = [way(self.keys, step, self.row) for step in steps], self.relinearize(x)
        digits = evaluate.hoist(x) if any(len(parts) == 1 for parts in ways) else None
        return [
            self._automorphism(x, rotation_element(parts[0], self.parameters.ring_degree), digits)
            if len(parts) == 1
            else self.rotate(x, step)
            for parts, step in zip(ways, steps, strict=True)
        ]

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

    def encode_factors(self, vectors: NDArray[Any], level: int, gain: float, copies: int = 1) -> Factors:
        """Plaintexts over P*Q_level; log2 of the sum of their canonical norms bounds the growth of noise."""
        messages = [self.encoder.message(vector) for vector in vectors]
        growth = noise.add(*map(noise.canonical_norm, messages)) + math.log2(copies)
        polys = [CoeffPoly.from_int64(self.chain.qp(level), message).to_eval() for message in messages]
        return Factors(tuple(polys), level, 1.0, growth)

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
        return replace(x, noise=self._checked(bound, x.level, "a linear map"), **claims)

    # --- limits ------------------------------------------------------------------------------------------------

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


def _extended(c: Sequence[Poly], auxiliary: Basis) -> tuple[EvalPoly, ...]:
    """Residues modulo Q and B of the centred integers, as evaluations."""
    return tuple(poly.to_eval().join(poly.to_coeff().convert(auxiliary).to_eval()) for poly in c)


@lru_cache(maxsize=256)
def auxiliary_basis(chain: ModulusChain, level: int) -> Basis:
    """B: enough primes beyond those of the chain that B > 8 t N Q_l, which holds any |t x / Q| of a product."""
    parameters = chain.parameters
    N, Q = parameters.ring_degree, chain.q(level).product
    needed = math.log2(8 * N * parameters.plain_modulus) + math.log2(Q)  # type: ignore[attr-defined]
    count = math.ceil(needed / (AUXILIARY_BITS - 0.5))
    used = (*parameters.moduli(parameters.max_level), *parameters.special)
    return Basis.of(N, ntt_primes(N, AUXILIARY_BITS, count, exclude=used), chain.backend)
