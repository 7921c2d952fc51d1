"""Three experiments that ask what a parameter costs; each returns records, and no figure in them is made up."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np

from fhe import CKKSParameters, KeyOwner
from fhe.errors import ParameterError
from fhe.measure import median_us
from fhe.noise import key_switch_slots, limit_bfv
from fhe.parameters import BFVParameters
from fhe.research.models import AverageCase, NoiseModel, ProvenBound

Records = list[dict[str, Any]]
MARGIN_BITS = 3  # of a special prime above those of a digit
REASON = "an experiment"


def noise_growth(
    owner: KeyOwner, products: int, models: Sequence[NoiseModel] = (ProvenBound(), AverageCase())
) -> Records:
    """log2 of the noise of x, x^2, x^4, … in BFV: measured with the secret, tracked by the library, and by models.

    A record for the fresh ciphertext and for each of the ``products``: ``measured_bits`` is exact, ``tracked_bits`` the
    bound that the ciphertext carries, and each model has an entry of its name. ``limit_bits`` is where decryption
    would fail. Stops before the library refuses.

    >>> import fhe
    >>> owner = fhe.bfv(depth=2, plain_modulus=257, ring_degree=64, insecure="an example", wrap=True)
    >>> records = noise_growth(owner, products=2)
    >>> [record["products"] for record in records]
    [0, 1, 2]
    >>> all(record["measured_bits"] < record["tracked_bits"] for record in records)
    True
    """
    parameters = owner.parameters
    if not isinstance(parameters, BFVParameters):
        raise ParameterError("noise_growth is about BFV; for CKKS there is precision_versus_depth")
    x = owner.encrypt(np.random.default_rng(1).integers(-2, 3, owner.evaluator.slots), bound=math.inf)
    predicted = {model.name: model.fresh(parameters) for model in models}
    records: Records = []
    for count in range(products + 1):
        level = x.shards[0].level
        limit = limit_bfv(parameters, level)
        tracked, measured = x.noise_budget_bits, owner.noise_budget_bits(x)
        bits = {"measured_bits": limit - measured, "tracked_bits": limit - tracked, "limit_bits": limit}
        records.append({"products": count, "level": level} | bits | predicted)
        if count < products:
            x = (x * x).settled()
            below = x.shards[0].level
            for model in models:
                bits_of = model.multiply(parameters, level, predicted[model.name], predicted[model.name])
                predicted[model.name] = (
                    model.switch_modulus(parameters, level, below, bits_of) if below < level else bits_of
                )
    return records


def precision_versus_depth(owner: KeyOwner, *, seed: int = 1) -> Records:
    """Bits of x^2, x^4, … that are right in CKKS, for values in [-1, 1], down to the last level.

    ``measured_bits`` is -log2 of the largest error, ``bound_bits`` what the library promises, ``expected_bits`` what it
    expects (of the root mean square, so it may be above what was measured). The seed is that of the values.

    >>> import fhe
    >>> owner = fhe.ckks(depth=3, ring_degree=64, insecure="an example")
    >>> records = precision_versus_depth(owner)
    >>> len(records), all(record["bound_bits"] < record["measured_bits"] for record in records)
    (3, True)
    """
    if not isinstance(owner.parameters, CKKSParameters):
        raise ParameterError("precision_versus_depth is about CKKS; for BFV there is noise_growth")
    values = np.random.default_rng(seed).uniform(-1, 1, owner.evaluator.slots)
    x, records = owner.encrypt(values, bound=1), []
    for depth in range(1, owner.parameters.max_level + 1):
        x, values = (x * x).settled(), values * values
        error = float(np.max(np.abs(owner.decrypt(x) - values)))
        records.append(
            {
                "depth": depth,
                "level": x.shards[0].level,
                "measured_bits": -math.log2(error),
                "bound_bits": x.precision_bits,
                "expected_bits": x.expected_precision_bits,
            }
        )
    return records


def cost_of_digits(
    ring_degree: int, limbs: int, bits: int = 40, digits: Iterable[int] | None = None, backend: str | None = None
) -> Records:
    """What the limbs of a key-switching digit cost: time, memory, security, noise; a record for each size.

    ``microseconds`` is the median of a rotation at the highest level; ``log_qp`` what the special primes, as many as
    a digit has limbs, leave of the room for security; ``noise_bits`` the bound on what a switch adds in a slot.

    >>> records = cost_of_digits(64, limbs=4, digits=[1, 2, 4])
    >>> [(record["digits"], record["special_primes"]) for record in records]
    [(4, 1), (2, 2), (1, 4)]
    """
    records = []
    for digit in digits or range(1, limbs + 1):
        parameters = CKKSParameters(
            ring_degree=ring_degree,
            modulus_bits=[bits] * limbs,
            special_bits=[bits + MARGIN_BITS] * digit,
            digit=digit,
            insecure=REASON,
        )
        owner = KeyOwner(parameters, backend)
        (x,) = owner.encrypt(np.zeros(owner.evaluator.slots), bound=1).shards
        owner.make_rotation_keys([1])
        (key,) = owner.keys.galois.values()
        top = parameters.max_level
        rotate = partial(owner.evaluator.rotate, x, 1)
        records.append(
            {
                "limbs_a_digit": digit,
                "digits": len(parameters.digits(top)),
                "special_primes": len(parameters.special),
                "log_qp": parameters.log_qp,
                "security_bits": parameters.security_bits,
                "key_bytes": key.nbytes,
                "noise_bits": key_switch_slots(parameters, top),
                "microseconds": median_us(rotate),
            }
        )
    return records
