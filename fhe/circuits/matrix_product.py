"""Products of two encrypted matrices, each in the slots of one ciphertext: two levels (CKKS), one relinearisation.

    C[i, j] = sum_k A[i, i + j + k] B[i + j + k, j],    indices of the inner axis modulo l.

For a fixed k both factors are whole matrices: A with row i moved by i + k columns, B with column j moved by j + k rows.
Of all k together they take the same rotations of A and B, one for each r < l, and pick from them rows i = r - k and
columns j = r - k modulo l: with 2 l plaintexts in all, whatever k. (The sum is that of Jiang, Kim, Lauter, Song, CCS
2018, ePrint 2018/1041; there the alignment takes two levels and two passes of rotations.)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fhe.circuits.evaluator import Evaluator
from fhe.circuits.rotations import Rotations, doubled
from fhe.errors import EncodingError
from fhe.rlwe.ciphertext import Ciphertext, Factors
from fhe.rlwe.extended import weighted_sum
from fhe.rlwe.routes import Routes


@dataclass(frozen=True)
class Side:
    """One factor: the step between its rotations, how it is spread before, and what picks from the rotations."""

    step: int
    spreads: tuple[int, ...]
    picked: NDArray[np.int64]


class MatrixProduct:
    """The product of encrypted matrices (m, l) and (l, n), for as many pairs as there are.

    Entry (i, j) of each of the three lies in slot ``i * pitch + j``, all other slots are zero: `slots_of` and
    `matrix_of` put and take them. Raises EncodingError where the matrices do not fit a row of slots.

    >>> import fhe
    >>> owner = fhe.ckks(depth=2, ring_degree=128, insecure="a small ring for this example", backend="reference")
    >>> product = MatrixProduct(owner.evaluator, 2, 3, 2)
    >>> A, B = np.array([[1.0, 2.0, 0.0], [0.0, 1.0, 1.0]]), np.array([[1.0, 0.0], [0.0, 1.0], [2.0, 2.0]])
    >>> x, y = (owner.encrypt(product.slots_of(matrix), bound=2).shards[0] for matrix in (A, B))
    >>> slots = owner.evaluator.decode(owner._secret.decrypt(product(x, y)), product(x, y))
    >>> product.matrix_of(slots.real).round(3).tolist(), product.pitch, product.rotations
    ([[1.0, 2.0], [2.0, 3.0]], 8, [1, 2, 8, 16, 40, 61])
    """

    def __init__(self, evaluator: Evaluator, m: int, inner: int, n: int, pitch: int = 0) -> None:
        self.evaluator, self.shape = evaluator, (m, inner, n)
        columns, rows = (_spread_length(inner, inner + other - 1) for other in (n, m))
        self.pitch = pitch or 1 << (max(columns, n) - 1).bit_length()
        rows = max(inner if inner * self.pitch == evaluator.row else rows, m)
        if self.pitch < max(columns, n) or rows * self.pitch > evaluator.row:
            raise EncodingError(
                f"a product of matrices ({m}, {inner}) and ({inner}, {n}) takes {rows} rows of {max(columns, n)} "
                f"slots, and a row of {evaluator.row} has {evaluator.row // self.pitch} of {self.pitch}; split the "
                "matrices into blocks, or use a larger ring_degree"
            )
        self._routes = Routes.of(evaluator.keys, evaluator.row)
        self._encoded: dict[tuple[int, int], Factors] = {}

    @cached_property
    def sides(self) -> tuple[Side, Side]:
        """The left and the right factor."""
        m, l, n = self.shape
        i, j = (axis.ravel() for axis in np.indices((m, n)))
        picked = np.zeros((2, l, self.evaluator.row), dtype=np.int64)
        picked[0, i % l, i * self.pitch + j] = 1
        picked[1, j % l, i * self.pitch + j] = 1
        around = l * self.pitch == self.evaluator.row  # the rows of the right matrix follow each other cyclically
        left = Side(1, _spreads(l, l + n - 1, 1), picked[0])
        return left, Side(self.pitch, () if around else _spreads(l, l + m - 1, self.pitch), picked[1])

    @cached_property
    def rotations(self) -> list[int]:
        """The rotation steps that have to have keys, or to be sums of steps that have."""
        row = self.evaluator.row
        turns = {r * side.step for side in self.sides for r in range(1, self.shape[1])}
        return sorted({step % row for step in turns | {step for side in self.sides for step in side.spreads}})

    def slots_of(self, matrix: NDArray[Any]) -> NDArray[Any]:
        """A plain matrix in its slots."""
        rows = np.zeros((self.evaluator.row // self.pitch, self.pitch), dtype=matrix.dtype)
        rows[: matrix.shape[0], : matrix.shape[1]] = matrix
        return rows.ravel()

    def matrix_of(self, slots: NDArray[Any]) -> NDArray[Any]:
        """The plain product, (m, n), from its slots."""
        m, _, n = self.shape
        return slots[: m * self.pitch].reshape(m, self.pitch)[:, :n]

    def __call__(self, x: Ciphertext, y: Ciphertext) -> Ciphertext:
        """The encrypted product."""
        self._routes.require(self.rotations)
        factors = [self._turned(side, z) for side, z in enumerate((x, y))]
        multiply, add = self.evaluator.multiply, self.evaluator.add
        return reduce(add, map(multiply, *factors))

    def _turned(self, index: int, x: Ciphertext) -> list[Ciphertext]:
        """For each k the sum over r of what is picked, for r - k modulo l, of x rotated r times."""
        evaluator, side, inner = self.evaluator, self.sides[index], self.shape[1]
        x = evaluator.settle(x)
        factors = self._encode(index, x.level)
        ones = np.ones(1, dtype=object)
        result = evaluator.forecast(x, self._noise(side, x, factors), (ones, 0 * ones), factors.scale)
        spread = doubled(evaluator, self._routes, x, side.spreads) if side.spreads else x
        rotations = Rotations(evaluator, self._routes, spread)
        terms = [rotations[r * side.step] for r in range(inner)]
        turned = []
        for k in range(inner):
            total = weighted_sum(terms, [factors.polys[(r - k) % inner] for r in range(inner)])
            turned.append(result.with_polys(total.lowered(result.level)))
        return turned

    def _noise(self, side: Side, x: Ciphertext, factors: Factors) -> Any:
        ledger, noise = self.evaluator, self.evaluator.noise_of(x)
        for step in side.spreads:
            noise = ledger.summed_noise(noise, ledger.switched_noise(noise, x.level, self._length(step)))
        longest = max(self._length(r * side.step) for r in range(self.shape[1]))
        return ledger.weighted_noise(x, ledger.switched_noise(noise, x.level, longest), factors)

    def _length(self, step: int) -> int:
        return len(self._routes.way(step))

    def _encode(self, index: int, level: int) -> Factors:
        key = index, level
        if key not in self._encoded:
            self._encoded[key] = self.evaluator.encode_factors(self.sides[index].picked, level, (1.0, 1.0))
        return self._encoded[key]


def _spreads(period: int, span: int, step: int) -> tuple[int, ...]:
    """Steps by which ``period`` entries, ``step`` slots apart, are repeated until there are at least ``span``."""
    doublings = (-(-span // period) - 1).bit_length()
    return tuple(-(period * step << doubling) for doubling in range(doublings))


def _spread_length(period: int, span: int) -> int:
    """How many entries there are then.

    >>> [_spread_length(4, span) for span in (4, 5, 9)]
    [4, 8, 16]
    """
    return period << len(_spreads(period, span, 1))
