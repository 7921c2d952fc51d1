"""Linear maps of slots by their diagonals: plain numerics, no ciphertext.

A map of a row of R slots is y[i] = sum_k u_k[i] x[i + k], indices modulo R: a product with a plain vector for each
step k that is there. Matrices that act on the first n slots and answer in the first m have several such forms.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Entries = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[Any]]


@dataclass(frozen=True)
class Diagonals:
    """y = fold(sum_k u_k * rot(spread(x), k)).

    entries
        k, i, u_k[i] of all that are not zero, k in [-R/2, R/2).
    spreads
        Steps by which x is added to itself before, so that it repeats; then the slots after x must be zero.
    folds
        Steps by which the sum is added to itself afterwards.
    period
        With which all u_k repeat through the row, a power of two; ``entries`` has the first only. 0: they do not.
    """

    row: int
    entries: Entries
    spreads: tuple[int, ...] = ()
    folds: tuple[int, ...] = ()
    period: int = 0

    @property
    def width(self) -> int:
        """The slots that say it all: the period, or the row."""
        return self.period or self.row

    @cached_property
    def steps(self) -> tuple[int, ...]:
        """The k that occur, ascending."""
        present = np.zeros(self.row, dtype=bool)
        present[self.entries[0] + self.row // 2] = True
        return tuple((np.flatnonzero(present) - self.row // 2).tolist())

    @cached_property
    def sums(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """What bounds the values of slot i, folds included: the sums over k of positive and of negative u_k[i].

        Of complex numbers the magnitudes count as positive.
        """
        _, slots, values = self.entries
        if values.dtype.kind == "c":
            values = np.abs(values)
        kind = values.dtype if values.dtype.kind == "f" else object  # integers exactly
        sums = []
        for part in (np.maximum(values, 0), np.minimum(values, 0)):
            if kind is object:
                sums.append(np.zeros(self.width, dtype=object))
                np.add.at(sums[-1], slots, part)
            else:
                sums.append(np.bincount(slots, part, minlength=self.width))
        return _folded(sums[0], self.folds), _folded(sums[1], self.folds)

    @cached_property
    def gain(self) -> float:
        """By how much the largest value grows at most: max_i of sum_k |u_k[i]|, folds included."""
        positive, negative = self.sums
        return float((positive - negative).max())

    @cached_property
    def energy(self) -> float:
        """By how much independent errors grow, in root mean square: max_i of sqrt(sum_k |u_k[i]|^2), folds included."""
        _, slots, values = self.entries
        squares = np.bincount(slots, np.abs(values).astype(np.float64) ** 2, minlength=self.width)
        return float(np.sqrt(_folded(squares, self.folds).max()))

    def vectors(self, shifts: Sequence[int]) -> NDArray[Any]:
        """u_k rolled by its shift, one for each of the steps, a period of it: ``(len(steps), width)``."""
        steps, slots, values = self.entries
        place = np.zeros(self.row, dtype=np.int64)
        place[np.array(self.steps, dtype=np.int64) + self.row // 2] = np.arange(len(self.steps))
        index = place[steps + self.row // 2]
        out = np.zeros((len(self.steps), self.width), dtype=values.dtype)
        out[index, (slots + np.asarray(shifts, dtype=np.int64)[index]) % self.width] = values
        return out

    def __call__(self, x: NDArray[Any]) -> NDArray[Any]:
        """The map of plain slots."""
        for step in self.spreads:
            x = x + np.roll(x, -step)
        vectors = np.tile(self.vectors([0] * len(self.steps)), self.row // self.width)
        y = sum((u * np.roll(x, -k) for k, u in zip(self.steps, vectors, strict=True)), np.zeros_like(x))
        return _folded(y, self.folds)


def forms(matrix: NDArray[Any], row: int, zero_padded: bool = True) -> Iterator[Diagonals]:
    """The ways to multiply by a matrix (m, n) of at most ``row`` rows and columns.

    `unwrapped` always; where the slots after the first n are zero, `wrapped` with every number of folds that fits.

    >>> W = np.arange(1.0, 13.0).reshape(3, 4)
    >>> x = np.array([1.0, 2.0, 3.0, 4.0] + 12 * [0.0])
    >>> all(np.array_equal(form(x)[:3], W @ x[:4]) for form in forms(W, row=16))
    True
    >>> [len(form.steps) for form in forms(W, row=16)]
    [6, 4, 3]
    """
    m, n = matrix.shape
    yield unwrapped(matrix, row)
    for folds in range((n - 1).bit_length() + 1) if zero_padded else ():
        height = max(m, -(-n >> folds))
        found = wrapped(matrix, row, height, folds)
        if found is not None:
            yield found
        if folds and height == m:
            return


def repeating(
    matrix: NDArray[Any],
    row: int,
    period: int,
    sources: NDArray[np.int64] | None = None,
    targets: NDArray[np.int64] | None = None,
) -> Iterator[tuple[Diagonals, int]]:
    """The ways to multiply by a matrix where x repeats through the row with a period, and with which period y does.

    Periods are powers of two, so that y is fit for the next matrix. ``sources`` and ``targets`` say in which slots of a
    period the entries of x and of y lie, by default in the first. What else x holds does not matter; what else y holds
    is zero.

    >>> W = np.arange(1.0, 9.0).reshape(2, 4)
    >>> x = np.tile([1.0, 2.0, 3.0, 4.0], 4)
    >>> [(len(form.steps), period, form(x)[:2 * period].tolist()) for form, period in repeating(W, 16, 4)]
    [(4, 4, [30.0, 70.0, 0.0, 0.0, 30.0, 70.0, 0.0, 0.0]), (2, 2, [30.0, 70.0, 30.0, 70.0])]
    >>> (apart, period), = repeating(W, 16, 4, targets=np.array([1, 4]))
    >>> apart(x).tolist()[:period]
    [0.0, 30.0, 0.0, 0.0, 70.0, 0.0, 0.0, 0.0]
    """
    i, j = matrix.nonzero()
    values, last = matrix[i, j], len(matrix) - 1
    i, j = i if targets is None else targets[i], j if sources is None else sources[j]
    lowest = 1 << (last if targets is None else int(targets.max())).bit_length()
    for folds in range(max(period // lowest, 1).bit_length()):
        height = max(period, lowest) >> folds
        k = (j - i) % min(height, period)
        places = (j - k) % (height << folds) if folds else i
        sums = tuple(height << fold for fold in reversed(range(folds)))
        yield Diagonals(row, (_cyclic(k, row), places, values), (), sums, height << folds), height


def boxed(matrix: NDArray[Any], row: int, period: int, stride: int) -> Diagonals:
    """The matrix in every box of ``period`` slots, for vectors whose entries are ``stride`` slots apart.

    A box holds ``stride`` vectors side by side; what they hold after their n entries does not matter, and after its m
    entries a result is zero.

    >>> form = boxed(np.array([[1.0, 1.0, 1.0], [0.0, 1.0, -1.0]]), row=16, period=8, stride=2)
    >>> form(np.arange(16.0)).tolist()
    [6.0, 9.0, -2.0, -2.0, 0.0, 0.0, 0.0, 0.0, 30.0, 33.0, -2.0, -2.0, 0.0, 0.0, 0.0, 0.0]
    """
    i, j = matrix.nonzero()
    places = i * stride + np.arange(stride)[:, None]
    steps, values = np.tile(_cyclic((j - i) * stride, row), stride), np.tile(matrix[i, j], stride)
    return Diagonals(row, (steps, places.ravel(), values), period=period)


def unwrapped(matrix: NDArray[Any], row: int) -> Diagonals:
    """u_k[i] = W[i, i + k] for -m < k < n: whatever lies in the other slots.

    >>> unwrapped(np.eye(3), row=8).steps, unwrapped(np.ones((2, 3)), row=8).steps
    ((0,), (-1, 0, 1, 2))
    """
    i, j = matrix.nonzero()
    return Diagonals(row, (_cyclic(j - i, row), i, matrix[i, j]))


def wrapped(matrix: NDArray[Any], row: int, height: int, folds: int) -> Diagonals | None:
    """u_k[i] = W[i mod h, (i + k) mod p] for k < h and i < p = 2^folds h, and the p / h parts of the result added.

    Without folds p = n, k < n, and i < m. None where x, repeated as often as this takes, does not fit the row. (Halevi,
    Shoup, CRYPTO 2014; Juvekar, Vaikuntanathan, Chandrakasan, USENIX Security 2018, for h < p.)

    >>> wrapped(np.ones((3, 4)), row=16, height=3, folds=0).steps
    (0, 1, 2, 3)
    """
    m, n = matrix.shape
    period, count, support = (height << folds, height, height << folds) if folds else (n, n, m)
    copies = 1 if period == row else -(-(support + count - 1) // period)
    doublings = (copies - 1).bit_length()
    if period << doublings > row:
        return None
    i, j = matrix.nonzero()
    k = (j - i) % count
    spreads = tuple(-(period << doubling) for doubling in range(doublings))
    places = (j - k) % period if folds else i
    sums = tuple(height << fold for fold in reversed(range(folds)))
    return Diagonals(row, (_cyclic(k, row), places, matrix[i, j]), spreads, sums)


def _cyclic(steps: NDArray[np.int64], row: int) -> NDArray[np.int64]:
    """The representatives in [-row / 2, row / 2)."""
    return (steps + row // 2) % row - row // 2


def _folded(y: NDArray[Any], folds: Sequence[int]) -> NDArray[Any]:
    for step in folds:
        y = y + np.roll(y, -step)
    return y
