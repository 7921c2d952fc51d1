"""Plain arguments, whose values nobody knows before a program runs: what stands for them, and what they may decide.

Whoever decrypts predicts levels, scales and bounds of results without the plain values that went into them (a model).
So (1) a dry run takes plain values to be whatever their intervals allow: in CKKS as large as they may be, and rounded
as badly as they may be when they are encoded; in BFV anything between, with results anywhere in their own intervals
(`fhe.programs.ranges`). And (2) a plain number takes a level in CKKS whether it is whole or not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fhe.arrays.array import EncryptedArray
from fhe.arrays.wide import WideArray
from fhe.bfv.evaluator import BFVEvaluator
from fhe.circuits.evaluator import Evaluator
from fhe.errors import EncodingError, NoiseError
from fhe.interval import Interval
from fhe.programs.graph import CONSTANT, Graph, Node
from fhe.programs.ranges import SUMS_OF_PRODUCTS, Range, ranges
from fhe.programs.spec import Spec
from fhe.rlwe.ciphertext import Ciphertext
from fhe.validate import python_integers

EXACT = 1 << 52  # below this, intervals of integers are exact in doubles
ROUNDED_BITS = 40  # and else right to so many bits, whatever was done
LARGEST_INT = 2.0**62
NORM_BITS: Final = 2.0  # by which norms of most plaintexts of one size differ, and with them noise
SEED = 0  # values that stand for others may be any
MULTIPLYING: Final = ("np.multiply", *map("np.{}".format, SUMS_OF_PRODUCTS))
SIGNS: Final[dict[str, tuple[complex, ...]]] = {"c": (1, -1, 1j, -1j), "b": (1,)}


def is_given(node: Node) -> bool:
    """Is this value plain, and known only when the program runs?"""
    return not node.encrypted and node.operation != CONSTANT


def unwhole(graph: Graph, node: Node, operands: Sequence[Any]) -> list[Any]:
    """The operands of an encrypted node, given numbers moved by the least that a double can be moved.

    A whole number would multiply without a level, and a program's levels are planned for any.
    """
    if not node.encrypted or node.dtype.kind == "i":
        return list(operands)
    pairs = zip(node.operands, operands, strict=True)
    return [_moved(x) if is_given(graph.nodes[k]) and np.ndim(x) == 0 else x for k, x in pairs]


def _moved(number: Any) -> Any:
    moved = np.nextafter(np.real(number), np.copysign(np.inf, np.real(number)))  # away from zero: bounds stay bounds
    return moved + 1j * np.imag(number) if np.iscomplexobj(number) else moved


@dataclass(frozen=True, slots=True)
class Unknown:
    """What is known of a graph's given values before they are given.

    stand_ins
        For each given value an array that is as good as any.
    hulls
        In exact programs, what encrypted values that are made with given ones are between.
    """

    stand_ins: Mapping[Node, NDArray[Any]]
    hulls: Mapping[Node, tuple[int, int]]

    @classmethod
    def of(cls, graph: Graph, specs: Mapping[str, Spec]) -> Unknown:
        """Of a graph and its arguments; EncodingError for a given value that might be infinite."""
        return _unknown(graph, tuple(specs.items()))

    def widened(self, node: Node, value: Any) -> Any:
        """The value of a node, in BFV with the interval that it has for any plain values, and the noise for most."""
        if isinstance(value, WideArray):
            return WideArray([self.widened(node, part) for part in value.parts])
        if node not in self.hulls or not isinstance(value, EncryptedArray):
            return value
        hull, bits = Interval(*self.hulls[node]), NORM_BITS if node.operation in MULTIPLYING else 0.0
        return value.like([_widened(value.evaluator, x, hull, bits) for x in value.shards], value.layout)


def _widened(evaluator: Evaluator, x: Ciphertext, hull: Interval, noise_bits: float) -> Ciphertext:
    assert isinstance(evaluator, BFVEvaluator)
    if x.noise + noise_bits >= evaluator.limit(x.level):
        raise NoiseError(f"products with plain arguments take noise of {x.noise + noise_bits:.0f} bits; use more depth")
    return replace(
        x, noise=x.noise + noise_bits, **evaluator.values.claims(evaluator.values.of(x).hull(hull), "a result")
    )


@lru_cache(maxsize=8)
def _unknown(graph: Graph, specs: tuple[tuple[str, Spec], ...]) -> Unknown:
    given = [number for number, node in graph if is_given(node)]
    if not given:
        return Unknown({}, {})
    exact = all(spec.kind == "integer" for _, spec in specs if spec.encrypted)
    known = ranges(graph, dict(specs))
    rng = np.random.default_rng(SEED)
    stand_ins = {graph.nodes[k]: _stand_in(graph.nodes[k], known[k], exact, rng) for k in given}
    if not exact:
        return Unknown(stand_ins, {})
    touched = {k for k, node in graph if node.encrypted and any(is_given(graph.nodes[x]) for x in node.operands)}
    return Unknown(stand_ins, {graph.nodes[k]: _whole(graph.nodes[k], known[k]) for k in touched})


def _require_bounded(node: Node, known: Range) -> None:
    if not known.known:
        raise EncodingError(
            f"nothing bounds what {node.operation} makes of plain arguments [{node.where}]; compute it before, and "
            "give it as an argument of its own, with its own bound"
        )


def _whole(node: Node, known: Range) -> tuple[int, int]:
    _require_bounded(node, known)
    low, high = (int(end) for end in (np.floor(known.hull[0]), np.ceil(known.hull[1])))
    if max(-low, high) < EXACT:
        return low, high
    return low - (abs(low) >> ROUNDED_BITS), high + (abs(high) >> ROUNDED_BITS)


def _stand_in(node: Node, known: Range, exact: bool, rng: np.random.Generator) -> NDArray[Any]:
    _require_bounded(node, known)
    if exact:
        values = np.rint(known.low + (known.high - known.low) * rng.random(node.shape))
        if node.size == 1:  # the end that is further from zero
            values = np.where(-known.low > known.high, known.low, known.high)
        if max(np.max(values), -np.min(values)) >= LARGEST_INT:
            return python_integers(values)
    else:
        values = known.magnitude * rng.choice(SIGNS.get(node.dtype.kind, (1, -1)), node.shape)
    return np.asarray(values).astype(node.dtype)
