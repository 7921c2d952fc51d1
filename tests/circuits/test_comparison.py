"""The sign of encrypted values: what is promised of it, noise included."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import fhe
from fhe.backend.protocol import Backend
from fhe.circuits.approximation import Approximation
from fhe.circuits.comparison import evaluate_composition
from fhe.circuits.sign import sign, slack
from fhe.errors import MissingKeyError, NoiseError
from fhe.owner import KeyOwner
from fhe.parameters import CKKSParameters
from fhe.reference import ReferenceBackend
from fhe.rlwe.ciphertext import Ciphertext
from tests.schemes.owners import INSECURE, shared_owner

DEEP = CKKSParameters(
    ring_degree=16, modulus_bits=[60] + [40] * 16, special_bits=[46] * 5, scale_bits=40, insecure=INSECURE
)


@pytest.fixture(scope="session")
def party(backend: Backend) -> KeyOwner:
    """8 slots, 16 levels."""
    return shared_owner(DEEP, backend)


@pytest.fixture
def quick() -> KeyOwner:
    return shared_owner(DEEP, ReferenceBackend())


def points(margin: float) -> Any:
    """Ends, both margins, and what lies near the extremes of the first stage."""
    return np.array([margin, -margin, 1.0, -1.0, 1.5 * margin, -0.3, 0.5, 0.0])


def evaluated(party: KeyOwner, x: Ciphertext, function: Approximation) -> tuple[Any, float]:
    y = party.evaluator.settle(evaluate_composition(party.evaluator, x, function.stages, function.gaps))
    y = replace(y, noise=y.noise + function.error * y.scale)
    return party.evaluator.decode(party._secret.decrypt(y), y).real, y.noise / y.scale


@pytest.mark.parametrize(("margin", "error"), [(0.3, 1e-2), (2.0**-5, 1e-3), (2.0**-12, 2.0**-11)])
def test_the_sign_is_within_its_promise(party: KeyOwner, margin: float, error: float) -> None:
    function, u = sign(margin, error), points(margin)
    x = party.encrypt(u, bound=1.0).shards[0]
    found, promised = evaluated(party, x, function)
    assert np.max(np.abs(found - np.sign(u))[:-1]) <= promised <= 1.2 * error
    assert abs(found[-1]) <= 1 + promised


@pytest.mark.parametrize("direction", [1.0, -1.0, 1j, -1j])
def test_noise_within_the_slack_does_no_harm(quick: KeyOwner, direction: complex) -> None:
    """Not even beside the real line, where the stages would enlarge it a thousandfold."""
    function, u = sign(2.0**-10, 2.0**-8), points(2.0**-10)
    distance = 1e-4
    assert distance < slack(function.gaps[0])
    x = quick.encrypt(u[:-1] + direction * distance, bound=1.1).shards[0]
    x = replace(x, noise=x.noise + distance * x.scale)
    found, promised = evaluated(quick, x, function)
    assert np.max(np.abs(found[:-1] - np.sign(u[:-1]))) <= promised <= 1.05 * 2.0**-8


def test_noise_beyond_the_slack_is_refused(quick: KeyOwner) -> None:
    function = sign(2.0**-10, 2.0**-8)
    x = quick.encrypt(points(2.0**-10), bound=1.0).shards[0]
    noisy = replace(x, noise=1.01 * slack(function.gaps[0]) * x.scale)
    with pytest.raises(NoiseError, match=r"the tracked error is 0.00012: use a larger scale_bits, a wider margin"):
        evaluated(quick, noisy, function)


def test_a_single_stage_needs_no_conjugates(quick: KeyOwner) -> None:
    server = quick.public(rotations=[])
    x = quick.encrypt(points(0.5), bound=1.0).shards[0]
    single, double = sign(0.5, 0.1), sign(0.05, 0.01)
    assert (len(single.stages), len(double.stages)) == (1, 2)
    evaluate_composition(server.evaluator, x, single.stages, single.gaps)
    with pytest.raises(MissingKeyError, match="conjugat"):
        evaluate_composition(server.evaluator, x, double.stages, double.gaps)


@pytest.mark.parametrize(("margin_bits", "depth"), [(12, 16), (4, 8)])
def test_in_a_secure_ring(margin_bits: int, depth: int) -> None:
    """Noise is a hundred times what small rings have, and the promise still little more than the error."""
    margin = 2.0**-margin_bits
    function, party = sign(margin, 2 * margin), fhe.ckks(depth=depth, bound=4)
    assert function.depth <= depth
    rng = np.random.default_rng(margin_bits)
    u = rng.uniform(margin, 1, party.parameters.slots) * rng.choice([-1, 1], party.parameters.slots)
    u[:8] = points(margin)
    found, promised = evaluated(party, party.encrypt(u, bound=1.0).shards[0], function)
    assert np.max(np.abs(found - np.sign(u))[np.abs(u) >= margin]) <= promised <= 1.5 * function.error
