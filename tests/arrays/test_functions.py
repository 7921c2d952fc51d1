"""Polynomials of encrypted arrays against the same polynomials of plain ones."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.polynomial import Chebyshev, Polynomial

from fhe.arrays.functions import apply, depth_of_stages, require
from fhe.backend.protocol import Backend
from fhe.circuits.approximation import chebyshev, sigmoid
from fhe.errors import EncodingError, LevelError, MissingKeyError
from fhe.owner import KeyOwner
from fhe.parameters import CKKSParameters
from fhe.reference import ReferenceBackend
from tests.circuits.classics import SIGN_F, SIGN_G
from tests.schemes.owners import BFV, INSECURE, shared_owner

PARAMETERS = CKKSParameters(
    ring_degree=32, modulus_bits=[60] + [40] * 7, special_bits=[46] * 4, scale_bits=40, insecure=INSECURE
)
SIGMOID = chebyshev(sigmoid, 7, -8, 8).stages[0]


@pytest.fixture(scope="session")
def party(backend: Backend) -> KeyOwner:
    """16 slots, 7 levels."""
    return shared_owner(PARAMETERS, backend)


@pytest.fixture
def quick() -> KeyOwner:
    return shared_owner(PARAMETERS, ReferenceBackend())


@pytest.mark.parametrize("shape", [(5,), (16,), (19,), (3, 3), (4, 4)])
@pytest.mark.parametrize(
    "stages", [[SIGMOID], [Polynomial([1, -2, 0.5])], [SIGN_G, SIGN_F]], ids=["map", "plain", "two"]
)
def test_every_element_is_mapped(party: KeyOwner, shape: tuple[int, ...], stages: list[Polynomial | Chebyshev]) -> None:
    low, high = stages[0].domain
    values = np.random.default_rng(3).uniform(low, high, shape)
    expected = values
    for p in stages:
        expected = p(expected)
    x = party.encrypt(values, bound=8.0)
    y = apply(stages, x)
    np.testing.assert_allclose(party.decrypt(y), expected, atol=1e-6)
    assert x.level - y.level == depth_of_stages(stages)


def test_an_interval_that_is_not_centred(quick: KeyOwner) -> None:
    p = chebyshev(np.exp, 7, 0.0, 3.0).stages[0]
    values = np.array([0.0, 1.0, 2.5, 3.0])
    np.testing.assert_allclose(quick.decrypt(apply([p], quick.encrypt(values, bound=3.0))), p(values), atol=1e-6)


def test_what_sums_leave_between_elements_does_no_harm(party: KeyOwner) -> None:
    """Row sums lie in [-8, 8]; what a rotate-and-sum leaves beside them reaches 60, where the polynomial is huge."""
    rows = np.array([[30.0, 30, -30, -29], [30, -30, -30, 31], [-30, 30, 30, -35], [1, 1, 1, 1]])
    sums = party.encrypt(rows, bound=64.0).sum(axis=-1)
    y = apply([SIGMOID], sums)
    np.testing.assert_allclose(party.decrypt(y), SIGMOID(rows.sum(axis=1)), atol=1e-6)
    assert sums.level - y.level == depth_of_stages([SIGMOID], clean=False) == 4
    again = apply([Polynomial([0.25, 0, 1])], y)  # the padding is zero now, and stays so
    np.testing.assert_allclose(party.decrypt(again), 0.25 + SIGMOID(rows.sum(axis=1)) ** 2, atol=1e-6)
    np.testing.assert_allclose(party.decrypt(again.sum()), np.sum(0.25 + SIGMOID(rows.sum(axis=1)) ** 2), atol=1e-5)


def test_a_number_is_added_to_sums_without_encoding_it(quick: KeyOwner, monkeypatch: pytest.MonkeyPatch) -> None:
    sums = quick.encrypt([[1.0, 2.0, 3.0], [0.5, 0.5, 0.5]], bound=4.0).sum(axis=-1)
    monkeypatch.setattr(type(quick.encoder), "encode", lambda *arguments: pytest.fail("encoded"))
    np.testing.assert_allclose(quick.decrypt(sums + 0.25), [6.25, 1.75], atol=1e-6)


def test_clearing_the_padding_takes_a_level() -> None:
    assert depth_of_stages([SIGN_F, SIGN_F]) == 6
    assert depth_of_stages([SIGN_F, SIGN_F], clean=False) == 7


def test_too_few_levels_are_noticed_before_any_work(quick: KeyOwner, monkeypatch: pytest.MonkeyPatch) -> None:
    x = quick.encrypt([1.0], level=3)
    monkeypatch.setattr(
        type(quick.evaluator), "multiply_plain", lambda *arguments: pytest.fail("work before the check")
    )
    with pytest.raises(LevelError, match=r"needs 4 levels, 3 are left; use fhe.ckks\(depth=8\)"):
        apply([SIGMOID], x)


def test_only_real_arrays_have_real_polynomials(quick: KeyOwner) -> None:
    with pytest.raises(EncodingError, match="take real arrays, got dtype complex128"):
        apply([SIGN_F], quick.encrypt([0.5j]))
    with pytest.raises(EncodingError, match="take real arrays, got dtype int64"):
        apply([SIGN_F], shared_owner(BFV, ReferenceBackend()).encrypt([1]))


def test_requirements_name_what_is_missing(quick: KeyOwner) -> None:
    server = quick.public(relinearization=False, rotations=[1, 2])
    x = server.load(quick.encrypt([1.0, 2.0]).to_bytes())
    require(x, levels=7, rotations=[1, 2, 0])
    with pytest.raises(LevelError, match="a plan needs 8 levels, 7 are left"):
        require(x, levels=8, what="a plan")
    with pytest.raises(MissingKeyError, match="rotation key for step 4"):
        require(x, rotations=[1, 4])
    with pytest.raises(MissingKeyError, match="relinearisation key"):
        require(x, products=True)
