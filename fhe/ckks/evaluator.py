"""CKKS on ciphertexts: exact per-level scales, and products that wait before they are rescaled.

A ciphertext at level l is *settled* when its scale is the level's own, Delta_l. Products and plaintext products
are *pending*: scale about Delta_l^2, for a product also degree 2. Sums of pending ciphertexts cost nothing extra;
the next operation that needs a settled operand settles it, with one merged relinearise-and-rescale. Since
Delta_{l-1} = Delta_l^2 / q_l exactly (Kim, Papadimitriou, Polyakov, ePrint 2020/1118), operands of all
levels meet without approximation of their scales.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fhe.ckks import precision
from fhe.ckks.encoder import CKKSEncoder, check_between, check_values
from fhe.ckks.precision import NOTHING, Noise
from fhe.ckks.scalars import gaussian, largest, scaled
from fhe.errors import EncodingError, LevelError
from fhe.interval import Bound
from fhe.ring.poly import CoeffPoly, Poly
from fhe.rlwe import evaluate
from fhe.rlwe.automorphism import swap_element
from fhe.rlwe.ciphertext import Ciphertext, Factors, Plaintext, same_key
from fhe.rlwe.encodings import remembered
from fhe.rlwe.keyswitch import Digits
from fhe.rlwe.public import Encryption, EvaluationKeys
from fhe.rlwe.routes import all_rotated, rotated

DEFAULT_BOUND = 16.0


class CKKSEvaluator:
    """Add, multiply, relinearise, rescale, rotate, conjugate; needs no secret.

    Operands are never changed. ``keys`` supplies relinearisation and rotation keys; what is missing raises
    MissingKeyError before any work. An ``eager`` evaluator settles every product at once.
    """

    __slots__ = ("chain", "eager", "encoder", "keys", "parameters")

    def __init__(self, encoder: CKKSEncoder, keys: EvaluationKeys, eager: bool = False) -> None:
        self.eager = eager
        self.encoder = encoder
        self.chain = encoder.chain
        self.parameters = encoder.parameters
        self.keys = keys

    def lazy(self) -> CKKSEvaluator:
        """The same, not eager."""
        return CKKSEvaluator(self.encoder, self.keys) if self.eager else self

    @property
    def slots(self) -> int:
        return self.encoder.slots

    @property
    def row(self) -> int:
        return self.encoder.slots

    # --- values in and out ---------------------------------------------------------------------------------------

    def promise(self, bound: Bound, dtype: np.dtype[Any]) -> Bound:
        """The public bound on values to be encrypted, as it is given."""
        if isinstance(bound, tuple) and dtype.kind == "c":
            raise EncodingError(f"the bound of complex numbers is a largest magnitude, not a pair: {bound}")
        return bound

    def admit(self, values: NDArray[Any], bound: Bound) -> tuple[NDArray[Any], float]:
        """Values fit to be encrypted, as float64 or complex128, and the public bound on their magnitude.

        Without a bound it is `DEFAULT_BOUND`, or what a result at level 0 may have if that is less. Of a pair (low,
        high) both ends are checked, here and nowhere else.
        """
        if isinstance(bound, tuple):
            check_between(values, *bound)
            bound = max(map(abs, bound))
        bound = min(DEFAULT_BOUND, self.parameters.bound) if bound is None else float(bound)
        dtype = np.complex128 if values.dtype.kind == "c" else np.float64
        return check_values(values, bound).astype(dtype), bound

    def encode(self, slots: NDArray[Any], level: int, bound: float) -> Plaintext:
        """The plaintext of one ciphertext's slots at the level's scale."""
        return self.encoder.encode(slots, level, bound=bound)

    def decode(self, phase: CoeffPoly, x: Ciphertext) -> NDArray[np.complex128]:
        """The slots of the decryption phase of x; ScaleError if the modulus of its level may not hold them."""
        return self.encoder.decode(phase, self._checked(x).scale)

    def fresh_noise(self, encryption: Encryption, bound: float, level: int) -> dict[str, Any]:
        """What is known of the noise of a new encryption of values up to ``bound`` at a level."""
        return precision.fresh(self.parameters, encryption, self.parameters.scale(level) * bound).fields

    def precision_bits(self, x: Ciphertext) -> float:
        """-log2 of the bound on a value's error."""
        return precision.bits(x, Noise.of(x).bound)

    def expected_precision_bits(self, x: Ciphertext) -> float:
        """-log2 of the root mean square that a value's error should have."""
        return precision.bits(x, precision.usual(x))

    def room_bits(self, x: Ciphertext) -> float:
        """Bits that the values may still grow before the modulus is too small for them."""
        return self.chain.log_q(x.level) - 1 - math.log2(x.scale) - math.log2(max(x.bound, 2.0**-300))

    def products_left(self, x: Ciphertext) -> int:
        """The levels below, once x is settled."""
        return x.level - self.is_pending(x)

    def result_type(self, dtype: np.dtype[Any], other: np.dtype[Any]) -> np.dtype[Any]:
        """float64, or complex128 if either operand is complex."""
        return np.result_type(np.float64, dtype, other)

    # --- linear ------------------------------------------------------------------------------------------------

    def add(self, x: Ciphertext, y: Ciphertext) -> Ciphertext:
        """x + y. Levels and scales are brought together; consumes no level."""
        x, y = self.align(x, y)
        noise = Noise.of(x) * 2 if x is y else Noise.of(x) + Noise.of(y)
        return self._checked(x.with_polys(evaluate.add(x, y), **noise.fields, bound=x.bound + y.bound))

    def either(self, x: Ciphertext, y: Ciphertext) -> Ciphertext:
        """x + y of which at most one is not zero in each slot, so that the larger bound holds."""
        x, y = self.align(x, y)
        return x.with_polys(evaluate.add(x, y), noise=x.noise + y.noise, bound=max(x.bound, y.bound))

    def sub(self, x: Ciphertext, y: Ciphertext) -> Ciphertext:
        """x - y."""
        x, y = self.align(x, y)
        noise = Noise.of(x) + Noise.of(y)
        return self._checked(x.with_polys(evaluate.sub(x, y), **noise.fields, bound=x.bound + y.bound))

    def negate(self, x: Ciphertext) -> Ciphertext:
        """-x."""
        return x.with_polys(evaluate.negate(x))

    def add_plain(self, x: Ciphertext, values: ArrayLike) -> Ciphertext:
        """x + values, slot by slot; a single number is added to every slot."""
        array = np.asarray(values)
        bound = largest(array)
        c0, *rest = x.evals()
        if array.ndim == 0 and array.dtype.kind != "c":
            c0 = c0.add_constant(scaled(float(array), x.scale))
        else:
            c0 = c0 + self._encoded(array, x.level, x.scale).poly.to_eval()
        noise = Noise.of(x) + precision.encoding(self.parameters, bound * x.scale)
        return self._checked(x.with_polys([c0, *rest], **noise.fields, bound=x.bound + bound))

    # --- products ----------------------------------------------------------------------------------------------

    def multiply(self, x: Ciphertext, y: Ciphertext) -> Ciphertext:
        """x * y, slot by slot: degree 2 and scale Delta_l^2, one level once settled."""
        if x is y:
            return self.square(x)
        same_key(x, y)
        x, y = self.settle(x), self.settle(y)
        if x.level != y.level:  # their scales need not agree
            level = min(x.level, y.level)
            x, y = (z if z.level == level else self.adjust(z, level) for z in (x, y))
        self._require_level(x, "a product")
        c = evaluate.tensor(x.evals(), y.evals())
        return self._product(x, c, y.scale, precision.product(x, y), x.bound * y.bound)

    def square(self, x: Ciphertext) -> Ciphertext:
        """x * x."""
        x = self.settle(x)
        self._require_level(x, "a square")
        return self._product(
            x, evaluate.tensor(x.evals(), x.evals()), x.scale, precision.product(x, x), x.bound * x.bound
        )

    def multiply_plain(self, x: Ciphertext, values: ArrayLike | Plaintext) -> Ciphertext:
        """x * values, slot by slot; one level once settled. A (Gaussian) integer for all slots costs none."""
        if isinstance(values, Plaintext):
            return self._multiply_plaintext(self.settle(x), values)
        array = np.asarray(values)
        if array.ndim == 0 and array.dtype.kind != "c":
            return self._multiply_number(x, float(array))
        if array.ndim == 0 and gaussian(complex(array)):
            return self._multiply_gaussian(x, complex(array))
        x = self.settle(x)
        return self._multiply_plaintext(x, self._encoded(array, x.level, self.parameters.scale(x.level)))

    def encode_factor(self, values: ArrayLike, level: int) -> Plaintext:
        """Encode for multiplication with a settled ciphertext of this level; worth keeping when used again."""
        return self._evaluated(np.asarray(values), level, self.parameters.scale(level))

    def _evaluated(self, values: NDArray[Any], level: int, scale: float) -> Plaintext:
        full = np.broadcast_to(values, self.encoder.slots) if values.ndim == 0 else values
        plain = self.encoder.encode(full, level, scale, max(largest(values), 2.0**-20))
        return replace(plain, poly=plain.poly.to_eval())

    def _encoded(self, values: NDArray[Any], level: int, scale: float) -> Plaintext:
        """Values of slots, or one for all of them, as they were encoded before, if they were."""
        return remembered(self.chain, (level, scale), values, lambda: self._evaluated(values, level, scale))

    def _multiply_plaintext(self, x: Ciphertext, plain: Plaintext) -> Ciphertext:
        self._require_level(x, "a product with a plaintext")
        if plain.level > x.level:
            plain = replace(plain, poly=plain.poly.limbs(0, len(x.c[0].basis)), level=x.level)
        elif plain.level < x.level:
            x = self.adjust(x, plain.level)
        factor = plain.poly.to_eval()
        noise = precision.plain_product(self.parameters, x, plain.scale, plain.bound)
        return self._product(x, [c * factor for c in x.evals()], plain.scale, noise, x.bound * plain.bound)

    def _multiply_number(self, x: Ciphertext, number: float) -> Ciphertext:
        if number == round(number) and abs(number) < 2**20:
            noise, bound = Noise.of(x) * number, x.bound * abs(number)
            return self._checked(x.with_polys([c.scale(round(number)) for c in x.c], **noise.fields, bound=bound))
        x = self.settle(x)
        self._require_level(x, "a product with a fraction")
        scale = self.parameters.scale(x.level)
        noise = precision.number_product(x, scale, number)
        factor = scaled(number, scale)
        return self._product(x, [c.scale(factor) for c in x.c], scale, noise, x.bound * abs(number))

    def _multiply_gaussian(self, x: Ciphertext, number: complex) -> Ciphertext:
        """By a + b X^(N/2), which is a + b i in every slot: exact, and no level."""
        coefficients = np.zeros(self.parameters.ring_degree, dtype=np.int64)
        coefficients[[0, self.parameters.ring_degree // 2]] = int(number.real), int(number.imag)
        factor = CoeffPoly.from_int64(x.c[0].basis, coefficients).to_eval()
        noise, bound = Noise.of(x) * abs(number), x.bound * abs(number)
        return self._checked(x.with_polys([c * factor for c in x.evals()], **noise.fields, bound=bound))

    def _product(self, x: Ciphertext, c: Sequence[Poly], scale: float, noise: Noise, bound: float) -> Ciphertext:
        product = self._checked(x.with_polys(c, scale=x.scale * scale, **noise.fields, bound=bound))
        return self.settle(product) if self.eager else product

    # --- degree, scale and level -------------------------------------------------------------------------------

    def is_pending(self, x: Ciphertext) -> bool:
        """Is the scale still that of a product?"""
        return x.scale > self.parameters.scale(x.level) * math.exp2(self.parameters.scale_bits / 2)

    def relinearize(self, x: Ciphertext) -> Ciphertext:
        """Degree 2 to degree 1."""
        if x.degree < 2:
            return x
        return self._switched(evaluate.relinearize(x, self.keys))

    def rescale(self, x: Ciphertext) -> Ciphertext:
        """Divide by q_l: level l to l-1, scale Delta to Delta / q_l."""
        self._require_level(x, "a rescale")
        limbs = self.parameters.limbs(x.level - 1)
        return self._rescaled(x, [c.divide_round(0, limbs) for c in x.evals()], Noise.of(x))

    def settle(self, x: Ciphertext) -> Ciphertext:
        """Degree 1 at the level's own scale: the pending relinearisation and rescale, merged."""
        if x.degree == 2 and self.is_pending(x):
            noise = Noise.of(x) + precision.key_switch(self.parameters, x.level)
            return self._rescaled(x, evaluate.relinearize_rescale(x, self.keys), noise)
        x = self.relinearize(x)
        return self.rescale(x) if self.is_pending(x) else x

    def settled_level(self, x: Ciphertext) -> int:
        """The level that `settle` leads to."""
        return x.level - 1 if self.is_pending(x) else x.level

    def adjust(self, x: Ciphertext, level: int) -> Ciphertext:
        """A settled ciphertext brought to a lower level *and* that level's scale, exactly; costs no extra level.

        Drop to level+1, multiply by the integer nearest to Delta_level q_{level+1} / Delta_x, rescale.
        """
        if level == x.level:
            return self._at_scale(x, self.parameters.scale(level))
        above = x.at_level(level + 1)
        divisor = math.prod(self.chain.level_primes(level + 1))
        factor = round(Fraction(self.parameters.scale(level)) * divisor / Fraction(x.scale))
        c, noise = [poly.scale(factor) for poly in above.c], Noise.of(x) * factor
        lowered = self.rescale(above.with_polys(c, scale=x.scale * factor, **noise.fields))
        return self._at_scale(lowered, self.parameters.scale(level))  # the integer misses it by half a unit

    def _at_scale(self, x: Ciphertext, scale: float) -> Ciphertext:
        """x read at another scale, very near its own: by what that changes values, its noise grows."""
        change = abs(x.scale - scale) * x.bound
        return x if x.scale == scale else replace(x, scale=scale, **(Noise.of(x) + Noise(change, change)).fields)

    def align(self, x: Ciphertext, y: Ciphertext) -> tuple[Ciphertext, Ciphertext]:
        """Two ciphertexts at one level and scale: as they are if they agree, else settled and adjusted.

        Scales of one level differ where limbs were dropped without `adjust`. Reading one at the other's scale is right
        within the noise, or it takes a level to make them agree.
        """
        same_key(x, y)
        if x.level == y.level and math.isclose(x.scale, y.scale, rel_tol=2.0**-40):
            return x, y
        x, y = self.settle(x), self.settle(y)
        level = min(x.level, y.level)
        if any(z.level == level and not self._fits(z) for z in (x, y)):
            self._require_level(x if x.level == level else y, "a sum of operands at different scales")
            level -= 1
        return self.adjust(x, level), self.adjust(y, level)

    def _fits(self, x: Ciphertext) -> bool:
        """Is the scale the level's own, within the noise?"""
        return abs(x.scale - self.parameters.scale(x.level)) * x.bound <= x.noise

    def _rescaled(self, x: Ciphertext, c: Sequence[Poly], noise: Noise) -> Ciphertext:
        divisor = float(math.prod(self.chain.level_primes(x.level)))
        scale = x.scale / divisor
        noise = noise * (1 / divisor) + precision.rounding(self.parameters) + precision.rounded_scale(scale * x.bound)
        return x.with_polys(c, level=x.level - 1, scale=scale, **noise.fields)

    # --- rotations ---------------------------------------------------------------------------------------------

    def rotate(self, x: Ciphertext, step: int) -> Ciphertext:
        """Slot j takes slot j + step (cyclically over all N/2): ``np.roll(x, -step)``."""
        return rotated(self._automorphism, self.keys, x, step)

    def swap(self, x: Ciphertext) -> Ciphertext:
        """`conjugate`, by the name that both schemes share."""
        return self.conjugate(x)

    def conjugate(self, x: Ciphertext) -> Ciphertext:
        """The complex conjugate of every slot."""
        return self._automorphism(x, swap_element(self.parameters.ring_degree))

    def rotations(self, x: Ciphertext, steps: Sequence[int]) -> list[Ciphertext]:
        """x rotated by each step; the decomposition is shared (hoisting) by those that have a key."""
        return all_rotated(self._automorphism, self.keys, x, steps, self.settle)

    def _automorphism(self, x: Ciphertext, element: int, digits: Digits | None = None) -> Ciphertext:
        if element == 1:
            return x
        self.keys.require_galois(element)
        # A pending plaintext product is rotated as it is: at scale Delta^2 the switching noise is nothing, and a sum
        # of rotations is then rounded once, by its rescale, instead of once for each.
        x = self.settle(x) if x.degree == 2 else x
        return self._switched(evaluate.automorphism(x, element, self.keys, digits))

    def _switched(self, x: Ciphertext) -> Ciphertext:
        return replace(x, **(Noise.of(x) + precision.key_switch(self.parameters, x.level)).fields)

    # --- linear maps over P*Q ------------------------------------------------------------------------------------

    def encode_factors(
        self,
        vectors: NDArray[Any],
        level: int,
        gains: tuple[float, float],
        copies: int = 1,
        scale: float | None = None,
    ) -> Factors:
        """Plaintexts over P*Q_level, at the level's scale or another; how far rounding moved them is measured."""
        scale, basis = scale or self.parameters.scale(level), self.chain.qp(level)
        polys, moved, squared = [], np.zeros(vectors.shape[-1]), np.zeros(vectors.shape[-1])
        for slots in vectors:
            poly, error = self.encoder.rounded(slots, scale, basis)
            polys.append(poly.to_eval())
            moved, squared = moved + error, squared + error * error
        doubles = precision.transformed(self.parameters, scale * largest(vectors)) * len(polys)
        bound, rms = copies * (float(moved.max()) + doubles), math.sqrt(copies * float(squared.max()))
        return Factors(tuple(polys), level, scale, *gains, bound, rms + doubles / 8)

    def noise_of(self, x: Ciphertext) -> Noise:
        """The noise of a ciphertext."""
        return Noise.of(x)

    def summed_noise(self, *noises: Noise) -> Noise:
        """Of a sum."""
        return sum(noises, NOTHING)

    def switched_noise(self, noise: Noise, level: int, times: int) -> Noise:
        """After so many key switchings."""
        switch = precision.key_switch(self.parameters, level)
        return noise + Noise(switch.bound * times, switch.rms * math.sqrt(times))

    def weighted_noise(self, x: Ciphertext, noise: Noise, factors: Factors) -> Noise:
        """Of sum_k u_k x_k."""
        return precision.weighted(x, noise, factors)

    def forecast(
        self, x: Ciphertext, noise: Noise, sums: tuple[NDArray[Any], NDArray[Any]], scale: float = 1.0
    ) -> Ciphertext:
        """The metadata of a linear map of x; rescaled if the map has a scale or x is a product of degree 2."""
        product = replace(x, scale=x.scale * scale, bound=x.bound * float((sums[0] - sums[1]).max()))
        if not (self.is_pending(product) and (scale > 1.0 or x.degree == 2)):
            return self._checked(replace(product, **(noise + precision.rounding(self.parameters)).fields))
        self._require_level(x, "a linear map")
        return self._rescaled(self._checked(product), product.c, noise)

    # --- limits ------------------------------------------------------------------------------------------------

    def _require_level(self, x: Ciphertext, what: str) -> None:
        if x.level == 0:
            raise LevelError.short(what, 1, 0, self.parameters.max_level, "re-encrypt the value")

    def _checked(self, x: Ciphertext) -> Ciphertext:
        self.encoder.check_room(x.level, x.scale, x.bound + x.noise / x.scale)
        return x
