"""A backend whose buffers have shapes and no content: it computes nothing, and counts what would be computed.

Everything above the seam runs on it unchanged. So levels, scales, noise bounds, keys and numbers of operations are
those of the real computation because it *is* the real computation, all but the residues.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from fhe import costs


@dataclass(frozen=True, slots=True)
class Handle:
    """A basis: N and the primes."""

    ring_degree: int
    moduli: tuple[int, ...]

    @property
    def bits(self) -> list[int]:
        return [q.bit_length() for q in self.moduli]


@dataclass(frozen=True, slots=True)
class Blank:
    """A buffer of which there is only the shape."""

    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class BlankKey:
    """A switching key of which there is only what it is for: a Galois element, or 0 for relinearisation."""

    element: int
    nbytes: int = 0


@dataclass(slots=True)
class Tally:
    """What was asked of the backend: how often, for about how many cycles, and which keys over how many limbs."""

    calls: Counter[str] = field(default_factory=Counter)
    cycles: dict[str, float] = field(default_factory=dict)
    keys: dict[int, int] = field(default_factory=dict)

    total: float = 0.0

    def add(self, name: str, cycles: float) -> None:
        self.calls[name] += 1
        self.cycles[name] = self.cycles.get(name, 0.0) + cycles
        self.total += cycles


_tally: ContextVar[Tally | None] = ContextVar("tally", default=None)


@contextmanager
def counted() -> Iterator[Tally]:
    """What the counting backend is asked for within the block."""
    tally = Tally()
    token = _tally.set(tally)
    try:
        yield tally
    finally:
        _tally.reset(token)


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
        return Handle(ring_degree, tuple(moduli))

    def evaluation_order(self, ring_degree: int) -> NDArray[np.int64]:
        return np.arange(ring_degree)

    def load(self, basis: Handle, residues: NDArray[np.uint64]) -> Blank:
        return Blank(residues.shape)

    def view(self, buffer: Blank) -> NoReturn:
        raise TypeError("a dry run computes no residues")

    def zeros(self, basis: Handle, leading: tuple[int, ...] = ()) -> Blank:
        return Blank((*leading, len(basis.moduli), basis.ring_degree))

    def limbs(self, buffer: Blank, start: int, stop: int) -> Blank:
        return _of_limbs(buffer, stop - start)

    def join(self, first: Blank, second: Blank) -> Blank:
        return _of_limbs(first, first.shape[-2] + second.shape[-2])

    # --- arithmetic --------------------------------------------------------------------------------------------------

    def add(self, basis: Handle, x: Blank, y: Blank) -> Blank:
        return _pointwise("add", basis, x, y, passes=3)

    def sub(self, basis: Handle, x: Blank, y: Blank) -> Blank:
        return _pointwise("sub", basis, x, y, passes=3)

    def neg(self, basis: Handle, x: Blank) -> Blank:
        return _pointwise("neg", basis, x, passes=2)

    def mul(self, basis: Handle, x: Blank, y: Blank) -> Blank:
        return _pointwise("mul", basis, x, y, passes=4)

    def mul_add(self, basis: Handle, x: Blank, y: Blank, z: Blank) -> Blank:
        return _pointwise("mul_add", basis, x, y, z, passes=5)

    def mul_scalar(self, basis: Handle, x: Blank, scalars: Sequence[int]) -> Blank:
        return _pointwise("mul_scalar", basis, x, passes=3)

    def add_scalar(self, basis: Handle, x: Blank, scalars: Sequence[int]) -> Blank:
        return _pointwise("add_scalar", basis, x, passes=2)

    def inner_product(self, basis: Handle, xs: Sequence[Blank], ys: Sequence[Blank]) -> Blank:
        shape = np.broadcast_shapes(xs[0].shape[:-2], ys[0].shape[:-2])
        out = Blank((*shape, *xs[0].shape[-2:]))
        return _pointwise("inner_product", basis, out, passes=1 + 3 * len(xs))

    def tensor(self, basis: Handle, xs: Sequence[Blank], ys: Sequence[Blank]) -> tuple[Blank, Blank, Blank]:
        out = _pointwise("tensor", basis, xs[0], ys[0], passes=11)
        return out, out, out

    # --- transforms --------------------------------------------------------------------------------------------------

    def ntt(self, basis: Handle, x: Blank) -> Blank:
        _count("ntt", costs.transforms(basis.ring_degree, basis.bits) * _rows(x))
        return x

    def intt(self, basis: Handle, x: Blank) -> Blank:
        _count("intt", costs.transforms(basis.ring_degree, basis.bits, inverse=True) * _rows(x))
        return x

    def to_natural(self, basis: Handle, x: Blank) -> Blank:
        return x

    from_natural = to_natural

    def automorphism_coeff(self, basis: Handle, x: Blank, element: int) -> Blank:
        return _pointwise("automorphism", basis, x, passes=4)

    automorphism_eval = automorphism_coeff

    # --- integers in and out, from basis to basis --------------------------------------------------------------------

    def reduce(self, basis: Handle, coefficients: NDArray[np.int64]) -> Blank:
        return _pointwise("reduce", basis, Blank((*coefficients.shape[:-1], len(basis.moduli), basis.ring_degree)))

    def lift(self, basis: Handle, x: Blank) -> NoReturn:
        raise TypeError("a dry run computes no residues")

    def convert(self, source: Handle, target: Handle, x: Blank) -> Blank:
        inputs, outputs = len(source.moduli), len(target.moduli)
        _count("convert", costs.conversion(source.ring_degree, inputs, outputs) * _rows(x))
        return _of_limbs(x, outputs)

    def divide_round_coeff(self, basis: Handle, start: int, stop: int, x: Blank) -> Blank:
        kept, all_limbs = stop - start, len(basis.moduli)
        _count("divide_round", costs.conversion(basis.ring_degree, all_limbs - kept, kept) * _rows(x))
        return _of_limbs(x, kept)

    def divide_round_eval(self, basis: Handle, start: int, stop: int, x: Blank) -> Blank:
        bits = basis.bits
        dropped, kept = [*bits[:start], *bits[stop:]], bits[start:stop]
        _count("divide_round", costs.division(basis.ring_degree, dropped, kept) * _rows(x))
        return _of_limbs(x, stop - start)

    def divide_round_sum(self, basis: Handle, special: int, start: int, stop: int, x: Blank, y: Blank) -> Blank:
        return self.divide_round_eval(basis, start, stop, x)

    # --- key switching -----------------------------------------------------------------------------------------------

    def decompose(self, basis: Handle, special: int, digit: int, coeff: Blank, evaluated: Blank) -> tuple[Blank, ...]:
        limbs, bits = len(basis.moduli) - special, basis.bits
        for start in range(0, limbs, digit):
            own = range(special + start, min(special + start + digit, len(bits)))
            others = [b for i, b in enumerate(bits) if i not in own]
            cycles = costs.conversion(basis.ring_degree, len(own), len(others))
            _count("decompose", (cycles + costs.transforms(basis.ring_degree, others)) * _rows(coeff))
        return (_of_limbs(coeff, len(bits)),) * -(-limbs // digit)

    def key_product(self, basis: Handle, digits: Sequence[Blank], key: BlankKey) -> tuple[Blank, Blank]:
        _used(key, basis)
        size = 2 * len(digits) * len(basis.moduli) * basis.ring_degree * 8
        _count("key_product", size / costs.SHARED_CACHE * _rows(digits[0]))
        return digits[0], digits[0]

    def key_switch(
        self, basis: Handle, special: int, digit: int, coeff: Blank, evaluated: Blank, key: BlankKey
    ) -> tuple[Blank, Blank]:
        return self.key_product(basis, self.decompose(basis, special, digit, coeff, evaluated), key)

    def switch_down(
        self, basis: Handle, special: int, digit: int, stop: int, x: Blank, key: BlankKey, ys: Sequence[Blank]
    ) -> tuple[Blank, Blank]:
        over_q = Handle(basis.ring_degree, basis.moduli[special:])
        u0, u1 = self.key_switch(basis, special, digit, self.intt(over_q, x), x, key)
        return self.divide_round_eval(basis, special, stop, u0), self.divide_round_eval(basis, special, stop, u1)


COUNTING = CountingBackend()


def _count(name: str, cycles: float) -> None:
    if (tally := _tally.get()) is not None:
        tally.add(name, cycles)


def _used(key: BlankKey, basis: Handle) -> None:
    if (tally := _tally.get()) is not None:
        tally.keys[key.element] = max(tally.keys.get(key.element, 0), len(basis.moduli))


def _pointwise(name: str, basis: Handle, *operands: Blank, passes: int = 2) -> Blank:
    """Of the operands' common shape; as long as it takes to move so many operands through the shared cache."""
    leading = np.broadcast_shapes(*(x.shape[:-2] for x in operands))
    out = Blank((*leading, *operands[0].shape[-2:]))
    _count(name, 8 * passes * np.prod(out.shape) / costs.SHARED_CACHE)
    return out


def _of_limbs(x: Blank, limbs: int) -> Blank:
    return Blank((*x.shape[:-2], limbs, x.shape[-1]))


def _rows(x: Blank) -> int:
    return int(np.prod(x.shape[:-2], dtype=np.int64))


def describe(tally: Tally) -> list[tuple[str, int, float]]:
    """Name, calls and cycles of each operation, the longest first."""
    rows = [(name, tally.calls[name], tally.cycles[name]) for name in tally.calls]
    return sorted(rows, key=lambda row: -row[2])
