"""Polynomials and functions of whole CKKS arrays, one ciphertext each, in the ring that their depth takes."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from numpy.polynomial import Chebyshev

import fhe
from bench.conftest import Measure
from fhe.backend.choose import choose

SERIES = Chebyshev(np.random.default_rng(0).uniform(-1, 1, 32))
ALPHA = 12
CASES = {
    "Chebyshev series of degree 31": (7, lambda x: fhe.evaluate(SERIES, x)),
    "Sigmoid, degree 15 on (-8, 8)": (7, lambda x: fhe.sigmoid(x, interval=8, degree=15)),
    "Exponential on (-1, 1)": (7, fhe.exp),
    f"Sign, margin 2^-{ALPHA}, error 2^-{ALPHA - 1}": (16, lambda x: fhe.sign(x, margin=2.0**-ALPHA, error=2.0**-11)),
    "Greater, as the operator": (16, lambda x: x > 0.5),
    "Maximum": (16, lambda x: fhe.maximum(x, 0.5)),
}


@pytest.mark.parametrize("name", CASES)
def bench_function(measure: Measure, name: str, target: str) -> None:
    depth, function = CASES[name]
    x = values(depth, target)
    parameters = x.evaluator.chain.parameters
    group = f"CKKS functions, N = {parameters.ring_degree}, {depth} levels, {target}"
    measure(group, name, lambda: function(x).settled(), N=parameters.ring_degree, levels=depth, target=target)


@lru_cache(maxsize=1)
def values(depth: int, target: str) -> fhe.EncryptedArray:
    """Every slot of a ciphertext, at the top of a chain."""
    owner = fhe.ckks(depth=depth, bound=4, ring_degree=2**15, backend=choose("native", target))
    return owner.encrypt(np.random.default_rng(1).uniform(-1, 1, owner.parameters.slots), bound=1)
