"""The same keys and randomness give the same bits on every implementation, through whole schemes."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import pytest

from fhe.backend.choose import choose
from fhe.backend.protocol import Backend
from fhe.owner import KeyOwner
from fhe.parameters import Parameters
from fhe.ring.poly import EvalPoly, Poly
from fhe.rlwe.ciphertext import Ciphertext
from tests.schemes.owners import BFV, CKKS, owner

Bits = list[list[list[int]]]


def bits(polys: tuple[Poly, ...]) -> Bits:
    """Residues in an order that does not depend on the backend."""
    return [(poly.natural() if isinstance(poly, EvalPoly) else poly.residues).tolist() for poly in polys]


def ckks_circuit(keys: KeyOwner) -> list[Ciphertext]:
    ev = keys.evaluator
    x = keys.encrypt(np.linspace(-1, 1, 16), bound=1.0).shards[0]
    y = keys.encrypt(np.cos(np.arange(16)), bound=1.0, symmetric=True).shards[0]
    product = ev.multiply(x, y)
    return [
        x,
        y,
        product,
        ev.settle(product),
        ev.add(product, x),
        ev.rotate(x, 3),
        ev.rotations(y, [1, 5])[1],
        ev.swap(x),
        ev.multiply_plain(x, np.arange(16) / 8),
        ev.settle(ev.multiply(ev.multiply(x, x), y)),
    ]


def bfv_circuit(keys: KeyOwner) -> list[Ciphertext]:
    ev = keys.evaluator
    x = keys.encrypt(np.arange(32) - 16, bound=math.inf).shards[0]
    y = keys.encrypt(np.arange(32) ** 2 % 128, symmetric=True, bound=math.inf).shards[0]
    product = ev.multiply(x, y)
    return [
        x,
        y,
        product,
        ev.settle(product),
        ev.multiply(product, product),
        ev.rotate(x, 3),
        ev.swap(y),
        ev.multiply_plain(x, np.arange(32)),
        ev.mod_switch(product, 1),  # type: ignore[union-attr]
    ]


@lru_cache
def outcome(parameters: Parameters, backend: Backend) -> tuple[list[Bits], list[list[float]]]:
    """The bits of every step of a circuit, and the values decrypted from them."""
    keys = owner(parameters, backend, "agreement")
    circuit: Callable[[KeyOwner], list[Ciphertext]] = ckks_circuit if parameters is CKKS else bfv_circuit
    steps = circuit(keys)
    values = [keys.evaluator.decode(keys._secret.decrypt(x), x) for x in map(keys.evaluator.settle, steps)]
    return [bits(x.c) for x in steps], [value.real.tolist() for value in values]


@pytest.mark.parametrize("parameters", [CKKS, BFV], ids=["ckks", "bfv"])
def test_every_step_has_the_same_bits(parameters: Parameters, backend: Backend) -> None:
    reference = outcome(parameters, choose("reference", "compiled"))
    own = outcome(parameters, backend)
    for step, (expected, actual) in enumerate(zip(reference[0], own[0], strict=True)):
        assert actual == expected, f"step {step} differs on {backend.name}/{backend.target}"
    assert own[1] == reference[1]
