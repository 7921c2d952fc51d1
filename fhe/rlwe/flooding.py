"""Ciphertexts that tell nothing of how they came about: an encryption of zero, and noise that drowns the old one."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np

from fhe.ring.basis import Basis
from fhe.ring.poly import CoeffPoly
from fhe.ring.random import SeedSource, system_seed
from fhe.rlwe.ciphertext import Ciphertext, Plaintext
from fhe.rlwe.public import PublicKey, encrypt

PIECE_BITS = 32


def drowned(
    x: Ciphertext, key: PublicKey, bits: int, seeds: SeedSource = system_seed, filling: Plaintext | None = None
) -> Ciphertext:
    """x + an encryption of zero + f, with coefficients of f uniform in [-2^bits, 2^bits); noise and bound as they were.

    x is of degree 1, over Q of its level, and under the key. What is encrypted may be a ``filling`` instead of zero.
    """
    nothing = Plaintext(x.chain, CoeffPoly.zero(x.chain.q(x.level)), x.level)
    z0, z1 = encrypt(key, filling or nothing, seeds)
    c0, c1 = x.evals()
    return x.with_polys((c0 + z0.to_eval() + flood(z0.basis, bits).to_eval(), c1 + z1.to_eval()))


def flood(basis: Basis, bits: int, random: Callable[[int], bytes] = os.urandom) -> CoeffPoly:
    """A polynomial whose coefficients are uniform in [-2^bits, 2^bits), of the system's randomness.

    Piece by piece of 32 bits: sum_k 2^(32 k) u_k - 2^bits, the last u_k of as many bits as are left of bits + 1.

    >>> basis = Basis.of(16, [97, 193], backend="reference")
    >>> all(-8 <= coefficient < 8 for coefficient in flood(basis, 3).coefficients())
    True
    """
    N, total = basis.ring_degree, CoeffPoly.from_int64(basis, np.full(basis.ring_degree, -1)).scale(1 << bits)
    for start in range(0, bits + 1, PIECE_BITS):
        words = np.frombuffer(random(4 * N), dtype="<u4") & np.uint32(2 ** min(PIECE_BITS, bits + 1 - start) - 1)
        total = total + CoeffPoly.from_int64(basis, words.astype(np.int64)).scale(1 << start)
    return total
