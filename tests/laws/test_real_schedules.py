"""The ranges of transforms on doubles: every product and sum is exact, proved by interval arithmetic.

The recursion of csrc/kernels/real_rules.hpp once more, in exact fractions: values are symmetric intervals [-m q, m q];
with b bits of modulus a factor may reach 2^52, which is at least 2^(52-b) q, and a sum 2^53.
"""

import re
from fractions import Fraction

import pytest

from tests.codebase import ROOT
from tests.laws.test_schedules import LOG_DEGREES, passes

RULES = (ROOT / "csrc/kernels/real_rules.hpp").read_text()
TABLE = (ROOT / "csrc/README.md").read_text()
CLASSES = (4, 2)
BOUND = 2  # of values between two passes of the inverse
ULP = Fraction(1, 2**53)  # relative error of a rounding


def largest(headroom):
    """What the moduli of a class stay below."""
    return 2 ** (52 - headroom)


def product(m, q):
    """|w y - k q| / q for |w| < q/2, where w / q < 1/2 comes from two roundings: its error is below 2^-53."""
    assert (1 + ULP) * ULP / 2 + ULP / 4 <= ULP
    return Fraction(1, 2) + m * q * ULP


def reduced(m):
    """|x - k q| / q: 1 / q is rounded, and the quotient is."""
    return Fraction(1, 2) + m * ULP


def is_exact_product(m, q):
    """y w = h + l, h - k q = T - l and T are doubles, and the quotient is an integer below 2^51 beside 1.5 * 2^52."""
    rest = m * q * q / 2 * ULP  # |l|, half of the last bit of h
    return m * q / 2 <= 2**51 and product(m, q) * q + rest <= 2**53


def forward(log_degree, q, reduces):
    """m after each stage; raises where a product may be inexact or a sum leaves 2^53."""
    m = Fraction(1)
    for pass_index, radix in enumerate(passes(log_degree)):
        for stage in range(radix):
            assert is_exact_product(m, q), f"a factor leaves 2^52 in pass {pass_index}, stage {stage}"
            x = reduced(m) if reduces(pass_index, stage) else m
            m = x + product(m, q)
            assert m * q <= 2**53, f"a sum leaves 2^53 in pass {pass_index}, stage {stage}"
            yield m


def never(_pass, _stage):
    return False


def once_a_pass(pass_index, stage):
    return pass_index > 0 and stage == 0


STEP = {4: never, 2: once_a_pass}


@pytest.mark.parametrize("headroom", CLASSES)
@pytest.mark.parametrize("log_degree", LOG_DEGREES)
def test_forward_products_and_sums_are_exact(log_degree, headroom):
    stages = list(forward(log_degree, largest(headroom), STEP[headroom]))
    assert len(stages) == log_degree


@pytest.mark.parametrize(("log_degree", "bits"), [(17, 49), (15, 49), (13, 50), (7, 50)])
def test_the_recursion_refuses_to_leave_reductions_out(log_degree, bits):
    with pytest.raises(AssertionError, match="leaves"):
        list(forward(log_degree, 2**bits, never))


def test_the_steps_are_those_of_the_kernels():
    assert "headroom == 2 && !first_pass && stage_of_pass == 0 ? Step::kReduce : Step::kPlain" in RULES
    assert f"{{-{BOUND} * kUnit, {BOUND} * kUnit}}" in RULES
    assert "kWordBits - modulus_bits >= 4 ? 4 : 2" in RULES
    assert "kMaxModulusBits = 50" in RULES


# --- inverse ----------------------------------------------------------------------------------------------------------


def inverse(radix, q, planned_end, m):
    """(planned, actual) ends of the registers after one pass, as `plan_inverse` does for factors up to planned_end."""
    registers = [(Fraction(m), Fraction(m))] * 2**radix
    planned_q = 2**52 / planned_end
    for stage in range(radix):
        distance = 2**stage
        for x in (k for k in range(2**radix) if not k & distance):
            y, left = x + distance, {x, x + distance}
            while registers[x][0] + registers[y][0] > planned_end and left:
                chosen = max(sorted(left), key=lambda k: registers[k][0])
                left.remove(chosen)
                registers[chosen] = (reduced(registers[chosen][0]), reduced(registers[chosen][1]))
            planned, actual = (registers[x][i] + registers[y][i] for i in (0, 1))
            assert is_exact_product(actual, q), f"X - Y leaves 2^52 in stage {stage}"
            registers[x], registers[y] = (planned, actual), (product(planned, planned_q), product(actual, q))
    return registers


def stored(registers):
    """What is left when those planned above the bound were reduced."""
    return max(reduced(actual) if planned > BOUND else actual for planned, actual in registers)


@pytest.mark.parametrize("headroom", CLASSES)
def test_inverse_products_and_sums_are_exact(headroom):
    """Each pass takes [-2q, 2q] to itself and bears a product with N^-1 after it; the block of 64 starts in [0, q)."""
    q, end = largest(headroom), Fraction(2**headroom)
    for radix in (1, 2, 3):
        registers = inverse(radix, q, end, BOUND)
        assert stored(registers) <= BOUND
        assert all(is_exact_product(actual, q) for _, actual in registers)
    between = stored(inverse(3, q, end, 1))
    assert stored(inverse(3, q, end, between)) <= BOUND


# --- products and their sums ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", range(2, 51))
def test_a_product_of_residues_ends_beside_zero(bits):
    """`mul_add`: the quotient of x y + z, of one fused rounding and one by 1 / q; `mul` of x < 2q by a known factor."""
    q = Fraction(2**bits)
    assert Fraction(1, 2) + q * 2 * ULP * (1 + ULP) <= 1
    assert Fraction(1, 2) + 2 * q * ULP / 2 <= 1
    assert 2 * q <= 2**51


@pytest.mark.parametrize("bits", range(2, 51))
def test_sums_of_products_are_exact(bits):
    """`RealSum`: D products of x < 2^50 and y < q on top of a residue."""
    q, log_terms = Fraction(2**bits), min(8, (54 - bits) // 2)
    terms, k = 2**log_terms, bits - 1 + log_terms
    assert terms * 2**50 * q <= 2 ** (51 + k)  # high stays within its binade
    low = q + terms * Fraction(2) ** (k - 1)
    assert low <= 2**53
    high = terms * 2**50 + low / q
    assert high <= 2 ** (51 + log_terms)  # so that its quotient is rounded to a multiple of D
    left = q * (Fraction(terms, 2) + high * ULP)
    assert left + low <= 2**53
    assert reduced((left + low) / q) <= 1


def test_the_sums_are_those_of_the_kernels():
    source = (ROOT / "csrc/kernels/real_residue.inl").read_text()
    assert "std::min(8, (54 - q.bits) / 2)" in source
    assert "magic(q.bits - 1 + log_terms(q))" in source


def test_the_table_of_bounds_is_what_the_kernels_use():
    """csrc/README.md: doubles | q below | forward step | forward range | B."""
    found = re.findall(r"\| doubles, ([42]) \| 2\^(\d+) \| .*? \| ([\d.]+) \| (\d) \|", TABLE)
    assert [(int(row[0]), int(row[1]), int(row[3])) for row in found] == [(h, 52 - h, BOUND) for h in CLASSES]
    for headroom, row in zip(CLASSES, found, strict=True):
        widest = max(m for n in LOG_DEGREES for m in forward(n, largest(headroom), STEP[headroom]))
        assert widest <= Fraction(row[2]) <= widest + Fraction(1, 10)
