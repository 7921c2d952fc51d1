"""Ordinary NumPy functions, written for plain arrays, run unchanged on encrypted ones.

CKKS keeps the precision that it promises of each result, BFV is exact.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest

from fhe.owner import KeyOwner
from fhe.parameters import BFVParameters, CKKSParameters
from tests.schemes.owners import INSECURE, owner

CKKS = CKKSParameters(
    ring_degree=256, modulus_bits=[60] + [45] * 7, special_bits=[46] * 4, scale_bits=45, insecure=INSECURE
)
BFV = BFVParameters(
    ring_degree=128, modulus_bits=[45] * 9, special_bits=[46] * 3, plain_modulus=1099511590913, insecure=INSECURE
)

SCALE, MASK = np.array([0.5, 2.0, 1.5]), np.array([True, False, True, True, False, False, True, False])
A, W, V = (np.arange(m * n).reshape(m, n) % 5 - 2 for m, n in ((4, 4), (5, 4), (2, 5)))
LABELS = np.array([1, 0, 2, -1])
FOURIER = np.exp(-2j * np.pi * np.outer(np.arange(8), np.arange(8)) / 8)

# --- what people write ------------------------------------------------------------------------------------------------


def mean_and_variance(x):
    m = np.mean(x)
    return np.stack([m, np.mean((x - m) ** 2)])


def skewness_numerator(x):
    return np.mean((x - x.mean()) ** 3)


def covariance(X):
    centred = X - X.mean(axis=0)
    return np.einsum("ni,nj->ij", centred, centred) / (len(X) - 1)


def standard_scores(X):
    return (X - X.mean(axis=0)) / SCALE


def mean_squared_error(x, y):
    return ((x - y) ** 2).mean()


def weighted_mean(x, y):
    return np.average(x, weights=np.arange(1, x.size + 1)) - np.dot(y, np.full(y.size, 0.25))


def moving_average(x):
    return np.convolve(x, np.ones(3), mode="valid") / 3


def running_total(x):
    return np.cumsum(x)


def trapezoid(y):
    return ((y[1:] + y[:-1]) * 0.5 * 0.1).sum()


def second_derivative(x):
    return x[2:] - 2 * x[1:-1] + x[:-2]


def sobel(image):
    gx = image[:-2, 2:] - image[:-2, :-2] + 2 * (image[1:-1, 2:] - image[1:-1, :-2]) + image[2:, 2:] - image[2:, :-2]
    gy = image[2:, :-2] - image[:-2, :-2] + 2 * (image[2:, 1:-1] - image[:-2, 1:-1]) + image[2:, 2:] - image[:-2, 2:]
    return gx**2 + gy**2


def roberts_cross(image):
    return (image[:-1, :-1] - image[1:, 1:]) ** 2 + (image[1:, :-1] - image[:-1, 1:]) ** 2


def box_blur(image):
    return sum(np.roll(image, (i, j), axis=(0, 1)) for i in (-1, 0, 1) for j in (-1, 0, 1))


def cubic(x):
    return np.polyval([3, 0, 4, 1], x)


def linear_scores(X, w):
    return X @ w + 3


def quadratic_form(x):
    return x @ (A @ x)


def distances(X, Y):
    return ((X[:, None, :] - Y[None, :, :]) ** 2).sum(axis=-1)


def network(x):
    hidden = (W @ x + np.arange(5)) ** 2
    return V @ hidden - 1


def gradient(X, w):
    return X.T @ (X @ w - LABELS)


def hamming(x, y):
    return np.sum(x + y - 2 * x * y)


def lookup(table, one_hot):
    return (table * one_hot).sum()


def masked(x):
    return np.where(MASK, x, 0).sum() - np.where(MASK, 1, x)


def shuffled(x, y):
    return np.concatenate([x[::-1], y[[3, 0, 1]], [7, 8]]).reshape(-1, 1) * [[1, 2]]


def gram(X):
    return X @ X.T


def power_spectrum(x):
    z = FOURIER @ x
    return (z * np.conj(z)).real


def bilinear(x, y):
    return np.outer(x, y) - np.outer(y, x)


@dataclass(frozen=True)
class Case:
    """A function, the shapes it takes, whether whole numbers stay whole, and whether inputs are 0 and 1."""

    function: Callable[..., Any]
    shapes: list[tuple[int, ...]]
    whole: bool = True
    binary: bool = False


CASES = [
    Case(mean_and_variance, [(20,)], whole=False), Case(skewness_numerator, [(9,)], whole=False),
    Case(covariance, [(10, 3)], whole=False), Case(standard_scores, [(12, 3)], whole=False),
    Case(mean_squared_error, [(30,), (30,)], whole=False), Case(weighted_mean, [(6,), (6,)], whole=False),
    Case(moving_average, [(12,)], whole=False), Case(running_total, [(50,)]), Case(trapezoid, [(20,)], whole=False),
    Case(second_derivative, [(200,)]), Case(sobel, [(6, 7)]), Case(roberts_cross, [(8, 8)]), Case(box_blur, [(8, 8)]),
    Case(cubic, [(150,)]), Case(linear_scores, [(40, 5), (5,)]), Case(quadratic_form, [(4,)]),
    Case(distances, [(3, 4), (2, 4)]), Case(network, [(4,)]), Case(gradient, [(4, 3), (3,)]),
    Case(hamming, [(100,), (100,)], binary=True), Case(lookup, [(16,), (16,)], binary=True), Case(masked, [(8,)]),
    Case(shuffled, [(5,), (6,)]), Case(gram, [(4, 6)]), Case(power_spectrum, [(8,)], whole=False),
    Case(bilinear, [(3,), (3,)]),
]  # fmt: skip


@cache
def party(parameters: Any) -> KeyOwner:
    return owner(parameters, "native", "programs")


def run(case: Case, keys: KeyOwner, values: list[Any], bound: float, plain: set[int]) -> None:
    """The function of plain, of encrypted and of mixed arguments."""
    expected = case.function(*values)
    arguments = [v if k in plain else keys.encrypt(v, bound=bound) for k, v in enumerate(values)]
    result = case.function(*arguments)
    assert result.shape == np.shape(expected)
    error = np.abs(keys.decrypt(result) - expected).max()
    assert error == 0 if isinstance(keys.parameters, BFVParameters) else error <= 2.0**-result.precision_bits < 1e-3


def samples(case: Case, whole: bool) -> list[Any]:
    rng = np.random.default_rng(7)
    if case.binary or whole:
        return [rng.integers(0 if case.binary else -2, 2 if case.binary else 3, shape) for shape in case.shapes]
    return [rng.uniform(-1, 1, shape) for shape in case.shapes]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.function.__name__)
@pytest.mark.parametrize("plain", [(), (0,), (1,)], ids=["all encrypted", "first plain", "second plain"])
def test_real_numbers(case: Case, plain: tuple[int, ...]) -> None:
    if set(range(len(case.shapes))) - set(plain) and max(plain, default=0) < len(case.shapes):
        run(case, party(CKKS), samples(case, whole=False), 1.0, set(plain))


@pytest.mark.parametrize("case", [case for case in CASES if case.whole], ids=lambda case: case.function.__name__)
def test_integers(case: Case) -> None:
    run(case, party(BFV), samples(case, whole=True), 2, set())
