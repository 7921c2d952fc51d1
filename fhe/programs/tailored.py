"""BFV chains for one program: where a chain that serves any product is too long for a ring, its own may fit.

`fhe.choice` reckons that every operand was rotated, and every result is summed over all slots. A dry run knows better.
"""

from __future__ import annotations

from collections.abc import Iterator

from fhe.costs import WORD_BITS
from fhe.errors import NoiseError, ParameterError
from fhe.moduli import SMALLEST_BITS
from fhe.parameters import LARGEST_PLAIN_BITS, BFVParameters
from fhe.programs.choice import Demand, Task, fitting_bfv, wide_enough
from fhe.programs.dry import Trial
from fhe.security import largest_log_qp

MOST_PRIMES = 4
SPECIAL_BITS = 34, 38, 30, 26  # of the one special prime: what it takes is not there for noise, nor added to it


def fitting(task: Task, demand: Demand, N: int) -> Trial:
    """`fitting_bfv`, or where that fits no ring of degree N the dry run on all the modulus that is secure there."""
    try:
        return fitting_bfv(task, demand, N)
    except ParameterError:
        t = wide_enough(task, N)
        if demand.insecure or t.bit_length() > LARGEST_PLAIN_BITS:
            raise
        for parameters in _chains(demand, N, t):
            try:
                return task.tried(parameters)
            except NoiseError:
                continue
        raise


def _chains(demand: Demand, N: int, t: int) -> Iterator[BFVParameters]:
    """Few equal primes and a special one: all that log2(QP) allows."""
    room = largest_log_qp(N, demand.security, demand.quantum)
    for primes in range(1, MOST_PRIMES + 1):
        for special in SPECIAL_BITS:
            size = (room - special) // primes
            if SMALLEST_BITS <= size <= WORD_BITS:
                modulus_bits, special_bits = (size,) * primes, (special,)
                yield BFVParameters(
                    ring_degree=N,
                    plain_modulus=t,
                    modulus_bits=modulus_bits,
                    special_bits=special_bits,
                    **demand.claims,
                )
