"""What a program says of itself: parameters, levels, keys, precision along the way, and time."""

from __future__ import annotations

import math

from fhe import costs
from fhe.arrays.show import counted, size
from fhe.costs import key_bytes
from fhe.programs.graph import CONSTANT, Node
from fhe.programs.plan import Plan
from fhe.rlwe.automorphism import step_of


def text(program: Plan) -> str:
    """Everything as lines."""
    lines = [f"{program.name}: {counted(len(program.graph), 'node')}", *_arguments(program), ""]
    lines += [program.parameters.summary(), ""]
    lines += [*_keys(program), "", *_results(program), "", *_table(program)]
    return "\n".join(lines)


def _arguments(program: Plan) -> list[str]:
    return [f"  {name}: {spec}" for name, spec in program.specs.items()]


def key_size(program: Plan, level: int) -> int:
    """Bytes of a switching key up to a level, in memory."""
    parameters = program.parameters
    return key_bytes(parameters.ring_degree, parameters.limbs(level), len(parameters.special), parameters.digit)


def _keys(program: Plan) -> list[str]:
    N = program.parameters.ring_degree
    total = sum(key_size(program, level) for level in program.keys.values())
    lines = [f"{counted(len(program.keys), 'evaluation key')}, {size(total)}:"]
    for element, level in program.keys.items():
        step = step_of(element, N) if element else None
        what = "relinearisation" if not element else "conjugation" if step is None else f"rotation by {step}"
        lines.append(f"  {what}, up to level {level}, {size(key_size(program, level))}")
    return lines


def _results(program: Plan) -> list[str]:
    trial = program.trial
    seconds = costs.milliseconds(trial.cycles) / 1e3
    lines = [f"predicted time: {seconds:.3g} s on one core of the machine of fhe.costs"]
    if program.precision is not None:
        lines.insert(0, f"results are within {2.0**-trial.precision:.2g}, {program.precision:g} was asked")
    assumed = [node for _, node in program.graph if node.operation == "fhe.assume"]
    lines += [f"assumed, and nobody's promise but yours: {node.arguments[1:]} at {node.where}" for node in assumed]
    return lines


def _table(program: Plan) -> list[str]:
    """A line for each encrypted value: level, public bound, precision, what it was made by."""
    lines = [f"{'node':>5} {'level':>5} {'bound':>9} {'bits':>6}  operation"]
    for number, sight in program.trial.sights.items():
        node = program.graph.nodes[number]
        bits = "exact" if math.isinf(sight.precision) else f"{sight.precision:.1f}"
        where = f"  [{node.where}]" if node.where else ""
        lines.append(
            f"{number:>5} {sight.level:>5} {sight.bound:>9.3g} {bits:>6}  {_what(node, number, program)}{where}"
        )
    return lines


def _what(node: Node, number: int, program: Plan) -> str:
    names = {number: name for name, number in program.graph.inputs.items()}
    if number in names:
        return names[number]
    operands = ", ".join(
        "…" if program.graph.nodes[k].operation == CONSTANT else names.get(k, f"#{k}") for k in node.operands
    )
    polynomial = next((str(part) for part in node.arguments if hasattr(part, "stages")), "")
    return f"{node.operation.removeprefix('np.')}({operands})" + (f": {polynomial}" if polynomial else "")
