"""The same bytes give the same samples."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fhe.backend.protocol import uniform_words
from tests.strategies import WORD, bases, ring_degrees, streams

BASES = bases(degrees=ring_degrees(8, 1024))


@given(BASES, st.data())
def test_uniform(agree, basis, data):
    """With words at the rejection limit strewn in, fewer than a share has to spare."""
    share = uniform_words(basis.ring_degree)
    seed = data.draw(st.integers(0, 2**32))
    rng = np.random.default_rng(seed)
    words = rng.integers(0, WORD, (len(basis), share), dtype=np.uint64)
    for row, q in zip(words, basis.moduli, strict=True):
        limit = WORD // q * q
        edges = np.array([0, q - 1, q, limit - 1, limit, WORD - 1], dtype=np.uint64)
        row[rng.choice(share, 32, replace=False)] = rng.choice(edges, 32)
    stream = words.astype("<u8").tobytes()
    agree(lambda m: m.read(m.backend.uniform(m.handle(basis), stream)))
    unaligned = memoryview(b"-" + stream)[1:]
    agree(lambda m: m.read(m.backend.uniform(m.handle(basis), unaligned)))


@given(BASES, st.data())
def test_ternary(agree, basis, data):
    stream = data.draw(streams(basis.ring_degree))
    agree(lambda m: m.read(m.backend.ternary(m.handle(basis), stream)))


@given(BASES, st.data())
def test_centred_binomial(agree, basis, data):
    stream = data.draw(streams(basis.ring_degree))
    agree(lambda m: m.read(m.backend.centred_binomial(m.handle(basis), stream)))
