"""Parameter sets: what they promise, what they refuse, how they travel."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace
from itertools import chain
from typing import Any

import numpy as np
import pytest
import sympy

from fhe.errors import FormatError, LevelError, ParameterError
from fhe.parameters import BFVParameters, CKKSParameters, Parameters
from fhe.primes import ntt_primes
from tests.schemes.chains import check_chain, check_scales

TOY = "a small ring for tests"


def ckks(**changes: Any) -> CKKSParameters:
    fields = {"ring_degree": 2**14, "modulus_bits": [46] + [40] * 6, "special_bits": [43] * 3}
    return CKKSParameters(**(fields | changes))


def bfv(**changes: Any) -> BFVParameters:
    fields = {"ring_degree": 2**13, "modulus_bits": [42] * 4, "special_bits": [45], "plain_modulus": 65537}
    return BFVParameters(**(fields | changes))


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
    widest = ckks(modulus_bits=[100], special_bits=[100, 99], insecure=TOY)
    check_chain(widest)
    assert widest.modulus_bits == (100,)
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
    assert "128-bit security by its size; to be sure" in repr(fine)
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


def test_entries_out_of_range_are_refused_as_such() -> None:
    data = ckks(ring_degree=64, insecure=TOY).to_dict()
    with pytest.raises(FormatError, match="quantum"):
        Parameters.from_dict(data | {"quantum": 2})
    many = [[q] for q in ntt_primes(64, 30, 260)]
    with pytest.raises(ParameterError, match="exceed 256"):
        Parameters.from_dict(data | {"levels": many})


def test_given_primes_are_checked() -> None:
    data = ckks().to_dict()
    prime, twice = data["special"][0], data["levels"][0][0]
    composite = next(n for n in range(prime - 2**15, 0, -(2**15)) if not sympy.isprime(n))
    unfriendly = sympy.prevprime(2**43)
    others = data["special"][1:]
    for wrong, message in (
        (twice, "must be distinct"),
        (others[0], "must be distinct"),
        (composite, f"{composite} is not a prime that is 1 mod 32768"),
        (unfriendly, f"{unfriendly} is not a prime that is 1 mod 32768"),
        (3, "20 to 50 bits"),
    ):
        with pytest.raises(ParameterError, match=message):
            Parameters.from_dict(data | {"special": [wrong, *others]})
    assert Parameters.from_dict(data | {"special": [prime, *others]}) == ckks()
    with pytest.raises(ParameterError, match="not 128-bit secure"):
        Parameters.from_dict(data | {"ring_degree": 2**13})
    with pytest.raises(ParameterError, match="one or two primes"):
        Parameters.from_dict(data | {"levels": [list(chain.from_iterable(data["levels"]))]})
