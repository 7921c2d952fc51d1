"""The cost model counts what it says: transforms by hand, keys by the byte."""

from __future__ import annotations

import math

import pytest

from fhe import costs

# (limbs, special, digit): forward and inverse transforms of a product with rescaling, and of a rotation.
PRODUCTS = {(7, 3, 3): (35, 15), (14, 5, 5): (69, 26), (16, 3, 3): (128, 24), (27, 10, 10): (136, 49)}
ROTATIONS = {(14, 5, 5): (71, 24), (16, 3, 3): (130, 22), (27, 10, 10): (138, 47)}


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine on which everything but transforms is free."""
    for name in ("FORWARD", "INVERSE", "POINTWISE"):
        monkeypatch.setattr(costs, name, 0.0)
    for name in ("SHARED_CACHE", "MEMORY"):
        monkeypatch.setattr(costs, name, math.inf)
    monkeypatch.setattr(costs, "conversion", lambda *_: 0.0)
    return monkeypatch


@pytest.mark.parametrize(("operation", "counts"), [(costs.product_ckks, PRODUCTS), (costs.rotation, ROTATIONS)])
def test_transforms_are_counted(only: pytest.MonkeyPatch, operation: object, counts: dict) -> None:  # type: ignore[type-arg]
    for (limbs, special, digit), expected in counts.items():
        measured = []
        for kind in ("FORWARD", "INVERSE"):
            with only.context() as patch:
                patch.setattr(costs, kind, 16 / (64 * 6))  # so that a transform of 64 costs 1
                measured.append(round(operation(64, [40] * limbs, [46] * special, digit)))  # type: ignore[operator]
        assert tuple(measured) == expected


def test_wide_primes_cost_more() -> None:
    narrow, wide = (costs.transforms(4096, [bits]) for bits in (46, 47))
    assert wide == narrow * costs.WIDE > narrow


def test_large_keys_are_read_from_memory(only: pytest.MonkeyPatch) -> None:
    only.setattr(costs, "MEMORY", 2.0)
    only.setattr(costs, "SHARED_CACHE", 8.0)
    small, large = (2**12, [40] * 4, [46], 1), (2**16, [40] * 27, [46] * 10, 10)
    assert costs.decomposition(*small) == 2 * 4 * 5 * 2**12 * 8 / 8
    assert costs.decomposition(*large) == 2 * 3 * 37 * 2**16 * 8 / 2


def test_bfv_products_extend_and_divide(only: pytest.MonkeyPatch) -> None:
    """Forward: x over A, y over A and Q, three divisions. Inverse: x and y over Q, three divisions over A."""
    limbs, special, digit = 4, 1, 1  # and four primes in A
    only.setattr(costs, "FORWARD", 16 / (64 * 6))
    switching = costs.decomposition(64, [40] * limbs, [46] * special, digit)
    assert round(costs.product_bfv(64, [40] * limbs, [46] * special, digit) - switching) == 2 * 4 + 2 * 8 + 3 * 4
    only.setattr(costs, "FORWARD", 0.0)
    only.setattr(costs, "INVERSE", 16 / (64 * 6))
    switching = costs.decomposition(64, [40] * limbs, [46] * special, digit)
    assert round(costs.product_bfv(64, [40] * limbs, [46] * special, digit) - switching) == 4 * 4 + 3 * 4
