"""Encrypted rows of integers, and all questions x_j > c about them: each answered once, features by features.

Rows are encrypted by bits, for any width, or as integers of a narrow public interval. Either way what the thresholds of
one feature have in common is computed once: `fhe.circuits.thresholds`, `fhe.circuits.tables`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from typing import Any

from fhe.arrays.bits import EncryptedBits
from fhe.arrays.exact import claiming, interval_of
from fhe.arrays.wide import WideArray
from fhe.circuits import tables
from fhe.circuits.thresholds import Thresholds
from fhe.errors import EncodingError
from fhe.interval import Interval
from fhe.progress import steps
from fhe.wide import value_modulus

FLOAT_BITS = 24


class Rows:
    """Encrypted rows of integers, ``(samples, features)``, of either kind; checked when made."""

    def __init__(self, X: Any, features: int, name: str) -> None:
        self.bitwise = isinstance(X, EncryptedBits)
        shape, first = X.shape, X.bits[0] if self.bitwise else X
        if len(shape) != 2:
            raise EncodingError(f"expected encrypted rows (two dimensions), got shape {shape}; encrypt x[None, :]")
        if shape[1] != features:
            raise EncodingError(f"X has {shape[1]} features, but {name} is expecting {features} features as input")
        if first.dtype.kind not in "iu":
            raise EncodingError(
                f"{name} asks questions about integers, got dtype {first.dtype}; round, and use fhe.bfv"
            )
        self.interval: Interval = X.interval if self.bitwise else interval_of(X)
        if self.interval.high is None:
            raise EncodingError("residues modulo t have no order; encrypt with a public bound= instead of wrap=True")
        if self.interval.value_bits > FLOAT_BITS:
            raise EncodingError(
                f"trees of scikit-learn read features as float32, exact up to 2^{FLOAT_BITS}, these integers have up "
                f"to {self.interval.value_bits} bits; use larger steps"
            )
        self._X, self._first = X, first

    @property
    def value_modulus(self) -> int:
        """How many integers results are told apart from."""
        return value_modulus(self._first.evaluator.chain.parameters)

    @property
    def products_left(self) -> int:
        """Products in a row that still fit."""
        left: int = self._first.products_left
        return left

    def column(self, feature: int) -> Any:
        """One bit of a feature, or all of it, by itself: an encrypted vector."""
        return _alone(self._first, feature)

    def beyond(self, feature: int, constants: list[int]) -> list[Any]:
        """The bits x_j > c of one feature, as residues, for constants of the interval."""
        if self.bitwise:
            circuit = Thresholds([_alone(bit, feature) for bit in self._X.bits], self._X.signed, _settled)
            found = [circuit.greater(c) for c in constants]
        else:
            found = _beyond(_alone(self._X, feature), self.interval, constants)
        return [claiming(bit, None) for bit in found]


class Questions:
    """The answers to questions (feature, constant), which are as many as ``asked`` says, and forgotten after the last.

    >>> import fhe
    >>> owner = fhe.bfv(depth=4, plain_modulus=257, ring_degree=64, insecure="for this example", backend="reference")
    >>> rows = Rows(owner.encrypt_bits([[3, 9], [12, 1]], bits=4, batch=0), 2, "this example")
    >>> answers = Questions(rows, Counter([(0, 4), (1, 8)]))
    >>> owner.decrypt(answers(0, 4)).tolist(), owner.decrypt(answers(1, 8)).tolist()
    ([0, 1], [1, 0])
    """

    def __init__(self, rows: Rows, asked: Counter[tuple[int, int]]) -> None:
        self._rows, self._left = rows, Counter(asked)
        self._constants: defaultdict[int, list[int]] = defaultdict(list)
        for feature, constant in sorted(asked):
            self._constants[feature].append(constant)
        self._answers: dict[tuple[int, int], Any] = {}
        self._ticks = iter(steps(list(self._constants), "features"))

    def __call__(self, feature: int, constant: int) -> Any:
        key = feature, constant
        if key not in self._answers:
            constants = self._constants.pop(feature)
            next(self._ticks, None)
            for c, bit in zip(constants, self._rows.beyond(feature, constants), strict=True):
                self._answers[feature, c] = bit
            if not self._constants:
                next(self._ticks, None)  # the bar is done
        self._left[key] -= 1
        return self._answers[key] if self._left[key] else self._answers.pop(key)


def _alone(x: Any, feature: int) -> Any:
    """A column that begins its ciphertexts, as those of rows encrypted with ``batch=0`` do."""
    column = x[:, feature]
    if isinstance(x, WideArray):
        return WideArray([_alone(part, feature) for part in x.parts])
    if x.layout.strides[1] % x.layout.slots == 0:
        return column
    return column.relaid(replace(column.fresh_layout(column.shape), repeats=()))


def _settled(bit: Any) -> Any:
    return claiming(bit.settled(), None)


def _beyond(x: Any, interval: Interval, constants: list[int]) -> list[Any]:
    if isinstance(x, WideArray):
        parts = [_beyond(part, interval, constants) for part in x.parts]
        return [WideArray(bits) for bits in zip(*parts, strict=True)]
    shards = [tables.beyond(x.evaluator, shard, interval, constants) for shard in x.shards]
    found = [x.like(bits, x.layout) for bits in zip(*shards, strict=True)]
    return [1 - bit if c < 0 else bit for bit, c in zip(found, constants, strict=True)]
