"""Parameters for a program: the smallest secure ring, and the shortest chain, on which a dry run keeps its promise."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count as integers_from
from typing import Any

from fhe.choice import WIDEST_VALUE_BITS, choose_bfv, choose_ckks
from fhe.ckks.flooding import Flooding
from fhe.errors import FHEError, LevelError, NoiseError, ParameterError, ScaleError, ValueOverflowError
from fhe.moduli import LARGEST_LEVEL_BITS, SMALLEST_BITS
from fhe.parameters import LARGEST_PLAIN_BITS, CKKSParameters
from fhe.primes import is_prime
from fhe.programs.dry import DRY, DryMachine, Trial
from fhe.programs.graph import Graph
from fhe.programs.spec import Spec
from fhe.security import LARGEST_LOG_N, SMALLEST_LOG_N

DEPTHS = (8, 16, 32, 64, 100)  # to try in a dry run, until one is enough
LOOKS = (40, 60, 80)  # bits of scale of a first look, until noise is little enough
ROOMY_BASE = LARGEST_LEVEL_BITS - 2
LARGEST_SCALE = LARGEST_LEVEL_BITS - 6
MOST_STEPS = 12


@dataclass(frozen=True, slots=True)
class Demand:
    """What is asked of parameters, whatever the program."""

    security: int = 128
    quantum: bool = False
    ring_degree: int | None = None
    insecure: str | None = None

    @property
    def claims(self) -> dict[str, Any]:
        return {"security": self.security, "quantum": self.quantum, "insecure": self.insecure}

    def degrees(self) -> Iterator[int]:
        """The ring degrees to try, ascending."""
        yield from (
            [self.ring_degree] if self.ring_degree else [1 << k for k in range(SMALLEST_LOG_N, LARGEST_LOG_N + 1)]
        )


@dataclass(frozen=True, slots=True)
class Task:
    """A graph without functions, its arguments, how many bits after the point have to be right, what is planned for."""

    graph: Graph
    specs: Mapping[str, Spec]
    precision_bits: float = -math.inf
    publish: tuple[int, int] | None = None
    hide: int | None = None

    def tried(self, parameters: Any, wrapping: bool = True) -> Trial:
        """A dry run."""
        return DryMachine(parameters, wrapping).run(self.graph, self.specs, self.hide)


def smallest(task: Task, demand: Demand, fitting: Callable[[Task, Demand, int], Trial]) -> Trial:
    """The dry run at the smallest ring degree that fits; ParameterError with the reason where none does."""
    refusal: FHEError | None = None
    for N in demand.degrees():
        try:
            return fitting(task, demand, N)
        except ParameterError as error:
            refusal = error
    raise ParameterError(f"this program fits no ring: {refusal}") from refusal


# --- CKKS --------------------------------------------------------------------------------------------------------


def explored(task: Task, N: int, scale_bits: int = LOOKS[0]) -> tuple[Trial, int]:
    """A dry run with levels, bounds and security to spare, and the levels that it took."""
    bound = 2.0 ** (ROOMY_BASE - scale_bits)
    for depth in DEPTHS:
        try:
            parameters = choose_ckks(depth, scale_bits, bound, ring_degree=N, insecure=DRY)
            trial = task.tried(parameters)
            return trial, depth - trial.lowest
        except LevelError as error:
            deeper = error
    raise LevelError(f"this program is more than {DEPTHS[-1]} levels deep; {culprit(deeper)}") from deeper


def culprit(error: Exception) -> str:
    """The operation and line that an error of a dry run names."""
    return "it gets there in " + str(error).rpartition(" [")[2].rstrip("]")


def deepest(task: Task, trial: Trial) -> str:
    """The operation and line that make the value of the lowest level, and that of the largest."""
    names = {number: name for name, number in task.graph.inputs.items()}

    def named(number: int) -> str:
        node = task.graph.nodes[number]
        return f"argument {names[number]}" if number in names else f"{node.operation} at {node.where}"

    lowest = min(trial.sights, key=lambda number: (trial.sights[number].level, number))
    largest = max(trial.sights, key=lambda number: trial.sights[number].bound)
    return (
        f"the deepest of its values comes from {named(lowest)}, the largest, up to "
        f"{trial.sights[largest].bound:.3g}, from {named(largest)}"
    )


def fitting_ckks(task: Task, demand: Demand, N: int) -> Trial:
    """The dry run with the shortest chain and the smallest scale that keep the promised precision."""
    try:
        trial, depth = _first_look(task, N)
    except NoiseError as error:
        raise ParameterError(f"noise is too much at N = {N}, whatever the scale: {error}") from error
    try:
        return _smallest_scale(task, demand, N, trial, depth)
    except ParameterError as error:
        raise ParameterError(f"{error}; {deepest(task, trial)}") from error


def _smallest_scale(task: Task, demand: Demand, N: int, trial: Trial, depth: int) -> Trial:
    """From a first look on, by what each dry run misses or has to spare, until one bit less does not do."""
    assert isinstance(trial.parameters, CKKSParameters)
    scale = trial.parameters.scale_bits
    room = trial.base_bits + trial.parameters.log_modulus(trial.lowest) - trial.parameters.log_modulus(0) - scale
    scale = _within(scale + math.ceil(task.precision_bits - trial.precision))
    best: Trial | None = None
    refused = SMALLEST_BITS - 1
    for _ in range(MOST_STEPS):
        try:
            found, depth, room = _deep_enough(task, demand, N, depth, scale, room)
            missing = _missing(task, found)
        except NoiseError:
            found, missing = trial, 1
        if missing <= 0:
            best, missing = found, min(missing, -1)
            assert isinstance(best.parameters, CKKSParameters)
        else:
            refused = max(refused, scale)
            if scale == LARGEST_SCALE:
                raise ParameterError(
                    f"a precision of {task.precision_bits:.1f} bits after the point is beyond doubles, or beyond "
                    f"scales of {LARGEST_SCALE} bits; {found.precision:.1f} bits are what there is"
                )
        if best is not None and (scale_of(best) - 1 <= refused or scale_of(best) == SMALLEST_BITS):
            return best
        scale = _within(max(scale + missing, refused + 1) if best is None or missing < 0 else scale_of(best) - 1)
        scale = scale if best is None else max(min(scale, scale_of(best) - 1), refused + 1)
    if best is None:
        raise ParameterError(f"no scale was found at N = {N} for {task.precision_bits:.1f} bits of precision")
    return best


def scale_of(trial: Trial) -> int:
    """The bits of a trial's scale."""
    assert isinstance(trial.parameters, CKKSParameters)
    return trial.parameters.scale_bits


def _within(scale: int) -> int:
    return max(SMALLEST_BITS, min(scale, LARGEST_SCALE))


def _missing(task: Task, trial: Trial) -> int:
    """By how many bits the precision falls short; negative where there are some to spare."""
    missing = math.ceil(task.precision_bits - trial.precision)
    if task.publish is not None:
        plan = Flooding(*task.publish)
        tolerated = -math.log2(plan.tolerated)
        assert isinstance(trial.parameters, CKKSParameters)
        missing = max(missing, math.ceil(tolerated - trial.precision), plan.missing_bits(trial.parameters) or -1)
    return missing


def _first_look(task: Task, N: int) -> tuple[Trial, int]:
    """`explored` at the usual scale, or at a larger one where noise would be too much."""
    for scale in LOOKS[:-1]:
        try:
            return explored(task, N, scale)
        except (NoiseError, ScaleError):
            continue
    return explored(task, N, LOOKS[-1])


def _deep_enough(task: Task, demand: Demand, N: int, depth: int, scale: int, room: float) -> tuple[Trial, int, float]:
    """The dry run at the least depth from ``depth`` on, with a base level just large enough."""
    while True:
        bound = 2.0 ** max(room - 1, SMALLEST_BITS - scale - 1)
        parameters = choose_ckks(depth, scale, bound, ring_degree=N, **demand.claims)
        try:
            return task.tried(parameters), depth, room
        except LevelError:
            depth += 1
        except ScaleError:
            room += 0.5


# --- BFV ---------------------------------------------------------------------------------------------------------


def fitting_bfv(task: Task, demand: Demand, N: int) -> Trial:
    """The dry run with the least plain modulus that holds all results, and the shortest chain that holds the noise."""
    integers, depth = wide_enough(task, N), 0
    while True:
        parameters = choose_bfv(depth, ring_degree=N, **telling_apart(integers), **demand.claims)
        try:
            return task.tried(parameters)
        except NoiseError:
            depth += 1


def wide_enough(task: Task, N: int) -> int:
    """The least plain modulus that tells all results apart, or how many they are where that takes several."""
    t = plain_modulus(N, 1)
    while (integers := _unbounded(task, N, t).widest + 1) > t:
        if integers.bit_length() > LARGEST_PLAIN_BITS:
            return integers
        t = plain_modulus(N, integers)
    return t


def telling_apart(integers: int) -> dict[str, int]:
    """What `choose_bfv` is asked for: a plain modulus, or if that is too wide, value bits (then M > 2^(bits + 1))."""
    if integers.bit_length() <= LARGEST_PLAIN_BITS:
        return {"plain_modulus": integers}
    if integers.bit_length() > WIDEST_VALUE_BITS:
        raise ValueOverflowError(
            f"results may be one of 2^{integers.bit_length()} integers, and {WIDEST_VALUE_BITS} bits are the most; "
            "promise smaller bounds, or use fhe.assume where the worst case can not happen"
        )
    return {"value_bits": integers.bit_length() - 1}


def _unbounded(task: Task, N: int, t: int) -> Trial:
    for depth in DEPTHS:
        try:
            return task.tried(choose_bfv(depth, t, ring_degree=N, insecure=DRY), wrapping=False)
        except NoiseError as error:
            deeper = error
    raise LevelError(f"this program takes more than {DEPTHS[-1]} products in a row; {culprit(deeper)}") from deeper


def plain_modulus(N: int, least: int) -> int:
    """The smallest prime t = 1 mod 2N from ``least`` on: slots, and so many integers.

    >>> plain_modulus(4096, 1), plain_modulus(8192, 50000)
    (40961, 65537)
    """
    start = max(-(-(least - 1) // (2 * N)), 1)
    return next(t for k in integers_from(start) if is_prime(t := 2 * N * k + 1))
