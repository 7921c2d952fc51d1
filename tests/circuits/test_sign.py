"""Composite polynomials for the sign: what they promise, and that their degrees are the cheapest."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhe.circuits.sign import composed, nearest, next_gap, sign, slack
from fhe.circuits.sign_table import DEGREES, ERROR_BITS
from fhe.errors import EncodingError
from tests.vectors import make_sign_table

ROUNDING = 1e-12


@given(
    margin=st.floats(0.001, 0.5),
    bound=st.floats(0.6, 20),
    error=st.sampled_from([0.1, 1e-2, 1e-3, 9.6e-7]),
    at=st.floats(0, 1),
)
def test_the_sign_is_right_beyond_the_margin(margin: float, bound: float, error: float, at: float) -> None:
    found = sign(margin, error, bound)
    x = np.array(margin + at * (bound - margin))
    assert found.error <= error
    assert abs(found(x) - 1) <= found.error + ROUNDING
    assert abs(found(-x) + 1) <= found.error + ROUNDING
    assert abs(found(np.array(at * margin))) <= 1 + found.error + ROUNDING
    assert found(np.array(0.0)) == 0


@pytest.mark.parametrize("margin_bits", [1, 7, 20])
def test_the_error_is_attained(margin_bits: int) -> None:
    found = sign(2.0**-margin_bits, 1e-3)
    x = np.geomspace(2.0**-margin_bits, 1, 100001)
    assert np.max(np.abs(found(x) - 1)) == pytest.approx(found.error, rel=0.25)


@given(gap=st.floats(2.0**-12, 0.9), degree=st.sampled_from([3, 7, 15, 27, 31]))
def test_a_stage_is_good_for_noisy_values(gap: float, degree: int) -> None:
    """On the slack too: from gap - slack to 1 + slack it stays within 1 and where the next stage begins."""
    p, error = nearest(degree, gap)
    values = p(np.geomspace(gap - slack(gap), 1 + slack(gap), 4001))
    assert np.min(values) >= next_gap(error) * (1 - 1e-9)
    assert np.max(values) <= 1 + ROUNDING
    assert np.max(np.abs(p(np.linspace(-gap, gap, 401)))) <= 1 + ROUNDING
    assert not p.coef[::2].any()


@pytest.mark.parametrize("margin_bits", range(1, len(DEGREES) + 1))
def test_every_row_of_the_table_holds(margin_bits: int) -> None:
    margin = 2.0**-margin_bits
    for bits, degrees in zip(ERROR_BITS, DEGREES[margin_bits - 1], strict=True):
        assert composed(degrees, margin, 1.0).error <= 2.0**-bits


@pytest.mark.parametrize("margin_bits", [1, 3, 5])
def test_the_table_is_what_its_script_makes(margin_bits: int) -> None:
    found = make_sign_table.search(margin_bits, deepest=10)
    cheapest = tuple(make_sign_table.cheapest(found, bits) for bits in ERROR_BITS)
    assert cheapest == DEGREES[margin_bits - 1]


def test_depth_is_as_published() -> None:
    """Lee, Lee, No, Kim (ePrint 2020/834): the least depth for margin 2^-a and error 2^(1-a), slack or not."""
    assert [sign(2.0**-a, 2.0 ** (1 - a)).depth for a in (8, 12)] == [11, 16]


def test_wider_margins_are_cheaper() -> None:
    depths = [sign(margin, 1e-3).depth for margin in (0.5, 0.1, 0.01, 1e-3, 1e-4)]
    assert depths == sorted(depths)
    assert depths[0] < depths[-1]


@pytest.mark.parametrize(("margin", "bound"), [(0.0, 1.0), (-1.0, 1.0), (1.0, 1.0), (2.0, 1.0), (float("nan"), 1.0)])
def test_a_margin_lies_within_the_bound(margin: float, bound: float) -> None:
    with pytest.raises(EncodingError, match="the margin of a sign must lie between 0 and the bound"):
        sign(margin, 1e-3, bound)


@pytest.mark.parametrize(("margin", "error"), [(1e-12, 1e-3), (0.1, 1e-9)])
def test_a_hopeless_sign_is_refused(margin: float, error: float) -> None:
    with pytest.raises(EncodingError, match="too many stages"):
        sign(margin, error)


@pytest.mark.parametrize("error", [0.0, -1.0, 1.0])
def test_an_error_is_one(error: float) -> None:
    with pytest.raises(EncodingError, match="the error of a sign"):
        sign(0.1, error)
