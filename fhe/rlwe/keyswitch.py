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

from fhe.backend.protocol import Key
from fhe.errors import LevelError
from fhe.parameters import Parameters
from fhe.ring.basis import Basis
from fhe.ring.poly import EvalPoly, Poly
from fhe.rlwe.chain import ModulusChain

Pair = tuple[EvalPoly, EvalPoly]


@dataclass(frozen=True, slots=True)
class SwitchingKey:
    """Digits (b_j, a_j) over P*Q_level, as the backend packs them.

    The a_j are expanded from ``seed``, which is all that travels of them.
    """

    basis: Basis
    data: Key
    level: int
    seed: bytes

    @classmethod
    def of(cls, b: Sequence[EvalPoly], a: Sequence[EvalPoly], level: int, seed: bytes) -> SwitchingKey:
        """The key of the rows (b_j, a_j), one for each digit."""
        basis = b[0].basis
        data = basis.backend.pack_key(basis.handle, [poly.data for poly in b], [poly.data for poly in a])
        return cls(basis, data, level, seed)

    @property
    def b(self) -> tuple[EvalPoly, ...]:
        """The b_j, unpacked."""
        return self._rows(0)

    @property
    def a(self) -> tuple[EvalPoly, ...]:
        """The a_j, unpacked."""
        return self._rows(1)

    def _rows(self, half: int) -> tuple[EvalPoly, ...]:
        return tuple(EvalPoly(self.basis, row) for row in self.basis.backend.unpack_key(self.data)[half])

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return self.data.nbytes

    def at_level(self, level: int, parameters: Parameters) -> SwitchingKey:
        """The same key for ciphertexts up to a lower level: fewer digits, of fewer limbs."""
        if level >= self.level:
            return self
        limbs, digits = len(parameters.special) + parameters.limbs(level), len(parameters.digits(level))
        b, a = (tuple(poly.limbs(0, limbs) for poly in half[:digits]) for half in (self.b, self.a))
        return SwitchingKey.of(b, a, level, self.seed)

    def __repr__(self) -> str:
        return f"SwitchingKey(level={self.level}, nbytes={self.nbytes})"


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
    b, a = digits.chain.backend.key_product(basis.handle, [digit.data for digit in digits.polys], key.data)
    return EvalPoly(basis, b), EvalPoly(basis, a)


def switch_extended(chain: ModulusChain, level: int, x: Poly, key: SwitchingKey) -> Pair:
    """`decompose` and `inner_product` in one: P times (u_0, u_1) with u_0 + u_1 s = x s', over P*Q_l."""
    _check_level(level, key)
    coeff, evaluated = x.to_coeff(), x.to_eval()
    basis, parameters = chain.qp(level), chain.parameters
    b, a = chain.backend.key_switch(
        basis.handle, len(parameters.special), parameters.digit, coeff.data, evaluated.data, key.data
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
    """(y_0 + u_0, y_1 + u_1) over Q_l: `switch_extended` and the `mod_down_sum` of both halves in one.

    At a lower ``to_level`` rescaled along, with one rounding in all. Without a second addend the second half is u_1.
    """
    _check_level(level, key)
    basis, parameters = chain.qp(level), chain.parameters
    special, to_level = len(parameters.special), level if to_level is None else to_level
    stop = special + parameters.limbs(to_level)
    b, a = chain.backend.switch_down(
        basis.handle, special, parameters.digit, stop, x.data, key.data, [poly.data for poly in addends]
    )
    return EvalPoly(chain.q(to_level), b), EvalPoly(chain.q(to_level), a)


def mod_down(chain: ModulusChain, level: int, x: EvalPoly) -> EvalPoly:
    """round(x / P): from P*Q_l to Q_l."""
    special = len(chain.parameters.special)
    return x.divide_round(special, special + chain.parameters.limbs(level))


def mod_down_sum(chain: ModulusChain, level: int, x: EvalPoly, y: EvalPoly) -> EvalPoly:
    """round(x / P) + y over Q_l."""
    special = len(chain.parameters.special)
    return x.divide_round_sum(special, special, special + chain.parameters.limbs(level), y)


def _check_level(level: int, key: SwitchingKey) -> None:
    if level > key.level:
        raise LevelError(
            f"this switching key was made for levels up to {key.level}, the ciphertext is at level {level}; "
            "make the key at a higher level, or switch the ciphertext down first"
        )
