"""Plaintexts and ciphertexts: polynomials with what is publicly known of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from fhe.errors import ParameterError
from fhe.interval import Interval
from fhe.ring.poly import CoeffPoly, EvalPoly, Poly
from fhe.rlwe.chain import ModulusChain


@dataclass(frozen=True, slots=True)
class Plaintext:
    """An encoded message: a polynomial modulo Q_level.

    ``scale`` is Delta in CKKS and 1 in BFV; ``bound`` is a public bound on the magnitude of the values, ``interval``
    (BFV) says which integers they can be.
    """

    chain: ModulusChain
    poly: Poly
    level: int
    scale: float = 1.0
    bound: float = 1.0
    interval: Interval | None = None

    @property
    def nbytes(self) -> int:
        """Bytes of the residues in memory."""
        return int(8 * self.poly.data.shape[-1] * self.poly.data.shape[-2])


@dataclass(frozen=True, slots=True)
class Factors:
    """Plaintexts over P*Q_level, to multiply ciphertexts there by (`fhe.rlwe.extended`).

    ``scale`` is Delta in CKKS and 1 in BFV. What is known of them together, when their products with terms are summed:
    ``gain`` bounds by how much values (CKKS) or noise (BFV) grow, ``error`` by how much they miss their values (CKKS,
    in units of 1 / scale); ``energy`` and ``rms`` are what to expect of both, in root mean square.
    """

    polys: tuple[EvalPoly, ...]
    level: int
    scale: float
    gain: float
    energy: float = 0.0
    error: float = 0.0
    rms: float = 0.0

    @property
    def nbytes(self) -> int:
        """Bytes of the residues in memory."""
        return sum(8 * poly.data.shape[-1] * poly.data.shape[-2] for poly in self.polys)


@dataclass(frozen=True, slots=True)
class Ciphertext:
    """c_0 + c_1 s (+ c_2 s^2) = message + noise mod Q_level; all polynomials in one domain.

    scale
        Delta in CKKS; 1 in BFV.
    noise
        What bounds the noise, except with probability 2^-128: in BFV log2 of a bound on its coefficients
        (`fhe.noise`), in CKKS a bound on its value in any slot, in units of 1 / scale (`fhe.ckks.precision`).
    rms
        In CKKS, the root mean square that the noise may be expected to have. Of a ciphertext that was received it is
        not a number, and so of all that is computed with it.
    bound
        A public bound on the magnitude of the encrypted values (never derived from the data).
    key_id
        Which secret decrypts it.
    interval
        In BFV, the public interval of the encrypted integers, or how to read residues; None: as signed residues.
    seed
        Of a fresh symmetric encryption: what c_1 expands from, all that need travel of it.
    raised
        How many primes stand in front of those of Q_level, A their product: c is A times the ciphertext, modulo
        A Q_level, and still to be divided. So BFV products wait for their sums.
    """

    chain: ModulusChain
    c: tuple[Poly, ...]
    level: int
    key_id: bytes
    scale: float = 1.0
    noise: float = 0.0
    bound: float = 1.0
    seed: bytes | None = None
    interval: Interval | None = None
    raised: int = 0
    rms: float = field(default=0.0, compare=False)

    @property
    def degree(self) -> int:
        """1 for a fresh or relinearised ciphertext, 2 for a product."""
        return len(self.c) - 1

    @property
    def nbytes(self) -> int:
        """Bytes of the residues in memory."""
        return sum(8 * poly.data.shape[-1] * poly.data.shape[-2] for poly in self.c)

    def evals(self) -> tuple[EvalPoly, ...]:
        """The polynomials as evaluations."""
        return tuple(poly.to_eval() for poly in self.c)

    def coeffs(self) -> tuple[CoeffPoly, ...]:
        """The polynomials by coefficients."""
        return tuple(poly.to_coeff() for poly in self.c)

    def with_polys(self, c: Sequence[Poly], **changes: object) -> Ciphertext:
        """The same metadata, but for the changes, on other polynomials."""
        return replace(self, c=tuple(c), seed=None, **changes)  # type: ignore[arg-type]

    def divided(self) -> Ciphertext:
        """round(c / A): the ciphertext modulo Q_level alone."""
        if not self.raised:
            return self
        limbs = self.chain.parameters.limbs(self.level)
        return self.with_polys([poly.divide_round(self.raised, self.raised + limbs) for poly in self.c], raised=0)

    def at_level(self, level: int) -> Ciphertext:
        """The same ciphertext with the upper limbs dropped: nothing is divided, so the noise stays."""
        if level == self.level:
            return self
        if level > self.level:
            raise ParameterError(f"a ciphertext at level {self.level} cannot be raised to level {level}")
        limbs = self.chain.parameters.limbs(level)
        return self.with_polys([poly.limbs(0, self.raised + limbs) for poly in self.c], level=level)

    def __repr__(self) -> str:
        return f"Ciphertext(degree={self.degree}, level={self.level}, N={self.chain.parameters.ring_degree})"


def same_key(x: Ciphertext, y: Ciphertext) -> None:
    """Raise unless two ciphertexts belong to one secret and one parameter set."""
    if x.chain is not y.chain:
        raise ParameterError(
            f"ciphertexts of different parameter sets or backends do not mix: "
            f"{x.chain.parameters.id} on {x.chain.backend.name}, {y.chain.parameters.id} on {y.chain.backend.name}"
        )
    if x.key_id != y.key_id:
        raise ParameterError(
            f"ciphertexts under different keys do not mix: {x.key_id.hex()[:8]}… and {y.key_id.hex()[:8]}…; "
            "encrypt both with one owner's public key"
        )


def padded_sum(x: Sequence[Poly], y: Sequence[Poly]) -> list[Poly]:
    """Component-wise sum; the shorter is padded with zeros."""
    longer, shorter = (x, y) if len(x) >= len(y) else (y, x)
    return [a + b for a, b in zip(longer, shorter, strict=False)] + list(longer[len(shorter) :])
