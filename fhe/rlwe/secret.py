"""The secret key: everything that must not leave its owner.

Imported by the owner, the command line and the tests alone; a server's code cannot reach this file.
"""

from __future__ import annotations

import weakref
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from fhe.errors import FormatError, ParameterError
from fhe.ring.poly import CoeffPoly, EvalPoly, Poly, wiped
from fhe.ring.random import SeedSource, error, system_seed, ternary, uniform
from fhe.rlwe.automorphism import check_element, inverse_element
from fhe.rlwe.chain import ModulusChain
from fhe.rlwe.ciphertext import Ciphertext, Plaintext
from fhe.rlwe.keyswitch import SwitchingKey
from fhe.rlwe.public import PublicKey, check_key

KEY_ID_BYTES = 16


class SecretKey:
    """A uniform ternary polynomial s, kept as evaluations over P*Q, wiped when the object dies.

    It has no public attribute that holds s, no useful repr, and cannot be pickled or copied.
    """

    __slots__ = ("__weakref__", "_s", "_seeds", "chain", "id")

    def __init__(self, chain: ModulusChain, s: EvalPoly, key_id: bytes, seeds: SeedSource = system_seed) -> None:
        self.chain = chain
        self.id = key_id
        self._s = s
        self._seeds = seeds
        weakref.finalize(self, s.wipe)  # also when the interpreter ends

    @classmethod
    def generate(cls, chain: ModulusChain, seeds: SeedSource = system_seed) -> SecretKey:
        """A fresh secret. ``seeds`` is for tests that need repetition; the default asks the operating system."""
        small = ternary(chain.top, seeds())
        with wiped(small):
            return cls(chain, small.to_eval(), seeds()[:KEY_ID_BYTES], seeds)

    @classmethod
    def from_octets(
        cls, chain: ModulusChain, octets: bytearray, key_id: bytes, seeds: SeedSource = system_seed
    ) -> SecretKey:
        """The secret of `octets`, which the caller wipes. Raises FormatError for what is no ternary polynomial.

        ParameterError for a sparse one: the security tables are for uniform coefficients.
        """
        coefficients = _unpacked(octets, chain.parameters.ring_degree)
        try:
            _require_usual(coefficients, chain.parameters.insecure)
            small = CoeffPoly.from_int64(chain.top, coefficients)
        finally:
            coefficients.fill(0)
        with wiped(small):
            return cls(chain, small.to_eval(), key_id, seeds)

    def octets(self) -> bytearray:
        """The coefficients of s, two bits each (0, 1, and 2 for -1), to be sealed. The caller wipes them."""
        small = self._s.limbs(0, 1).to_coeff()
        with wiped(small):
            return _packed(small.residues.reshape(-1))

    # --- keys ---------------------------------------------------------------------------------------------

    def public_key(self) -> PublicKey:
        """(-a s + e, a) over p*Q at the highest level, p the first special prime."""
        seed, special = self._seeds(), len(self.chain.parameters.special)
        basis = self.chain.wide(self.chain.parameters.max_level)
        a, e = uniform(basis, seed), error(basis, self._seeds())
        s, e_eval = self._s.limbs(0, 1).join(self._s.limbs(special, len(self._s.basis))), e.to_eval()
        with wiped(e, e_eval, s):
            return PublicKey(self.chain, (-a).mul_add(s, e_eval), a, seed, self.id)

    def relinearization_key(self, level: int | None = None) -> SwitchingKey:
        """From s^2 to s."""
        squared = self._s * self._s
        with wiped(squared):
            return self._switching_key(squared, self._s, level)

    def galois_key(self, element: int, level: int | None = None) -> SwitchingKey:
        """From s to s(X^(1/g)): switch first, then X -> X^g brings the ciphertext back under s.

        In this order the digits of a ciphertext do not depend on g, so all its rotations share them.
        """
        N = self.chain.parameters.ring_degree
        target = self._s.automorphism(inverse_element(check_element(element, N), N))
        with wiped(target):
            return self._switching_key(self._s, target, level)

    def switching_key_to(self, other: SecretKey, level: int | None = None) -> SwitchingKey:
        """From this secret to another's: re-encryption without decryption."""
        return self._switching_key(self._s, other._s, level)

    def _switching_key(self, source: EvalPoly, target: EvalPoly, level: int | None) -> SwitchingKey:
        chain, parameters = self.chain, self.chain.parameters
        level = parameters.max_level if level is None else level
        basis, seed, secret_seed = chain.qp(level), self._seeds(), self._seeds()
        source, target = source.limbs(0, len(basis)), target.limbs(0, len(basis))
        b, a = [], []
        for digit, gadget in enumerate(_gadget(chain, level)):
            a_j = uniform(basis, seed, digit=digit)
            e_j = error(basis, secret_seed, digit=digit)
            e_eval, message = e_j.to_eval(), source.scale_limbs(gadget)
            masked = e_eval + message
            with wiped(e_j, e_eval, message, masked):
                b.append((-a_j).mul_add(target, masked))
                a.append(a_j)
        return SwitchingKey.of(b, a, level, seed)

    # --- encryption and decryption --------------------------------------------------------------------------

    def encrypt(self, message: Plaintext) -> tuple[tuple[Poly, ...], bytes]:
        """(-a s + e + m, a) modulo Q at the plaintext's level, and the seed that a expands from."""
        basis, seed = message.poly.basis, self._seeds()
        a, e = uniform(basis, seed), error(basis, self._seeds())
        masked = message.poly.to_coeff() + e
        masked_eval = masked.to_eval()
        with wiped(e, masked, masked_eval):
            return ((-a).mul_add(self._over_q(basis.moduli), masked_eval), a), seed

    def decrypt(self, ciphertext: Ciphertext) -> CoeffPoly:
        """c_0 + c_1 s + c_2 s^2 + …: the message and its noise."""
        check_key(ciphertext, self.id, "secret key")
        ciphertext = ciphertext.divided()
        s = self._over_q(ciphertext.c[0].basis.moduli)
        *lower, phase = ciphertext.evals()
        for component in reversed(lower):
            phase = phase.mul_add(s, component)
        return phase.to_coeff()

    def _over_q(self, moduli: tuple[int, ...]) -> EvalPoly:
        special = len(self.chain.parameters.special)
        return self._s.limbs(special, special + len(moduli))

    # --- life and death -----------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        return f"SecretKey(id={self.id.hex()[:8]}…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret key cannot be pickled or copied: it would leave its owner unprotected")


def _packed(residues: NDArray[np.uint64]) -> bytearray:
    """Residues 0, 1 and q - 1 as 0, 1 and 2, four to a byte, the first lowest."""
    packed = bytearray(len(residues) // 4)
    octets, digit = np.frombuffer(packed, dtype=np.uint8), np.empty(len(packed), dtype=np.uint64)
    for place in range(4):
        np.minimum(residues[place::4], 2, out=digit)
        np.left_shift(digit, 2 * place, out=digit)
        np.bitwise_or(octets, digit, out=octets, casting="unsafe")
    digit.fill(0)
    return packed


def _unpacked(packed: bytearray, ring_degree: int) -> NDArray[np.int64]:
    """The coefficients of `_packed`; FormatError for another number of them, or a digit 3."""
    if 4 * len(packed) != ring_degree:
        raise FormatError(f"a secret of ring degree {ring_degree} takes {ring_degree // 4} bytes, not {len(packed)}")
    octets, digit = np.frombuffer(packed, dtype=np.uint8), np.empty(len(packed), dtype=np.uint8)
    coefficients = np.empty(ring_degree, dtype=np.int64)
    for place in range(4):
        np.right_shift(octets, 2 * place, out=digit)
        np.bitwise_and(digit, 3, out=digit)
        coefficients[place::4] = digit
    digit.fill(0)
    if coefficients.max() > 2:
        coefficients.fill(0)
        raise FormatError("a secret has the coefficients -1, 0 and 1; these bytes are none")
    carries = coefficients >> 1
    carries *= 3
    coefficients -= carries
    carries.fill(0)
    return coefficients


def _require_usual(coefficients: NDArray[np.int64], insecure: str | None) -> None:
    """Raise ParameterError for a weight that a uniform ternary secret, 2N/3 on average, has not: off by N/6 or more.

    By Hoeffding that happens with probability below 2 exp(-N / 18): 2^-81 at N = 2^10, 2^-327 at 2^12.
    """
    N = len(coefficients)
    if not insecure and abs(6 * int(np.count_nonzero(coefficients)) - 4 * N) >= N:
        raise ParameterError(
            "this secret has far fewer or more coefficients 0 than a uniform ternary one; the security of sparse "
            'secrets is not tabulated here: use a fresh key, or parameters with insecure="reason"'
        )


def _gadget(chain: ModulusChain, level: int) -> list[list[int]]:
    """P g_j modulo each prime of P*Q_l: P on the limbs of digit j, 0 elsewhere."""
    basis, parameters = chain.qp(level), chain.parameters
    special, P = len(parameters.special), chain.special.product
    rows = []
    for start in range(special, len(basis), parameters.digit):
        stop = min(start + parameters.digit, len(basis))
        rows.append([P % q if start <= i < stop else 0 for i, q in enumerate(basis.moduli)])
    return rows
