"""The choosers: what they find is sound, secure, and no larger than it must be."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import pytest
import sympy
from hypothesis import assume, given
from hypothesis import strategies as st

from fhe import noise
from fhe.choice import choose_bfv, choose_ckks
from fhe.errors import ParameterError
from fhe.parameters import BFVParameters, Parameters
from fhe.security import largest_log_qp
from tests.schemes.chains import check_chain, check_scales

TOY = "a small ring for tests"


@given(
    depth=st.integers(0, 24),
    scale_bits=st.integers(24, 60),
    security=st.sampled_from([128, 192, 256]),
    quantum=st.booleans(),
)
def test_chosen_ckks_sets_are_sound_and_minimal(depth: int, scale_bits: int, security: int, quantum: bool) -> None:
    try:
        p = choose_ckks(depth, scale_bits, security=security, quantum=quantum)
    except ParameterError as error:  # small primes run out before large rings do
        assume("are 1 mod" not in str(error))
        raise
    check_chain(p)
    check_scales(p)
    assert p.security_bits >= security
    assert (p.security, p.quantum, p.insecure) == (security, quantum, None)
    assert p.log_qp <= largest_log_qp(p.ring_degree, security, quantum)
    assert p.max_level == depth
    drift = max(abs(math.log2(p.scale(level)) - scale_bits) for level in range(depth + 1))
    assert drift < (0.001 if 40 <= scale_bits <= 50 else 1.0)
    assert p.bound >= 1
    assert math.log2(p.bound) + scale_bits + 2 <= p.modulus_bits[0]
    largest = max(sum(map(math.log2, digit)) for digit in p.digits(depth))
    assert p.log_p > largest - 0.01
    assert p == choose_ckks(depth, scale_bits, security=security, quantum=quantum)
    if p.ring_degree > 1024:
        # Half the ring cannot hold the levels, the least base, and a special prime for the largest limb.
        levels = [scale_bits + 2] + [scale_bits] * depth
        least = sum(levels) + max(bits if bits <= 50 else (bits + 1) // 2 for bits in levels)
        assert least > largest_log_qp(p.ring_degree // 2, security, quantum)
        with pytest.raises(ParameterError, match="does not fit"):
            choose_ckks(depth, scale_bits, security=security, quantum=quantum, ring_degree=p.ring_degree // 2)


@given(
    depth=st.integers(0, 10),
    t=st.sampled_from([2, 257, 1024, 65537, 786433, 2**40 + 15]),
    security=st.sampled_from([128, 256]),
)
def test_chosen_bfv_sets_are_sound_and_minimal(depth: int, t: int, security: int) -> None:
    p = choose_bfv(depth, plain_modulus=t, security=security)
    check_chain(p)
    assert p.security_bits >= security
    assert (p.plain_modulus, p.security) == (t, security)
    assert worst_noise(p, depth) <= noise.limit_bfv(p, p.max_level)
    if p.ring_degree > 1024:
        with pytest.raises(ParameterError, match="does not fit"):
            choose_bfv(depth, plain_modulus=t, security=security, ring_degree=p.ring_degree // 2)


def worst_noise(p: BFVParameters, depth: int, sums: int = 1) -> float:
    """The promise of `choose_bfv`, by the functions that evaluators use."""
    top = p.max_level
    switch = noise.key_switch(p, top)
    bound = noise.add(noise.fresh_public(p), switch)
    for _ in range(depth):
        bound = noise.add(noise.multiply_bfv(p, top, bound, bound), switch)
        bound = noise.add(bound + math.log2(sums), switch)
    for _ in range(p.ring_degree.bit_length() - 1):
        bound = noise.add(bound, bound, switch)
    return bound


def test_sums_are_paid_for() -> None:
    few, many = choose_bfv(3), choose_bfv(3, sums=2**10)
    assert many.log_q > few.log_q + 25
    assert worst_noise(many, 3, 2**10) <= noise.limit_bfv(many, many.max_level)


def test_p_and_digits_are_what_is_left_after_the_levels() -> None:
    assert [choose_ckks(depth).digit for depth in (6, 7, 8)] == [3, 2, 1]
    assert [choose_ckks(depth).ring_degree for depth in (6, 7, 8, 9)] == [2**14, 2**14, 2**14, 2**15]


def test_value_bits_hold_their_values() -> None:
    for bits in (1, 8, 15, 16, 20, 31, 40, 48):
        p = choose_bfv(1, value_bits=bits)
        t = p.plain_modulus
        assert p.batching
        assert -(t // 2) <= -(2**bits) < 2**bits <= t // 2
        between = range(2 ** (bits + 1), t)
        smaller = (n for n in between if n % (2 * p.ring_degree) == 1)
        assert not any(sympy.isprime(n) for n in smaller)
    assert choose_bfv(2).plain_modulus == 65537


def test_bound_sets_the_base() -> None:
    for bound in (0.5, 1.0, 3.0, 16.0, 1000.0, 1e9):
        p = choose_ckks(2, 40, bound)
        assert p.bound == bound
        assert p.modulus_bits[0] == math.ceil(40 + math.log2(bound)) + 2


def test_what_can_be_asked_of_the_ring() -> None:
    assert choose_ckks(1, slots=2**13).ring_degree == 2**14
    assert choose_bfv(1, slots=2**13 + 1).ring_degree == 2**14
    assert choose_ckks(1, ring_degree=2**15).ring_degree == 2**15
    toy = choose_ckks(2, ring_degree=64, insecure=TOY)
    check_chain(toy)
    assert "INSECURE" in repr(toy)
    assert choose_bfv(1, plain_modulus=257, ring_degree=64, insecure=TOY).batching


IMPOSSIBLE: list[tuple[Callable[[], Parameters], str]] = [
    (
        lambda: choose_ckks(100),
        r"N = 131072 allows log2\(QP\) = 3523 .*holds depth 85 at most; lower depth or scale_bits",
    ),
    (lambda: choose_ckks(4, ring_degree=4096), "depth 4 .* holds depth 0 at most; .*larger ring_degree"),
    (lambda: choose_ckks(0, ring_degree=1024), "not even depth 0"),
    (lambda: choose_ckks(0, ring_degree=64), r"allows log2\(QP\) = 0"),
    (lambda: choose_ckks(129), "from 0 to 128, not 129"),
    (lambda: choose_ckks(-1), "from 0 to 128, not -1"),
    (lambda: choose_ckks(1, 19), "from 20 to 94, not 19"),
    (lambda: choose_ckks(1, 40, 0.0), "bound must be positive"),
    (lambda: choose_ckks(1, 40, math.inf), "bound must be positive"),
    (lambda: choose_ckks(1, 90, 1e9), "need 122 bits in the base level"),
    (lambda: choose_ckks(1, security=80), "128, 192 and 256 bits, not 80"),
    (lambda: choose_ckks(1, slots=2**17), "N = 131072 is too small for 262144 coefficients"),
    (lambda: choose_ckks(1, slots=4096, ring_degree=4096), "N = 4096 is too small for 8192"),
    (lambda: choose_bfv(120, value_bits=40), "depth 120 with values of 40 bits .* holds depth 5[0-9] at most"),
    (lambda: choose_bfv(1, value_bits=513), "values have 1 to 512 bits and a sign, not 513"),
    (lambda: choose_bfv(1, value_bits=8, plain_modulus=257), "not both"),
    (lambda: choose_bfv(1, sums=0), r"from 1 to 2\^40"),
]


@pytest.mark.parametrize(("make", "message"), IMPOSSIBLE)
def test_the_impossible_is_explained(make: Callable[[], Parameters], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        make()


# Sets that experts wrote by hand: (N, levels in bits above the base, scale). Ours need no larger ring, although the
# tables held to here are stricter than theirs.
CKKS_BY_HAND = {
    "TenSEAL tutorial 1, evaluation": (2**12, 1, 20),
    "TenSEAL tutorial 1, training": (2**13, 6, 21),
    "TenSEAL tutorial 4, MNIST": (2**13, 6, 26),
    "SEAL 5_ckks_basics": (2**13, 2, 40),
    "Pyfhel Demo_3": (2**14, 3, 30),
    "Pyfhel Demo_6": (2**14, 8, 30),
    "Orion lola.yml": (2**13, 5, 26),
    "Lattigo ckks_sigmoid": (2**14, 7, 45),
    "Lattigo default N12": (2**12, 1, 32),
    "Lattigo default N13": (2**13, 5, 30),
}


@pytest.mark.parametrize("name", CKKS_BY_HAND)
def test_no_larger_than_by_hand(name: str) -> None:
    ring_degree, depth, scale_bits = CKKS_BY_HAND[name]
    assert choose_ckks(depth, scale_bits).ring_degree <= ring_degree


def test_smaller_than_by_hand() -> None:
    assert choose_ckks(3, 30).ring_degree == 2**13  # Pyfhel Demo_3 takes 2^14


def test_bfv_no_larger_than_by_hand() -> None:
    assert choose_bfv(3, value_bits=18).ring_degree <= 2**13  # SEAL 4_bgv_basics: x^8, t of 20 bits
    assert choose_bfv(2, plain_modulus=65537).ring_degree <= 2**13  # OpenFHE simple-integers


def test_levels_are_nested() -> None:
    p = choose_ckks(5)
    assert all(p.moduli(low) == p.moduli(high)[: p.limbs(low)] for low, high in pairwise(range(6)))
