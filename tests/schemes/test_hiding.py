"""Circuit privacy: what the owner of the key sees of a result does not depend on what was computed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import fhe
from fhe.errors import MissingKeyError, NoiseError, ParameterError
from fhe.owner import KeyOwner
from fhe.ring.basis import Basis
from fhe.rlwe.flooding import flood

N = 256
TOY: Any = {"ring_degree": N, "insecure": "a small ring for a test"}
WEIGHTS = np.array([3, -2, 5, 1])


@pytest.fixture(scope="module")
def exact() -> KeyOwner:
    return fhe.bfv(depth=3, value_bits=16, **TOY)


@pytest.fixture(scope="module")
def real() -> KeyOwner:
    return fhe.ckks(depth=2, scale_bits=90, **TOY)


def noise_of(owner: KeyOwner, array: Any) -> np.ndarray:
    """t times the noise of a BFV ciphertext, coefficient by coefficient, as the owner sees it."""
    phase = owner._secret.decrypt(array.shards[0]).scale(owner.evaluator.encoder.t)  # type: ignore[union-attr]
    return np.array(phase.coefficients(), dtype=object)


def test_values_stay(exact: KeyOwner, real: KeyOwner) -> None:
    x = exact.encrypt([[1, 2, 3, 4], [5, 6, 7, 8]], bound=10)
    for result, expected in [(x + x, 2 * np.arange(1, 9).reshape(2, 4)), (x @ WEIGHTS, [18, 46])]:
        hidden = exact.hide_circuit(result)
        assert np.array_equal(exact.decrypt(hidden), expected)
        assert hidden.layout.tidy
        assert np.array_equal(exact.decrypt(exact.load(hidden.to_bytes())), expected)
    y = real.encrypt([[0.5, -1.0], [2.0, 3.0]], bound=4)
    hidden = real.hide_circuit(y @ [1.0, 2.0], statistical_bits=20)
    np.testing.assert_allclose(real.decrypt(hidden), [-1.5, 8.0], atol=2.0**-hidden.precision_bits)
    assert 5 < hidden.precision_bits < real.encrypt([1.0], bound=4).precision_bits - 20


def test_noise_of_the_result_is_noise_of_the_flood(exact: KeyOwner) -> None:
    """Far apart before, within a 2^-bits of each other after: of both the same bits are left, whatever was computed."""
    x = exact.encrypt(np.arange(N // 2), bound=200)
    small, large = x + 1, x * 50
    spread = [np.max(np.abs(noise_of(exact, result))) for result in (small, large)]
    assert spread[1] > 8 * spread[0]
    small, large = (exact.hide_circuit(result, statistical_bits=20) for result in (small, large))
    top = [float(np.max(np.abs(noise_of(exact, result)))) for result in (small, large)]
    flooded = [2.0 ** result.shards[0].noise for result in (small, large)]
    t = exact.evaluator.encoder.t  # type: ignore[union-attr]
    for largest, bound in zip(top, flooded, strict=True):
        assert bound / 4 < largest / t <= bound


def test_the_flood_is_as_wide_as_the_proof_asks(exact: KeyOwner, monkeypatch: pytest.MonkeyPatch) -> None:
    """2^d N / 2^(b + 1) <= 2^-k, with d from the tracked bound of the result and of the encryption of zero."""
    from fhe import noise  # noqa: PLC0415
    from fhe.rlwe import flooding  # noqa: PLC0415

    asked: list[int] = []
    monkeypatch.setattr(flooding, "flood", lambda basis, bits: asked.append(bits) or flood(basis, bits))
    x = exact.encrypt([1, 2, 3], bound=4) * 3
    for k in (1, 20, 40):
        exact.hide_circuit(x, statistical_bits=k)
        d = noise.add(x.shards[0].noise, noise.fresh_divided(exact.parameters))
        assert d + math.log2(N) - (asked[-1] + 1) <= -k < d + math.log2(N) - asked[-1]


def test_both_components_are_fresh(exact: KeyOwner) -> None:
    x = exact.encrypt([1, 2, 3], bound=4) * 3
    first, second = (exact.hide_circuit(x).shards[0] for _ in range(2))
    for own, hidden, again in zip(x.shards[0].evals(), first.evals(), second.evals(), strict=True):
        for difference in (hidden - own, hidden - again):
            assert np.mean(difference.residues == 0) < 0.05


@pytest.mark.parametrize("bits", [0, 1, 7, 31, 32, 33, 70])
def test_the_flood_is_uniform(bits: int) -> None:
    basis = Basis.of(1024, [70368744067073, 70368744019969], backend="native")
    found = np.array(flood(basis, bits).coefficients(), dtype=object)
    assert min(found) >= -(1 << bits)
    assert max(found) < 1 << bits
    shares = (found + (1 << bits)).astype(float) / 2.0 ** (bits + 1)
    assert abs(np.mean(shares >= 0.5) - 0.5) < 6 / math.sqrt(4 * 1024)
    if bits > 3:
        assert np.std(shares) == pytest.approx(math.sqrt(1 / 12), rel=0.1)
        assert len(set(found)) > 1000 or bits < 14


def test_what_has_no_room_is_refused(exact: KeyOwner, real: KeyOwner) -> None:
    shallow = fhe.ckks(depth=1, **TOY)
    with pytest.raises(NoiseError, match=r"values would be wrong by 2\^.*scale_bits="):
        shallow.hide_circuit(shallow.encrypt([1.0]))
    deep = exact.encrypt([1, 2], bound=3)
    with pytest.raises(NoiseError, match="smaller statistical_bits"):
        exact.hide_circuit(deep, statistical_bits=128)
    for bits in (0, 129, 40.0):
        with pytest.raises(ParameterError, match="bits from 1 to 128"):
            exact.hide_circuit(deep, statistical_bits=bits)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="belongs to key"):
        exact.hide_circuit(fhe.bfv(depth=1, value_bits=16, **TOY).encrypt([1]))
    server = fhe.Context(exact.chain, None, exact.public(rotations=[]).keys)
    with pytest.raises(MissingKeyError, match="takes a public key"):
        server.hide_circuit(deep)


def test_wide_integers() -> None:
    owner = fhe.bfv(depth=3, value_bits=70, **TOY)
    hidden = owner.hide_circuit(owner.encrypt([10**18, -3], bound=10**18) + 5, statistical_bits=30)
    assert owner.decrypt(hidden).tolist() == [10**18 + 5, 2]
