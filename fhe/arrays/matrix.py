"""Plain matrices, encoded once and multiplied with many encrypted vectors."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fhe.circuits.diagonals import boxed
from fhe.circuits.evaluator import Evaluator
from fhe.circuits.matrix import LinearMap, Prepared
from fhe.errors import EncodingError
from fhe.parameters import CKKSParameters
from fhe.rlwe.encodings import remembered
from fhe.rlwe.routes import Routes


class EncodedMatrix:
    """A plain matrix W for products ``W @ x`` and ``x @ W`` with encrypted vectors: one level each (CKKS).

    Made by `Context.encode_matrix`. It is encoded for each level at which it meets a vector, and kept; where it stands
    left and right, and for vectors whose padding is not zero, each once more. ``rotations`` are the steps of the keys
    that ``W @ x`` needs; keys for steps that add up to them serve as well, if more slowly.

    >>> import fhe
    >>> owner = fhe.ckks(depth=1, ring_degree=64, insecure="a small ring for this example", backend="reference")
    >>> W = owner.encode_matrix([[1.0, 2.0, 3.0], [0.0, 1.0, 0.0]])
    >>> owner.decrypt(W @ owner.encrypt([1.0, 1.0, 2.0], bound=2)).round(3).tolist(), W.rotations
    ([9.0, 1.0], [1, 2])
    """

    __array_ufunc__ = None  # products are the encrypted array's to answer

    def __init__(self, evaluator: Evaluator, matrix: NDArray[Any]) -> None:
        if matrix.ndim != 2:
            raise EncodingError(f"a matrix has two axes, got shape {matrix.shape}")
        if matrix.dtype.kind in "biu" and isinstance(evaluator.chain.parameters, CKKSParameters):
            matrix = matrix.astype(np.float64)  # whole numbers are reals, whatever their size
        largest = float(np.max(np.abs(matrix), initial=0.0)) if matrix.dtype.kind in "fc" else None
        finite = largest is not None and np.isfinite(largest)
        self.evaluator = evaluator
        self._matrix, _ = evaluator.admit(matrix, max(largest, 2.0**-20) if largest is not None and finite else None)
        self._maps: dict[Hashable, LinearMap] = {}

    @property
    def shape(self) -> tuple[int, int]:
        m, n = self._matrix.shape
        return m, n

    @property
    def values(self) -> NDArray[Any]:
        """The plain matrix."""
        return self._matrix

    @property
    def ndim(self) -> int:
        return 2

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._matrix.dtype

    @cached_property
    def T(self) -> EncodedMatrix:
        """The transpose."""
        transposed = EncodedMatrix(self.evaluator, self._matrix.T)
        transposed.__dict__["T"] = self
        return transposed

    @property
    def rotations(self) -> list[int]:
        """The rotation steps of ``W @ x`` for a fresh vector x."""
        return self._fresh().rotations

    def encode(self, level: int) -> None:
        """Encode now what ``W @ x`` needs for a fresh vector x of this level."""
        self._fresh().encode(level)

    def map(self, zero_padded: bool, period: int = 0) -> LinearMap:
        """W for vectors in the first slots of one ciphertext: are the others zero, or with which period do they repeat?

        A period is a power of two, not below the length of the vector.
        """
        make = partial(LinearMap.of_matrix, self.evaluator, self._matrix, zero_padded, period)
        return self._map((zero_padded, period), make)

    def boxes(self, period: int, stride: int) -> LinearMap:
        """W for vectors in all boxes of so many slots, their entries so far apart: `diagonals.boxed`."""

        def make() -> LinearMap:
            return LinearMap(self.evaluator, [boxed(self.values, self.evaluator.row, period, stride)])

        return self._map((period, stride, "boxes"), make)

    def _map(self, key: Hashable, make: Callable[[], LinearMap]) -> LinearMap:
        if key not in self._maps:
            self._maps[key] = make()
        return self._maps[key]

    def _fresh(self) -> LinearMap:
        return self.map(zero_padded=True, period=1 << (self.shape[1] - 1).bit_length())

    def __repr__(self) -> str:
        return f"EncodedMatrix(shape={self.shape}, dtype={self.dtype})"


class PlainMatrix(EncodedMatrix):
    """A plain matrix that meets vectors of a level, as it was encoded before if one like it was."""

    def __init__(self, evaluator: Evaluator, matrix: NDArray[Any], level: int) -> None:
        super().__init__(evaluator, matrix)
        self.level = level

    def _map(self, key: Hashable, make: Callable[[], LinearMap]) -> LinearMap:
        def prepared() -> Prepared:
            found = make()
            if found.diagonals.steps:
                found.encode(self.level)
            return found.prepared

        held = Routes.of(self.evaluator.keys, self.evaluator.row).held  # by which maps are scheduled
        what = "matrix", held, key, self.level
        return LinearMap.of(self.evaluator, remembered(self.evaluator.chain, what, self.values, prepared))
