"""The lazy ranges of transforms on integers: no value leaves [0, 2^S), proved by intervals and not by random inputs.

A schedule that passes random and extreme inputs can still be wrong, so the recursion is evaluated here once more, in
exact fractions and for actual primes, with the passes, offsets and bounds that stand in csrc/kernels/shoup_rules.hpp.
Intervals are in units of q; LIM = 2^S / q is the end of a word in that unit.
"""

import re
from fractions import Fraction
from math import ceil

import numpy as np
import pytest

from tests.codebase import ROOT
from tests.strategies import Primes

SCHEDULE = (ROOT / "csrc/kernels/schedule.hpp").read_text()
SOURCE = (ROOT / "csrc/kernels/shoup_rules.hpp").read_text()
RESIDUES = (ROOT / "csrc/kernels/residue.inl").read_text()
TABLE = (ROOT / "csrc/README.md").read_text()
LOG_DEGREES = range(7, 18)
CLASSES = (6, 4, 2)


def stated(function: str) -> dict[int, int]:
    """Class of prime -> the value that a one-line function of shoup_rules.hpp gives it."""
    found = re.search(
        rf"int {function}\(\) const {{ return headroom == 6 \? (\d+) : headroom == 4 \? (\d+) : (\d+)", SOURCE
    )
    assert found, function
    return dict(zip(CLASSES, map(int, found.groups()), strict=True))


OFFSET, BOUND = stated("forward_offset"), stated("inverse_bound")


def primes_of(headroom):
    """LIM for the worst that the class admits, and for the ends of its range of bits in words of 52 and 64 bits."""
    yield Fraction(2**headroom)
    for word_bits in (52, 64):
        for bits in (word_bits - headroom, word_bits - headroom - (1 if headroom != 6 else 20)):
            yield Fraction(2**word_bits, 2**bits - 1)


def passes(log_degree):
    """log2 of each pass's radix: the rule of `outer_passes`, then the two of a 64-block."""
    assert "stages == 1 ? 1 : stages == 2 || stages == 4 ? 2 : 3" in SCHEDULE
    stages, radices = log_degree - 6, []
    while stages:
        radices.append({1: 1, 2: 2, 4: 2}.get(stages, 3))
        stages -= radices[-1]
    return [*radices, 3, 3]


def product(y, lim):
    """The end of w y - floor(w' y / 2^S) q in [0, q (1 + y / 2^S)); Barrett's reduction is the case w = 1."""
    return 1 + y / lim


def forward(log_degree, lim, step, offset):
    """The interval of each stage, for step(pass, stage of the pass); raises where a value would wrap."""
    low, high = Fraction(0), Fraction(1)
    for pass_index, radix in enumerate(passes(log_degree)):
        for stage in range(radix):
            kind, t = step(pass_index, stage), product(high, lim)
            x_low, x_high = low, high
            if kind in ("reduce", "strict"):
                x_low, x_high = Fraction(0), product(high, lim)
            if kind in ("reduce", "offset"):
                x_low, x_high = x_low + offset, x_high + offset
            correction = offset if kind == "strict" else 0
            low, high = x_low + correction - t, max(x_high + t, x_high + correction)
            assert low >= 0, f"X - T may be negative in pass {pass_index}, stage {stage}"
            assert high <= lim, f"X + T may wrap in pass {pass_index}, stage {stage}"
            yield low, high


def step_of(headroom):
    """The rule of `forward_step`."""
    if headroom == 2:
        return lambda _pass, _stage: "strict"
    later = {6: "plain", 4: "reduce"}[headroom]
    return lambda pass_index, stage: "plain" if stage else later if pass_index else "offset"


@pytest.mark.parametrize("headroom", CLASSES)
@pytest.mark.parametrize("log_degree", LOG_DEGREES)
def test_no_forward_value_leaves_its_word(log_degree, headroom):
    for lim in primes_of(headroom):
        stages = list(forward(log_degree, lim, step_of(headroom), OFFSET[headroom]))
        assert len(stages) == log_degree
        assert stages[-1][1] <= lim  # so that the last reduction leaves [0, 2q)


@pytest.mark.parametrize(
    ("headroom", "offset", "wrong"),
    [(6, 26, "negative"), (6, 36, "wrap"), (4, 4, "negative"), (4, 9, "wrap"), (2, 1, "negative")],
)
def test_the_recursion_refuses_other_offsets(headroom, offset, wrong):
    with pytest.raises(AssertionError, match=wrong):
        list(forward(17, Fraction(2**headroom), step_of(headroom), offset))


def test_the_recursion_refuses_what_random_inputs_let_pass():
    """Below 2^47, c = 12 and one reduction, six stages before the end of N = 2^14: no input tried so far fails."""
    before_block = len(passes(14)) - 2

    def step(pass_index, stage):
        return "plain" if stage else {0: "offset", before_block: "reduce"}.get(pass_index, "plain")

    with pytest.raises(AssertionError, match="negative"):
        list(forward(14, Fraction(2**5), step, 12))


# --- inverse ---------------------------------------------------------------------------------------------------------


def inverse(radix, lim, planned_lim, inputs):
    """The ends of the registers after one pass: planned as `plan_inverse` does, followed for the given LIM.

    Registers are (low, high) as the plan sees them, with LIM = 2^headroom, and as they are.
    """
    plan, real = [inputs] * 2**radix, [inputs] * 2**radix
    for stage in range(radix):
        distance = 2**stage
        for x in (k for k in range(2**radix) if not k & distance):
            y, reduced = x + distance, set()
            while True:
                offset = max(0, ceil(plan[y][1] - plan[x][0]))
                fits = plan[x][1] + offset - plan[y][0] <= planned_lim and plan[x][1] + plan[y][1] <= planned_lim
                if fits or reduced == {x, y}:
                    break
                register = x if x not in reduced and (y in reduced or plan[x][1] >= plan[y][1]) else y
                reduced.add(register)
                plan[register] = (0, product(plan[register][1], planned_lim))
                real[register] = (0, product(real[register][1], lim))
            lift = 2 if stage + 1 < radix and not y & 2 * distance else 0
            for registers, end in ((plan, planned_lim), (real, lim)):
                (x_low, x_high), (y_low, y_high) = registers[x], registers[y]
                assert x_low + offset >= y_high, f"X - Y may be negative in stage {stage}"
                assert max(x_high + y_high, x_high + offset - y_low) <= end, f"a value may wrap in stage {stage}"
                registers[x] = (x_low + y_low, x_high + y_high)
                registers[y] = (lift, lift + product(x_high + offset - y_low, end))
    return plan, real


def stored(registers, planned, lim, bound):
    """What the registers hold after those planned above the bound were reduced."""
    return max(product(r[1], lim) if p[1] > bound else r[1] for r, p in zip(registers, planned, strict=True))


@pytest.mark.parametrize("headroom", CLASSES)
def test_no_inverse_value_leaves_its_word(headroom):
    """In any sequence of passes: each takes [0, Bq) to [0, Bq), and the block of 64 starts from [0, q)."""
    planned, bound = Fraction(2**headroom), BOUND[headroom]
    for lim in primes_of(headroom):
        for radix in (1, 2, 3):
            plan, real = inverse(radix, lim, planned, (Fraction(0), Fraction(bound)))
            assert stored(real, plan, lim, bound) <= bound
            assert all(r[1] <= lim for r in real)  # so that the last products leave [0, 2q)
        plan, real = inverse(3, lim, planned, (Fraction(0), Fraction(1)))
        between = (Fraction(0), stored(plan, plan, planned, bound))
        assert stored(real, plan, lim, bound) <= between[1]
        plan, real = inverse(3, lim, planned, between)
        assert stored(real, plan, lim, bound) <= bound


# --- products and their sums -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("word_bits", "largest"), [(52, 50), (64, 60)])
def test_one_subtraction_finishes_a_product(word_bits, largest):
    """`reduce_product`: z < 2^(2b), t = floor(z / 2^(b-2)); two subtractions where `tight`."""
    for bits in range(2, largest + 1):
        short = Fraction(2 ** (bits - 2), 2 ** (bits - 1)) + Fraction(2 ** (bits + 2), 2**word_bits) + 1
        assert short <= (2 if bits <= word_bits - 3 else 3)
        assert short * 2**bits <= 2**word_bits


# Just below 2^50, with (q-1)^2 an estimate that is two short on 52-bit words: found by search, rare among primes.
TWO_SHORT = Primes(512, (1125899875443713, 1125899875418113, 1125899875399681))


@pytest.mark.parametrize("operation", ["mul", "mul_add", "inner_product"])
def test_the_second_subtraction_is_needed(machine, operation):
    ones, minus_ones = (TWO_SHORT.residues([value] * 512) for value in (1, -1))
    for q in TWO_SHORT.moduli:
        mu, t = 2**100 // q, (q - 1) ** 2 >> 48
        assert 2 * q <= (q - 1) ** 2 - (t * mu >> 52) * q < 3 * q
    if operation == "inner_product":
        handle, x = machine.handle(TWO_SHORT), machine.load(TWO_SHORT, minus_ones)
        assert np.array_equal(machine.read(machine.backend.inner_product(handle, [x], [x])), ones)
    elif operation == "mul_add":
        assert not machine.call("mul_add", TWO_SHORT, minus_ones, minus_ones, minus_ones).any()
    else:
        assert np.array_equal(machine.call("mul", TWO_SHORT, minus_ones, minus_ones), ones)


@pytest.mark.parametrize(("word_bits", "largest"), [(52, 50), (64, 60)])
def test_runs_of_terms_fit_their_words(word_bits, largest):
    for bits in range(2, largest + 1):
        q, headroom = 2**bits - 1, word_bits - bits
        weighted = ((1 << min(16, headroom)) - 1) * 4 // 5
        assert weighted >= 1
        # a residue, and products of rows below 2^(S-2) by Shoup's words
        assert q + weighted * q * (1 + Fraction(1, 4)) <= 2**word_bits
        inner = 1 << min(11 if word_bits == 52 else 30, 2 * headroom)
        assert inner * (q - 1) ** 2 + q - 1 < 2 ** (2 * word_bits)
        # what reduce_wide leaves: two lazy products
        assert 4 * q <= 2**word_bits
    assert "- 1) * 4 / 5" in RESIDUES
    assert "2 * (Simd::kWordBits - q.bits)" in RESIDUES


# --- one copy --------------------------------------------------------------------------------------------------------


def test_the_table_of_bounds_is_what_the_kernels_use():
    """csrc/README.md: class | IFMA | scalar | forward step | c | forward range | B."""
    rows = [re.split(r"\s*\|\s*", line.strip("| ")) for line in TABLE.splitlines() if re.match(r"\| [246] \|", line)]
    assert [int(row[0]) for row in rows] == list(CLASSES)
    for headroom, row in zip(CLASSES, rows, strict=True):
        lim = Fraction(2**headroom)
        ranges = [r for n in LOG_DEGREES for r in forward(n, lim, step_of(headroom), OFFSET[headroom])]
        low, high = (float(end) for end in re.findall(r"[\d.]+", row[5]))
        assert row[1] == f"2^{52 - headroom}"
        assert int(row[4]) == OFFSET[headroom]
        assert low <= min(r[0] for r in ranges) <= low + 0.1
        assert high - 0.1 <= max(r[1] for r in ranges) <= high
        assert int(row[6]) == BOUND[headroom]
