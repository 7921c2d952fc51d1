"""Digits recompose, and a switching key moves a product from one secret to another."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.machine import Machine
from tests.strategies import SEEDS, DigitLayout, digit_layouts, digit_polys, leadings, polys


def gadget(layout: DigitLayout, digit: range) -> int:
    """The integer modulo Q that is 1 modulo the primes of a digit and 0 modulo the others."""
    D = math.prod(layout.lower.moduli[digit.start : digit.stop])
    cofactor = layout.lower.product // D
    return cofactor * pow(cofactor, -1, D)


def decompose(machine: Machine, layout: DigitLayout, x: np.ndarray) -> list[np.ndarray]:
    """The digits of coefficients over Q, as evaluations in natural order over P*Q."""
    digits = machine.backend.decompose(
        machine.handle(layout.basis),
        layout.special,
        layout.digit,
        machine.load(layout.lower, x),
        machine.load_eval(layout.lower, machine.ntt(layout.lower, x)),
    )
    return [machine.read_eval(digit) for digit in digits]


def key_switch(machine: Machine, layout: DigitLayout, x: np.ndarray, key_b: list, key_a: list) -> list[np.ndarray]:
    halves = machine.backend.key_switch(
        machine.handle(layout.basis),
        layout.special,
        layout.digit,
        machine.load(layout.lower, x),
        machine.load_eval(layout.lower, machine.ntt(layout.lower, x)),
        machine.load_key(layout.basis, (key_b, key_a)),
    )
    return [machine.read_eval(half) for half in halves]


@given(digit_layouts(), st.data())
def test_each_digit_is_a_small_representative(machine, layout, data):
    """Digit j is the residues of x mod D_j, centred (beside D_j / 2 perhaps on the other side), in every prime."""
    x = data.draw(digit_polys(layout, data.draw(leadings())))
    digits = decompose(machine, layout, x)
    assert len(digits) == len(layout.digits)
    for digit, limbs in zip(digits, layout.digits, strict=True):
        own = layout.lower.limbs(limbs.start, limbs.stop)
        integers = own.integers(x[..., limbs.start : limbs.stop, :]) % own.product
        found = machine.intt(layout.basis, digit)
        centred = np.where(2 * integers > own.product, integers - own.product, integers)
        other = np.where(centred > 0, centred - own.product, centred + own.product)
        exact, beside = ((found == layout.basis.residues(v)).all(axis=-2) for v in (centred, other))
        near = np.abs(np.abs(2 * centred) - own.product) * 2**44 <= len(own) * own.product
        assert (exact | (beside & near)).all()


@given(digit_layouts(), st.data())
def test_digits_recompose(machine, layout, data):
    x = data.draw(polys(layout.lower))
    column = layout.lower.column
    total = np.zeros_like(x, dtype=object)
    for digit, limbs in zip(decompose(machine, layout, x), layout.digits, strict=True):
        weights = np.array([gadget(layout, limbs) % q for q in layout.lower.moduli], dtype=object)[:, None]
        total = (total + digit[layout.special :] * weights) % column
    assert np.array_equal(total, machine.ntt(layout.lower, x))


@given(digit_layouts(), st.data())
def test_key_switch_is_decompose_and_inner_products(machine, layout, data):
    x = data.draw(polys(layout.lower, data.draw(leadings())))
    keys = [[data.draw(polys(layout.basis)) for _ in layout.digits] for _ in range(2)]
    digits = decompose(machine, layout, x)
    expected = [
        sum(digit.astype(object) * key for digit, key in zip(digits, half, strict=True)) % layout.basis.column
        for half in keys
    ]
    found = key_switch(machine, layout, x, *keys)
    assert np.array_equal(found[0], expected[0])
    assert np.array_equal(found[1], expected[1])


@given(digit_layouts(), SEEDS, st.data())
def test_key_switch_moves_a_product_to_another_secret(machine, layout, seed, data):
    """A key without errors, ``b_j + a_j s = P * gadget_j * s'``, gives ``b + a s = P * x * s'`` exactly."""
    rng = np.random.default_rng(seed)
    basis, lower, special = layout.basis, layout.lower, layout.special
    P, column = math.prod(basis.moduli[:special]), basis.column
    old, new = (machine.ntt(basis, basis.residues(rng.integers(-1, 2, basis.ring_degree))).astype(object) for _ in "ab")
    key_a = [data.draw(polys(basis)) for _ in layout.digits]
    factors = [
        np.array([P * gadget(layout, limbs) % q for q in basis.moduli], dtype=object)[:, None]
        for limbs in layout.digits
    ]
    key_b = [((f * old - a * new) % column).astype(np.uint64) for f, a in zip(factors, key_a, strict=True)]
    x = data.draw(polys(lower))
    b, a = key_switch(machine, layout, x, key_b, key_a)
    switched = (b + a * new) % column
    product = machine.ntt(lower, x) * old[special:] * P % lower.column
    assert not switched[:special].any()
    assert np.array_equal(switched[special:], product)
