"""Carrying out plans on ciphertexts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fhe.arrays.plans import FEW, Plan, Term, window
from fhe.circuits.evaluator import Evaluator
from fhe.circuits.linear import summed
from fhe.rlwe.ciphertext import Ciphertext


def carried(evaluator: Evaluator, plan: Plan, shards: Sequence[Ciphertext], kind: str) -> tuple[Ciphertext, ...]:
    """The ciphertexts of a plan's target; ``kind`` is that of the dtype, "i" or "f", for masks."""
    if plan.picks is not None:
        return tuple(shards[source] for source in plan.picks)
    moving = _Moving(evaluator, shards, np.dtype(np.int64 if kind == "i" else np.float64))
    known: dict[int, Ciphertext] = {}
    result = []
    for terms in plan.terms:
        key = id(terms)  # what is alike is one object
        if key not in known:
            total = moving.sum(terms)
            for count, stride in plan.spreads:
                total = slid(evaluator, total, count, -stride)
            known[key] = total
        result.append(known[key])
    return tuple(result)


def slid(evaluator: Evaluator, x: Ciphertext, count: int, stride: int) -> Ciphertext:
    """sum_{i < count} of x rotated by i * stride."""
    if count & (count - 1) == 0 and isinstance(x, Ciphertext):
        steps = [stride << k for k in range(count.bit_length() - 1)]
        return summed(evaluator, x, steps) if steps else x
    return window(x, count, stride, evaluator.rotate, evaluator.add)


class _Moving:
    """The rotations of one plan, each made once; those of one ciphertext share its decomposition."""

    def __init__(self, evaluator: Evaluator, shards: Sequence[Ciphertext], dtype: np.dtype[Any]) -> None:
        self.evaluator, self.shards, self.dtype = evaluator, shards, dtype
        self._known: dict[tuple[int, bool, int], Ciphertext] = {}

    def sum(self, terms: Sequence[Term]) -> Ciphertext:
        """The sum of the terms; an encryption of zero where there are none."""
        if not terms:
            return self.evaluator.multiply_plain(self.shards[0], 0)
        by_source: dict[tuple[int, bool], list[Term]] = {}
        for term in terms:
            by_source.setdefault((term.source, term.swap), []).append(term)
        parts = [self._part(group) for group in by_source.values()]
        total = parts[0]
        for part in parts[1:]:
            total = self.evaluator.add(total, part)
        return total

    def _part(self, terms: list[Term]) -> Ciphertext:
        """The terms of one source, in giant steps of baby steps: rot(sum_b rot(mask, -jg) rot(x, b), jg)."""
        stride = giant_step([term.step for term in terms]) if terms[0].mask is not None else 0
        source, swap = terms[0].source, terms[0].swap
        giants: dict[int, list[Term]] = {}
        for term in terms:
            giants.setdefault(term.step // stride * stride if stride else 0, []).append(term)
        self._rotate(source, swap, [term.step - giant for giant, group in giants.items() for term in group])
        total = None
        for giant, group in giants.items():
            part = self._masked(group, giant)
            part = self.evaluator.rotate(part, giant) if giant else part
            total = part if total is None else self.evaluator.add(total, part)
        assert total is not None
        return total

    def _masked(self, terms: list[Term], giant: int) -> Ciphertext:
        total = None
        for term in terms:
            part = self._known[term.source, term.swap, term.step - giant]
            if term.mask is not None:
                part = self.evaluator.multiply_plain(part, self._shifted(term.mask, giant).astype(self.dtype))
            total = part if total is None else self.evaluator.add(total, part)
        assert total is not None
        return total

    def _shifted(self, mask: NDArray[np.bool_], giant: int) -> NDArray[np.bool_]:
        rows = mask.reshape(-1, self.evaluator.row)
        return np.roll(rows, giant, axis=1).ravel()

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


@lru_cache(maxsize=256)
def _giant_step(steps: tuple[int, ...]) -> int:
    choices = [1 << k for k in range(max(steps).bit_length())]
    best = min(choices, key=lambda g: len({s % g for s in steps}) + len({s // g for s in steps}))
    return best if len({s % best for s in steps}) + len({s // best for s in steps}) < len(steps) else 0


def giant_step(steps: Sequence[int]) -> int:
    """The stride of giant steps that needs the fewest rotations in all, 0 where few or scattered steps need none.

    >>> giant_step(range(64)), giant_step([1, 2, 3])
    (8, 0)
    """
    return _giant_step(tuple(steps)) if len(steps) > FEW else 0
