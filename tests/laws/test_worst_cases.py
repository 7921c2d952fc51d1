"""The primes and residues that take an implementation to the ends of what its bounds allow.

Where a quotient falls furthest short: for b-bit primes and words of b + 2 bits, Barrett's constant is
mu = floor(2^(2b) / q). Just above 2^b - 2^(b/2) the quotient 2^(2b) / q lies just below an integer; there mu loses
almost 1, and floor(z mu / …) may be two less than floor(z / q). The largest primes of a length lose next to nothing.
"""

import numpy as np
import pytest

from fhe.primes import ntt_prime_near
from tests.strategies import Primes, largest_primes

N = 128


@pytest.mark.parametrize("bits", range(44, 51))
def test_products_whose_quotients_fall_short(machine, bits):
    basis = Primes(N, (ntt_prime_near(N, 2.0**bits - 0.99 * 2.0 ** (bits / 2)),))
    below = np.random.default_rng(bits).integers(1, 2 ** (bits // 2), (3, 1, N), dtype=np.uint64)
    below[..., :16] = 1
    x, y, z = basis.column - below
    exact = x.astype(object) * y.astype(object)
    assert np.array_equal(machine.call("mul", basis, x, y), exact % basis.column)
    assert np.array_equal(machine.call("mul_add", basis, x, y, z), (exact + z) % basis.column)


@pytest.mark.parametrize("bits", range(44, 51))
def test_sums_of_the_largest_products(machine, bits):
    """(q - 1)^2 = 1, so that n such products are n: as many as fill any accumulator."""
    basis = Primes(N, largest_primes(N, bits)[:1])
    x = machine.load(basis, np.broadcast_to(basis.column - np.uint64(1), (1, N)))
    for terms in (4, 5, 16, 17, 64, 65, 300):
        total = machine.backend.inner_product(machine.handle(basis), [x] * terms, [x] * terms)
        assert np.all(machine.read(total) == terms)
