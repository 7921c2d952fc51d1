"""What holds for every parameter set, however it was made."""

from __future__ import annotations

import math
from itertools import chain

import sympy

from fhe.parameters import CKKSParameters, Parameters


def check_chain(p: Parameters) -> None:
    """What holds for every set."""
    primes = [*p.moduli(), *p.special]
    assert len(set(primes)) == len(primes)
    assert all(q % (2 * p.ring_degree) == 1 and sympy.isprime(q) and q.bit_length() <= 50 for q in primes)
    assert p.moduli() == tuple(chain.from_iterable(p.levels))
    assert p.modulus_bits == tuple(math.prod(level).bit_length() for level in p.levels)
    assert math.isclose(p.log_qp, math.log2(math.prod(primes)), abs_tol=1e-9)
    assert list(chain.from_iterable(p.digits(p.max_level))) == list(p.moduli())
    assert all(len(digit) == p.digit for digit in p.digits(p.max_level)[:-1])


def check_scales(p: CKKSParameters) -> None:
    """Delta_(l-1) = Delta_l^2 / q_l to the last bits of a double, and no drift."""
    for level in range(1, p.max_level + 1):
        assert math.isclose(p.scale(level - 1), p.scale(level) ** 2 / math.prod(p.levels[level]), rel_tol=1e-14)
    sizes = [math.log2(math.prod(level)) for level in p.levels[1:]] + [float(p.scale_bits)]
    for level in range(p.max_level + 1):
        assert min(sizes) - 1e-9 <= math.log2(p.scale(level)) <= max(sizes) + 1e-9
