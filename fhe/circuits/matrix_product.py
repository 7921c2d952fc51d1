"""Products of two encrypted matrices, each in the slots of one ciphertext: two levels (CKKS), one relinearisation.

    C[i, j] = sum_k A[i, j + k] B[j + k, j],    indices of the inner axis modulo l.

For a fixed k both factors are whole matrices: A with its columns moved by k, which takes two rotations and a mask for
each; and B with column j moved by j + k rows, for all rows i the same. All k together take the same rotations of B, by
r < l rows, and pick from the r-th the places where j - i = r - k modulo l: l masks, whatever k. So 3 l rotations, of
two decompositions, and 3 l plaintexts make the factors, in one level. (The sum is that of Jiang, Kim, Lauter, Song, CCS
2018, ePrint 2018/1041; there the alignment takes two levels, and rotations of rotated ciphertexts.)
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fhe.circuits.evaluator import Evaluator
from fhe.circuits.rotations import Rotations
from fhe.errors import EncodingError
from fhe.rlwe.ciphertext import Ciphertext, Factors
from fhe.rlwe.encodings import remembered
from fhe.rlwe.extended import weighted_sums
from fhe.rlwe.routes import Routes

Sum = list[tuple[int, int]]  # steps to rotate by, and which plaintext each is multiplied by


class MatrixProduct:
    """The product of encrypted matrices (m, l) and (l, n), for as many pairs as there are.

    All three lie alike: entry (i, j) in slot ``i * pitch + j``, zeros elsewhere, and all of that repeated through the
    row with ``period``; `slots_of` and `matrix_of` put and take them. Raises EncodingError where matrices do not fit a
    row of slots.

    >>> import fhe
    >>> owner = fhe.ckks(depth=2, ring_degree=64, insecure="a small ring for this example", backend="reference")
    >>> product = MatrixProduct(owner.evaluator, 2, 3, 2)
    >>> A, B = np.array([[1.0, 2.0, 0.0], [0.0, 1.0, 1.0]]), np.array([[1.0, 0.0], [0.0, 1.0], [2.0, 2.0]])
    >>> x, y = (owner.encrypt(product.slots_of(matrix), bound=2).shards[0] for matrix in (A, B))
    >>> slots = owner.evaluator.decode(owner._secret.decrypt(product(x, y)), product(x, y))
    >>> product.matrix_of(slots.real).round(3).tolist(), product.pitch, product.period
    ([[1.0, 2.0], [2.0, 3.0]], 4, 16)
    """

    def __init__(self, evaluator: Evaluator, m: int, inner: int, n: int) -> None:
        self.evaluator, self.shape = evaluator, (m, inner, n)
        self.turns = 1 << (max(m, inner) - 1).bit_length()
        self.pitch = max(self.turns, 1 << (n - 1).bit_length())
        self.period = self.turns * self.pitch
        if self.period > evaluator.row:
            raise EncodingError(
                f"a product of matrices ({m}, {inner}) and ({inner}, {n}) takes {self.turns} rows of {self.pitch} "
                f"slots, and there are {evaluator.row}; split the matrices into blocks, or use a larger ring_degree"
            )
        self._routes = Routes.of(evaluator.keys, evaluator.row)

    @cached_property
    def left(self) -> tuple[NDArray[np.int64], list[Sum]]:
        """Masks, and for each k the rotations of A that they pick columns from."""
        _, _, n = self.shape
        masks: list[NDArray[np.int64]] = []
        sums = []
        for k in range(self.turns):
            columns = np.arange(self.pitch)
            steps = np.where(columns < n, (columns + k) % self.turns - columns, self.pitch)
            present = [int(step) for step in np.unique(steps) if step < self.pitch]
            sums.append([(step, len(masks) + index) for index, step in enumerate(present)])
            masks += [np.tile(steps == step, self.turns).astype(np.int64) for step in present]
        return np.array(masks), sums

    @cached_property
    def right(self) -> tuple[NDArray[np.int64], list[Sum]]:
        """Masks, and for each k the rotations of B that they pick places from."""
        turns, n = self.turns, self.shape[2]
        i, j = (axis.ravel() for axis in np.indices((turns, self.pitch)))
        masks = ((j - i) % turns == np.arange(turns)[:, None]) & (j < n)
        sums = [[(r * self.pitch, (r - k) % turns) for r in range(turns)] for k in range(turns)]
        return masks.astype(np.int64), sums

    @cached_property
    def rotations(self) -> list[int]:
        """The rotation steps that have to have keys, or to be sums of steps that have."""
        return sorted(set(self._steps.values()) - {0})

    @cached_property
    def _steps(self) -> dict[int, int]:
        """For each step, of those that do the same since all repeats with the period, the one by fewest rotations."""
        row, found = self.evaluator.row, {}
        for step in {step for _, sums in (self.left, self.right) for total in sums for step, _ in total}:
            same = [place % row for place in range(step, step + row, self.period)]
            lengths = [(length, place) for place in same if (length := self._routes.length(place)) is not None]
            found[step] = min(lengths, default=(0, step % row))[1]
        return found

    def slots_of(self, matrix: NDArray[Any]) -> NDArray[Any]:
        """A plain matrix in its slots."""
        rows = np.zeros((self.turns, self.pitch), dtype=matrix.dtype)
        rows[: matrix.shape[0], : matrix.shape[1]] = matrix
        return np.tile(rows.ravel(), self.evaluator.row // self.period)

    def matrix_of(self, slots: NDArray[Any]) -> NDArray[Any]:
        """The plain product, (m, n), from its slots."""
        m, _, n = self.shape
        return slots[: self.period].reshape(self.turns, self.pitch)[:m, :n]

    def require_keys(self) -> None:
        """Raise MissingKeyError unless the rotation keys at hand suffice."""
        self._routes.require(self.rotations)

    def __call__(self, x: Ciphertext, y: Ciphertext) -> Ciphertext:
        """The encrypted product."""
        self.require_keys()
        factors = self._turned(0, x), self._turned(1, y)
        multiply, add = self.evaluator.multiply, self.evaluator.add
        return reduce(add, map(multiply, *factors))

    def _turned(self, side: int, x: Ciphertext) -> list[Ciphertext]:
        """For each k the sum of what is picked from x rotated."""
        evaluator, sums, ones = self.evaluator, (self.left, self.right)[side][1], np.ones(1, dtype=object)
        x = evaluator.settle(x)
        factors = self._encode(side, x.level)
        result = evaluator.forecast(x, self._noise(sums, x, factors), (ones, 0 * ones), factors.scale)
        rotations, needed = Rotations(evaluator, self._routes, x), sorted({step for total in sums for step, _ in total})
        number = {step: index for index, step in enumerate(needed)}
        masked = weighted_sums(
            [rotations[self._steps[step]] for step in needed],
            [([number[step] for step, _ in total], [factors.polys[index] for _, index in total]) for total in sums],
        )
        return [result.with_polys(part.lowered(result.level)) for part in masked]

    def _noise(self, sums: Sequence[Sum], x: Ciphertext, factors: Factors) -> Any:
        ledger = self.evaluator
        longest = max(len(self._routes.way(self._steps[step])) for total in sums for step, _ in total)
        return ledger.weighted_noise(x, ledger.switched_noise(ledger.noise_of(x), x.level, longest), factors)

    def _encode(self, side: int, level: int) -> Factors:
        def make() -> Factors:
            masks, _ = (self.left, self.right)[side]
            return self.evaluator.encode_factors(masks, level, (1.0, 1.0))

        return remembered(self.evaluator.chain, ("masks", level, side), self.shape, make)  # which make the masks
