"""The operations of the schemes on single ciphertexts, as calls without arguments, and the parameters they run at.

Nothing is postponed: Multiply returns three polynomials, Relinearize two, Rescale divides (in BFV: switches to the
next smaller modulus). `Multiply all` is what users know as one product: in CKKS the three in one, in BFV the first
two; there Multiply leaves out the scaling by t/Q, which Relinearize does along. Encode and Decode are apart from
Encrypt and Decrypt.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import numpy as np

from fhe import BFVParameters, CKKSParameters, KeyOwner, _core
from fhe.backend.choose import choose
from fhe.parameters import Parameters
from fhe.rlwe.public import encrypt

# (levels, special primes) in bits: close to what 128-bit security allows at each ring degree.
CKKS_BITS = {
    2**12: ([36, 30], [36]),
    2**13: ([46] + [36] * 3, [46]),
    2**14: ([46] + [40] * 6, [43] * 3),
    2**15: ([46] + [40] * 14, [43] * 5),
    2**16: ([46] + [40] * 28, [43] * 8),
}
BFV_BITS = {
    2**12: ([35, 35], [36]),
    2**13: ([42] * 4, [44]),
    2**14: ([43] * 7, [43] * 3),
    2**15: ([46] * 13, [46] * 5),
    2**16: ([46] * 26, [46] * 9),
}
PLAIN_MODULUS, LARGE_PLAIN_MODULUS = 65537, 786433  # the first batches up to N = 2^15
OPERATIONS = [
    "Add",
    "Multiply",
    "Relinearize",
    "Rescale",
    "Multiply all",
    "Multiply plain",
    "Rotate",
    "Encode",
    "Encrypt",
    "Decrypt",
    "Decode",
    "Keys",
]


def parameters(scheme: str, ring_degree: int) -> Parameters:
    if scheme == "CKKS":
        levels, special = CKKS_BITS[ring_degree]
        return CKKSParameters(ring_degree=ring_degree, modulus_bits=levels, special_bits=special)
    levels, special = BFV_BITS[ring_degree]
    t = PLAIN_MODULUS if ring_degree <= 2**15 else LARGE_PLAIN_MODULUS
    return BFVParameters(ring_degree=ring_degree, modulus_bits=levels, special_bits=special, plain_modulus=t)


def make_keys(chosen: Parameters, target: str) -> KeyOwner:
    """A secret, a public, a relinearisation and a rotation key."""
    owner = KeyOwner(chosen, choose("native", target))
    owner.keys.require_relinearization()
    owner.make_rotation_keys([1])
    return owner


def samples(scheme: str, slots: int) -> Any:
    generator = np.random.default_rng(slots)
    return generator.uniform(-1, 1, slots) if scheme == "CKKS" else generator.integers(-100, 100, slots)


@lru_cache(maxsize=1)
def operations(scheme: str, ring_degree: int, target: str) -> dict[str, Callable[[], Any]]:
    """Every operation as a call without arguments, on fresh ciphertexts at the highest level."""
    chosen = parameters(scheme, ring_degree)
    owner = make_keys(chosen, target)
    encoder: Any = owner.encoder
    evaluator: Any = owner.evaluator
    values, top = samples(scheme, evaluator.slots), chosen.max_level
    x, y = (owner.encrypt(values, bound=1.0 if scheme == "CKKS" else None).shards[0] for _ in range(2))
    assert owner.public_key is not None
    product, plain, factor = evaluator.multiply(x, y), encoder.encode(values, top), factor_of(owner, values)
    relinearized, phase = evaluator.relinearize(product), owner._secret.decrypt(x)
    if scheme == "CKKS":
        rescale, multiply_all = partial(evaluator.rescale, relinearized), evaluator.settle
    else:
        rescale, multiply_all = partial(evaluator.mod_switch, relinearized, top - 1), evaluator.relinearize
    check(values, evaluator, owner._secret, multiply_all(product))
    return {
        "Add": partial(evaluator.add, x, y),
        "Multiply": partial(evaluator.multiply, x, y),
        "Relinearize": partial(evaluator.relinearize, product),
        "Rescale": rescale,
        "Multiply all": lambda: multiply_all(evaluator.multiply(x, y)),
        "Multiply plain": partial(evaluator.multiply_plain, x, factor),
        "Rotate": partial(evaluator.rotate, x, 1),
        "Encode": partial(encoder.encode, values, top),
        "Encrypt": partial(encrypt, owner.public_key, plain),
        "Decrypt": partial(owner._secret.decrypt, x),
        "Decode": partial(evaluator.decode, phase, x),
        "Keys": partial(make_keys, chosen, target),
    }


def factor_of(owner: KeyOwner, values: Any) -> Any:
    """The values, encoded to multiply by at the highest level."""
    maker: Any = owner.evaluator if isinstance(owner.parameters, CKKSParameters) else owner.encoder
    return maker.encode_factor(values, owner.parameters.max_level)


def check(values: Any, evaluator: Any, secret: Any, product: Any) -> None:
    """A wrong result is not worth a measurement."""
    error = np.abs(evaluator.decode(secret.decrypt(product), product) - values * values).max()
    if error > 1e-3:
        raise AssertionError(f"the product is off by {error}")


def sizes(owner: KeyOwner) -> dict[str, int]:
    """Bytes of ciphertexts and keys: in memory, and as they are sent (packed, with seeds for uniform halves)."""
    x, symmetric = owner.encrypt([1]), owner.encrypt([1], symmetric=True)
    assert owner.public_key is not None
    key, public = owner.public_key, [len(owner.public(rotations=steps).to_bytes()) for steps in ([], [1])]
    return {
        "ciphertext": x.shards[0].nbytes,
        "ciphertext sent": len(x.to_bytes()),
        "symmetric sent": len(symmetric.to_bytes()),
        "public key": sum(8 * poly.basis.ring_degree * len(poly.basis) for poly in (key.b, key.a)),
        "switching key": owner.keys.require_relinearization().nbytes,
        "switching key sent": public[1] - public[0],
    }


def peak_memory(call: Callable[[], Any]) -> dict[str, int]:
    """The most bytes that a call holds beyond what stood before, its result included: of residues, and NumPy's."""
    call()  # what it keeps for later calls is not its own
    before = _core.pool_statistics()["current"]
    _core.reset_pool_peak()
    tracemalloc.start()
    result = call()
    numpy = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    del result
    return {"residues": _core.pool_statistics()["peak"] - before, "NumPy": numpy}
