"""Errors in CKKS, tracked slot by slot: a bound that holds, and an estimate of what is usual.

``Ciphertext.noise`` is here a bound B on |e(zeta)| over all slots, where m + e is what decrypts: the error of
a value is at most B / scale. It holds except with probability 2^-128 over keys and encryption randomness, for
messages and circuits chosen independently of them. What encryption, rounding and key switching add comes from
`fhe.noise`, which bounds it in every slot. Products are slot by slot, hence exact:
|z1 z2 - (z1 + e1)(z2 + e2)| <= |z1 e2| + |z2 e1| + |e1 e2|.

``Ciphertext.rms`` is the root mean square over slots that one should expect: the same recursion with variances, as
if all errors were independent and all values as large as their bounds. Nothing is decided by it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from fhe import noise
from fhe.noise import ERROR_VARIANCE, ROUNDING_VARIANCE, SECRET_VARIANCE
from fhe.parameters import CKKSParameters
from fhe.rlwe.ciphertext import Ciphertext, Factors
from fhe.rlwe.public import Encryption


@dataclass(frozen=True, slots=True)
class Noise:
    """What no slot exceeds, and the root mean square to expect.

    >>> Noise(10.0, 3.0) + Noise(10.0, 4.0), Noise(10.0, 3.0) * 2
    (Noise(bound=20.0, rms=5.0), Noise(bound=20.0, rms=6.0))
    """

    bound: float
    rms: float

    @classmethod
    def of(cls, x: Ciphertext) -> Noise:
        """Of a ciphertext; of one that was received the root mean square is not a number, and stays so."""
        return cls(x.noise, x.rms if x.rms or not x.noise else x.noise / noise.spread(x.chain.parameters.ring_degree))

    def __add__(self, other: Noise) -> Noise:
        return Noise(self.bound + other.bound, math.hypot(self.rms, other.rms))

    def __mul__(self, factor: float) -> Noise:
        return Noise(self.bound * abs(factor), self.rms * abs(factor))

    @property
    def fields(self) -> dict[str, Any]:
        """As a ciphertext keeps them."""
        return {"noise": self.bound, "rms": self.rms}


NOTHING = Noise(0.0, 0.0)


@lru_cache(maxsize=256)
def fresh(parameters: CKKSParameters, encryption: Encryption, magnitude: float) -> Noise:
    """Of an encryption, and of the encoder that made its plaintext."""
    N, h = parameters.ring_degree, SECRET_VARIANCE * parameters.ring_degree
    if encryption is Encryption.SYMMETRIC:
        encrypted = Noise(2.0 ** noise.fresh_symmetric_slots(parameters), math.sqrt(N * ERROR_VARIANCE))
    elif encryption is Encryption.PUBLIC:
        encrypted = Noise(2.0 ** noise.fresh_public_slots(parameters), math.sqrt(N * ERROR_VARIANCE * (2 * h + 1)))
    else:
        encrypted = Noise(2.0 ** noise.fresh_divided_slots(parameters), rounding(parameters).rms)
    return encrypted + encoding(parameters, magnitude)


@lru_cache(maxsize=256)
def encoding(parameters: CKKSParameters, magnitude: float) -> Noise:
    """Rounding of the coefficients, and of the doubles of an FFT on scaled values up to ``magnitude``.

    The first is at most 1/2 in each coefficient, N/2 in a slot, and there are values for which it is that: any whose
    embedding stays below 1/2. Messages are not random, so this is what counts.
    """
    N, doubles = parameters.ring_degree, transformed(parameters, magnitude)
    return Noise(N / 2 + doubles, math.sqrt(N * ROUNDING_VARIANCE) + doubles / 8)


def transformed(parameters: CKKSParameters, magnitude: float) -> float:
    """Of the doubles of an FFT on scaled values up to ``magnitude``.

    >>> p = CKKSParameters(ring_degree=2**13, modulus_bits=[46] + [40] * 3, special_bits=[46])
    >>> transformed(p, 2.0**40) == 14 * 2.0**-12
    True
    """
    return magnitude * 2.0**-52 * parameters.ring_degree.bit_length()


@lru_cache(maxsize=256)
def rounding(parameters: CKKSParameters) -> Noise:
    """Of dividing (c_0, c_1) by a modulus."""
    N = parameters.ring_degree
    rms = math.sqrt(N * ROUNDING_VARIANCE * (1 + SECRET_VARIANCE * N))
    return Noise(2.0 ** noise.divide_round_slots(parameters), rms)


def usual(x: Ciphertext) -> float:
    """The root mean square to expect; where that is not known, what has the bound for its tail."""
    rms = Noise.of(x).rms
    return x.noise / noise.spread(x.chain.parameters.ring_degree) if math.isnan(rms) else rms


def rounded_scale(magnitude: float) -> Noise:
    """Of values up to a scaled magnitude, read at a scale that is a double, computed by at most four operations."""
    return Noise(magnitude * 2.0**-51, magnitude * 2.0**-53)


@lru_cache(maxsize=256)
def key_switch(parameters: CKKSParameters, level: int) -> Noise:
    """Of switching one component to another key, rounding included."""
    N, log_p = parameters.ring_degree, parameters.log_p
    sizes = (math.fsum(map(math.log2, digit)) - log_p for digit in parameters.digits(level))
    energy = N * ERROR_VARIANCE * N * ROUNDING_VARIANCE * math.fsum(4.0**size for size in sizes)
    return Noise(
        2.0 ** noise.key_switch_slots(parameters, level), math.hypot(math.sqrt(energy), rounding(parameters).rms)
    )


def product(x: Ciphertext, y: Ciphertext) -> Noise:
    """Of x * y, before relinearisation."""
    a, b = Noise.of(x), Noise.of(y)
    linear = (b * (x.bound * x.scale), a * (y.bound * y.scale))
    rms = linear[0].rms + linear[1].rms if x is y else math.hypot(linear[0].rms, linear[1].rms)
    return Noise(linear[0].bound + linear[1].bound + a.bound * b.bound, math.hypot(rms, a.rms * b.rms))


def plain_product(parameters: CKKSParameters, x: Ciphertext, scale: float, bound: float) -> Noise:
    """Of x times a plaintext encoded at ``scale`` with values up to ``bound``."""
    return _times_rounded(Noise.of(x), bound * scale, encoding(parameters, scale * bound), x.bound * x.scale)


def number_product(x: Ciphertext, scale: float, number: float) -> Noise:
    """Of x times one number, rounded to a multiple of 1 / scale."""
    return _times_rounded(Noise.of(x), abs(number) * scale, Noise(0.5, 0.3), x.bound * x.scale)


def weighted(x: Ciphertext, of_terms: Noise, factors: Factors) -> Noise:
    """Of sum_k u_k x_k: the noise of the x_k, each as large as x, and what the u_k were rounded by."""
    error = Noise(factors.error, factors.rms)
    of_products = Noise(factors.gain * of_terms.bound, factors.energy * of_terms.rms) * factors.scale
    return of_products + error * (x.bound * x.scale) + Noise(of_terms.bound * error.bound, 0.0)


def _times_rounded(noise_of: Noise, factor: float, error: Noise, magnitude: float) -> Noise:
    """Of x times a factor that is wrong by ``error``, |x| up to a magnitude."""
    return noise_of * factor + error * magnitude + Noise(noise_of.bound * error.bound, noise_of.rms * error.rms)


def bits(x: Ciphertext, error: float) -> float:
    """-log2 of an error of x's values: the number of bits after the binary point that are right.

    Doubles limit it, in which values are decoded: by an FFT, to 2^-52 log2(2 N) of the largest.
    """
    decoded = x.bound * x.scale * 2.0**-52 * x.chain.parameters.ring_degree.bit_length()
    return math.log2(x.scale) - math.log2(max(error + decoded, 2.0**-1000))
