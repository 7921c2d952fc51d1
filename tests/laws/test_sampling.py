"""Keystream words to samples: the exact definition on crafted words, and the distributions.

The statistical tests have fixed seeds. Were the seeds fresh, each would fail a correct sampler with probability
FALSE_ALARM; a wrong one fails every time.
"""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, chi2

from fhe.backend.protocol import uniform_words
from tests.machine import Machine
from tests.strategies import Primes, bases, largest_primes, primes, ring_degrees, streams

FALSE_ALARM = 1e-6
MASK = 2**21 - 1
WORD = 2**64


def words_to_bytes(words: list[int]) -> bytes:
    return np.array(words, dtype=np.uint64).astype("<u8").tobytes()


def draw(machine: Machine, operation: str, basis: Primes, words: list[int] | bytes) -> np.ndarray:
    stream = words if isinstance(words, bytes) else words_to_bytes(words)
    return machine.read(getattr(machine.backend, operation)(machine.handle(basis), stream))


def samples(machine: Machine, operation: str, basis: Primes, words: list[int] | bytes) -> np.ndarray:
    """Small signed samples, the same in every limb."""
    residues = draw(machine, operation, basis, words)
    signed = np.where(residues > basis.column // 2, -(basis.column - residues).astype(object), residues)
    assert (signed == signed[0]).all()
    return signed[0].astype(np.int64)


def random_words(seed: int, count: int) -> bytes:
    return np.random.default_rng(seed).bytes(8 * count)


def assert_distributed(observed: np.ndarray, probabilities: np.ndarray) -> None:
    """Pearson's chi-square test."""
    expected = probabilities * observed.sum()
    statistic = float(((observed - expected) ** 2 / expected).sum())
    assert statistic < chi2.isf(FALSE_ALARM, len(observed) - 1)


@given(ring_degrees(8, 64), st.data())
def test_uniform_rejects_exactly_at_the_limit(machine, ring_degree, data):
    q = data.draw(primes(ring_degree))
    limit = WORD // q * q
    edges = [0, 1, q - 1, q, q + 1, limit - 1, limit, min(limit + 1, WORD - 1), WORD - 1]
    words = data.draw(st.lists(st.sampled_from(edges), max_size=60))
    words += [(k * 0x9E3779B97F4A7C15) % limit for k in range(uniform_words(ring_degree) - len(words))]
    residues = draw(machine, "uniform", Primes(ring_degree, (q,)), words)
    assert residues[0].tolist() == [w % q for w in words if w < limit][:ring_degree]


@given(bases(limbs=(2, 3)), st.data())
def test_uniform_reads_each_row_from_its_own_share(machine, basis, data):
    share = uniform_words(basis.ring_degree)
    stream = random_words(data.draw(st.integers(0, 2**32)), share * len(basis))
    together = draw(machine, "uniform", basis, stream)
    for i, row in enumerate(together):
        own = stream[8 * i * share : 8 * (i + 1) * share]
        assert np.array_equal(row, draw(machine, "uniform", basis.limbs(i, i + 1), own)[0])


@given(bases(limbs=(1, 2)))
def test_uniform_refuses_a_stream_that_runs_out(machine, basis):
    words = [WORD - 1] * (uniform_words(basis.ring_degree) * len(basis))
    with pytest.raises(ValueError, match=r"rejection limit"):
        draw(machine, "uniform", basis, words)


@given(bases(limbs=(1, 3)), st.data())
def test_ternary_is_the_third_of_the_word(machine, basis, data):
    words = np.frombuffer(data.draw(streams(basis.ring_degree)), "<u8").tolist()
    thirds = [0, WORD // 3, WORD // 3 + 1, 2 * WORD // 3, 2 * WORD // 3 + 1, WORD - 1]
    words[: len(thirds)] = thirds
    found = samples(machine, "ternary", basis, words).tolist()
    assert found == [3 * w // WORD - 1 for w in words]
    assert found[: len(thirds)] == [-1, -1, 0, 0, 1, 1]


@given(bases(limbs=(1, 3)), st.data())
def test_centred_binomial_counts_bits(machine, basis, data):
    words = np.frombuffer(data.draw(streams(basis.ring_degree)), "<u8").tolist()
    crafted = [0, WORD - 1, MASK, MASK << 21, WORD - (1 << 42), 1, 1 << 21, (1 << 20) | (1 << 41)]
    words[: len(crafted)] = crafted
    found = samples(machine, "centred_binomial", basis, words).tolist()
    assert found == [bin(w & MASK).count("1") - bin(w >> 21 & MASK).count("1") for w in words]
    assert found[: len(crafted)] == [0, 0, 21, -21, 0, 1, -1, 0]


def uniform_samples(machine: Machine, bits: int) -> tuple[int, np.ndarray]:
    """A prime of this length, and 32768 residues of it."""
    basis = Primes(4096, largest_primes(4096, bits)[:8])
    share = uniform_words(4096)
    rows = draw(machine, "uniform", basis, random_words(bits, share * 8))
    return basis.moduli[0], rows / basis.column.astype(np.float64)


@pytest.mark.parametrize("bits", [26, 46, 50])
def test_uniform_is_uniform(machine, bits):
    _, fractions = uniform_samples(machine, bits)
    counts, _ = np.histogram(fractions, bins=64, range=(0, 1))
    assert counts.sum() == 8 * 4096
    assert_distributed(counts, np.full(64, 1 / 64))


def test_uniform_entries_are_independent(machine):
    """Pairs of neighbours fill the square evenly."""
    _, fractions = uniform_samples(machine, 46)
    counts, _, _ = np.histogram2d(fractions[:, ::2].ravel(), fractions[:, 1::2].ravel(), bins=8, range=[[0, 1], [0, 1]])
    assert_distributed(counts.ravel(), np.full(64, 1 / 64))


def test_ternary_is_uniform_on_three(machine):
    basis = Primes(4096, largest_primes(4096, 46)[:1])
    drawn = np.concatenate([samples(machine, "ternary", basis, random_words(seed, 4096)) for seed in range(8)])
    assert set(drawn.tolist()) == {-1, 0, 1}
    assert_distributed(np.bincount(drawn + 1, minlength=3), np.full(3, 1 / 3))


def test_centred_binomial_is_binomial(machine):
    """CBD(21) is Binomial(42, 1/2) - 21: variance 10.5."""
    basis = Primes(4096, largest_primes(4096, 46)[:1])
    drawn = np.concatenate([samples(machine, "centred_binomial", basis, random_words(seed, 4096)) for seed in range(8)])
    assert abs(drawn).max() <= 21
    cut = 10  # beyond it fewer than 20 samples are expected on either side: one cell for each tail
    cells = np.bincount(np.clip(drawn, -cut, cut) + cut, minlength=2 * cut + 1)
    probabilities = binom.pmf(np.arange(21 - cut, 22 + cut), 42, 0.5)
    probabilities[[0, -1]] = binom.cdf(21 - cut, 42, 0.5)
    assert math.isclose(probabilities.sum(), 1)
    assert_distributed(cells, probabilities)
    # The sample variance of n values has standard deviation below 10.5 * sqrt(2 / n); six of them are 1e-9.
    assert abs(drawn.var() - 10.5) < 6 * 10.5 * math.sqrt(2 / len(drawn))
