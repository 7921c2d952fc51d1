"""A backend whose buffers have shapes and no content: it computes nothing, and counts what would be computed.

Everything above the seam runs on it unchanged. So levels, scales, noise bounds, keys and numbers of operations are
those of the real computation because it *is* the real computation, all but the residues.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from fhe.costs import FIRST, Machine, Run, Seam
from fhe.parameters import Parameters
from fhe.rlwe.encodings import Encodings, V

# The Python around a call, in steps: of a scheme and of circuits. A plain number that is added or multiplied is scaled
# exactly first; what is called from linear maps and conversions has little of its own.
STEP = 0.75
STEPS = {"add_scalar": 10.0, "mul_scalar": 2.0} | dict.fromkeys(("intt", "ntt", "convert", "reduce"), 0.0)
ENCODE, LOOK, ARRANGE = 13.0, 6.0, 13.0  # of an encoding; of a look-up of one; of an array whose elements move


@dataclass(frozen=True, slots=True)
class Handle:
    """A basis: N and the primes."""

    ring_degree: int
    moduli: tuple[int, ...]
    bits: tuple[int, ...]


@dataclass(slots=True, eq=False)
class Blank:
    """A buffer of which there is only the shape, and where in the run it was last used."""

    shape: tuple[int, ...]
    place: float = FIRST

    def of_limbs(self, limbs: int) -> Blank:
        return Blank((*self.shape[:-2], limbs, self.shape[-1]), self.place)

    @property
    def polys(self) -> int:
        return math.prod(self.shape[:-2])

    @property
    def nbytes(self) -> int:
        return 8 * math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class BlankKey:
    """A switching key of which there is only what it is for: a Galois element, or 0 for relinearisation."""

    element: int
    nbytes: int = 0


@dataclass(slots=True)
class Tally:
    """What was asked of the backend: its calls, and which keys over how many limbs.

    Calls that encode are apart, in ``encoding``: what is encoded, so many bytes, is kept for the next time.
    """

    run: Run = field(default_factory=Run)
    keys: dict[int, int] = field(default_factory=dict)
    encoding: Run = field(default_factory=Run)
    encoded_bytes: int = 0
    given: bool = False  # is what is encoded not known yet? Then it is like nothing else that is
    apart: bool = False  # is something being encoded?

    @property
    def now(self) -> Run:
        """Where calls are noted at the moment."""
        return self.encoding if self.apart else self.run

    @property
    def calls(self) -> Counter[str]:
        """How often each operation was asked for, the encodings' included."""
        return self.run.counts() + self.encoding.counts()

    @property
    def total(self) -> float:
        """Cycles on the machine of `fhe.costs`, when the run is repeated."""
        return float(self.run.cycles())

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
        """As `Encodings.of`; to look for it takes time in every run."""
        contents = key[-1]
        count("look-up", _looked, len(contents) if isinstance(contents, bytes) else 0, steps=LOOK)
        return super().of((self._tally.given, *key), lambda: self._apart(make))

    def _apart(self, make: Callable[[], V]) -> V:
        before, self._tally.apart = self._tally.apart, True
        try:
            return make()
        finally:
            self._tally.apart = before


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


def count(name: str, price: Callable[..., Any], *arguments: Any, steps: float = 0.0) -> None:
    """Something else that takes time: a price of `fhe.costs`, of these arguments."""
    if (tally := _tally.get()) is not None:
        tally.now.add(name, price, arguments, steps=steps)


def python(machine: Machine) -> Any:
    """The price of what is Python alone: nothing but its steps."""
    return 0 * machine.step


def _looked(nbytes: int, machine: Machine) -> Any:
    return nbytes * machine.look


def _seam(name: str, ring_degree: int, bits: tuple[int, ...], *numbers: Any, machine: Machine) -> Any:
    return getattr(Seam(ring_degree, machine), name)(bits, *numbers)


def _count(
    name: str,
    basis: Handle,
    numbers: Sequence[Any],
    used: Sequence[Blank],
    made: Sequence[Blank],
    key: tuple[BlankKey, int] | None = None,
) -> None:
    """A call on some buffers that makes others, and with a switching key of which it takes so many digits."""
    if (tally := _tally.get()) is None:
        return
    run = tally.now
    uses = [(x.nbytes, x.place) for x in used] + [(y.nbytes, run.passed) for y in made]  # in memory that was just freed
    packed = None
    if key is not None:
        element, digits = key[0].element, key[1]
        packed = element, digits, 2 * digits * basis.ring_degree * sum((bits + 7) // 8 for bits in basis.bits)
        tally.keys[element] = max(tally.keys.get(element, 0), len(basis.moduli))
    run.add(name, _seam, (name, basis.ring_degree, basis.bits, *numbers), uses, STEPS.get(name, STEP), packed)
    for buffer in (*used, *made):
        buffer.place = FIRST if tally.apart else run.passed


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
        _count("inner_product", basis, (len(xs), out.polys), [*xs, *ys], [out])
        return out

    def inner_products(
        self,
        basis: Handle,
        xs: Sequence[Sequence[Blank]],
        terms: Sequence[Sequence[int]],
        ys: Sequence[Sequence[Blank]],
    ) -> list[list[Blank]]:
        out = [[Blank(xs[0][0].shape) for _ in xs] for _ in terms]
        numbers = len(xs), len(xs[0]), sum(map(len, terms)), len(terms)
        _count("inner_products", basis, numbers, [*chain(*xs), *chain(*ys)], [*chain(*out)])
        return out

    def tensor(
        self,
        basis: Handle,
        xs: Sequence[Sequence[Blank]],
        ys: Sequence[Sequence[Blank]],
        x_coeffs: int = 0,
        y_coeffs: int = 0,
    ) -> tuple[Blank, Blank, Blank]:
        a, b, c = (xs[0][0].of_limbs(len(basis.moduli)) for _ in range(3))
        _count("tensor", basis, (a.polys, x_coeffs, y_coeffs), [*chain(*xs, *ys)], [a, b, c])
        return a, b, c

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
        out = Blank((*coefficients.shape[:-1], len(basis.moduli), basis.ring_degree))
        _count("reduce", basis, (out.polys,), [], [out])
        return out

    def lift(self, basis: Handle, x: Blank) -> NoReturn:
        raise TypeError("a dry run computes no residues")

    def scale_round(self, basis: Handle, plain: Handle, x: Blank) -> NoReturn:
        raise TypeError("a dry run computes no residues")

    def convert(
        self, source: Handle, target: Handle, x: Blank, before: Sequence[int] = (), after: Sequence[int] = ()
    ) -> Blank:
        out = x.of_limbs(len(target.moduli))
        _count("convert", source, (target.bits, x.polys), [x], [out])
        return out

    def divide_round_coeff(self, basis: Handle, start: int, stop: int, x: Blank) -> Blank:
        out = x.of_limbs(stop - start)
        _count("divide_round_coeff", basis, (start, stop, x.polys), [x], [out])
        return out

    def divide_round_eval(self, basis: Handle, start: int, stop: int, x: Blank) -> Blank:
        out = x.of_limbs(stop - start)
        _count("divide_round_eval", basis, (start, stop, x.polys), [x], [out])
        return out

    def divide_round_sum(self, basis: Handle, special: int, start: int, stop: int, x: Blank, y: Blank) -> Blank:
        out = x.of_limbs(stop - start)
        _count("divide_round_sum", basis, (special, start, stop, x.polys), [x, y], [out])
        return out

    # --- key switching -----------------------------------------------------------------------------------------------

    def decompose(self, basis: Handle, special: int, digit: int, coeff: Blank, evaluated: Blank) -> tuple[Blank, ...]:
        limbs = len(basis.moduli)
        out = tuple(coeff.of_limbs(limbs) for _ in range(_digits(basis, special, digit)))
        _count("decompose", basis, (special, digit, coeff.polys), [coeff, evaluated], out)
        return out

    def key_product(self, basis: Handle, digits: Sequence[Blank], key: BlankKey) -> tuple[Blank, Blank]:
        b, a = Blank(digits[0].shape), Blank(digits[0].shape)
        _count("key_product", basis, (len(digits), b.polys), digits, [b, a], (key, len(digits)))
        return b, a

    def key_switch(
        self, basis: Handle, special: int, digit: int, coeff: Blank, evaluated: Blank, key: BlankKey
    ) -> tuple[Blank, Blank]:
        b, a = (coeff.of_limbs(len(basis.moduli)) for _ in range(2))
        digits = _digits(basis, special, digit)
        _count("key_switch", basis, (special, digit, coeff.polys), [coeff, evaluated], [b, a], (key, digits))
        return b, a

    def switch_down(
        self, basis: Handle, special: int, digit: int, stop: int, x: Blank, key: BlankKey, ys: Sequence[Blank]
    ) -> tuple[Blank, Blank]:
        b, a = (x.of_limbs(stop - special) for _ in range(2))
        numbers = special, digit, stop, len(ys), x.polys
        _count("switch_down", basis, numbers, [x, *ys], [b, a], (key, _digits(basis, special, digit)))
        return b, a


COUNTING = CountingBackend()


def _digits(basis: Handle, special: int, digit: int) -> int:
    return -(-(len(basis.moduli) - special) // digit)


def _entries(name: str, basis: Handle, *operands: Blank) -> Blank:
    """A result of the operands' common shape."""
    leading = np.broadcast_shapes(*(x.shape[:-2] for x in operands)) if len(operands) > 1 else operands[0].shape[:-2]
    out = Blank((*leading, *operands[0].shape[-2:]))
    _count(name, basis, (out.polys,), operands, [out])
    return out
