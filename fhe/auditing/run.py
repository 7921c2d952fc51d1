"""`audit`: a program run under a throw-away key, its shadow in the clear beside it."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fhe.arrays.packed import Packed
from fhe.arrays.wide import WideArray, integers_of, parts_of
from fhe.auditing.audit import Audit
from fhe.auditing.record import Search, Step
from fhe.auditing.search import searched
from fhe.errors import EncodingError, ValueOverflowError
from fhe.owner import KeyOwner
from fhe.programs.compiler import compile
from fhe.programs.explain import promise
from fhe.programs.graph import INPUT, Node, Slot, filled
from fhe.programs.operations import POLYNOMIAL, compute
from fhe.programs.program import Program
from fhe.programs.spec import spec

Inputs = Mapping[str, NDArray[Any]]

ASSUME = "fhe.assume"
DECISIONS = tuple(
    f"{of}.{name}" for name in ("greater", "greater_equal", "less", "less_equal", "sign") for of in ("np", "fhe")
)
CHOICES = "np.where", "fhe.where"
MARGIN = 2.0**-8  # of the public bound on what is compared, unless a margin is given
ROUNDING = 2.0**-40  # what the shadow itself may be off by, of the largest value


def audit(
    program: Program | Callable[..., Any],
    *inputs: Any,
    search: int = 0,
    seed: int = 0,
    precision: float = 1e-4,
    progress: bool = False,
    **named: Any,
) -> Audit:
    """Run a program under a throw-away key, with a shadow in the clear: error, bound, noise and time of each operation.

    ``inputs`` are plain. A function is compiled first, for inputs of these shapes as large as these, and this
    ``precision``. Flagged is what is beyond its tracked bound, a value beyond what `fhe.assume` promised, one that
    leaves the interval on which a function was approximated. What lies nearer than its margin is not decided, and
    counts as no error.

    With ``search`` so many further runs look for inputs, within what was promised of them, that maximise the error:
    from where approximations are the worst, from corners, at random, and by moving some coordinates at a time;
    ``progress=True`` shows a bar. The steps are then those of the worst inputs found. More than likely inputs show, and
    less than the bound allows: a search proves nothing.

    >>> import fhe
    >>> program = fhe.compile(lambda x: (x * x).sum(), fhe.spec(8, bound=1), precision=1e-2)
    >>> found = fhe.audit(program, np.linspace(-1, 1, 8))
    >>> found.ok, [step.operation for step in found.steps], found.error < 1e-2
    (True, ['input', 'np.multiply', 'np.sum', 'returned'], True)
    """
    if not isinstance(program, Program):
        program = compiled(program, inputs, named, precision)
    given = dict(zip(program.specs, inputs, strict=False)) | named
    if set(given) != set(program.specs) or len(inputs) + len(named) != len(given):
        raise TypeError(f"{program.name} takes the arguments {', '.join(program.specs)}, each once")
    values: Inputs = {name: one.checked(given[name], name) for name, one in program.specs.items()}
    owner = program.keygen()
    steps = run(program, owner, values)
    found = None
    if search:
        first = _error(steps)
        worst, most, runs = searched(program, values, lambda x: error_of(program, owner, x), search, seed, progress)
        if most > first:
            values, steps = worst, run(program, owner, worst)
        found = Search(runs, first, max(first, most))
    return Audit(program.name, program.parameters.summary(), program.precision is None, steps, values, found)


def compiled(
    function: Callable[..., Any], inputs: Sequence[Any], named: Mapping[str, Any], precision: float
) -> Program:
    """The function as a program for inputs like these, all of them encrypted."""
    arguments = inspect.signature(function).bind(*inputs, **named).arguments
    specs = {}
    for name, value in arguments.items():
        array = np.asarray(value)
        if array.dtype.kind not in "biufc" or not array.size:
            raise EncodingError(f"argument {name} of an audit is an array of numbers, got dtype {array.dtype}")
        largest = np.abs(array).max()
        bound = int(largest) or 1 if array.dtype.kind in "biu" else float(largest) or 1.0
        specs[name] = spec(array.shape, dtype=array.dtype, bound=bound)
    return compile(function, *specs.values(), precision=precision)


def error_of(program: Program, owner: KeyOwner, values: Inputs) -> float:
    """How far any result is off."""
    results = program.run(_encrypted(program, owner, values))
    pairs = zip(_flat(results), _flat(program.clear(**values)), strict=True)
    return max(_distance(_read(owner, x), y) for x, y in pairs)


def run(program: Program, owner: KeyOwner, values: Inputs) -> tuple[Step, ...]:
    """Every encrypted value of a run, then what is returned beside the function that was traced."""
    arguments = _encrypted(program, owner, values)
    watched = _Watched(program, owner, values)
    results = _flat(program.run(arguments, watched))
    expected = watched.decided() or _flat(program.clear(**values))
    returned = [
        watched.step(-1, Node("returned"), x, np.asarray(clear), 0.0, ())
        for x, clear in zip(results, expected, strict=True)
    ]
    return (*watched.steps, *returned)


def _mixed(node: Node, operands: Sequence[Any]) -> Any:
    """y + c (x - y): what `where` makes of a condition that is neither 0 nor 1."""
    condition, x, y = filled(node.arguments, operands)
    return np.where(condition, x, y) if np.asarray(condition).dtype.kind == "b" else y + condition * (x - y)


def _encrypted(program: Program, owner: KeyOwner, values: Inputs) -> dict[str, Any]:
    found = program.encrypt(owner, **values)
    return dict(zip(program.specs, found if isinstance(found, tuple) else (found,), strict=True))


def _flat(results: Any) -> list[Any]:
    if isinstance(results, dict):
        return [x for part in results.values() for x in _flat(part)]
    return [x for part in results for x in _flat(part)] if isinstance(results, tuple | list) else [results]


def _error(steps: Sequence[Step]) -> float:
    return max(step.error for step in steps if step.number < 0)


def _distance(x: NDArray[Any], y: NDArray[Any]) -> float:
    return float(np.max(np.abs(x - y), initial=0.0))


class _Watched:
    """Sees each value as it is made, decrypts it, and computes its shadow."""

    def __init__(self, program: Program, owner: KeyOwner, values: Inputs) -> None:
        self.program, self.owner = program, owner
        self.shadows: dict[int, Any] = {number: values[name] for name, number in program.graph.inputs.items()}
        self.seen: dict[int, tuple[float, float, float]] = {}  # bound of the error, room, bound of the values
        self.names = {number: name for name, number in program.graph.inputs.items()}
        self.steps: list[Step] = []
        self._undecided = False
        self._since = perf_counter()

    def __call__(self, number: int, node: Node, value: Any) -> None:
        seconds = perf_counter() - self._since
        if node.operation != INPUT:
            operands = [self.shadows[k] for k in node.operands]
            with np.errstate(all="ignore"):
                self.shadows[number] = _mixed(node, operands) if node.operation in CHOICES else compute(node, operands)
        if node.encrypted and isinstance(value, Packed | WideArray):
            found = self.step(number, node, value, np.asarray(self.shadows[number]), seconds, self._broken(node))
            self.steps.append(found)
        self._since = perf_counter()

    def decided(self) -> list[Any]:
        """The shadows of what is returned, where some decision was too near for the traced function to tell."""
        return [self.shadows[number] for number in self.program.graph.returned()] if self._undecided else []

    def step(
        self, number: int, node: Node, x: Any, clear: NDArray[Any], seconds: float, flags: tuple[str, ...]
    ) -> Step:
        """The record of a value, and what is wrong with it."""
        exact = self.program.precision is None
        values = _read(self.owner, x)
        if node.operation in DECISIONS and not exact:
            clear = self.shadows[number] = self._decided(node, values, clear)
        error, largest = _distance(values, clear), float(np.max(np.abs(clear)))
        bound = 0.0 if exact else 2.0**-x.precision_bits
        if not error <= bound + ROUNDING * largest * (not exact):
            flags = (*flags, f"off by {error:.2e}, and the tracked bound is {bound:.2e}")
        if node.operation == ASSUME and error > (promise(node)[1] or math.inf):
            flags = (*flags, f"off by {error:.2e}, and assumed was {promise(node)[1]:.2e} at most")
        before = [self.seen[k] for k in node.operands if k in self.seen]
        room = float(x.room_bits)
        self.seen[number] = bound, room, max(shard.bound for shard in x.shards)
        if exact:
            lost = max([r for _, r, _ in before], default=room) - room
        else:
            lost = math.log2(bound / max([b for b, _, _ in before], default=bound)) if bound else 0.0
        budget = self.owner.noise_budget_bits(x) if exact else 0.0
        expected = 0.0 if exact else 2.0**-x.expected_precision_bits
        where = self.names.get(number, node.where)
        return Step(
            number, node.operation, where, x.shape, x.levels_left, largest, error, bound, expected,
            max(lost, 0.0), room, budget, seconds, flags,
        )  # fmt: skip

    def _broken(self, node: Node) -> tuple[str, ...]:
        """What was promised of the operands, and is not so."""
        if node.operation not in (ASSUME, POLYNOMIAL):
            return ()
        values = np.asarray(self.shadows[node.operands[0]])
        low, high = float(values.min()), float(values.max())
        if node.operation == POLYNOMIAL:
            domain = next(part for part in node.arguments if hasattr(part, "domain")).domain
            within = domain[0] - 1e-9 * abs(domain[0]) <= low and high <= domain[1] + 1e-9 * abs(domain[1])
            return (
                ()
                if within
                else (f"values from {low:g} to {high:g} leave the interval ({domain[0]:g}, {domain[1]:g})",)
            )
        given, _ = promise(node)
        assumed = given if isinstance(given, tuple) else (-given, given)
        if assumed[0] <= low and high <= assumed[1]:
            return ()
        return (f"values from {low:g} to {high:g}, assumed were {assumed[0]:g} to {assumed[1]:g}",)

    def _decided(self, node: Node, values: NDArray[Any], clear: NDArray[Any]) -> NDArray[Any]:
        """The shadow of a decision; what lies within the margin is as it was decided."""
        compared = [
            self._compared(part, node) for part in node.arguments[: 1 if node.operation.endswith("sign") else 2]
        ]
        difference = compared[0][0] - (compared[1][0] if len(compared) > 1 else 0)
        margin = node.keyword("margin") or MARGIN * sum(bound for _, bound in compared)
        near = np.abs(difference) < margin
        self._undecided |= bool(near.any())
        return np.where(near, values, clear)

    def _compared(self, part: Any, node: Node) -> tuple[Any, float]:
        """An operand of a decision in the clear, and what is publicly known to bound it."""
        if not isinstance(part, Slot):
            return part, abs(part)
        number = node.operands[part.index]
        value = self.shadows[number]
        return value, self.seen[number][2] if number in self.seen else float(np.max(np.abs(value)))


def _read(owner: KeyOwner, x: Any) -> NDArray[Any]:
    """The values of an array, those too that some broken promise led beyond their bounds."""
    try:
        return owner.decrypt(x)
    except ValueOverflowError:  # which nobody but an audit looks behind
        residues = [owner._decrypt_part(part, progress=False) for part in parts_of(x)]
        return integers_of(x, residues) if isinstance(x, WideArray) else residues[0]
