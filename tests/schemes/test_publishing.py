"""What decryption reveals: the key, from plain results (Li, Micciancio, EUROCRYPT 2021); not from flooded ones."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import fhe
from fhe.arrays.array import EncryptedArray
from fhe.ckks.flooding import STEPS, Flooding, _accepted, discrete_gaussian, planned_error
from fhe.errors import NoiseError, ParameterError
from fhe.owner import KeyOwner
from fhe.parameters import CKKSParameters
from fhe.ring.poly import CoeffPoly, EvalPoly

N = 1024
TOY: Any = {"ring_degree": N, "insecure": "a small ring for a test"}
SIGMAS = 7.54  # what 2^-40 of a Gaussian exceeds


@pytest.fixture(scope="module")
def owner() -> KeyOwner:
    return fhe.ckks(depth=0, publish=(1, 5000), bound=4, **TOY)


def attacked(owner: KeyOwner, x: EncryptedArray, decrypt: Callable[[EncryptedArray], NDArray[Any]]) -> list[int]:
    """s by one division, for who knows c and the answer: decrypted slots encode c_0 + c_1 s exactly."""
    (shard,) = x.shards
    coefficients = np.rint(owner.encoder.embed(decrypt(x)) * shard.scale)  # type: ignore[union-attr]
    c0, c1 = (poly.limbs(0, 1).to_coeff() for poly in shard.c)
    known = CoeffPoly.from_floats(c0.basis, coefficients) - c0
    q, inverse = c0.basis.moduli[0], c1.to_eval().natural()[0]
    quotient = known.to_eval().natural()[0].astype(object) * [pow(int(root), -1, q) for root in inverse] % q
    evaluations = CoeffPoly.from_int64(c0.basis, quotient.astype(np.int64)).data
    return EvalPoly.from_natural(c0.basis, evaluations).to_coeff().coefficients()


def secret_of(owner: KeyOwner) -> list[int]:
    return owner._secret._s.to_coeff().coefficients()


@pytest.fixture(scope="module")
def message(owner: KeyOwner) -> EncryptedArray:
    """All slots, complex: everything that a ciphertext decrypts to."""
    rng = np.random.default_rng(1)
    return owner.encrypt(rng.uniform(-1, 1, N // 2) + 1j * rng.uniform(-1, 1, N // 2))


def test_plain_decryption_reveals_the_key(owner: KeyOwner, message: EncryptedArray) -> None:
    assert attacked(owner, message, owner.decrypt) == secret_of(owner)


def test_flooded_decryption_does_not(owner: KeyOwner, message: EncryptedArray) -> None:
    found, secret = attacked(owner, message, owner.decrypt_public), secret_of(owner)
    assert sum(x == s for x, s in zip(found, secret, strict=True)) < 5
    assert np.max(np.abs(owner.decrypt_public(message) - owner.decrypt(message))) < 2**-0.5  # two parts, 2^-1 each


def test_what_was_asked_again_does_not_average_out(owner: KeyOwner) -> None:
    """As many answers as there may be: their mean is still far coarser than the error of the computation."""
    mean = owner.encrypt([0.25, 0.5])[0]
    count = owner._ledger.plan.queries - owner.published  # type: ignore[union-attr]
    answers = np.array([owner.decrypt_public(mean) for _ in range(min(count, 100))])
    assert np.std(answers) / math.sqrt(5000) > 2**STATISTICAL_MARGIN * 2.0**-mean.precision_bits
    assert np.max(np.abs(answers - 0.25)) < 2**-1


STATISTICAL_MARGIN = 30 / 2


# --- the plan ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("precision_bits", [1, 10, 24])
@pytest.mark.parametrize("queries", [1, 25, 1000, 1 << 30])  # 25: just beyond a power of two
def test_the_plan_keeps_what_it_says(precision_bits: int, queries: int) -> None:
    plan = Flooding(precision_bits, queries)
    deviation = math.sqrt(plan.variance) * plan.step
    assert SIGMAS * deviation + plan.tolerated + plan.step / 2 <= 2.0**-precision_bits
    divergence = queries * (plan.tolerated / plan.step + 1) ** 2 / (2 * plan.variance)
    assert divergence <= 2.0**-30 / 24
    assert SIGMAS * deviation > 2.0**-precision_bits / 2.1  # and no more noise than a power of two away


def test_divergence_of_shifted_discrete_gaussians() -> None:
    """d^2 / 2V, for small numbers, by summation."""
    for variance, d in [(1, 1), (4, 3), (50, 7)]:
        x = np.arange(-400, 401)
        p = np.exp(-(x**2) / (2 * variance))
        p /= p.sum()
        exponents = ((x - d) ** 2 - x**2) / (2 * variance)
        assert np.sum(p * exponents) == pytest.approx(d**2 / (2 * variance), rel=1e-12)


@pytest.mark.parametrize("variance", [1, 3, 40])
def test_the_sampler_has_its_distribution(variance: int) -> None:
    rng, count = Random(variance), 4000
    found = Counter(discrete_gaussian(variance, rng.randrange) for _ in range(count))
    weights = {x: math.exp(-(x**2) / (2 * variance)) for x in range(-60, 61)}
    total = sum(weights.values())
    for x, weight in weights.items():
        expected = count * weight / total
        assert abs(found[x] - expected) <= 5 * math.sqrt(expected) + 3


@pytest.mark.parametrize("quotient", [(0, 1), (1, 3), (1, 1), (3, 2), (11, 4)], ids=str)
def test_exponentials_are_accepted_as_often_as_they_say(quotient: tuple[int, int]) -> None:
    """exp(-x), below 1 and beyond; a correct one fails with probability 2^-40."""
    rng, count = Random(1), 20_000
    accepted = sum(_accepted(*quotient, rng.randrange) for _ in range(count))
    p = math.exp(-quotient[0] / quotient[1])
    assert abs(accepted - count * p) <= 7.2 * math.sqrt(count * p * (1 - p))


def test_the_noise_has_its_variance() -> None:
    plan, rng = Flooding(10, 7), Random(5)
    noise = plan.flooded(np.full(1000, 3.0), rng.randrange) - 3.0
    deviation = math.sqrt(plan.variance) * plan.step
    assert np.std(noise) == pytest.approx(deviation, rel=0.1)
    assert abs(np.mean(noise)) < 5 * deviation / math.sqrt(1000)
    assert np.array_equal(np.rint(noise / plan.step), noise / plan.step)
    assert np.ptp(noise / plan.step) > STEPS


@pytest.mark.parametrize("depth", [0, 1, 3])
def test_scales_leave_room(depth: int) -> None:
    owner = fhe.ckks(depth=depth, publish=(10, 100), bound=1, **TOY)
    assert isinstance(owner.parameters, CKKSParameters)
    assert owner.parameters.scale_bits > 40
    value = 0.98
    x = owner.encrypt([value], bound=1, symmetric=False)
    for _ in range(depth):
        x, value = x * x, value * value
    x = x.settled()
    error = 2.0**-x.precision_bits
    assert error <= planned_error(owner.parameters) * 1.001 <= 2 * error
    assert abs(owner.decrypt_public(x)[0] - value) < 2**-10


def test_too_little_room_is_refused_with_what_is_needed() -> None:
    with pytest.raises(ParameterError, match=r"bits less than scales of 40 bits .* use scale_bits=(\d+)") as refused:
        fhe.ckks(depth=2, scale_bits=40, publish=(10, 100), **TOY)
    needed = int(str(refused.value).split("scale_bits=")[1].split(",")[0])
    assert fhe.ckks(depth=2, scale_bits=needed, publish=(10, 100), **TOY).published == 0
    with pytest.raises(ParameterError):
        fhe.ckks(depth=2, scale_bits=needed - 1, publish=(10, 100), **TOY)


@pytest.mark.parametrize("plan", [(0, 1), (61, 1), (8, 0), (8, 1 << 41), (8.0, 1), (8, True)])
def test_impossible_plans_are_refused(plan: Any) -> None:
    with pytest.raises(ParameterError, match="is an integer from 1"):
        fhe.ckks(depth=1, publish=plan, **TOY)


# --- the account ------------------------------------------------------------------------------------------------------


def test_each_number_is_counted_before_it_is_told(tmp_path: Path) -> None:
    owner = fhe.ckks(depth=1, publish=(4, 10), **TOY)
    x, z = owner.encrypt(np.ones((2, 3)), bound=1), owner.encrypt([1j], bound=1)
    owner.decrypt_public(x)
    assert owner.published == 6
    assert np.abs(owner.decrypt_public(z) - 1j) < 0.1
    assert owner.published == 8
    with pytest.raises(NoiseError, match="6 numbers would make 14 under this key, its plan allows 10"):
        owner.decrypt_public(x)
    assert owner.published == 8
    owner.save_secret_key(tmp_path / "mine.secret", passphrase=b"several words")
    again = fhe.load_secret_key(tmp_path / "mine.secret", passphrase=b"several words")
    assert again.published == 8
    again.decrypt_public(x[0, :2])
    with pytest.raises(NoiseError, match="1 numbers would make 11"):
        again.decrypt_public(x[0, 0])


def test_results_that_are_too_coarse_are_not_decrypted() -> None:
    owner = fhe.ckks(depth=1, publish=(8, 1), bound=2**20, **TOY)
    x = owner.encrypt([1000.0], bound=1000)
    with pytest.raises(NoiseError, match="larger scale_bits"):
        owner.decrypt_public(x * x)
    assert owner.published == 0


@pytest.mark.parametrize(("share", "told"), [(0.9, True), (1.1, False)])
def test_an_error_as_large_as_is_tolerated_is_the_largest(owner: KeyOwner, share: float, told: bool) -> None:
    assert owner._ledger is not None
    (shard,) = owner.encrypt(0.5).shards
    noise = share * owner._ledger.plan.tolerated * shard.scale
    x = owner.encrypt(0.5).like([replace(shard, noise=noise)], owner.encrypt(0.5).layout)
    if told:
        assert abs(owner.decrypt_public(x) - 0.5) < 2.0**-owner._ledger.plan.precision_bits
    else:
        with pytest.raises(NoiseError, match="publishing hides those up to"):
            owner.decrypt_public(x)


def test_publishing_has_to_be_planned() -> None:
    owner = fhe.ckks(depth=1, **TOY)
    with pytest.raises(ParameterError, match="no plan"):
        owner.decrypt_public(owner.encrypt([1.0]))
    exact = fhe.bfv(depth=1, **TOY).parameters
    with pytest.raises(ParameterError, match="published as they are"):
        KeyOwner(exact, publish=(8, 10))


def test_another_party_is_refused(owner: KeyOwner) -> None:
    stranger = fhe.ckks(depth=1, **TOY)
    before = owner.published
    with pytest.raises(ParameterError, match="belongs to key"):
        owner.decrypt_public(stranger.encrypt([1.0]))
    assert owner.published == before
