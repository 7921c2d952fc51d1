"""The reference's buffers: rows of Python integers, and a shape."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class RowBuffer:
    """Residues of shape ``leading + (L, N)``, as ``prod(leading) * L`` rows of N in that order."""

    shape: tuple[int, ...]
    rows: list[array[int]]

    def __post_init__(self) -> None:
        assert len(self.rows) == math.prod(self.shape[:-1])
        assert all(len(row) == self.shape[-1] for row in self.rows)

    @property
    def leading(self) -> tuple[int, ...]:
        """The axes before (limb, coefficient)."""
        return self.shape[:-2]

    def polynomials(self, leading: tuple[int, ...]) -> list[list[array[int]]]:
        """One list of L rows for each polynomial of the leading axes; a buffer that lacks the first is repeated."""
        L = self.shape[-2]
        polynomials = [self.rows[i * L : (i + 1) * L] for i in range(math.prod(self.leading))]
        if self.leading == leading:
            return polynomials
        missing = len(leading) - len(self.leading)
        assert leading[missing:] == self.leading, f"{self.leading} does not repeat to {leading}"
        return polynomials * math.prod(leading[:missing])

    def select(self, limbs: Iterable[int]) -> RowBuffer:
        """Some of the limbs, in the same memory."""
        chosen = list(limbs)
        rows = (polynomial[i] for polynomial in self.polynomials(self.leading) for i in chosen)
        return RowBuffer.of(self.leading, len(chosen), self.shape[-1], rows)

    def copy(self) -> RowBuffer:
        """The same residues in rows of their own."""
        return RowBuffer(self.shape, [row[:] for row in self.rows])

    @classmethod
    def of(cls, leading: tuple[int, ...], limbs: int, ring_degree: int, rows: Iterable[array[int]]) -> RowBuffer:
        """The buffer ``leading + (limbs, ring_degree)`` with these rows."""
        return cls((*leading, limbs, ring_degree), list(rows))

    @classmethod
    def from_array(cls, residues: NDArray[np.uint64]) -> RowBuffer:
        """A copy of an array ``(..., L, N)``."""
        flat = residues.reshape(math.prod(residues.shape[:-1]), residues.shape[-1])
        return cls(residues.shape, [array("Q", row.tolist()) for row in flat])

    def to_array(self) -> NDArray[np.uint64]:
        """A read-only copy as an array ``(..., L, N)``."""
        residues = np.array(self.rows, dtype=np.uint64).reshape(self.shape)
        residues.setflags(write=False)
        return residues


def common_leading(*buffers: RowBuffer) -> tuple[int, ...]:
    """The leading axes of the buffer that has most."""
    return max((buffer.leading for buffer in buffers), key=len)


def join(*buffers: RowBuffer) -> RowBuffer:
    """A copy of the limbs of each buffer, one after another; all of them have the same leading axes."""
    leading = buffers[0].leading
    assert all(buffer.leading == leading for buffer in buffers)
    polynomials = zip(*(buffer.copy().polynomials(leading) for buffer in buffers), strict=True)
    rows = (row for parts in polynomials for part in parts for row in part)
    return RowBuffer.of(leading, sum(buffer.shape[-2] for buffer in buffers), buffers[0].shape[-1], rows)


@dataclass(frozen=True)
class RowKey:
    """A switching key: the rows as they came."""

    b: tuple[RowBuffer, ...]
    a: tuple[RowBuffer, ...]

    @property
    def nbytes(self) -> int:
        return sum(8 * math.prod(row.shape) for row in (*self.b, *self.a))
