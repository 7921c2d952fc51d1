"""Results that may be published: noise that floods the noise of the computation, and the account of how often.

A decrypted value is z + e, with an error e that depends on the secret key; known e are linear equations in it (Li,
Micciancio, EUROCRYPT 2021). What is published instead is eta (k + G): k the multiple of a public step eta nearest to
z + e, G a discrete Gaussian. It is what the exact result would give, but for a distance that is bounded here.

The bound. Let |e| <= B = (d - 1) eta, the tracked bound. Rounded to steps, z + e and z differ by at most B / eta + 1
= d steps, an integer. Discrete Gaussians of variance V, d steps apart, have Kullback–Leibler divergence d^2 / 2V,
exactly: sum_x p(x) ((x - d)^2 - x^2) / 2V (Canonne, Kamath, Steinke, NeurIPS 2020, proposition 5). By the chain rule
Q published numbers, each perhaps of a computation chosen by the answers before it, diverge by at most Q d^2 / 2V from
those of exact results, whose distribution has nothing of the key. With V = 12 Q d^2 2^s, the variance of Li,
Micciancio, Schultz, Sorrell (CRYPTO 2022, ePrint 2022/816),

    divergence <= 2^-s / 24,

so that (1) by Pinsker nobody tells published from exact results with an advantage above sqrt(2^-s / 48), 2^-17.8 at
s = 30; (2) an attack that finds the key from exact results, that is from nothing, with probability 2^-128, finds it
from published ones with less than 2^-(s + 10): p (ln(p / 2^-128) - 1) <= divergence. (1) and (2) hold beside the
2^-128 with which a tracked bound fails, and its assumptions. s = 30 is `STATISTICAL_BITS`.

What is added is at most t sqrt(V) eta, except with probability 2 exp(-t^2 / 2) = 2^-40.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fhe.ckks.precision import fresh, key_switch, rounding
from fhe.errors import NoiseError, ParameterError
from fhe.parameters import CKKSParameters
from fhe.rlwe.public import Encryption

STATISTICAL_BITS: Final = 30
TAIL_BITS: Final = 40
STEPS: Final = 1 << 10  # d: the more, the less is lost to rounding, a thousandth here
LARGEST_PRECISION_BITS, MOST_QUERIES = 60, 1 << 40

Below = Callable[[int], int]


@dataclass(frozen=True, slots=True)
class Flooding:
    """A plan: how precise what is published has to be, and how many numbers are, under one key.

    >>> plan = Flooding(precision_bits=10, queries=1)
    >>> round(math.log2(plan.tolerated), 1)  # 2^-10 of noise hides errors of 2^-30
    -30.0
    """

    precision_bits: int
    queries: int

    def __post_init__(self) -> None:
        for name, limit in (("precision_bits", LARGEST_PRECISION_BITS), ("queries", MOST_QUERIES)):
            value = getattr(self, name)
            if type(value) is not int or not 1 <= value <= limit:
                raise ParameterError(f"{name} of publish=(precision_bits, queries) is an integer from 1 to {limit}")

    @property
    def numbers(self) -> tuple[int, int]:
        """As `fhe.ckks` takes them: ``publish=(precision_bits, queries)``."""
        return self.precision_bits, self.queries

    @property
    def variance(self) -> int:
        """V, in steps: 12 Q d^2 2^s."""
        return 12 * self.queries * STEPS**2 << STATISTICAL_BITS

    @property
    def step(self) -> float:
        """eta: the largest power of two with which all that is added stays within 2^-precision_bits."""
        tail = math.sqrt(2 * math.log(2) * (TAIL_BITS + 1))
        reach = tail * math.sqrt(self.variance) + STEPS
        return float(2.0 ** -(self.precision_bits + math.ceil(math.log2(reach))))

    @property
    def tolerated(self) -> float:
        """B: the largest error of a result that may be published."""
        return (STEPS - 1) * self.step

    def missing_bits(self, parameters: CKKSParameters) -> int:
        """By how many bits scales are too small for what the plan tolerates, 0 where they are not."""
        return max(0, math.ceil(math.log2(planned_error(parameters) / self.tolerated)))

    def require_room(self, parameters: CKKSParameters) -> None:
        """Raise ParameterError where a computation as deep as the parameters could not be published."""
        if missing := self.missing_bits(parameters):
            raise ParameterError(
                f"publishing {self.queries} numbers with {self.precision_bits} bits needs results with errors below "
                f"2^{math.log2(self.tolerated):.1f}, {missing} bits less than scales of {parameters.scale_bits} bits "
                f"leave after {parameters.max_level} products; use scale_bits={parameters.scale_bits + missing}, or "
                "fewer queries or precision_bits"
            )

    def flooded(self, values: NDArray[Any], below: Below = secrets.randbelow) -> NDArray[np.float64]:
        """eta (k + G) for each value."""
        exponent = round(math.log2(self.step))
        flooded = np.empty(values.shape)
        for index, steps in np.ndenumerate(np.rint(values / self.step)):  # exact: eta is a power of two
            flooded[index] = math.ldexp(int(steps) + discrete_gaussian(self.variance, below), exponent)
        return flooded


def planned_error(parameters: CKKSParameters) -> float:
    """`computed_error`, decoded in doubles: what a plan has to leave room for."""
    return computed_error(parameters) + 2.0**-52 * parameters.ring_degree.bit_length()


def computed_error(parameters: CKKSParameters) -> float:
    """The tracked error of values up to 1, squared as often as there are levels."""
    top = parameters.max_level
    error = fresh(parameters, Encryption.DIVIDED, parameters.scale(top)).bound / parameters.scale(top)
    for level in range(top, 0, -1):
        switched = key_switch(parameters, level).bound / math.prod(parameters.levels[level])
        error = 2 * error + error**2 + (switched + rounding(parameters).bound) / parameters.scale(level - 1)
    return error


class Ledger:
    """How many numbers were published under a key, of how many that may be."""

    __slots__ = ("_lock", "plan", "spent")

    def __init__(self, plan: Flooding, spent: int = 0) -> None:
        self.plan = plan
        self.spent = spent
        self._lock = Lock()

    def take(self, count: int) -> None:
        """Count so many numbers before they are decrypted; NoiseError where they are too many."""
        with self._lock:
            if self.spent + count > self.plan.queries:
                raise NoiseError(
                    f"publishing {count} numbers would make {self.spent + count} under this key, its plan allows "
                    f"{self.plan.queries}; publish fewer (a sum rather than its terms), or make new keys"
                )
            self.spent += count


# --- the discrete Gaussian, exactly: Canonne, Kamath, Steinke, algorithms 1 to 3 ------------------------------------


def discrete_gaussian(variance: int, below: Below = secrets.randbelow) -> int:
    """An integer x with probability proportional to exp(-x^2 / 2V), in integer arithmetic and without any error.

    The time it takes depends on x; nobody who times the owner should be told more than what is published.

    >>> abs(discrete_gaussian(100)) < 200
    True
    """
    t = math.isqrt(variance) + 1
    while True:
        x = _discrete_laplace(t, below)
        if _accepted((abs(x) * t - variance) ** 2, 2 * variance * t * t, below):
            return x


def _discrete_laplace(t: int, below: Below) -> int:
    """An integer x with probability proportional to exp(-|x| / t)."""
    while True:
        low, high = below(t), 0
        if not _accepted(low, t, below):
            continue
        while _accepted(1, 1, below):
            high += 1
        x, negative = low + t * high, below(2)
        if x or not negative:
            return -x if negative else x


def _accepted(numerator: int, denominator: int, below: Below) -> bool:
    """True with probability exp(-numerator / denominator)."""
    while numerator > denominator:
        if not _accepted_once(1, 1, below):
            return False
        numerator -= denominator
    return _accepted_once(numerator, denominator, below)


def _accepted_once(numerator: int, denominator: int, below: Below) -> bool:
    """The same for a quotient up to 1: the first k at which a coin of quotient / k fails is odd."""
    k = 1
    while below(denominator * k) < numerator:
        k += 1
    return k % 2 == 1
