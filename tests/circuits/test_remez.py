"""Best approximations: their errors alternate, and no other polynomial does better."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhe.circuits.approximation import sigmoid
from fhe.circuits.remez import Function, minimax

SMOOTH: dict[str, tuple[Function, float, float]] = {
    "exp": (np.exp, -1.0, 2.0),
    "sigmoid": (sigmoid, -8.0, 8.0),
    "inverse": (lambda x: 1 / x, 0.1, 4.0),
    "sqrt": (np.sqrt, 0.0, 3.0),
    "relu": (lambda x: np.maximum(x, 0), -1.0, 1.0),
    "off-centre kink": (lambda x: np.abs(x - 0.3), -1.0, 1.0),
}


@pytest.mark.parametrize("name", SMOOTH)
@pytest.mark.parametrize("degree", [1, 2, 7, 11])
def test_the_error_alternates(name: str, degree: int) -> None:
    """Chebyshev's theorem: degree + 2 points, where the error is E and -E in turn, and nowhere larger."""
    function, low, high = SMOOTH[name]
    found = minimax(function, degree, low, high)
    assert len(found.reference) == degree + 2
    assert np.all(np.diff(found.reference) > 0)
    error = function(found.reference) - found.polynomial(found.reference)
    np.testing.assert_allclose(np.abs(error), found.levelled, rtol=1e-6, atol=1e-14)
    assert np.all(error[1:] * error[:-1] < 0)
    x = np.linspace(low, high, 20001)
    beyond = 1.04 if "off" in name else 1.004  # of a kink between two points of the grid
    assert np.max(np.abs(function(x) - found.polynomial(x))) <= found.levelled * beyond + 1e-14


@given(
    name=st.sampled_from(sorted(SMOOTH)),
    degree=st.integers(1, 12),
    seed=st.integers(0, 999),
    size=st.floats(1e-4, 1e-1),
)
def test_no_other_polynomial_does_better(name: str, degree: int, seed: int, size: float) -> None:
    """De la Vallée-Poussin: whatever is added to the best, the error at the alternating points does not fall."""
    function, low, high = SMOOTH[name]
    found = minimax(function, degree, low, high)
    other = found.polynomial.copy()
    other.coef = other.coef + size * np.random.default_rng(seed).standard_normal(len(other.coef))
    assert np.max(np.abs(function(found.reference) - other(found.reference))) >= found.levelled * (1 - 1e-6)


@pytest.mark.parametrize(("degree", "error"), [(1, 0.125), (2, 0.125), (5, 0.0675), (9, 0.028 * 1.2)])
def test_known_errors(degree: int, error: float) -> None:
    """|x| on [-1, 1] has best error 1/2 for degree 1 … in the even polynomials 1/8 for degree 2."""
    found = minimax(np.abs, degree + degree % 2, -1, 1, parity=0)
    assert found.levelled <= error * 1.0001


def test_the_best_line_for_the_square_root() -> None:
    """On [0, 1]: x + 1/8, error 1/8."""
    found = minimax(np.sqrt, 1, 0.0, 1.0)
    np.testing.assert_allclose(found.polynomial(np.array([0.0, 1.0])), [0.125, 1.125], rtol=1e-6)
    assert found.levelled == pytest.approx(0.125, rel=1e-6)


def test_bernsteins_constant() -> None:
    """n times the best error of |x| tends to 0.2801694990…"""
    assert 128 * minimax(np.abs, 128, -1, 1, parity=0).levelled == pytest.approx(0.28017, rel=1e-3)


def test_a_parity_is_kept_and_costs_nothing() -> None:
    odd = minimax(np.sin, 9, -3, 3, parity=1)
    assert not odd.polynomial.coef[::2].any()
    assert odd.levelled == pytest.approx(minimax(np.sin, 9, -3, 3).levelled, rel=1e-4)


@pytest.mark.parametrize("degree", [3, 7, 15])
@pytest.mark.parametrize("gap", [0.5, 0.1, 2.0**-12])
def test_a_gap_is_left_out(degree: int, gap: float) -> None:
    """The sign on gap <= |x| <= 1 by odd polynomials: (degree + 1) / 2 + 1 alternating points."""
    found = minimax(np.ones_like, degree, -1, 1, parity=1, gap=gap)
    error = 1 - found.polynomial(found.reference)
    assert len(found.reference) == (degree + 1) // 2 + 1
    assert np.all(error[1:] * error[:-1] < 0)
    np.testing.assert_allclose(np.abs(error), found.levelled, rtol=1e-6)
    x = np.geomspace(gap, 1, 20001)
    assert np.max(np.abs(1 - found.polynomial(x))) <= found.levelled * (1 + 1e-5)


@pytest.mark.parametrize("degree", [1, 8, 40, 127])
def test_a_polynomial_is_its_own_best_approximation(degree: int) -> None:
    found = minimax(lambda x: 3 * x - 0.5, degree, -2.0, 1.0)
    x = np.linspace(-2, 1, 999)
    np.testing.assert_allclose(found.polynomial(x), 3 * x - 0.5, atol=1e-10)


def test_where_doubles_end_the_exchange_does_too() -> None:
    x = np.linspace(-1, 1, 999)
    for degree in (15, 40, 128):
        np.testing.assert_allclose(minimax(np.exp, degree, -1, 1).polynomial(x), np.exp(x), atol=1e-12)
