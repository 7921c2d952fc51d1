"""Products of BFV ciphertexts, scaled late: HPSPOVERQ with one division for relinearisation and scaling.

For ciphertexts x and y modulo Q their product is round(t/Q x y). Let A be an integer near Q, coprime to it, and
y' = round(A/Q y), which is below A in magnitude. Then t/Q x y = (t x y') / A, but for the rounding of y', which weighs
as much as that of a switch of y to the modulus A (`fhe.noise.product`). So the *tensor* t x y' is computed modulo A Q
and stays undivided: a ciphertext that is ``raised``. Any multiple of A Q in it is a multiple of Q once divided by A:
sums of any number of tensors need no more room than one, and are divided once.

A is a product of special primes of the parameter set and, if those do not reach Q/2, of extra ones in front of them.
What switches the key of c_2 ends modulo P Q, with P the special primes, still to be divided by P. One of A and P is a
multiple of the other, and (c_0, c_1) of the relinearised product need one division, which may take the primes of the
levels to be left along:

    c_i = round( (d_i + (A/P) u_i) / (A q_l …) ).

A sum of many products has a second form, without the rounding of y, which each pair would pay for: the integers
sum_j x_j y_j modulo B Q, scaled by t/Q at once, with a B that holds the result and so knows the number of summands.

(Kim, Polyakov, Zucca, ASIACRYPT 2021, ePrint 2021/204, sections 4 and 5, for A = P and lazy scaling; Halevi, Polyakov,
Shoup, CT-RSA 2019, for the second form.)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import accumulate
from operator import mul

from fhe.noise import AUXILIARY_BITS_SHORT
from fhe.parameters import BFVParameters
from fhe.primes import ntt_primes
from fhe.ring.basis import Basis
from fhe.ring.poly import CoeffPoly, EvalPoly, Poly
from fhe.rlwe.chain import ModulusChain
from fhe.rlwe.ciphertext import Ciphertext
from fhe.rlwe.evaluate import add, tensor_of_parts, tensor_sum
from fhe.rlwe.keyswitch import SwitchingKey, switch_down, switch_extended

EXTRA_BITS = 46  # of the extra primes: the widest that transforms take without reductions inside
PAIRS_AT_ONCE = 4  # of a dot product: what is extended at a time

MANY_PAIRS = 4  # from which scaling the sum at once is faster (measured at N = 2^13, 2^14, 2^15)
LONGEST_BITS = 120  # of 2 t N times the number of pairs

Pair = tuple[Ciphertext, Ciphertext]
Halves = tuple[Poly, Poly]  # a polynomial over A (or B) and over Q
Extension = Callable[[CoeffPoly, Poly], Halves]  # of a polynomial by coefficients, and as it came


@dataclass(frozen=True, slots=True)
class Auxiliary:
    """A for one level, and the factors that take y to y' = round(A y / Q) modulo A.

    A y = Q y' + r with r the centred remainder modulo Q, so y' = -r / Q modulo every prime of A. Of t x y' the factor t
    goes to x modulo A, and to y' modulo Q: to that which is converted there, and so multiplied anyway.
    """

    basis: Basis
    into_remainder: tuple[int, ...]  # A mod q_i
    out_of_remainder: tuple[int, ...]  # -1/Q mod a_j
    plain: tuple[int, ...]  # t mod a_j
    plain_below: tuple[int, ...]  # t mod q_i


@lru_cache(maxsize=256)
def auxiliary(chain: ModulusChain, level: int) -> Auxiliary:
    """The shortest A of at least Q_l / 2; a longer one has more primes in front."""
    Q, t = chain.q(level), plain_modulus(chain)
    A = _shortest(chain, -(-Q.product >> AUXILIARY_BITS_SHORT))
    return Auxiliary(
        A,
        into_remainder=tuple(Q.residues_of(A.product)),
        out_of_remainder=tuple(-pow(Q.product, -1, a) % a for a in A.moduli),
        plain=tuple(A.residues_of(t)),
        plain_below=tuple(Q.residues_of(t)),
    )


@lru_cache(maxsize=256)
def holding(chain: ModulusChain, level: int, log_pairs: int) -> Basis:
    """The shortest B of at least 2 t N Q_l 2^log_pairs: t/Q of a sum of so many tensors is at most B/4 in magnitude.

    The coefficients of x and y are at most Q/2, those of a tensor x_0 y_1 + x_1 y_0 hence N Q^2 / 2.
    """
    return _shortest(
        chain, 2 * plain_modulus(chain) * chain.parameters.ring_degree * chain.q(level).product << log_pairs
    )


def _shortest(chain: ModulusChain, least: int) -> Basis:
    """As many primes of the sequence as have a product of at least so much, last first."""
    count = next(k for k, product in enumerate(accumulate(_sequence(chain), mul), 1) if product >= least)
    return Basis.of(chain.parameters.ring_degree, _sequence(chain)[:count][::-1], chain.backend)


@lru_cache(maxsize=64)
def _sequence(chain: ModulusChain) -> tuple[int, ...]:
    """The special primes, last first, then extra ones enough for the longest sum at the highest level."""
    parameters = chain.parameters
    used = (*parameters.special, *parameters.moduli())
    extra = math.ceil((parameters.log_q + LONGEST_BITS) / (EXTRA_BITS - 1))
    return (*reversed(parameters.special), *ntt_primes(parameters.ring_degree, EXTRA_BITS, extra, exclude=used))


def plain_modulus(chain: ModulusChain) -> int:
    """t."""
    assert isinstance(chain.parameters, BFVParameters)
    return chain.parameters.plain_modulus


# --- sums of products ------------------------------------------------------------------------------------------------


def products(pairs: Sequence[Pair]) -> tuple[tuple[EvalPoly, ...], int]:
    """The components of sum_j x_j y_j, ciphertexts of degree 1 at one level; and by how many primes they are raised."""
    chain, level = pairs[0][0].chain, pairs[0][0].level
    if len(pairs) >= MANY_PAIRS:
        return _scaled_sum(pairs, holding(chain, level, (len(pairs) - 1).bit_length())), 0
    A = auxiliary(chain, level)
    extend, rounded = partial(_extended, basis=A.basis, factors=A.plain), partial(_rounded, A=A, Q=chain.q(level))
    return _tensors(pairs, extend, rounded), len(A.basis)


def _scaled_sum(pairs: Sequence[Pair], B: Basis) -> tuple[EvalPoly, ...]:
    """round(t/Q sum_j x_j y_j), from the sum as integers modulo B Q: modulo B, which holds it, then modulo Q."""
    chain, Q = pairs[0][0].chain, pairs[0][0].c[0].basis
    extend = partial(_extended, basis=B)
    integers = (total.to_coeff().scale(plain_modulus(chain)) for total in _tensors(pairs, extend, extend))
    return tuple(x.divide_round(0, len(B)).convert(Q).to_eval() for x in integers)


def _tensors(pairs: Sequence[Pair], left: Extension, right: Extension) -> tuple[EvalPoly, ...]:
    """sum_j of the tensors of left(x_j) and right(y_j), over all primes."""
    totals: tuple[EvalPoly, ...] = ()
    for start in range(0, len(pairs), PAIRS_AT_ONCE):
        group = pairs[start : start + PAIRS_AT_ONCE]
        by_coefficients = {id(x): list(zip(x.coeffs(), x.c, strict=True)) for pair in group for x in pair}
        xs = {id(x): [left(*both) for both in by_coefficients[id(x)]] for x, _ in group}
        ys = {id(y): [right(*both) for both in by_coefficients[id(y)]] for _, y in group}
        found = _tensor_sum([xs[id(x)] for x, _ in group], [ys[id(y)] for _, y in group])
        totals = tuple(a + b for a, b in zip(totals, found, strict=True)) if totals else found
    return totals


def _tensor_sum(xs: Sequence[Sequence[Halves]], ys: Sequence[Sequence[Halves]]) -> tuple[EvalPoly, ...]:
    """sum_j of the tensors of xs[j] and ys[j]."""
    if len(xs) == 1:
        return tensor_of_parts(xs[0], ys[0])
    first, second = (
        tensor_sum([[c[half].to_eval() for c in x] for x in xs], [[c[half].to_eval() for c in y] for y in ys])
        for half in (0, 1)
    )
    return tuple(a.join(b) for a, b in zip(first, second, strict=True))


def _extended(coeff: CoeffPoly, x: Poly, basis: Basis, factors: Sequence[int] = ()) -> Halves:
    """x itself over Q, and over a basis, there times the factors."""
    return coeff.convert(basis, after=factors), x.to_eval()


def _rounded(coeff: CoeffPoly, _: Poly, A: Auxiliary, Q: Basis) -> Halves:
    """y' = round(A y / Q), and t y' over Q."""
    rounded = coeff.convert(A.basis, before=A.into_remainder, after=A.out_of_remainder)
    return rounded, rounded.convert(Q, after=A.plain_below)


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
