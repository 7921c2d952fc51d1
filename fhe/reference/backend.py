"""`ReferenceBackend`: the definition of every operation of the seam, row by row and column by column."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fhe.backend.protocol import uniform_words
from fhe.reference import residue, rns, sampling
from fhe.reference.buffer import RowBuffer, RowKey, common_leading, join
from fhe.reference.loops import inner_loops
from fhe.reference.rns import Basis

Opaque = Any  # a RowBuffer: the protocol keeps its buffers opaque
OpaqueKey = Any  # a RowKey


class _SecretBytes(bytearray):
    """Bytes that are overwritten with zeros when nobody looks at them any more."""

    def __del__(self) -> None:
        self[:] = bytes(len(self))


class ReferenceBackend:
    """The seam in Python integers, its inner loops interpreted (the definition) or compiled (the same source).

    ``compiled=None`` takes the compiled loops if they were built and FHE_PURE_PYTHON is not set. Evaluations are in
    natural order. Nothing here is constant time, and Python may keep copies of a secret that `wipe` does not reach.

    >>> backend = ReferenceBackend()
    >>> basis = backend.basis(8, [97], [8])
    >>> x = backend.reduce(basis, np.array([-1, 1, 0, 0, 0, 0, 0, 0]))
    >>> backend.view(backend.intt(basis, backend.mul(basis, backend.ntt(basis, x), backend.ntt(basis, x))))
    array([[ 1, 95,  1,  0,  0,  0,  0,  0]], dtype=uint64)
    """

    name = "reference"

    def __init__(self, compiled: bool | None = None) -> None:
        self._loops = inner_loops(compiled)
        self.target = "interpreted" if self._loops is residue else "compiled"

    def __repr__(self) -> str:
        return f"ReferenceBackend({self.target})"

    # --- bases and buffers ------------------------------------------------------------------------

    def basis(self, ring_degree: int, moduli: Sequence[int], roots: Sequence[int]) -> Basis:
        return Basis(ring_degree, tuple(map(int, moduli)), tuple(map(int, roots)))

    def evaluation_order(self, ring_degree: int) -> NDArray[np.int64]:
        return np.arange(ring_degree, dtype=np.int64)

    def load(self, basis: Basis, residues: NDArray[np.uint64]) -> RowBuffer:
        assert residues.shape[-2:] == (len(basis), basis.ring_degree)
        assert (residues < np.array(basis.moduli, np.uint64)[:, None]).all(), "a residue is not below its prime"
        return RowBuffer.from_array(residues)

    def view(self, buffer: Opaque) -> NDArray[np.uint64]:
        return _rows(buffer).to_array()

    def zeros(self, basis: Basis, leading: tuple[int, ...] = ()) -> RowBuffer:
        rows = (residue.new_row(basis.ring_degree) for _ in range(math.prod(leading) * len(basis)))
        return RowBuffer.of(leading, len(basis), basis.ring_degree, rows)

    def limbs(self, buffer: Opaque, start: int, stop: int) -> RowBuffer:
        return _rows(buffer).select(range(start, stop))

    def join(self, first: Opaque, second: Opaque) -> RowBuffer:
        return join(_rows(first), _rows(second))

    def secret_words(self, count: int) -> memoryview:
        return memoryview(_SecretBytes(8 * count))

    def wipe(self, buffer: Opaque) -> None:
        for row in _rows(buffer).rows:
            row[:] = residue.new_row(len(row))

    # --- arithmetic -------------------------------------------------------------------------------------

    def add(self, basis: Basis, x: Opaque, y: Opaque) -> RowBuffer:
        return _each_row(basis, self._loops.add, (x, y), basis.moduli)

    def sub(self, basis: Basis, x: Opaque, y: Opaque) -> RowBuffer:
        return _each_row(basis, self._loops.sub, (x, y), basis.moduli)

    def neg(self, basis: Basis, x: Opaque) -> RowBuffer:
        return _each_row(basis, self._loops.neg, (x,), basis.moduli)

    def mul(self, basis: Basis, x: Opaque, y: Opaque) -> RowBuffer:
        return _each_row(basis, self._loops.mul, (x, y), basis.moduli)

    def mul_add(self, basis: Basis, x: Opaque, y: Opaque, z: Opaque) -> RowBuffer:
        return _each_row(basis, self._loops.mul_add, (x, y, z), basis.moduli)

    def mul_scalar(self, basis: Basis, x: Opaque, scalars: Sequence[int]) -> RowBuffer:
        return _each_row(basis, self._loops.mul_scalar, (x,), scalars, basis.moduli)

    def add_scalar(self, basis: Basis, x: Opaque, scalars: Sequence[int]) -> RowBuffer:
        return _each_row(basis, self._loops.add_scalar, (x,), scalars, basis.moduli)

    def inner_product(self, basis: Basis, xs: Sequence[Opaque], ys: Sequence[Opaque]) -> RowBuffer:
        total = self.zeros(basis, common_leading(*xs, *ys))
        for x, y in zip(xs, ys, strict=True):
            total = self.mul_add(basis, x, self.limbs(y, 0, len(basis)), total)
        return total

    def inner_products(
        self,
        basis: Basis,
        xs: Sequence[Sequence[Opaque]],
        terms: Sequence[Sequence[int]],
        ys: Sequence[Sequence[Opaque]],
    ) -> list[list[RowBuffer]]:
        return [
            [self.inner_product(basis, [component[k] for k in picked], factors) for component in xs]
            for picked, factors in zip(terms, ys, strict=True)
        ]

    def tensor(
        self,
        basis: Basis,
        xs: Sequence[Sequence[Opaque]],
        ys: Sequence[Sequence[Opaque]],
        x_coeffs: int = 0,
        y_coeffs: int = 0,
    ) -> tuple[RowBuffer, RowBuffer, RowBuffer]:
        (x0, x1), (y0, y1) = (
            [self._evaluated(basis, join(*map(_rows, parts)), coeffs) for parts in pair]
            for pair, coeffs in ((xs, x_coeffs), (ys, y_coeffs))
        )
        return self.mul(basis, x0, y0), self.inner_product(basis, (x0, x1), (y1, y0)), self.mul(basis, x1, y1)

    def _evaluated(self, basis: Basis, x: RowBuffer, coeffs: int) -> RowBuffer:
        """x, of which the first limbs come by coefficients."""
        if not coeffs:
            return x
        first, rest = range(coeffs), range(coeffs, len(basis))
        return join(self.ntt(basis.select(first), x.select(first)), x.select(rest))

    # --- transforms -------------------------------------------------------------------------------------

    def ntt(self, basis: Basis, x: Opaque) -> RowBuffer:
        return _each_row(basis, self._loops.ntt, (x,), [p.forward for p in basis.powers], basis.moduli)

    def intt(self, basis: Basis, x: Opaque) -> RowBuffer:
        inverse, inverse_N = [p.inverse for p in basis.powers], [p.inverse_N for p in basis.powers]
        return _each_row(basis, self._loops.intt, (x,), inverse, basis.moduli, inverse_N)

    def to_natural(self, basis: Basis, x: Opaque) -> RowBuffer:
        return _rows(x).copy()

    def from_natural(self, basis: Basis, x: Opaque) -> RowBuffer:
        return _rows(x).copy()

    def automorphism_coeff(self, basis: Basis, x: Opaque, element: int) -> RowBuffer:
        g = element % (2 * basis.ring_degree)
        return _each_row(basis, self._loops.automorphism_coeff, (x,), repeat(g, len(basis)), basis.moduli)

    def automorphism_eval(self, basis: Basis, x: Opaque, element: int) -> RowBuffer:
        g = element % (2 * basis.ring_degree)
        return _each_row(basis, self._loops.automorphism_eval, (x,), repeat(g, len(basis)))

    # --- integers in and out ----------------------------------------------------------------------------

    def reduce(self, basis: Basis, coefficients: NDArray[np.int64]) -> RowBuffer:
        N = basis.ring_degree
        polynomials = coefficients.reshape(-1, N).tolist()
        rows = (row for integers in polynomials for row in rns.to_residues(basis, integers))
        return RowBuffer.of(coefficients.shape[:-1], len(basis), N, rows)

    def lift(self, basis: Basis, x: Opaque) -> NDArray[np.float64]:
        x = _rows(x)
        integers = [rns.centred(basis, rows) for rows in x.polynomials(x.leading)]
        doubles = [[rns.to_double(basis, integer) for integer in polynomial] for polynomial in integers]
        return np.array(doubles, dtype=np.float64).reshape(*x.leading, basis.ring_degree)

    # --- from basis to basis ----------------------------------------------------------------------------

    def convert(
        self, source: Basis, target: Basis, x: Opaque, before: Sequence[int] = (), after: Sequence[int] = ()
    ) -> RowBuffer:
        x = self.mul_scalar(source, x, before) if before else x
        converted = _each_polynomial(target, lambda rows: rns.convert(source, target, rows), x)
        return self.mul_scalar(target, converted, after) if after else converted

    def scale_round(self, basis: Basis, plain: Basis, x: Opaque) -> tuple[RowBuffer, NDArray[np.float64]]:
        x, (t,) = _rows(x), plain.moduli
        rounded = [rns.scale_round(basis, t, rows) for rows in x.polynomials(x.leading)]
        rests = np.array([rest for _, rest in rounded]).reshape(*x.leading, basis.ring_degree)
        return RowBuffer.of(x.leading, 1, basis.ring_degree, [row for row, _ in rounded]), rests

    def divide_round_coeff(self, basis: Basis, start: int, stop: int, x: Opaque) -> RowBuffer:
        kept, dropped = _split(len(basis), start, stop)
        remainder = self.convert(basis.select(dropped), basis.select(kept), _rows(x).select(dropped))
        return self._divide_exactly(basis.select(kept), basis.select(dropped), _rows(x).select(kept), remainder)

    def divide_round_eval(self, basis: Basis, start: int, stop: int, x: Opaque) -> RowBuffer:
        kept, dropped = _split(len(basis), start, stop)
        low = self.intt(basis.select(dropped), _rows(x).select(dropped))
        remainder = self.ntt(basis.select(kept), self.convert(basis.select(dropped), basis.select(kept), low))
        return self._divide_exactly(basis.select(kept), basis.select(dropped), _rows(x).select(kept), remainder)

    def divide_round_sum(self, basis: Basis, special: int, start: int, stop: int, x: Opaque, y: Opaque) -> RowBuffer:
        P, rest = math.prod(basis.moduli[:special]), basis.select(range(special, len(basis)))
        raised = self.mul_scalar(rest, y, [P % q for q in rest.moduli])
        zero = self.zeros(basis.select(range(special)), _rows(y).leading)
        return self.divide_round_eval(basis, start, stop, self.add(basis, x, self.join(zero, raised)))

    def _divide_exactly(self, kept: Basis, dropped: Basis, x: RowBuffer, remainder: RowBuffer) -> RowBuffer:
        """(x - remainder) / D modulo the primes that are kept: D, the product of the dropped, divides it."""
        inverses = [pow(dropped.product, -1, q) for q in kept.moduli]
        return self.mul_scalar(kept, self.sub(kept, x, remainder), inverses)

    # --- key switching ----------------------------------------------------------------------------------

    def decompose(
        self, basis: Basis, special: int, digit: int, coeff: Opaque, evaluated: Opaque
    ) -> tuple[RowBuffer, ...]:
        count = len(basis) - special
        digits = (range(start, min(start + digit, count)) for start in range(0, count, digit))
        return tuple(self._raise_digit(basis, special, limbs, _rows(coeff), _rows(evaluated)) for limbs in digits)

    def _raise_digit(
        self, basis: Basis, special: int, limbs: range, coeff: RowBuffer, evaluated: RowBuffer
    ) -> RowBuffer:
        """The digit of these limbs over the whole basis; their own rows are known already."""
        start, stop = special + limbs.start, special + limbs.stop
        raised = self.ntt(basis, self.convert(basis.select(range(start, stop)), basis, coeff.select(limbs)))
        return join(raised.select(range(start)), evaluated.select(limbs), raised.select(range(stop, len(basis))))

    def pack_key(self, basis: Basis, b: Sequence[Opaque], a: Sequence[Opaque]) -> RowKey:
        return RowKey(tuple(map(_rows, b)), tuple(map(_rows, a)))

    def unpack_key(self, key: OpaqueKey) -> tuple[tuple[RowBuffer, ...], tuple[RowBuffer, ...]]:
        assert isinstance(key, RowKey), f"a key of another backend: {type(key).__name__}"
        return key.b, key.a

    def key_product(self, basis: Basis, digits: Sequence[Opaque], key: OpaqueKey) -> tuple[RowBuffer, RowBuffer]:
        b, a = self.unpack_key(key)
        return self.inner_product(basis, digits, b[: len(digits)]), self.inner_product(basis, digits, a[: len(digits)])

    def key_switch(
        self, basis: Basis, special: int, digit: int, coeff: Opaque, evaluated: Opaque, key: OpaqueKey
    ) -> tuple[RowBuffer, RowBuffer]:
        return self.key_product(basis, self.decompose(basis, special, digit, coeff, evaluated), key)

    def switch_down(
        self, basis: Basis, special: int, digit: int, stop: int, x: Opaque, key: OpaqueKey, ys: Sequence[Opaque]
    ) -> tuple[RowBuffer, RowBuffer]:
        lower = basis.select(range(special, len(basis)))
        switched = self.key_switch(basis, special, digit, self.intt(lower, x), x, key)
        addends = [*ys, *repeat(self.zeros(lower, _rows(x).leading), 2 - len(ys))]
        b, a = map(partial(self.divide_round_sum, basis, special, special, stop), switched, addends)
        return b, a

    # --- encryption -------------------------------------------------------------------------------------

    def encrypt(
        self, basis: Basis, special: int, b: Opaque, a: Opaque, u: Any, e0: Any, e1: Any, message: Opaque
    ) -> tuple[RowBuffer, RowBuffer]:
        limbs = len(basis)
        kept, small = basis.select(range(special, limbs)), self.ntt(basis, self.ternary(basis, u))

        def half(key: Opaque, error: Any) -> RowBuffer:
            noise = self.ntt(basis, self.centred_binomial(basis, error))
            masked = self.mul_add(basis, self.limbs(key, 0, limbs), small, noise)
            return self.divide_round_eval(basis, special, limbs, masked) if special else masked

        return self.add(kept, half(b, e0), self.ntt(kept, message)), half(a, e1)

    # --- sampling ---------------------------------------------------------------------------------------

    def uniform(self, basis: Basis, words: Any) -> RowBuffer:
        N, stream, share = basis.ring_degree, sampling.to_words(words), uniform_words(basis.ring_degree)
        shares = (stream[i * share : (i + 1) * share] for i in range(len(basis)))
        rows = (sampling.uniform(words, N, q) for words, q in zip(shares, basis.moduli, strict=True))
        return RowBuffer.of((), len(basis), N, rows)

    def ternary(self, basis: Basis, words: Any) -> RowBuffer:
        samples = sampling.ternary(sampling.to_words(words), basis.ring_degree)
        return RowBuffer.of((), len(basis), basis.ring_degree, rns.to_residues(basis, samples))

    def centred_binomial(self, basis: Basis, words: Any) -> RowBuffer:
        samples = sampling.centred_binomial(sampling.to_words(words), basis.ring_degree)
        return RowBuffer.of((), len(basis), basis.ring_degree, rns.to_residues(basis, samples))

    # --- wire -------------------------------------------------------------------------------------------

    def pack(self, basis: Basis, x: Opaque) -> bytes:
        x = _rows(x)
        widths = [q.bit_length() for q in basis.moduli]
        packed = [zip(rows, widths, strict=True) for rows in x.polynomials(x.leading)]
        return b"".join(sampling.pack(row, bits) for polynomial in packed for row, bits in polynomial)

    def unpack(self, basis: Basis, data: bytes, leading: tuple[int, ...] = ()) -> RowBuffer:
        N = basis.ring_degree
        primes = list(basis.moduli) * math.prod(leading)
        sizes = [N * q.bit_length() // 8 for q in primes]
        if len(data) != sum(sizes):
            raise ValueError(f"{(*leading, len(basis), N)} residues are packed in {sum(sizes)} bytes, not {len(data)}")
        rows, offset = [], 0
        for index, (q, size) in enumerate(zip(primes, sizes, strict=True)):
            row = sampling.unpack(data[offset : offset + size], q.bit_length())
            column = next((k for k in range(N) if row[k] >= q), None)
            if column is not None:
                raise ValueError(f"the residue at (row, column) = ({index}, {column}) is not below its prime {q}")
            rows.append(row)
            offset += size
        return RowBuffer.of(leading, len(basis), N, rows)


def _rows(buffer: Opaque) -> RowBuffer:
    """The reference's own class behind an opaque buffer."""
    assert isinstance(buffer, RowBuffer), f"a buffer of another backend: {type(buffer).__name__}"
    return buffer


def _each_row(
    basis: Basis, function: Callable[..., None], operands: Sequence[RowBuffer], *constants: Iterable[Any]
) -> RowBuffer:
    """``function(out, *rows, *constants)`` for every polynomial and every limb; each of `constants` goes by limbs."""
    N, leading = basis.ring_degree, common_leading(*operands)
    by_limb = list(zip(*constants, strict=True))
    results = []
    for polynomials in zip(*(_rows(x).polynomials(leading) for x in operands), strict=True):
        for *rows, values in zip(*polynomials, by_limb, strict=True):
            out = residue.new_row(N)
            function(out, *rows, *values)
            results.append(out)
    return RowBuffer.of(leading, len(basis), N, results)


def _each_polynomial(target: Basis, function: Callable[[list[array[int]]], list[array[int]]], x: Opaque) -> RowBuffer:
    """``function(rows)``, rows of the target, for every polynomial."""
    x = _rows(x)
    rows = (row for polynomial in x.polynomials(x.leading) for row in function(polynomial))
    return RowBuffer.of(x.leading, len(target), target.ring_degree, rows)


def _split(limbs: int, start: int, stop: int) -> tuple[range, list[int]]:
    """The limbs ``start … stop-1``, and the others in ascending order."""
    return range(start, stop), [*range(start), *range(stop, limbs)]
