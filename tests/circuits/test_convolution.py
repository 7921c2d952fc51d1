"""Convolutions against their definition, in both schemes."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhe.backend.choose import choose
from fhe.backend.protocol import Backend
from fhe.circuits.convolution import convolution, grid
from fhe.errors import EncodingError
from fhe.owner import KeyOwner
from tests.circuits.test_linear import decrypted, numbers, server
from tests.circuits.test_matrix_product import SETS
from tests.schemes.owners import shared_owner
from tests.strategies import SEEDS


@pytest.fixture(params=SETS)
def party(request: pytest.FixtureRequest, backend: Backend) -> KeyOwner:
    return shared_owner(SETS[request.param], backend)


@pytest.fixture(scope="session", params=SETS)
def quick(request: pytest.FixtureRequest) -> KeyOwner:
    return shared_owner(SETS[request.param], choose("native"))


def by_definition(kernel: np.ndarray, x: np.ndarray, padding: int, stride: int) -> np.ndarray:
    """y[o, p] = sum kernel[o, c, t] x[c, stride p + t - padding]."""
    padded = np.pad(x, [(0, 0)] + [(padding, padding)] * (x.ndim - 1))
    window = kernel.shape[2:]
    extent = [(n - w) // stride + 1 for n, w in zip(padded.shape[1:], window, strict=True)]
    y = np.zeros((len(kernel), *extent), dtype=x.dtype)
    for place in product(*map(range, extent)):
        patch = padded[(slice(None), *(slice(stride * p, stride * p + w) for p, w in zip(place, window, strict=True)))]
        y[(slice(None), *place)] = [(k * patch).sum() for k in kernel]
    return y


def check(owner: KeyOwner, kernel: np.ndarray, x: np.ndarray, padding: int, stride: int, few: bool = False) -> None:
    evaluator = server(owner, (1, 2, 4, 8, 16, 32)).evaluator if few else owner.evaluator
    used = np.concatenate([x.ravel(), numbers(owner.parameters, 9, evaluator.row - x.size)])
    y = convolution(evaluator, kernel, x.shape, padding, stride)(owner.encrypt(used, bound=2).shards[0])
    found, places = decrypted(owner, y), grid(x.shape, kernel.shape, padding, stride)
    expected = np.zeros(len(found), dtype=x.dtype)
    expected[places] = by_definition(kernel, x, padding, stride)
    assert np.abs(found - expected)[: evaluator.row].max() <= 2.0 ** -evaluator.precision_bits(y)


@pytest.mark.parametrize(("padding", "stride"), [(0, 1), (1, 1), (1, 2)])
def test_two_dimensions(party: KeyOwner, padding: int, stride: int) -> None:
    kernel, x = numbers(party.parameters, 1, 2, 1, 3, 3), numbers(party.parameters, 2, 1, 5, 4)
    check(party, kernel, x, padding, stride)


@given(
    channels=st.tuples(st.integers(1, 2), st.integers(1, 2)),
    places=st.lists(st.integers(1, 5), min_size=1, max_size=2),
    window=st.integers(1, 3),
    padding=st.integers(0, 1),
    stride=st.integers(1, 2),
    seed=SEEDS,
    few=st.booleans(),
)
def test_any_convolution(
    quick: KeyOwner,
    channels: tuple[int, int],
    places: list[int],
    window: int,
    padding: int,
    stride: int,
    seed: int,
    few: bool,
) -> None:
    kernel = numbers(quick.parameters, seed, *channels, *([window] * len(places)))
    x = numbers(quick.parameters, seed + 1, channels[1], *places)
    try:
        check(quick, kernel, x, padding, stride, few)
    except EncodingError as refusal:
        assert "no result on their grid" in str(refusal)  # noqa: PT017
        assert 2 * padding >= window or min(places) + 2 * padding < window


def test_what_does_not_belong_together_is_refused(quick: KeyOwner) -> None:
    kernel = numbers(quick.parameters, 1, 2, 1, 3)
    for shape, words in (((2, 8), "does not belong"), ((1, 8, 8), "does not belong"), ((1, 64), "2 channels of 64")):
        with pytest.raises(EncodingError, match=words):
            convolution(quick.evaluator, kernel, shape)
