"""Arguments of operations as plain values, for storage: nothing but numbers, text, containers, and polynomials."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.polynomial import Chebyshev, Polynomial

from fhe.arrays.approximate import ApproximateFunction
from fhe.errors import FormatError
from fhe.programs.graph import Slot

DEEPEST: Final = 8
LONGEST: Final = 4096
INTEGER_BITS: Final = 1 << 10
DTYPES: Final = ("bool", "int64", "float64", "complex128")
SERIES: Final[dict[str, type[Any]]] = {"polynomial": Polynomial, "chebyshev": Chebyshev}

Operand = Callable[[object], Any]


def term(value: Any) -> Any:
    """A value as JSON has it; what has a name of its own becomes a dictionary of one entry.

    >>> term((Slot(2), 0.5, slice(None, 3), [True, "ij"]))
    {'tuple': [{'node': 2}, {'float': '0x1.0000000000000p-1'}, {'slice': [None, 3, None]}, {'list': [True, 'ij']}]}
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    for kind, write in WRITERS.items():
        if isinstance(value, kind):
            return write(value)
    raise FormatError(f"a {type(value).__name__} can not be stored in a program")


def _series(p: Any) -> dict[str, Any]:
    name = "chebyshev" if isinstance(p, Chebyshev) else "polynomial"
    return {name: [[float(x).hex() for x in part] for part in (p.coef, p.domain, p.window)]}


def _function(f: ApproximateFunction) -> dict[str, Any]:
    numbers = [float(x).hex() for x in (f.error, *f.gaps)]
    return {"function": [[_series(stage) for stage in f.stages], numbers]}


WRITERS: Final[dict[Any, Callable[[Any], Any]]] = {
    Slot: lambda x: {"node": x.index},
    float: lambda x: {"float": float(x).hex()},
    complex: lambda x: {"complex": [x.real.hex(), x.imag.hex()]},
    tuple: lambda x: {"tuple": [term(part) for part in x]},
    list: lambda x: {"list": [term(part) for part in x]},
    dict: lambda x: {"dict": [[name, term(part)] for name, part in x.items()]},
    slice: lambda x: {"slice": [term(part) for part in (x.start, x.stop, x.step)]},
    type(...): lambda x: {"ellipsis": 0},
    np.dtype: lambda x: {"dtype": x.name},
    type: lambda x: {"dtype": np.dtype(x).name},
    Polynomial | Chebyshev: _series,
    ApproximateFunction: _function,
}


def read_term(value: object, operand: Operand, depth: int = 0) -> Any:
    """The value of `term`, with ``operand(number)`` for each node; FormatError for anything else.

    >>> read_term({"tuple": [{"node": 2}, {"float": "0x1.0p-1"}]}, lambda number: f"#{number}")
    Traceback (most recent call last):
    fhe.errors.FormatError: an argument of an operation is not in its one form: {'float': '0x1.0p-1'}
    """
    if depth > DEEPEST:
        raise FormatError(f"arguments of operations are at most {DEEPEST} deep")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | str):
        if isinstance(value, str) and (len(value) > LONGEST or not value.isprintable()):
            raise _wrong(value)
        if isinstance(value, int) and value.bit_length() > INTEGER_BITS:
            raise _wrong(value)
        return value
    if not isinstance(value, dict) or len(value) != 1:
        raise _wrong(value)
    ((kind, content),) = value.items()
    if kind not in READERS:
        raise _wrong(value)
    try:
        read = READERS[kind](content, operand, depth + 1)
    except (TypeError, ValueError, OverflowError, KeyError) as error:
        if isinstance(error, FormatError):
            raise
        raise _wrong(value) from error
    return read


def _wrong(value: object) -> FormatError:
    return FormatError(f"an argument of an operation is not in its one form: {reprlib.repr(value)}")


def _float(text: object) -> float:
    number = float.fromhex(text)  # type: ignore[arg-type]
    if not math.isfinite(number) or number.hex() != text:
        raise ValueError(text)
    return number


def _parts(content: object, operand: Operand, depth: int) -> list[Any]:
    if not isinstance(content, list) or len(content) > LONGEST:
        raise _wrong(content)
    return [read_term(part, operand, depth) for part in content]


def _read_dict(content: object, operand: Operand, depth: int) -> dict[str, Any]:
    if not isinstance(content, list) or len(content) > LONGEST:
        raise _wrong(content)
    found = {}
    for name, part in content:
        if not isinstance(name, str) or name in found or len(name) > LONGEST:
            raise _wrong(name)
        found[name] = read_term(part, operand, depth)
    return found


def _read_series(kind: type[Any], content: Any) -> Any:
    coefficients, domain, window = ([_float(x) for x in part] for part in content)
    if not 1 <= len(coefficients) <= LONGEST or domain[0] == domain[1] or window[0] == window[1]:
        raise ValueError(content)
    return kind(coefficients, domain, window)


def _read_function(content: Any, operand: Operand, depth: int) -> ApproximateFunction:
    stages, (error, *gaps) = content[0], [_float(x) for x in content[1]]
    made = [_read_series(Chebyshev, stage["chebyshev"]) for stage in stages]
    if not made or error < 0 or len(gaps) not in (0, len(made)) or not all(0 <= gap <= 1 for gap in gaps):
        raise ValueError(content)
    return ApproximateFunction(tuple(made), error, tuple(gaps))


def _read_dtype(content: object, operand: Operand, depth: int) -> np.dtype[Any]:
    if content not in DTYPES:
        raise _wrong(content)
    return np.dtype(str(content))


READERS: Final[dict[str, Callable[[Any, Operand, int], Any]]] = {
    "node": lambda content, operand, depth: operand(content),
    "float": lambda content, operand, depth: _float(content),
    "complex": lambda content, operand, depth: complex(*map(_float, content)),
    "tuple": lambda content, operand, depth: tuple(_parts(content, operand, depth)),
    "list": _parts,
    "dict": _read_dict,
    "slice": lambda content, operand, depth: slice(*_parts(content, operand, depth)),
    "ellipsis": lambda content, operand, depth: ...,
    "dtype": _read_dtype,
    "polynomial": lambda content, operand, depth: _read_series(Polynomial, content),
    "chebyshev": lambda content, operand, depth: _read_series(Chebyshev, content),
    "function": _read_function,
}
