"""Trees whose thresholds and leaves are encrypted, for whoever shall answer without seeing them.

Which feature a node asks about, and where its children are, stays public; what it compares with, and what leaves hold,
does not. Every question is then a comparison of two encrypted integers, or of a plain and an encrypted one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fhe.arrays import comparison
from fhe.arrays.bits import EncryptedBits
from fhe.arrays.exact import claiming
from fhe.circuits.bits import depth_of_bits
from fhe.circuits.decisions import LEAF, Decision, depth_of_decision
from fhe.errors import EncodingError, LevelError
from fhe.interval import Interval
from fhe.ml.forest import Forest, Tree


@dataclass(frozen=True, eq=False)
class HiddenTree:
    """A tree's features and children, and by node its encrypted threshold, or what its leaf adds to each output."""

    feature: Sequence[int]
    left: Sequence[int]
    right: Sequence[int]
    thresholds: dict[int, EncryptedBits]
    values: dict[int, list[Any]]
    outputs: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class HiddenForest:
    """base + the sum of trees, all encrypted, for plain rows of integers and for rows encrypted by as many bits."""

    trees: tuple[HiddenTree, ...]
    base: tuple[Any, ...]
    places: int
    bits: int
    interval: Interval

    @classmethod
    def of(cls, forest: Forest, context: Any, bits: int, bound: float) -> HiddenForest:
        """The forest, encrypted for features of so many bits, whose |outputs| are publicly bounded.

        Raises EncodingError for an output that could be larger than the bound.
        """
        reach = round(bound * 10**forest.places)
        if any(interval.magnitude > reach for interval in forest.intervals):
            raise EncodingError(f"answers of this model may be beyond the public bound={bound:g}; give a larger one")
        most = max([*map(abs, forest.base), *(abs(int(v)) for tree in forest.trees for v in tree.value.ravel())])
        encrypt = lambda value: context.encrypt(int(value), bound=max(reach, most), decimals=0)  # noqa: E731
        trees = tuple(_hidden(tree, context, bits, encrypt) for tree in forest.trees)
        return cls(trees, tuple(map(encrypt, forest.base)), forest.places, bits, Interval.symmetric(reach))

    @property
    def evaluator(self) -> Any:
        """Of the context that it is encrypted for."""
        return self.base[0].evaluator

    @property
    def depth(self) -> int:
        """Products in a row."""
        heights = (Decision(t.left, t.right, lambda _: 0, lambda _: []).height for t in self.trees)
        return depth_of_hidden(max(heights, default=0), self.bits)

    def answers(self, X: Any, features: int, name: str) -> list[Any]:
        """The outputs for rows that are fit for it, or what is wrong with them."""
        X = X if isinstance(X, EncryptedBits) else np.asarray(X)
        self.require(X, features, name)
        return self(X)

    def __call__(self, X: Any) -> list[Any]:
        """The outputs, an encrypted vector each."""
        columns: dict[int, Any] = {}
        totals = list(self.base)
        for tree in self.trees:
            for output, value in zip(tree.outputs, self._decided(tree, X, columns), strict=True):
                totals[output] = value + claiming(totals[output], None)
        return [claiming(_spread(total.settled(), len(X)), self.interval) for total in totals]

    def _decided(self, tree: HiddenTree, X: Any, columns: dict[int, Any]) -> list[Any]:
        answers = {}
        for node, threshold in tree.thresholds.items():
            feature = int(tree.feature[node])
            if feature not in columns:
                columns[feature] = _column(X, feature)
            answers[node] = _residues(comparison.greater(columns[feature], threshold))
        return Decision(tree.left, tree.right, answers.__getitem__, tree.values.__getitem__, _residues).values()

    def require(self, X: Any, features: int, name: str) -> None:
        """Raise before any work what rows, plain or encrypted, lack."""
        if len(X.shape) != 2 or X.shape[1] != features:
            raise EncodingError(f"expected rows of {features} features, {name} is given shape {X.shape}")
        left = self.base[0].products_left
        if isinstance(X, EncryptedBits):
            if X.interval != Interval(0, (1 << self.bits) - 1):
                raise EncodingError(f"this {name} is encrypted for rows of {self.bits} bits and no sign, not {X!r}")
            left = min(left, X.bits[0].products_left)
        elif not isinstance(X, np.ndarray) or not np.array_equal(X, np.rint(X)):
            raise EncodingError(f"an encrypted {name} answers rows of integers, plain or by encrypt_bits; round them")
        elif X.min() < 0 or int(X.max()) >> self.bits:
            raise EncodingError(f"this {name} is encrypted for integers from 0 to {(1 << self.bits) - 1}")
        needed = self.depth
        if needed > left:
            raise LevelError(
                f"this encrypted {name} needs {needed} products in a row, {left} are left; use "
                f"fhe.bfv(depth={needed}) or more"
            )


def depth_of_hidden(height: int, bits: int) -> int:
    """Products in a row: a comparison of encrypted bits, and a decision among encrypted leaves.

    >>> depth_of_hidden(1, bits=4), depth_of_hidden(8, bits=16)
    (4, 9)
    """
    return depth_of_bits(bits) + depth_of_decision(height, hidden=True)


def _hidden(tree: Tree, context: Any, bits: int, encrypt: Any) -> HiddenTree:
    high = (1 << bits) - 1
    inner = np.flatnonzero(~tree.leaves)
    if any(not 0 <= tree.threshold[node] < high for node in inner):
        raise EncodingError(f"thresholds from 0 to {high - 1} fit {bits} bits, this model has others; use more bits")
    thresholds = {int(node): context.encrypt_bits(int(tree.threshold[node]), bits=bits) for node in inner}
    values = {
        int(leaf): [claiming(encrypt(value), None) for value in tree.value[leaf]]
        for leaf in np.flatnonzero(tree.left == LEAF)
    }
    return HiddenTree(tree.feature.tolist(), tree.left.tolist(), tree.right.tolist(), thresholds, values, tree.outputs)


def _column(X: Any, feature: int) -> Any:
    if isinstance(X, EncryptedBits):
        return EncryptedBits([bit[:, feature] for bit in X.bits], X.signed)
    return X[:, feature].astype(np.int64)


def _spread(x: Any, count: int) -> Any:
    return x if x.shape else np.broadcast_to(x, (count,))


def _residues(x: Any) -> Any:
    return claiming(x.settled(), None)
