"""Polynomials to bytes and back: bit-packed residues, evaluations in their natural order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, TypeVar

from fhe.errors import FormatError
from fhe.ring.basis import Basis
from fhe.ring.poly import EvalPoly, Poly

P = TypeVar("P", bound=Poly)


class Sliced(Protocol):
    """Bytes, or what is read when slices of it become bytes."""

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice, /) -> Any: ...


def packed_bytes(ring_degree: int, moduli: Sequence[int]) -> int:
    """N * sum_i bits(q_i) / 8: the size of one polynomial, known before anything is made.

    >>> packed_bytes(16, [97, 193])
    30
    """
    return ring_degree * sum(q.bit_length() for q in moduli) // 8


def pack(polys: Sequence[Poly]) -> bytes:
    """The residues of these polynomials, one after another: the same bytes on every backend."""
    return b"".join(packed(polys))


def packed(polys: Sequence[Poly]) -> Iterator[bytes]:
    """The bytes of `pack`, one polynomial at a time."""
    return map(_pack, polys)


def _pack(poly: Poly) -> bytes:
    basis, data = poly.basis, poly.data
    if isinstance(poly, EvalPoly):
        data = basis.backend.to_natural(basis.handle, data)
    return basis.backend.pack(basis.handle, data)


def unpack(domain: type[P], basis: Basis, data: Sliced) -> tuple[P, ...]:
    """The polynomials of `pack`, over one basis, in one domain; their number follows from the size.

    >>> basis = Basis.of(16, [97, 193], backend="reference")
    >>> unpack(EvalPoly, basis, pack([EvalPoly.zero(basis)] * 2))[1].natural().any()
    np.False_

    Raises FormatError for a broken polynomial, and for a residue that is not below its prime.
    """
    size = packed_bytes(basis.ring_degree, basis.moduli)
    if len(data) % size:
        raise FormatError(f"{len(data)} bytes are no whole number of polynomials of {size} bytes")
    return tuple(_unpack(domain, basis, bytes(data[start : start + size])) for start in range(0, len(data), size))


def _unpack(domain: type[P], basis: Basis, data: bytes) -> P:
    try:
        residues = basis.backend.unpack(basis.handle, data)
    except ValueError as error:
        raise FormatError(f"these bytes are no residues of this parameter set: {error}") from error
    if issubclass(domain, EvalPoly):
        return domain.from_natural(basis, residues)  # type: ignore[return-value]
    return domain(basis, residues)
