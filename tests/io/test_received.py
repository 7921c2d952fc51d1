"""What came with a ciphertext is a claim: each is forged, and the owner who knows the program is not misled."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fhe
from fhe.errors import NoiseError, ParameterError, ValueOverflowError
from fhe.owner import KeyOwner
from tests.io.parties import with_entry

TOY: Any = {"ring_degree": 1024, "insecure": "a small ring for a test"}
VALUES = np.array([0.5, -0.25, 1.0])


@pytest.fixture(scope="module")
def real() -> KeyOwner:
    return fhe.ckks(depth=2, publish=(6, 50), bound=1, **TOY)


@pytest.fixture(scope="module")
def exact() -> KeyOwner:
    return fhe.bfv(depth=2, value_bits=20, **TOY)


def program(x: Any) -> Any:
    return x * x


def answered(owner: KeyOwner, values: Any = VALUES) -> bytes:
    """The reply of a server that computes what it was asked for."""
    server = fhe.Context.from_bytes(owner.public().to_bytes())
    return program(server.load(owner.encrypt(values).to_bytes())).to_bytes()


def predicted(owner: KeyOwner, values: Any) -> Any:
    """The program on an encryption of anything."""
    return program(owner.encrypt(np.zeros_like(values)))


def forged(data: bytes, **claims: Any) -> bytes:
    for name, value in claims.items():
        data = with_entry(data, "array", ("shards", 0, name), value)
    return data


@pytest.mark.parametrize(
    "claims", [{"scale": 2.0**50}, {"bound": 1e-3}, {"noise": 0.5}, {"bound": 1e6, "noise": 2.0**40}], ids=repr
)
def test_forged_claims_of_reals_change_nothing(real: KeyOwner, claims: dict[str, Any]) -> None:
    received = real.load(forged(answered(real), **claims))
    if "scale" in claims:
        assert not np.allclose(real.decrypt(received), program(VALUES), atol=1e-3), "the forgery has no effect"
    honest = predicted(real, VALUES)
    np.testing.assert_allclose(real.decrypt(received, expected=honest), program(VALUES), atol=1e-6)
    published = real.decrypt_public(received, expected=honest)
    np.testing.assert_allclose(published, program(VALUES), atol=2.0**-6)


@pytest.mark.parametrize("claims", [{"interval": [0, 5]}, {"noise": 0.0}, {"bound": 0.0}], ids=repr)
def test_forged_claims_of_integers_change_nothing(exact: KeyOwner, claims: dict[str, Any]) -> None:
    server, values = fhe.Context.from_bytes(exact.public().to_bytes()), np.array([5, -7, 11])
    reply = (program(server.load(exact.encrypt(values).to_bytes())) - 50).to_bytes()
    received = exact.load(forged(reply, **claims))
    if "interval" in claims:
        with pytest.raises(ValueOverflowError, match="one of who sent it"):
            exact.decrypt(received)
    assert exact.decrypt(received, expected=predicted(exact, values) - 50).tolist() == [-25, -1, 71]


def test_another_level_is_refused(real: KeyOwner) -> None:
    server = fhe.Context.from_bytes(real.public().to_bytes())
    fresh = real.load(server.load(real.encrypt(VALUES).to_bytes()).to_bytes())
    with pytest.raises(ParameterError, match=r"has levels \[2\], the result expected has \[1\]"):
        real.decrypt(fresh, expected=predicted(real, VALUES))


@pytest.mark.parametrize(
    "other", [np.zeros(4), np.zeros((3, 1)), np.zeros(3, dtype=complex)], ids=["size", "shape", "dtype"]
)
def test_another_result_is_refused(real: KeyOwner, other: Any) -> None:
    with pytest.raises(ParameterError, match="another program's"):
        real.decrypt(real.load(answered(real)), expected=predicted(real, other))


def test_another_order_is_refused(real: KeyOwner) -> None:
    server = fhe.Context.from_bytes(real.public().to_bytes())
    turned = program(server.load(real.encrypt(VALUES).to_bytes()))[::-1].to_bytes()
    with pytest.raises(ParameterError, match="has layout"):
        real.decrypt(real.load(turned), expected=predicted(real, VALUES))


def test_claims_are_not_published(real: KeyOwner) -> None:
    """Neither of what came, nor of what was computed with it; what is the owner's own is."""
    before, received = real.published, real.load(answered(real))
    for claimed in (
        received,
        received + 1,
        real.encrypt([1.0, 0.5, 0.0]) - received,
        (received * 2)[0],
        received.sum(),
        np.stack([real.encrypt(np.zeros(512)), real.load(real.encrypt(np.zeros(512)).to_bytes())]),
    ):
        with pytest.raises(ParameterError, match="somebody's claim"):
            real.decrypt_public(claimed)
    assert real.published == before
    real.decrypt_public(predicted(real, VALUES))


def test_a_noise_that_is_estimated_is_still_told(real: KeyOwner) -> None:
    received = real.load(answered(real))
    assert received.precision_bits < received.expected_precision_bits < received.precision_bits + 8


def noisy(owner: KeyOwner, bits: float) -> Any:
    """A ciphertext whose noise leaves so many bits, which says that it is fresh."""
    x = owner.encrypt([1, 2, 3])
    (shard,) = x.shards
    size = int(2 ** (owner.evaluator.limit(shard.level) - bits))  # type: ignore[union-attr]
    spike = type(shard.coeffs()[0]).from_int64(shard.c[0].basis, np.eye(1, 1024, dtype=np.int64)[0]).scale(size)
    return x.like([shard.with_polys((shard.coeffs()[0] + spike, shard.coeffs()[1]))], x.layout)


def test_noise_near_failure_is_refused_without_a_number(exact: KeyOwner) -> None:
    assert exact.decrypt(noisy(exact, 2.1)).tolist() == [1, 2, 3]
    for bits in (1.9, 0.5, 0.1):
        with pytest.raises(NoiseError, match="too close to where decryption fails") as refused:
            exact.decrypt(noisy(exact, bits))
        assert not any(letter.isdigit() for letter in str(refused.value))


def test_parts_of_composed_arrays_are_expected_as_well() -> None:
    wide, money = fhe.bfv(depth=1, value_bits=70, **TOY), fhe.bfv(depth=1, value_bits=40, decimals=2, **TOY)
    x, y = wide.encrypt([10**18, -3], bound=10**18), wide.encrypt([0, 0], bound=10**18)
    assert wide.decrypt(wide.load((x + 1).to_bytes()), expected=y + 1).tolist() == [10**18 + 1, -2]
    price = money.encrypt(["19.99"], bound=100)
    assert str(money.decrypt(money.load((price * 2).to_bytes()), expected=price * 2)[0]) == "39.98"
    bits = money.encrypt_bits([5, 2], bits=3)
    assert money.decrypt(money.load(bits.to_bytes()), expected=bits).tolist() == [5, 2]
