"""Integers in and out, and from one basis to another."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import (
    SEEDS,
    Primes,
    bases,
    dividends,
    kept_limbs,
    leadings,
    long_bases,
    near_the_middle,
    polys,
    scalars,
)

SOURCES = bases(limbs=(1, 6)) | long_bases()
DIVISIBLE = bases(limbs=(2, 6)) | long_bases()


def target_of(source: Primes) -> st.SearchStrategy[Primes]:
    """Primes that may, or may not, be among those of the source."""
    return bases(limbs=(1, 9), degrees=st.just(source.ring_degree))


@given(bases(), leadings(), SEEDS)
def test_reduce(agree, basis, leading, seed):
    rng = np.random.default_rng(seed)
    shape = (*leading, basis.ring_degree)
    x = rng.integers(-(2**63), 2**63 - 1, shape, endpoint=True) >> rng.integers(0, 63, shape)
    x[..., :3] = [-(2**63), 2**63 - 1, 0]
    agree(lambda m: m.read(m.backend.reduce(m.handle(basis), x)))


@given(SOURCES, st.data())
def test_lift(agree, basis, data):
    x = data.draw(polys(basis, data.draw(leadings())))
    agree(lambda m: m.backend.lift(m.handle(basis), m.load(basis, x)))


@given(bases(limbs=(1, 1)) | SOURCES, SEEDS, st.data())
def test_convert(agree, source, seed, data):
    """Multiplied before, after, or not. Beside Q/2 too, where only the same doubles in the same order give the same."""
    target = data.draw(target_of(source))
    before, after = (data.draw(st.just([]) | scalars(primes)) for primes in (source, target))
    inverses = [pow(f, -1, q) if f else 0 for f, q in zip(before or [1] * len(source), source.moduli, strict=True)]
    middle = source.residues(near_the_middle(source, seed)[0]).astype(object)
    moduli = np.array(source.moduli, dtype=object)[:, None]
    undone = (middle * np.array(inverses, dtype=object)[:, None] % moduli).astype(np.uint64)
    for x in (data.draw(polys(source, data.draw(leadings()))), undone):

        def converted(m, x=x):
            loaded = m.load(source, x)
            return m.read(m.backend.convert(m.handle(source), m.handle(target), loaded, before, after))

        agree(converted)


@given(bases(limbs=(2, 7)), SEEDS, st.data())
def test_scale_round(agree, primes, seed, data):
    """Beside Q/2 too, and what is left to the last bit."""
    basis, plain = primes.limbs(1, len(primes)), primes.limbs(0, 1)
    middle, _ = near_the_middle(basis, seed)
    for x in (data.draw(polys(basis, data.draw(leadings()))), basis.residues(middle)):

        def rounded(m, x=x):
            integers, rest = m.backend.scale_round(m.handle(basis), m.handle(plain), m.load(basis, x))
            return [m.read(integers), rest]

        agree(rounded)


@given(DIVISIBLE, st.data())
def test_divide_round_coeff(agree, basis, data):
    start, stop = data.draw(kept_limbs(basis))
    x = data.draw(dividends(basis, start, stop, data.draw(leadings())))
    agree(lambda m: m.read(m.backend.divide_round_coeff(m.handle(basis), start, stop, m.load(basis, x))))


@given(DIVISIBLE, st.data())
def test_divide_round_sum(agree, basis, data):
    special = data.draw(st.integers(1, len(basis) - 1))
    start = data.draw(st.integers(special, len(basis) - 1))
    stop = data.draw(st.integers(start + 1, len(basis)))
    leading = data.draw(leadings())
    x = data.draw(dividends(basis, start, stop, leading))
    rest = basis.limbs(special, len(basis))
    y = data.draw(polys(rest, leading))
    agree(
        lambda m: m.read_eval(
            m.backend.divide_round_sum(
                m.handle(basis), special, start, stop, m.load_eval(basis, x), m.load_eval(rest, y)
            )
        )
    )


@given(DIVISIBLE, st.data())
def test_divide_round_eval(agree, basis, data):
    start, stop = data.draw(kept_limbs(basis))
    x = data.draw(dividends(basis, start, stop, data.draw(leadings())))
    agree(lambda m: m.read_eval(m.backend.divide_round_eval(m.handle(basis), start, stop, m.load_eval(basis, x))))
