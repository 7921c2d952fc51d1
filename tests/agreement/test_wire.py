"""The same bytes on the wire."""

from hypothesis import given
from hypothesis import strategies as st

from fhe.reference import ReferenceBackend
from tests.machine import Machine
from tests.strategies import bases, leadings, polys

DEFINITION = Machine(ReferenceBackend(compiled=False))


@given(bases(), st.data())
def test_pack(agree, basis, data):
    x = data.draw(polys(basis, data.draw(leadings())))
    agree(lambda m: m.backend.pack(m.handle(basis), m.load(basis, x)))


@given(bases(), st.data())
def test_unpack(agree, basis, data):
    leading = data.draw(leadings())
    x = data.draw(polys(basis, leading))
    packed = DEFINITION.backend.pack(DEFINITION.handle(basis), DEFINITION.load(basis, x))
    agree(lambda m: m.read(m.backend.unpack(m.handle(basis), packed, leading)))
