"""Networks on encrypted images at 128-bit security: one image alone, and as many as there are slots, each at a time.

The shapes are those that others measure: a small network for 8 x 8 digits, LoLa's for 28 x 28 (Brutzkus et al., ICML
2019: a convolution, squares, two matrices), and a perceptron 784-128-128-10. Weights are drawn: time does not depend on
them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import fhe
from bench.conftest import Measure
from fhe.backend.choose import choose
from fhe.ml import AvgPool2d, Conv2d, ConvNet, Flatten, Linear, SiLU, Square
from fhe.ml.layers import Layer
from fhe.ml.learning import drawn

RNG = np.random.default_rng(1)
NETWORKS: dict[str, tuple[tuple[int, ...], list[Layer]]] = {
    "Digits 8 x 8": (
        (1, 8, 8),
        [Conv2d(6, 3, padding=1), Square(), AvgPool2d(2), Flatten(), Linear(32), Square(), Linear(10)],
    ),
    "LoLa 28 x 28": (
        (1, 28, 28),
        [Conv2d(5, 5, stride=2, padding=1), Square(), Flatten(), Linear(100), Square(), Linear(10)],
    ),
    "MLP 784-128-128-10": ((784,), [Linear(128), Square(), Linear(128), Square(), Linear(10)]),
    "MLP 784-128-128-10, SiLU": ((784,), [Linear(128), SiLU(), Linear(128), SiLU(), Linear(10)]),
    "Two convolutions 3 x 16 x 16": (
        (3, 16, 16),
        [Conv2d(8, 3, padding=1), Square(), AvgPool2d(2), Conv2d(16, 3, padding=1), Square(), Flatten(), Linear(10)],
    ),
}


THOUSANDS = "Digits 8 x 8", "LoLa 28 x 28", "MLP 784-128-128-10"


@lru_cache(maxsize=1)
def network(name: str, target: str) -> tuple[ConvNet, fhe.KeyOwner]:
    """With weights, and an owner whose keys are made when they are first asked for."""
    shape, layers = NETWORKS[name]
    model = ConvNet.of(drawn(layers, shape, RNG), shape).approximate(RNG.uniform(0, 1, (200, *shape)), degree=3)
    return model, fhe.KeyOwner(model.parameters(), choose("native", target))


def one(model: ConvNet, owner: fhe.KeyOwner) -> Callable[[], Any]:
    x = owner.encrypt(RNG.uniform(0, 1, model.shape_), bound=1)
    model.encode(owner)
    return lambda: model.decision_function(x)


def many(model: ConvNet, owner: fhe.KeyOwner) -> Callable[[], Any]:
    x = owner.encrypt(RNG.uniform(0, 1, (owner.parameters.slots, *model.shape_)), bound=1, batch=0)
    return lambda: model.decision_function(x)


@pytest.mark.parametrize("name", NETWORKS)
def bench_one_image(measure: Measure, name: str, target: str) -> None:
    model, owner = network(name, target)
    p = owner.parameters
    title = f"Networks, one image, N = {p.ring_degree}, {p.max_level} levels, {target}"
    measure(title, name, one(model, owner), N=p.ring_degree, images=1, target=target)


@pytest.mark.parametrize("name", THOUSANDS)
def bench_many_images(benchmark: BenchmarkFixture, name: str, target: str) -> None:
    """A round takes seconds: two of them tell enough."""
    model, owner = network(name, target)
    p = owner.parameters
    benchmark.group = f"Networks, {p.slots} images together, N = {p.ring_degree}, {p.max_level} levels, {target}"
    benchmark.name = name
    benchmark.extra_info.update(N=p.ring_degree, images=p.slots, target=target)
    benchmark.pedantic(many(model, owner), rounds=2, warmup_rounds=1)
