"""Primes, roots and the Chinese remainder theorem, against SymPy."""

from fractions import Fraction

import pytest
import sympy
from hypothesis import example, given
from hypothesis import strategies as st
from sympy.ntheory.modular import crt

from fhe.errors import ParameterError
from fhe.primes import crt_centred, is_prime, ntt_prime_near, ntt_primes, primitive_root
from tests.strategies import primes, ring_degrees

# The smallest composites that pass for the first 1, 2, … prime witnesses (OEIS A014233), and Carmichael numbers.
PSEUDOPRIMES = [2047, 1373653, 25326001, 3215031751, 2152302898747, 3474749660383, 341550071728321]
PSEUDOPRIMES += [3825123056546413051, 561, 1105, 1729, 2465, 2821, 6601, 8911]


@given(st.integers(-10, 2**64 - 1) | st.integers(0, 5000))
@example(2**64 - 59)
@example((2**32 - 5) * (2**32 - 17))
def test_is_prime(n):
    assert is_prime(n) == sympy.isprime(n)


@pytest.mark.parametrize("n", PSEUDOPRIMES)
def test_pseudoprimes_are_composite(n):
    assert not is_prime(n)


def test_is_prime_refuses_what_its_witnesses_do_not_decide():
    with pytest.raises(ParameterError, match=r"below 2\^64, not for a number of 65 bits"):
        is_prime(2**64)


@given(ring_degrees(8, 2**16), st.integers(20, 60), st.integers(0, 3), st.data())
def test_ntt_primes_are_the_largest(ring_degree, bits, count, data):
    order = 2 * ring_degree
    expected = []
    q = 1 + ((1 << bits) - 2) // order * order
    while len(expected) < count + 3 and q > 1:
        if sympy.isprime(q):
            expected.append(q)
        q -= order
    excluded = data.draw(st.sets(st.sampled_from(expected), max_size=2)) if expected else set()
    free = [q for q in expected if q not in excluded]
    if len(free) >= count:
        assert ntt_primes(ring_degree, bits, count, excluded) == free[:count]
    else:
        with pytest.raises(ParameterError, match=rf"only {len(free)} primes below 2\^{bits}"):
            ntt_primes(ring_degree, bits, count, excluded)


@pytest.mark.parametrize("bits", [1, 65])
def test_ntt_primes_refuses_lengths_without_words(bits):
    with pytest.raises(ParameterError, match=f"from 2 to 64 bits, not {bits}"):
        ntt_primes(8, bits, 1)


@given(ring_degrees(8, 4096), st.floats(2**14, 2**61), st.integers(0, 3))
def test_ntt_prime_near_is_the_closest(ring_degree, value, taken):
    order = 2 * ring_degree
    excluded = []
    for _ in range(taken):
        excluded.append(ntt_prime_near(ring_degree, value, excluded))
    q = ntt_prime_near(ring_degree, value, excluded)
    assert q % order == 1
    assert sympy.isprime(q)
    assert q not in excluded
    distance = abs(Fraction(value) - q)
    below = int((Fraction(value) - distance - 1) // order) * order + 1
    closer = range(below, int(value + distance) + order, order)
    assert all(
        c == q or abs(Fraction(value) - c) > distance or c in excluded or not sympy.isprime(c) or c < 2
        for c in closer
        if not (c > q and abs(Fraction(value) - c) == distance)  # of two equally close, the smaller
    )


def test_ntt_prime_near_a_tie_takes_the_smaller():
    assert ntt_prime_near(8, 105) == 97  # 97 and 113 are both primes that are 1 mod 16
    assert ntt_prime_near(8, Fraction(105) + Fraction(1, 10**30)) == 113


@pytest.mark.parametrize("value", [1.0, 2.0**63, float("inf"), float("nan")])
def test_ntt_prime_near_refuses_what_has_no_neighbours(value):
    with pytest.raises(ParameterError, match=r"between 2 and 2\^63"):
        ntt_prime_near(8, value)


@given(ring_degrees(1, 4096), st.data())
def test_primitive_root(ring_degree, data):
    q = data.draw(primes(ring_degree, smallest_bits=20))
    psi = primitive_root(q, ring_degree)
    assert sympy.n_order(psi, q) == 2 * ring_degree
    generated = [pow(g, (q - 1) // (2 * ring_degree), q) for g in range(2, 40)]
    assert psi == next(root for root in generated if sympy.n_order(root, q) == 2 * ring_degree)


@pytest.mark.parametrize(("q", "ring_degree"), [(97, 64), (65, 16), (8, 4)])
def test_primitive_root_refuses_other_numbers(q, ring_degree):
    with pytest.raises(ParameterError, match=f"{q} is not a prime that is 1 mod {2 * ring_degree}"):
        primitive_root(q, ring_degree)


@pytest.mark.parametrize("ring_degree", [0, -8, 12, 1000])
def test_ring_degrees_are_powers_of_two(ring_degree):
    for impossible in (lambda: ntt_primes(ring_degree, 30, 1), lambda: ntt_prime_near(ring_degree, 1e9)):
        with pytest.raises(ParameterError, match=f"power of two, not {ring_degree}"):
            impossible()


@given(st.lists(st.sampled_from([3, 4, 5, 7, 11, 13, 97, 7681, 2**61 - 1]), min_size=1, unique=True), st.data())
def test_crt_centred(moduli, data):
    residues = [data.draw(st.integers(-m, 2 * m)) for m in moduli]
    x = crt_centred(residues, moduli)
    Q = sympy.prod(moduli)
    assert x % Q == crt(moduli, [r % m for r, m in zip(residues, moduli, strict=True)])[0]
    assert -Q < 2 * x <= Q


def test_crt_centred_refuses_impossible_systems():
    with pytest.raises(ParameterError, match=r"\[4, 6\] share a factor"):
        crt_centred([0, 1], [4, 6])
    with pytest.raises(ParameterError, match="2 residues do not belong to 1 moduli"):
        crt_centred([0, 1], [5])
    with pytest.raises(ParameterError, match="0 residues do not belong to 0 moduli"):
        crt_centred([], [])
