"""Rotations of ciphertexts over P*Q, by any step that the keys at hand lead to."""

from __future__ import annotations

from collections.abc import Iterable

from fhe.circuits.evaluator import Evaluator
from fhe.rlwe.automorphism import rotation_element
from fhe.rlwe.ciphertext import Ciphertext
from fhe.rlwe.extended import Extended, Hoisted, extended
from fhe.rlwe.routes import Routes


class Rotations:
    """The rotations of one ciphertext; those that begin alike share digits, and nothing is computed twice."""

    def __init__(self, evaluator: Evaluator, routes: Routes, x: Ciphertext | Extended) -> None:
        self._keys, self._routes = evaluator.keys, routes
        self._ring_degree = evaluator.chain.parameters.ring_degree
        self._rotated: dict[int, Extended] = {}
        self._hoisted: dict[int, Hoisted] = {0: Hoisted.of(x)}

    def __getitem__(self, step: int) -> Extended:
        """P times the rotation by a step."""
        way = self._routes.way(step)
        if not way:
            return self._hoisted[0].identity
        place = sum(way)
        if place not in self._rotated:
            element = rotation_element(way[-1], self._ring_degree)
            self._rotated[place] = self._at(way[:-1]).automorphism(element, self._keys)
        return self._rotated[place]

    def _at(self, way: tuple[int, ...]) -> Hoisted:
        place = sum(way)
        if place not in self._hoisted:
            self._hoisted[place] = Hoisted.of(self[place])
        return self._hoisted[place]


def rotated(evaluator: Evaluator, routes: Routes, x: Ciphertext | Extended | Hoisted, step: int) -> Extended:
    """P times x rotated by one step."""
    hoisted, N = x if isinstance(x, Hoisted) else Hoisted.of(x), evaluator.chain.parameters.ring_degree
    first, *more = routes.way(step) or (0,)
    found = hoisted.automorphism(rotation_element(first, N), evaluator.keys, alone=True)
    for part in more:
        found = Hoisted.of(found).automorphism(rotation_element(part, N), evaluator.keys, alone=True)
    return found


def doubled(evaluator: Evaluator, routes: Routes, x: Ciphertext | Extended, steps: Iterable[int]) -> Extended:
    """x added to itself rotated, once for each step: P times the sum of x rotated by every sum of some of them."""
    for step in steps:
        hoisted = Hoisted.of(x)
        x = hoisted.identity + rotated(evaluator, routes, hoisted, step)
    return x if isinstance(x, Extended) else extended(x, evaluator.keys)
