"""Digits, and their inner products with a switching key."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.machine import Machine
from tests.strategies import DigitLayout, Primes, bases, digit_layouts, digit_polys, leadings, polys


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


@st.composite
def keys(draw: st.DrawFn, layout: DigitLayout) -> tuple[Primes, list[list[np.ndarray]]]:
    """A basis that begins with that of the layout, and over it rows for its digits, or for one digit more."""
    basis = layout.basis + draw(bases((1, 1), st.just(layout.basis.ring_degree))).limbs(0, draw(st.integers(0, 1)))
    digits = len(layout.digits) + draw(st.integers(0, 1))
    return basis, [[draw(polys(basis)) for _ in range(digits)] for _ in "ba"]


@given(digit_layouts(), st.data())
def test_pack_key(agree, layout, data):
    """What is packed is what is unpacked, also of primes of many lengths."""
    basis, key = data.draw(keys(layout))

    def packed(m):
        b, a = ([m.load_eval(basis, row) for row in half] for half in key)
        return [
            m.read_eval(row) for half in m.backend.unpack_key(m.backend.pack_key(m.handle(basis), b, a)) for row in half
        ]

    agree(packed)


@given(digit_layouts(), st.data())
def test_unpack_key(agree, layout, data):
    """Unpacking gives residues that go on being computed with."""
    basis, key = data.draw(keys(layout))

    def sums(m):
        b, a = m.backend.unpack_key(m.load_key(basis, key))
        return [m.read_eval(m.backend.add(m.handle(basis), x, y)) for x, y in zip(b, a, strict=True)]

    agree(sums)


@given(digit_layouts(), st.data())
def test_key_product(agree, layout, data):
    basis, key = data.draw(keys(layout))
    leading = data.draw(leadings())
    digits = [data.draw(polys(layout.basis, leading)) for _ in layout.digits]

    def product(m):
        rows = [m.load_eval(layout.basis, digit) for digit in digits]
        return [
            m.read_eval(half) for half in m.backend.key_product(m.handle(layout.basis), rows, m.load_key(basis, key))
        ]

    agree(product)


@given(digit_layouts(), st.data())
def test_key_switch(agree, layout, data):
    """With batches of polynomials, and with a key of more limbs or digits than the ciphertext has left."""
    basis, key = data.draw(keys(layout))
    x = data.draw(digit_polys(layout, data.draw(leadings())))
    agree(
        lambda m: [
            m.read_eval(half)
            for half in m.backend.key_switch(
                m.handle(layout.basis), *both_domains(m, layout, x), m.load_key(basis, key)
            )
        ]
    )


@given(digit_layouts(), st.integers(0, 2), st.data())
def test_switch_down(agree, layout, addends, data):
    """Down to any level, with addends to both halves, to one or to none."""
    leading, level = data.draw(leadings()), data.draw(st.integers(1, len(layout.lower)))
    basis, key = data.draw(keys(layout))
    x = data.draw(digit_polys(layout, leading))
    ys = [data.draw(polys(layout.lower, leading)) for _ in range(addends)]
    agree(
        lambda m: [
            m.read_eval(half)
            for half in m.backend.switch_down(
                m.handle(layout.basis),
                layout.special,
                layout.digit,
                layout.special + level,
                m.load_eval(layout.lower, x),
                m.load_key(basis, key),
                [m.load_eval(layout.lower, y) for y in ys],
            )
        ]
    )
