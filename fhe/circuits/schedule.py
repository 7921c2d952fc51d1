"""Baby steps and giant steps: how a linear map is computed, by what rotations cost and which keys are at hand.

    sum_k u_k * rot(x, k) = sum_G rot( sum_b rot(u_{G+b}, -G) * rot(x, b), G ),    k = G + b.

Baby steps b share the digits of x, and are not divided by P; giant steps G need digits of their own, of one component.
So a baby step costs a fraction of a giant step, and there are more of them. (Bossuat et al., ePrint 2020/1203.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from fhe import costs
from fhe.parameters import Parameters
from fhe.rlwe.routes import Routes


@dataclass(frozen=True, slots=True)
class Prices:
    """What the pieces of a linear map cost at a level, in cycles."""

    hoist: float
    baby: float
    giant: float
    rotation: float
    product: float


@lru_cache(maxsize=256)
def prices(parameters: Parameters, level: int) -> Prices:
    """By the model of `fhe.costs`."""
    N, digit = parameters.ring_degree, parameters.digit
    q_bits = [q.bit_length() for q in parameters.moduli(level)]
    p_bits = [p.bit_length() for p in parameters.special]
    return Prices(
        hoist=costs.hoisting(N, q_bits, p_bits, digit),
        baby=costs.hoisted_rotation(N, q_bits, p_bits, digit),
        giant=costs.extended_rotation(N, q_bits, p_bits, digit),
        rotation=costs.rotation(N, q_bits, p_bits, digit),
        product=costs.extended_product(N, [*p_bits, *q_bits]),
    )


@dataclass(frozen=True, slots=True)
class Schedule:
    """For every step its baby step and its giant step, and the rotations before (spreads) and after (folds)."""

    babies: tuple[int, ...]
    giants: tuple[int, ...]
    spreads: tuple[int, ...]
    folds: tuple[int, ...]
    cycles: float

    @property
    def rotations(self) -> list[int]:
        """The steps that it rotates by, ascending."""
        return sorted({*self.babies, *self.giants, *self.spreads, *self.folds} - {0})

    @property
    def switches(self) -> int:
        """Giant steps that switch keys."""
        return len(set(self.giants) - {0})


def schedules(
    steps: Sequence[int], spreads: Sequence[int], folds: Sequence[int], price: Prices, routes: Routes
) -> Iterator[Schedule]:
    """Every split into baby and giant steps that is worth a look, and that the keys allow."""
    around = _cost([*spreads, *folds], price.giant, price.giant, routes)
    if not steps:
        yield Schedule((), (), (), (), 0.0)
    k = np.array(steps, dtype=np.int64)
    for stride, offset in _splits(steps):
        babies = (k - offset) % stride + offset
        giants = k - babies
        distinct = set(babies.tolist()) - {0}
        baby = _cost(distinct, price.baby, price.rotation + price.hoist, routes)
        giant = _cost(set(giants.tolist()) - {0}, price.giant, price.giant, routes)
        if around is None or baby is None or giant is None:
            continue
        cycles = around + baby + giant + len(k) * price.product + (price.hoist if distinct else 0.0)
        yield Schedule(tuple(babies.tolist()), tuple(giants.tolist()), tuple(spreads), tuple(folds), cycles)


def _cost(steps: Sequence[int] | set[int], first: float, more: float, routes: Routes) -> float | None:
    """Of rotations by these steps, the first of a way and the others; None where the keys lead not to all of them."""
    if routes.held is None:
        return first * len(steps)
    total = 0.0
    for step in steps:
        length = routes.length(step)
        if length is None:
            return None
        total += first + (length - 1) * more
    return total


def _splits(steps: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Strides of giant steps, and where the baby steps begin: at 0, at the first step, or around 0."""
    span = steps[-1] - steps[0] + 1 if steps else 0
    strides = {1 << j for j in range(span.bit_length() + 1)} | {3 << j for j in range((span // 3).bit_length())}
    strides |= set(np.diff(steps[:64]).tolist())
    for stride in sorted(strides) if steps else ():
        yield from ((stride, offset) for offset in {0, steps[0], -(stride // 2)})
