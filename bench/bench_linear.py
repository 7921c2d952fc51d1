"""Matrices, sums and convolutions: encrypted vectors in one ciphertext, at the top of a chain of two levels more."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import pytest

import fhe
from bench.conftest import Measure
from fhe.backend.choose import choose
from fhe.circuits.convolution import convolution

RNG = np.random.default_rng(1)
LARGE, SQUARE, IMAGE = RNG.uniform(-1, 1, (256, 256)), RNG.uniform(-1, 1, (16, 16)), RNG.uniform(-1, 1, (28, 28))


def _encoded(owner: fhe.KeyOwner, m: int, n: int) -> Callable[[], Any]:
    matrix, x = owner.encode_matrix(LARGE[:m, :n]), owner.encrypt(LARGE[0, :n], bound=1)
    return lambda: matrix @ x


def _encoding(owner: fhe.KeyOwner, m: int, n: int) -> Callable[[], Any]:
    x = owner.encrypt(LARGE[0, :n], bound=1)
    return lambda: LARGE[:m, :n] @ x


def _sum(owner: fhe.KeyOwner) -> Callable[[], Any]:
    x = owner.encrypt(RNG.uniform(-1, 1, owner.parameters.slots), bound=1)
    return x.sum


def _product(owner: fhe.KeyOwner) -> Callable[[], Any]:
    x, y = owner.encrypt(SQUARE, bound=1), owner.encrypt(SQUARE.T, bound=1)

    def product() -> Any:
        return (x @ y).settled()

    return product


def _convolution(owner: fhe.KeyOwner) -> Callable[[], Any]:
    (x,) = owner.encrypt(IMAGE.ravel(), bound=1).shards
    function = convolution(owner.evaluator, SQUARE[:5, :5].reshape(1, 1, 5, 5), (1, 28, 28))
    function.encode(x.level)
    return lambda: function(x)


CASES: dict[str, Callable[[fhe.KeyOwner], Callable[[], Any]]] = {
    "Plain (64, 128) @ x": lambda owner: _encoded(owner, 64, 128),
    "Plain (64, 128) @ x, encoding": lambda owner: _encoding(owner, 64, 128),
    "Plain (256, 256) @ x": lambda owner: _encoded(owner, 256, 256),
    "Plain (256, 256) @ x, encoding": lambda owner: _encoding(owner, 256, 256),
    "Sum of all slots": _sum,
    "Encrypted (16, 16) @ (16, 16)": _product,
    "Convolution, 28 x 28 by 5 x 5": _convolution,
}


@pytest.mark.parametrize("name", CASES)
def bench_linear(measure: Measure, name: str, target: str) -> None:
    owner = owner_of(target)
    function = CASES[name](owner)
    function()  # keys, and what is encoded once
    p = owner.parameters
    measure(f"CKKS, linear, N = {p.ring_degree}, {target}", name, function, N=p.ring_degree, target=target)


@lru_cache(maxsize=1)
def owner_of(target: str) -> fhe.KeyOwner:
    return fhe.ckks(depth=3, ring_degree=2**13, bound=16, backend=choose("native", target))
