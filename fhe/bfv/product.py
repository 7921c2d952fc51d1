"""Products of BFV ciphertexts, scaled late: HPSPOVERQ with one division for relinearisation and scaling.

For ciphertexts x and y modulo Q their product is round(t/Q x y). Let A be an integer near Q, coprime to it, and
y' = round(A/Q y), which is below A in magnitude. Then t/Q x y = (t x y') / A, but for the rounding of y', which weighs
as much as that of a switch of y to the modulus A (`fhe.noise.product`). So the *tensor* t x y' is computed modulo A Q
and stays undivided: a ciphertext that is ``raised``. Any multiple of A Q in it is a multiple of Q once divided by A:
sums of any number of tensors need no more room than one, and a dot product is divided once.

A is a product of special primes of the parameter set and, if those do not reach Q/2, of extra ones in front of them.
What switches the key of c_2 ends modulo P Q, with P the special primes, still to be divided by P. One of A and P is a
multiple of the other, and (c_0, c_1) of the relinearised product need one division, which may take the primes of the
levels to be left along:

    c_i = round( (d_i + (A/P) u_i) / (A q_l …) ).

(Kim, Polyakov, Zucca, ASIACRYPT 2021, ePrint 2021/204, sections 4 and 5, for A = P and lazy scaling.)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce

from fhe.noise import AUXILIARY_BITS_SHORT
from fhe.parameters import BFVParameters
from fhe.primes import ntt_primes
from fhe.ring.basis import Basis
from fhe.ring.poly import CoeffPoly, EvalPoly, Poly
from fhe.rlwe.chain import ModulusChain
from fhe.rlwe.ciphertext import Ciphertext
from fhe.rlwe.evaluate import add, tensor_sum
from fhe.rlwe.keyswitch import SwitchingKey, switch_down, switch_extended

EXTRA_BITS = 46  # of the extra primes: the widest that transforms take without reductions inside
PAIRS_AT_ONCE = 4  # of a dot product: what is extended at a time

Halves = tuple[EvalPoly, EvalPoly]  # a polynomial over A and over Q


@dataclass(frozen=True, slots=True)
class Auxiliary:
    """A for one level, and the factors that take y to y' = round(A y / Q) modulo A.

    A y = Q y' + r with r the centred remainder modulo Q, so y' = -r / Q modulo every prime of A.
    """

    basis: Basis
    into_remainder: tuple[int, ...]  # A mod q_i
    out_of_remainder: tuple[int, ...]  # -1/Q mod a_j


@lru_cache(maxsize=256)
def auxiliary(chain: ModulusChain, level: int) -> Auxiliary:
    """The shortest A of at least Q_l / 2; a longer one has more primes in front."""
    parameters, Q = chain.parameters, chain.q(level)
    primes: tuple[int, ...] = ()
    for a in _sequence(chain):
        if math.prod(primes) << AUXILIARY_BITS_SHORT >= Q.product:
            break
        primes = (a, *primes)
    A = Basis.of(parameters.ring_degree, primes, chain.backend)
    return Auxiliary(A, tuple(A.product % q for q in Q.moduli), tuple(-pow(Q.product, -1, a) % a for a in A.moduli))


@lru_cache(maxsize=64)
def _sequence(chain: ModulusChain) -> tuple[int, ...]:
    """The special primes, last first, then extra ones enough for the highest level."""
    parameters = chain.parameters
    used = (*parameters.special, *parameters.moduli())
    extra = math.ceil(parameters.log_q / (EXTRA_BITS - 1))
    return (*reversed(parameters.special), *ntt_primes(parameters.ring_degree, EXTRA_BITS, extra, exclude=used))


# --- tensors: sum_j x_j y_j, of degree 2, over A Q ------------------------------------------------------------------


def tensor(pairs: Sequence[tuple[Ciphertext, Ciphertext]]) -> tuple[EvalPoly, ...]:
    """The components of A sum_j t/Q x_j y_j modulo A Q_l, for ciphertexts of degree 1 at one level l."""
    parameters = pairs[0][0].chain.parameters
    assert isinstance(parameters, BFVParameters)
    groups = (pairs[start : start + PAIRS_AT_ONCE] for start in range(0, len(pairs), PAIRS_AT_ONCE))
    over_A, over_Q = reduce(lambda total, part: [*map(_add, total, part)], map(_halves, groups))
    return tuple(a.join(q).scale(parameters.plain_modulus) for a, q in zip(over_A, over_Q, strict=True))


def _halves(pairs: Sequence[tuple[Ciphertext, Ciphertext]]) -> list[tuple[EvalPoly, ...]]:
    """sum_j x_j y'_j over A, and over Q."""
    chain, level = pairs[0][0].chain, pairs[0][0].level
    extended = [[_extended(c, chain, level) for c in x.c] for x, _ in pairs]
    rounded = [[_rounded(c, chain, level) for c in y.c] for _, y in pairs]
    return [
        tensor_sum([[c[half] for c in x] for x in extended], [[c[half] for c in y] for y in rounded]) for half in (0, 1)
    ]


def _add(x: Sequence[EvalPoly], y: Sequence[EvalPoly]) -> tuple[EvalPoly, ...]:
    return tuple(a + b for a, b in zip(x, y, strict=True))


def _extended(x: Poly, chain: ModulusChain, level: int) -> Halves:
    """x itself."""
    return x.to_coeff().convert(auxiliary(chain, level).basis).to_eval(), x.to_eval()


def _rounded(y: Poly, chain: ModulusChain, level: int) -> Halves:
    """y' = round(A y / Q)."""
    A = auxiliary(chain, level)
    rounded: CoeffPoly = y.to_coeff().scale_limbs(A.into_remainder).convert(A.basis).scale_limbs(A.out_of_remainder)
    return rounded.to_eval(), rounded.convert(chain.q(level)).to_eval()


# --- what is raised: A c over A Q ------------------------------------------------------------------------------------


def raised_sum(x: EvalPoly, front: int, y: EvalPoly, other: int) -> tuple[EvalPoly, int]:
    """x + y for polynomials that are raised by ``front`` and ``other`` primes, raised by the larger number."""
    if front < other:
        return raised_sum(y, other, x, front)
    if front == other:
        return x + y, front
    # y is raised further, by primes modulo which it then vanishes.
    more = x.basis.limbs(0, front - other)
    lower = x.limbs(len(more), len(x.basis)) + y.scale(more.product)
    return x.limbs(0, len(more)).join(lower), front


def relinearized(x: Ciphertext, key: SwitchingKey, level: int) -> Sequence[EvalPoly]:
    """The components of a ciphertext of degree 2, raised or not, as one of degree 1 at a level not above its own."""
    chain, special, limbs = x.chain, len(x.chain.parameters.special), x.chain.parameters.limbs
    c0, c1, c2 = x.evals()
    if not x.raised:
        return switch_down(chain, x.level, c2, key, [c0, c1], level)
    switched = switch_extended(chain, x.level, c2.divide_round(x.raised, x.raised + limbs(x.level)), key)
    return [_divided_sum(c, x.raised, u, special, limbs(level)) for c, u in zip((c0, c1), switched, strict=True)]


def _divided_sum(x: EvalPoly, front: int, y: EvalPoly, other: int, kept: int) -> EvalPoly:
    """`raised_sum` divided by A, and by the last primes of Q until ``kept`` are left."""
    if front < other:
        return _divided_sum(y, other, x, front, kept)
    if front == other:
        return (x + y).divide_round(front, front + kept)
    return x.divide_round_sum(front - other, front, front + kept, y)


def added(x: Ciphertext, y: Ciphertext) -> tuple[list[Poly], int]:
    """The polynomials of x + y at one level, and by how many primes they are raised: the more of the two."""
    if x.raised == y.raised:
        return add(x, y), x.raised
    x, y = (x, y) if x.raised > y.raised else (y, x)
    y_evals = [*y.evals(), *[None] * (x.degree - y.degree)]
    sums = [
        a if b is None else raised_sum(a, x.raised, b, y.raised)[0] for a, b in zip(x.evals(), y_evals, strict=True)
    ]
    return list(sums), x.raised
