"""Sums of many ciphertexts with plain weights, against the same sums of what they encrypt."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fhe
from fhe.circuits import combination
from fhe.circuits.combination import combinations
from fhe.errors import EncodingError
from fhe.owner import KeyOwner
from tests.schemes.owners import INSECURE

OWNER = fhe.ckks(2, ring_degree=64, bound=64, insecure=INSECURE)
COUNT = 6
VALUES = np.random.default_rng(0).uniform(-1, 1, (COUNT, 32))


def encrypted(owner: KeyOwner = OWNER) -> list[Any]:
    return [owner.encrypt(row, bound=1).shards[0] for row in VALUES]


def decrypted(x: Any, owner: KeyOwner = OWNER) -> Any:
    return owner.evaluator.decode(owner._secret.decrypt(x), x).real


matrices = st.integers(1, 5).flatmap(
    lambda m: st.lists(
        st.lists(st.sampled_from([0.0, 0.0, 1.0, -0.5, 0.123, -3.0]), min_size=COUNT, max_size=COUNT),
        min_size=m,
        max_size=m,
    )
)


@given(matrices, st.booleans(), st.sampled_from([2.0**20, 2.0**39, None]))
@settings(max_examples=30, deadline=None)
def test_combinations_are_products_of_matrices(rows: list[list[float]], squares: bool, scale: float | None) -> None:
    weights, xs, values = np.array(rows), encrypted(), VALUES
    if squares:
        xs, values = [OWNER.evaluator.square(x) for x in xs], VALUES**2
    found = combinations(OWNER.evaluator, weights, xs, scale)
    for y, wanted, row in zip(found, weights @ values, weights, strict=True):
        error = np.abs(decrypted(y) - wanted).max()
        assert error <= y.noise / y.scale + 1e-12
        assert error < 1e-4
        assert y.degree == 1
        assert y.level == xs[0].level - (scale != 2.0**20 or squares)
        assert y.bound >= np.abs(wanted).max() or not row.any()


@pytest.mark.parametrize("backend", ["native", "reference"])
def test_doubles_are_exact_to_the_last_bit(backend: str) -> None:
    """Whole weights, so large that few bits of residues go at once, or so few that all do."""
    owner = fhe.ckks(1, ring_degree=16, insecure=INSECURE, backend=backend)
    basis, rng = owner.chain.q(1), np.random.default_rng(1)
    residues = [np.stack([rng.integers(0, q, 16, dtype=np.uint64) for q in basis.moduli]) for _ in range(9)]
    residues[0][:] = np.array(basis.moduli, dtype=np.uint64)[:, None] - np.uint64(1)
    for largest in (1, 2**20, 2**45):
        weights = rng.integers(-largest, largest + 1, (4, 9)).astype(np.float64)
        weights[0], weights[1] = largest, -largest
        found = combination._products(weights, residues, basis)
        for row, y in zip(weights.astype(object), found, strict=True):
            for limb, q in enumerate(basis.moduli):
                wanted = sum(int(w) * x[limb].astype(object) for w, x in zip(row, residues, strict=True)) % q
                assert y.residues[limb].tolist() == wanted.tolist()


def test_multiples_of_a_prime_are_zero() -> None:
    """Where quotients of doubles are least sure: they may be off by one, and the remainder be the prime itself."""
    basis = OWNER.chain.q(1)
    ones = np.ones((len(basis), 64), dtype=np.uint64)
    rest = np.array(basis.moduli, dtype=np.uint64)[:, None] - ones
    weights = np.arange(1.0, 400.0)[:, None] * np.ones(2)
    for y in combination._products(weights, [ones, rest], basis):
        assert not y.residues.any()


def test_what_does_not_combine() -> None:
    xs = encrypted()
    with pytest.raises(EncodingError, match=r"weights of shape \(2, 5\) do not combine 6 ciphertexts"):
        combinations(OWNER.evaluator, np.ones((2, 5)), xs)
    with pytest.raises(EncodingError, match="bring them to one level, scale and degree"):
        combinations(OWNER.evaluator, np.ones((1, 6)), [*xs[1:], xs[0].at_level(1)])
    with pytest.raises(EncodingError, match="leave doubles no bits; lower their scale"):
        combinations(OWNER.evaluator, np.full((1, 6), 2.0**11), xs)
