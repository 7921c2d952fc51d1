"""Public and evaluation keys, and encryption under a public key: what anybody may hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache

from fhe.errors import MissingKeyError, ParameterError
from fhe.ring.poly import EvalPoly, Poly
from fhe.ring.random import ERROR, TERNARY, SeedSource, secret_words, system_seed
from fhe.rlwe.automorphism import step_of, swap_element
from fhe.rlwe.chain import ModulusChain
from fhe.rlwe.ciphertext import Ciphertext, Plaintext
from fhe.rlwe.keyswitch import SwitchingKey


class Encryption(Enum):
    """The ways to encrypt, which differ in noise."""

    SYMMETRIC = "under the secret key: e"
    PUBLIC = "under a public key over Q: e u + e_0 + e_1 s"
    DIVIDED = "under a public key over p*Q, divided by p: rounding alone"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """(b, a) with b = -a s + e over p*Q at the highest level, p the first special prime; a expands from ``seed``.

    Files may also hold keys over Q alone.
    """

    chain: ModulusChain
    b: EvalPoly
    a: EvalPoly
    seed: bytes
    key_id: bytes

    @property
    def encryption(self) -> Encryption:
        """What encryption under this key is like."""
        return (
            Encryption.PUBLIC if self.b.basis == self.chain.q(self.chain.parameters.max_level) else Encryption.DIVIDED
        )

    def __repr__(self) -> str:
        return f"PublicKey(N={self.chain.parameters.ring_degree}, key_id={self.key_id.hex()[:8]}…)"


@dataclass(slots=True)
class EvaluationKeys:
    """Switching keys by what they switch from: s^2 (relinearisation) and the automorphisms of s."""

    chain: ModulusChain
    key_id: bytes
    relinearization: SwitchingKey | None = None
    galois: dict[int, SwitchingKey] = field(default_factory=dict)

    def require_relinearization(self) -> SwitchingKey:
        """The relinearisation key, or MissingKeyError."""
        if self.relinearization is None:
            raise MissingKeyError(
                "multiplying two ciphertexts needs a relinearisation key, and this context has none; "
                "the key owner makes it: owner.public(relinearization=True)"
            )
        return self.relinearization

    def require_galois(self, element: int) -> SwitchingKey:
        """The key of the automorphism X -> X^element, or MissingKeyError naming the rotation."""
        key = self.galois.get(element)
        if key is None:
            raise MissingKeyError(self._missing(element))
        return key

    def holds(self, element: int) -> bool:
        """Is there a key of the automorphism X -> X^element?"""
        return element in self.galois

    def rotation_steps(self) -> list[int] | None:
        """The rotation steps that have a key; None where any step would be given one."""
        return list(_steps_of(tuple(self.galois), self.chain.parameters.ring_degree))

    def require_galois_keys(self, elements: Iterable[int]) -> None:
        """Raise before any work unless every element has its key."""
        for element in elements:
            self.require_galois(element)

    def selected(self, levels: Mapping[int, int]) -> EvaluationKeys:
        """The keys of some automorphisms, each up to a level; element 0 stands for relinearisation."""
        chosen, parameters = EvaluationKeys(self.chain, self.key_id), self.chain.parameters
        for element, level in levels.items():
            if element:
                chosen.galois[element] = self.require_galois(element).at_level(level, parameters)
            else:
                chosen.relinearization = self.require_relinearization().at_level(level, parameters)
        return chosen

    def _missing(self, element: int) -> str:
        N = self.chain.parameters.ring_degree
        if element == swap_element(N):
            return (
                "swapping rows (conjugating, in CKKS) needs its Galois key, and this context has none; "
                "the key owner makes it: owner.public(conjugation=True)"
            )
        step, have = step_of(element, N), sorted(step for g in self.galois if (step := step_of(g, N)) is not None)
        return (
            f"rotating by {step} needs a rotation key for step {step}, and this context has {have}; "
            f"the key owner makes it: owner.public(rotations=[{step}])"
        )

    def __repr__(self) -> str:
        return f"EvaluationKeys(relinearization={self.relinearization is not None}, galois={len(self.galois)})"


def encrypt(key: PublicKey, message: Plaintext, seeds: SeedSource = system_seed) -> tuple[Poly, ...]:
    """round((b u + e_0) / p) + m, round((a u + e_1) / p) over Q_l, u ternary, e_0 and e_1 centred binomial.

    Encrypted over p*Q_l and divided by p, errors shrink to less than the rounding; p = 1 for keys over Q. (As in
    "extended" encryption: Kim, Polyakov, Zucca, ASIACRYPT 2021.)
    """
    if message.chain is not key.chain:
        raise ParameterError("the plaintext was encoded for another parameter set or backend than the public key's")
    divided, seed = key.encryption is Encryption.DIVIDED, seeds()
    kept = message.poly.basis
    basis = key.chain.wide(message.level) if divided else kept
    labels = (TERNARY, 0), (ERROR, 0), (ERROR, 1)
    u, e0, e1 = (secret_words(basis, seed, purpose, component) for purpose, component in labels)
    m = message.poly.to_coeff().data
    c0, c1 = basis.backend.encrypt(basis.handle, int(divided), key.b.data, key.a.data, u, e0, e1, m)
    return EvalPoly(kept, c0), EvalPoly(kept, c1)


@lru_cache(maxsize=64)
def _steps_of(elements: tuple[int, ...], ring_degree: int) -> tuple[int, ...]:
    """The steps of those that are rotations, ascending."""
    return tuple(sorted(step for g in elements if (step := step_of(g, ring_degree)) is not None))


def check_key(ciphertext: Ciphertext, key_id: bytes, what: str) -> None:
    """Raise unless a key of this id fits the ciphertext."""
    if ciphertext.key_id != key_id:
        raise ParameterError(
            f"this ciphertext is under key {ciphertext.key_id.hex()[:8]}…, the {what} belongs to {key_id.hex()[:8]}…"
        )
