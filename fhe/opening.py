"""How an owner decrypts a ciphertext: modulo no more primes than its values need.

In CKKS, coefficients are at most scale * |values| + noise, and what they are modulo some primes they are modulo all:
those of a result at a high level fit two or three. 2^SPARE_BITS is left to spare. Values that go into that refute the
bound (a broken promise, a forged claim), and then all primes decide. In BFV a message fills its modulus.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fhe.circuits.evaluator import Evaluator
from fhe.parameters import CKKSParameters
from fhe.ring.poly import CoeffPoly
from fhe.rlwe.ciphertext import Ciphertext

SPARE_BITS = 40


def opened(evaluator: Evaluator, decrypt: Callable[[Ciphertext], CoeffPoly], x: Ciphertext) -> NDArray[Any]:
    """The slots of x, by what a secret key decrypts; NoiseError or ScaleError where they cannot be right."""
    low = x.at_level(sufficient_level(x))
    slots = evaluator.decode(decrypt(low), low)
    if low.level < x.level and np.abs(slots).max() > 2.0 ** (SPARE_BITS / 2) * (x.bound + x.noise / x.scale):
        return evaluator.decode(decrypt(x), x)
    return slots


def sufficient_level(x: Ciphertext) -> int:
    """The lowest level that holds the values of x and what is to spare; its own in BFV."""
    if not isinstance(x.chain.parameters, CKKSParameters):
        return x.level
    bits = 1 + math.log2(x.scale * x.bound + x.noise + 1) + SPARE_BITS
    return next((level for level in range(x.level) if x.chain.log_q(level) > bits), x.level)
