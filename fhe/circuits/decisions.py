"""Binary decisions in logarithmic depth: which leaf of a tree answers lead to, and what it holds.

An inner node v asks a question whose answer is a bit b_v: 1 goes right. The indicator I(v, u), whether answers lead
from v to u, is the product of the bits, or complements, on the way: a balanced tree of products, where of two siblings
one is the parent's indicator less the other's. The value of a node v whose leaves are at most h below is

    value(v) = value(u_0) + sum_u I(v, u) (value(u) - value(u_0))

over the nodes u that are c below v, and the leaves nearer. With c = h - 2^(D-1), D = ceil(log2 h), both factors take at
most D - 1 products in a row, and the value D: a tree of 1023 questions, 10 in a row, takes about 780 products, 4 in a
row, where choices from the leaves up would take 10 in a row. Leaves with more than two outputs share indicators: c = h.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fhe.circuits.bits import Bit

LEAF = -1
FEW_OUTPUTS = 2  # of which each is better chosen on its own


def depth_of_decision(height: int, hidden: bool = False) -> int:
    """ceil(log2 h): products in a row from answers to a value, of h questions in a row; one more for hidden values.

    >>> [depth_of_decision(h) for h in (0, 1, 2, 8, 10)], depth_of_decision(10, hidden=True)
    ([0, 0, 1, 3, 4], 5)
    """
    return (height - 1).bit_length() + hidden if height else 0


class Decision:
    """What the leaf holds that the answers lead to, of a tree by the children of its nodes; node 0 is the root.

    ``answer(v)`` is the bit of an inner node, ``value(leaf)`` the numbers of a leaf, plain or encrypted: anything that
    knows + - and *. ``settle`` is applied to every product and sum of products.

    >>> left, right = [1, LEAF, 3, LEAF, LEAF], [2, LEAF, 4, LEAF, LEAF]
    >>> for answers in ([0, 0], [1, 0], [1, 1]):
    ...     found = Decision(left, right, lambda v: answers[v // 2], lambda leaf: [10 * leaf])
    ...     print(found.values())
    [10]
    [30]
    [40]
    """

    def __init__(
        self,
        left: Any,
        right: Any,
        answer: Callable[[int], Bit],
        value: Callable[[int], Sequence[Any]],
        settle: Callable[[Any], Any] = lambda value: value,
    ) -> None:
        pairs = zip(left, right, strict=True)
        self._children: list[tuple[int, ...]] = [() if a == LEAF else (int(a), int(b)) for a, b in pairs]
        self._parent, self._height = [LEAF] * len(left), [0] * len(left)
        for node in self._from_the_leaves():
            for child in self._children[node]:
                self._parent[child] = node
                self._height[node] = max(self._height[node], self._height[child] + 1)
        self._answer, self._leaf, self._settle = answer, value, settle
        self._indicators: dict[tuple[int, int], Any] = {}

    @property
    def height(self) -> int:
        """How many questions there are in a row, at most."""
        return self._height[0]

    def values(self) -> list[Any]:
        """What the leaf holds, number by number; plain where it is the same for all leaves."""
        return self._values(0)

    def _from_the_leaves(self) -> list[int]:
        order, waiting = [], [0]
        while waiting:
            order.append(node := waiting.pop())
            waiting.extend(self._children[node])
        return order[::-1]

    # --- values -----------------------------------------------------------------------------------------------------

    def _values(self, v: int) -> list[Any]:
        height = self._height[v]
        if not height:
            return list(self._leaf(v))
        outputs = len(self._leaf(self._first_leaf(v)))
        cut = height - (1 << (height - 1).bit_length() >> 1) if outputs <= FEW_OUTPUTS else height
        below = self._below(v, max(cut, 1))
        values = [self._values(u) for u in below]
        return [self._chosen(v, below, [value[output] for value in values]) for output in range(outputs)]

    def _chosen(self, v: int, below: list[int], values: list[Any]) -> Any:
        """The value of the one that v leads to, told by its difference from that of another, a plain one if any is."""
        base = next((i for i, value in enumerate(values) if isinstance(value, int)), 0)
        total = None
        for u, value in zip(below, values, strict=True):
            if u == below[base] or (isinstance(value, int) and value == values[base]):
                continue
            term = self._indicator(v, u) * (value - values[base])
            total = term if total is None else total + term
        return values[base] if total is None else self._settle(total + values[base])

    def _below(self, v: int, distance: int) -> list[int]:
        """The nodes so far below, and the leaves nearer."""
        if not distance or not self._children[v]:
            return [v]
        return [u for child in self._children[v] for u in self._below(child, distance - 1)]

    def _first_leaf(self, v: int) -> int:
        while self._children[v]:
            v = self._children[v][0]
        return v

    # --- indicators -------------------------------------------------------------------------------------------------

    def _indicator(self, v: int, u: int) -> Any:
        """Whether the answers lead from v to u, which is below."""
        if (v, u) not in self._indicators:
            self._indicators[v, u] = self._led(v, u)
        return self._indicators[v, u]

    def _led(self, v: int, u: int) -> Any:
        parent = self._parent[u]
        left, right = self._children[parent]
        if parent == v:
            return self._answer(v) if u == right else 1 - self._answer(v)
        if u == left:
            return self._indicator(v, parent) - self._indicator(v, right)
        way = [u]
        while way[-1] != v:
            way.append(self._parent[way[-1]])
        between = way[-1 - (1 << (len(way) - 2).bit_length() >> 1)]  # 2^i steps from v, less than all
        return self._settle(self._indicator(v, between) * self._indicator(between, u))
