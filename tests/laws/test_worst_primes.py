"""Products where the quotient of a reduction falls furthest short.

For b-bit primes and words of b + 2 bits Barrett's constant is mu = floor(2^(2b) / q). Beside 2^b - 2^(b/2) the quotient
2^(2b) / q lies just below an integer: there mu loses almost 1, and floor(z mu / …) may be two less than floor(z / q).
The largest primes of a length, among which the other tests draw, lose next to nothing.
"""

import numpy as np
import pytest

from fhe.primes import ntt_prime_near
from tests.strategies import Primes


@pytest.mark.parametrize("bits", range(44, 51))
def test_mul_and_mul_add(machine, bits):
    basis = Primes(128, (ntt_prime_near(128, 2.0**bits - 2.0 ** (bits / 2)),))
    below = np.random.default_rng(bits).integers(1, 2 ** (bits // 2), (3, 1, 128), dtype=np.uint64)
    below[..., :16] = 1
    x, y, z = basis.column - below
    exact = x.astype(object) * y.astype(object)
    assert np.array_equal(machine.call("mul", basis, x, y), exact % basis.column)
    assert np.array_equal(machine.call("mul_add", basis, x, y, z), (exact + z) % basis.column)
