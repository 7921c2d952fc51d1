"""The reference's inner loops, interpreted and compiled from the same source, up to the 63 bits they promise."""

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhe.primes import ntt_primes, primitive_root
from fhe.reference import residue
from fhe.reference.loops import inner_loops
from fhe.reference.rns import root_powers
from tests.strategies import Primes, galois_elements, polys, residues, ring_degrees


@pytest.fixture(scope="module")
def compiled():
    return inner_loops(compiled=True)


@given(ring_degrees(8, 128), st.sampled_from([14, 32, 46, 50, 59, 60, 61, 62, 63]), st.data())
def test_every_inner_loop_agrees(compiled, ring_degree, bits, data):
    q = ntt_primes(ring_degree, bits, 1)[0]
    basis = Primes(ring_degree, (q,))
    x, y, z = (array("Q", data.draw(polys(basis))[0].tolist()) for _ in range(3))
    w, g = data.draw(residues(q)), data.draw(galois_elements(ring_degree))
    powers = root_powers(ring_degree, q, primitive_root(q, ring_degree))
    calls = {
        "add": (x, y, q),
        "sub": (x, y, q),
        "neg": (x, q),
        "mul": (x, y, q),
        "mul_add": (x, y, z, q),
        "mul_scalar": (x, w, q),
        "add_scalar": (x, w, q),
        "schoolbook": (x, y, q),
        "ntt": (x, powers.forward, q),
        "intt": (x, powers.inverse, q, powers.inverse_N),
        "automorphism_coeff": (x, g, q),
        "automorphism_eval": (x, g),
    }
    loops = {name for name in vars(residue) if getattr(getattr(residue, name), "__module__", "") == residue.__name__}
    assert set(calls) == {name for name in loops if not name.startswith("_")} - {"new_row"}
    for name, arguments in calls.items():
        out = residue.new_row(ring_degree), residue.new_row(ring_degree)
        getattr(residue, name)(out[0], *arguments)
        getattr(compiled, name)(out[1], *arguments)
        assert out[0] == out[1], name
