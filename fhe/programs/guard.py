"""How large a result can be, found before anybody makes it: for steps that came from elsewhere."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np

from fhe.arrays.protocols import JOINS, UFUNCS
from fhe.errors import FormatError
from fhe.programs.operations import GETITEM, name_of, operations, plain_operations
from fhe.programs.symbolic import SymbolicArray

REDUCING: Final = (
    "sum",
    "mean",
    "var",
    "prod",
    "cumsum",
    "transpose",
    "reshape",
    "ravel",
    "roll",
    "flip",
    "diff",
    "trace",
)
ALL_OF_THEM: Final = {*(f"np.{name}" for name in REDUCING), *(name_of(join) for join in JOINS)}
PRODUCTS: Final = ("np.matmul", "np.dot")
ELEMENTWISE: Final = {name_of(ufunc) for ufunc in UFUNCS} - {*PRODUCTS} | {"np.where", "np.clip"}
WITH_NUMBERS: Final = ELEMENTWISE - {"np.power"}
LARGEST_INTEGER: Final = 1 << 26  # where it may be a length or an exponent


def require_bounded(operation: str, arguments: tuple[Any, ...], keywords: Mapping[str, Any], most: int) -> None:
    """Raise FormatError for an operation that is not there, or a result that may have more than ``most`` elements."""
    parts = list(_flat([*arguments, *keywords.values()]))
    operands = [part for part in parts if isinstance(part, SymbolicArray)]
    encrypted = any(operand.node.encrypted for operand in operands)
    if not operands or operation not in (operations() if encrypted else plain_operations()):
        raise FormatError(f"there is no operation {operation!r:.40} on {len(operands)} arrays such as these")
    integers = [abs(part) for part in parts if type(part) is int]
    if max(integers, default=0) > LARGEST_INTEGER and operation not in WITH_NUMBERS:
        raise FormatError(f"{operation} is given {max(integers)}, integers go up to {LARGEST_INTEGER}")
    bound = _bound(operation, [operand.shape for operand in operands], integers)
    if bound > most:
        raise FormatError(f"{operation} may give {bound} elements, a program holds up to {most} in one array")


def _bound(operation: str, shapes: list[tuple[int, ...]], integers: list[int]) -> int:
    """How many elements there can be: of most operations as many as of the operands together, or broadcast.

    Of those that repeat, or multiply each with each, the product of all sizes and integers is a bound.
    """
    sizes = [max(math.prod(shape), 1) for shape in shapes]
    if operation in ELEMENTWISE or operation.startswith(("fhe.", "part fhe.")):
        return math.prod(np.broadcast_shapes(*shapes))
    if operation in ALL_OF_THEM or operation.startswith("part ") or (operation == GETITEM and len(shapes) == 1):
        return sum(sizes)
    if operation in PRODUCTS and len(shapes) == 2:
        return math.prod(sizes) // max(shapes[0][-1] if shapes[0] else 1, 1) ** 2
    return math.prod(sizes) * math.prod(max(integer, 1) for integer in integers)


def _flat(parts: Iterable[Any]) -> Iterable[Any]:
    for part in parts:
        if isinstance(part, list | tuple):
            yield from _flat(part)
        else:
            yield part
