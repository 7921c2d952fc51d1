"""`compile`: from a plain function to a program."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fhe.errors import EncodingError, ParameterError
from fhe.hiding import checked_bits
from fhe.programs.choice import Demand, Task, explored, fitting_ckks, smallest
from fhe.programs.graph import Graph
from fhe.programs.lower import approximates, lowered
from fhe.programs.passes.common import without_repetitions
from fhe.programs.passes.dead import without_dead
from fhe.programs.passes.divide import with_inverses
from fhe.programs.passes.fuse import fused
from fhe.programs.passes.scale import with_factors_met
from fhe.programs.program import Program
from fhe.programs.ranges import Range, ranges
from fhe.programs.spec import Spec
from fhe.programs.symbolic import traced
from fhe.programs.tailored import fitting

PASSES: tuple[Callable[[Graph], Graph], ...] = (
    without_dead,
    without_repetitions,
    with_inverses,
    with_factors_met,
    fused,
    without_repetitions,
    without_dead,
)
SHARES = (0.5, 0.8)  # of the precision, what functions may be off by; the rest is noise
STEPS = 6
SCOUTING_DEGREE, SCOUTING_SCALE = 1 << 13, 60


def compile(
    function: Callable[..., Any],
    *specs: Any,
    precision: float = 1e-4,
    security: int = 128,
    quantum: bool = False,
    publish: tuple[int, int] | None = None,
    hide: int | None = None,
    ring_degree: int | None = None,
    insecure: str | None = None,
    **named: Any,
) -> Program:
    """The program of a plain function of arrays: its parameters and keys chosen, its functions approximated.

    Each argument is an `fhe.spec`, or a value that stays what it is. The function runs once, on arrays without values;
    what it does with them is written down, and executed on ciphertexts without content until the smallest secure
    parameters are found with which no result is off by more than ``precision`` (its tracked bound, which fails with
    probability 2^-128). Integer arguments compute exactly, by BFV, and others by CKKS. With
    ``publish=(precision_bits, queries)`` results leave room for `KeyOwner.decrypt_public`. With
    ``hide=statistical_bits`` they leave room for `Context.hide_circuit`, the evaluator's last step, and keep
    ``precision`` after it.

    A branch on encrypted values raises TypeError. ParameterError says what makes a function too deep or too precise
    for the largest ring; other errors name the line.

    >>> import fhe
    >>> program = fhe.compile(lambda x: 1 / (1 + np.exp(-x)), fhe.spec(100, bound=4), precision=1e-3)
    >>> owner = program.keygen()
    >>> y = owner.decrypt(program(owner.encrypt(np.linspace(-4, 4, 100))))
    >>> bool(abs(y - 1 / (1 + np.exp(-np.linspace(-4, 4, 100)))).max() < 1e-3)
    True
    """
    arguments = _arguments(function, specs, named)
    given = {name: spec for name, spec in arguments.items() if isinstance(spec, Spec)}
    kinds = {spec.kind for spec in given.values() if spec.encrypted}
    if not kinds:
        raise EncodingError("a program has an encrypted argument, an fhe.spec(shape, bound=…); this has none")
    exact = kinds == {"integer"}
    if not exact and "integer" in kinds:
        raise EncodingError('encrypted arguments are all integers, or none is; say kind="real" of those that may be')
    graph = traced(function, arguments)
    source = graph
    for transformed in PASSES:
        graph = transformed(graph)
    if hide is not None:
        checked_bits(hide)
    demand = Demand(security, quantum, ring_degree, insecure)
    name = getattr(function, "__name__", type(function).__name__)
    if exact:
        if publish is not None:
            raise ParameterError("publish= is for approximate results; exact ones carry no noise")
        trial = smallest(Task(graph, given, hide=hide), demand, fitting)
        return Program(name, given, source, graph, trial, None, None, hide)
    if not 0 < precision < math.inf:
        raise ParameterError(f"precision is what results may be off by, a positive number, not {precision!r}")
    graph = with_polynomials(graph, given, precision)
    trial = smallest(Task(graph, given, -math.log2(precision), publish, hide), demand, fitting_ckks)
    return Program(name, given, source, graph, trial, precision, publish, hide)


def _arguments(function: Callable[..., Any], specs: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
    """Arguments by name; x0, x1 … where a function, as those of NumPy, does not tell its own."""
    try:
        return dict(inspect.signature(function).bind(*specs, **named).arguments)
    except ValueError:
        return {f"x{place}": spec for place, spec in enumerate(specs)} | named


def with_polynomials(graph: Graph, specs: Mapping[str, Spec], precision: float) -> Graph:
    """The graph without functions, approximated so well that some of the precision is left to noise.

    Half of it, or less where that saves a level.
    """
    known = ranges(graph, specs)
    if not any(approximates(node) for node in graph.nodes):
        return graph
    found = [_approximated(graph, specs, known, precision * share) for share in SHARES]
    return min(found, key=lambda candidate: candidate[1])[0]


def _approximated(graph: Graph, specs: Mapping[str, Spec], known: Sequence[Range], allowed: float) -> tuple[Graph, int]:
    """The graph with polynomials that make no result wrong by more than is allowed, and its levels.

    A first guess tells how much an error of each does to the result; the next is right, or nearly.
    """
    error = allowed
    for _ in range(STEPS):
        candidate = lowered(graph, known, error)
        trial, depth = explored(Task(candidate, specs), SCOUTING_DEGREE, SCOUTING_SCALE)
        off = 2.0**-trial.precision
        if off <= allowed:
            return candidate, depth
        error = min(error / 2, error * allowed / off * 0.9)
    raise ParameterError(
        f"functions can not be approximated so well that results are within {allowed:.2g}; ask for less precision, or "
        "narrow what they are functions of by fhe.assume(x, bound)"
    )
