"""Trees, forests and neighbours beside encrypted rows: thousands at once, and one alone, at 128-bit security."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from sklearn.datasets import load_iris

import fhe
from fhe.backend.choose import choose
from fhe.ml import DecisionTreeRegressor, KNeighborsClassifier, RandomForestRegressor, digits_of

ROUNDS = 5  # of seconds each
RNG = np.random.default_rng(1)


@lru_cache(maxsize=4)
def learnt(bits: int, features: int, **how: Any) -> tuple[Any, Any]:
    """A tree of so many questions about integers of so many bits, of which few leaves are alike."""
    X = RNG.integers(0, 1 << bits, (20000, features))
    unit = X / (1 << bits)
    y = 3 * np.sin(12 * unit[:, 0]) + unit[:, 1] + 2 * (unit[:, 2] > 0.5) * (unit[:, 3] > 0.3) + RNG.normal(size=20000)
    kind = RandomForestRegressor if "n_estimators" in how else DecisionTreeRegressor
    return X, kind(random_state=0, decimals=2, **how).fit(X, y)


def _many(bits: int, target: str, **how: Any) -> tuple[int, Callable[[], Any]]:
    X, model = learnt(bits, 8, **how)
    owner = fhe.bfv(model.depth(bits=bits), plain_modulus=65537, backend=choose("native", target))
    rows = X[: owner.parameters.slots]
    x = owner.encrypt_bits(rows, bits=bits, batch=0)
    assert np.array_equal(owner.decrypt(model.predict(x)).astype(float), model.predict(rows))
    return len(rows), lambda: model.predict(x)


def _one(bits: int, target: str, features: int = 12, **how: Any) -> tuple[int, Callable[[], Any]]:
    X, model = learnt(bits, features, **how)
    owner = fhe.bfv(model.depth(bits=bits, single=True), plain_modulus=65537, backend=choose("native", target))
    server = owner.public(rotations=model.single_rotations(owner.parameters.ring_degree))
    fast = model.for_single_rows(server, bits=bits)
    x = server.load(owner.encrypt(digits_of(X[:1], bits), bound=(0, 1)).to_bytes())
    assert owner.decrypt(owner.load(fast.predict(x).to_bytes())).astype(float)[0] == model.predict(X[:1])[0]
    return 1, lambda: fast.predict(x)


def _neighbours(rows: int, target: str) -> tuple[int, Callable[[], Any]]:
    X, y = load_iris(return_X_y=True)
    X = np.round((X - X.min(axis=0)) / np.ptp(X, axis=0) * 7).astype(int)
    order = RNG.permutation(150)
    model = KNeighborsClassifier(5).fit(X[order[:60]], y[order[:60]])
    owner = fhe.bfv(model.depth((0, 7), rows=rows), value_bits=12, backend=choose("native", target))
    x = owner.encrypt(X[order[60 : 60 + rows]], bound=(0, 7))
    assert np.array_equal(owner.decrypt(model.votes(x)), model.votes(X[order[60 : 60 + rows]]))
    return rows, lambda: model.votes(x)


CASES: dict[str, Callable[[str], tuple[int, Callable[[], Any]]]] = {
    "Tree of depth 10, 6 bits, many rows": lambda target: _many(6, target, max_depth=10),
    "Tree of depth 10, 16 bits, one row": lambda target: _one(16, target, max_depth=10),
    "Tree of 1023 questions, 16 bits, one row": lambda target: _one(16, target, max_leaf_nodes=1024, max_depth=16),
    "Forest of 20 trees of depth 5, 6 bits, many rows": lambda target: _many(6, target, n_estimators=20, max_depth=5),
    "60 neighbours, one row": lambda target: _neighbours(1, target),
    "60 neighbours, four rows": lambda target: _neighbours(4, target),
}


@pytest.mark.parametrize("name", CASES)
def bench_trees(benchmark: BenchmarkFixture, name: str, target: str) -> None:
    rows, function = CASES[name](target)
    benchmark.group, benchmark.name = f"Trees, all rows together, {target}", f"{name}: {rows}"
    benchmark.extra_info.update(N=0, target=target, rows=rows)
    benchmark.pedantic(function, rounds=ROUNDS, warmup_rounds=1)  # keys, and what is encoded once
