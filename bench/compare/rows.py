"""What is compared: rows of times of every library, and how many times as fast this one is."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.driver import Measured

OURS = "fhe"
MEANING = {
    "ntt": "forward transform of one limb, exact, a prime of 46 bits",
    "intt": "inverse transform",
    "add": "two ciphertexts",
    "multiply": "two ciphertexts, not relinearised; in BFV the scaling by t/Q may wait for the next row",
    "relinearize": "back to two polynomials",
    "rescale": "CKKS: by the last prime; BFV: to the next smaller modulus",
    "product": "what users call multiply: CKKS relinearised and rescaled, BFV relinearised",
    "multiply_plain": "a ciphertext times an encoded plaintext, not rescaled",
    "rotate": "by one slot",
    "encode": "a full plaintext",
    "encrypt": "an encoded plaintext under the public key",
    "encode_encrypt": "both, as users call it; some scale by Q/t in the first, some in the second",
    "decrypt": "to an encoded plaintext",
    "decode": "a full plaintext",
    "decrypt_decode": "both, as users call it, at the highest level; ours looks at as few primes as the values need",
    "keys": "a secret, a public, a relinearisation and a rotation key",
    "dot": "two encrypted vectors that fill a ciphertext, as one call",
    "matvec": "a plain 64 x 128 matrix times an encrypted vector, as one call",
    "polynomial": "0.5 + 0.197 x - 0.004 x^3 of every slot, as one call",
    "sigmoid": "degree 7 on (-4, 4), as one call",
    "comparison": "the sign of a difference with margin 2^-6, as one call",
}


MODELS = {
    "logistic regression": "30 standardised features, from rows to classes: encrypted, scored, decrypted",
    "decision tree": "depth 2 on 64 pixels of 17 shades, from rows to classes; ours decides thousands at once",
}


@dataclass(frozen=True)
class Spread:
    """A median and the quartiles around it."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: list[float]) -> Spread:
        low, median, high = statistics.quantiles(values, n=4) if len(values) > 1 else values * 3
        return cls(median, low, high)


@dataclass(frozen=True)
class Row:
    """One operation: microseconds of each library, and each of the others as a multiple of ours, round by round."""

    group: str
    operation: str
    ring_degree: int
    threads: int
    microseconds: dict[str, Spread]
    ratios: dict[str, Spread]
    more: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls, group: str, operation: str, ring_degree: int, threads: int, measured: Mapping[str, Measured], **more: Any
    ) -> Row:
        own = measured[OURS].all
        times = {name: Spread.of([time / 1000 for time in found.all]) for name, found in measured.items()}
        ratios = {
            name: Spread.of([other / mine for other, mine in zip(found.all, own, strict=False)])
            for name, found in measured.items()
            if name != OURS
        }
        return cls(group, operation, ring_degree, threads, times, ratios, more)

    @property
    def behind(self) -> dict[str, float]:
        """The libraries that are faster here."""
        return {name: ratio.median for name, ratio in self.ratios.items() if ratio.median < 1}


@dataclass(frozen=True)
class Group:
    """Rows at one set of parameters, and what each library says of itself there."""

    title: str
    rows: list[Row]
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
