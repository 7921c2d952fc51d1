"""Nearest neighbours of encrypted rows, exactly: all examples are compared with each other in slots at once.

Which of two examples s_i, s_j is nearer to x is linear in x: |x - s_i|^2 - |x - s_j|^2 = |s_i|^2 - |s_j|^2 -
2 x.(s_i - s_j). So a sparse map of x makes the differences of all pairs, one polynomial decides them all
(`fhe.circuits.differences`), and sums of the answers are ranks: how many examples are nearer. A second polynomial
says of every rank whether it is below k, and the votes of those are summed. Of equally near ones the first counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import neighbors
from sklearn.utils.validation import check_is_fitted, validate_data

from fhe.arrays.array import EncryptedArray
from fhe.arrays.decimals import EncryptedDecimals
from fhe.arrays.exact import interval_of
from fhe.arrays.layout import Layout
from fhe.circuits.diagonals import Diagonals
from fhe.circuits.differences import greater, plan_greater
from fhe.circuits.linear import inner_sum
from fhe.circuits.matrix import LinearMap
from fhe.circuits.modular import evaluate, interpolate
from fhe.errors import EncodingError, LevelError
from fhe.interval import Interval
from fhe.ml.base import ENCRYPTED, Model
from fhe.ml.classifiers import Deciding
from fhe.ml.forest import in_units
from fhe.ml.trees import with_decimals
from fhe.progress import showing, steps
from fhe.rlwe.ciphertext import Ciphertext
from fhe.wide import value_modulus


@dataclass(frozen=True, eq=False)
class Pairs:
    """The examples, integers, and all questions which of two is nearer to a row of a public interval."""

    examples: NDArray[np.int64]
    interval: Interval

    @cached_property
    def stride(self) -> int:
        """Slots for the examples that one is compared with."""
        return 1 << (len(self.examples) - 1).bit_length()

    def rows_in(self, row: int) -> int:
        """For how many examples a row of slots has room, a power of two."""
        return min(row // self.stride, self.stride)

    def constant(self) -> NDArray[np.int64]:
        """|s_i|^2 - |s_j|^2, and 1 more where i comes after j: then equally near is farther."""
        squares = np.sum(self.examples**2, axis=1)
        return np.asarray(squares[:, None] - squares + np.tri(len(squares), k=-1, dtype=np.int64))

    def factors(self) -> NDArray[np.int64]:
        """-2 (s_i - s_j)."""
        return -2 * (self.examples[:, None, :] - self.examples[None, :, :])

    @cached_property
    def difference(self) -> Interval:
        """What all differences lie in, for rows of the interval."""
        low, high = self.interval.ends
        constant, factors = self.constant(), self.factors()
        positive, negative = np.maximum(factors, 0).sum(axis=2), np.minimum(factors, 0).sum(axis=2)
        least, most = constant + positive * low + negative * high, constant + positive * high + negative * low
        return Interval(min(int(least.min()), 0), max(int(most.max()), 1))

    @property
    def depth(self) -> int:
        """Products in a row: a map, a comparison, a polynomial of ranks, constants of both, and votes."""
        return plan_greater(self.difference).depth + (len(self.examples) - 1).bit_length() + 3

    def maps(self, features: int, row: int) -> Iterator[tuple[Diagonals, NDArray[np.int64]]]:
        """For each ciphertext of pairs the map of a row that repeats through it, and what is added."""
        column, rows = 1 << (features - 1).bit_length(), self.rows_in(row)
        constant, factors = self.constant(), self.factors()
        for first in range(0, len(self.examples), rows):
            i, j, f = factors[first : first + rows].nonzero()
            target = i * self.stride + j
            step = (f - target + column // 2) % column - column // 2
            added = np.zeros(row, dtype=np.int64)
            block = constant[first : first + rows]
            places = np.arange(len(block))[:, None] * self.stride + np.arange(block.shape[1])
            added[places] = block
            yield Diagonals(row, (step, target, factors[first + i, j, f])), added


class Neighbours(Model):
    """Encrypted rows beside plain examples, both of integers; uniform weights and Euclidean distances.

    Encrypted rows have a narrow ``bound=(low, high)``. One row is fastest by itself; several, as ``(n, features)``,
    share what is expensive as far as all their pairs fit a row of slots.
    """

    n_neighbors: int

    def rotations(self, n_features: int | None = None, *, ring_degree: int = 1 << 16) -> list[int]:
        """The steps of the maps and sums, for `KeyOwner.public`: powers of two, both ways."""
        powers = [1 << k for k in range((ring_degree // 2 - 1).bit_length())]
        return [*powers, *(-power for power in powers)]

    def depth(self, bound: tuple[int, int], *, rows: int = 1) -> int:
        """Products in a row for rows of ``bound=(low, high)``: for `fhe.bfv`; one more where rows come together."""
        return self._pairs(Interval(min(bound[0], 0), max(bound[1], 0))).depth + (rows > 1)

    @property
    def value_bits(self) -> int:
        """Bits of the largest answer, in units of the last decimal: for `fhe.bfv`."""
        return max(interval.value_bits for interval in self._intervals(self._shares()))

    def _pairs(self, interval: Interval) -> Pairs:
        check_is_fitted(self)
        examples = self._fit_X
        if self.weights != "uniform" or self.effective_metric_ != "euclidean":
            raise EncodingError("encrypted rows have neighbours by weights='uniform' and the Euclidean distance alone")
        if not isinstance(examples, np.ndarray) or not np.array_equal(examples, np.rint(examples)):
            raise EncodingError("encrypted rows are compared with integers; round the examples, and fit again")
        return Pairs(examples.astype(np.int64), interval)

    def _exact(self, X: Any) -> bool:
        """Are these examples and plain rows those that have the same answers encrypted?"""
        check_is_fitted(self)
        examples = self._fit_X
        if not isinstance(examples, np.ndarray) or np.ndim(self._y) > 1 or hasattr(X, "toarray"):
            return False
        plain = self.weights == "uniform" and self.effective_metric_ == "euclidean"
        return plain and bool(np.array_equal(examples, np.rint(examples)))

    def _shares(self) -> NDArray[np.int64]:
        """What each example adds to each output, if it is near: ``(examples, outputs)``."""
        raise AssertionError("classifiers have votes, regressions shares of the mean")

    def _intervals(self, shares: NDArray[np.int64]) -> list[Interval]:
        """What k of them add up to."""
        k, ordered = self.n_neighbors, np.sort(shares, axis=0)
        least, most = ordered[:k].sum(axis=0), ordered[-k:].sum(axis=0)
        return [Interval(min(int(low), 0), max(int(high), 0)) for low, high in zip(least, most, strict=True)]

    def _nearest(self, X: Any) -> NDArray[np.int64]:
        """The k nearest of plain rows, the first of equals."""
        rows = validate_data(self, X, reset=False)
        examples = np.asarray(self._fit_X, dtype=np.float64)
        distances = np.sum(examples**2, axis=1) - 2 * np.asarray(rows, dtype=np.float64) @ examples.T
        return np.argsort(distances, axis=1, kind="stable")[:, : self.n_neighbors]

    # --- encrypted rows ---------------------------------------------------------------------------------------------

    def _encrypted_outputs(self, X: Any, shares: NDArray[np.int64]) -> list[Any]:
        """The sums of the shares of the k nearest, an encrypted vector for each output."""
        pairs, evaluator = self._admitted(X, shares), X.evaluator
        rows = [_repeated(X[index]) for index in range(len(X))]
        maps = list(pairs.maps(X.shape[1], evaluator.row))
        block = pairs.rows_in(evaluator.row) * pairs.stride
        layout = Layout((len(X),), evaluator.slots, (block,), row=evaluator.row, clean=False)
        chosen = [
            self._chosen(evaluator, _apart(evaluator, rows, form, added, block), pairs)
            for form, added in steps(maps, "blocks of examples")
        ]
        places = np.arange(len(pairs.examples)) * pairs.stride

        def output(values: NDArray[np.int64], interval: Interval) -> Any:
            vector = np.zeros(len(chosen) * block, dtype=np.int64)
            vector[places] = values
            masks = [np.tile(part, len(X)) for part in vector.reshape(len(chosen), block)]
            parts = [evaluator.multiply_plain(x, mask) for x, mask in zip(chosen, masks, strict=True)]
            total = inner_sum(evaluator, evaluator.settle(reduce(evaluator.add, parts)), block)
            claimed = replace(total, interval=interval, bound=float(interval.magnitude))
            return EncryptedArray(evaluator, [claimed], layout, X.dtype)

        return [output(*column) for column in zip(shares.T, self._intervals(shares), strict=True)]

    def _chosen(self, evaluator: Any, differences: Ciphertext, pairs: Pairs) -> Ciphertext:
        """1 where each example's rank is below k; where no rank stands anything."""
        later = greater(evaluator, differences, pairs.difference)
        ranks = inner_sum(evaluator, evaluator.settle(replace(later, interval=None)), pairs.stride)
        n, t = len(pairs.examples), evaluator.parameters.plain_modulus
        table = interpolate(range(n), [int(rank < self.n_neighbors) for rank in range(n)], t)
        chosen: Ciphertext = evaluator.settle(evaluate(evaluator, ranks, table))
        return chosen

    def _admitted(self, X: Any, shares: NDArray[np.int64]) -> Pairs:
        """The pairs for these rows, or what is wrong with them."""
        name, features = type(self).__name__, self._features()
        if not isinstance(X, EncryptedArray) or X.dtype.kind not in "iu":
            raise EncodingError(f"{name} compares integers of one plain modulus, got {X!r}; round, and use fhe.bfv")
        if X.ndim != 2:
            raise EncodingError(f"expected encrypted rows (two dimensions), got shape {X.shape}; encrypt x[None, :]")
        if X.shape[1] != features:
            raise EncodingError(f"X has {X.shape[1]} features, but {name} is expecting {features} features as input")
        interval = interval_of(X)
        if interval.high is None:
            raise EncodingError("residues modulo t have no order; encrypt with a public bound= instead of wrap=True")
        pairs, row = self._pairs(interval), X.evaluator.row
        if pairs.stride > row or features > row:
            raise EncodingError(f"{pairs.stride} examples do not fit a row of {row} slots; use a larger ring_degree")
        block = pairs.rows_in(row) * pairs.stride
        most = row // block if block == pairs.stride**2 else 1
        if len(X) > most:
            raise EncodingError(
                f"{len(pairs.examples)} examples leave room for {most} rows at once in {row} slots, not {len(X)}; "
                "pass them in pieces, or use a larger ring_degree"
            )
        modulus = value_modulus(X.evaluator.chain.parameters)
        for what in (pairs.difference, *self._intervals(shares)):
            what.fit(modulus, name)
        needed, left = pairs.depth + (len(X) > 1), X.products_left
        if needed > left:
            raise LevelError(
                f"this {name} needs {needed} products in a row, {left} are left; use fhe.bfv(depth={needed}) or more, "
                "fewer examples, or larger steps of the features"
            )
        return pairs


def _repeated(x: EncryptedArray) -> Ciphertext:
    """One row, again and again in a ciphertext."""
    fresh = x.fresh_layout(x.shape)
    if (x.layout.strides, x.layout.offset, x.layout.repeats) != (fresh.strides, 0, fresh.repeats):
        x = x.relaid(fresh)
    return replace(x.shards[0], interval=None, bound=1.0)


def _apart(evaluator: Any, rows: list[Ciphertext], form: Diagonals, added: NDArray[np.int64], block: int) -> Ciphertext:
    """The differences for each row, in a block of its own."""
    differences = LinearMap(evaluator, [form])
    parts = [evaluator.rotate(differences(x), -index * block) for index, x in enumerate(rows)]
    constant = np.tile(added[:block], len(rows))
    total: Ciphertext = evaluator.add_plain(reduce(evaluator.add, parts), constant)
    return total


class KNeighborsClassifier(Deciding, Neighbours, neighbors.KNeighborsClassifier):  # type: ignore[misc]
    """The classes of the k nearest examples: `sklearn.neighbors.KNeighborsClassifier`, for encrypted integers too.

    >>> import fhe
    >>> model = KNeighborsClassifier(1).fit([[0, 1], [3, 2], [1, 3]], [0, 1, 2])
    >>> depth = model.depth((0, 3))
    >>> owner = fhe.bfv(depth, value_bits=model.value_bits, ring_degree=64, insecure="a small ring for this example")
    >>> votes = model.votes(owner.encrypt([[3, 3]], bound=(0, 3)))
    >>> owner.decrypt(votes).tolist(), model.decide(owner.decrypt(votes)).tolist()
    ([[0, 1, 0]], [1])
    """

    classes_: Any

    def votes(self, X: Any, *, progress: bool = False) -> Any:
        """How many of the k nearest are of each class, ``(samples, classes)``; encrypted of encrypted rows.

        ``progress=True`` shows a bar, for those.
        """
        shares = self._shares()
        if isinstance(X, ENCRYPTED):
            with showing(progress):
                return np.stack(self._encrypted_outputs(X, shares), axis=-1)
        return shares[self._nearest(X)].sum(axis=1)

    def predict(self, X: Any) -> Any:
        """The classes of plain rows. Encrypted rows have votes: decrypt them, and pass them to `decide`."""
        if isinstance(X, ENCRYPTED):
            return self._decided(X, "votes")
        return self.decide(self.votes(X)) if self._exact(X) else super().predict(X)

    def _shares(self) -> NDArray[np.int64]:
        check_is_fitted(self)
        if self.outputs_2d_:
            raise EncodingError("several outputs have no votes; fit one model for each")
        return np.asarray(self._y[:, None] == np.arange(len(self.classes_))).astype(np.int64)


@with_decimals(2)
class KNeighborsRegressor(Neighbours, neighbors.KNeighborsRegressor):  # type: ignore[misc]
    """The mean of the k nearest examples: `sklearn.neighbors.KNeighborsRegressor`, for encrypted integers too.

    Each example's share of the mean is rounded to ``decimals`` places, which answers to encrypted rows have.

    >>> import fhe
    >>> model = KNeighborsRegressor(2).fit([[0, 1], [3, 2], [1, 3]], [0.5, 1.5, 1.0])
    >>> depth = model.depth((0, 3))
    >>> owner = fhe.bfv(depth, value_bits=model.value_bits, ring_degree=64, insecure="a small ring for this example")
    >>> owner.decrypt(model.predict(owner.encrypt([[3, 3]], bound=(0, 3)))).astype(float).tolist()
    [1.25]
    """

    decimals: int

    def predict(self, X: Any, *, progress: bool = False) -> Any:
        """The number of each row; for encrypted rows encrypted decimals, with ``progress=True`` behind a bar."""
        if isinstance(X, ENCRYPTED):
            with showing(progress):
                return EncryptedDecimals(self._encrypted_outputs(X, self._shares())[0], self.decimals)
        if not self._exact(X):
            return super().predict(X)
        return self._shares()[self._nearest(X), 0].sum(axis=1) / 10.0**self.decimals

    def _shares(self) -> NDArray[np.int64]:
        check_is_fitted(self)
        targets = np.asarray(self._y)
        if targets.ndim > 1 and targets.shape[1] > 1:
            raise EncodingError("several outputs are not answered for encrypted rows; fit one model for each")
        return in_units(targets.reshape(-1, 1) / self.n_neighbors, self.decimals)
