"""The exact noise of a BFV ciphertext, for its owner, from the decryption phase."""

from __future__ import annotations

import math

import numpy as np

from fhe.errors import ParameterError
from fhe.parameters import BFVParameters, Parameters
from fhe.ring.poly import CoeffPoly


def noise_budget_bits(parameters: Parameters, phase: CoeffPoly) -> float:
    """log2(Q / 2) - log2 max |t x mod Q| for the phase x: decryption is exact while this is above 0.

    With x = (Q/t) m + v, t x mod Q is t v: the budget is log2(Q / (2 t)) - log2 max |v|.
    """
    if not isinstance(parameters, BFVParameters):
        raise ParameterError("a noise budget is a notion of BFV; in CKKS ask for precision_bits")
    scaled = phase.scale(parameters.plain_modulus)
    Q = scaled.basis.product
    if Q.bit_length() > 1000:  # beyond the range of a double
        largest = max(abs(value) for value in scaled.coefficients())
        return math.log2(Q // 2) - math.log2(max(largest, 1))
    return math.log2(Q // 2) - math.log2(max(float(np.max(np.abs(scaled.lift()))), 1.0))
