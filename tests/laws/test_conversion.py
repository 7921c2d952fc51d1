"""From integers to residues and back, and from one basis to another, against exact big integers."""

from fractions import Fraction

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.machine import Machine
from tests.strategies import (
    SEEDS,
    Primes,
    bases,
    dividends,
    kept_limbs,
    leadings,
    near_the_middle,
    polys,
    ring_degrees,
    scalars,
)

# Wide enough for the product of the target to tell all the multiples of Q apart that a conversion may leave in.
DEGREES = ring_degrees(8, 128)
ROW = st.sampled_from([16, 128])
SOURCES = bases(limbs=(1, 5), degrees=DEGREES)


def other_primes(basis: Primes) -> st.SearchStrategy[Primes]:
    """A basis over the same ring."""
    return bases(limbs=(1, 4), degrees=st.just(basis.ring_degree))


def round_half_even(integer: int) -> float:
    """The double that is nearest to an integer, of two the even one, by integer arithmetic."""
    shift = max(abs(integer).bit_length() - 53, 0)
    quotient, remainder = divmod(abs(integer), 1 << shift)
    if 2 * remainder > 1 << shift or (2 * remainder == 1 << shift and quotient & 1):
        quotient += 1
    if quotient.bit_length() + shift > 1024:
        return float("inf") if integer > 0 else float("-inf")
    return (quotient if integer >= 0 else -quotient) * 2.0**shift  # 53 bits times a power of two: both exact


def lift(machine: Machine, basis: Primes, integers: list[int]) -> list[float]:
    """What `Backend.lift` makes of some integers, which are repeated to fill a polynomial."""
    x = basis.residues(np.resize(np.array(integers, dtype=object), basis.ring_degree))
    lifted: list[float] = machine.backend.lift(machine.handle(basis), machine.load(basis, x)).tolist()
    assert lifted == np.resize(lifted[: len(integers)], len(lifted)).tolist()
    return lifted[: len(integers)]


def assert_lifted(lifted: list[float], integers: list[int]) -> None:
    """The nearest doubles below 2^100; beyond, those, or others that are as near but for 2^-40 of the last place."""
    for double, x in zip(lifted, integers, strict=True):
        right = round_half_even(x)
        if abs(x) >= 2**100 and np.isfinite(right) and np.isfinite(double):
            assert abs(int(double) - x) * 2**94 <= abs(int(right) - x) * 2**94 + abs(x)
        else:
            assert double == right


def nearest(numerator: int, denominator: int) -> int:
    """round(numerator / denominator) for an odd denominator, where there are no ties."""
    return (2 * numerator + denominator) // (2 * denominator)


@given(bases(), leadings(), SEEDS)
def test_reduce_takes_residues(machine, basis, leading, seed):
    rng = np.random.default_rng(seed)
    shape = (*leading, basis.ring_degree)
    x = rng.integers(-(2**63), 2**63 - 1, shape, endpoint=True) >> rng.integers(0, 63, shape)
    x[..., :6] = [-(2**63), 2**63 - 1, -1, 0, 1, -basis.moduli[0]]
    assert np.array_equal(machine.read(machine.backend.reduce(machine.handle(basis), x)), basis.residues(x))


@given(SOURCES, st.data())
def test_lift_is_the_nearest_double(machine, basis, data):
    x = data.draw(polys(basis, data.draw(leadings())))
    lifted = machine.backend.lift(machine.handle(basis), machine.load(basis, x))
    assert lifted.dtype == np.float64
    assert lifted.shape == (*x.shape[:-2], x.shape[-1])
    assert_lifted(lifted.reshape(-1).tolist(), basis.integers(x).reshape(-1).tolist())


@given(bases(limbs=(3, 4), degrees=ROW, bits=(46, 50)), st.integers(2, 99), SEEDS)
def test_lift_of_what_fits_two_doubles_is_the_nearest(machine, basis, bits, seed):
    """Most integers of a wide basis are beyond; those that decryption meets are not."""
    x = [int.from_bytes(np.random.default_rng(seed + k).bytes(13), "little") % 2**bits for k in range(16)]
    x = [value - 2 ** (bits - 1) for value in x]
    assert lift(machine, basis, x) == [round_half_even(v) for v in x]


@given(bases(limbs=(2, 5), degrees=ROW), SEEDS)
def test_lift_rounds_half_to_even(machine, basis, seed):
    rng, N = np.random.default_rng(seed), basis.ring_degree
    assume(basis.product > 1 << 60)
    longest = basis.product.bit_length() - 3
    mantissas = [(1 << 52) + int(m) for m in rng.integers(0, 1 << 52, N - 2)] + [(1 << 53) - 1, (1 << 53) - 2]
    shifts = [int(s) for s in rng.integers(1, longest - 52, N)]
    half_way = [(2 * m + 1) << (s - 1) for m, s in zip(mantissas, shifts, strict=True)]
    for beside in (-1, 0, 1):
        x = [int(sign) * (h + beside) for sign, h in zip(rng.choice([-1, 1], N), half_way, strict=True)]
        assert_lifted(lift(machine, basis, x), x)


@given(bases(limbs=(1, 4), degrees=ROW))
def test_lift_is_centred(machine, basis):
    half = basis.product // 2
    x = [0, 1, -1, half, -half, half + 1, basis.product - 1, 2]
    assert_lifted(lift(machine, basis, x), [0, 1, -1, half, -half, -half, -1, 2])


@given(bases(limbs=(23, 23), degrees=ROW, bits=(46, 50)))
def test_lift_overflows_to_infinity(machine, basis):
    largest = ((1 << 53) - 1) << 971
    limit, beside = largest + (1 << 970), 1 << 930  # half way to 2^1024, and what pairs of doubles tell apart there
    x = [largest, limit - beside, limit + beside, basis.product // 2]
    x += [-largest, beside - limit, -limit - beside, -limit - 2 * beside]
    lifted = lift(machine, basis, x)
    assert_lifted(lifted, x)
    assert np.isinf(lifted).tolist() == [False, False, True, True, False, False, True, True]


def away_from_the_middle(basis: Primes, integers: np.ndarray) -> np.ndarray:
    """Which integers are further from Q/2 than the error bound of `Backend.convert`."""
    bound, half = Fraction(len(basis), 1 << 45), Fraction(1, 2)
    return np.vectorize(lambda v: abs(abs(Fraction(int(v), basis.product)) - half) > bound, otypes=[bool])(integers)


@given(SOURCES, st.data())
def test_convert_is_the_centred_representative(machine, source, data):
    target, x = data.draw(other_primes(source)), data.draw(polys(source, data.draw(leadings())))
    Q, integers = source.product, source.integers(x)
    safe = away_from_the_middle(source, integers)
    converted = machine.read(
        machine.backend.convert(machine.handle(source), machine.handle(target), machine.load(source, x))
    )
    exact, other = target.residues(integers), target.residues(np.where(integers > 0, integers - Q, integers + Q))
    right = (converted == exact).all(axis=-2)
    assert right[safe].all()
    assert (right | (converted == other).all(axis=-2)).all()


@given(bases(limbs=(2, 6), degrees=DEGREES), st.integers(2, 99), st.data())
def test_convert_multiplies_what_it_takes_or_what_it_gives(machine, primes, factor, data):
    """By the same numbers, to a basis of as many primes: nothing but their place tells which. Then by others."""
    half = len(primes) // 2
    source, target = primes.limbs(0, half), primes.limbs(half, 2 * half)
    x, handles = data.draw(polys(source)), (machine.handle(source), machine.handle(target))
    integers, loaded = source.integers(x), machine.load(source, x)
    taken = source.integers(source.residues(factor * integers))
    for found, expected, safe in (
        ((loaded, [factor] * half), taken, away_from_the_middle(source, taken)),
        ((loaded, [], [factor] * half), factor * integers, away_from_the_middle(source, integers)),
        ((loaded, [], [1] * half), integers, away_from_the_middle(source, integers)),
    ):
        converted = machine.read(machine.backend.convert(*handles, *found))
        assert (converted == target.residues(expected)).all(axis=-2)[safe].all()


@given(bases(limbs=(1, 1), degrees=DEGREES, bits=(40, 44)), st.data())
def test_convert_of_one_prime_to_shorter_ones(machine, source, data):
    """Multiplied after, where residues of the source are many times a prime of the target."""
    target = data.draw(bases(limbs=(1, 4), degrees=st.just(source.ring_degree), bits=(14, 38)))
    factors, x = data.draw(scalars(target)), data.draw(polys(source))
    converted = machine.backend.convert(
        machine.handle(source), machine.handle(target), machine.load(source, x), [], factors
    )
    residues = target.residues(source.integers(x)).astype(object) * np.array(factors, dtype=object)[:, None]
    assert np.array_equal(machine.read(converted), residues % np.array(target.moduli, dtype=object)[:, None])


@given(bases(limbs=(2, 6), degrees=DEGREES), st.data())
def test_scale_round_is_the_nearest_integer_modulo_t(machine, primes, data):
    """And how far it was, but beside Q/2, where the error bound of a conversion leaves open which is nearer."""
    basis, plain = primes.limbs(1, len(primes)), primes.limbs(0, 1)
    x, (t,) = data.draw(polys(basis, data.draw(leadings()))), plain.moduli
    Q, error = basis.product, Fraction(len(basis), 1 << 45)
    handle, plain_handle = machine.handle(basis), machine.handle(plain)
    rounded, rest = machine.backend.scale_round(handle, plain_handle, machine.load(basis, x))
    found = machine.read(rounded)
    assert found.shape == (*x.shape[:-2], 1, x.shape[-1])
    assert rest.shape == (*x.shape[:-2], x.shape[-1])
    for number, k, off in zip(basis.integers(x).ravel(), found.ravel(), rest.ravel(), strict=True):
        exact = Fraction(t * int(number), Q)
        nearby = [n for n in range(int(exact) - 2, int(exact) + 3) if n % t == k]
        assert any(abs(exact - n - Fraction(float(off))) <= error for n in nearby)
        assert abs(off) <= 0.5 + error


@given(bases(limbs=(1, 6), degrees=st.sampled_from([64, 128])), SEEDS, st.data())
def test_convert_beside_the_middle(machine, source, seed, data):
    target = data.draw(other_primes(source))
    x, safe = near_the_middle(source, seed)
    loaded = machine.load(source, source.residues(x))
    converted = machine.read(machine.backend.convert(machine.handle(source), machine.handle(target), loaded))
    below, above = target.residues(x % source.product), target.residues(x % source.product - source.product)
    right = (converted == np.where(2 * x < source.product, below, above)).all(axis=-2)
    wrong = (converted == np.where(2 * x < source.product, above, below)).all(axis=-2)
    assert right[safe].all()
    assert (right | wrong).all()


@given(bases(limbs=(1, 6), degrees=st.sampled_from([64, 128])), SEEDS, st.data())
def test_convert_rounds_the_stated_doubles(machine, source, seed, data):
    """The quotient is that of IEEE doubles, product by product and sum by sum, beside Q/2 as well."""
    target = data.draw(other_primes(source))
    Q, (x, _) = source.product, near_the_middle(source, seed)
    s, total = np.zeros(source.ring_degree), np.zeros(source.ring_degree, dtype=object)
    for q in source.moduli:
        y = x * pow(Q // q, -1, q) % q
        s = s + y.astype(np.float64) * (np.float64(1.0) / np.float64(q))
        total = total + y * (Q // q)
    quotient = np.floor(s + 0.5).astype(np.int64).astype(object)
    loaded = machine.load(source, source.residues(x))
    converted = machine.read(machine.backend.convert(machine.handle(source), machine.handle(target), loaded))
    assert np.array_equal(converted, target.residues(total - quotient * Q))


@given(bases(limbs=(2, 5), degrees=DEGREES), st.data())
def test_divide_round_is_the_nearest_quotient(machine, basis, data):
    start, stop = data.draw(kept_limbs(basis))
    x = data.draw(dividends(basis, start, stop))
    kept = basis.limbs(start, stop)
    D = basis.product // kept.product
    integers = basis.integers(x)
    bound = Fraction(len(basis) - len(kept), 1 << 45)
    divided = machine.read(
        machine.backend.divide_round_coeff(machine.handle(basis), start, stop, machine.load(basis, x))
    )
    quotients = np.array([nearest(int(v), D) for v in integers], dtype=object)
    distance = np.array([abs(Fraction(int(v), D) - k) for v, k in zip(integers, quotients, strict=True)])
    other = np.where([v > k * D for v, k in zip(integers, quotients, strict=True)], quotients + 1, quotients - 1)
    right = (divided == kept.residues(quotients)).all(axis=-2)
    assert right[distance < Fraction(1, 2) - bound].all()
    assert (right | (divided == kept.residues(other)).all(axis=-2)).all()


@given(bases(limbs=(2, 5), degrees=DEGREES), st.data())
def test_divide_round_agrees_in_both_domains(machine, basis, data):
    start, stop = data.draw(kept_limbs(basis))
    x = data.draw(polys(basis, data.draw(leadings())))
    backend, handle = machine.backend, machine.handle(basis)
    evaluated = machine.load_eval(basis, machine.ntt(basis, x))
    divided = machine.read_eval(backend.divide_round_eval(handle, start, stop, evaluated))
    expected = machine.read(backend.divide_round_coeff(handle, start, stop, machine.load(basis, x)))
    assert np.array_equal(divided, machine.ntt(basis.limbs(start, stop), expected))


@given(SOURCES, SEEDS, st.data())
def test_there_and_back(machine, source, seed, data):
    """An integer of less than a quarter of both products survives a conversion and its return."""
    target = data.draw(other_primes(source))
    bound = min(source.product, target.product) // 4
    rng = np.random.default_rng(seed)
    x = np.array([int(v) * bound >> 62 for v in rng.integers(-(2**62), 2**62, source.ring_degree)], dtype=object)
    there = machine.backend.convert(
        machine.handle(source), machine.handle(target), machine.load(source, source.residues(x))
    )
    assert np.array_equal(target.integers(machine.read(there)), x)
    back = machine.backend.convert(machine.handle(target), machine.handle(source), there)
    assert np.array_equal(source.integers(machine.read(back)), x)
