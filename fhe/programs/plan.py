"""`Plan`: all that is known of a program before it runs. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fhe.parameters import Parameters
from fhe.programs.dry import Trial
from fhe.programs.graph import Graph
from fhe.programs.spec import Spec
from fhe.rlwe.encodings import Encodings


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A function, traced and planned.

    name
        Of the function.
    specs
        Its arguments, by name.
    source, graph
        What was traced, and what is run: with polynomials instead of functions.
    trial
        The dry run that proves that parameters and keys will do.
    precision
        What no result is off by more than, in CKKS, beside what was assumed.
    publish
        As `fhe.ckks` takes it.
    hide
        The statistical bits by which `Context.hide_circuit` hides results, where that is planned.
    encodings
        What the last run encoded, kept for the next, whoever's keys that has; up to ``encodings.limit`` bytes.
    """

    name: str
    specs: Mapping[str, Spec]
    source: Graph
    graph: Graph
    trial: Trial
    precision: float | None
    publish: tuple[int, int] | None = None
    hide: int | None = None
    encodings: Encodings = field(default_factory=Encodings, repr=False)

    @property
    def parameters(self) -> Parameters:
        """The smallest secure set that holds the function."""
        return self.trial.parameters

    @property
    def keys(self) -> dict[int, int]:
        """The evaluation keys that it uses, by Galois element (0 for relinearisation): up to which level each."""
        return self.trial.key_levels()
