"""Exact programs fit rings that are too small for any program of their depth, and are exact there."""

from __future__ import annotations

import numpy as np
import pytest

import fhe
from fhe.choice import choose_bfv
from fhe.errors import ParameterError


def test_a_shallow_program_fits_a_small_ring() -> None:
    """A chain that serves any product does not; one of the program's own does, and shows room for the noise."""
    bits = fhe.spec(256, bound=(0, 1), dtype=int)
    program = fhe.compile(lambda x, y: ((x - y) ** 2).sum(), bits, bits)
    assert program.parameters.ring_degree == 4096
    assert program.parameters.security >= 128
    with pytest.raises(ParameterError, match="which holds depth 0 at most"):
        choose_bfv(1, 40961, ring_degree=4096)
    x, y = np.random.default_rng(1).integers(0, 2, (2, 256))
    owner = program.keygen()
    result = program(owner.encrypt(x, bound=(0, 1)), owner.encrypt(y, bound=(0, 1)))
    assert owner.decrypt(result) == (x != y).sum()
    assert owner.noise_budget_bits(result) >= result.noise_budget_bits > 0


def test_a_deeper_one_takes_a_larger_ring_or_is_refused() -> None:
    small = fhe.spec(4, bound=9, dtype=int)
    assert fhe.compile(lambda x: x**8, small).parameters.ring_degree > 4096
    with pytest.raises(ParameterError, match="this program fits no ring"):
        fhe.compile(lambda x: x**8, small, ring_degree=4096)
