"""Circuit privacy: results from which the owner of the key learns the values, and not how they were computed.

A result (c_0, c_1) has c_0 + c_1 s = m + v. The values are for the owner; the noise v, and c_1 itself, depend on the
circuit and on its plain operands (a model). Sent is instead (c_0 + z_0 + f, c_1 + z_1): (z_0, z_1) an encryption of
zero under the public key, f uniform in [-2^b, 2^b) coefficient by coefficient.

What the owner sees can be made from m alone, up to the following. (1) z_1 is a u + e_1 (divided by p and rounded) for a
fresh u that only the sender knows: by ring-LWE, which knowing s does not help against, c_1 + z_1 is as good as uniform.
(2) Given it, all that is left is the phase m + v + w + f, where w is the noise of the encryption. |v + w| <= 2^d in
each coefficient, but with probability 2^-128, and a uniform f shifted by such an integer is at a statistical distance
of 2^d / 2^(b + 1) at most. Over N coefficients that is 2^-k with

    b = d + log2 N + k - 1.

So (1) holds by ring-LWE, and (2) except with 2^-k, whatever the owner computes. In CKKS m is no integer polynomial: v
includes what rounds it, hence one more is counted. (Gentry 2009; Ducas, Stehle, EUROCRYPT 2016, for noise that is
drowned; uniform rather than Gaussian, as its bound takes no tail.) The owner's keys are taken to be what they should
be: who forges a public key is not kept out.

What stays visible: shape, layout, level, bounds. They are metadata, and the same for every model if the model's are
declared so. What approximations of functions leave is part of the values. Slots that hold anything beside the result
would tell (partial sums of a row): such arrays are cleaned by a mask first, which takes a level, or in BFV noise.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, TypeVar

from fhe import noise
from fhe.arrays.packed import Packed
from fhe.bfv.evaluator import BFVEvaluator
from fhe.errors import NoiseError, ParameterError
from fhe.parameters import BFVParameters, CKKSParameters
from fhe.ring.random import SeedSource
from fhe.rlwe.ciphertext import Ciphertext
from fhe.rlwe.flooding import drowned
from fhe.rlwe.public import Encryption, PublicKey

A = TypeVar("A", bound=Packed)

LEAST_BITS, MOST_BITS = 1, 128
FRESH = {Encryption.PUBLIC: noise.fresh_public, Encryption.DIVIDED: noise.fresh_divided}


def hidden(array: A, key: PublicKey, bits: int, seeds: SeedSource) -> A:
    """The array with every ciphertext drowned; NoiseError where there is no room for it, ParameterError."""
    if type(bits) is not int or not LEAST_BITS <= bits <= MOST_BITS:
        raise ParameterError(f"the distance is 2^-bits for bits from {LEAST_BITS} to {MOST_BITS}, not {bits}")
    if array.layout.virtual:
        array = array.relaid_fresh(array.shape)
    if not array.layout.tidy:
        array = array.cleaned()
    if isinstance(array.evaluator, BFVEvaluator):  # at its level, as lower ones have less room
        linear = array.map(array.evaluator.relinearize)
        return linear.map(lambda shard: _drowned(shard, key, _of_integers(shard, key, bits), seeds))
    return array.settled().map(lambda shard: _drowned(shard, key, _of_reals(shard, key, bits), seeds))


def _drowned(x: Ciphertext, key: PublicKey, flood: tuple[int, dict[str, Any]], seeds: SeedSource) -> Ciphertext:
    bits, grown = flood
    return replace(drowned(x, replace(key, chain=x.chain), bits, seeds), **grown)


def _flood_bits(x: Ciphertext, key: PublicKey, own: float, bits: int) -> int:
    """b, for a noise of at most 2^own in each coefficient, and that of the encryption."""
    parameters = x.chain.parameters
    return math.ceil(noise.add(own, FRESH[key.encryption](parameters)) + math.log2(parameters.ring_degree) + bits - 1)


def _of_integers(x: Ciphertext, key: PublicKey, bits: int) -> tuple[int, dict[str, Any]]:
    """b in BFV, and the noise that results: a quarter of what fails at most, as its owner measures it."""
    parameters = x.chain.parameters
    assert isinstance(parameters, BFVParameters)
    flood_bits = _flood_bits(x, key, x.noise, bits)
    grown, room = (
        noise.add(x.noise, FRESH[key.encryption](parameters), flood_bits),
        noise.limit_bfv(parameters, x.level),
    )
    if grown > room - 2:
        raise NoiseError(
            f"hiding the circuit takes noise of {flood_bits} bits, level {x.level} holds {room - 2:.0f}; encrypt with "
            "more depth (fhe.bfv(depth=…)), or take a smaller statistical_bits"
        )
    return flood_bits, {"noise": grown}


def _of_reals(x: Ciphertext, key: PublicKey, bits: int) -> tuple[int, dict[str, Any]]:
    """b in CKKS, and the noise in the slots: a uniform coefficient has variance and proxy 4^b / 3."""
    parameters, N = x.chain.parameters, x.chain.parameters.ring_degree
    assert isinstance(parameters, CKKSParameters)
    flood_bits = _flood_bits(x, key, math.log2(x.noise + 1), bits)
    rms = 2.0**flood_bits * math.sqrt(N / 3)
    grown = x.noise + 2.0 ** noise.fresh_public_slots(parameters) + rms * noise.spread(N)
    log_error = math.log2(grown / x.scale)
    if log_error >= 0 or math.log2(x.scale * x.bound + grown) >= x.chain.log_q(x.level) - 1:
        scale_bits = math.ceil(parameters.scale_bits + max(log_error, 0.0) + 10)
        raise NoiseError(
            f"hiding the circuit takes noise of {flood_bits} bits: values would be wrong by 2^{log_error:.1f}; for "
            f"errors of 2^-10 use fhe.ckks(scale_bits={scale_bits}), a smaller statistical_bits, or fewer operations"
        )
    return flood_bits, {"noise": grown, "rms": math.hypot(x.rms, rms)}
