"""Approximations keep the error that they state, at points they were not measured at."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.polynomial import Chebyshev

from fhe.circuits.approximation import GRID, LARGEST_DEGREE, best, chebyshev, deviation, sigmoid, within
from fhe.circuits.extremes import points
from fhe.circuits.remez import Function
from fhe.errors import EncodingError

ROUNDING = 1e-12
FUNCTIONS: dict[str, Function] = {"sigmoid": sigmoid, "exp": np.exp, "sin": np.sin, "abs": np.abs}


@given(
    name=st.sampled_from(sorted(FUNCTIONS)),
    degree=st.integers(1, 40),
    low=st.floats(-9, 0),
    width=st.floats(0.5, 20),
    at=st.floats(0, 1),
)
def test_the_stated_error_is_not_exceeded(name: str, degree: int, low: float, width: float, at: float) -> None:
    high, function = low + width, FUNCTIONS[name]
    for found in (chebyshev(function, degree, low, high), best(function, degree, low, high)):
        x = np.array([np.clip(low + at * width, low, high)])
        assert abs(found(x) - function(x)) <= found.error + ROUNDING * (1 + np.exp(high))


@given(name=st.sampled_from(sorted(FUNCTIONS)), degree=st.integers(1, 40), bound=st.floats(0.5, 8))
def test_the_stated_error_is_nearly_attained(name: str, degree: int, bound: float) -> None:
    function = FUNCTIONS[name]
    found = best(function, degree, -bound, bound)
    x = np.concatenate([[-bound, 0, bound], np.random.default_rng(degree).uniform(-bound, bound, 20000)])
    assert found.error <= 1.1 * np.max(np.abs(found(x) - function(x))) + ROUNDING * np.exp(bound)


@given(name=st.sampled_from(sorted(FUNCTIONS)), degree=st.integers(1, 40), bound=st.floats(0.5, 8))
def test_the_best_is_better_than_interpolation(name: str, degree: int, bound: float) -> None:
    """By at most the factor that Rivlin's bound allows."""
    function = FUNCTIONS[name]
    interpolated, nearest = chebyshev(function, degree, -bound, bound), best(function, degree, -bound, bound)
    floor = ROUNDING * np.exp(bound)
    assert nearest.error <= interpolated.error * 1.02 + floor
    assert interpolated.error <= nearest.error * (2 + 2 / np.pi * np.log(degree + 1)) * 1.05 + floor


@pytest.mark.parametrize(("bound", "degree", "error"), [(8, 7, 0.019), (8, 15, 0.00089), (8, 31, 2e-6)])
def test_the_sigmoid_is_as_good_as_expected(bound: int, degree: int, error: float) -> None:
    found = best(sigmoid, degree, -bound, bound)
    assert found.error < error
    assert found.domain == (-bound, bound)


def test_the_error_is_near_the_best() -> None:
    """|x| on [-1, 1] has best error 0.28017… / n for degree n (Bernstein's constant)."""
    assert 0.280 / 64 < chebyshev(np.abs, 64).error < (2 + 2 / np.pi * np.log(65)) * 0.2802 / 64 * 1.01
    assert best(np.abs, 64).error == pytest.approx(0.2802 / 64, rel=0.03)


@pytest.mark.parametrize("approximate", [chebyshev, best])
def test_an_odd_function_has_odd_coefficients(approximate: type[Chebyshev]) -> None:
    (polynomial,) = approximate(np.tanh, 15, -4, 4).stages
    assert not polynomial.coef[::2].any()
    assert polynomial.coef[1::2].all()


def test_an_odd_function_may_be_shifted() -> None:
    (polynomial,) = best(sigmoid, 15, -4, 4).stages
    assert polynomial.coef[0] == 0.5
    assert not polynomial.coef[2::2].any()


@given(error=st.floats(1e-9, 0.3), bound=st.floats(0.5, 4))
def test_the_least_degree_is_found(error: float, bound: float) -> None:
    found = within(np.exp, error, -bound, bound)
    degree = found.stages[0].degree()
    assert found.error <= error
    assert degree == 1 or best(np.exp, degree - 1, -bound, bound).error > error
    assert found.depth == math.ceil(math.log2(degree + 1)) + (1 / bound % 1 != 0)


def test_wide_intervals_take_large_degrees() -> None:
    """1 / x where the largest x is 30000 times the smallest, to a ten-thousandth of the largest value."""
    found = within(np.reciprocal, 3.0, 1 / 30000, 1.0)
    assert 511 < found.stages[0].degree() <= 2047
    assert found.depth <= 12
    x = np.geomspace(1 / 30000, 1, 999)
    assert np.max(np.abs(found(x) - 1 / x)) <= found.error <= 3


def test_a_peak_between_two_points_is_counted() -> None:
    x = points(GRID, -1, 1)
    peak = (x[GRID // 2] + x[GRID // 2 + 1]) / 2
    found = deviation(lambda x: 1 - 0.5 * np.abs(x - peak), np.zeros_like, 1, -1, 1)
    assert 1 <= found < 1.001


def test_scaling_is_free() -> None:
    found = best(np.sin, 7, -2, 2)
    half = found.scaled(-0.5, 3.0)
    x = np.linspace(-2, 2, 99)
    np.testing.assert_allclose(half(x), 3 - found(x) / 2)
    assert half.error == found.error / 2
    assert half.depth == found.depth


def test_it_says_what_it_is() -> None:
    assert str(best(sigmoid, 15, -8, 8)) == "degree 15 on [-8, 8], error at most 0.00088, 5 levels"


def test_the_sigmoid_does_not_overflow() -> None:
    assert sigmoid(np.array([-1e4, 0.0, 1e4])).tolist() == [0.0, 0.5, 1.0]


@pytest.mark.parametrize(("low", "high"), [(1.0, 1.0), (2.0, 1.0), (0.0, math.inf), (math.nan, 1.0)])
def test_an_interval_is_one(low: float, high: float) -> None:
    with pytest.raises(EncodingError, match="an interval has two finite ends"):
        best(np.exp, 3, low, high)


@pytest.mark.parametrize("degree", [0, -1, LARGEST_DEGREE + 1, True, 2.0])
def test_a_degree_is_one(degree: int) -> None:
    with pytest.raises(EncodingError, match="the degree of an approximation"):
        best(np.exp, degree)


@pytest.mark.parametrize("function", [np.log, np.reciprocal, lambda x: 1.0, lambda x: x + 1j, math.exp])
def test_a_function_is_finite_and_takes_arrays(function: Function) -> None:
    with pytest.raises((EncodingError, TypeError), match=r"finite on all|only"):
        best(function, 3, -1, 1)


def test_what_no_polynomial_reaches_is_refused() -> None:
    with pytest.raises(EncodingError, match="no polynomial of degree 2047 is within 1e-06"):
        within(np.abs, 1e-6)
    with pytest.raises(EncodingError, match="must be positive"):
        within(np.exp, 0.0)
