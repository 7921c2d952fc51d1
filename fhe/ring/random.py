"""Seeds to polynomials: every random polynomial is a labelled stream of ChaCha20 under a 256-bit seed.

The stream of a row has the nonce (purpose, component, digit, prime), so a truncated key expands alone and no
two rows share keystream. The same seed gives the same polynomial on every backend. ChaCha20 (RFC 8439) runs in
constant time on every CPU; secret keystream is written straight into memory that is wiped.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20

from fhe.backend.protocol import uniform_words
from fhe.ring.basis import Basis
from fhe.ring.poly import CoeffPoly, EvalPoly

SEED_BYTES: Final = 32
SeedSource = Callable[[], bytes]
"""What gives fresh 32-byte seeds: the operating system, or a counter in a test that needs repetition."""

UNIFORM, TERNARY, ERROR = 1, 2, 3


def system_seed() -> bytes:
    """32 fresh bytes of the operating system's generator."""
    return os.urandom(SEED_BYTES)


def _keystream(seed: bytes, purpose: int, component: int, digit: int, prime: int, out: memoryview) -> None:
    """Overwrite the zeroed memory ``out`` with the stream of this label, in place."""
    nonce = struct.pack("<IBBHQ", 0, purpose, component, digit, prime)  # block counter, then the 12-byte nonce
    Cipher(ChaCha20(seed, nonce), mode=None).encryptor().update_into(out, out)


def uniform(basis: Basis, seed: bytes, component: int = 0, digit: int = 0) -> EvalPoly:
    """The uniform polynomial of a public seed, sampled as evaluations in the natural order.

    >>> basis = Basis.of(16, [97], backend="reference")
    >>> bool((uniform(basis, bytes(32)).natural() < 97).all())
    True
    """
    row = 8 * uniform_words(basis.ring_degree)
    words = memoryview(bytearray(row * len(basis)))
    for limb, q in enumerate(basis.moduli):
        _keystream(seed, UNIFORM, component, digit, q, words[limb * row : (limb + 1) * row])
    return EvalPoly.from_natural(basis, basis.backend.uniform(basis.handle, words))


def secret_words(basis: Basis, seed: bytes, purpose: int, component: int = 0, digit: int = 0) -> memoryview:
    """The keystream of a small secret polynomial, TERNARY or ERROR, in memory that is wiped when it is released."""
    words = basis.backend.secret_words(basis.ring_degree)
    _keystream(seed, purpose, component, digit, 0, words)
    return words


def _small(basis: Basis, seed: bytes, purpose: int, component: int, digit: int) -> CoeffPoly:
    sample = basis.backend.ternary if purpose == TERNARY else basis.backend.centred_binomial
    return CoeffPoly(basis, sample(basis.handle, secret_words(basis, seed, purpose, component, digit)))


def ternary(basis: Basis, seed: bytes, component: int = 0) -> CoeffPoly:
    """A polynomial with independent uniform coefficients in {-1, 0, 1}. The caller wipes it."""
    return _small(basis, seed, TERNARY, component, 0)


def error(basis: Basis, seed: bytes, component: int = 0, digit: int = 0) -> CoeffPoly:
    """A polynomial with independent centred binomial coefficients, CBD(21), sigma 3.24. The caller wipes it."""
    return _small(basis, seed, ERROR, component, digit)
