"""The cost model counts what it says, grows with what it should, and is near what was measured once."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhe import costs
from fhe.backend.protocol import Backend
from fhe.bfv.product import auxiliary
from fhe.costs import PRICES, ZEN5, Machine, Seam
from fhe.parameters import BFVParameters
from fhe.rlwe.chain import ModulusChain

FREE = replace(ZEN5, **dict.fromkeys(PRICES, 0.0))
# (limbs, special, digit): forward and inverse transforms of a product with rescaling, and of a rotation.
PRODUCTS = {(7, 3, 3): (35, 15), (14, 5, 5): (69, 26), (16, 3, 3): (128, 24), (27, 10, 10): (136, 49)}
ROTATIONS = {(14, 5, 5): (71, 24), (16, 3, 3): (130, 22), (27, 10, 10): (138, 47)}
OPERATIONS: dict[str, Callable[..., Any]] = {
    "rotation": costs.rotation,
    "relinearization": costs.relinearization,
    "hoisting": costs.hoisting,
    "hoisted_rotation": costs.hoisted_rotation,
    "extended_rotation": costs.extended_rotation,
    "product_ckks": costs.product_ckks,
    "product_bfv": costs.product_bfv,
}


def count(operation: Callable[..., Any], price: str, *shape: Any) -> float:
    """How often an operation pays a price, where nothing else costs anything."""
    return float(operation(*shape, machine=replace(FREE, **{price: 1.0})))


@pytest.mark.parametrize(("operation", "counts"), [(costs.product_ckks, PRODUCTS), (costs.rotation, ROTATIONS)])
def test_transforms_are_counted(operation: Callable[..., Any], counts: dict[Any, Any]) -> None:
    each = 64 * 6 / 16  # 8 butterflies, of a transform of 64
    for (limbs, special, digit), expected in counts.items():
        shape = 64, [40] * limbs, [46] * special, digit
        assert tuple(count(operation, kind, *shape) / each for kind in ("forward", "inverse")) == expected


def test_bfv_products_extend_and_divide() -> None:
    """Forward: x over A, y over A and Q, three divisions. Inverse: x and y over Q, three divisions over A, and c_2."""
    each, limbs = 64 * 6 / 16, 4  # and four primes in A
    shape = 64, [40] * limbs, [46], 1
    switching = [count(costs.hoisting, kind, *shape) / each for kind in ("forward", "inverse")]
    product = [count(costs.product_bfv, kind, *shape) / each for kind in ("forward", "inverse")]
    assert product[0] - switching[0] == 2 * 4 + 2 * 8 + 3 * 4
    assert product[1] - switching[1] == 4 * 4 + 3 * 4


def test_wide_primes_have_their_price() -> None:
    narrow, wide = (Seam(4096, replace(FREE, forward=1.0, forward_wide=1.5)).ntt([bits]) for bits in (46, 47))
    assert wide == 1.5 * narrow > 0


def test_bytes_beyond_a_cache_have_their_price() -> None:
    machine = replace(FREE, own_cache=1e6, shared_cache=1e7, shared=1.0, memory=10.0)
    assert machine.flow(1e6) == 0
    assert machine.flow(1e3, working_set=1.25e6) == pytest.approx(400)
    assert machine.flow(1e3, working_set=4e6) == 1000
    assert machine.flow(1e8) == pytest.approx(1e8 * (1 + 10))
    key = Seam(2**13, machine).key_product([46] * 10, digits=3)
    assert key == machine.flow(2**13 * 10 * (2 * 3 * 6 + (3 + 2) * 8))


@given(
    name=st.sampled_from(sorted(OPERATIONS)),
    log_degree=st.integers(12, 16),
    limbs=st.integers(2, 30),
    special=st.integers(1, 8),
    bits=st.integers(30, 49),
)
def test_everything_grows(name: str, log_degree: int, limbs: int, special: int, bits: int) -> None:
    def cycles(log_degree: int = log_degree, limbs: int = limbs, bits: int = bits) -> float:
        digit = min(special, limbs)
        return float(OPERATIONS[name](2**log_degree, [bits] * limbs, [46] * special, digit))

    assert 0 < cycles() < cycles(log_degree=log_degree + 1)
    assert cycles() <= cycles(bits=bits + 1)
    assert cycles() < cycles(limbs=limbs + special)  # a digit more


@given(st.sampled_from(sorted(OPERATIONS)), st.lists(st.floats(0, 100), min_size=len(PRICES), max_size=len(PRICES)))
def test_the_model_is_linear_in_its_prices(name: str, prices: list[float]) -> None:
    shape = 2**13, [46, 40, 40, 40], [46, 46], 2
    counts = OPERATIONS[name](*shape, machine=costs.counting(ZEN5))
    machine = replace(ZEN5, **dict(zip(PRICES, prices, strict=True)))
    assert OPERATIONS[name](*shape, machine=machine) == pytest.approx(float(np.dot(counts, prices)))


def test_more_special_primes_make_fewer_digits() -> None:
    cycles = [costs.rotation(2**15, [40] * 15, [46] * special, special) for special in (1, 2, 3, 5)]
    assert all(a > b for a, b in pairwise(cycles))


def test_names_are_those_of_the_seam() -> None:
    """So whoever counts calls of a backend can ask for the price of each."""
    said = {name for name in dir(Seam) if not name.startswith("_")} - {"ring_degree", "machine", "around", "made"}
    assert said <= set(dir(Backend))
    assert {"ntt", "mul", "convert", "decompose", "key_product", "switch_down", "uniform", "lift"} <= said


def test_the_auxiliary_basis_is_that_of_the_product() -> None:
    for bits, special in (([42] * 4, [44]), ([43] * 7, [43] * 3), ([35, 35], [36]), ([40, 40], [46] * 4)):
        p = BFVParameters(
            ring_degree=2**13, modulus_bits=bits, special_bits=special, plain_modulus=65537, insecure="for its primes"
        )
        A = auxiliary(ModulusChain.of(p), p.max_level).basis
        assert len(costs.auxiliary(bits, special)) == len(A)


@pytest.mark.parametrize(
    ("cycles", "microseconds"),
    [
        (costs.rotation(2**13, [46, 36, 36, 36], [46], 1), 260),
        (costs.rotation(2**15, [46] + [40] * 14, [43] * 5, 5), 6600),
        (costs.product_bfv(2**14, [43] * 7, [43] * 3, 3), 3500),
        (costs.addition(2**14, [46] + [40] * 6), 60),
    ],
)
def test_a_measured_machine_is_told_within_a_third(cycles: float, microseconds: float) -> None:
    """Figures of one quiet run on the machine of the table: no change of the model should lose them."""
    assert 1000 * costs.milliseconds(cycles) == pytest.approx(microseconds, rel=0.3)


def test_a_machine_is_a_table() -> None:
    assert set(PRICES).isdisjoint({"name", "clock", "own_cache", "shared_cache"})
    assert all(getattr(ZEN5, price) > 0 for price in PRICES)
    assert isinstance(costs.counting(ZEN5), Machine)
    assert math.isclose(costs.milliseconds(ZEN5.clock), 1000)
