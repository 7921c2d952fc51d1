"""Bounds on polynomials hold at every point, and are nearly attained."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.polynomial import Chebyshev, Polynomial

from fhe.circuits.extremes import Series, largest, points, steepest

ANGLES = np.exp(2j * np.pi * np.arange(64) / 64)


@st.composite
def polynomials(draw: st.DrawFn) -> Series:
    kind = draw(st.sampled_from([Polynomial, Chebyshev]))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    return kind(rng.standard_normal(draw(st.integers(0, 40)) + 1))


@given(p=polynomials(), low=st.floats(-2, 1), width=st.floats(0.01, 3))
def test_the_largest_value_is_neither_passed_nor_far(p: Series, low: float, width: float) -> None:
    found = largest(p, low, low + width)
    seen = np.max(np.abs(p(np.append(np.linspace(low, low + width, 5001), points(20011, low, low + width)))))
    assert seen * (1 - 1e-9) <= found <= 1.0056 * seen


def test_the_largest_value_may_hide_between_points() -> None:
    """T_n has its extremes exactly between the sampled points if these are as few as its degree allows."""
    for degree in range(1, 60):
        assert largest(Chebyshev.basis(degree), -1, 1) >= 1


@given(p=polynomials(), low=st.floats(-1, 0.9), width=st.floats(0.01, 1), distance=st.floats(1e-9, 0.1))
def test_no_slope_nearby_is_steeper(p: Series, low: float, width: float, distance: float) -> None:
    high = min(low + width, 1.0)
    x = np.linspace(low, high, 301)[:, None]
    seen = np.max(np.abs(p.deriv()(x + distance * ANGLES)))
    assert seen * (1 - 1e-9) <= steepest(p, low, high, distance)


def test_slopes_nearby_are_those_at_hand_when_near_means_near() -> None:
    for p in (Chebyshev.basis(15), Polynomial([0, 1, -1, 1, -1])):
        seen = np.max(np.abs(p.deriv()(np.linspace(-1, 1, 9999))))
        assert steepest(p, -1, 1, 1e-9) < 1.006 * seen
