"""Choosing parameters: the smallest secure ring that holds a computation, then the digits that make it fast.

At a given N everything competes for the same log2(QP): levels, and special primes. More special primes mean fewer
digits in key switching, fewer transforms and smaller keys; so whatever security leaves beside the levels is spent on
them, as far as the model of `fhe.costs` says that it pays.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice
from itertools import count as integers_from
from typing import Any

from fhe import costs
from fhe.chains import Chain, Integers, integer_chain
from fhe.costs import NARROW_BITS, WORD_BITS
from fhe.errors import ParameterError
from fhe.moduli import LARGEST_LEVEL_BITS, SMALLEST_BITS, check_degree, split
from fhe.parameters import LARGEST_PLAIN_BITS, BFVParameters, CKKSParameters
from fhe.primes import is_prime
from fhe.security import LARGEST_LOG_N, SMALLEST_LOG_N, largest_log_qp
from fhe.wide import WideBFVParameters

DEEPEST = 128
MARGIN_BITS = 10  # of P above the largest digit, where there is room: key-switching noise then disappears in the rest
LEAST_MARGIN_BITS = 3  # below this, rather wider special primes
FREE = 1.01  # a larger base is free when it costs no more than this factor
ROOMY_BITS = 20  # of the base above the scale by default: what people are used to from [60, 40, …, 40, 60]
VALUE_BITS = 15
WIDEST_VALUE_BITS = 512
MORE_MODULI = 6  # than the fewest that hold the values: smaller ones need shorter chains


@lru_cache(maxsize=64)
def choose_ckks(
    depth: int,
    scale_bits: int = 40,
    bound: float | None = None,
    *,
    security: int = 128,
    quantum: bool = False,
    ring_degree: int | None = None,
    slots: int | None = None,
    insecure: str | None = None,
) -> CKKSParameters:
    """CKKS parameters for ``depth`` multiplications in a row at scale 2^scale_bits.

    The base level holds |values| <= bound at the end: log2(scale * bound) + 2 bits. Without ``bound`` it holds values
    up to 2^18; less (16, and down to 1) where that keeps N small. A smaller ``bound`` is faster: one prime less.
    ``ring_degree`` or at least ``slots`` slots may be asked for. With ``insecure="reason"`` a given ring_degree is
    taken whatever its security. Raises ParameterError, saying what to lower, if nothing fits.

    >>> choose_ckks(depth=6)
    CKKSParameters(N=16384, log2(QP)=429.0 from 60+6x40 | 3x43, digit=3, scale 2^40, 8192 slots, values up to 262144, \
128-bit security)
    """
    _check_request(depth, security)
    if not SMALLEST_BITS <= scale_bits <= LARGEST_LEVEL_BITS - 6:
        raise ParameterError(
            f"scale_bits goes from {SMALLEST_BITS} to {LARGEST_LEVEL_BITS - 6}, not {scale_bits}: a level has at most "
            f"{LARGEST_LEVEL_BITS} bits"
        )
    bases = _base_sizes(scale_bits, bound)
    demand = _Demand(security, quantum, ring_degree, 2 * (slots or 1), insecure)

    def fitting(N: int, depth: int) -> Chain | None:
        return _ckks_chain(N, depth, scale_bits, bases, demand.room(N))

    N, found = demand.smallest(fitting, depth, f"{scale_bits}-bit scales", "scale_bits")
    return CKKSParameters(
        ring_degree=N,
        modulus_bits=found.levels,
        special_bits=found.special,
        digit=found.digit,
        scale_bits=scale_bits,
        bound=bound or 0.0,
        security=security,
        quantum=quantum,
        insecure=insecure,
    )


def choose_chain(
    sizes: Callable[[int], Iterable[tuple[int, ...]]],
    bound: float | None = None,
    *,
    security: int = 128,
    quantum: bool = False,
    ring_degree: int | None = None,
    slots: int | None = None,
    insecure: str | None = None,
) -> CKKSParameters:
    """CKKS parameters for levels of sizes of your own: the first of ``sizes(N)``, base first, for the least N.

    Scales have the size of the levels above the base. Special primes and digits are chosen; other arguments are as in
    `choose_ckks`, and so is what is raised.

    >>> choose_chain(lambda N: [(36, 44, 44, 44), (36, 40, 40, 40)], bound=1)
    CKKSParameters(N=8192, log2(QP)=214.0 from 36+3x44 | 46, digit=1, scale 2^44, 4096 slots, values up to 1, \
128-bit security)
    """
    demand = _Demand(security, quantum, ring_degree, 2 * (slots or 1), insecure)

    def fitting(N: int, depth: int) -> Chain | None:
        return next(filter(None, (_with_special(levels, N, demand.room(N)) for levels in sizes(N))), None)

    N, found = demand.smallest(fitting, 1, "levels of these sizes", "their sizes")
    return CKKSParameters(
        ring_degree=N,
        modulus_bits=found.levels,
        special_bits=found.special,
        digit=found.digit,
        scale_bits=found.levels[-1],
        bound=bound or 0.0,
        security=security,
        quantum=quantum,
        insecure=insecure,
    )


@lru_cache(maxsize=64)
def choose_bfv(
    depth: int,
    plain_modulus: int | None = None,
    value_bits: int | None = None,
    *,
    sums: int = 1,
    security: int = 128,
    quantum: bool = False,
    ring_degree: int | None = None,
    slots: int | None = None,
    insecure: str | None = None,
    hide: int | None = None,
) -> BFVParameters:
    """BFV parameters for ``depth`` multiplications in a row modulo t.

    t is ``plain_modulus``, or the smallest batching prime above 2^(value_bits + 1), which holds every integer of
    ``value_bits`` bits and a sign (15 without either: t = 65537 up to N = 2^15). What is too wide for one prime, or too
    deep, is spread over several, as many as cost least: `fhe.wide`. Every operand may be rotated before
    its product, ``sums`` products added up after each multiplication, and the result summed over all slots: the noise
    bound of `fhe.noise`, which fails with probability 2^-128, then stays below the limit. A product with a plaintext
    needs no more than one with a ciphertext. ``hide`` leaves room to hide circuits with so many statistical bits
    (`fhe.hiding`). Other arguments as in `choose_ckks`.

    >>> choose_bfv(depth=2)
    BFVParameters(N=8192, log2(QP)=143.0 from 3x37 | 32, digit=1, t = 65537, 8192 slots, 192-bit security)
    """
    _check_request(depth, security)
    _check_integers(plain_modulus, value_bits, sums)
    wide = VALUE_BITS if value_bits is None else value_bits
    demand = _Demand(security, quantum, ring_degree, slots or 1, insecure)

    def moduli(N: int, count: int) -> tuple[int, ...]:
        return _batching_primes(N, wide, count) if plain_modulus is None else (plain_modulus,)

    def choice(count: int) -> tuple[int, Chain]:
        """The smallest ring, and its chain, for so many plain moduli."""

        def fitting(N: int, depth: int) -> Chain | None:
            primes = moduli(N, count)
            return integer_chain(Integers(N, max(primes), depth, sums, hide), demand.room(N)) if primes else None

        what = f"values of {wide} bits" if plain_modulus is None else f"plain modulus {plain_modulus}"
        hiding = ("", "") if hide is None else (f" and circuits hidden by {hide} bits", ", or hide")
        return demand.smallest(fitting, depth, what + hiding[0], "the plain modulus" + hiding[1])

    count = 1 if plain_modulus is not None else _cheapest_count(choice, wide)
    N, found = choice(count)
    t, *others = moduli(N, count)
    claims: dict[str, Any] = {"security": security, "quantum": quantum, "insecure": insecure}
    sizes: dict[str, Any] = {"modulus_bits": found.levels, "special_bits": found.special, "digit": found.digit}
    if others:
        return WideBFVParameters(ring_degree=N, plain_modulus=t, plain_moduli=(t, *others), **sizes, **claims)
    return BFVParameters(ring_degree=N, plain_modulus=t, **sizes, **claims)


# --- rings -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Demand:
    """What is asked of the ring, whatever the scheme."""

    security: int
    quantum: bool
    ring_degree: int | None
    smallest_degree: int
    insecure: str | None

    def room(self, ring_degree: int) -> float:
        """The largest log2(QP) that may be used."""
        if self.insecure and self.ring_degree:
            return math.inf
        if not SMALLEST_LOG_N <= ring_degree.bit_length() - 1 <= LARGEST_LOG_N:
            return 0.0
        return largest_log_qp(ring_degree, self.security, self.quantum)

    def degrees(self) -> Iterator[int]:
        """The ring degrees to try, ascending; ParameterError for a given one that is none."""
        if (given := self.ring_degree) is not None:
            check_degree(given)
        tried = [self.ring_degree] if self.ring_degree else [1 << k for k in range(SMALLEST_LOG_N, LARGEST_LOG_N + 1)]
        return (N for N in tried if self.smallest_degree <= N)

    def smallest(
        self, fitting: Callable[[int, int], Chain | None], depth: int, what: str, lower: str
    ) -> tuple[int, Chain]:
        """The first degree that fits, and its chain; ParameterError with the limits otherwise."""
        degrees = list(self.degrees())
        for N in degrees:
            if found := fitting(N, depth):
                return N, found
        if not degrees:
            raise ParameterError(
                f"N = {self.ring_degree or 1 << LARGEST_LOG_N} is too small for {self.smallest_degree} coefficients; "
                "ask for fewer slots, or a larger ring_degree"
            )
        N = degrees[-1]
        deepest = bisect_left(range(depth), True, key=lambda tried: fitting(N, tried) is None) - 1
        holds = f"depth {deepest} at most" if deepest >= 0 else "not even depth 0"
        larger = ", or give a larger ring_degree" if self.ring_degree and N >> LARGEST_LOG_N == 0 else ""
        raise ParameterError(
            f"depth {depth} with {what} does not fit: N = {N} allows log2(QP) = {self.room(N):g} at "
            f"{self.security}-bit security, which holds {holds}; lower depth or {lower}{larger}"
        )


def _check_request(depth: int, security: int) -> None:
    largest_log_qp(1 << LARGEST_LOG_N, security)  # raises for an unknown security level
    if not 0 <= depth <= DEEPEST:
        raise ParameterError(f"depth goes from 0 to {DEEPEST}, not {depth}; refresh ciphertexts to compute deeper")


# --- CKKS --------------------------------------------------------------------------------------------------------


def _base_sizes(scale_bits: int, bound: float | None) -> tuple[int, ...]:
    """Sizes of the base level: the roomy one, what replaces it where that does not fit, and last what may if free.

    >>> _base_sizes(40, None), _base_sizes(28, None), _base_sizes(45, 100.0)
    ((60, 46, 44, 42, 46), (48, 34, 32, 30, 46), (54, 54))
    """
    if bound is not None:
        if not 0 < bound < 2.0**LARGEST_LEVEL_BITS:
            raise ParameterError(f"bound must be positive and below 2^{LARGEST_LEVEL_BITS}, not {bound:g}")
        size = max(math.ceil(scale_bits + math.log2(bound)) + 2, SMALLEST_BITS)
        if size > LARGEST_LEVEL_BITS:
            raise ParameterError(
                f"values up to {bound:g} at scale 2^{scale_bits} need {size} bits in the base level, which has at most "
                f"{LARGEST_LEVEL_BITS}; lower one of them"
            )
        return size, size
    roomy = min(scale_bits + ROOMY_BITS, LARGEST_LEVEL_BITS)
    # Rather one prime and values up to 4 than a second prime for values up to 16.
    usual = WORD_BITS if scale_bits + 4 <= WORD_BITS < scale_bits + 6 else scale_bits + 6
    full = next((size for size in (NARROW_BITS, WORD_BITS) if size >= usual), usual)
    return roomy, usual, scale_bits + 4, scale_bits + 2, full


def _ckks_chain(N: int, depth: int, scale_bits: int, bases: tuple[int, ...], room: float) -> Chain | None:
    """The chain of the first base that fits, or of the last where that is free."""

    def best(base: int) -> Chain | None:
        return _with_special((base, *[scale_bits] * depth), N, room)

    first = next(filter(None, map(best, bases[:-1])), None)
    full = best(bases[-1])
    return full if first and full and full.levels[0] > first.levels[0] and full.cycles <= FREE * first.cycles else first


def _with_special(levels: tuple[int, ...], N: int, room: float) -> Chain | None:
    """The special primes and digit that make these CKKS levels fastest within log2(QP) <= room."""
    limbs = tuple(chain.from_iterable(map(split, levels)))
    half = tuple(chain.from_iterable(map(split, levels[: len(levels) // 2 + 1])))
    dropped, room = len(split(levels[-1])), room - sum(levels)
    found = []
    for digit in range(1, len(limbs) + 1):
        largest = max(sum(limbs[start : start + digit]) for start in range(0, len(limbs), digit))
        if largest > room:
            break
        for special in _special_sizes(largest, largest + MARGIN_BITS, room):
            # Work happens all the way down: count a product and a rotation at the top and half-way.
            cycles = sum(
                costs.product_ckks(N, some, special, digit, dropped) + costs.rotation(N, some, special, digit)
                for some in (limbs, half)
            )
            found.append(Chain(levels, special, digit, cycles))
    return min(found, key=lambda chain: chain.cycles, default=None)


def _special_sizes(least: int, wanted: int, room: float) -> Iterator[tuple[int, ...]]:
    """Equal sizes of special primes that hold ``least`` bits, up to ``wanted`` where there is room.

    >>> list(_special_sizes(46, 56, 100)), list(_special_sizes(46, 56, 46)), list(_special_sizes(86, 96, 100))
    ([(50,), (28, 28)], [(46,), (23, 23)], [(46, 46), (32, 32, 32)])
    """
    for primes in range(math.ceil(least / WORD_BITS), math.ceil(wanted / NARROW_BITS) + 1):
        width = NARROW_BITS if primes * NARROW_BITS >= least + LEAST_MARGIN_BITS else WORD_BITS
        size = min(math.ceil(wanted / primes), width, int(min(room, wanted + primes) / primes))
        if size >= SMALLEST_BITS and primes * size >= least:
            yield (size,) * primes


# --- BFV ---------------------------------------------------------------------------------------------------------


def _check_integers(plain_modulus: int | None, value_bits: int | None, sums: int) -> None:
    if plain_modulus is not None and value_bits is not None:
        raise ParameterError("give plain_modulus or value_bits, not both")
    if not 1 <= sums <= 1 << 40:
        raise ParameterError(f"sums counts products that are added up, from 1 to 2^40, not {sums}")
    if value_bits is not None and not 1 <= value_bits <= WIDEST_VALUE_BITS:
        raise ParameterError(f"values have 1 to {WIDEST_VALUE_BITS} bits and a sign, not {value_bits}")


def _batching_primes(N: int, value_bits: int, count: int) -> tuple[int, ...]:
    """The smallest primes t = 1 mod 2N from the count-th root of 2^(value_bits + 1) on; none if they are too large.

    >>> _batching_primes(2**14, 15, 1), _batching_primes(2**14, 20, 1), _batching_primes(2**14, 64, 3)
    ((65537,), (2424833,), (3604481, 3735553, 4423681))
    """
    root = math.ceil(2 ** ((value_bits + 1) / count))
    candidates = (2 * N * k + 1 for k in integers_from(-(-root // (2 * N))))
    primes = tuple(islice(filter(is_prime, candidates), count))
    return primes if max(primes).bit_length() <= LARGEST_PLAIN_BITS else ()


def _cheapest_count(choice: Callable[[int], tuple[int, Chain]], value_bits: int) -> int:
    """How many plain moduli take the least work; one wherever one will do."""
    fewest = -(-(value_bits + 2) // LARGEST_PLAIN_BITS)
    found: dict[int, float] = {}
    refusal: ParameterError | None = None
    for count in range(fewest, fewest + MORE_MODULI):
        try:
            found[count] = count * choice(count)[1].cycles
        except ParameterError as error:
            refusal = refusal or error
        if found and fewest == 1:
            break
    if not found and refusal is not None:
        raise refusal
    return min(found, key=lambda count: found[count])
