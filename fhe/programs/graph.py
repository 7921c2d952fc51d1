"""Graphs: what a function does to its arguments, written down. No levels, no scales, no keys.

A `Node` is an operation on earlier nodes; its arguments are kept as they were, with a `Slot` where an operand stood.
Nothing is ever changed: a pass takes a graph and returns another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

INPUT, CONSTANT = "input", "constant"
REAL = np.dtype(np.float64)


@dataclass(frozen=True, slots=True)
class Slot:
    """Where the operand of this number stands among the arguments of an operation."""

    index: int


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One value of a computation.

    operation
        A name of `fhe.programs.operations`, or `INPUT`, `CONSTANT`.
    operands
        Numbers of earlier nodes.
    arguments, keywords
        As the operation was called, with a `Slot` for each operand.
    shape, dtype
        Of the value; ``encrypted`` says whether anybody but the owner may read it.
    function
        What a universal function of NumPy or SciPy is in the clear, where the operation is just that.
    value
        Of a constant.
    where
        The line of the traced function that asked for it.
    """

    operation: str
    operands: tuple[int, ...] = ()
    arguments: tuple[Any, ...] = ()
    keywords: tuple[tuple[str, Any], ...] = ()
    shape: tuple[int, ...] = ()
    dtype: np.dtype[Any] = REAL
    encrypted: bool = True
    where: str = ""
    function: Callable[..., Any] | None = None
    value: NDArray[Any] | None = None

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def scalar(self) -> Any:
        """The number that a constant of one element is, else None."""
        return self.value.ravel().tolist()[0] if self.value is not None and self.value.size == 1 else None

    def keyword(self, name: str) -> Any:
        """The value of a keyword argument, None where it was not given."""
        return dict(self.keywords).get(name)

    def called(self, operands: Sequence[Any], function: Callable[..., Any]) -> Any:
        """The function of the arguments, with these operands in their slots."""
        return function(*filled(self.arguments, operands), **{k: filled(v, operands) for k, v in self.keywords})


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """Nodes in an order of computation; which of them are the arguments, by name; and what is returned.

    ``outputs`` is what the function returned, a `Slot` for each array, numbered by node.
    """

    nodes: tuple[Node, ...]
    inputs: Mapping[str, int]
    outputs: Any

    def returned(self) -> tuple[int, ...]:
        """The numbers of the nodes that are returned, in order."""
        return tuple(slot.index for slot in slots_of(self.outputs))

    def users(self) -> list[list[int]]:
        """For each node those that use it."""
        users: list[list[int]] = [[] for _ in self.nodes]
        for number, node in enumerate(self.nodes):
            for operand in dict.fromkeys(node.operands):
                users[operand].append(number)
        return users

    def __iter__(self) -> Iterator[tuple[int, Node]]:
        return enumerate(self.nodes)

    def __len__(self) -> int:
        return len(self.nodes)


class Rewriter:
    """A new graph, written node by node beside an old one; ``new`` says what became of each old node."""

    def __init__(self, old: Graph) -> None:
        self.old = old
        self.nodes: list[Node] = []
        self.new: dict[int, int] = {}

    def add(self, node: Node) -> int:
        """Append a node whose operands are numbers of the new graph."""
        self.nodes.append(node)
        return len(self.nodes) - 1

    def keep(self, number: int) -> int:
        """The old node, on what became of its operands."""
        node = self.old.nodes[number]
        self.new[number] = self.add(replace(node, operands=tuple(self.new[k] for k in node.operands)))
        return self.new[number]

    def graph(self) -> Graph:
        """The new graph."""
        inputs = {name: self.new[number] for name, number in self.old.inputs.items()}
        return Graph(tuple(self.nodes), inputs, mapped(self.old.outputs, lambda slot: Slot(self.new[slot.index])))


# --- arguments with slots --------------------------------------------------------------------------------------------


def mapped(template: Any, function: Callable[[Slot], Any]) -> Any:
    """The template with every slot replaced."""
    if isinstance(template, Slot):
        return function(template)
    if isinstance(template, tuple | list):
        return type(template)(mapped(part, function) for part in template)
    if isinstance(template, dict):
        return {name: mapped(part, function) for name, part in template.items()}
    if isinstance(template, slice):
        return slice(*(mapped(part, function) for part in (template.start, template.stop, template.step)))
    return template


def filled(template: Any, operands: Sequence[Any]) -> Any:
    """The template with operands in their slots."""
    return mapped(template, lambda slot: operands[slot.index])


def slots_of(template: Any) -> Iterable[Slot]:
    """The slots of a template, in order."""
    found: list[Slot] = []
    mapped(template, found.append)
    return found
