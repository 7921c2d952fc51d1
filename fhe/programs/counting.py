"""A backend whose buffers have shapes and no content: it computes nothing, and counts what would be computed.

Everything above the seam runs on it unchanged. So levels, scales, noise bounds, keys and numbers of operations are
those of the real computation because it *is* the real computation, all but the residues.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from fhe.costs import ZEN5, Seam
from fhe.parameters import Parameters
from fhe.rlwe.encodings import Encodings, V

AROUND = 12  # operands of a scheme's operation, that pass through the caches between two calls
STEPS = {"tensor": 1.0, "switch_down": 1.0, "key_switch": 1.0, "key_product": 1.0, "intt": 0.0, "ntt": 0.0}
STEP = 1.5  # of the Python around any other call: that of a scheme, for two polynomials, and of circuits


@dataclass(frozen=True, slots=True)
class Handle:
    """A basis: N and the primes."""

    ring_degree: int
    moduli: tuple[int, ...]
    bits: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Blank:
    """A buffer of which there is only the shape."""

    shape: tuple[int, ...]

    def of_limbs(self, limbs: int) -> Blank:
        return Blank((*self.shape[:-2], limbs, self.shape[-1]))

    @property
    def polys(self) -> int:
        return int(np.prod(self.shape[:-2], dtype=np.int64))


@dataclass(frozen=True, slots=True)
class BlankKey:
    """A switching key of which there is only what it is for: a Galois element, or 0 for relinearisation."""

    element: int
    nbytes: int = 0


@dataclass(slots=True)
class Tally:
    """What was asked of the backend: how often, for about how many cycles, and which keys over how many limbs.

    Cycles of encoding are apart, in ``encoding``: what is encoded, so many bytes, is kept for the next time.
    """

    calls: Counter[str] = field(default_factory=Counter)
    cycles: dict[str, float] = field(default_factory=dict)
    keys: dict[int, int] = field(default_factory=dict)
    total: float = 0.0
    encoding: float = 0.0
    encoded_bytes: int = 0
    given: bool = False  # is what is encoded not known yet? Then it is like nothing else that is

    def add(self, name: str, cycles: float) -> None:
        self.calls[name] += 1
        self.cycles[name] = self.cycles.get(name, 0.0) + cycles
        self.total += cycles

    def take_keys(self, other: Tally) -> None:
        """Count the keys of another tally, and no work of it."""
        for element, limbs in other.keys.items():
            self.keys[element] = max(limbs, self.keys.get(element, 0))

    def key_levels(self, parameters: Parameters) -> dict[int, int]:
        """The keys that were used, by Galois element (0 for relinearisation): up to which level each."""
        levels = {parameters.limbs(level): level for level in range(parameters.max_level + 1)}
        special = len(parameters.special)
        return {element: levels[limbs - special] for element, limbs in sorted(self.keys.items())}


class Counted(Encodings):
    """The encodings of a dry run, which are counted apart."""

    def __init__(self, tally: Tally) -> None:
        super().__init__(limit=1 << 62)
        self._tally = tally

    def of(self, key: tuple[Hashable, ...], make: Callable[[], V]) -> V:
        """As `Encodings.of`."""
        return super().of((self._tally.given, *key), lambda: self._apart(make))

    def _apart(self, make: Callable[[], V]) -> V:
        before = self._tally.total
        value = make()
        self._tally.encoding += self._tally.total - before
        self._tally.total = before
        return value


_tally: ContextVar[Tally | None] = ContextVar("tally", default=None)


@contextmanager
def counted() -> Iterator[Tally]:
    """What the counting backend is asked for within the block."""
    tally = Tally()
    token = _tally.set(tally)
    try:
        with (encodings := Counted(tally)).used():
            yield tally
        tally.encoded_bytes = encodings.nbytes
    finally:
        _tally.reset(token)


def encoding_given(given: bool) -> None:
    """From now on what is encoded is, or is not, given when the program runs."""
    if (tally := _tally.get()) is not None:
        tally.given = given


def count(name: str, cycles: float) -> None:
    """Something that took so many cycles."""
    if (tally := _tally.get()) is not None:
        tally.add(name, cycles)


@lru_cache(maxsize=4096)
def _price(name: str, ring_degree: int, bits: tuple[int, ...], *numbers: int) -> float:
    around = 8.0 * ring_degree * len(bits) * AROUND
    own = getattr(Seam(ring_degree, ZEN5, around), name)(bits, *numbers)
    return float(own + STEPS.get(name, STEP) * ZEN5.step)


def _count(name: str, basis: Handle, *numbers: int) -> None:
    if (tally := _tally.get()) is not None:
        tally.add(name, _price(name, basis.ring_degree, basis.bits, *numbers))


class CountingBackend:
    """The seam, without arithmetic.

    >>> backend = CountingBackend()
    >>> basis = backend.basis(4096, [97, 193], [1, 1])
    >>> with counted() as tally:
    ...     backend.ntt(basis, backend.add(basis, backend.zeros(basis), backend.zeros(basis, (2,)))).shape
    (2, 2, 4096)
    >>> sorted(tally.calls)
    ['add', 'ntt']
    """

    name = "counting"
    target = "nothing"

    def basis(self, ring_degree: int, moduli: Sequence[int], roots: Sequence[int]) -> Handle:
        return Handle(ring_degree, tuple(moduli), tuple(q.bit_length() for q in moduli))

    def evaluation_order(self, ring_degree: int) -> NDArray[np.int64]:
        return np.arange(ring_degree)

    def load(self, basis: Handle, residues: NDArray[np.uint64]) -> Blank:
        return Blank(residues.shape)

    def view(self, buffer: Blank) -> NoReturn:
        raise TypeError("a dry run computes no residues")

    def zeros(self, basis: Handle, leading: tuple[int, ...] = ()) -> Blank:
        return Blank((*leading, len(basis.moduli), basis.ring_degree))

    def limbs(self, buffer: Blank, start: int, stop: int) -> Blank:
        return buffer.of_limbs(stop - start)

    def join(self, first: Blank, second: Blank) -> Blank:
        return first.of_limbs(first.shape[-2] + second.shape[-2])

    # --- arithmetic --------------------------------------------------------------------------------------------------

    def add(self, basis: Handle, x: Blank, y: Blank) -> Blank:
        return _entries("add", basis, x, y)

    def sub(self, basis: Handle, x: Blank, y: Blank) -> Blank:
        return _entries("sub", basis, x, y)

    def neg(self, basis: Handle, x: Blank) -> Blank:
        return _entries("neg", basis, x)

    def mul(self, basis: Handle, x: Blank, y: Blank) -> Blank:
        return _entries("mul", basis, x, y)

    def mul_add(self, basis: Handle, x: Blank, y: Blank, z: Blank) -> Blank:
        return _entries("mul_add", basis, x, y, z)

    def mul_scalar(self, basis: Handle, x: Blank, scalars: Sequence[int]) -> Blank:
        return _entries("mul_scalar", basis, x)

    def add_scalar(self, basis: Handle, x: Blank, scalars: Sequence[int]) -> Blank:
        return _entries("add_scalar", basis, x)

    def inner_product(self, basis: Handle, xs: Sequence[Blank], ys: Sequence[Blank]) -> Blank:
        out = Blank((*np.broadcast_shapes(xs[0].shape[:-2], ys[0].shape[:-2]), *xs[0].shape[-2:]))
        _count("inner_product", basis, len(xs), out.polys)
        return out

    def inner_products(
        self,
        basis: Handle,
        xs: Sequence[Sequence[Blank]],
        terms: Sequence[Sequence[int]],
        ys: Sequence[Sequence[Blank]],
    ) -> list[list[Blank]]:
        _count("inner_products", basis, len(xs), len(xs[0]), sum(map(len, terms)), len(terms))
        return [[xs[0][0]] * len(xs) for _ in terms]

    def tensor(self, basis: Handle, xs: Sequence[Blank], ys: Sequence[Blank]) -> tuple[Blank, Blank, Blank]:
        out = _entries("tensor", basis, xs[0], ys[0])
        return out, out, out

    # --- transforms --------------------------------------------------------------------------------------------------

    def ntt(self, basis: Handle, x: Blank) -> Blank:
        return _entries("ntt", basis, x)

    def intt(self, basis: Handle, x: Blank) -> Blank:
        return _entries("intt", basis, x)

    def to_natural(self, basis: Handle, x: Blank) -> Blank:
        return x

    from_natural = to_natural

    def automorphism_coeff(self, basis: Handle, x: Blank, element: int) -> Blank:
        return _entries("automorphism_coeff", basis, x)

    def automorphism_eval(self, basis: Handle, x: Blank, element: int) -> Blank:
        return _entries("automorphism_eval", basis, x)

    # --- integers in and out, from basis to basis --------------------------------------------------------------------

    def reduce(self, basis: Handle, coefficients: NDArray[np.int64]) -> Blank:
        return _entries("reduce", basis, Blank((*coefficients.shape[:-1], len(basis.moduli), basis.ring_degree)))

    def lift(self, basis: Handle, x: Blank) -> NoReturn:
        raise TypeError("a dry run computes no residues")

    def scale_round(self, basis: Handle, plain: Handle, x: Blank) -> NoReturn:
        raise TypeError("a dry run computes no residues")

    def convert(self, source: Handle, target: Handle, x: Blank) -> Blank:
        seam = Seam(source.ring_degree, ZEN5)
        count("convert", float(seam.convert(source.bits, target.bits, x.polys)))
        return x.of_limbs(len(target.moduli))

    def divide_round_coeff(self, basis: Handle, start: int, stop: int, x: Blank) -> Blank:
        _count("divide_round_coeff", basis, start, stop, x.polys)
        return x.of_limbs(stop - start)

    def divide_round_eval(self, basis: Handle, start: int, stop: int, x: Blank) -> Blank:
        _count("divide_round_eval", basis, start, stop, x.polys)
        return x.of_limbs(stop - start)

    def divide_round_sum(self, basis: Handle, special: int, start: int, stop: int, x: Blank, y: Blank) -> Blank:
        _count("divide_round_sum", basis, special, start, stop, x.polys)
        return x.of_limbs(stop - start)

    # --- key switching -----------------------------------------------------------------------------------------------

    def decompose(self, basis: Handle, special: int, digit: int, coeff: Blank, evaluated: Blank) -> tuple[Blank, ...]:
        _count("decompose", basis, special, digit, coeff.polys)
        limbs = len(basis.moduli)
        return (coeff.of_limbs(limbs),) * -(-(limbs - special) // digit)

    def key_product(self, basis: Handle, digits: Sequence[Blank], key: BlankKey) -> tuple[Blank, Blank]:
        _used(key, basis)
        _count("key_product", basis, len(digits), digits[0].polys)
        return digits[0], digits[0]

    def key_switch(
        self, basis: Handle, special: int, digit: int, coeff: Blank, evaluated: Blank, key: BlankKey
    ) -> tuple[Blank, Blank]:
        _used(key, basis)
        _count("key_switch", basis, special, digit, coeff.polys)
        out = coeff.of_limbs(len(basis.moduli))
        return out, out

    def switch_down(
        self, basis: Handle, special: int, digit: int, stop: int, x: Blank, key: BlankKey, ys: Sequence[Blank]
    ) -> tuple[Blank, Blank]:
        _used(key, basis)
        _count("switch_down", basis, special, digit, stop, len(ys), x.polys)
        out = x.of_limbs(stop - special)
        return out, out


COUNTING = CountingBackend()


def _used(key: BlankKey, basis: Handle) -> None:
    if (tally := _tally.get()) is not None:
        tally.keys[key.element] = max(tally.keys.get(key.element, 0), len(basis.moduli))


def _entries(name: str, basis: Handle, *operands: Blank) -> Blank:
    """A result of the operands' common shape."""
    leading = np.broadcast_shapes(*(x.shape[:-2] for x in operands)) if len(operands) > 1 else operands[0].shape[:-2]
    out = Blank((*leading, *operands[0].shape[-2:]))
    _count(name, basis, out.polys)
    return out
