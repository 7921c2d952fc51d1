"""What a program says of itself: parameters, levels, keys, precision along the way, and time."""

from __future__ import annotations

import math
from typing import Any

from fhe.arrays.functions import in_words
from fhe.arrays.show import counted, size
from fhe.costs import key_bytes
from fhe.programs import expected
from fhe.programs.graph import CONSTANT, Node
from fhe.programs.plan import Plan
from fhe.rlwe.automorphism import step_of


def text(program: Plan) -> str:
    """Everything as lines."""
    lines = [f"{program.name}: {counted(len(program.trial.sights), 'encrypted value')}"]
    lines += [f"  {name}: {spec}" for name, spec in program.specs.items()]
    lines += ["", program.parameters.summary(), "", *_keys(program), "", *results(program)]
    return "\n".join([*lines, *assumptions(program), "", *_table(program)])


def results(program: Plan) -> list[str]:
    """How good results are, and how long they take."""
    if program.precision is None:
        good = "results are exact"
    else:
        good = f"results are within {2.0**-program.trial.precision:.2g}, {program.precision:g} was asked"
    levels = counted(program.parameters.max_level - program.trial.lowest, "level")
    planned = [f"results end hidden by {program.hide} statistical bits: context.hide_circuit"] if program.hide else []
    return [f"{good}; {levels} deep", *planned, predicted(program)]


def assumptions(program: Plan) -> list[str]:
    """What `fhe.assume` was told: excluded from every promise."""
    return [
        f"assumed, and nobody's promise but yours: of {what(program, node.operands[0])} {in_words(*promise(node))} "
        f"[{node.where}]"
        for _, node in program.graph
        if node.operation == "fhe.assume"
    ]


def promise(node: Node) -> tuple[Any, float | None]:
    """The bound and the error that a node of `fhe.assume` was told."""
    given = dict(zip(("x", "bound", "error"), node.arguments, strict=False)) | dict(node.keywords)
    return given["bound"], given.get("error")


def predicted(program: Plan) -> str:
    """The time of a run, by whoever holds just the keys that it needs."""
    trial = program.trial
    text = expected.predicted(trial.tally.run)
    if not trial.encoded_bytes:
        return text
    first = expected.duration(expected.cycles(trial.tally.run) + expected.cycles(trial.tally.encoding))
    return f"{text}; the first run, {first}, encodes plain operands, and {size(trial.encoded_bytes)} are kept"


def times(program: Plan) -> list[tuple[int, float]]:
    """Which nodes take how many cycles, the longest first."""
    found, before, each = [], 0, program.trial.tally.run.each()
    for number, sight in program.trial.sights.items():
        found.append((number, float(sum(each[before : sight.calls]))))
        before = sight.calls
    return sorted(found, key=lambda item: -item[1])


def keys(program: Plan) -> list[tuple[str, int, int]]:
    """Each evaluation key: what it is for, up to which level, and its bytes in memory."""
    parameters, found = program.parameters, []
    for element, level in program.keys.items():
        step = step_of(element, parameters.ring_degree) if element else None
        swapped = "conjugation" if parameters.scheme == "ckks" else "swap of rows"
        name = "relinearisation" if not element else swapped if step is None else f"rotation by {step}"
        limbs, special = parameters.limbs(level), len(parameters.special)
        found.append((name, level, key_bytes(parameters.ring_degree, limbs, special, parameters.digit)))
    return found


def what(program: Plan, number: int) -> str:
    """A node in words: an argument's name, or an operation and what it is of."""
    names, nodes = {number: name for name, number in program.graph.inputs.items()}, program.graph.nodes
    if number in names:
        return names[number]
    node = nodes[number]
    operands = ", ".join("…" if nodes[k].operation == CONSTANT else names.get(k, f"#{k}") for k in node.operands)
    polynomial = next((str(part) for part in node.arguments if hasattr(part, "stages")), "")
    if polynomial:
        return f"polynomial({operands}): {polynomial}"
    return f"{node.operation.removeprefix('np.')}({operands})"


def _keys(program: Plan) -> list[str]:
    found = keys(program)
    lines = [f"{counted(len(found), 'evaluation key')}, {size(sum(item[2] for item in found))}"]
    return lines + [f"  {name}, up to level {level}, {size(nbytes)}" for name, level, nbytes in found]


def _table(program: Plan) -> list[str]:
    """A line for each encrypted value."""
    lines = [f"{'node':>5} {'level':>5} {'bound':>9} {'bits':>6}  operation"]
    for number, sight in program.trial.sights.items():
        where = program.graph.nodes[number].where
        bits = "exact" if math.isinf(sight.precision) else f"{sight.precision:.1f}"
        said = f"{what(program, number)}{f'  [{where}]' if where else ''}"
        lines.append(f"{number:>5} {sight.level:>5} {sight.bound:>9.3g} {bits:>6}  {said}")
    return lines
