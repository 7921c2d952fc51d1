"""Encryption under a public key, to the last bit."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import DigitLayout, bases, digit_layouts, polys, streams


@given(digit_layouts(), st.booleans(), st.integers(0, 1), st.data())
def test_encrypt(agree, layout: DigitLayout, divided: bool, more: int, data):
    """Divided by special primes or not, with keys that have more limbs than the ciphertext."""
    basis, special = (layout.basis, layout.special) if divided else (layout.lower, 0)
    longer = basis + data.draw(bases((1, 1), st.just(basis.ring_degree))).limbs(0, more)
    key: list[np.ndarray] = [data.draw(polys(longer)) for _ in "ba"]
    message = data.draw(polys(layout.lower))
    words = [data.draw(streams(basis.ring_degree)) for _ in range(3)]
    agree(
        lambda m: [
            m.read_eval(half)
            for half in m.backend.encrypt(
                m.handle(basis),
                special,
                *(m.load_eval(longer, half) for half in key),
                *words,
                m.load(layout.lower, message),
            )
        ]
    )
