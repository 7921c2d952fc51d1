"""Approximations keep the error that they state, at points they were not measured at."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhe.circuits.approximation import SIGN_F, SIGN_G, Approximation, chebyshev, sigmoid, sign

BETWEEN = 1 + 1e-6  # between the points of a fine grid an error is a little larger


@given(degree=st.integers(1, 40), low=st.floats(-9, 0), width=st.floats(0.5, 20), at=st.floats(0, 1))
def test_the_stated_error_is_not_exceeded(degree: int, low: float, width: float, at: float) -> None:
    high = low + width
    for function in (sigmoid, np.exp, np.sin):
        found = chebyshev(function, degree, low, high)
        x = np.clip(low + at * width, low, high)
        assert abs(found(x) - function(x)) <= found.error * BETWEEN + 1e-12 * (1 + np.exp(high))


@pytest.mark.parametrize(("bound", "degree", "error"), [(8, 7, 0.0297), (8, 15, 0.00139), (8, 31, 3.1e-6)])
def test_the_sigmoid_is_as_good_as_expected(bound: int, degree: int, error: float) -> None:
    found = chebyshev(sigmoid, degree, -bound, bound)
    assert found.error < error
    assert found.domain == (-bound, bound)


def test_the_error_is_near_the_best() -> None:
    """|x| on [-1, 1] has best error 0.28017… / n for degree n (Bernstein's constant)."""
    assert 0.280 / 64 < chebyshev(np.abs, 64).error < (2 + 2 / np.pi * np.log(65)) * 0.2802 / 64


def test_an_odd_function_has_odd_coefficients() -> None:
    (polynomial,) = chebyshev(np.tanh, 15, -4, 4).stages
    assert not polynomial.coef[::2].any()
    assert polynomial.coef[1::2].all()


def test_the_sigmoid_does_not_overflow() -> None:
    assert sigmoid(np.array([-1e4, 0.0, 1e4])).tolist() == [0.0, 0.5, 1.0]


def test_the_polynomials_of_the_sign() -> None:
    """Their defining properties: f(1) = 1 and f' = c (1 - x^2)^3; g keeps [-1, 1] and is 4589/1024 steep at 0."""
    x = np.linspace(-1, 1, 1001)
    np.testing.assert_allclose(SIGN_F(1.0), 1)
    np.testing.assert_allclose(SIGN_F.deriv()(x), 35 / 16 * (1 - x**2) ** 3, atol=1e-12)
    np.testing.assert_allclose(SIGN_G.deriv()(0.0), 4589 / 1024)
    assert np.max(np.abs(SIGN_G(x))) <= 1


@given(
    margin=st.floats(0.01, 0.5),
    bound=st.floats(0.6, 20),
    error=st.sampled_from([0.1, 1e-2, 1e-3, 1e-6]),
    at=st.floats(0, 1),
)
def test_the_sign_is_right_beyond_the_margin(margin: float, bound: float, error: float, at: float) -> None:
    found = sign(margin, error, bound)
    x = margin + at * (bound - margin)
    assert found.error <= error
    assert abs(found(x) - 1) <= found.error * BETWEEN + 1e-12
    assert abs(found(-x) + 1) <= found.error * BETWEEN + 1e-12
    assert abs(found(np.array(at * margin))) <= 1 + 1e-9


def test_the_sign_takes_the_fewest_stages() -> None:
    def stages(found: Approximation) -> int:
        return len(found.stages)

    assert stages(sign(0.9, 0.1)) == 1
    assert stages(sign(0.25, 1e-3, 8)) == 4
    assert stages(sign(0.01, 1e-3)) > stages(sign(0.1, 1e-3))


@pytest.mark.parametrize(("margin", "bound"), [(0.0, 1.0), (-1.0, 1.0), (1.0, 1.0), (2.0, 1.0), (float("nan"), 1.0)])
def test_a_margin_lies_within_the_bound(margin: float, bound: float) -> None:
    with pytest.raises(ValueError, match="the margin of a sign must lie between 0 and the bound"):
        sign(margin, 1e-3, bound)


def test_a_hopeless_margin_is_refused() -> None:
    with pytest.raises(ValueError, match="too many stages"):
        sign(1e-12, 1e-3)
