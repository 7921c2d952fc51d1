"""Networks as matrices and polynomials in turn: whatever is affine between two activations is one matrix.

    y = A_n(p_(n-1)( … p_1(A_1(x)))),    A_k(x) = W_k x + b_k,    p_k a polynomial on [-1, 1].

What enters an activation is divided by its reach, in A_k; what a polynomial of degree 2 is more than a square goes into
the matrices around it: c_2 u^2 + c_1 u + c_0 = c_2 (u + h)^2 + c_0 - c_2 h^2 with h = c_1 / 2 c_2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.polynomial import Chebyshev, Polynomial

from fhe.circuits.extremes import largest
from fhe.circuits.polynomial import depth_of_polynomial
from fhe.ml.layers import Array, Layer, Shape

Series = Polynomial | Chebyshev

SQUARE = Polynomial([0.0, 0.0, 1.0])
AT_ONCE = 128  # samples that pass through layers together, to find their matrix


@dataclass(frozen=True, eq=False)
class Affine:
    """W x + b of flattened samples. ``shape`` is that of a result, ``pitch`` how far its places are apart on x."""

    matrix: Array
    offset: Array
    shape: Shape
    pitch: tuple[int, int] = (1, 1)

    @classmethod
    def of(cls, layers: Sequence[Layer], given: Shape) -> Affine:
        """What affine layers do one after another, found from what they do to the unit vectors."""
        size, offset, pitch = int(np.prod(given)), np.zeros((1, *given)), np.ones(2, dtype=np.int64)
        for layer in layers:
            offset, pitch = layer(offset), pitch * layer.pitch
        columns = []
        for first in range(0, size, AT_ONCE):
            units = np.eye(min(AT_ONCE, size - first), size, first).reshape(-1, *given)
            for layer in layers:
                units = layer.linear(units)
            columns.append(units.reshape(len(units), -1))
        down, right = pitch.tolist()
        return cls(np.concatenate(columns).T, offset.ravel(), offset.shape[1:], (down, right))

    @cached_property
    def gain(self) -> float:
        """By how much the largest |entry| grows at most, but for the offset."""
        return float(np.abs(self.matrix).sum(axis=1).max())

    def bound(self, bound: float) -> float:
        """What no |entry| of the result exceeds when none of x exceeds a bound."""
        return float((np.abs(self.matrix).sum(axis=1) * bound + np.abs(self.offset)).max())

    def after(self, factor: float, shift: float) -> Affine:
        """The map of factor x + shift."""
        offset = self.offset + self.matrix.sum(axis=1) * shift
        return replace(self, matrix=self.matrix * factor, offset=offset)

    def before(self, factor: float, shift: float) -> Affine:
        """factor (W x + b) + shift."""
        return replace(self, matrix=self.matrix * factor, offset=self.offset * factor + shift)


@dataclass(frozen=True, eq=False)
class Folded:
    """A network of samples of a shape: maps, and a polynomial between each two.

    ``apart`` says that squares take levels of their own, even where all polynomials are squares.
    """

    shape: Shape
    maps: tuple[Affine, ...]
    polynomials: tuple[Series, ...]
    apart: bool = False

    @classmethod
    def of(cls, shape: Shape, layers: Sequence[Sequence[Layer]], polynomials: Sequence[Series]) -> Folded:
        """Of affine layers, and what stands between them: polynomials of what leaves them, on their own domains."""
        maps: list[Affine] = []
        for between in layers:
            maps.append(Affine.of(between, maps[-1].shape if maps else shape))
        found: list[Series] = []
        for index, p in enumerate(polynomials):
            slope, shift, inner = _normal(p)
            maps[index] = maps[index].before(*slope)
            maps[index + 1] = maps[index + 1].after(*shift)
            found.append(inner)
        return cls(shape, tuple(maps), tuple(found))

    @property
    def squares(self) -> bool:
        """Is every polynomial a square, with the matrix after it on one level?"""
        return not self.apart and all(p is SQUARE for p in self.polynomials)

    @property
    def depth(self) -> int:
        """Levels: one for each matrix, and those of polynomials; where all are squares they need none of their own."""
        return len(self.maps) + sum(self.levels_between())

    def levels_between(self) -> list[int]:
        """The levels that each polynomial takes."""
        if self.squares:
            return [0] * len(self.polynomials)
        return [1 if p is SQUARE else depth_of_polynomial(p.degree()) for p in self.polynomials]

    def bounds(self, bound: float, assume: bool = False) -> list[float]:
        """What no |value| exceeds after each map, for samples up to a bound.

        What enters a polynomial other than a square is taken to be at most 1, and with ``assume`` what enters any.
        """
        found = []
        for index, affine in enumerate(self.maps):
            found.append(affine.bound(bound))
            if index < len(self.polynomials):
                p = self.polynomials[index]
                most = found[-1] if p is SQUARE and not assume else min(found[-1], 1.0)
                bound = most**2 if p is SQUARE else largest(p, -1.0, 1.0)
        return found

    def __call__(self, x: Array) -> Array:
        """The network on plain samples, flattened or not."""
        x = x.reshape(len(x), -1)
        for index, affine in enumerate(self.maps):
            x = x @ affine.matrix.T + affine.offset
            if index < len(self.polynomials):
                x = self.polynomials[index](x)
        return x


def _normal(p: Series) -> tuple[tuple[float, float], tuple[float, float], Series]:
    """(a, b), (c, d) and q with p(x) = c q(a x + b) + d: q a square, or a series on [-1, 1]."""
    offset, slope = map(float, p.mapparms())
    if p.degree() != 2:
        return (slope, offset), (1.0, 0.0), type(p)(p.coef)
    c0, c1, c2 = map(float, type(p)(p.coef).convert(kind=Polynomial).coef)
    h = c1 / (2 * c2)
    reach = 1 + abs(h)
    return (slope / reach, (offset + h) / reach), (c2 * reach**2, c0 - c2 * h**2), SQUARE
