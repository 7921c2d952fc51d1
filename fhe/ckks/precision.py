"""Error bounds in CKKS, tracked slot by slot.

``Ciphertext.noise`` is here a bound B on |e(zeta)| over all slots, where m + e is what decrypts: the error of
a value is at most B / scale. It holds except with probability 2^-128 over keys and encryption randomness, for
messages and circuits chosen independently of them. Assumption: a noise polynomial has independent coefficients
of variance V, so that e(zeta) is close to a complex Gaussian of variance N V; the tail bound
|e(zeta)|^2 <= N V ln(2^128 N) then holds for all slots together. Products are slot by slot, hence exact:
|z1 z2 - (z1 + e1)(z2 + e2)| <= |z1 e2| + |z2 e1| + |e1 e2|.
"""

from __future__ import annotations

import math

from fhe.noise import ERROR_VARIANCE, SECRET_VARIANCE
from fhe.parameters import CKKSParameters
from fhe.rlwe.ciphertext import Ciphertext

FAILURE_BITS = 128


def tail(parameters: CKKSParameters, variance: float) -> float:
    """The bound on |e(zeta)| in all slots of a polynomial with this coefficient variance."""
    N = parameters.ring_degree
    return math.sqrt(N * variance * math.log(2) * (FAILURE_BITS + math.log2(N)))


def fresh(parameters: CKKSParameters, symmetric: bool, scale: float, bound: float) -> float:
    """Of an encryption: e u + e_0 + e_1 s under the public key, e symmetric; and the encoder's error."""
    N = parameters.ring_degree
    variance = ERROR_VARIANCE * (1.0 if symmetric else 2 * N * SECRET_VARIANCE + 1)
    return tail(parameters, variance) + encoding(parameters, scale * bound)


def encoding(parameters: CKKSParameters, magnitude: float = 1.0) -> float:
    """Rounding of the coefficients, and of the doubles of an FFT on values up to ``magnitude``."""
    return tail(parameters, 1 / 12) + magnitude * 2.0**-52 * parameters.ring_degree.bit_length()


def rounding(parameters: CKKSParameters) -> float:
    """Of dividing (c_0, c_1) by a modulus: r_0 + r_1 s with r uniform in [-1/2, 1/2]."""
    return tail(parameters, (1 + parameters.ring_degree * SECRET_VARIANCE) / 12)


def key_switch(parameters: CKKSParameters, level: int) -> float:
    """sum_j d_j e_j / P with digits 0 <= d_j < a Q_j (a limbs, the overflow multiple left in), then rounding."""
    N, variance = parameters.ring_degree, 0.0
    moduli = parameters.moduli(level)
    log_p = sum(map(math.log2, parameters.special))
    for start in range(0, len(moduli), parameters.digit):
        digit = moduli[start : start + parameters.digit]
        variance += (len(digit) * 2.0 ** (sum(map(math.log2, digit)) - log_p)) ** 2 / 3
    return tail(parameters, N * ERROR_VARIANCE * variance) + rounding(parameters)


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
