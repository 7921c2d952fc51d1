"""How deep BFV goes at full size, and that it gets there."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fhe.backend.choose import choose
from fhe.bfv.evaluator import BFVEvaluator
from fhe.choice import choose_bfv
from fhe.owner import KeyOwner
from tests.schemes.bfv_circuits import check

T = 65537
# N -> depth: the deepest multiplicative depth for which OpenFHE 1.6.1 (Python wheel, GenCryptoContext of CCParamsBFVRNS
# with HEStd_128_classic and this t) takes a ring of this degree. Its noise bounds hold up to 6 standard deviations.
OPENFHE = {2**13: 3, 2**14: 10, 2**15: 22}


@pytest.mark.parametrize("ring_degree", OPENFHE)
def test_no_shallower_than_others(ring_degree: int) -> None:
    p = choose_bfv(OPENFHE[ring_degree], plain_modulus=T, ring_degree=ring_degree)
    assert p.security_bits >= 128


def test_one_deeper_at_the_largest() -> None:
    assert choose_bfv(4, plain_modulus=T).ring_degree == 2**13
    assert choose_bfv(23, plain_modulus=T).ring_degree == 2**15


def test_as_deep_as_promised() -> None:
    """The chosen depth in a row: a rotation, then a product with the first value."""
    deep_chain(2**13, 4)


@pytest.mark.wide
@pytest.mark.parametrize(("ring_degree", "depth"), [(2**14, 10), (2**15, 23)])
def test_as_deep_as_promised_at_full_size(ring_degree: int, depth: int) -> None:
    deep_chain(ring_degree, depth)


def deep_chain(ring_degree: int, depth: int) -> None:
    owner = KeyOwner(choose_bfv(depth, plain_modulus=T, ring_degree=ring_degree), choose("native"))
    ev, rng = owner.evaluator, np.random.default_rng(depth)
    assert isinstance(ev, BFVEvaluator)
    factor = rng.integers(-(T // 2), T // 2, ring_degree, endpoint=True)
    x = y = owner.encrypt(factor, bound=math.inf).shards[0]
    values, levels = factor.astype(object), []
    for _ in range(depth):
        x = ev.settle(ev.multiply(ev.rotate(x, 1), y))
        values = np.roll(values.reshape(2, -1), -1, axis=1).ravel() * factor % T
        levels.append(x.level)
    check(owner, x, values)
    assert ev.room_bits(x) >= math.log2(ring_degree)  # for the sum over all slots that the choice promises
    assert levels == sorted(levels, reverse=True)
    assert levels[-1] <= 2
