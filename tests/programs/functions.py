"""Ordinary functions, what is said of their arguments, and how precise their results shall be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

import fhe
from fhe import spec

WEIGHTS = np.random.default_rng(0).normal(size=(8, 4)) * 0.4
OUTPUT = np.random.default_rng(1).normal(size=(4, 3)) * 0.4
COEFFICIENTS = np.array([0.3, -0.8, 0.5])
WHOLE = {"kind": "integer"}


@dataclass(frozen=True)
class Case:
    """A function, its arguments, and the precision that is asked for; none of integers."""

    function: Callable[..., Any]
    specs: tuple[Any, ...]
    precision: float | None = None

    @property
    def name(self) -> str:
        return self.function.__name__

    @cache  # noqa: B019  (cases live as long as the tests)
    def program(self) -> Any:
        asked = {} if self.precision is None else {"precision": self.precision}
        return fhe.compile(self.function, *self.specs, **asked)

    def arguments(self, seed: int = 0) -> list[Any]:
        """Values between the promised ends, some of them there."""
        rng, found = np.random.default_rng(seed), []
        for said in self.specs:
            if said.kind == "integer":
                values = rng.integers(said.low, said.high + 1, said.shape)
            else:
                values = rng.choice([said.low, said.high], said.shape)
                values = np.where(rng.random(said.shape) < 0.2, values, rng.uniform(said.low, said.high, said.shape))
            if said.kind == "complex":
                values = values * np.exp(1j * rng.uniform(0, 6, said.shape))
            found.append(values)
        return found


def mean_and_variance(x):
    m = np.mean(x)
    return np.stack([m, np.mean((x - m) ** 2)])


def standard_scores(x):
    return (x - x.mean()) / np.sqrt(x.var() + 1.0)


def covariance(X):
    centred = X - X.mean(axis=0)
    return np.einsum("ni,nj->ij", centred, centred) / (len(X) - 1)


def cubic(x):
    return 0.5 + 0.197 * x - 0.004 * x**3


def logistic_score(x, w):
    return 1 / (1 + np.exp(-(x @ w)))


def softplus(x):
    return np.log1p(np.exp(x))


def swish(x):
    return x * fhe.sigmoid(x)


def log_odds(p):
    return np.log(p / (1 - p))


def gaussian_kernel(x, y):
    return np.exp(-((x - y) ** 2).sum(axis=-1))


def distance(x, y):
    return np.sqrt(((x - y) ** 2).sum() + 0.1)


def moving_average(x):
    return np.convolve(x, np.ones(3), mode="valid") / 3


def network(X):
    return np.tanh(X @ WEIGHTS) @ OUTPUT


def softmax(x):
    e = np.exp(x)
    return {"weights": e / e.sum()}


def power_of_signal(z):
    return (z * np.conj(z)).sum()


def mean_and_quotient(x, y):
    return x.mean(), x.sum() / (y.sum() + 8)


def root(x):
    return x**0.5


def above_or_nothing(x):
    return np.where(x > 0.25, x, 0 * x)


def total(ages):
    return ages.sum()


def dot(x, y):
    return x @ y


def whole_polynomial(x):
    return 3 * x**3 - 2 * x + 7


def larger(x, y):
    return np.maximum(x, y)


def hamming(x, y):
    return (x != y).sum()


def table_times(X, W):
    return X @ W


def running_total(x):
    return np.cumsum(x)


def capped(x):
    return np.where(x > 3, 10 * x, 0)


def ranked(x, y):
    return fhe.sort([x, y])


PAIR = spec(8, bound=0.5), spec(8, bound=0.5)
CASES = [
    Case(mean_and_variance, (spec(100, bound=2),), 1e-4),
    Case(standard_scores, (spec(64, bound=1),), 1e-2),
    Case(covariance, (spec((10, 3), bound=1),), 1e-4),
    Case(cubic, (spec(1000, bound=2),), 1e-5),
    Case(logistic_score, (spec((20, 30), bound=1), spec(30, bound=0.25, encrypted=False)), 1e-3),
    Case(softplus, (spec(50, bound=3),), 1e-3),
    Case(swish, (spec(50, bound=4),), 1e-3),
    Case(log_odds, (spec(50, bound=(0.1, 0.9)),), 1e-3),
    Case(gaussian_kernel, (spec((8, 4), bound=0.5), spec(4, bound=0.5)), 1e-3),
    Case(distance, PAIR, 1e-2),
    Case(moving_average, (spec(50, bound=10),), 1e-3),
    Case(network, (spec((16, 8), bound=1),), 1e-2),
    Case(network, (spec((16, 8), bound=1, batch=0),), 1e-2),
    Case(softmax, (spec(4, bound=1),), 1e-3),
    Case(power_of_signal, (spec(64, bound=1, kind="complex"),), 1e-3),
    Case(mean_and_quotient, PAIR, 1e-3),
    Case(root, (spec(10, bound=(0.5, 4)),), 1e-3),
    Case(above_or_nothing, (spec(10, bound=1),), 1e-1),
    Case(total, (spec(1000, bound=(0, 120), **WHOLE),)),
    Case(dot, (spec(100, bound=50, **WHOLE), spec(100, bound=50, **WHOLE))),
    Case(whole_polynomial, (spec(100, bound=20, **WHOLE),)),
    Case(larger, (spec(10, bound=(0, 15), **WHOLE), spec(10, bound=(0, 15), **WHOLE))),
    Case(hamming, (spec(20, dtype="bool"), spec(20, dtype="bool"))),
    Case(table_times, (spec((5, 8), bound=9, **WHOLE), spec((8, 3), bound=9, encrypted=False, **WHOLE))),
    Case(running_total, (spec(30, bound=100, **WHOLE),)),
    Case(capped, (spec(30, bound=(0, 7), **WHOLE),)),
    Case(ranked, tuple(spec(4, bound=(0, 3), **WHOLE) for _ in range(2))),
]
