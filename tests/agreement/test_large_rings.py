"""The native core in rings where its transforms take several passes, against the compiled reference.

The compiled reference is itself held to the interpreted one, inner loop by inner loop and operation by operation.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhe.backend.protocol import uniform_words
from fhe.reference import ReferenceBackend
from tests.agreement.conftest import Agree, agreement
from tests.conftest import NATIVE
from tests.strategies import (
    DigitLayout,
    Primes,
    bases,
    galois_elements,
    largest_primes,
    longest_sums,
    polys,
    ring_degrees,
)

pytestmark = pytest.mark.parametrize("backend", NATIVE, indirect=True)

LARGE = bases(limbs=(1, 2), degrees=ring_degrees(2**10, 2**12), bits=(40, 50))
WIDE = bases(limbs=(1, 2), degrees=ring_degrees(2**13, 2**16), bits=(40, 50))
FEW = settings(max_examples=settings().max_examples // 5)


@pytest.fixture(scope="module")
def agree(backend) -> Agree:
    return agreement(backend, ReferenceBackend(compiled=True))


def check_transforms(agree, basis, data):
    x = data.draw(polys(basis))
    agree(lambda m: m.ntt(basis, x))
    agree(lambda m: m.intt(basis, x))


@given(LARGE, st.data())
def test_transforms(agree, basis, data):
    check_transforms(agree, basis, data)


@pytest.mark.parametrize("bits", [46, 48, 49, 50])
@pytest.mark.parametrize("ring_degree", [2**10, 2**13, 2**16])
def test_transforms_of_the_longest_sums(agree, ring_degree, bits):
    basis = Primes(ring_degree, largest_primes(ring_degree, bits)[:1])
    for exponent in (1, -1):
        x = longest_sums(basis, exponent, exponent, exponent // 2)
        agree(lambda m, x=x: m.ntt(basis, x))
        agree(lambda m, x=x: m.intt(basis, x))


@FEW
@given(WIDE, st.data())
def test_transforms_of_the_widest(agree, basis, data):
    check_transforms(agree, basis, data)


@FEW
@given(bases(limbs=(3, 4), degrees=ring_degrees(2**10, 2**11), bits=(40, 50)), st.data())
def test_everything_else(agree, basis, data):
    N, L = basis.ring_degree, len(basis)
    x, y = data.draw(polys(basis, (2,))), data.draw(polys(basis))
    element, seed = data.draw(galois_elements(N)), data.draw(st.integers(0, 2**32))
    stream = np.random.default_rng(seed).bytes(8 * L * uniform_words(N))
    other = data.draw(bases(limbs=(1, 3), degrees=st.just(N), bits=(40, 50)))
    for operation, arguments in {
        "add": (x, y),
        "sub": (x, y),
        "neg": (x,),
        "mul": (x, y),
        "mul_add": (x, y, x),
        "mul_scalar": (x, [q - 1 for q in basis.moduli]),
        "add_scalar": (x, [q - 1 for q in basis.moduli]),
        "automorphism_coeff": (x, element),
        "uniform": (stream,),
        "ternary": (stream,),
        "centred_binomial": (stream,),
    }.items():
        agree(lambda m, operation=operation, arguments=arguments: m.call(operation, basis, *arguments))
    agree(lambda m: m.read_eval(m.backend.automorphism_eval(m.handle(basis), m.load_eval(basis, x), element)))
    agree(lambda m: m.read(m.backend.to_natural(m.handle(basis), m.load_eval(basis, x))))
    agree(lambda m: m.backend.lift(m.handle(basis), m.load(basis, x)))
    agree(lambda m: m.backend.pack(m.handle(basis), m.load(basis, x)))
    agree(lambda m: m.read(m.backend.convert(m.handle(basis), m.handle(other), m.load(basis, x))))
    agree(lambda m: m.read_eval(m.backend.divide_round_eval(m.handle(basis), 0, 2, m.load_eval(basis, x))))


@FEW
@given(bases(limbs=(4, 5), degrees=ring_degrees(2**10, 2**12), bits=(40, 50)), st.integers(1, 2), st.data())
def test_key_switch(agree, basis, digit, data):
    layout = DigitLayout(basis, 1, digit)
    x = data.draw(polys(layout.lower, (2,)))
    keys = [[data.draw(polys(basis)) for _ in layout.digits] for _ in "ba"]

    def switched(m):
        lower, coeff = m.handle(layout.lower), m.load(layout.lower, x)
        key = m.load_key(basis, keys)
        halves = m.backend.key_switch(m.handle(basis), 1, digit, coeff, m.backend.ntt(lower, coeff), key)
        return [m.read_eval(half) for half in halves]

    agree(switched)
