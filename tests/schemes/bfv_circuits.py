"""Random BFV circuits, on ciphertexts and on Python's integers at once."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from fhe.bfv.evaluator import BFVEvaluator
from fhe.bfv.noise_budget import noise_budget_bits
from fhe.errors import NoiseError
from fhe.owner import KeyOwner
from fhe.parameters import BFVParameters
from fhe.rlwe.ciphertext import Ciphertext
from tests.schemes import negacyclic
from tests.schemes.owners import INSECURE

Integers = NDArray[Any]  # Python's, of any size
Operation = Callable[["Circuit", int, int, int], "Wire | None"]

N = 16


def toy(t: int, levels: int = 5) -> BFVParameters:
    return BFVParameters(
        ring_degree=N, modulus_bits=[46] * levels, special_bits=[46] * 2, plain_modulus=t, insecure=INSECURE
    )


# Batching: the smallest prime, the usual one, and one of 45 bits. By coefficients: the smallest t, and one not prime.
MODULI = [97, 65537, 35184372088673, 2, 6**6]


@dataclass(frozen=True)
class Wire:
    """A ciphertext and the integers in it."""

    x: Ciphertext
    values: Integers


def adversarial(kind: int, seed: int, t: int) -> Integers:
    """Values at the edges of [-t/2, t/2): constants, a single one, both ends in turn, or anything."""
    low, high = -(t // 2), (t - 1) // 2
    edges = [0, 1, -1, low, high]
    if kind < 5:
        return np.array([max(low, min(edges[kind], high))] * N, dtype=object)
    if kind == 5:
        return np.array([high if i == seed % N else 0 for i in range(N)], dtype=object)
    if kind == 6:
        return np.array([(low, high)[(seed >> i) & 1] for i in range(N)], dtype=object)
    return np.random.default_rng(seed).integers(low, high, N, endpoint=True).astype(object)


@dataclass
class Circuit:
    """Wires made by operations; every new one is decrypted and compared."""

    owner: KeyOwner
    wires: list[Wire] = field(default_factory=list)
    refused: int = 0

    @property
    def ev(self) -> BFVEvaluator:
        assert isinstance(self.owner.evaluator, BFVEvaluator)
        return self.owner.evaluator

    @property
    def t(self) -> int:
        return self.ev.encoder.t

    def input(self, kind: int, seed: int) -> Wire:
        values = adversarial(kind, seed, self.t)
        array = self.owner.encrypt(values.astype(np.int64), bound=math.inf, symmetric=bool(seed & 1))
        return Wire(array.shards[0], values)

    def product(self, a: Integers, b: Integers) -> Integers:
        return a * b if self.ev.parameters.batching else negacyclic.multiply(a.tolist(), b.tolist())

    def rolled(self, a: Integers, step: int) -> Integers:
        return np.roll(a.reshape(2, -1), -step, axis=1).ravel()

    def apply(self, operation: int, i: int, j: int, seed: int) -> None:
        """One operation of the list on wires i and j, counted from the newest; refusals leave no wire."""
        try:
            made = OPERATIONS[operation % len(OPERATIONS)](self, i, j, seed)
        except NoiseError:
            self.refused += 1
            return
        if made is not None:
            self.wires.append(Wire(made.x, made.values % self.t))
            check(self.owner, made.x, made.values)

    def __getitem__(self, i: int) -> Wire:
        return self.wires[-1 - i % len(self.wires)]


def check(owner: KeyOwner, x: Ciphertext, values: Integers) -> float:
    """The exact values; returns by how many bits the tracked noise is above the measured, never below."""
    ev, phase = owner.evaluator, owner._secret.decrypt(x)
    assert isinstance(ev, BFVEvaluator)
    assert not ((ev.decode(phase, x).astype(object) - values) % ev.encoder.t).any()
    above = noise_budget_bits(owner.parameters, phase) - ev.room_bits(x)
    assert above >= 0
    assert ev.room_bits(x) > 0
    return above


def _plain(circuit: Circuit, seed: int) -> tuple[Integers, NDArray[np.int64]]:
    values = adversarial(seed % 9, seed, circuit.t)
    return values, values.astype(np.int64)


def _rotated(circuit: Circuit, i: int, seed: int) -> Wire | None:
    if not circuit.ev.parameters.batching:
        return None
    step = seed % N
    return Wire(circuit.ev.rotate(circuit[i].x, step), circuit.rolled(circuit[i].values, step))


def _swapped(circuit: Circuit, i: int) -> Wire | None:
    if not circuit.ev.parameters.batching:
        return None
    return Wire(circuit.ev.swap(circuit[i].x), np.roll(circuit[i].values, N // 2))


def _scalar(circuit: Circuit, seed: int) -> int:
    t = circuit.t
    return int(adversarial(seed % 9, seed, t)[0]) if t > 2 else seed & 1


def _add_plain(circuit: Circuit, i: int, seed: int) -> Wire:
    values, plain = _plain(circuit, seed)
    return Wire(circuit.ev.add_plain(circuit[i].x, plain), circuit[i].values + values)


def _multiply_plain(circuit: Circuit, i: int, seed: int) -> Wire:
    values, plain = _plain(circuit, seed)
    return Wire(circuit.ev.multiply_plain(circuit[i].x, plain), circuit.product(circuit[i].values, values))


def _scaled(circuit: Circuit, i: int, seed: int) -> Wire:
    k = _scalar(circuit, seed)
    return Wire(circuit.ev.multiply_plain(circuit[i].x, k), circuit[i].values * k)


def _product(circuit: Circuit, i: int, j: int) -> Wire:
    a, b = circuit[i], circuit[j]
    return Wire(circuit.ev.multiply(a.x, b.x), circuit.product(a.values, b.values))


def _dot(circuit: Circuit, i: int, j: int, seed: int) -> Wire:
    picks = [(circuit[i + k], circuit[j + k * seed]) for k in range(2 + seed % 4)]
    total = sum(circuit.product(a.values, b.values) for a, b in picks)
    return Wire(circuit.ev.inner_product([a.x for a, _ in picks], [b.x for _, b in picks]), total)


def _lowered(circuit: Circuit, i: int, seed: int) -> Wire:
    x = circuit[i].x
    return Wire(circuit.ev.mod_switch(x, seed % (x.level + 1)), circuit[i].values)


OPERATIONS: list[Operation] = [
    lambda c, i, j, s: c.input(s % 9, s),
    lambda c, i, j, s: Wire(c.ev.add(c[i].x, c[j].x), c[i].values + c[j].values),
    lambda c, i, j, s: Wire(c.ev.sub(c[i].x, c[j].x), c[i].values - c[j].values),
    lambda c, i, j, s: Wire(c.ev.negate(c[i].x), -c[i].values),
    lambda c, i, j, s: _product(c, i, j),
    lambda c, i, j, s: _product(c, i, j),
    lambda c, i, j, s: Wire(c.ev.square(c[i].x), c.product(c[i].values, c[i].values)),
    _dot,
    lambda c, i, j, s: _add_plain(c, i, s),
    lambda c, i, j, s: _multiply_plain(c, i, s),
    lambda c, i, j, s: _scaled(c, i, s),
    lambda c, i, j, s: _rotated(c, i, s),
    lambda c, i, j, s: _swapped(c, i),
    lambda c, i, j, s: _lowered(c, i, s),
    lambda c, i, j, s: Wire(c.ev.settle(c[i].x), c[i].values),
    lambda c, i, j, s: Wire(c.ev.relinearize(c[i].x), c[i].values),
]


def programs(longest: int) -> st.SearchStrategy[list[tuple[int, int, int, int]]]:
    """Operations by number, with the wires they take and a seed for what is plain in them."""
    wires = st.integers(0, 5)
    step = st.tuples(st.integers(0, len(OPERATIONS) - 1), wires, wires, st.integers(0, 2**16))
    return st.lists(step, min_size=1, max_size=longest)


def run(owner: KeyOwner, program: list[tuple[int, int, int, int]], seed: int) -> Circuit:
    """The circuit of a program on two inputs."""
    circuit = Circuit(owner)
    circuit.wires = [circuit.input(kind % 9, kind) for kind in (seed, seed // 9 + 1)]
    for step in program:
        circuit.apply(*step)
    return circuit
