"""Random circuits equal Python's integers mod t, and their noise stays below what is tracked, but near it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhe.backend.choose import choose
from fhe.backend.protocol import Backend
from fhe.bfv.evaluator import BFVEvaluator
from fhe.choice import choose_bfv
from fhe.owner import KeyOwner
from tests.schemes.bfv_circuits import MODULI, Circuit, Wire, check, programs, run, toy
from tests.schemes.owners import shared_owner

SLACK = [HealthCheck.too_slow, HealthCheck.data_too_large]
Program = list[tuple[int, int, int, int]]


@pytest.fixture(scope="session", params=MODULI, ids=lambda t: f"t{t}")
def modulus(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@settings(max_examples=25)
@given(program=programs(8), seed=st.integers(0, 80))
def test_circuits_are_exact(backend: Backend, modulus: int, program: Program, seed: int) -> None:
    run(shared_owner(toy(modulus), backend), program, seed)


@pytest.mark.wide
@settings(max_examples=5000, suppress_health_check=SLACK)
@given(program=programs(25), seed=st.integers(0, 80))
def test_many_long_circuits_are_exact_on_the_native_core(modulus: int, program: Program, seed: int) -> None:
    run(shared_owner(toy(modulus), choose("native")), program, seed)


@pytest.mark.wide
@settings(max_examples=200, suppress_health_check=SLACK)
@given(program=programs(15), seed=st.integers(0, 80))
def test_many_circuits_are_exact_on_the_reference(modulus: int, program: Program, seed: int) -> None:
    run(shared_owner(toy(modulus), choose("reference")), program, seed)


def test_refusals_are_rare_enough_for_these_tests() -> None:
    """Most operations of the circuits above happen: their values are compared."""
    owner, rng = shared_owner(toy(97), choose("native")), np.random.default_rng(1)
    ran = refused = 0
    for _ in range(30):
        program = [tuple(map(int, step)) for step in rng.integers(0, (16, 6, 6, 2**16), (10, 4))]
        circuit = run(owner, program, int(rng.integers(81)))  # type: ignore[arg-type]
        ran, refused = ran + len(circuit.wires) - 2, refused + circuit.refused
    assert refused < ran / 4


# --- how near the bound is to the noise -----------------------------------------------------------------------------

ABOVE_FRESH = 5.0  # bits: a tail of 2^-128 instead of the largest of 16 coefficients, worst roots instead of typical
ABOVE_PER_PRODUCT = 6.0
ABOVE_PER_SUM = 1.0  # as if summands were equal


def tree(circuit: Circuit, rng: np.random.Generator, depth: int) -> tuple[Wire, float]:
    """Products, sums and rotations of values that occur once, so that nothing cancels; and how far the bound may be."""
    if depth == 0:
        return circuit.input(8, int(rng.integers(2**17))), ABOVE_FRESH
    (a, above), (b, other) = (tree(circuit, rng, depth - 1) for _ in range(2))
    kind = rng.integers(4)
    if kind < 2:
        x = circuit.ev.settle(circuit.ev.multiply(a.x, b.x))
        return Wire(x, circuit.product(a.values, b.values)), max(above, other) + ABOVE_PER_PRODUCT
    if kind == 2:
        return Wire(circuit.ev.add(a.x, b.x), a.values + b.values), max(above, other) + ABOVE_PER_SUM
    x = circuit.ev.rotate(a.x, 3) if circuit.ev.parameters.batching else a.x
    values = circuit.rolled(a.values, 3) if circuit.ev.parameters.batching else a.values
    return Wire(circuit.ev.sub(x, b.x), values - b.values), max(above, other) + ABOVE_PER_SUM


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32), depth=st.integers(0, 3), t=st.sampled_from(MODULI))
def test_the_tracked_noise_is_near_the_measured(seed: int, depth: int, t: int) -> None:
    circuit = Circuit(shared_owner(toy(t, levels=8), choose("native")))
    wire, allowed = tree(circuit, np.random.default_rng(seed), depth)
    assert check(circuit.owner, wire.x, wire.values) <= allowed


def test_the_tracked_noise_is_near_the_measured_at_full_size() -> None:
    """A chain of products: where the worst root of s counts, 2 bits for each, and the tail once."""
    owner = KeyOwner(choose_bfv(3, plain_modulus=65537, ring_degree=2**13), choose("native"))
    ev = owner.evaluator
    assert isinstance(ev, BFVEvaluator)
    values = np.arange(2**13, dtype=object) % 251
    x = owner.encrypt(values.astype(np.int64), bound=math.inf).shards[0]
    for depth in range(4):
        assert check(owner, x, values) <= 4 + 3 * depth
        if depth < 3:
            x, values = ev.settle(ev.multiply(x, x)), values * values % 65537
