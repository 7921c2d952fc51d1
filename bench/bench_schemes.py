"""Whole operations on single ciphertexts, one row for each name users know from other libraries.

Nothing is postponed: Multiply returns three polynomials, Relinearize two, Rescale divides (in BFV: switches to the
next smaller modulus). `Multiply all` is what a product of arrays costs: in CKKS the three in one, in BFV the first two.
Encode and Decode are apart from Encrypt and Decrypt.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import numpy as np
import pytest

from bench.conftest import Measure
from fhe import BFVParameters, CKKSParameters, KeyOwner
from fhe.backend.choose import choose
from fhe.parameters import Parameters
from fhe.rlwe.public import encrypt

# (levels, special primes) in bits: close to what 128-bit security allows at each ring degree.
CKKS_BITS = {
    2**12: ([36, 30], [36]),
    2**13: ([46] + [36] * 3, [46]),
    2**14: ([46] + [40] * 6, [43] * 3),
    2**15: ([46] + [40] * 14, [43] * 5),
}
BFV_BITS = {
    2**12: ([35, 35], [36]),
    2**13: ([46] * 3, [46]),
    2**14: ([46] * 6, [46] * 3),
    2**15: ([46] * 13, [46] * 5),
}
PLAIN_MODULUS = 65537
OPERATIONS = [
    "Add",
    "Multiply",
    "Relinearize",
    "Rescale",
    "Multiply all",
    "Rotate",
    "Encode",
    "Encrypt",
    "Decrypt",
    "Decode",
]


def parameters(scheme: str, ring_degree: int) -> Parameters:
    if scheme == "CKKS":
        levels, special = CKKS_BITS[ring_degree]
        return CKKSParameters(ring_degree=ring_degree, modulus_bits=levels, special_bits=special)
    levels, special = BFV_BITS[ring_degree]
    return BFVParameters(
        ring_degree=ring_degree, modulus_bits=levels, special_bits=special, plain_modulus=PLAIN_MODULUS
    )


@lru_cache(maxsize=1)
def operations(scheme: str, ring_degree: int, target: str) -> dict[str, Callable[[], Any]]:
    """Every operation as a call without arguments, on fresh ciphertexts at the highest level."""
    owner = KeyOwner(parameters(scheme, ring_degree), choose("native", target))
    generator = np.random.default_rng(ring_degree)
    encoder: Any = owner.encoder
    evaluator: Any = owner.evaluator
    values: Any = generator.uniform(-1, 1, evaluator.slots)
    if scheme == "BFV":
        values = generator.integers(-100, 100, evaluator.slots)
    bound = 1.0 if scheme == "CKKS" else None
    x, y = (owner.encrypt(values, bound=bound).shards[0] for _ in range(2))
    assert owner.public_key is not None
    top = owner.parameters.max_level
    product, plain = evaluator.multiply(x, y), encoder.encode(values, top)
    relinearized = evaluator.relinearize(product)
    if scheme == "CKKS":
        rescale = partial(evaluator.rescale, relinearized)
    else:
        rescale = partial(evaluator.mod_switch, relinearized, top - 1)
    evaluator.rotate(x, 1)
    return {
        "Add": partial(evaluator.add, x, y),
        "Multiply": partial(evaluator.multiply, x, y),
        "Relinearize": partial(evaluator.relinearize, product),
        "Rescale": rescale,
        "Multiply all": lambda: evaluator.settle(evaluator.multiply(x, y)),
        "Rotate": partial(evaluator.rotate, x, 1),
        "Encode": partial(encoder.encode, values, top),
        "Encrypt": partial(encrypt, owner.public_key, plain),
        "Decrypt": partial(owner._secret.decrypt, x),
        "Decode": partial(evaluator.decode, owner._secret.decrypt(x), x),
    }


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("scheme", ["BFV", "CKKS"], scope="module")
def bench_scheme(measure: Measure, operation: str, scheme: str, ring_degree: int, target: str) -> None:
    chosen = parameters(scheme, ring_degree)
    limbs = f"{len(chosen.moduli())}+{len(chosen.special)} limbs"
    group = f"{scheme}, N = {ring_degree}, {limbs}, {target}"
    function = operations(scheme, ring_degree, target)[operation]
    measure(group, operation, function, scheme=scheme, N=ring_degree, limbs=limbs, target=target)
