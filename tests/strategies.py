"""Hypothesis strategies that speak the domain: ring degrees, primes, bases, residues, digits, keystreams.

Arrays are grown from a drawn seed rather than element by element: a polynomial is one draw, and shrinking finds a
small ring, few limbs and a plain pattern. The seed is part of the example, so every failure repeats.
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from fhe.errors import ParameterError
from fhe.primes import crt_centred, ntt_prime_near, ntt_primes, primitive_root

SEEDS = st.integers(0, 2**64 - 1)
WORD = 2**64


@dataclass(frozen=True)
class Primes:
    """A ring degree and distinct primes that are 1 mod 2N: a basis before any backend has seen it."""

    ring_degree: int
    moduli: tuple[int, ...]

    @cached_property
    def roots(self) -> tuple[int, ...]:
        return tuple(cached_root(q, self.ring_degree) for q in self.moduli)

    @cached_property
    def product(self) -> int:
        return math.prod(self.moduli)

    @cached_property
    def column(self) -> NDArray[np.uint64]:
        """The moduli as an array ``(L, 1)``, to broadcast against residues."""
        return np.array(self.moduli, dtype=np.uint64)[:, None]

    def __len__(self) -> int:
        return len(self.moduli)

    def __add__(self, other: Primes) -> Primes:
        return Primes(self.ring_degree, self.moduli + other.moduli)

    def limbs(self, start: int, stop: int) -> Primes:
        return Primes(self.ring_degree, self.moduli[start:stop])

    def residues(self, integers: object) -> NDArray[np.uint64]:
        """Integers ``(..., N)`` of any size to their residues ``(..., L, N)``."""
        rows = [np.asarray(integers, dtype=object) % q for q in self.moduli]
        return np.stack(rows, axis=-2).astype(np.uint64)

    def integers(self, residues: NDArray[np.uint64]) -> NDArray[np.object_]:
        """Residues ``(..., L, N)`` to the centred integers ``(..., N)``, by the Chinese remainder theorem."""
        columns = np.moveaxis(residues, -2, -1).reshape(-1, len(self)).tolist()
        integers = np.array([crt_centred(column, self.moduli) for column in columns], dtype=object)
        return integers.reshape(*residues.shape[:-2], residues.shape[-1])


@cache
def cached_root(q: int, ring_degree: int) -> int:
    return primitive_root(q, ring_degree)


@cache
def largest_primes(ring_degree: int, bits: int) -> tuple[int, ...]:
    """The twelve largest of this length, or as many as there are."""
    for count in range(12, 0, -1):
        with suppress(ParameterError):
            return tuple(q for q in ntt_primes(ring_degree, bits, count) if q.bit_length() == bits)
    raise ParameterError(f"no prime of {bits} bits is 1 mod {2 * ring_degree}")


@cache
def prime_above(ring_degree: int, bits: int) -> int:
    """The NTT prime that is nearest to 2^(bits-1), preferably above: the smallest of its length."""
    low = 1 << (bits - 1)
    q = ntt_prime_near(ring_degree, low)
    return q if q > low else ntt_prime_near(ring_degree, low, [q])


# Where implementations change their ways: below 2^46 no reductions inside a transform, fewer of them below 2^48 and
# 2^49, and 2^50 the widest the library takes.
TELLING_BITS = (46, 48, 50, 49, 47)


# Narrower rings are left to the scalar code by every vectorised target; so are they by half of the draws.
TELLING_DEGREES = (128, 256)


def ring_degrees(smallest: int = 8, largest: int = 256) -> st.SearchStrategy[int]:
    """Powers of two, half of the time among those that every target takes."""
    degrees = st.sampled_from([1 << k for k in range(smallest.bit_length() - 1, largest.bit_length())])
    telling = [degree for degree in TELLING_DEGREES if smallest <= degree <= largest]
    return degrees | st.sampled_from(telling) if telling else degrees


def prime_bits(smallest: int = 14, largest: int = 50) -> st.SearchStrategy[int]:
    """Lengths of primes, half of the time where something changes."""
    telling = [bits for bits in TELLING_BITS if smallest <= bits <= largest]
    anything = st.integers(smallest, largest)
    return st.sampled_from(telling) | anything if telling else anything


@st.composite
def primes(draw: st.DrawFn, ring_degree: int, smallest_bits: int = 14, largest_bits: int = 50) -> int:
    """Primes that are 1 mod 2N, mostly among the largest of their length."""
    bits = draw(prime_bits(smallest_bits, largest_bits))
    choices = largest_primes(ring_degree, bits)
    if draw(st.integers(0, 7)) == 7 and prime_above(ring_degree, bits).bit_length() == bits:
        return prime_above(ring_degree, bits)
    return choices[draw(st.integers(0, len(choices) - 1))]


@st.composite
def bases(
    draw: st.DrawFn,
    limbs: tuple[int, int] = (1, 4),
    degrees: st.SearchStrategy[int] | None = None,
    bits: tuple[int, int] = (14, 50),
) -> Primes:
    """Distinct primes over one ring degree; lengths mix freely."""
    ring_degree = draw(ring_degrees() if degrees is None else degrees)
    moduli = draw(st.lists(primes(ring_degree, *bits), min_size=limbs[0], max_size=limbs[1], unique=True))
    return Primes(ring_degree, tuple(moduli))


def long_bases(limbs: tuple[int, int] = (16, 40)) -> st.SearchStrategy[Primes]:
    """As many limbs as deep circuits have: accumulators that never overflow with few do with these."""
    return bases(limbs, ring_degrees(8, 128), bits=(40, 50))


def edge_residues(q: int) -> list[int]:
    """Residues where a mistake shows: the ends, the middle, powers of two, and beside them."""
    powers = [1 << k for k in range(q.bit_length())]
    edges = [0, 1, 2, q - 1, q - 2, q // 2, q // 2 + 1, *powers, *(p - 1 for p in powers), *(q - p for p in powers)]
    return sorted({edge for edge in edges if 0 <= edge < q})


def _uniform(rng: np.random.Generator, basis: Primes, shape: tuple[int, ...]) -> NDArray[np.uint64]:
    return rng.integers(0, basis.column, size=shape, dtype=np.uint64)


def _edges(rng: np.random.Generator, basis: Primes, shape: tuple[int, ...]) -> NDArray[np.uint64]:
    rows = [rng.choice(np.array(edge_residues(q), np.uint64), size=(*shape[:-2], shape[-1])) for q in basis.moduli]
    return np.stack(rows, axis=-2)


def _mixed(rng: np.random.Generator, basis: Primes, shape: tuple[int, ...]) -> NDArray[np.uint64]:
    return np.where(rng.random(shape) < 0.5, _edges(rng, basis, shape), _uniform(rng, basis, shape))


def _extremes(rng: np.random.Generator, basis: Primes, shape: tuple[int, ...]) -> NDArray[np.uint64]:
    return rng.integers(0, 2, size=shape, dtype=np.uint64) * (basis.column - np.uint64(1))


def _largest(rng: np.random.Generator, basis: Primes, shape: tuple[int, ...]) -> NDArray[np.uint64]:
    return np.broadcast_to(basis.column - np.uint64(1), shape).copy()


def _monomial(rng: np.random.Generator, basis: Primes, shape: tuple[int, ...]) -> NDArray[np.uint64]:
    residues = np.zeros(shape, dtype=np.uint64)
    position = rng.integers(0, shape[-1])
    residues[..., position] = _mixed(rng, basis, shape)[..., position]
    return residues


def longest_sums(basis: Primes, exponent: int, sign: int, constant: int) -> NDArray[np.uint64]:
    """``constant + sign * sum_j (X / psi^e)^j``, j = 1, 2, 4 … N/2, whose value at psi^e is constant + sign * log2 N.

    A decimation-in-time transform meets, on its way to that value, one of these terms at each stage, as a product with
    a twiddle. For e = -1 every stage subtracts it, for e = 1 adds it; as +-1 = q - 1 it takes the stages to the ends of
    what their ranges have to hold.
    """
    residues = np.zeros((len(basis), basis.ring_degree), dtype=np.uint64)
    for row, q, psi in zip(residues, basis.moduli, basis.roots, strict=True):
        row[0] = constant % q
        for j in (1 << k for k in range(basis.ring_degree.bit_length() - 1)):
            row[j] = sign * pow(psi, -exponent * j, q) % q
    return residues


def _longest_sums(rng: np.random.Generator, basis: Primes, shape: tuple[int, ...]) -> NDArray[np.uint64]:
    exponent = int(rng.choice([-1, 1, 2 * rng.integers(0, basis.ring_degree) + 1]))
    return np.broadcast_to(
        longest_sums(basis, exponent, int(rng.choice([-1, 1])), -int(rng.integers(0, 2))), shape
    ).copy()


PATTERNS = (_monomial, _largest, _extremes, _edges, _uniform, _mixed, _longest_sums)


@st.composite
def polys(draw: st.DrawFn, basis: Primes, leading: tuple[int, ...] = ()) -> NDArray[np.uint64]:
    """Residues ``leading + (L, N)``: sparse, extreme, uniform, and mixtures of edges with anything."""
    pattern, seed = draw(st.sampled_from(PATTERNS)), draw(SEEDS)
    return pattern(np.random.default_rng(seed), basis, (*leading, len(basis), basis.ring_degree))


def residues(q: int) -> st.SearchStrategy[int]:
    """One residue, often an edge."""
    return st.sampled_from(edge_residues(q)) | st.integers(0, q - 1)


def scalars(basis: Primes) -> st.SearchStrategy[list[int]]:
    """One residue for each limb."""
    return st.tuples(*(residues(q) for q in basis.moduli)).map(list)


def leadings() -> st.SearchStrategy[tuple[int, ...]]:
    """Axes of components and batches."""
    return st.sampled_from([(), (2,), (2, 3), (1,), (3,), (1, 2)])


@st.composite
def operands(draw: st.DrawFn, basis: Primes, count: int) -> list[NDArray[np.uint64]]:
    """`count` polynomials, the first with leading axes, the others with as many or without the first of them."""
    leading = draw(leadings())
    missing = [0, *(draw(st.integers(0, len(leading))) for _ in range(count - 1))]
    return [draw(polys(basis, leading[lacking:])) for lacking in missing]


def galois_elements(ring_degree: int) -> st.SearchStrategy[int]:
    """Odd g in [1, 2N): the units of Z_2N, which are the automorphisms X -> X^g."""
    telling = [1, 3, 5, 25, ring_degree - 1, ring_degree + 1, 2 * ring_degree - 1]
    anything = st.integers(0, ring_degree - 1).map(lambda k: 2 * k + 1)
    return st.sampled_from([g % (2 * ring_degree) for g in telling]) | anything


@st.composite
def kept_limbs(draw: st.DrawFn, basis: Primes) -> tuple[int, int]:
    """``start, stop`` of the limbs that stay in a division: any range but all of them."""
    ranges = [(i, j) for i in range(len(basis)) for j in range(i + 1, len(basis) + 1) if j - i < len(basis)]
    return draw(st.sampled_from(ranges))


def near_the_middle(basis: Primes, seed: int) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
    """N integers beside Q/2, and whether each is further from it than the error bound of `Backend.convert`."""
    rng = np.random.default_rng(seed)
    middle, reach = Fraction(basis.product, 2), Fraction(basis.product * len(basis), 1 << 45)
    distances = 2.0 ** rng.uniform(-20, 1, basis.ring_degree) * rng.choice([-1, 1], basis.ring_degree)
    scaled = [Fraction(1), Fraction(-1), *(Fraction(s) for s in distances[2:])]
    x = np.array([math.floor(middle + s * reach + (s > 0)) for s in scaled], dtype=object)
    return x, np.array([abs(v - middle) > reach for v in x])


@st.composite
def dividends(
    draw: st.DrawFn, basis: Primes, start: int, stop: int, leading: tuple[int, ...] = ()
) -> NDArray[np.uint64]:
    """Polynomials to divide by the primes outside of ``start … stop-1``, half of them with remainders beside D/2."""
    x = draw(polys(basis, leading))
    if draw(st.booleans()):
        others = [*range(start), *range(stop, len(basis))]
        dropped = Primes(basis.ring_degree, tuple(basis.moduli[i] for i in others))
        x[..., others, :] = dropped.residues(near_the_middle(dropped, draw(SEEDS))[0])
    return x


@dataclass(frozen=True)
class DigitLayout:
    """A basis of special primes followed by the ciphertext's, the latter in digits of some limbs."""

    basis: Primes
    special: int
    digit: int

    @property
    def lower(self) -> Primes:
        """The ciphertext's own primes."""
        return self.basis.limbs(self.special, len(self.basis))

    @property
    def digits(self) -> list[range]:
        """The limbs of `lower` that make each digit."""
        count = len(self.lower)
        return [range(start, min(start + self.digit, count)) for start in range(0, count, self.digit)]


@st.composite
def digit_layouts(draw: st.DrawFn, bits: tuple[int, int] = (14, 50)) -> DigitLayout:
    """From one digit of one limb to several of several, the last one often short; or of more limbs than one pass."""
    special, digit = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    count = draw(st.integers(1, 5) | st.sampled_from([9, 14]))
    basis = draw(bases(limbs=(special + count, special + count), degrees=ring_degrees(8, 128), bits=bits))
    return DigitLayout(basis, special, digit)


@st.composite
def digit_polys(draw: st.DrawFn, layout: DigitLayout, leading: tuple[int, ...] = ()) -> NDArray[np.uint64]:
    """Polynomials over a layout's own primes, half of them with digits that are beside half of their modulus."""
    x = draw(polys(layout.lower, leading))
    if draw(st.booleans()):
        for limbs in layout.digits:
            own = layout.lower.limbs(limbs.start, limbs.stop)
            x[..., limbs, :] = own.residues(near_the_middle(own, draw(SEEDS))[0])
    return x


@st.composite
def streams(draw: st.DrawFn, words: int) -> bytes:
    """Keystream: random words, all zeros, all ones, and random words with extreme ones among them."""
    seed = draw(SEEDS)
    rng = np.random.default_rng(seed)
    stream = rng.integers(0, WORD, size=words, dtype=np.uint64, endpoint=False)
    kind = draw(st.sampled_from(["zeros", "ones", "extremes", "random"]))
    if kind in ("zeros", "ones"):
        stream[:] = 0 if kind == "zeros" else WORD - 1
    elif kind == "extremes":
        edges = np.array([0, 1, WORD // 3, WORD // 3 + 1, 2 * WORD // 3, 2 * WORD // 3 + 1, WORD - 1], dtype=np.uint64)
        stream = np.where(rng.random(words) < 0.25, rng.choice(edges, words), stream)
    return stream.astype("<u8").tobytes()
