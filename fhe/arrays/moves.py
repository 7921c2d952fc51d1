"""Carrying out plans on ciphertexts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np

from fhe.arrays.layout import Axis
from fhe.arrays.plans import Plan, Term, by_source, steps_of, window
from fhe.circuits.evaluator import Evaluator
from fhe.circuits.linear import summed
from fhe.rlwe.ciphertext import Ciphertext


def carried(evaluator: Evaluator, plan: Plan, shards: Sequence[Ciphertext], kind: str) -> tuple[Ciphertext, ...]:
    """The ciphertexts of a plan's target; ``kind`` is that of the dtype, "i" or "f", for masks."""
    if plan.picks is not None:
        return tuple(shards[source] for source in plan.picks)
    if plan.rotation is not None:
        source, step = plan.rotation
        x = shards[source]
        return (evaluator.rotate(evaluator.settle(x) if x.degree > 1 else x, step),)
    moving = _Moving(evaluator, shards, np.dtype(np.int64 if kind == "i" else np.float64))
    known: dict[int, Ciphertext] = {}
    result, last = [], {term.source: index for index, terms in enumerate(plan.terms) for term in terms}
    for index, terms in enumerate(plan.terms):
        key = id(terms)  # what is alike is one object
        if key not in known:
            total = moving.sum(terms)
            for spread in plan.spreads:
                total = _copied(evaluator, total, spread)
            known[key] = total
            moving.forget({term.source for term in terms if last[term.source] == index})
        result.append(known[key])
    return tuple(result)


def slid(evaluator: Evaluator, x: Ciphertext, count: int, stride: int) -> Ciphertext:
    """sum_{i < count} of x rotated by i * stride."""
    if count & (count - 1) == 0 and isinstance(x, Ciphertext):
        steps = [stride << k for k in range(count.bit_length() - 1)]
        return summed(evaluator, x, steps) if steps else x
    return window(x, count, stride, evaluator.rotate, evaluator.add)


def _copied(evaluator: Evaluator, x: Ciphertext, spread: Axis) -> Ciphertext:
    """What is here, also ``stride`` further, and so on; a stride of a whole row stands for both rows."""
    if spread.stride == evaluator.row:
        return evaluator.either(x, evaluator.swap(x))
    return window(x, spread.length, -spread.stride, evaluator.rotate, evaluator.either)


class _Moving:
    """The rotations of one plan, each made once; those of one ciphertext share its decomposition."""

    def __init__(self, evaluator: Evaluator, shards: Sequence[Ciphertext], dtype: np.dtype[Any]) -> None:
        self.evaluator, self.shards, self.dtype = evaluator, shards, dtype
        self._known: dict[tuple[int, bool, int], Ciphertext] = {}

    def forget(self, sources: set[int]) -> None:
        """Give up the rotations of ciphertexts that are not needed again."""
        self._known = {key: x for key, x in self._known.items() if key[0] not in sources}

    def sum(self, terms: Sequence[Term]) -> Ciphertext:
        """The sum of the terms; an encryption of zero where there are none."""
        if not terms:
            return self.evaluator.multiply_plain(self.shards[0], 0)
        return reduce(self.evaluator.either, map(self._part, by_source(terms)))

    def _part(self, group: list[Term]) -> Ciphertext:
        """The terms of one source, in giant steps of baby steps: rot(sum_b rot(mask, -g) rot(x, b), g)."""
        steps = steps_of(group)
        self._rotate(group[0].source, group[0].swap, [baby for _, _, baby in steps])
        giants: dict[int, list[Ciphertext]] = {}
        for term, giant, baby in steps:
            giants.setdefault(giant, []).append(self._term(term, giant, baby))
        rotated = (
            self.evaluator.rotate(reduce(self.evaluator.either, parts), giant) for giant, parts in giants.items()
        )
        return reduce(self.evaluator.either, rotated)

    def _term(self, term: Term, giant: int, baby: int) -> Ciphertext:
        part = self._known[term.source, term.swap, baby]
        if term.slots is None:
            return part
        mask = np.zeros((self.evaluator.slots // self.evaluator.row, self.evaluator.row), dtype=self.dtype)
        row, column = np.divmod(term.slots, self.evaluator.row)
        mask[row, (column + giant) % self.evaluator.row] = 1
        return self.evaluator.multiply_plain(part, mask.ravel())

    def _rotate(self, source: int, swap: bool, steps: Sequence[int]) -> None:
        """Have these rotations of a ciphertext at hand."""
        missing = sorted({step for step in steps if (source, swap, step) not in self._known})
        if not missing:
            return
        x = self.shards[source]
        if swap:
            if (source, True, 0) not in self._known:
                self._known[source, True, 0] = self.evaluator.swap(x)
            x = self._known[source, True, 0]
        moved = [step for step in missing if step]
        if len(moved) > 1 or (moved and x.degree > 1):
            x = self.evaluator.settle(x)
        rotations = (
            self.evaluator.rotations(x, moved) if len(moved) > 1 else [self.evaluator.rotate(x, s) for s in moved]
        )
        self._known.update({(source, swap, step): y for step, y in zip(moved, rotations, strict=True)})
        self._known.setdefault((source, swap, 0), x)
