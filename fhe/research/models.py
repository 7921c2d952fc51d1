"""Noise of BFV by other rules than the library's: what `fhe.research.noise_growth` sets beside the measured one.

A model speaks of log2 of the largest coefficient of the noise.
"""

from __future__ import annotations

import math
from typing import Protocol

from fhe import noise
from fhe.noise import ERROR_VARIANCE, ROUNDING_VARIANCE, SECRET_VARIANCE
from fhe.parameters import BFVParameters


class NoiseModel(Protocol):
    """What a model says of the operations of an experiment; yours is any object with these methods.

    >>> isinstance(AverageCase().name, str)
    True
    """

    name: str

    def fresh(self, parameters: BFVParameters) -> float:
        """Of an encryption under the public key."""
        ...

    def multiply(self, parameters: BFVParameters, level: int, a: float, b: float) -> float:
        """Of a relinearised product at a level."""
        ...

    def switch_modulus(self, parameters: BFVParameters, level: int, to_level: int, a: float) -> float:
        """Of a ciphertext moved to a lower level."""
        ...


class ProvenBound:
    """The bounds that the library itself keeps (`fhe.noise`): exceeded with a probability below 2^-128.

    >>> p = BFVParameters(ring_degree=2**13, modulus_bits=[42] * 4, special_bits=[45], plain_modulus=65537)
    >>> round(ProvenBound().fresh(p), 1)
    8.4
    """

    name = "proven_bits"

    def fresh(self, parameters: BFVParameters) -> float:
        """`fhe.noise.fresh_divided`."""
        return noise.fresh_divided(parameters)

    def multiply(self, parameters: BFVParameters, level: int, a: float, b: float) -> float:
        """`fhe.noise.multiply_bfv` and `fhe.noise.key_switch`."""
        return noise.add(noise.multiply_bfv(parameters, level, a, b), noise.key_switch(parameters, level))

    def switch_modulus(self, parameters: BFVParameters, level: int, to_level: int, a: float) -> float:
        """Divided by the primes between, and rounded."""
        dropped = parameters.log_modulus(level) - parameters.log_modulus(to_level)
        return noise.add(a - dropped, noise.divide_round(parameters))


class AverageCase:
    """Variances of independent coefficients, added up, and the largest of N normal numbers: no bound, an estimate.

    Too low by a bit and more for each product in a row, since noise coefficients share powers of the secret: what
    Costache, Curtis, Hales, Murphy, Ogilvie, Player, ePrint 2022/162, correct.

    >>> p = BFVParameters(ring_degree=2**13, modulus_bits=[42] * 4, special_bits=[45], plain_modulus=65537)
    >>> ProvenBound().fresh(p) - AverageCase().fresh(p) > 1
    True
    """

    name = "average_bits"

    def fresh(self, parameters: BFVParameters) -> float:
        """e u + e_1 s + e_0 divided by p, and r_0 + r_1 s."""
        N, p = parameters.ring_degree, parameters.special[0]
        variance = ERROR_VARIANCE * (2 * SECRET_VARIANCE * N + 1) / p**2 + _rounding(N)
        return _largest(N, math.log2(variance))

    def multiply(self, parameters: BFVParameters, level: int, a: float, b: float) -> float:
        """w' v + w v' of variance (t^2 N / 12) (1 + 2N/3) (V + V'), and the noise of key switching."""
        N, t = parameters.ring_degree, parameters.plain_modulus
        variances = [2 * (bits - _peak(N)) for bits in (a, b)]
        gain = math.log2(t**2 * N * ROUNDING_VARIANCE * (1 + SECRET_VARIANCE * N))
        digits = [2 * (math.fsum(map(math.log2, digit)) - parameters.log_p) for digit in parameters.digits(level)]
        switched = math.log2(ERROR_VARIANCE * N * ROUNDING_VARIANCE) + noise.add(*digits)
        return _largest(N, noise.add(gain + noise.add(*variances), switched, math.log2(2 * _rounding(N))))

    def switch_modulus(self, parameters: BFVParameters, level: int, to_level: int, a: float) -> float:
        """V / (q …)^2, and r_0 + r_1 s."""
        N = parameters.ring_degree
        dropped = parameters.log_modulus(level) - parameters.log_modulus(to_level)
        return _largest(N, noise.add(2 * (a - _peak(N) - dropped), math.log2(_rounding(N))))


def _rounding(N: int) -> float:
    return ROUNDING_VARIANCE * (1 + SECRET_VARIANCE * N)


def _peak(N: int) -> float:
    """log2 of what the largest of N normal numbers is near, in standard deviations."""
    return math.log2(math.sqrt(2 * math.log(2 * N)))


def _largest(N: int, log_variance: float) -> float:
    return log_variance / 2 + _peak(N)
