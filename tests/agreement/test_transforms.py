"""Between coefficients and evaluations, and automorphisms."""

from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import bases, galois_elements, leadings, polys


@given(bases(), st.data())
def test_ntt(agree, basis, data):
    x = data.draw(polys(basis, data.draw(leadings())))
    agree(lambda m: m.ntt(basis, x))


@given(bases(), st.data())
def test_intt(agree, basis, data):
    x = data.draw(polys(basis, data.draw(leadings())))
    agree(lambda m: m.intt(basis, x))


@given(bases(), st.data())
def test_to_natural(agree, basis, data):
    x = data.draw(polys(basis, data.draw(leadings())))
    agree(lambda m: m.read(m.backend.to_natural(m.handle(basis), m.load_eval(basis, x))))


@given(bases(), st.data())
def test_from_natural(agree, basis, data):
    x = data.draw(polys(basis, data.draw(leadings())))
    agree(lambda m: m.read_eval(m.backend.from_natural(m.handle(basis), m.load(basis, x))))


@given(bases(), st.data())
def test_automorphism_coeff(agree, basis, data):
    x, g = data.draw(polys(basis, data.draw(leadings()))), data.draw(galois_elements(basis.ring_degree))
    agree(lambda m: m.call("automorphism_coeff", basis, x, g))


@given(bases(), st.data())
def test_automorphism_eval(agree, basis, data):
    x, g = data.draw(polys(basis, data.draw(leadings()))), data.draw(galois_elements(basis.ring_degree))
    agree(lambda m: m.read_eval(m.backend.automorphism_eval(m.handle(basis), m.load_eval(basis, x), g)))
