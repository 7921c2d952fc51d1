"""Where the questions of a forest stand in the slots of one ciphertext, and the linear maps between: plain numerics.

`fhe.ml.single` says what for. A node may stand anywhere, once for each digit of its feature; the encrypted row repeats,
so that a node needs no rotation of its own where it stands below its feature. Maps cost a plaintext for each distance
that occurs: so a node stands near its leaves, at distances that occur already, below its feature or one of a few shifts
away.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fhe.circuits.decisions import LEAF
from fhe.circuits.diagonals import Diagonals
from fhe.ml.forest import Tree

DIGIT_BITS, STEPS = 2, 3  # a digit is 0 … 3, and comes as the bits > 0, > 1, > 2
NEAR = 96  # slots around its leaves where a place for a node is looked for first
Steps = NDArray[np.int64]
FIRST_LIMBS = 1.6  # limbs of the first maps, for each of the last


def digits_in(bits: int) -> int:
    """Digits of so many bits."""
    return -(-bits // DIGIT_BITS)


@dataclass(frozen=True, slots=True)
class Node:
    """A question, and the leaves l … m - 1 on its left and m … r - 1 on its right, numbered through all trees."""

    feature: int
    threshold: int
    first: int
    middle: int
    last: int


@dataclass(frozen=True, slots=True)
class Grid:
    """The slots of a row of the ciphertext: what the digits lie at, and the places that nodes have for each digit.

    >>> grid = Grid(row=8192, digits=8, features=12)
    >>> grid.column, grid.period, grid.places
    (16, 512, 1024)
    """

    row: int
    digits: int
    features: int

    @property
    def column(self) -> int:
        """Slots from a bit of a digit to the next."""
        return 1 << (self.features - 1).bit_length()

    @property
    def padded(self) -> int:
        """Digits, those included that are always equal."""
        return 1 << (self.digits - 1).bit_length()

    @property
    def period(self) -> int:
        """With which the encrypted row repeats: room for four bits of each digit."""
        return (STEPS + 1) * self.column * self.padded

    @property
    def places(self) -> int:
        """Slots for nodes, for each digit."""
        return self.row // self.padded

    def step(self, feature: Steps, digit: Steps, bit: Steps, target: Steps) -> Steps:
        """How far before a bit of the encrypted row a target is, up to the period."""
        source = ((STEPS + 1) * digit + bit) * self.column + feature
        return np.asarray((source - target + self.period // 2) % self.period - self.period // 2)


@dataclass(frozen=True, eq=False)
class Part:
    """The maps of some nodes: to "digit exceeds" and, with a constant, "digit equals"; and from answers to leaves."""

    exceeds: Diagonals
    equals: Diagonals
    constant: NDArray[np.int64]
    counting: Diagonals

    def cost(self) -> float:
        """Plaintexts, by their size."""
        return FIRST_LIMBS * (len(self.exceeds.steps) + len(self.equals.steps)) + len(self.counting.steps)


def numbered(trees: Sequence[Tree]) -> tuple[list[Node], list[list[int]]]:
    """The questions of all trees in the order of their leaves, and for each tree its leaves from left to right.

    >>> tree = Tree(*map(np.array, ([0, -1, -1], [4, 0, 0], [1, -1, -1], [2, -1, -1], [[0], [150], [275]])))
    >>> numbered([tree, tree])
    ([Node(feature=0, threshold=4, first=0, middle=1, last=2), \
Node(feature=0, threshold=4, first=2, middle=3, last=4)], [[1, 2], [1, 2]])
    """
    nodes: list[Node] = []
    leaves: list[list[int]] = []
    for tree in trees:
        leaves.append([])
        _visit(tree, 0, sum(map(len, leaves)), nodes, leaves[-1])
    return nodes, leaves


def _visit(tree: Tree, node: int, first: int, nodes: list[Node], leaves: list[int]) -> int:
    """The number after the last leaf below a node; the first leaf's is known."""
    if tree.left[node] == LEAF:
        leaves.append(node)
        return first + 1
    middle = _visit(tree, int(tree.left[node]), first, nodes, leaves)
    at = len(nodes)
    nodes.append(Node(0, 0, 0, 0, 0))
    last = _visit(tree, int(tree.right[node]), middle, nodes, leaves)
    nodes[at] = Node(int(tree.feature[node]), int(tree.threshold[node]), first, middle, last)
    return last


def parts_of(nodes: Sequence[Node], grid: Grid, leaves: int) -> list[Part]:
    """Ciphertexts for all nodes: of stretches of leaves, and of those every second node … until half of it is free."""
    if not nodes:
        return []
    if nodes[-1].middle - nodes[0].first >= grid.places:
        half = len(nodes) // 2
        return parts_of(nodes[:half], grid, leaves) + parts_of(nodes[half:], grid, leaves)
    found = min(_ways(nodes, grid, leaves), key=Part.cost, default=None) if 2 * len(nodes) <= grid.places else None
    return [found] if found else parts_of(nodes[::2], grid, leaves) + parts_of(nodes[1::2], grid, leaves)


def _ways(nodes: Sequence[Node], grid: Grid, leaves: int) -> Iterator[Part]:
    """The maps for every number of shifts with which there is a place for all nodes."""
    for shifts in (1 << k for k in range(grid.column.bit_length())):
        places = placed(nodes, grid, shifts)
        if places is not None:
            yield Part(*_comparison(nodes, places, grid), _counting(nodes, places, grid, leaves))


def placed(nodes: Sequence[Node], grid: Grid, shifts: int) -> list[int] | None:
    """A place for each node, near its leaves, below its feature or one of so many ``shifts`` away; or None.

    Node by node a place is taken whose distances to its leaves occur already, as far as possible.
    """
    gap, base = grid.column // shifts, nodes[0].first
    free, known = np.ones(grid.places, dtype=bool), np.zeros(4 * grid.row, dtype=bool)
    found = []
    for node in nodes:
        near = node.middle - base
        for window in (NEAR, grid.places):
            place = np.arange(max(near - window, 0), min(near + window, grid.places))
            place = place[free[place] & ((place - node.feature) % gap == 0)]
            if place.size:
                break
        else:
            return None
        steps = place[:, None] - base - np.array([node.first, node.middle, node.last]) + 2 * grid.row
        best = np.lexsort((np.abs(place - near), np.count_nonzero(~known[steps], axis=1)))[0]
        free[place[best]] = False
        known[steps[best]] = True
        found.append(int(place[best]))
    return found


def _comparison(
    nodes: Sequence[Node], places: Sequence[int], grid: Grid
) -> tuple[Diagonals, Diagonals, NDArray[np.int64]]:
    """With T_j the bit "digit > j", c a digit of the threshold: T_c, and T_(c-1) - T_c, where T_(-1) = 1, T_3 = 0."""
    digit = np.arange(grid.digits)[:, None]
    c = np.array([node.threshold for node in nodes]) >> DIGIT_BITS * digit & STEPS
    feature, target = np.array([node.feature for node in nodes]), digit * grid.places + np.array(places)
    above, below = grid.step(feature, digit, c, target), grid.step(feature, digit, c - 1, target)
    has_above, has_below, ones = c < STEPS, c > 0, np.ones(c.shape, dtype=np.int64)
    pairs = (below, above), (target, target), (ones, -ones)
    equals = [np.concatenate([first[has_below], second[has_above]]) for first, second in pairs]
    constant = np.zeros(grid.row, dtype=np.int64)
    constant[target[c == 0]] = 1
    constant[grid.digits * grid.places :] = 1  # digits that there are not
    exceeds = Diagonals(grid.row, (above[has_above], target[has_above], ones[has_above]))
    return exceeds, Diagonals(grid.row, (equals[0], equals[1], equals[2])), constant


def _counting(nodes: Sequence[Node], places: Sequence[int], grid: Grid, leaves: int) -> Diagonals:
    """The map to b at l, -2b at m and b at r, of which running sums are wrong turns."""
    source = np.repeat(places, 3)
    target = np.array([(node.first, node.middle, node.last) for node in nodes]).ravel()
    values = np.tile(np.array([1, -2, 1]), len(nodes))
    kept = target < leaves
    step = (source - target + grid.row // 2) % grid.row - grid.row // 2
    return Diagonals(grid.row, (step[kept], target[kept], values[kept]))
