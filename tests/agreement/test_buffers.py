"""load, view, zeros, limbs, join, wipe, and memory for secrets."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import bases, leadings, polys, ring_degrees


@given(bases(), st.data())
def test_basis(agree, basis, data):
    """The same primes and roots mean the same evaluations."""
    x = data.draw(polys(basis))
    agree(
        lambda m: m.read_eval(
            m.backend.ntt(m.backend.basis(basis.ring_degree, basis.moduli, basis.roots), m.load(basis, x))
        )
    )


@given(ring_degrees(8, 2**16))
def test_evaluation_order(agree, ring_degree):
    """Orders are each backend's own; that they are permutations is common to all."""
    agree(lambda m: np.sort(m.backend.evaluation_order(ring_degree)))


@given(bases(), st.data())
def test_load(agree, basis, data):
    x = data.draw(polys(basis, data.draw(leadings())))
    agree(lambda m: m.read(m.backend.load(m.handle(basis), x)))


@given(bases(), st.data())
def test_view(agree, basis, data):
    x = data.draw(polys(basis, data.draw(leadings())))
    agree(lambda m: m.backend.view(m.load(basis, x)))
    agree(lambda m: m.backend.view(m.load(basis, x)).flags.writeable)


@given(bases(), leadings())
def test_zeros(agree, basis, leading):
    agree(lambda m: m.read(m.backend.zeros(m.handle(basis), leading)))


@given(bases(limbs=(2, 4)), st.data())
def test_limbs(agree, basis, data):
    x = data.draw(polys(basis, data.draw(leadings())))
    start = data.draw(st.integers(0, len(basis) - 1))
    stop = data.draw(st.integers(start + 1, len(basis)))
    agree(lambda m: m.read(m.backend.limbs(m.load(basis, x), start, stop)))
    agree(lambda m: m.backend.limbs(m.load(basis, x), start, stop).shape)


@given(bases(limbs=(2, 4)), st.data())
def test_join(agree, basis, data):
    leading = data.draw(leadings())
    cut = data.draw(st.integers(1, len(basis) - 1))
    low, high = basis.limbs(0, cut), basis.limbs(cut, len(basis))
    x, y = data.draw(polys(low, leading)), data.draw(polys(high, leading))
    agree(lambda m: m.read(m.backend.join(m.load(low, x), m.load(high, y))))
    agree(lambda m: m.read(m.backend.join(m.backend.limbs(m.load(high, y), 0, 1), m.load(low, x))))


@given(st.integers(1, 100))
def test_secret_words(agree, count):
    agree(lambda m: bytes(m.backend.secret_words(count).cast("B")))


@given(bases(), st.data())
def test_wipe(agree, basis, data):
    x = data.draw(polys(basis, data.draw(leadings())))

    def wiped(m):
        buffer = m.load(basis, x)
        m.backend.wipe(buffer)
        return m.read(buffer)

    agree(wiped)
