"""Programs to bytes and back.

A file holds the steps, not the function: operations by name with their arguments, constants, polynomials. Nothing of it
is believed, and what can be derived is not even stored: shapes, dtypes and intervals are found anew by recording each
step as if the function were traced, and precision and keys by a dry run under the stored parameters. An operation that
is not on the list of `fhe.programs.operations` does not exist.
"""

from __future__ import annotations

import math
import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fhe.errors import FHEError, FormatError
from fhe.hiding import LEAST_BITS, MOST_BITS
from fhe.io.claims import Claims
from fhe.io.format import Container
from fhe.io.pieces import Section
from fhe.io.registry import to_container
from fhe.programs.dry import DryMachine
from fhe.programs.graph import INPUT, Graph, Node, Slot, mapped
from fhe.programs.guard import require_bounded
from fhe.programs.plan import Plan
from fhe.programs.spec import KINDS, Spec
from fhe.programs.symbolic import SymbolicArray, Tracer
from fhe.programs.terms import read_term, term
from fhe.rlwe.codec import parameters_of

MOST_NODES: Final = 1 << 16
MOST_ELEMENTS: Final = 1 << 26
LONGEST_TEXT: Final = 200
LONGEST_INTEGER: Final = 1 << 10  # bits
LARGEST_DOUBLE: Final = 1 << 53  # of integers that all are one
DTYPES: Final = {name: np.dtype(name) for name in ("float64", "complex128", "int64", "bool")}
ENTRIES: Final = ("name", "parameters", "arguments", "precision", "publish", "nodes", "outputs")
WRONG: Final = (TypeError, ValueError, IndexError, KeyError, ArithmeticError, AttributeError, MemoryError, FHEError)


@to_container.register
def program_container(plan: Plan) -> Container:
    """A container of kind "program"."""
    sections: dict[str, Section] = {}
    content = {
        "name": plan.name[:LONGEST_TEXT],
        "parameters": plan.parameters.to_dict(),
        "arguments": [_argument(name, spec) for name, spec in plan.specs.items()],
        "precision": None if plan.precision is None else plan.precision.hex(),
        "publish": None if plan.publish is None else list(plan.publish),
        "nodes": [_step(plan.graph, number, sections) for number in range(len(plan.graph))],
        "outputs": term(plan.graph.outputs),
    }
    if plan.hide is not None:
        content["hide"] = plan.hide
    return Container("program", content, sections)


def plan_from_bytes(data: Section) -> Plan:
    """The plan of `program_container`; FormatError for whatever is none, ParameterError for what does not fit.

    It holds no more than was stored: ``source`` is the graph of polynomials, too.
    """
    container = Container.from_bytes(data, "program")
    claims = Claims(container.content, "a program", [*ENTRIES, *(["hide"] if "hide" in container.content else [])])
    name = _text(claims.raw("name"), "the name of a program")
    parameters = parameters_of(claims)
    specs = dict(map(_read_argument, claims.items("arguments")))
    if not specs or len(specs) != len(claims.items("arguments")):
        raise FormatError("a program has arguments, each of its own name")
    precision = _precision(claims)
    publish = claims.integers("publish", 2) if claims.has("publish") else None
    hide = claims.integer("hide", LEAST_BITS, MOST_BITS) if claims.knows("hide") else None
    graph = _read_graph(claims, specs, container)
    trial = DryMachine(parameters).run(graph, specs, hide)
    if precision is not None and trial.precision < -math.log2(precision):
        raise FormatError(f"this program promises results within {precision:g}, and keeps {2.0**-trial.precision:.2g}")
    return Plan(name, specs, graph, graph, trial, precision, tuple(publish) if publish else None, hide)  # type: ignore[arg-type]


# --- arguments -------------------------------------------------------------------------------------------------------


def _argument(name: str, spec: Spec) -> dict[str, Any]:
    return {
        "name": name,
        "shape": list(spec.shape),
        "kind": spec.kind,
        "low": _bound(spec.low),
        "high": _bound(spec.high),
        "encrypted": spec.encrypted,
        "batch": spec.batch,
    }


def _read_argument(values: object) -> tuple[str, Spec]:
    names = ("name", "shape", "kind", "low", "high", "encrypted", "batch")
    claims = Claims(values, "an argument of a program", names)
    shape = tuple(claims.integers("shape", 32))
    if min(shape, default=1) < 1 or math.prod(shape) > MOST_ELEMENTS:
        raise FormatError(f"an argument has from 1 to {MOST_ELEMENTS} elements, not those of shape {shape}")
    kind = claims.choice("kind", {kind: kind for kind in KINDS})
    low, high = (_read_bound(claims.raw(name), kind) for name in ("low", "high"))
    if not low <= high or low == high == 0:
        raise FormatError(f"an argument is between two numbers, not {low} and {high}")
    batch = claims.integer("batch", 0, len(shape) - 1) if claims.has("batch") else None
    name = _text(claims.raw("name"), "the name of an argument")
    if not name.isidentifier():
        raise FormatError(f"{name!r} is no name of an argument")
    return name, Spec(shape, kind, low, high, claims.flag("encrypted"), batch)


def _bound(end: float) -> str:
    """Of an argument, in hexadecimal: an integer that no double holds as that."""
    return hex(end) if isinstance(end, int) and abs(end) > LARGEST_DOUBLE else float(end).hex()


def _read_bound(value: object, kind: str) -> float:
    if kind != "integer":
        return _number(value)
    if isinstance(value, str) and "." not in value and len(value) < LONGEST_INTEGER // 4:
        integer = _integer(value)
        if abs(integer) > LARGEST_DOUBLE:
            return integer
    return int(_number(value))


def _integer(value: object) -> int:
    """An integer in hexadecimal, as `hex` writes it."""
    try:
        integer = int(value, 16)  # type: ignore[call-overload]
    except (TypeError, ValueError) as error:
        raise FormatError(f"expected a hexadecimal integer, got {reprlib.repr(value)}") from error
    if hex(integer) != value:
        raise FormatError(f"expected an integer in its one form, got {reprlib.repr(value)}")
    return int(integer)


def _precision(claims: Claims) -> float | None:
    if not claims.has("precision"):
        return None
    precision = _number(claims.raw("precision"))
    if not precision > 0:
        raise FormatError(f"a precision is a positive number, not {precision}")
    return precision


def _number(value: object) -> float:
    try:
        number = float.fromhex(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError) as error:
        raise FormatError(f"expected a hexadecimal floating-point number, got {reprlib.repr(value)}") from error
    if not math.isfinite(number) or number.hex() != value:
        raise FormatError(f"expected a finite number in its one form, got {reprlib.repr(value)}")
    return number


def _text(value: object, what: str) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_TEXT or not value.isprintable():
        raise FormatError(f"{what} is up to {LONGEST_TEXT} printable characters, not {reprlib.repr(value)}")
    return value


# --- steps -----------------------------------------------------------------------------------------------------------


def _step(graph: Graph, number: int, sections: dict[str, Section]) -> dict[str, Any]:
    node = graph.nodes[number]
    if node.operation == INPUT:
        return {"argument": next(name for name, k in graph.inputs.items() if k == number)}
    if node.value is not None and node.value.dtype.kind == "O":
        return {"integers": [hex(value) for value in node.value.ravel().tolist()], "shape": list(node.value.shape)}
    if node.value is not None:
        plain = np.ascontiguousarray(node.value, dtype=_stored_dtype(node.value))
        sections[f"constant.{number}"] = plain.tobytes()
        return {"constant": plain.dtype.name, "shape": list(plain.shape)}
    operands = [Slot(k) for k in node.operands]
    return {
        "operation": node.operation,
        "arguments": term(mapped(node.arguments, lambda slot: operands[slot.index])),
        "keywords": term(mapped(dict(node.keywords), lambda slot: operands[slot.index])),
        "where": "".join(c for c in node.where if c.isprintable())[:LONGEST_TEXT],
    }


def _stored_dtype(values: NDArray[Any]) -> np.dtype[Any]:
    return DTYPES[{"f": "float64", "c": "complex128", "b": "bool"}.get(values.dtype.kind, "int64")]


def _read_graph(claims: Claims, specs: Mapping[str, Spec], container: Container) -> Graph:
    steps = claims.items("nodes")
    if len(steps) > MOST_NODES:
        raise FormatError(f"a program has up to {MOST_NODES} nodes, not {len(steps)}")
    tracer = Tracer(exact=all(spec.kind == "integer" for spec in specs.values() if spec.encrypted))
    inputs: dict[str, int] = {}
    constants: list[str] = []
    for number, step in enumerate(steps):
        if isinstance(step, dict) and set(step) == {"argument"}:
            name = step["argument"]
            if not isinstance(name, str) or name not in specs or name in inputs:
                raise FormatError(f"node {number} is no argument of the program, or one that was there before")
            inputs[name] = tracer.input(specs[name]).number
        elif isinstance(step, dict) and set(step) == {"constant", "shape"}:
            constants.append(f"constant.{number}")
            tracer.constant(_constant(step, container.sections.get(constants[-1])))
        elif isinstance(step, dict) and set(step) == {"integers", "shape"}:
            tracer.constant(_integers(Claims(step, "a constant", ("integers", "shape"))))
        else:
            _record(tracer, Claims(step, f"node {number}", ("operation", "arguments", "keywords", "where")))
    container.require_sections(constants)
    if set(inputs) != set(specs):
        raise FormatError("a program has a node for each of its arguments")
    outputs = read_term(claims.raw("outputs"), lambda k: Slot(_known(k, tracer.nodes)))
    graph = Graph(tuple(tracer.nodes), inputs, outputs)
    if not graph.returned() or not all(graph.nodes[k].encrypted for k in graph.returned()):
        raise FormatError("a program returns encrypted arrays")
    return graph


def _known(number: object, nodes: Sequence[Node]) -> int:
    if type(number) is not int or not 0 <= number < len(nodes):
        raise FormatError(f"{reprlib.repr(number)} is no earlier node")
    return number


def _constant(step: dict[str, Any], section: Section | None) -> NDArray[Any]:
    claims = Claims(step, "a constant", ("constant", "shape"))
    shape, dtype = tuple(claims.integers("shape", 32)), claims.choice("constant", DTYPES)
    if section is None or min(shape, default=1) < 0 or math.prod(shape) * dtype.itemsize != len(section):
        raise FormatError(f"a constant of shape {shape} and dtype {dtype} does not have the bytes that are there")
    values: NDArray[Any] = np.frombuffer(bytes(section), dtype=dtype).reshape(shape)
    if dtype.kind in "fc" and not np.isfinite(values).all():
        raise FormatError("constants are finite")
    if dtype.kind == "b" and bytes(section).strip(b"\0\1"):
        raise FormatError("truth values are 0 and 1")
    return values


def _integers(claims: Claims) -> NDArray[Any]:
    """A constant of integers that 64 bits do not hold."""
    shape, listed = tuple(claims.integers("shape", 32)), claims.items("integers")
    if min(shape, default=1) < 0 or math.prod(shape) != len(listed):
        raise FormatError(f"a constant of shape {shape} does not have the {len(listed)} integers that are there")
    values = np.empty(len(listed), dtype=object)
    values[:] = list(map(_integer, listed))
    if any(value.bit_length() > LONGEST_INTEGER for value in values):
        raise FormatError(f"integers have up to {LONGEST_INTEGER} bits")
    return values.reshape(shape)


def _record(tracer: Tracer, claims: Claims) -> None:
    """One step, as if it were being traced: whatever that refuses, is refused here."""
    operation = _text(claims.raw("operation"), "an operation")
    where = _text(claims.raw("where"), "where an operation is from")

    def symbol(number: object) -> SymbolicArray:
        return SymbolicArray(tracer, _known(number, tracer.nodes))

    arguments, keywords = (read_term(claims.raw(name), symbol) for name in ("arguments", "keywords"))
    if not isinstance(arguments, tuple) or not isinstance(keywords, dict):
        raise FormatError(f"{operation} takes arguments and keywords")
    try:
        require_bounded(operation, arguments, keywords, MOST_ELEMENTS)
        tracer.record(operation, arguments, keywords)
    except WRONG as error:
        raise FormatError(f"{operation} can not be done with what it is given: {error}") from error
    tracer.nodes[-1] = replace(tracer.nodes[-1], where=where)
