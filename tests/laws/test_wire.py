"""Bit packing: the layout of the bits, the way back, and the refusal of what no residue packs to."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.strategies import bases, leadings, polys


def bits_of(x: np.ndarray, moduli: tuple[int, ...]) -> bytes:
    """Each row as a number whose digits to the base 2^bits are the residues, the first one lowest."""
    rows = x.reshape(-1, x.shape[-1]).tolist()
    widths = [q.bit_length() for q in moduli] * (len(rows) // len(moduli))
    numbers = [sum(r << (w * k) for k, r in enumerate(row)) for row, w in zip(rows, widths, strict=True)]
    return b"".join(number.to_bytes(x.shape[-1] * w // 8, "little") for number, w in zip(numbers, widths, strict=True))


@given(bases(), st.data())
def test_pack_is_a_bit_stream(machine, basis, data):
    x = data.draw(polys(basis, data.draw(leadings())))
    packed = machine.backend.pack(machine.handle(basis), machine.load(basis, x))
    assert isinstance(packed, bytes)
    assert packed == bits_of(x, basis.moduli)


@given(bases(), st.data())
def test_unpack_inverts_pack(machine, basis, data):
    leading = data.draw(leadings())
    x = data.draw(polys(basis, leading))
    backend, handle = machine.backend, machine.handle(basis)
    packed = backend.pack(handle, machine.load(basis, x))
    assert np.array_equal(machine.read(backend.unpack(handle, packed, leading)), x)
    assert backend.pack(handle, backend.unpack(handle, packed, leading)) == packed


@given(bases(), st.data())
def test_unpack_names_the_first_residue_out_of_range(machine, basis, data):
    """Rows count through the leading axes: row ``index * L + limb``."""
    leading = data.draw(leadings())
    x = data.draw(polys(basis, leading)).reshape(-1, basis.ring_degree)
    place = st.tuples(st.integers(0, len(x) - 1), st.integers(0, basis.ring_degree - 1))
    places = data.draw(st.lists(place, min_size=1))
    for row, column in places:
        q = basis.moduli[row % len(basis)]
        x[row, column] = data.draw(st.sampled_from([q, (1 << q.bit_length()) - 1]))
    packed = bits_of(x.reshape(*leading, len(basis), basis.ring_degree), basis.moduli)
    row, column = min(places)
    with pytest.raises(ValueError, match=rf"\({row}, {column}\)"):
        machine.backend.unpack(machine.handle(basis), packed, leading)


@given(bases(), st.integers(-9, 9), leadings())
def test_unpack_refuses_other_lengths(machine, basis, excess, leading):
    assume(excess)
    x = np.zeros((*leading, len(basis), basis.ring_degree), np.uint64)
    packed = bits_of(x, basis.moduli)
    wrong = packed[:excess] if excess < 0 else packed + bytes(excess)
    with pytest.raises(ValueError, match=f"{len(packed)} bytes, not {len(wrong)}"):
        machine.backend.unpack(machine.handle(basis), wrong, leading)
