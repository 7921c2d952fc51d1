"""The noise model against noise that is made here, from the definitions, with integers of any size.

A bound that is only compared with typical noise could lose a term and nobody would see it. So each term is made to
dominate, and must lie close below its bound: a dropped term, or a dropped factor of it, fails.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhe import noise
from fhe.parameters import BFVParameters
from tests.schemes.negacyclic import (
    Poly,
    at_roots,
    centred,
    error,
    log_largest,
    log_rms,
    multiply,
    rounded,
    ternary,
    uniform,
)

N = 256
TOY = "a small ring for tests"
BFV = BFVParameters(ring_degree=N, modulus_bits=[45] * 4, special_bits=[46] * 2, plain_modulus=7681, insecure=TOY)

SEEDS = st.integers(0, 2**32)


class Toy:
    """BFV over one ring, by the book: keys, encryption, product, decryption."""

    def __init__(self, parameters: BFVParameters, rng: np.random.Generator) -> None:
        self.p, self.rng = parameters, rng
        self.Q, self.t = math.prod(parameters.moduli()), parameters.plain_modulus
        self.s = ternary(rng)
        self.s2 = multiply(self.s, self.s)
        self.a = uniform(rng, self.Q)
        self.b = centred(error(rng) - multiply(self.a, self.s), self.Q)

    def encrypt(self, m: Poly) -> tuple[Poly, Poly]:
        u = ternary(self.rng)
        c0 = multiply(self.b, u) + error(self.rng) + rounded(m, self.Q, self.t)
        return centred(c0, self.Q), centred(multiply(self.a, u) + error(self.rng), self.Q)

    def phase(self, c: Sequence[Poly]) -> Poly:
        powers = (None, self.s, self.s2)
        return centred(c[0] + sum(multiply(x, s) for x, s in zip(c[1:], powers[1:], strict=False)), self.Q)

    def noise(self, c: Sequence[Poly], m: Poly) -> Poly:
        """c(s) - Q m / t, up to a half."""
        return centred(self.phase(c) - rounded(m, self.Q, self.t), self.Q)

    def product(self, c: Sequence[Poly], d: Sequence[Poly]) -> tuple[Poly, Poly, Poly]:
        cross = multiply(c[0], d[1]) + multiply(c[1], d[0])
        tensor = (multiply(c[0], d[0]), cross, multiply(c[1], d[1]))
        return tuple(centred(rounded(x, self.t, self.Q), self.Q) for x in tensor)  # type: ignore[return-value]

    def relinearize(self, c: Sequence[Poly]) -> tuple[Poly, Poly]:
        """With an ideal key: c_2 s^2 moved to c_0, so that no key-switching noise is added."""
        return centred(c[0] + multiply(c[2], self.s2), self.Q), c[1]


def message(rng: np.random.Generator, t: int) -> Poly:
    return centred(np.array(rng.integers(0, t, N).tolist(), dtype=object), t)


# --- facts that the model rests on ----------------------------------------------------------------------------------


def test_ternary_and_binomial_variables_are_sub_gaussian_with_their_variance() -> None:
    for x in np.linspace(0.01, 30, 400):
        assert math.log((1 + 2 * math.cosh(x)) / 3) <= noise.SECRET_VARIANCE * x * x / 2 + 1e-12
        assert 42 * math.log(math.cosh(x / 2)) <= noise.ERROR_VARIANCE * x * x / 2 + 1e-12
        assert math.log(math.sinh(x / 2) / (x / 2)) <= noise.ROUNDING_VARIANCE * x * x / 2 + 1e-12


@pytest.mark.parametrize("ring_degree", [2**k for k in (3, 10, 14, 17)])
def test_tail_is_the_gaussian_tail(ring_degree: int) -> None:
    log_failure = 1 + math.log2(ring_degree) - noise.tail(ring_degree) ** 2 / 2 / math.log(2)
    assert math.isclose(log_failure, -148, abs_tol=1e-6)
    assert 14 < noise.tail(ring_degree) < 15.5


@pytest.mark.parametrize("ring_degree", [64, 1024, 4096])
def test_weight_is_rarely_exceeded_exactly(ring_degree: int) -> None:
    w = math.floor(noise.weight(ring_degree))
    beyond = sum(math.comb(ring_degree, h) << h for h in range(w + 1, ring_degree + 1))
    assert beyond << 148 <= 3**ring_degree
    if ring_degree > 1024:
        assert noise.weight(ring_degree) < 0.8 * ring_degree


@pytest.mark.parametrize("ring_degree", [2**k for k in (3, 10, 14, 17)])
def test_spread_is_the_tail_in_all_directions_at_half_of_the_roots(ring_degree: int) -> None:
    """Where |z| > r some direction sees more than r cos(pi / 16), and there V sum_j cos^2 = N V / 2 is the proxy."""
    directions = np.exp(2j * np.pi * np.arange(noise.DIRECTIONS) / noise.DIRECTIONS)
    circle = np.exp(2j * np.pi * np.arange(1000) / 1000)
    nearest = math.cos(math.pi / noise.DIRECTIONS)
    assert np.min(np.max((circle[:, None] * directions).real, axis=1)) >= nearest - 1e-12
    powers = np.exp(3j * np.pi * np.arange(ring_degree) / ring_degree)
    assert math.isclose(np.sum((powers * directions[1]).real ** 2), ring_degree / 2, rel_tol=1e-9)
    log_each = -((noise.spread(ring_degree) * nearest) ** 2) / math.log(2)
    assert math.isclose(math.log2(ring_degree / 2 * noise.DIRECTIONS) + log_each, -148, abs_tol=1e-6)


def test_secret_norm_is_above_and_near_the_largest_seen() -> None:
    rng = np.random.default_rng(1)
    seen = max(np.abs(at_roots(ternary(rng, 4096))).max() for _ in range(200))
    assert seen < noise.secret_norm(4096) < 4 * seen
    assert noise.secret_norm(8) <= 8


def test_canonical_norm_is_the_largest_value_at_a_root() -> None:
    rng = np.random.default_rng(2)
    p = rng.integers(-100, 100, 16)
    roots = [np.exp(1j * np.pi * (2 * k + 1) / 16) for k in range(16)]
    direct = max(abs(sum(int(c) * root**i for i, c in enumerate(p))) for root in roots)
    assert math.isclose(2 ** noise.canonical_norm(p), direct, rel_tol=1e-9)
    assert noise.canonical_norm([-5, 0, 0, 0]) == pytest.approx(math.log2(5))
    assert noise.canonical_norm([0, 0]) == noise.NOTHING


@given(st.lists(st.floats(-50, 2000), min_size=1, max_size=5))
def test_add_is_the_logarithm_of_the_sum(bounds: list[float]) -> None:
    exact = sum(Fraction(2) ** math.floor(b) * Fraction(2.0 ** (b - math.floor(b))) for b in bounds)
    log_exact = exact.numerator.bit_length() - exact.denominator.bit_length()
    log_exact += math.log2(exact / Fraction(2) ** log_exact)
    assert math.isclose(noise.add(*bounds), log_exact, abs_tol=1e-9)
    assert noise.add(*bounds, noise.NOTHING) == noise.add(*bounds)
    assert noise.add(noise.NOTHING, noise.NOTHING) == noise.NOTHING


def test_the_ring_of_these_tests() -> None:
    f, g = [1, -2, 3, 0], [0, 5, 0, -7]
    assert multiply(f, g).tolist() == [-14 + 0, 5 + 21, -10, 15 - 7]


# --- terms, each close below its bound ------------------------------------------------------------------------------

CLOSE = 0.35  # bits between a root mean square and the bound divided by the tail


def check_close(f: Poly, bound: float, within: float = CLOSE, ring_degree: int = N) -> None:
    """|f| <= B everywhere, and the root mean square is just below B / k."""
    assert log_largest(f) <= bound
    assert (
        bound - math.log2(noise.tail(ring_degree)) - within <= log_rms(f) <= bound - math.log2(noise.tail(ring_degree))
    )


def test_fresh_encryptions() -> None:
    rng = np.random.default_rng(3)
    public = []
    for _ in range(50):
        s, u = ternary(rng), ternary(rng)
        public.append(multiply(error(rng), u) + multiply(error(rng), s) + error(rng))
    # The bound allows for keys of weight up to 0.95 N at this size, which costs a quarter of a bit.
    check_close(np.concatenate(public), noise.fresh_public(BFV), within=0.5)
    symmetric = np.concatenate([error(rng) for _ in range(50)])
    check_close(symmetric, noise.fresh_symmetric(BFV))


def test_rounding_of_a_message_is_in_the_fresh_bounds() -> None:
    assert 2 ** noise.fresh_symmetric(BFV) >= noise.tail(N) * (math.sqrt(10.5) + 0.5) - 1e-9
    smallest = noise.tail(N) * math.sqrt(10.5 * (2 * noise.weight(N) + 1))
    assert 2 ** noise.fresh_public(BFV) - smallest == pytest.approx(noise.tail(N) / 2)


def test_division_with_rounding() -> None:
    rng = np.random.default_rng(4)
    thousandths = [rng.integers(-500, 501, (3, N)).astype(object) for _ in range(50)]
    linear = [r0 + multiply(r1, ternary(rng)) for r0, r1, _ in thousandths]
    check_close(np.concatenate(linear), noise.divide_round(BFV) + math.log2(1000), within=0.5)
    # In s^2 the bound is for the worst root of s.
    quadratic = [r0 + multiply(r1, s := ternary(rng)) + multiply(multiply(r2, s), s) for r0, r1, r2 in thousandths]
    check_close(np.concatenate(quadratic), noise.divide_round(BFV, 2) + math.log2(1000), within=4)
    energy = 12 * (2 ** noise.divide_round(BFV) / noise.tail(N)) ** 2
    assert energy == pytest.approx(1 + noise.weight(N))  # r_0 and r_1 s
    assert noise.divide_round(BFV, 2) - noise.divide_round(BFV) > math.log2(noise.secret_norm(N)) - 0.1


def test_key_switching_with_the_largest_digits() -> None:
    rng = np.random.default_rng(5)
    small = BFVParameters(  # P below the digits: rounding disappears in the noise of key switching
        ring_degree=N, modulus_bits=[45] * 4, special_bits=[40] * 2, digit=2, plain_modulus=7681, insecure=TOY
    )
    log_p = small.log_p
    assert [len(digit) for digit in small.digits(3)] == [2, 2]
    for level in (1, 3):
        scaled = []
        for _ in range(100):
            total = np.zeros(N, dtype=object)
            for digit in small.digits(level):
                largest = math.prod(digit) * 49 // 100  # D/2 but for what a sample may be off
                signs = rng.choice([-1, 1], N).astype(object)  # as bad as any digits for the energy
                total = total + multiply(largest * signs, error(rng))
            scaled.append(total >> round(log_p - 20))
        check_close(np.concatenate(scaled), noise.key_switch(small, level) + 20)


def test_key_switching_rounds_too() -> None:
    # With a P far above the digits only the rounding is left.
    wide = BFVParameters(ring_degree=N, modulus_bits=[30], special_bits=[50] * 2, plain_modulus=257, insecure=TOY)
    assert noise.key_switch(wide, 0) == pytest.approx(noise.divide_round(wide), abs=1e-3)
    assert noise.key_switch(BFV, 3) > noise.key_switch(BFV, 1)


def test_rescaling_divides_and_rounds() -> None:
    dropped = BFV.log_modulus(3) - BFV.log_modulus(2)
    assert noise.rescale(BFV, 3, 100.0) == pytest.approx(100 - dropped, abs=1e-3)
    assert noise.rescale(BFV, 3, 0.0) == pytest.approx(noise.divide_round(BFV), abs=1e-3)
    assert noise.rescale(BFV, 0, 100.0) == pytest.approx(100 - BFV.log_modulus(0), abs=0.1)


def test_bfv_product_linear_terms() -> None:
    # Noise far above everything else in one operand, none in the other: w' v alone. The bound is for the worst root
    # of s, about 3.4 bits above the root mean square.
    rng = np.random.default_rng(6)
    toy = Toy(BFV, rng)
    B = 2**40
    for first in (True, False):
        large = rng.integers(-B, B + 1, N).astype(object)
        noisy, clean = (rounded(message(rng, toy.t), toy.Q, toy.t) + v for v in (large, 0 * large))
        c = _phase_of(toy, noisy if first else clean)
        d = _phase_of(toy, clean if first else noisy)
        m, m_ = rounded(toy.phase(c), toy.t, toy.Q), rounded(toy.phase(d), toy.t, toy.Q)
        v = toy.noise(toy.product(c, d), centred(multiply(m, m_), toy.t))
        rms = 40 + math.log2(noise.tail(N)) - math.log2(3) / 2  # the bound that stands for this energy
        bounds = (rms, noise.NOTHING) if first else (noise.NOTHING, rms)
        check_close(v, noise.multiply_bfv(BFV, 3, *bounds), within=4)


def test_bfv_product_with_noise_where_the_secret_is_largest() -> None:
    rng = np.random.default_rng(14)
    toy = Toy(BFV, rng)
    k = int(np.argmax(np.abs(at_roots(toy.s))))
    wave = np.cos(np.pi * (1 - 2 * k) * np.arange(N) / N)  # of one root and its conjugate
    v = np.array([round(2**40 * x) for x in wave], dtype=object)
    c, d = _phase_of(toy, v), _phase_of(toy, 0 * v)
    rms = log_rms(v) + math.log2(noise.tail(N))
    product = toy.noise(toy.product(c, d), 0 * v)
    check_close(product, noise.multiply_bfv(BFV, 3, rms, noise.NOTHING), within=3)


def _phase_of(toy: Toy, phase: Poly) -> tuple[Poly, Poly]:
    """A ciphertext with a given phase and a uniform second component."""
    c1 = uniform(toy.rng, toy.Q)
    return centred(phase - multiply(c1, toy.s), toy.Q), c1


def test_bfv_product_quadratic_term() -> None:
    rng = np.random.default_rng(7)
    log_t, log_q = 13, 40  # a Q that no BFV has, to see the term at all
    v, w = (rng.integers(-(2**60), 2**60 + 1, N).astype(object) for _ in range(2))
    term = multiply(v, w) >> (log_q - log_t)
    bound = 60 + math.log2(noise.tail(N)) - math.log2(3) / 2
    with_term, without = (noise.product(N, log_t, log, bound, bound) for log in (log_q, math.inf))
    assert with_term > without + 5
    assert log_largest(term) <= with_term <= log_largest(term) + 4


def test_bfv_product_rounds() -> None:
    """Large t and Q leave of noiseless operands the rounding of one of them to A; t = 1, the rounding of the result."""
    assert noise.product(N, -math.inf, 180, noise.NOTHING, noise.NOTHING) == noise.divide_round(BFV, 2)


@pytest.mark.parametrize("short", [0, noise.AUXILIARY_BITS_SHORT])
def test_bfv_product_rounds_one_operand_to_the_auxiliary_modulus(short: int) -> None:
    rng = np.random.default_rng(15)
    toy = Toy(BFV, rng)
    A = (toy.Q >> short) + 2  # as short as it may be
    c, d = (_phase_of(toy, rounded(message(rng, toy.t), toy.Q, toy.t)) for _ in range(2))
    m, m_ = (rounded(toy.phase(x), toy.t, toy.Q) for x in (c, d))
    shrunk = [rounded(x, A, toy.Q) for x in d]
    cross = multiply(c[0], shrunk[1]) + multiply(c[1], shrunk[0])
    tensor = (multiply(c[0], shrunk[0]), cross, multiply(c[1], shrunk[1]))
    product = [centred(rounded(x, toy.t, A), toy.Q) for x in tensor]
    v = toy.noise(product, centred(multiply(m, m_), toy.t))
    bound = noise.multiply_bfv(BFV, 3, noise.NOTHING, noise.NOTHING) - noise.AUXILIARY_BITS_SHORT + short
    check_close(v, bound, within=4)


def test_plain_products() -> None:
    rng = np.random.default_rng(8)
    v = error(rng)
    for p in (message(rng, 7681), np.array([1000] + [0] * (N - 1), dtype=object), np.ones(N, dtype=object)):
        bound = noise.multiply_plain(noise.fresh_symmetric(BFV), noise.canonical_norm(p))
        assert log_largest(multiply(v, p)) <= bound
        norm = math.sqrt(sum(int(c) ** 2 for c in v))
        assert math.sqrt(sum(int(c) ** 2 for c in multiply(v, p))) <= norm * 2 ** noise.canonical_norm(p) * (1 + 1e-9)
    constant = np.array([1000] + [0] * (N - 1), dtype=object)
    assert noise.multiply_plain(5.0, noise.canonical_norm(constant)) == pytest.approx(5 + math.log2(1000))


# --- whole computations ---------------------------------------------------------------------------------------------


@given(seed=SEEDS, squares=st.lists(st.booleans(), min_size=1, max_size=3))
def test_bfv_noise_stays_below_its_bound(seed: int, squares: list[bool]) -> None:
    """Products, squares and sums in a row, with the secret key at hand."""
    rng = np.random.default_rng(seed)
    toy = Toy(BFV, rng)
    m = message(rng, toy.t)
    c, bound = toy.encrypt(m), noise.fresh_public(BFV)
    assert log_largest(toy.noise(c, m)) <= bound
    for square in squares:
        m_, d, other = m, c, bound
        if not square:
            m_ = message(rng, toy.t)
            d, other = toy.encrypt(m_), noise.fresh_public(BFV)
        product = toy.product(c, d)
        m, bound = centred(multiply(m, m_), toy.t), noise.multiply_bfv(BFV, 3, bound, other)
        v = toy.noise(product, m)
        assert log_largest(v) <= bound
        assert bound - log_largest(v) < 12 * (len(squares) + 1)  # a bound, not just any large number
        assert bound < noise.limit_bfv(BFV, 3)
        assert _decrypts(toy, product, m)
        c, m, bound = toy.relinearize(product), centred(2 * m, toy.t), noise.add(bound, bound)
        c = (centred(2 * c[0], toy.Q), centred(2 * c[1], toy.Q))
        assert log_largest(toy.noise(c, m)) <= bound


def _decrypts(toy: Toy, c: Sequence[Poly], m: Poly) -> bool:
    return bool((centred(rounded(toy.phase(c), toy.t, toy.Q), toy.t) == m).all())


def test_decryption_fails_just_beyond_the_limit() -> None:
    rng = np.random.default_rng(9)
    toy = Toy(BFV, rng)
    m = message(rng, toy.t)
    limit = 2 ** noise.limit_bfv(BFV, 3)
    for factor, right in ((0.999, True), (1.001, False)):
        v = np.array([round(factor * limit)] * N, dtype=object)
        assert _decrypts(toy, _phase_of(toy, rounded(m, toy.Q, toy.t) + v), m) is right
