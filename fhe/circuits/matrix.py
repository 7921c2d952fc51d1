"""Products with plain matrices: encoded once, multiplied with many vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fhe.circuits.diagonals import Diagonals, forms, repeating
from fhe.circuits.evaluator import Evaluator
from fhe.circuits.rotations import Rotations, doubled, rotated
from fhe.circuits.schedule import Prices, Schedule, prices, schedules
from fhe.errors import EncodingError
from fhe.rlwe.ciphertext import Ciphertext, Factors
from fhe.rlwe.extended import Extended, weighted_sums
from fhe.rlwe.routes import Routes


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """What a linear map is without whoever computes it: its diagonals, how they are gone through, and their encodings.

    ``period`` is that of results, ``scale`` that of plaintexts; ``factors`` are by level.
    """

    diagonals: Diagonals
    schedule: Schedule
    period: int
    scale: float | None
    factors: dict[int, Factors] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        """Bytes of the entries and of all that they were encoded to."""
        entries = sum(part.nbytes for part in self.diagonals.entries)
        return entries + sum(factors.nbytes for factors in list(self.factors.values()))


class LinearMap:
    """A plain linear map of the slots of a ciphertext: one level, encoded once for each level that it is used at.

    Made by `LinearMap.of_matrix`. ``zero_padded`` says that the slots after the vector are zero, which saves
    about half of the work; without, whatever they hold has no influence. ``level`` is where it will be used, to count
    costs; by default the highest. ``scale`` is that of its plaintexts in CKKS, by default the level's own.
    """

    def __init__(
        self,
        evaluator: Evaluator,
        candidates: Sequence[Diagonals],
        periods: Sequence[int] = (),
        *,
        level: int | None = None,
        scale: float | None = None,
    ) -> None:
        self.evaluator = evaluator
        self._routes = Routes.of(evaluator.keys, evaluator.row)
        diagonals, schedule = self._cheapest(candidates, level)
        period = next((p for form, p in zip(candidates, periods, strict=False) if form is diagonals), 0)
        self.prepared = Prepared(diagonals, schedule, period, scale)

    @classmethod
    def of(cls, evaluator: Evaluator, prepared: Prepared) -> LinearMap:
        """What was prepared for the same chain and the same rotation keys, with its encodings."""
        made = cls.__new__(cls)
        made.evaluator, made.prepared = evaluator, prepared
        made._routes = Routes.of(evaluator.keys, evaluator.row)
        return made

    @classmethod
    def of_matrix(
        cls, evaluator: Evaluator, matrix: NDArray[Any], zero_padded: bool = True, period: int = 0
    ) -> LinearMap:
        """matrix @ x for x in the first slots; the slots after the result hold no meaning.

        With a ``period``, a power of two, x repeats through the row, and so does the result: `diagonals.repeating`.

        Raises EncodingError for a matrix larger than a row of slots, MissingKeyError where the rotation keys at hand
        do not suffice.
        """
        if matrix.ndim != 2 or max(matrix.shape) > evaluator.row or 0 in matrix.shape:
            raise EncodingError(
                f"a matrix of shape {matrix.shape} does not act within a row of {evaluator.row} slots; it needs two "
                "axes, neither longer than that: use a larger ring_degree, or multiply block by block"
            )
        if period:
            return cls(evaluator, *zip(*repeating(matrix, evaluator.row, period), strict=True))
        return cls(evaluator, list(forms(matrix, evaluator.row, zero_padded)))

    @property
    def diagonals(self) -> Diagonals:
        """The form that was chosen."""
        return self.prepared.diagonals

    @property
    def schedule(self) -> Schedule:
        """How it is gone through."""
        return self.prepared.schedule

    @property
    def period(self) -> int:
        """With which period results repeat through the row, 0 where they do not."""
        return self.prepared.period

    @property
    def rotations(self) -> list[int]:
        """The rotation steps that have to have keys, or to be sums of steps that have."""
        return self.schedule.rotations

    def encode(self, level: int) -> Factors:
        """The diagonals as plaintexts over P*Q_level; kept."""
        known = self.prepared.factors
        if level not in known:
            vectors = self.diagonals.vectors(self.schedule.giants)
            if self.diagonals.period and self.evaluator.slots > self.evaluator.row:  # in both rows
                vectors = np.tile(vectors, self.evaluator.slots // self.diagonals.width)
            gains, copies = (self.diagonals.gain, self.diagonals.energy), 1 << len(self.schedule.folds)
            known[level] = self.evaluator.encode_factors(vectors, level, gains, copies, self.prepared.scale)
        return known[level]

    def __call__(self, x: Ciphertext) -> Ciphertext:
        """The map of an encrypted vector."""
        evaluator = self.evaluator
        x = evaluator.settle(x)
        if not self.diagonals.steps:
            return evaluator.multiply_plain(x, 0)
        factors = self.encode(x.level)
        result = evaluator.forecast(x, self._noise(x, factors), self.diagonals.sums, factors.scale)
        total = doubled(evaluator, self._routes, self._weighted(x, factors), self.schedule.folds)
        return result.with_polys(total.lowered(result.level))

    # --- inside -------------------------------------------------------------------------------------------------------

    def _cheapest(self, candidates: Sequence[Diagonals], level: int | None) -> tuple[Diagonals, Schedule]:
        """By the keys at hand; MissingKeyError with the steps of the best where these lead to none."""
        parameters = self.evaluator.chain.parameters
        price = prices(parameters, parameters.max_level if level is None else level)
        found = cheapest(candidates, price, self._routes)
        if found is None:
            wanted = cheapest(candidates, price, Routes(None, self.evaluator.row))
            assert wanted is not None
            self._routes.require(wanted[1].rotations)
            raise AssertionError("keys for all steps of a schedule allow it")
        return found

    def _noise(self, x: Ciphertext, factors: Factors) -> Any:
        """Of the result before it is divided by P: every key switching is counted as often as it is folded."""
        ledger, level, schedule = self.evaluator, x.level, self.schedule
        noise = ledger.noise_of(x)
        for step in schedule.spreads:
            noise = ledger.summed_noise(noise, ledger.switched_noise(noise, level, self._length(step)))
        noise = ledger.switched_noise(noise, level, max(map(self._length, schedule.babies)))
        switches = sum(map(self._length, set(schedule.giants)))
        for step in schedule.folds:
            switches = 2 * switches + self._length(step)
        return ledger.switched_noise(ledger.weighted_noise(x, noise, factors), level, switches)

    def _length(self, step: int) -> int:
        return len(self._routes.way(step))

    def _weighted(self, x: Ciphertext, factors: Factors) -> Extended:
        """sum_G rot( sum_b u_{G+b} rot(x, b), G ), each baby step computed once."""
        evaluator, routes, schedule = self.evaluator, self._routes, self.schedule
        spread = doubled(evaluator, routes, x, schedule.spreads) if schedule.spreads else x
        rotations, babies = Rotations(evaluator, routes, spread), sorted(set(schedule.babies))
        number = {baby: index for index, baby in enumerate(babies)}
        groups: dict[int, list[int]] = {}
        for index, giant in enumerate(schedule.giants):
            groups.setdefault(giant, []).append(index)
        sums = [
            ([number[schedule.babies[index]] for index in members], [factors.polys[index] for index in members])
            for members in groups.values()
        ]
        found = weighted_sums([rotations[baby] for baby in babies], sums)
        parts = [
            rotated(evaluator, routes, part, giant) if giant else part
            for giant, part in zip(groups, found, strict=True)
        ]
        return reduce(add, parts)


def cheapest(candidates: Sequence[Diagonals], price: Prices, routes: Routes) -> tuple[Diagonals, Schedule] | None:
    """The cheapest form and schedule that the routes allow."""
    found = (
        (form, schedule)
        for form in candidates
        for schedule in schedules(form.steps, form.spreads, form.folds, price, routes)
    )
    return min(found, key=lambda pair: pair[1].cycles, default=None)
