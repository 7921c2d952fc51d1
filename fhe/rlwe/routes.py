"""Rotations by any step from the keys at hand: a step without a key is a sum of steps that have one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fhe.errors import MissingKeyError
from fhe.rlwe.automorphism import rotation_element
from fhe.rlwe.ciphertext import Ciphertext
from fhe.rlwe.evaluate import hoist
from fhe.rlwe.keyswitch import Digits
from fhe.rlwe.public import EvaluationKeys


class Automorphism(Protocol):
    """X to X^g on a ciphertext, as a scheme does it; with the digits of one of degree 1 if they are known."""

    def __call__(self, x: Ciphertext, element: int, digits: Digits | None = None) -> Ciphertext: ...


class Routes:
    """The shortest ways to rotation steps, modulo the row, by steps that have a key (``held``; None: every one has).

    The ways form a tree with root 0: a way without its last step is the way to where it then leads, so ways to many
    steps share their beginnings.

    >>> routes = Routes(held=(1, 4), row=16)
    >>> routes.way(6), routes.way(-4), routes.length(7), Routes(None, 16).way(-4)
    ((1, 1, 4), (4, 4, 4), 4, (12,))
    """

    def __init__(self, held: Iterable[int] | None, row: int) -> None:
        self.row = row
        self.held = None if held is None else tuple(sorted({step % row for step in held} - {0}))
        self._tree = None if self.held is None else _tree(self.held, row)

    @classmethod
    def of(cls, keys: EvaluationKeys, row: int) -> Routes:
        """By the rotation keys of a context."""
        return cls(keys.rotation_steps(), row)

    def length(self, step: int) -> int | None:
        """How many rotations lead to a step; None where none do."""
        step %= self.row
        if self._tree is None:
            return int(step != 0)
        length = int(self._tree[1][step])
        return None if length < 0 else length

    def way(self, step: int) -> tuple[int, ...]:
        """The steps that lead to a step, of which each has a key; MissingKeyError where none do."""
        self.require([step])
        step %= self.row
        if self._tree is None:
            return (step,) if step else ()
        way: list[int] = []
        while step:
            way.append(int(self._tree[0][step]))
            step = (step - way[-1]) % self.row
        return tuple(reversed(way))

    def require(self, steps: Iterable[int]) -> None:
        """Raise MissingKeyError unless there are ways to all steps: it names the keys to make."""
        missing = [step for step in steps if self.length(step) is None]
        if missing:
            raise MissingKeyError(
                f"rotating by {', '.join(map(str, missing))} needs a rotation key for each step, or for steps that add "
                f"up to it, and this context has {list(self.held or ())}; the key owner makes them: "
                f"owner.public(rotations={missing})"
            )


def way(keys: EvaluationKeys, step: int, row: int) -> tuple[int, ...]:
    """The rotations that a rotation by a step is made of: itself if it has a key, none for the identity."""
    if step % row == 0:
        return ()
    if keys.holds(rotation_element(step, 2 * row)):
        return (step,)
    return Routes.of(keys, row).way(step)


def rotated(automorphism: Automorphism, keys: EvaluationKeys, x: Ciphertext, step: int) -> Ciphertext:
    """x rotated by a step, one automorphism after another."""
    N = x.chain.parameters.ring_degree
    for part in way(keys, step, N // 2):
        x = automorphism(x, rotation_element(part, N))
    return x


def all_rotated(
    automorphism: Automorphism,
    keys: EvaluationKeys,
    x: Ciphertext,
    steps: Sequence[int],
    settle: Callable[[Ciphertext], Ciphertext],
) -> list[Ciphertext]:
    """x, once it is settled, rotated by each step; those that have a key share its decomposition (hoisting)."""
    N = x.chain.parameters.ring_degree
    ways, x = [way(keys, step, N // 2) for step in steps], settle(x)
    digits = hoist(x) if any(len(parts) == 1 for parts in ways) else None
    return [
        automorphism(x, rotation_element(parts[0], N), digits)
        if len(parts) == 1
        else rotated(automorphism, keys, x, step)
        for parts, step in zip(ways, steps, strict=True)
    ]


@lru_cache(maxsize=16)
def _tree(held: tuple[int, ...], row: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """For every step the last one of the shortest way to it, and its length, or -1 where there is none.

    Ways are no longer than log2(row) + 1, what powers of two and a sign allow: beyond that a key is worth its bytes.
    """
    last, length = np.zeros(row, dtype=np.int32), np.full(row, -1, dtype=np.int32)
    length[0], reached = 0, np.zeros(1, dtype=np.int64)
    for distance in range(1, row.bit_length() + 1):
        found = []
        for step in reversed(held):
            places = (reached + step) % row
            places = places[length[places] < 0]
            length[places], last[places] = distance, step
            found.append(places)
        reached = np.concatenate([np.zeros(0, dtype=np.int64), *found])
        if not len(reached):
            break
    return last, length
