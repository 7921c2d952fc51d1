"""BFV encoding: integers mod t to polynomials.

Batching (t prime, t = 1 mod 2N): slot (0, j) is m(psi^(5^j)), slot (1, j) is m(psi^(-5^j)) mod t, so that a
product of polynomials multiplies slot by slot and X -> X^5 rotates both rows. Otherwise the values are the
coefficients themselves. A message enters a ciphertext as round(Q m / t) (Kim, Polyakov, Zucca, ASIACRYPT 2021).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fhe.bfv.noise_budget import noise_budget_bits
from fhe.bfv.overflow import ValueTracker
from fhe.errors import EncodingError, ParameterError
from fhe.interval import WORD, Interval
from fhe.noise import canonical_norm
from fhe.parameters import BFVParameters
from fhe.primes import ntt_primes
from fhe.ring.basis import Basis
from fhe.ring.poly import CoeffPoly, EvalPoly
from fhe.rlwe.chain import ModulusChain
from fhe.rlwe.ciphertext import Plaintext
from fhe.validate import first_of, integers, one_dimensional, python_integers
from fhe.wide import value_modulus

WIDE_BITS = 46


class BFVEncoder:
    """Encodes up to N integers of [-t/2, t/2), or [0, t), modulo t."""

    def __init__(self, chain: ModulusChain) -> None:
        if not isinstance(chain.parameters, BFVParameters):
            raise ParameterError(f"the BFV encoder needs BFVParameters, got {type(chain.parameters).__name__}")
        self.chain = chain
        self.parameters: BFVParameters = chain.parameters
        self.t = self.parameters.plain_modulus
        self.modulus = value_modulus(self.parameters)  # beyond t where this encodes one residue of wide integers
        N = self.parameters.ring_degree
        self._plain = Basis.of(N, [self.t], chain.backend) if self.parameters.batching else None
        self._slot_order = np.argsort(chain.backend.evaluation_order(N))[slot_order(N)]
        # round(t x / Q) is at most t/2 in magnitude: primes whose product is beyond 2t hold it, whatever t is.
        count = 1 if self.t.bit_length() < WIDE_BITS - 2 else 2
        self._wide = Basis.of(N, ntt_primes(N, WIDE_BITS, count, exclude=self.parameters.moduli()), chain.backend)

    @property
    def slots(self) -> int:
        return self.parameters.ring_degree

    def integers(self, values: NDArray[Any]) -> NDArray[Any]:
        """Exact integers: int64, or Python's where the modulus is wider."""
        return integers(values) if self.modulus < WORD else python_integers(values)

    # --- messages: coefficients in [-t/2, t/2) -----------------------------------------------------------------

    def message(self, values: ArrayLike, factor: int = 1) -> NDArray[np.int64]:
        """The centred coefficients of m, or of factor * m mod t: the polynomial whose slots are ``values``, or zero."""
        slots = self._residues(values)
        if self._plain is None:
            return self._centre(mul_mod(slots, factor % self.t, self.t))
        return self._centre(self._batched(self._plain, slots, factor).residues[0].view(np.int64))

    def _residues(self, values: ArrayLike) -> NDArray[np.int64]:
        """Of all slots, modulo t; what the values leave is zero."""
        slots = np.zeros(self.slots, dtype=np.int64)
        array = self.integers(one_dimensional(values, self.slots, "BFV slots"))
        self.check_range(array)
        slots[: array.size] = array + (array >> 63 & self.t) if self.modulus == self.t else array % self.t
        return slots

    def _batched(self, plain: Basis, slots: NDArray[np.int64], factor: int) -> CoeffPoly:
        """The polynomial modulo t with factor times these slots."""
        evaluations = np.empty((1, self.slots), dtype=np.uint64)
        evaluations[0, self._slot_order] = slots
        loaded = EvalPoly(plain, self.chain.backend.load(plain.handle, evaluations))
        return (loaded if factor == 1 else loaded.scale_limbs([factor % self.t])).to_coeff()

    def values(self, message: NDArray[np.int64]) -> NDArray[np.int64]:
        """The centred slots of a message polynomial given by its coefficients."""
        if self._plain is None:
            return self._centre(message % self.t)
        return self._slots(CoeffPoly.from_int64(self._plain, message))

    def _slots(self, message: CoeffPoly) -> NDArray[np.int64]:
        return self._centre(message.to_eval().residues[0].view(np.int64)[self._slot_order])

    def check_range(self, array: NDArray[np.int64], interval: Interval | None = None) -> None:
        """Raise EncodingError unless every value is in the interval; [-t/2, t) for residues, (-t, t) for plain ones."""
        free = interval is None or interval.high is None
        low, high = 1 - self.modulus if interval is None else -(self.modulus // 2), self.modulus - 1
        if interval is not None and interval.high is not None:
            low, high = interval.ends
        beyond = np.argwhere((array < low) | (array > high))
        if len(beyond):
            remedy = "use a larger plain_modulus or value_bits" if free else "promise more: encrypt(…, bound=…)"
            raise EncodingError(
                f"{first_of(beyond)} is outside {low} … {high} for plain modulus t = {self.modulus}; {remedy}"
            )

    def slots_of(self, values: ArrayLike) -> Interval:
        """The interval of all slots that plain values make: a number is in every slot, what an array leaves is zero."""
        array = np.asarray(values)
        return Interval.of(self.integers(array), zero=array.ndim > 0 and array.size < self.slots)

    def _centre(self, residues: NDArray[np.int64]) -> NDArray[np.int64]:
        centred: NDArray[np.int64] = residues - ((self.t - 1) // 2 - residues >> 63 & self.t)
        return centred

    # --- plaintexts --------------------------------------------------------------------------------------------

    def encode(self, values: ArrayLike, level: int | None = None) -> Plaintext:
        """round(Q_l m / t) mod Q_l: what encryption and addition take.

        Limb by limb it is ``-[Q m]_t * t^-1 mod q_i``, since Q m - [Q m]_t is divisible by t.
        """
        level = self.parameters.max_level if level is None else level
        basis = self.chain.q(level)
        divided = minus_inverses(self.t, basis)
        if self._plain is not None:
            remainder = self._batched(self._plain, self._residues(values), basis.product)
            poly = remainder.convert(basis, after=divided)
        else:
            poly = CoeffPoly.from_int64(basis, self.message(values, basis.product)).scale_limbs(divided)
        return Plaintext(self.chain, poly, level, interval=self.slots_of(values))

    def encode_factor(self, values: ArrayLike, level: int | None = None) -> Plaintext:
        """m mod Q_l, centred and not scaled: what multiplication by a plaintext takes.

        Its ``bound`` is the canonical norm of m, by which the product's noise grows (`fhe.noise.multiply_plain`).
        """
        level = self.parameters.max_level if level is None else level
        message = self.message(values)
        norm = 2.0 ** canonical_norm(message)
        interval = ValueTracker(self.parameters, self.modulus).factor(self.slots_of(values), message)
        poly = CoeffPoly.from_int64(self.chain.q(level), message).to_eval()
        return Plaintext(self.chain, poly, level, bound=norm, interval=interval)

    def decode(self, phase: CoeffPoly) -> NDArray[np.int64]:
        """The centred slots of round(t x / Q) mod t, for x = round(Q m / t) + noise."""
        return self.measured(phase)[0]

    def measured(self, phase: CoeffPoly) -> tuple[NDArray[np.int64], float]:
        """`decode`, and the largest distance of t x / Q to its rounding: decryption fails at 1/2."""
        if self._plain is not None:
            message, rest = phase.scale_round(self._plain)
            return self._slots(message), float(max(rest.max(), -rest.min()))
        limbs = len(phase.basis)
        scaled = phase.extend(self._wide).scale(self.t).divide_round(limbs, limbs + len(self._wide))
        return self.values(scaled.lift().astype(np.int64)), 2.0 ** -(1 + noise_budget_bits(self.parameters, phase))


@lru_cache(maxsize=256)
def minus_inverses(t: int, basis: Basis) -> tuple[int, ...]:
    """-1/t modulo each prime."""
    return tuple(-pow(t, -1, q) % q for q in basis.moduli)


def mul_mod(array: NDArray[np.int64], factor: int, modulus: int) -> NDArray[np.int64]:
    """array * factor mod modulus for residues, exact for moduli up to 2^62.

    >>> int(mul_mod(np.array([2**49]), 2**49, 2**50 - 27)[0]) == 2**98 % (2**50 - 27)
    True
    """
    if modulus < 2**31:
        return array * factor % modulus
    exact: Any = array.astype(object) * factor % modulus
    return np.asarray(exact, dtype=np.int64)


@lru_cache(maxsize=16)
def slot_order(ring_degree: int) -> NDArray[np.int64]:
    """The natural index k of slot (row, j), row after row: 2k+1 = 5^j for row 0 and -5^j mod 2N for row 1."""
    half = ring_degree // 2
    order, power = np.empty(ring_degree, dtype=np.int64), 1
    for j in range(half):
        order[j] = (power - 1) // 2
        order[half + j] = (2 * ring_degree - power - 1) // 2
        power = power * 5 % (2 * ring_degree)
    return order
