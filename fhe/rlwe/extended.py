"""Ciphertexts over P*Q_l: sums of rotations that are divided by P once.

Key switching ends with a division by P, and begins with the digits of one component. What lies between, products with
plaintexts, sums, and all that happens to c_0, may be done on P times the ciphertext, modulo P*Q_l: the division and its
rounding then come once for a whole sum. (Bossuat, Mouchet, Troncoso-Pastoriza, Hubaux, EUROCRYPT 2021, ePrint
2020/1203: double hoisting.) Nothing here knows noise: schemes count it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from fhe.ring.poly import EvalPoly, Poly
from fhe.rlwe.automorphism import check_element
from fhe.rlwe.chain import ModulusChain
from fhe.rlwe.ciphertext import Ciphertext
from fhe.rlwe.keyswitch import Digits, Pair, decompose, inner_product, mod_down, switch_extended
from fhe.rlwe.public import EvaluationKeys, check_key


@dataclass(frozen=True, slots=True)
class Extended:
    """P times a ciphertext (c_0, c_1) of level l, over P*Q_l."""

    chain: ModulusChain
    level: int
    c: Pair

    def __add__(self, other: Extended) -> Extended:
        return Extended(self.chain, self.level, (self.c[0] + other.c[0], self.c[1] + other.c[1]))

    def lowered(self, level: int | None = None) -> tuple[EvalPoly, EvalPoly]:
        """(c_0, c_1) = round(. / P) over Q_l, or at a lower level round(. / (P q_l …)): one rounding in all."""
        special = len(self.chain.parameters.special)
        stop = special + self.chain.parameters.limbs(self.level if level is None else level)
        return self.c[0].divide_round(special, stop), self.c[1].divide_round(special, stop)


@dataclass(frozen=True)
class Hoisted:
    """What all rotations of a ciphertext share: P c_0 over P*Q_l, and c_1 over Q_l with its digits."""

    chain: ModulusChain
    level: int
    c0: EvalPoly
    c1: Poly
    unrotated: Extended | None = None

    @classmethod
    def of(cls, x: Ciphertext | Extended) -> Hoisted:
        """Of a ciphertext of degree 1; or of an extended one, whose c_1 is then rounded, in the digits alone."""
        if isinstance(x, Extended):
            return cls(x.chain, x.level, x.c[0], mod_down(x.chain, x.level, x.c[1]), x)
        return cls(x.chain, x.level, raised(x.chain, x.c[0].to_eval()), x.c[1])

    @cached_property
    def digits(self) -> Digits:
        return decompose(self.chain, self.level, self.c1)

    @cached_property
    def identity(self) -> Extended:
        """The ciphertext itself, not rotated."""
        return self.unrotated or Extended(self.chain, self.level, (self.c0, raised(self.chain, self.c1.to_eval())))

    def automorphism(self, element: int, keys: EvaluationKeys, alone: bool = False) -> Extended:
        """P times the ciphertext of m(X^g), by the digits that all share; ``alone`` does not keep them."""
        if element == 1:
            return self.identity
        key = keys.require_galois(check_element(element, self.chain.parameters.ring_degree))
        if alone:
            u0, u1 = switch_extended(self.chain, self.level, self.c1, key)
        else:
            u0, u1 = inner_product(self.digits, key)
        return Extended(self.chain, self.level, ((self.c0 + u0).automorphism(element), u1.automorphism(element)))


def raised(chain: ModulusChain, x: EvalPoly) -> EvalPoly:
    """P x over P*Q_l: zero modulo the special primes."""
    return EvalPoly.zero(chain.special).join(x.scale(chain.special.product))


def extended(x: Ciphertext, keys: EvaluationKeys) -> Extended:
    """P x; of a product of degree 2 with the switch of c_2 from s^2 to s."""
    check_key(x, keys.key_id, "evaluation keys")
    x = x.divided()
    c0, c1 = (raised(x.chain, poly) for poly in (x.c[0].to_eval(), x.c[1].to_eval()))
    if x.degree < 2:
        return Extended(x.chain, x.level, (c0, c1))
    u0, u1 = switch_extended(x.chain, x.level, x.c[2], keys.require_relinearization())
    return Extended(x.chain, x.level, (c0 + u0, c1 + u1))


def weighted_sums(
    terms: Sequence[Extended], sums: Sequence[tuple[Sequence[int], Sequence[EvalPoly]]]
) -> list[Extended]:
    """sum_j terms[k_j] * factors[j] for each (k, factors) of the sums; the factors over P*Q_l or a longer basis.

    All at once: terms and factors are more than caches hold, and are read from memory once.
    """
    chain, level = terms[0].chain, terms[0].level
    basis = chain.qp(level)
    found = chain.backend.inner_products(
        basis.handle,
        [[term.c[component].data for term in terms] for component in range(2)],
        [list(picked) for picked, _ in sums],
        [[factor.data for factor in factors] for _, factors in sums],
    )
    return [Extended(chain, level, (EvalPoly(basis, c0), EvalPoly(basis, c1))) for c0, c1 in found]
