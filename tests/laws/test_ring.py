"""Z_q[X]/(X^N + 1): the axioms of a ring, its transform, and its automorphisms."""

from array import array
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhe.reference import schoolbook
from fhe.reference.loops import inner_loops
from fhe.reference.residue import new_row
from tests.strategies import (
    Primes,
    bases,
    galois_elements,
    largest_primes,
    longest_sums,
    polys,
    primes,
    ring_degrees,
    scalars,
)

BASES = bases(limbs=(1, 2))
SMALL = bases(limbs=(1, 2), degrees=ring_degrees(8, 128))


def product_by_big_integers(x: list[int], y: list[int], q: int) -> list[int]:
    """x * y mod (X^N + 1, q) from one product of two integers, the polynomials at a large power of two (Kronecker)."""
    N = len(x)
    width = 2 * q.bit_length() + N.bit_length()
    at_power = [sum(int(c) << (width * k) for k, c in enumerate(f)) for f in (x, y)]
    digits = at_power[0] * at_power[1]
    coefficients = [digits >> (width * k) & ((1 << width) - 1) for k in range(2 * N)]
    return [(coefficients[k] - coefficients[k + N]) % q for k in range(N)]


def constant(basis: Primes, value: int) -> np.ndarray:
    return basis.residues(np.array([value] + [0] * (basis.ring_degree - 1), dtype=object))


def monomial(basis: Primes, exponent: int) -> np.ndarray:
    """X^e for any e >= 0."""
    coefficients = np.zeros(basis.ring_degree, dtype=object)
    coefficients[exponent % basis.ring_degree] = (-1) ** (exponent // basis.ring_degree)
    return basis.residues(coefficients)


@given(BASES, st.data())
def test_sums_form_a_group(machine, basis, data):
    x, y, z = (data.draw(polys(basis)) for _ in range(3))
    add, zero = lambda a, b: machine.call("add", basis, a, b), np.zeros_like(x)
    minus = machine.call("neg", basis, x)
    assert np.array_equal(add(x, y), add(y, x))
    assert np.array_equal(add(add(x, y), z), add(x, add(y, z)))
    assert np.array_equal(add(x, zero), x)
    assert np.array_equal(add(x, minus), zero)
    assert np.array_equal(machine.call("sub", basis, y, x), add(y, minus))
    assert np.array_equal(add(x, y), (x + y) % basis.column)


@given(BASES, st.data())
def test_products_form_a_commutative_ring(machine, basis, data):
    x, y, z = (data.draw(polys(basis)) for _ in range(3))

    def add(a, b):
        return machine.call("add", basis, a, b)

    def mul(a, b):
        return machine.multiply(basis, a, b)

    assert np.array_equal(mul(x, y), mul(y, x))
    assert np.array_equal(mul(mul(x, y), z), mul(x, mul(y, z)))
    assert np.array_equal(mul(x, add(y, z)), add(mul(x, y), mul(x, z)))
    assert np.array_equal(mul(x, constant(basis, 1)), x)
    assert np.array_equal(mul(x, constant(basis, -1)), machine.call("neg", basis, x))


@given(BASES, st.data())
def test_entrywise_products_are_products_of_integers(machine, basis, data):
    x, y, z = (data.draw(polys(basis)) for _ in range(3))
    s = data.draw(scalars(basis))
    exact = x.astype(object) * y.astype(object)
    assert np.array_equal(machine.call("mul", basis, x, y), exact % basis.column)
    assert np.array_equal(machine.call("mul_add", basis, x, y, z), (exact + z) % basis.column)
    factors = np.array(s, dtype=object)[:, None]
    assert np.array_equal(machine.call("mul_scalar", basis, x, s), x * factors % basis.column)
    assert np.array_equal(machine.call("add_scalar", basis, x, s), (x + factors) % basis.column)


@given(BASES, st.integers(0, 2), st.data())
def test_an_operand_that_lacks_leading_axes_is_repeated(machine, basis, lacking, data):
    x, y = data.draw(polys(basis, (2, 3))), data.draw(polys(basis, (2, 3)[lacking:]))
    exact = x.astype(object) * y  # NumPy repeats it in the same way
    for one, other in ((x, y), (y, x)):
        assert np.array_equal(machine.call("mul", basis, one, other), exact % basis.column)
        assert np.array_equal(machine.call("add", basis, one, other), (x + y) % basis.column)
    assert np.array_equal(machine.call("mul_add", basis, x, y, x), (exact + x) % basis.column)


@given(SMALL, st.integers(1, 20) | st.sampled_from([64, 65, 256, 257, 600]), st.data())
def test_inner_product_is_a_sum_of_products(machine, basis, terms, data):
    """Of few terms or many, for residues of q - 1 fill what accumulates them; only the first L limbs count."""
    longer = basis + data.draw(bases((2, 2), st.just(basis.ring_degree))).limbs(0, data.draw(st.integers(0, 2)))
    few = [[data.draw(polys(over)) for _ in range(min(terms, 5))] for over in (basis, longer)]
    xs, ys = ([rows[j % len(rows)] for j in range(terms)] for rows in few)
    expected = sum(x.astype(object) * y[: len(basis)] for x, y in zip(xs, ys, strict=True)) % basis.column
    loaded = [machine.load(basis, x) for x in xs], [machine.load(longer, y) for y in ys]
    assert np.array_equal(machine.read(machine.backend.inner_product(machine.handle(basis), *loaded)), expected)


@given(BASES, st.data())
def test_intt_inverts_ntt(machine, basis, data):
    x = data.draw(polys(basis))
    assert np.array_equal(machine.intt(basis, machine.ntt(basis, x)), x)
    assert np.array_equal(machine.ntt(basis, machine.intt(basis, x)), x)


@given(SMALL, st.data())
def test_ntt_evaluates_at_the_odd_powers_of_psi(machine, basis, data):
    x = data.draw(polys(basis))
    for row, evaluated, q, psi in zip(x, machine.ntt(basis, x), basis.moduli, basis.roots, strict=True):
        for k, value in enumerate(evaluated.tolist()):
            point, sum_ = pow(psi, 2 * k + 1, q), 0
            for coefficient in reversed(row.tolist()):
                sum_ = (sum_ * point + coefficient) % q
            assert value == sum_


@pytest.mark.parametrize("bits", [46, 48, 49, 50])
@pytest.mark.parametrize("ring_degree", [8, 64, 128, 1024, 4096, 8192])
def test_ntt_of_the_longest_sums(machine, ring_degree, bits):
    basis, stages = Primes(ring_degree, largest_primes(ring_degree, bits)[:1]), ring_degree.bit_length() - 1
    for exponent, sign, constant in product((1, -1), (1, -1), (0, -1)):
        evaluated = machine.ntt(basis, longest_sums(basis, exponent, sign, constant))
        assert evaluated[0, exponent // 2] == (constant + sign * stages) % basis.moduli[0]


@given(SMALL, st.data())
def test_ntt_turns_the_schoolbook_product_into_entrywise_products(machine, basis, data):
    x, y = data.draw(polys(basis)), data.draw(polys(basis))
    assert machine.multiply(basis, x, y).tolist() == schoolbook(x.tolist(), y.tolist(), basis.moduli)


@pytest.mark.parametrize("compiled", [False, True], ids=["reference-interpreted", "reference-compiled"])
@given(ring_degree=ring_degrees(8, 64), data=st.data())
def test_schoolbook_is_the_product_of_big_integers(compiled, ring_degree, data):
    q = data.draw(primes(ring_degree))
    basis = Primes(ring_degree, (q,))
    x, y = (data.draw(polys(basis))[0].tolist() for _ in range(2))
    out = new_row(ring_degree)
    inner_loops(compiled).schoolbook(out, array("Q", x), array("Q", y), q)
    assert out.tolist() == schoolbook(x, y, q) == product_by_big_integers(x, y, q)


@given(SMALL, st.integers(0, 127), st.integers(0, 127), st.data())
def test_x_to_the_n_is_minus_one(machine, basis, i, j, data):
    x = data.draw(polys(basis))
    assert np.array_equal(machine.multiply(basis, monomial(basis, i), monomial(basis, j)), monomial(basis, i + j))
    turned = machine.multiply(basis, monomial(basis, 1), x)
    assert np.array_equal(turned, np.concatenate([(basis.column - x[:, -1:]) % basis.column, x[:, :-1]], axis=1))


@given(BASES, st.data())
def test_automorphisms_respect_the_ring(machine, basis, data):
    x, y = data.draw(polys(basis)), data.draw(polys(basis))
    g, h = (data.draw(galois_elements(basis.ring_degree)) for _ in range(2))

    def at(f, element):
        return machine.call("automorphism_coeff", basis, f, element)

    assert np.array_equal(at(monomial(basis, 1), g), monomial(basis, g))
    assert np.array_equal(at(x, 1), x)
    assert np.array_equal(at(at(x, g), h), at(x, g * h % (2 * basis.ring_degree)))
    assert np.array_equal(at(machine.multiply(basis, x, y), g), machine.multiply(basis, at(x, g), at(y, g)))


@given(BASES, st.data())
def test_automorphisms_agree_in_both_domains(machine, basis, data):
    x, g = data.draw(polys(basis)), data.draw(galois_elements(basis.ring_degree))
    loaded = machine.load_eval(basis, machine.ntt(basis, x))
    moved = machine.read_eval(machine.backend.automorphism_eval(machine.handle(basis), loaded, g))
    assert np.array_equal(moved, machine.ntt(basis, machine.call("automorphism_coeff", basis, x, g)))


@given(ring_degrees(8, 4096))
def test_evaluation_order_is_a_permutation(machine, ring_degree):
    order = machine.backend.evaluation_order(ring_degree)
    assert order.dtype == np.int64
    assert np.array_equal(np.sort(order), np.arange(ring_degree))


@given(BASES, st.data())
def test_natural_order_is_the_one_of_ascending_exponents(machine, basis, data):
    backend, handle = machine.backend, machine.handle(basis)
    x = data.draw(polys(basis))
    own = machine.load_eval(basis, x)
    assert np.array_equal(machine.read(backend.to_natural(handle, own)), x)
    assert np.array_equal(machine.read_eval(backend.from_natural(handle, machine.load(basis, x))), x)
