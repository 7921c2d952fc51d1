"""What is sent has the size that the information in it has: bits(q) a residue, 32 bytes for a uniform half."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fhe
from fhe.owner import KeyOwner
from fhe.parameters import Parameters

MOST = 1.02
SETS: dict[str, Any] = {
    "ckks": lambda: fhe.ckks(depth=3, ring_degree=2**13),
    "bfv": lambda: fhe.bfv(depth=2, value_bits=20, ring_degree=2**13),
}


@pytest.fixture(scope="module", params=SETS)
def owner(request: pytest.FixtureRequest) -> KeyOwner:
    made: KeyOwner = SETS[request.param]()
    return made


def bits_of(moduli: tuple[int, ...]) -> float:
    """The information in a uniform residue of each prime."""
    return float(np.sum(np.log2(np.array(moduli, dtype=float))))


def floor(parameters: Parameters, moduli: tuple[int, ...], polynomials: int = 1) -> float:
    """Bytes below which uniform polynomials cannot be written."""
    return polynomials * parameters.ring_degree * bits_of(moduli) / 8


def test_ciphertexts(owner: KeyOwner) -> None:
    parameters = owner.parameters
    for level in (0, parameters.max_level):
        least = floor(parameters, parameters.moduli(level), 2)
        assert least <= len(owner.encrypt([1, 2, 3], level=level).to_bytes()) <= MOST * least


def test_seeded_ciphertexts(owner: KeyOwner) -> None:
    least = floor(owner.parameters, owner.parameters.moduli())
    assert least <= len(owner.encrypt([1, 2, 3], symmetric=True).to_bytes()) <= MOST * least


def test_large_arrays(owner: KeyOwner) -> None:
    x = owner.encrypt(np.ones(3 * owner.evaluator.slots), bound=1)
    least = floor(owner.parameters, owner.parameters.moduli(), 6)
    assert least <= len(x.to_bytes()) <= MOST * least


@pytest.mark.parametrize("rotations", [[], [1, 2, 4]])
def test_keys(owner: KeyOwner, rotations: list[int]) -> None:
    """The public key lies over one special prime and Q; a switching key has a polynomial over P*Q for each digit."""
    parameters = owner.parameters
    digits = len(parameters.digits(parameters.max_level))
    switching = floor(parameters, parameters.special + parameters.moduli(), digits) * (1 + len(rotations))
    least = floor(parameters, parameters.special[:1] + parameters.moduli()) + switching
    assert least <= len(owner.public(rotations=rotations).to_bytes()) <= MOST * least
