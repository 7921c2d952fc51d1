"""Trees of integers, and sums of them: what every model of trees becomes, for plain rows and encrypted ones.

A tree asks x_j > c of integers and holds integers in its leaves, multiples of a stated unit. A forest is the sum of its
trees. All of that is exact: rounding happens once, when leaves become integers, and is the same for all rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from fhe.arrays.exact import claiming
from fhe.circuits.decisions import LEAF, Decision, depth_of_decision
from fhe.circuits.tables import depth_of_tables
from fhe.circuits.thresholds import depth_of_thresholds
from fhe.errors import EncodingError, LevelError
from fhe.interval import WORD, Interval
from fhe.ml.questions import Questions, Rows

SMALL = 16  # leaves that differ by no more multiply noise by less than a product is allowed


@dataclass(frozen=True, eq=False)
class Tree:
    """Nodes by number, 0 the root: right where ``x[feature] > threshold``, else left; `LEAF` for no child.

    ``value`` are the integers of the leaves, a column for each of the ``outputs`` of the forest that they add to.
    """

    feature: NDArray[np.int64]
    threshold: NDArray[np.int64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    value: NDArray[np.int64]
    outputs: tuple[int, ...] = (0,)

    @classmethod
    def of(cls, tree: Any, value: NDArray[np.int64], outputs: tuple[int, ...] = (0,)) -> Self:
        """A ``tree_`` of scikit-learn with other values; of integers x > c is x > floor(c)."""
        children = tree.children_left.astype(np.int64), tree.children_right.astype(np.int64)
        inner = children[0] != LEAF
        threshold = np.where(inner, np.floor(tree.threshold), 0).astype(np.int64)
        return cls(np.where(inner, tree.feature, LEAF).astype(np.int64), threshold, *children, value, outputs)

    @property
    def leaves(self) -> NDArray[np.bool_]:
        """Which nodes are leaves."""
        return np.asarray(self.left == LEAF)

    @property
    def questions(self) -> list[tuple[int, int]]:
        """(feature, threshold) of each inner node."""
        inner = ~self.leaves
        return list(zip(self.feature[inner].tolist(), self.threshold[inner].tolist(), strict=True))

    @property
    def height(self) -> int:
        """How many questions there are in a row, at most."""
        return Decision(self.left, self.right, lambda _: 0, lambda _: []).height

    def ranges(self) -> list[tuple[int, int]]:
        """The least and the largest integer of the leaves, for each output."""
        found = self.value[self.leaves]
        return list(zip(found.min(axis=0).tolist(), found.max(axis=0).tolist(), strict=True))

    def within(self, interval: Interval, merging: bool = True) -> Tree:
        """The same decisions for features of a public interval, without questions that the interval answers.

        ``merging`` leaves out those that make no difference, too.
        """
        nodes: list[tuple[int, int, int, int, Any]] = []
        low, high = interval.ends

        def copy(node: int, known: dict[int, tuple[int, int]]) -> int:
            if self.left[node] == LEAF:
                nodes.append((LEAF, 0, LEAF, LEAF, self.value[node]))
                return len(nodes) - 1
            feature, c = int(self.feature[node]), int(self.threshold[node])
            least, most = known.get(feature, (low, high))
            if not least <= c < most:
                return copy(int(self.right[node] if c < least else self.left[node]), known)
            place = len(nodes)
            nodes.append((feature, c, LEAF, LEAF, self.value[node]))
            left = copy(int(self.left[node]), {**known, feature: (least, c)})
            right = copy(int(self.right[node]), {**known, feature: (c + 1, most)})
            if (
                merging
                and nodes[left][2] == nodes[right][2] == LEAF
                and np.array_equal(nodes[left][4], nodes[right][4])
            ):
                nodes[place:] = [nodes[left]]
            else:
                nodes[place] = (feature, c, left, right, self.value[node])
            return place

        copy(0, {})
        *parts, value = zip(*nodes, strict=True)
        feature, threshold, left, right = (np.array(part, dtype=np.int64) for part in parts)
        return replace(self, feature=feature, threshold=threshold, left=left, right=right, value=np.array(value))


@dataclass(frozen=True, eq=False)
class Forest:
    """base + the sum of all trees: integers in units of 10^-places, one or several outputs.

    >>> tree = Tree(*map(np.array, ([0, -1, -1], [4, 0, 0], [1, -1, -1], [2, -1, -1], [[0], [150], [275]])))
    >>> forest = Forest((tree,), (1000,), 2)
    >>> forest(np.array([[4], [5]])).tolist(), forest.value_bits, forest.depth(Interval(0, 7))
    ([[1150], [1275]], 11, 5)
    """

    trees: tuple[Tree, ...]
    base: tuple[int, ...]
    places: int

    def __call__(self, X: Any) -> Any:
        """The outputs of integer rows, ``(n, outputs)``: of plain ones an array, of encrypted ones a list of arrays."""
        if not isinstance(X, Rows):
            return self.summed([_reached(tree, X) for tree in self.trees])
        trees = [tree.within(X.interval) for tree in self.trees]
        questions = Questions(X, Counter(question for tree in trees for question in tree.questions))
        return self._claimed(X, self._outputs(trees, lambda tree: _decided(tree, questions)))

    def summed(self, leaves: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
        """The outputs of rows of which it is known which leaf of each tree they come to."""
        found = np.tile(np.array(self.base, dtype=np.int64), (len(leaves[0]), 1))
        for tree, reached in zip(self.trees, leaves, strict=True):
            found[:, list(tree.outputs)] += tree.value[reached]
        return found

    def _outputs(self, trees: Sequence[Tree], decided: Callable[[Tree], list[Any]]) -> list[Any]:
        totals: list[Any] = list(self.base)
        for tree in trees:
            for output, value in zip(tree.outputs, decided(tree), strict=True):
                totals[output] = value + totals[output]
        return totals

    def _claimed(self, X: Any, totals: list[Any]) -> list[Any]:
        zero = X.column(0) * 0
        return [
            claiming((zero + total if isinstance(total, int) else total).settled(), interval)
            for total, interval in zip(totals, self.intervals, strict=True)
        ]

    # --- what it takes ----------------------------------------------------------------------------------------------

    @property
    def intervals(self) -> list[Interval]:
        """What each output can be, zero included: padding is zero."""
        ends = [[base, base] for base in self.base]
        for tree in self.trees:
            for output, (low, high) in zip(tree.outputs, tree.ranges(), strict=True):
                ends[output][0] += low
                ends[output][1] += high
        return [Interval(min(low, 0), max(high, 0)) for low, high in ends]

    @property
    def value_bits(self) -> int:
        """What to ask of `fhe.bfv(value_bits=…)`, so that t tells all outputs apart."""
        return max(interval.value_bits for interval in self.intervals)

    def depth(self, interval: Interval, bits: bool = False) -> int:
        """Products in a row, for features of a public interval, encrypted by bits or each as one integer."""
        trees = [tree.within(interval) for tree in self.trees]
        return max((self._depth_of(tree, interval, bits) for tree in trees), default=0)

    def _depth_of(self, tree: Tree, interval: Interval, bits: bool) -> int:
        height = tree.height
        width = interval.value_bits + (interval.low < 0)
        asked = depth_of_thresholds(width) if bits else depth_of_tables(interval)
        constants = max(high - low for low, high in tree.ranges()) > SMALL
        return asked + depth_of_decision(height) + constants if height else 0

    def require_values(self, modulus: int, name: str) -> None:
        """Raise ValueOverflowError where the outputs are not told apart."""
        for interval in self.intervals:
            interval.fit(modulus, f"{name}, in units of 10^-{self.places},")

    def require(self, X: Any, name: str) -> None:
        """Raise before any work what encrypted rows lack: room for values, or for noise."""
        self.require_values(X.value_modulus, name)
        needed = self.depth(X.interval, X.bitwise)
        if needed > X.products_left:
            raise LevelError(
                f"this {name} needs {needed} products in a row, {X.products_left} are left; use "
                f"fhe.bfv(depth={needed}) or more, or a tree of a smaller max_depth"
            )


def _reached(tree: Tree, X: NDArray[Any]) -> NDArray[np.int64]:
    """The leaf of each plain row."""
    at, rows = np.zeros(len(X), dtype=np.int64), np.arange(len(X))
    while not (done := tree.leaves[at]).all():
        beyond = X[rows, np.maximum(tree.feature[at], 0)] > tree.threshold[at]
        at = np.where(done, at, np.where(beyond, tree.right[at], tree.left[at]))
    return at


def _decided(tree: Tree, questions: Questions) -> list[Any]:
    """The outputs of one tree: residues, or plain where they do not depend on the row."""
    answers = {
        int(node): questions(int(tree.feature[node]), int(tree.threshold[node]))
        for node in np.flatnonzero(~tree.leaves)
    }
    return Decision(
        tree.left, tree.right, answers.__getitem__, lambda leaf: tree.value[leaf].tolist(), _as_residues
    ).values()


def _as_residues(x: Any) -> Any:
    return claiming(x.settled(), None)


def in_units(values: Any, places: int) -> NDArray[np.int64]:
    """Values rounded to integers, in units of 10^-places."""
    units = np.asarray(values, dtype=np.float64) * 10.0**places
    if not np.all(np.abs(units) < WORD):
        raise EncodingError(f"leaves as large as {np.max(np.abs(values)):.3g} leave no room for {places} decimals")
    return np.rint(units).astype(np.int64)


def apportioned(rows: NDArray[np.float64], units: int) -> NDArray[np.int64]:
    """Rows of probabilities as integers that sum to ``units`` exactly, by the largest remainders.

    >>> apportioned(np.array([[1 / 3, 1 / 3, 1 / 3], [0.5, 0.25, 0.25]]), 10).tolist()
    [[4, 3, 3], [5, 3, 2]]
    """
    shares = rows / rows.sum(axis=1, keepdims=True) * units
    whole = np.floor(shares).astype(np.int64)
    rest = units - whole.sum(axis=1, keepdims=True)
    place = np.argsort(np.argsort(whole - shares, axis=1, kind="stable"), axis=1, kind="stable")
    return np.asarray(whole + (place < rest))
