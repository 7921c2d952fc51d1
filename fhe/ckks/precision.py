"""Error bounds in CKKS, tracked slot by slot.

``Ciphertext.noise`` is here a bound B on |e(zeta)| over all slots, where m + e is what decrypts: the error of
a value is at most B / scale. It holds except with probability 2^-128 over keys and encryption randomness, for
messages and circuits chosen independently of them. What encryption, rounding and key switching add comes from
`fhe.noise`, which bounds it in every slot. Products are slot by slot, hence exact:
|z1 z2 - (z1 + e1)(z2 + e2)| <= |z1 e2| + |z2 e1| + |e1 e2|.
"""

from __future__ import annotations

import math
from functools import lru_cache

from fhe import noise
from fhe.parameters import CKKSParameters
from fhe.rlwe.ciphertext import Ciphertext
from fhe.rlwe.public import Encryption

FRESH = {
    Encryption.SYMMETRIC: noise.fresh_symmetric_slots,
    Encryption.PUBLIC: noise.fresh_public_slots,
    Encryption.DIVIDED: noise.fresh_divided_slots,
}


def fresh(parameters: CKKSParameters, encryption: Encryption, scale: float, bound: float) -> float:
    """Of an encryption, and of the encoder that made its plaintext."""
    return math.exp2(FRESH[encryption](parameters)) + encoding(parameters, scale * bound)


@lru_cache(maxsize=256)
def encoding(parameters: CKKSParameters, magnitude: float = 1.0) -> float:
    """Rounding of the coefficients, and of the doubles of an FFT on values up to ``magnitude``.

    The first is at most 1/2 in each coefficient, N/2 in a slot, and there are values for which it is that: any whose
    embedding stays below 1/2. Messages are not random, so this is what counts.
    """
    N = parameters.ring_degree
    return N / 2 + magnitude * 2.0**-52 * N.bit_length()


@lru_cache(maxsize=256)
def rounding(parameters: CKKSParameters) -> float:
    """Of dividing (c_0, c_1) by a modulus."""
    return math.exp2(noise.divide_round_slots(parameters))


@lru_cache(maxsize=256)
def key_switch(parameters: CKKSParameters, level: int) -> float:
    """Of switching one component to another key, rounding included."""
    return math.exp2(noise.key_switch_slots(parameters, level))


def product(x: Ciphertext, y: Ciphertext) -> float:
    """Of x * y, before relinearisation."""
    return x.bound * x.scale * y.noise + y.bound * y.scale * x.noise + x.noise * y.noise


def plain_product(parameters: CKKSParameters, x: Ciphertext, scale: float, bound: float) -> float:
    """Of x times a plaintext encoded at ``scale`` with values up to ``bound``."""
    error = encoding(parameters, scale * bound)
    return x.bound * x.scale * error + bound * scale * x.noise + x.noise * error


def number_product(x: Ciphertext, scale: float, number: float) -> float:
    """Of x times one number, rounded to a multiple of 1 / scale."""
    return x.bound * x.scale * 0.5 + (abs(number) * scale + 0.5) * x.noise


def bits(x: Ciphertext) -> float:
    """-log2 of the error bound of a value: the number of bits after the binary point that are right."""
    return math.log2(x.scale) - math.log2(max(x.noise, 2.0**-1000))
