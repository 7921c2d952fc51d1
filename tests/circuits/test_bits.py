"""Circuits on bits, on plain integers: every pair of small ones, and wide ones at their edges."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhe.circuits.bits import Bit, BitCircuits, depth_of_bits, products_of_bits

PLAIN = BitCircuits(lambda bit: bit)


class Counted:
    """A bit that counts what is multiplied, and how deep."""

    products = 0

    def __init__(self, value: int, depth: int = 0) -> None:
        self.value, self.depth = value, depth

    def __add__(self, other: Counted) -> Counted:
        return Counted(self.value + other.value, max(self.depth, other.depth))

    def __sub__(self, other: Counted) -> Counted:
        return Counted(self.value - other.value, max(self.depth, other.depth))

    def __mul__(self, other: Counted) -> Counted:
        Counted.products += 1
        return Counted(self.value * other.value, max(self.depth, other.depth) + 1)


def bits_of(values: Any, width: int) -> list[Bit]:
    return [(np.asarray(values, dtype=object) >> i) & 1 for i in range(width)]


def integers_of(bits: list[Bit], signed: bool = False) -> Any:
    weights = [1 << i for i in range(len(bits))]
    weights[-1] *= -1 if signed else 1
    return sum(0 if bit is None else bit * weight for bit, weight in zip(bits, weights, strict=True))


@pytest.mark.parametrize("width", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("signed", [False, True])
def test_every_pair_of_small_integers(width: int, signed: bool) -> None:
    low = -(1 << (width - 1)) if signed else 0
    values = np.arange(low, low + (1 << width), dtype=object)
    x, y = (v.ravel() for v in np.meshgrid(values, values))
    a, b = bits_of(x, width), bits_of(y, width)
    assert np.array_equal(PLAIN.greater(a, b, signed), x > y)
    assert np.array_equal(PLAIN.differ(a, b), x != y)
    assert np.array_equal(integers_of(PLAIN.subtract(a, b)[:-1]), (x - y) % (1 << width))
    if not signed:
        assert np.array_equal(integers_of(PLAIN.add(a, b)), x + y)
        assert np.array_equal(PLAIN.subtract(a, b)[-1], y > x)
        mask = x % 2
        assert np.array_equal(
            integers_of([PLAIN.choose(mask, p, q) for p, q in zip(a, b, strict=True)]), np.where(mask, x, y)
        )


@given(x=st.integers(0, 2**70 - 1), y=st.integers(0, 2**70 - 1), known=st.sets(st.integers(0, 69)))
def test_bits_that_are_publicly_zero_are_left_out(x: int, y: int, known: set[int]) -> None:
    for i in known:
        x &= ~(1 << i)
    full, sparse = bits_of(x, 70), [None if i in known else bit for i, bit in enumerate(bits_of(x, 70))]
    other = bits_of(y, 70)
    nothing = lambda bit: 0 if bit is None else bit  # noqa: E731
    for circuit in (PLAIN.greater, PLAIN.differ):
        assert nothing(circuit(sparse, other)) == circuit(full, other)
        assert nothing(circuit(other, sparse)) == circuit(other, full)
        assert nothing(circuit(sparse, sparse)) == 0
    assert integers_of(PLAIN.add(sparse, other)) == x + y
    assert integers_of(PLAIN.subtract(sparse, other)[:-1]) == (x - y) % 2**70
    assert integers_of([PLAIN.choose(1, p, q) for p, q in zip(sparse, other, strict=True)]) == x
    assert integers_of([PLAIN.choose(0, p, q) for p, q in zip(sparse, other, strict=True)]) == y


@pytest.mark.parametrize("width", [1, 2, 3, 8, 13, 16, 32])
def test_work_and_depth_are_as_stated(width: int) -> None:
    a, b = ([Counted(value >> i & 1) for i in range(width)] for value in (0x5A5A5A5A, 0x5A5A5A59))
    Counted.products = 0
    found = PLAIN.greater(a, b)
    assert (Counted.products, found.depth) == (products_of_bits(width), depth_of_bits(width))
    deep: Callable[[list[Bit]], int] = lambda bits: max(bit.depth for bit in bits)  # noqa: E731
    assert deep([PLAIN.differ(a, b)]) == depth_of_bits(width)
    assert deep(PLAIN.add(a, b)) <= depth_of_bits(width) + 1
    assert deep(PLAIN.subtract(a, b)) <= depth_of_bits(width) + 1
