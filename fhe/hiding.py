"""Circuit privacy: results from which the owner of the key learns the values, and not how they were computed.

A result (c_0, c_1) has c_0 + c_1 s = m + v. The values are for the owner; the noise v, and c_1 itself, depend on the
circuit and on its plain operands (a model). Sent is instead (c_0 + z_0 + f, c_1 + z_1): (z_0, z_1) an encryption of
zero under the public key, f uniform in [-2^b, 2^b) coefficient by coefficient.

What the owner sees can be made from m alone, up to the following. (1) z_1 is a u + e_1 (divided by p and rounded) for a
fresh u that only the sender knows: by ring-LWE, which knowing s does not help against, c_1 + z_1 is as good as uniform.
(2) Given it, all that is left is the phase m + v + w + f, where w is the noise of the encryption. A uniform coefficient
of f shifted by an integer v_i + w_i is at a statistical distance of |v_i + w_i| / 2^(b + 1) at most. With a mean of
|v_i + w_i| up to 2^d, but with probability 2^-128, that is over N coefficients 2^-k with

    b = d + log2 N + k - 1.

So (1) holds by ring-LWE, and (2) except with 2^-k, whatever the owner computes. In BFV 2^d bounds each coefficient. In
CKKS slots are bounded, by B; by Parseval sum v_i^2 <= B^2, so sum |v_i| <= sqrt(N) B and the mean is up to B / sqrt(N);
m is no integer polynomial there: v includes what rounds it, hence one more is counted. (Gentry 2009; Ducas, Stehle,
EUROCRYPT 2016, for noise that is drowned; uniform rather than Gaussian, as its bound takes no tail.) The owner's keys
and ciphertexts are taken to be what they should be: who forges a public key, or says that its noise is less than it is,
is not kept out.

What stays visible: shape, layout, level, bounds. They are metadata, and the same for every model if the model's are
declared so. What approximations of functions leave is part of the values. Slots that hold anything beside the result
would tell (partial sums of a row). In BFV uniform residues are added to them: they then are that, exactly. In CKKS a
mask cleans them first, which takes a level.

How much can be hidden. CKKS encodes doubles, off by 2^-48 or so of the largest value; that is part of B, so scales
beyond 64 bits gain nothing: at N = 2^14 results are right to some 31 - k bits. For k = 40 be exact (BFV).
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from fhe import noise
from fhe.arrays.packed import Packed
from fhe.bfv.evaluator import BFVEvaluator
from fhe.ckks.flooding import computed_error
from fhe.errors import NoiseError, ParameterError
from fhe.parameters import BFVParameters, CKKSParameters
from fhe.ring.random import SeedSource
from fhe.rlwe.ciphertext import Ciphertext, Plaintext
from fhe.rlwe.flooding import drowned
from fhe.rlwe.public import Encryption, PublicKey

A = TypeVar("A", bound=Packed)

LEAST_BITS, MOST_BITS = 1, 128
LARGEST_PRECISION_BITS = 60
FINEST_SCALE_BITS = 66  # beyond, what doubles round counts more than all that ciphertexts add
FRESH = {Encryption.PUBLIC: noise.fresh_public, Encryption.DIVIDED: noise.fresh_divided}
FRESH_SLOTS = {Encryption.PUBLIC: noise.fresh_public_slots, Encryption.DIVIDED: noise.fresh_divided_slots}


def hidden(array: A, key: PublicKey, bits: int, seeds: SeedSource) -> A:
    """The array with every ciphertext drowned; NoiseError where there is no room for it, ParameterError."""
    array = _prepared(array, bits)
    grown = [_flood(shard, key.encryption, bits) for shard in array.shards]  # raises before any work
    fillings = _fillings(array)
    shards = [
        replace(drowned(x, replace(key, chain=x.chain), b, seeds, filling), **fields)
        for x, filling, (b, fields) in zip(array.shards, fillings, grown, strict=True)
    ]
    return array.like(shards, array.layout)


def foretold(array: A, bits: int) -> A:
    """What `hidden` makes of level, layout and bounds, without a key."""
    return _prepared(array, bits).map(lambda shard: replace(shard, **_flood(shard, Encryption.DIVIDED, bits)[1]))


def checked_bits(bits: int) -> int:
    """A statistical security in bits, ParameterError for what is none."""
    if type(bits) is not int or not LEAST_BITS <= bits <= MOST_BITS:
        raise ParameterError(f"the distance is 2^-bits for bits from {LEAST_BITS} to {MOST_BITS}, not {bits}")
    return bits


def _prepared(array: A, bits: int) -> A:
    """The array with places of its own for elements, and nothing beside them where that has to be cleaned."""
    checked_bits(bits)
    if array.layout.virtual:
        array = array.relaid_fresh(array.shape)
    if isinstance(array.evaluator, BFVEvaluator):  # at its level, as lower ones have less room
        return array.map(array.evaluator.relinearize)
    return array.cleaned().settled()


def _fillings(array: Packed) -> list[Plaintext | None]:
    """For each ciphertext a plaintext of uniform residues in the slots beside the result; none where nothing is."""
    evaluator = array.evaluator
    if array.layout.tidy or not isinstance(evaluator, BFVEvaluator):
        return [None] * len(array.shards)
    t = evaluator.encoder.t
    beside = [uniform_below(t, mask.size) * (mask == 0) for mask in array.layout.mask()]
    return [evaluator.encoder.encode(part, x.level) for part, x in zip(beside, array.shards, strict=True)]


def uniform_below(t: int, count: int, random: Callable[[int], bytes] = os.urandom) -> NDArray[np.int64]:
    """Independent uniform integers in [0, t), t < 2^62: words below the largest multiple of t, modulo t.

    >>> sorted(set(uniform_below(3, 100).tolist()))
    [0, 1, 2]
    """
    limit, found = (1 << 64) // t * t, np.empty(0, dtype=np.uint64)
    while len(found) < count:
        words = np.frombuffer(random(8 * (count - len(found))), dtype="<u8")
        found = np.concatenate([found, words[words <= np.uint64(limit - 1)]])
    return (found % np.uint64(t)).astype(np.int64)


def _flood(x: Ciphertext, encryption: Encryption, bits: int) -> tuple[int, dict[str, Any]]:
    """b, and what is then known of the noise."""
    return (_of_integers if isinstance(x.chain.parameters, BFVParameters) else _of_reals)(x, encryption, bits)


def _of_integers(x: Ciphertext, encryption: Encryption, bits: int) -> tuple[int, dict[str, Any]]:
    """b in BFV, and the noise that results: a quarter of what fails at most, as its owner measures it."""
    parameters = x.chain.parameters
    assert isinstance(parameters, BFVParameters)
    own, room = noise.add(x.noise, FRESH[encryption](parameters)), noise.limit_bfv(parameters, x.level)
    flood_bits = noise.flood(parameters.ring_degree, own, bits)
    grown = noise.add(own, flood_bits)
    if grown > room - 2:
        raise NoiseError(
            f"hiding the circuit with statistical_bits={bits} takes noise of {flood_bits} bits, level {x.level} holds "
            f"{room - 2:.0f}; plan for it by fhe.bfv(depth=…, hide={bits}), or take fewer statistical_bits"
        )
    return flood_bits, {"noise": grown}


def _of_reals(x: Ciphertext, encryption: Encryption, bits: int) -> tuple[int, dict[str, Any]]:
    """b in CKKS, and the noise in the slots."""
    parameters = x.chain.parameters
    assert isinstance(parameters, CKKSParameters)
    flood_bits, grown, rms = _drowning(parameters, x.noise, encryption, bits)
    log_error = math.log2(grown / x.scale)
    if log_error >= 0 or math.log2(x.scale * x.bound + grown) >= x.chain.log_q(x.level) - 1:
        raise NoiseError(
            f"hiding the circuit with statistical_bits={bits} takes noise of {flood_bits} bits: values would be wrong "
            f"by 2^{log_error:.1f}; take as many statistical_bits as were planned for by fhe.ckks(hide="
            "(precision_bits, statistical_bits)), or fewer"
        )
    return flood_bits, {"noise": grown, "rms": math.hypot(x.rms, rms)}


def _drowning(parameters: CKKSParameters, own: float, encryption: Encryption, bits: int) -> tuple[int, float, float]:
    """b for a noise of at most ``own`` in each slot, and what is then in them: the bound and the root mean square.

    A uniform coefficient has variance and proxy 4^b / 3.
    """
    N = parameters.ring_degree
    own += 2.0 ** FRESH_SLOTS[encryption](parameters)
    flood_bits = noise.flood(N, math.log2(own / math.sqrt(N) + 1), bits)
    rms = 2.0**flood_bits * math.sqrt(N / 3)
    return flood_bits, own + rms * noise.spread(N), rms


@dataclass(frozen=True, slots=True)
class Hiding:
    """A plan for CKKS: how precise hidden results have to be, and how well their circuit is hidden.

    >>> Hiding(precision_bits=8, statistical_bits=20).numbers
    (8, 20)
    """

    precision_bits: int
    statistical_bits: int

    def __post_init__(self) -> None:
        checked_bits(self.statistical_bits)
        if type(self.precision_bits) is not int or not 1 <= self.precision_bits <= LARGEST_PRECISION_BITS:
            raise ParameterError(
                f"precision_bits of hide=(precision_bits, statistical_bits) is an integer from 1 to "
                f"{LARGEST_PRECISION_BITS}, not {self.precision_bits!r}"
            )

    @classmethod
    def of(cls, hide: tuple[int, int]) -> Hiding:
        """The plan as `fhe.ckks` takes it; ParameterError for what is no pair."""
        if not isinstance(hide, tuple | list) or len(hide) != 2:
            raise ParameterError(
                f"hide= of approximate results is (precision_bits, statistical_bits), not {hide!r:.40}"
            )
        return cls(*hide)

    @property
    def numbers(self) -> tuple[int, int]:
        """As `fhe.ckks` takes them."""
        return self.precision_bits, self.statistical_bits

    def error(self, parameters: CKKSParameters) -> float:
        """The tracked error of a hidden result of values up to 1, multiplied as often as there are levels."""
        scale = parameters.scale(0)
        own = computed_error(parameters) * scale
        return _drowning(parameters, own, Encryption.DIVIDED, self.statistical_bits)[1] / scale

    def missing_bits(self, parameters: CKKSParameters) -> int:
        """By how many bits errors are too large, 0 where they are not."""
        return max(0, math.ceil(math.log2(self.error(parameters)) + self.precision_bits))

    def require_room(self, parameters: CKKSParameters) -> None:
        """Raise ParameterError where a result as deep as the parameters would not be precise enough, hidden."""
        if missing := self.missing_bits(parameters):
            remedy = f"use scale_bits={parameters.scale_bits + missing}"
            if parameters.scale_bits >= FINEST_SCALE_BITS:
                remedy = "values are doubles, so no scale helps: compute exactly, by fhe.bfv(hide=…)"
            raise ParameterError(
                f"hiding circuits with {self.statistical_bits} statistical bits leaves errors of "
                f"2^{math.log2(self.error(parameters)):.1f} at scales of {parameters.scale_bits} bits, {missing} bits "
                f"more than 2^-{self.precision_bits}; {remedy}, or ask for fewer bits of either"
            )
