"""Hybrid key switching: from one secret to another through P*Q, digit by digit.

A switching key from s' to s holds, for each digit j of the modulus chain,

    b_j = -a_j s + e_j + P g_j s'   mod P*Q,

where g_j is 1 modulo the primes of digit j and 0 modulo the others. Then sum_j d_j (b_j, a_j), with d_j the
digits of c, encrypts P c s' under s, and dividing by P leaves c s' with small noise. One key of this form
serves relinearisation (s' = s^2) and every automorphism. (Han, Ki, CT-RSA 2020; Bossuat et al., EUROCRYPT 2021.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fhe.errors import LevelError
from fhe.ring.poly import EvalPoly, Poly
from fhe.rlwe.chain import ModulusChain

Pair = tuple[EvalPoly, EvalPoly]


@dataclass(frozen=True, slots=True)
class SwitchingKey:
    """Digits (b_j, a_j) over P*Q_level. The a_j are expanded from ``seed``, which is all that travels of them."""

    b: tuple[EvalPoly, ...]
    a: tuple[EvalPoly, ...]
    level: int
    seed: bytes

    @property
    def nbytes(self) -> int:
        """Bytes of the residues in memory."""
        return sum(8 * poly.data.shape[-1] * poly.data.shape[-2] for poly in (*self.b, *self.a))

    def __repr__(self) -> str:
        return f"SwitchingKey(digits={len(self.b)}, level={self.level})"


@dataclass(frozen=True, slots=True)
class Digits:
    """A polynomial of level l decomposed over P*Q_l: what all rotations of a ciphertext share (hoisting)."""

    chain: ModulusChain
    level: int
    polys: tuple[EvalPoly, ...]


def decompose(chain: ModulusChain, level: int, x: Poly) -> Digits:
    """The digits d_j of x, with sum_j d_j g_j = x mod Q_l, in the evaluation domain over P*Q_l."""
    coeff, evaluated = x.to_coeff(), x.to_eval()
    basis, parameters = chain.qp(level), chain.parameters
    digits = chain.backend.decompose(
        basis.handle, len(parameters.special), parameters.digit, coeff.data, evaluated.data
    )
    return Digits(chain, level, tuple(EvalPoly(basis, digit) for digit in digits))


def inner_product(digits: Digits, key: SwitchingKey) -> Pair:
    """(sum_j d_j b_j, sum_j d_j a_j) over P*Q_l: P times the switched polynomial, before the division."""
    _check_level(digits.level, key)
    basis = digits.chain.qp(digits.level)
    backend, rows = digits.chain.backend, [digit.data for digit in digits.polys]
    b = backend.inner_product(basis.handle, rows, [poly.data for poly in key.b[: len(rows)]])
    a = backend.inner_product(basis.handle, rows, [poly.data for poly in key.a[: len(rows)]])
    return EvalPoly(basis, b), EvalPoly(basis, a)


def switch_extended(chain: ModulusChain, level: int, x: Poly, key: SwitchingKey) -> Pair:
    """`decompose` and `inner_product` in one: P times (u_0, u_1) with u_0 + u_1 s = x s', over P*Q_l."""
    _check_level(level, key)
    coeff, evaluated = x.to_coeff(), x.to_eval()
    basis, parameters = chain.qp(level), chain.parameters
    digits = -(-parameters.limbs(level) // parameters.digit)
    b, a = chain.backend.key_switch(
        basis.handle,
        len(parameters.special),
        parameters.digit,
        coeff.data,
        evaluated.data,
        [poly.data for poly in key.b[:digits]],
        [poly.data for poly in key.a[:digits]],
    )
    return EvalPoly(basis, b), EvalPoly(basis, a)


def switch_down(
    chain: ModulusChain,
    level: int,
    x: EvalPoly,
    key: SwitchingKey,
    addends: Sequence[EvalPoly],
    to_level: int | None = None,
) -> Pair:
    """`switch_extended` and the `mod_down_sum` of both halves in one: (y_0 + u_0, y_1 + u_1) over Q_l, or rescaled.

    Without a second addend the second half is u_1 alone.
    """
    _check_level(level, key)
    basis, parameters = chain.qp(level), chain.parameters
    special, to_level = len(parameters.special), level if to_level is None else to_level
    digits, kept = -(-parameters.limbs(level) // parameters.digit), parameters.limbs(to_level)
    b, a = chain.backend.switch_down(
        basis.handle,
        special,
        parameters.digit,
        special + kept,
        x.data,
        [poly.data for poly in key.b[:digits]],
        [poly.data for poly in key.a[:digits]],
        [poly.data for poly in addends],
    )
    return EvalPoly(chain.q(to_level), b), EvalPoly(chain.q(to_level), a)


def mod_down(chain: ModulusChain, level: int, x: EvalPoly) -> EvalPoly:
    """round(x / P): from P*Q_l to Q_l."""
    special = len(chain.parameters.special)
    return x.divide_round(special, special + chain.parameters.limbs(level))


def mod_down_sum(chain: ModulusChain, level: int, x: EvalPoly, y: EvalPoly, to_level: int | None = None) -> EvalPoly:
    """round(x / P) + y over Q_l, or at a lower level round((x / P + y) / (q_l …)): one rounding in all."""
    special = len(chain.parameters.special)
    kept = chain.parameters.limbs(level if to_level is None else to_level)
    return x.divide_round_sum(special, special, special + kept, y)


def _check_level(level: int, key: SwitchingKey) -> None:
    if level > key.level:
        raise LevelError(
            f"this switching key was made for levels up to {key.level}, the ciphertext is at level {level}; "
            "make the key at a higher level, or switch the ciphertext down first"
        )
