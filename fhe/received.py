"""What an owner believes of an array: of one that was received, its own prediction, or what the secret key measures.

Scale, bounds and noise that came with a ciphertext are its sender's claim (`fhe.arrays.codec` checks that they make
sense, not that they are true). Nothing follows from a claim that one's own program replaces.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fhe.arrays.packed import Packed
from fhe.arrays.wide import parts_of
from fhe.errors import ParameterError, ValueOverflowError
from fhe.parameters import BFVParameters
from fhe.rlwe.ciphertext import Ciphertext

ROUNDING = 1e-9  # of doubles, in what is decrypted


def believed(array: Any, expected: Packed | None) -> Any:
    """The ciphertexts of ``array``, with scale, noise, bounds and intervals as ``expected`` has them.

    Both as they are sent. Raises ParameterError for an array that the same program cannot have made: another shape,
    dtype, layout, number of ciphertexts, or, in CKKS, level, which says the scale. In BFV ciphertexts move to the level
    that their noise allows, and decryption measures what is left of it.
    """
    if expected is None:
        return array
    expected, array = expected.sendable(), array.sendable()
    for what, found, wanted in (
        ("shape", array.shape, expected.shape),
        ("dtype", array.dtype, expected.dtype),
        ("ciphertexts", len(array.shards), len(expected.shards)),
        ("layout", array.layout, expected.layout),
        ("levels", _levels(array), _levels(expected)),
    ):
        if found != wanted:
            raise ParameterError(
                f"this array has {what} {found!r:.80}, the result expected has {wanted!r:.80}: another program's"
            )
    pairs = zip(array.shards, expected.shards, strict=True)
    return array.like([_as_predicted(shard, wanted) for shard, wanted in pairs], array.layout)


def _levels(array: Packed) -> list[int]:
    measured = isinstance(array.evaluator.chain.parameters, BFVParameters)
    return [] if measured else [shard.level for shard in array.shards]


def _as_predicted(shard: Ciphertext, wanted: Ciphertext) -> Ciphertext:
    return replace(
        shard, scale=wanted.scale, noise=wanted.noise, rms=wanted.rms, bound=wanted.bound, interval=wanted.interval
    )


def promised(array: Any, values: NDArray[Any]) -> NDArray[Any]:
    """The values; ValueOverflowError for values beyond their tracked bounds, which only a broken promise leads to.

    Bounds are about all that computed them, so this finds most promises that are not kept, and most forged claims.
    """
    parts = [shard for part in parts_of(array) for shard in part.shards]
    if values.dtype.kind in "fc":
        high: Any = max(shard.bound + shard.noise / shard.scale for shard in parts) * (1 + ROUNDING)
        low = -high
        beyond = bool(np.abs(values).max() > high)
    else:
        intervals = [shard.interval for shard in parts]
        if any(interval is None or interval.high is None for interval in intervals):
            return values
        low, high = min(interval.low for interval in intervals), max(interval.ends[1] for interval in intervals)
        beyond = bool(values.min() < low or values.max() > high)
    if beyond:
        promises = "; ".join(sorted(parts_of(array)[0].promises)) or "one of who sent it, or of a domain"
        raise ValueOverflowError(
            f"values beyond {high:g} cannot come of what this was computed from: a promise is broken: that {promises}; "
            "no value of the result can be trusted. Promise more, or compute with proved bounds; fhe.audit finds where"
        )
    return values


def require_own_bounds(array: Packed) -> None:
    """Raise ParameterError for an array whose noise bound rests on a claim: received, or computed from such."""
    if any(math.isnan(shard.rms) for shard in array.shards):
        raise ParameterError(
            "this array was received, or made of one that was, so its noise bound is somebody's claim, and publishing "
            "rests on it; pass expected=, the result of the same program on an encryption of your own"
        )
