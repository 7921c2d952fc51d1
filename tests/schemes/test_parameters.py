"""Parameter sets: what they promise, what they refuse, what the choosers find."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace
from itertools import chain, pairwise
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import assume, given
from hypothesis import strategies as st

from fhe import noise
from fhe.choice import choose_bfv, choose_ckks
from fhe.errors import FormatError, LevelError, ParameterError
from fhe.parameters import BFVParameters, CKKSParameters, Parameters
from fhe.security import largest_log_qp

TOY = "a small ring for tests"


def ckks(**changes: Any) -> CKKSParameters:
    fields = {"ring_degree": 2**14, "modulus_bits": [46] + [40] * 6, "special_bits": [43] * 3}
    return CKKSParameters(**(fields | changes))


def bfv(**changes: Any) -> BFVParameters:
    fields = {"ring_degree": 2**13, "modulus_bits": [42] * 4, "special_bits": [45], "plain_modulus": 65537}
    return BFVParameters(**(fields | changes))


def check_chain(p: Parameters) -> None:
    """What holds for every set."""
    primes = [*p.moduli(), *p.special]
    assert len(set(primes)) == len(primes)
    assert all(q % (2 * p.ring_degree) == 1 and sympy.isprime(q) and q.bit_length() <= 50 for q in primes)
    assert p.moduli() == tuple(chain.from_iterable(p.levels))
    assert p.modulus_bits == tuple(math.prod(level).bit_length() for level in p.levels)
    assert math.isclose(p.log_qp, math.log2(math.prod(primes)), abs_tol=1e-9)
    assert list(chain.from_iterable(p.digits(p.max_level))) == list(p.moduli())
    assert all(len(digit) == p.digit for digit in p.digits(p.max_level)[:-1])


def check_scales(p: CKKSParameters) -> None:
    """Delta_(l-1) = Delta_l^2 / q_l to the last bits of a double, and no drift."""
    for level in range(1, p.max_level + 1):
        assert math.isclose(p.scale(level - 1), p.scale(level) ** 2 / math.prod(p.levels[level]), rel_tol=1e-14)
    sizes = [math.log2(math.prod(level)) for level in p.levels[1:]] + [float(p.scale_bits)]
    for level in range(p.max_level + 1):
        assert min(sizes) - 1e-9 <= math.log2(p.scale(level)) <= max(sizes) + 1e-9


# --- sets made by hand -----------------------------------------------------------------------------------------


def test_a_set_is_what_was_written() -> None:
    p = ckks()
    check_chain(p)
    check_scales(p)
    assert [len(level) for level in p.levels] == [1] * 7
    assert (p.max_level, p.limbs(0), p.limbs(6), p.digit, p.slots) == (6, 1, 7, 3, 8192)
    assert p.moduli(2) == p.moduli()[:3]
    assert p.scale_bits == 40
    assert p.bound == 16.0
    assert max(abs(math.log2(p.scale(level)) - 40) for level in range(7)) < 1e-4
    assert p.security_bits == 128
    assert p.is_secure


def test_primes_stay_below_their_power_of_two() -> None:
    p = ckks(ring_degree=2**15, modulus_bits=[50] + [46] * 8, special_bits=[50] * 3)
    assert all(q < 2**46 for level in p.levels[1:] for q in level)
    assert all(q < 2**50 for q in p.special)


def test_a_wide_level_is_two_primes() -> None:
    p = ckks(ring_degree=2**13, modulus_bits=[60, 40, 40], special_bits=[60])
    check_chain(p)
    assert [len(level) for level in p.levels] == [2, 1, 1]
    assert [p.limbs(level) for level in range(3)] == [2, 3, 4]
    assert len(p.special) == 2
    wide = ckks(ring_degree=2**15, modulus_bits=[70] + [61] * 3, special_bits=[70])
    check_chain(wide)
    check_scales(wide)
    assert wide.modulus_bits == (70, 61, 61, 61)


def test_crowded_sizes_do_not_drift() -> None:
    # Six primes of 21 bits spread over half an octave at N = 2^13; the scales stay among them all the same.
    p = ckks(ring_degree=2**13, modulus_bits=[40] + [21] * 6, special_bits=[40])
    check_scales(p)
    assert max(abs(math.log2(p.scale(level)) - 21) for level in range(7)) < 0.75


def test_primes_are_derived_the_same_every_time() -> None:
    assert ckks() == ckks()
    assert hash(ckks()) == hash(ckks())
    assert ckks().levels[:3] == ((70368743587841,), (1099510054913,), (1099508121601,))  # what old files rely on
    assert ckks(modulus_bits=(46, *[40] * 6)).id == ckks().id
    assert len({ckks().id, ckks(bound=1).id, ckks(special_bits=[44] * 3).id, ckks(digit=2).id, bfv().id}) == 5


def test_frozen_and_hashable() -> None:
    p = ckks()
    with pytest.raises(FrozenInstanceError):
        p.ring_degree = 8  # type: ignore[misc]
    with pytest.raises((AttributeError, TypeError)):
        p.extra = 1  # type: ignore[attr-defined]
    assert {p: 1}[ckks()] == 1


def test_numpy_numbers_are_numbers() -> None:
    p = ckks(ring_degree=np.int64(2**14), modulus_bits=np.array([46] + [40] * 6), special_bits=np.full(3, 43))
    assert p.id == ckks().id
    assert json.dumps(p.to_dict()) == json.dumps(ckks().to_dict())


@pytest.mark.parametrize("special", [[43] * 3, [42] * 3, [40] * 3, [46], [50] * 6])
def test_the_default_digit_is_the_largest_within_a_bit_of_p(special: list[int]) -> None:
    p = ckks(special_bits=special, insecure=TOY)
    sizes = [max(sum(map(math.log2, digit)) for digit in _cut(p.moduli(), d)) for d in range(1, 8)]
    assert sizes[p.digit - 1] <= p.log_p + 1
    assert all(size > p.log_p + 1 for size in sizes[p.digit :])


def _cut(moduli: tuple[int, ...], digit: int) -> list[tuple[int, ...]]:
    return [moduli[start : start + digit] for start in range(0, len(moduli), digit)]


def test_bfv_may_have_a_small_p() -> None:
    p = bfv(special_bits=[30])
    check_chain(p)
    assert p.digit == 1
    assert bfv(special_bits=[30], digit=4).digits(3) == (p.moduli(),)


def test_plain_moduli() -> None:
    assert bfv().batching
    assert not bfv(plain_modulus=1024).batching
    assert not bfv(plain_modulus=65537 * 3).batching
    assert not bfv(plain_modulus=257).batching  # prime, but 2N does not divide 256
    q = bfv().moduli()[0]
    moved = bfv(plain_modulus=q)  # Q makes way
    check_chain(moved)
    assert q not in moved.moduli()
    with pytest.raises(ParameterError, match=f"shares the factor {q}"):
        replace(bfv(), plain_modulus=q)
    assert replace(bfv(), plain_modulus=786433).levels == bfv().levels  # several t over one Q


# --- what is refused -------------------------------------------------------------------------------------------

REFUSED: list[tuple[Callable[[], Parameters], str]] = [
    (lambda: ckks(ring_degree=2**13), r"log2\(QP\) = 415\.\d+ at N = 8192 .*limit is 214 .*ring_degree=16384"),
    (lambda: ckks(security=192), r"not 192-bit secure: the limit is 297 .*ring_degree=32768"),
    (lambda: ckks(ring_degree=2**14, quantum=True), r"the limit is 409"),
    (lambda: ckks(ring_degree=64), r'limit is 0 .*insecure="reason"'),
    (lambda: ckks(ring_degree=3000), "power of two from 8"),
    (lambda: ckks(ring_degree=4), "power of two from 8"),
    (lambda: ckks(ring_degree=2**18), "power of two from 8"),
    (lambda: ckks(security=100), "128, 192 or 256"),
    (lambda: ckks(insecure=" "), "takes a reason"),
    (lambda: ckks(insecure="fine\nINFO all secure"), "printable"),
    (lambda: ckks(insecure="x" * 201), "200"),
    (lambda: ckks(modulus_bits=[]), "needs modulus_bits"),
    (lambda: ckks(special_bits=[]), "needs modulus_bits"),
    (lambda: ckks(modulus_bits=[19, 40]), "from 20 to 100 bits, not 19"),
    (lambda: ckks(modulus_bits=[101, 40]), "from 20 to 100 bits, not 101"),
    (lambda: ckks(modulus_bits=[40] * 300), "exceed 256"),
    (
        lambda: ckks(ring_degree=2**17, modulus_bits=[20] * 3),
        "levels of 20 bits run out of primes .* use more bits, a smaller ring degree",
    ),
    (lambda: ckks(digit=8), "from 1 to 7 limbs.*not 8"),
    (lambda: ckks(digit=-1), "from 1 to 7 limbs.*not -1"),
    (lambda: ckks(special_bits=[40]), r"P has 40\.0 bits, a digit of 1 limbs 46\.0.*special_bits of 46 bits"),
    (lambda: ckks(digit=4), r"a digit of 4 limbs 166\.0.*or a smaller digit"),
    (
        lambda: ckks(modulus_bits=[46, 40, 40, 44], scale_bits=40),
        r"level 3 has 44 bits.*scale to 2\^42\.00.*40 bits each",
    ),
    (lambda: ckks(modulus_bits=[46, 40], special_bits=[46], scale_bits=90), r"scale of 2\^90 does not fit"),
    (lambda: ckks(bound=2.0**250), "do not fit"),
    (lambda: ckks(bound=math.nan), "do not fit"),
    (lambda: ckks(bound=-1.0), "do not fit"),
    (lambda: bfv(plain_modulus=1), r"from 2 to 2\^50, not 1"),
    (lambda: bfv(plain_modulus=2**50 + 1), r"from 2 to 2\^50.*several plain moduli"),
    (lambda: bfv(modulus_bits=[20], plain_modulus=786433), "cannot hold plain modulus 786433"),
    (lambda: replace(ckks(), modulus_bits=[46, 40]), "give primes or bits, not both"),
]


@pytest.mark.parametrize(("make", "message"), REFUSED)
def test_refused_with_numbers_and_remedy(make: Callable[[], Parameters], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        make()


def test_levels_outside_the_chain() -> None:
    for level in (-1, 7):
        for read in (ckks().limbs, ckks().moduli, ckks().scale, ckks().digits, ckks().log_modulus):
            with pytest.raises(LevelError, match=r"outside 0 … 6"):
                read(level)


def test_an_insecure_set_keeps_saying_so() -> None:
    p = ckks(ring_degree=64, insecure="for reading")
    assert "INSECURE: for reading" in repr(p)
    assert "INSECURE: for reading" in p.summary()
    assert not p.is_secure
    assert p.security_bits == 0
    fine = ckks(insecure="to be sure")
    assert "INSECURE" not in repr(fine)
    assert fine.is_secure
    assert "INSECURE" in repr(ckks(security=256, insecure="half as strong as asked for"))


def test_repr_and_summary_name_what_matters() -> None:
    assert repr(ckks()) == (
        "CKKSParameters(N=16384, log2(QP)=415.0 from 46+6x40 | 3x43, digit=3, scale 2^40, 8192 slots, "
        "values up to 16, 128-bit security)"
    )
    summary = ckks().summary()
    for fact in ("CKKS", "16384", "46+6x40", "7 primes", "3 digits of 3 primes", "7.5 MiB"):
        assert fact in summary
    assert "t = 65537, 8192 slots" in repr(bfv())
    assert "no batching" in repr(bfv(plain_modulus=1024))


# --- transport -----------------------------------------------------------------------------------------------------

KINDS = [
    ckks(),
    bfv(),
    ckks(ring_degree=64, insecure=TOY, bound=0.3),
    ckks(ring_degree=2**13, modulus_bits=[60, 40, 40], special_bits=[60]),
]


@pytest.mark.parametrize("p", KINDS)
def test_dictionaries_survive_json(p: Parameters) -> None:
    data = json.loads(json.dumps(p.to_dict()))
    assert Parameters.from_dict(data) == p
    assert type(p).from_dict(data).id == p.id


def test_schemes_do_not_mix() -> None:
    for wrong in (lambda: CKKSParameters.from_dict(bfv().to_dict()), lambda: BFVParameters.from_dict(ckks().to_dict())):
        with pytest.raises(FormatError, match="scheme"):
            wrong()


HOSTILE: list[dict[str, Any]] = [
    {"scheme": "rsa"},
    {"scheme": ["ckks"]},
    {"ring_degree": 2.0**14},
    {"ring_degree": True},
    {"ring_degree": "16384"},
    {"ring_degree": 2**60},
    {"ring_degree": 0},
    {"ring_degree": 10**10000},
    {"digit": -(10**10000)},
    {"levels": []},
    {"levels": {}},
    {"levels": [7] * 3},
    {"levels": [[]] * 3},
    {"levels": [[]] * 10**6},
    {"levels": [[1099511480321 + 2**15]]},
    {"levels": [["x"]]},
    {"levels": [[10**10000]]},
    {"levels": [[-1]]},
    {"levels": [[2**40]]},
    {"levels": [[1.5]]},
    {"special": []},
    {"special": [3]},
    {"special": list(range(10**5))},
    {"digit": 10**9},
    {"digit": -3},
    {"security": 1},
    {"quantum": 2},
    {"quantum": "yes"},
    {"insecure": None},
    {"insecure": "\x1b[2J"},
    {"bound": 16.0},
    {"bound": "many"},
    {"bound": "nan"},
    {"bound": "-0x1p4"},
    {"bound": "0x1p999999"},
    {"scale_bits": 10**6},
    {"scale_bits": -1},
    {"extra": 1},
]


@pytest.mark.parametrize("changes", HOSTILE, ids=lambda changes: next(iter(changes)))
def test_hostile_dictionaries_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises((FormatError, ParameterError)):
        Parameters.from_dict(ckks().to_dict() | changes)


@pytest.mark.parametrize("missing", sorted(ckks().to_dict()))
def test_missing_entries_are_refused(missing: str) -> None:
    with pytest.raises(FormatError):
        Parameters.from_dict({name: value for name, value in ckks().to_dict().items() if name != missing})


@pytest.mark.parametrize("data", [None, 3, [], "ckks", {}, {1: 2}])
def test_other_things_are_refused(data: object) -> None:
    with pytest.raises(FormatError):
        Parameters.from_dict(data)


def test_given_primes_are_checked() -> None:
    data = ckks().to_dict()
    prime, twice = data["special"][0], data["levels"][0][0]
    composite = next(n for n in range(prime - 2**15, 0, -(2**15)) if not sympy.isprime(n))
    unfriendly = sympy.prevprime(2**43)
    for special in ([twice] * 1, [prime, prime], [composite], [unfriendly]):
        with pytest.raises(ParameterError):
            Parameters.from_dict(data | {"special": special, "digit": 1})
    with pytest.raises(ParameterError, match="not 128-bit secure"):
        Parameters.from_dict(data | {"ring_degree": 2**13})
    with pytest.raises(ParameterError, match="one or two primes"):
        Parameters.from_dict(data | {"levels": [list(chain.from_iterable(data["levels"]))]})


# --- the choosers --------------------------------------------------------------------------------------------------


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
    assert p.insecure is None
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
    assert p.plain_modulus == t
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
    (lambda: choose_bfv(60, value_bits=40), "depth 60 with values of 40 bits .* holds depth 5[0-9] at most"),
    (lambda: choose_bfv(1, value_bits=49), "1 to 48 bits and a sign, not 49; .*several plain moduli"),
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
