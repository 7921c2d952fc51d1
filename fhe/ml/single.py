"""One encrypted row through all trees at once: every question of a forest in the slots of one ciphertext.

The row comes as digits of two bits, each as the three bits digit > 0, > 1, > 2, side by side and repeated through the
ciphertext. Then, for thresholds in the clear:

*   a linear map brings to each node's slots, digit by digit, whether the row's digit exceeds the threshold's and
    whether it equals it: differences of those bits;
*   digits join in log2 k products, as in `fhe.circuits.bits`: each node has its answer b;
*   what a leaf's path says against it, the number of wrong turns, is linear in all b. Leaves in a row, the question v
    with leaves l … m - 1 on its left and m … r - 1 on its right adds b on the left, and 1 - b on the right: the
    running sum of b at l, -2b at m and b at r. So a sparse map and a few rotations count for all leaves of all trees;
*   the one leaf of a tree that nothing speaks against is where c(c - H - 1) + k(H + 1 - k) has no zero factor,
    k = 1 … H / 2: their product is H! where c = 0 and 0 where c = 1 … H, and H! is divided out with the leaves' values.

(Sums of path costs: Tai, Ma, Zhao, Chow, ESORICS 2017.)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fhe.arrays.array import EncryptedArray
from fhe.arrays.layout import Axis, Layout
from fhe.circuits.bits import BIT
from fhe.circuits.linear import summed
from fhe.circuits.matrix import LinearMap
from fhe.circuits.products import depth_of_product, product_of
from fhe.circuits.slots import sum_row
from fhe.errors import EncodingError, LevelError
from fhe.interval import Interval
from fhe.ml.forest import Forest, Tree
from fhe.ml.places import DIGIT_BITS, STEPS, Grid, Part, digits_in, numbered, parts_of
from fhe.ml.questions import FLOAT_BITS
from fhe.rlwe.ciphertext import Ciphertext


def digits_of(X: ArrayLike, bits: int) -> NDArray[np.int64]:
    """Rows of integers of so many bits as ``(n, digits, 3, features)`` bits: digit > 0, > 1, > 2, the lowest first.

    What a client encrypts, one row at a time: ``owner.encrypt(digits_of(x[None], bits=16), bound=(0, 1))``. Features
    have no sign; those that do begin elsewhere than at 0. Raises EncodingError for what so many bits do not hold.

    >>> digits_of([[6, 1]], bits=4)[0, :, :, 0].tolist()  # 6 is the digits 2 and 1, the lowest first
    [[1, 1, 0], [1, 0, 0]]
    """
    rows = np.asarray(X)
    if rows.ndim != 2 or rows.dtype.kind not in "iu" or not rows.size:
        raise EncodingError(f"expected rows of integers (two dimensions), got shape {rows.shape} of {rows.dtype}")
    if not 1 <= bits <= FLOAT_BITS or rows.min() < 0 or int(rows.max()) >> bits:
        raise EncodingError(
            f"features have 1 to {FLOAT_BITS} bits here and no sign, {bits} bits hold 0 … {(1 << bits) - 1}; "
            "use more bits, larger steps, or features that begin at 0"
        )
    places = DIGIT_BITS * np.arange(digits_in(bits))[:, None, None]
    digits = rows.astype(np.int64)[:, None, None, :] >> places & STEPS
    return np.asarray(digits > np.arange(STEPS)[:, None]).astype(np.int64)


def depth_of_single(height: int, bits: int) -> int:
    """Products in a row for one row: three maps, digits that join, and h / 2 factors of degree 2.

    >>> depth_of_single(10, bits=16), depth_of_single(16, bits=16), depth_of_single(4, bits=8)
    (10, 10, 7)
    """
    return 4 + (digits_in(bits) - 1).bit_length() + depth_of_product(-(-max(height, 1) // 2))


class Single:
    """A forest for one encrypted row at a time: maps by the keys at hand, encoded when they are first used, and kept.

    It belongs to one context and one number of bits; `TreeModel.for_single_rows` makes it. Raises EncodingError where
    a row of slots is too short for the digits, or for twice the leaves.
    """

    def __init__(self, context: Any, trees: Sequence[Tree], features: int, bits: int) -> None:
        self.evaluator, self.bits = context.evaluator, bits
        self.grid = grid = Grid(self.evaluator.row, digits_in(bits), features)
        nodes, self.leaves = numbered(trees)
        self.height = max((tree.height for tree in trees), default=0)
        self.count = sum(map(len, self.leaves))
        if max(grid.period, 2 * self.count) > grid.row:
            raise EncodingError(
                f"{features} features of {bits} bits and {self.count} leaves take rows of "
                f"{max(grid.period, 2 * self.count)} slots, these have {grid.row}; use a larger ring_degree, fewer "
                "bits, fewer leaves, or many rows at once with batch=0"
            )
        self._parts = [self._prepared(part) for part in parts_of(nodes, grid, self.count)]
        self._right_turns = np.zeros(grid.row, dtype=np.int64)
        for node in nodes:
            self._right_turns[node.middle : node.last] += 1

    def _prepared(self, part: Part) -> tuple[LinearMap, LinearMap, LinearMap, NDArray[np.int64]]:
        counting, exceeds, equals = (
            LinearMap(self.evaluator, [form]) for form in (part.counting, part.exceeds, part.equals)
        )
        return counting, exceeds, equals, part.constant

    @property
    def rotations(self) -> list[int]:
        """The rotation steps that have to have keys, or to be sums of steps that have."""
        found = {step for maps in self._parts for form in maps[:3] for step in form.rotations}
        joins = {self.grid.places << stage for stage in range((self.grid.digits - 1).bit_length())}
        sums = {1 << k for k in range((self.grid.row - 1).bit_length())}
        return sorted(found | joins | sums | set(self._running))

    @property
    def _running(self) -> list[int]:
        return [-(1 << k) for k in range((self.count - 1).bit_length())]

    def __reduce__(self) -> NoReturn:
        raise TypeError("what is prepared for single rows holds evaluation keys; prepare it where it is used")

    def __call__(self, X: EncryptedArray, forest: Forest, trees: Sequence[Tree]) -> list[Any]:
        """The outputs of one row, each of shape ``(1,)``, for the trees that it was made of, with any values."""
        indicators = self._indicators(self._row(X))
        layout = Layout((1,), self.evaluator.slots, repeats=(Axis(self.grid.row, 1),), row=self.grid.row)
        columns = zip(self._values(forest, trees).T, forest.base, forest.intervals, strict=True)
        outputs = [self._output(indicators, values, base, interval) for values, base, interval in columns]
        return [EncryptedArray(X.evaluator, [output], layout, X.dtype) for output in outputs]

    def _row(self, X: EncryptedArray) -> Ciphertext:
        expected = (1, self.grid.digits, STEPS, self.grid.features)
        if X.shape != expected or X.layout != X.fresh_layout(expected):
            raise EncodingError(
                f"expected one row as digits_of(x[None], bits={self.bits}) gives it, encrypted as it is, of shape "
                f"{expected}, not {X.shape}"
            )
        if X.evaluator.chain is not self.evaluator.chain or X.key_id != self.evaluator.keys.key_id:
            raise EncodingError("this row is of another context than the model was prepared for; prepare it for that")
        (x,) = X.shards
        if x.interval != BIT:
            raise EncodingError(f"digits come as bits, and this array holds {x.interval}; encrypt with bound=(0, 1)")
        needed, left = depth_of_single(self.height, self.bits), X.products_left
        if needed > left:
            raise LevelError(
                f"one row through trees of height {self.height} needs {needed} products in a row, {left} are left; use "
                f"fhe.bfv(depth={needed}) or more"
            )
        return replace(x, interval=None, bound=1.0)

    # --- evaluation -------------------------------------------------------------------------------------------------

    def _indicators(self, x: Ciphertext) -> Ciphertext:
        """H! at each leaf that the row comes to, 0 at every other."""
        evaluator = self.evaluator
        turns = evaluator.multiply_plain(x, 0)
        if self._parts:
            marks = (maps[0](self._answers(x, *maps[1:])) for maps in self._parts)
            turns = summed(evaluator, reduce(evaluator.add, marks), self._running)
        return self._where_zero(evaluator.settle(evaluator.add_plain(turns, self._right_turns)))

    def _answers(self, x: Ciphertext, exceeds: LinearMap, equals: LinearMap, constant: NDArray[np.int64]) -> Ciphertext:
        """The bit of every node, at its place for the lowest digit."""
        evaluator, step = self.evaluator, self.grid.places
        above, same = exceeds(x), evaluator.add_plain(equals(x), constant)
        while step < self.grid.row:
            high, high_same = evaluator.rotate(above, step), evaluator.rotate(same, step)
            above = evaluator.settle(evaluator.add(evaluator.multiply(high_same, above), high))
            step *= 2
            if step < self.grid.row:
                same = evaluator.settle(evaluator.multiply(high_same, same))
        return above

    def _where_zero(self, c: Ciphertext) -> Ciphertext:
        evaluator, H = self.evaluator, self._even_height
        u = evaluator.sub(evaluator.square(c), evaluator.multiply_plain(c, H + 1))
        u = evaluator.settle(u)
        factors = [evaluator.add_plain(u, k * (H + 1 - k)) for k in range(1, H // 2 + 1)]
        product: Ciphertext = evaluator.settle(product_of(evaluator, factors))
        return product

    @property
    def _even_height(self) -> int:
        return max(self.height + self.height % 2, 2)

    def _values(self, forest: Forest, trees: Sequence[Tree]) -> NDArray[np.int64]:
        """What each leaf adds to each output, over H! modulo t: ``(leaves, outputs)``."""
        t = self.evaluator.parameters.plain_modulus
        values = np.zeros((self.count, len(forest.base)), dtype=object)
        start = 0
        for tree, order in zip(trees, self.leaves, strict=True):
            values[start : start + len(order), list(tree.outputs)] = tree.value[order]
            start += len(order)
        shares = values * pow(math.factorial(self._even_height), -1, t)
        return np.asarray((shares + t // 2) % t - t // 2).astype(np.int64)

    def _output(self, indicators: Ciphertext, values: NDArray[np.int64], base: int, interval: Interval) -> Ciphertext:
        evaluator = self.evaluator
        total = sum_row(evaluator, evaluator.settle(evaluator.multiply_plain(indicators, values)))
        total = evaluator.add_plain(total, base) if base else total
        return replace(total, interval=interval, bound=float(interval.magnitude))
