"""Digits, and their inner products with a switching key."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.machine import Machine
from tests.strategies import DigitLayout, bases, digit_layouts, digit_polys, leadings, polys


def both_domains(m: Machine, layout: DigitLayout, x: np.ndarray) -> tuple:
    coeff = m.load(layout.lower, x)
    return layout.special, layout.digit, coeff, m.backend.ntt(m.handle(layout.lower), coeff)


@given(digit_layouts(), st.data())
def test_decompose(agree, layout, data):
    x = data.draw(digit_polys(layout, data.draw(leadings())))
    agree(
        lambda m: [
            m.read_eval(digit) for digit in m.backend.decompose(m.handle(layout.basis), *both_domains(m, layout, x))
        ]
    )


@given(digit_layouts(), st.integers(0, 1), st.data())
def test_key_switch(agree, layout, more, data):
    """With batches of polynomials or of keys, and with a key of more limbs than the ciphertext has left."""
    leading = data.draw(leadings())
    batched = st.sampled_from([leading, ()])
    x, batch = data.draw(digit_polys(layout, data.draw(batched))), data.draw(batched)
    longer = layout.basis + data.draw(bases((1, 1), st.just(layout.basis.ring_degree))).limbs(0, more)
    keys = [[data.draw(polys(longer, batch)) for _ in layout.digits] for _ in "ba"]
    agree(
        lambda m: [
            m.read_eval(half)
            for half in m.backend.key_switch(
                m.handle(layout.basis),
                *both_domains(m, layout, x),
                *([m.load_eval(longer, row) for row in half] for half in keys),
            )
        ]
    )


@given(digit_layouts(), st.integers(0, 1), st.integers(0, 2), st.data())
def test_switch_down(agree, layout, more, addends, data):
    """Down to any level, with addends to both halves, to one or to none."""
    leading, level = data.draw(leadings()), data.draw(st.integers(1, len(layout.lower)))
    stop = layout.special + level
    x = data.draw(digit_polys(layout, leading))
    ys = [data.draw(polys(layout.lower, leading)) for _ in range(addends)]
    longer = layout.basis + data.draw(bases((1, 1), st.just(layout.basis.ring_degree))).limbs(0, more)
    keys = [[data.draw(polys(longer)) for _ in layout.digits] for _ in "ba"]
    agree(
        lambda m: [
            m.read_eval(half)
            for half in m.backend.switch_down(
                m.handle(layout.basis),
                layout.special,
                layout.digit,
                stop,
                m.load_eval(layout.lower, x),
                *([m.load_eval(longer, row) for row in half] for half in keys),
                [m.load_eval(layout.lower, y) for y in ys],
            )
        ]
    )
