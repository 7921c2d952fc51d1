"""Tracing: a function runs once, on arrays without values, which write down what is done to them."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from inspect import BoundArguments, signature
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.polynomial import Chebyshev, Polynomial
from numpy.typing import NDArray

from fhe.arrays.approximate import ApproximateFunction
from fhe.arrays.packed import Packed
from fhe.arrays.protocols import FUNCTIONS, SPLITS
from fhe.arrays.protocols import function as answer
from fhe.arrays.protocols import ufunc as answer_ufunc
from fhe.arrays.wide import WideArray
from fhe.errors import EncodingError
from fhe.programs.graph import CONSTANT, INPUT, Graph, Node, Slot
from fhe.programs.operations import GETITEM, METADATA, PART, compute, name_of, operations, plain_operations
from fhe.programs.spec import Spec
from fhe.validate import dense

KEPT = (int, float, complex, str, type(None), type(...), np.dtype, type, ApproximateFunction, Polynomial, Chebyshev)
OF_BITS = np.invert, np.logical_not, np.isnan, np.isinf, np.isfinite  # no polynomial stands in for these
COMPOSED = np.max, np.min  # of operations that are recorded each
INSIDE = ("fhe.programs", "fhe.arrays", "numpy")
FACTORS: dict[Callable[..., Any], Sequence[int]] = {  # of functions that multiply: the places of what they multiply
    **dict.fromkeys((np.dot, np.vdot, np.inner, np.outer, np.tensordot, np.convolve, np.correlate), (0, 1)),
    np.einsum: range(1, 64),
    np.average: (2,),
    np.where: (0, 1, 2),
}
NAMED = ("a", "b", "v", "weights")  # what such places are called


def traced(function: Callable[..., Any], arguments: Mapping[str, Any]) -> Graph:
    """The graph of a function of keyword arguments, of which those that are a `Spec` stand for arrays to come."""
    specs = [spec for spec in arguments.values() if isinstance(spec, Spec)]
    tracer = Tracer(exact=all(spec.kind == "integer" for spec in specs if spec.encrypted))
    symbols = {name: tracer.input(spec) for name, spec in arguments.items() if isinstance(spec, Spec)}
    returned = _called(function, {**arguments, **symbols})
    outputs = _outputs(returned, tracer)
    return Graph(tuple(tracer.nodes), {name: symbol.number for name, symbol in symbols.items()}, outputs)


def _called(function: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """The function of arguments by name, given in their places where it has such."""
    try:
        bound = BoundArguments(signature(function), dict(arguments))
    except ValueError:  # a ufunc has no signature
        return function(*arguments.values())
    return function(*bound.args, **bound.kwargs)


def _outputs(returned: Any, tracer: Tracer) -> Any:
    if isinstance(returned, SymbolicArray):
        if not returned.node.encrypted:
            raise TypeError(f"a program returns encrypted arrays; what {returned.node.where} returns is plain already")
        return Slot(returned.number)
    if isinstance(returned, dict):
        return {str(name): _outputs(part, tracer) for name, part in returned.items()}
    if isinstance(returned, list | tuple) and returned:
        return tuple(_outputs(part, tracer) for part in returned)
    raise TypeError(f"a program returns arrays that depend on encrypted arguments, alone or in a tuple or dictionary, "
                    f"not a {type(returned).__name__}")  # fmt: skip


class Tracer:
    """The nodes of a function so far. ``exact`` if its numbers are integers."""

    def __init__(self, exact: bool) -> None:
        self.exact = exact
        self.nodes: list[Node] = []

    def input(self, spec: Spec) -> SymbolicArray:
        """The symbol of an argument."""
        return self._add(Node(INPUT, shape=spec.shape, dtype=spec.dtype, encrypted=spec.encrypted))

    def constant(self, values: NDArray[Any]) -> SymbolicArray:
        """The symbol of values that are part of the program."""
        return self._add(Node(CONSTANT, value=_frozen(values), shape=values.shape, dtype=values.dtype, encrypted=False))

    def record(
        self,
        operation: str,
        arguments: tuple[Any, ...],
        keywords: dict[str, Any] | None = None,
        function: Callable[..., Any] | None = None,
    ) -> SymbolicArray:
        """The symbol of what an operation gives; errors of shapes are NumPy's own, raised here."""
        operands: list[int] = []
        template = tuple(self._template(part, operands) for part in arguments)
        named = tuple((name, self._template(part, operands)) for name, part in (keywords or {}).items())
        encrypted = any(self.nodes[k].encrypted for k in operands)
        node = Node(operation, tuple(operands), template, named, encrypted=encrypted, where=_where(), function=function)
        witness = self._witness(node)
        return self._add(replace(node, shape=witness.shape, dtype=self._dtype(node, witness)))

    def _witness(self, node: Node) -> NDArray[Any]:
        """The value of a node for arrays of ones, for its shape and dtype."""
        operands = [
            self.nodes[k].value
            if self.nodes[k].operation == CONSTANT
            else np.broadcast_to(np.ones((), self.nodes[k].dtype), self.nodes[k].shape)
            for k in node.operands
        ]
        with np.errstate(all="ignore"):
            return np.asarray(compute(node, operands))

    def _dtype(self, node: Node, witness: NDArray[Any]) -> np.dtype[Any]:
        """As the scheme has it: masks are numbers."""
        if not node.encrypted:
            return witness.dtype
        if self.exact and witness.dtype.kind not in "biuO":
            raise EncodingError(
                f"{node.operation} at {node.where} gives fractions of encrypted integers; stay with integers, or "
                'compile for real numbers, fhe.spec(…, kind="real")'
            )
        if self.exact:
            return np.dtype(np.int64)
        return np.dtype(np.complex128 if witness.dtype.kind == "c" else np.float64)

    def _add(self, node: Node) -> SymbolicArray:
        self.nodes.append(node)
        return SymbolicArray(self, len(self.nodes) - 1)

    def _template(self, value: Any, operands: list[int]) -> Any:
        """An argument with slots for arrays; these numbers are appended to the operands."""
        if isinstance(value, SymbolicArray):
            operands.append(value.number)
        elif isinstance(value, np.ndarray):
            operands.append(self.constant(value).number)
        elif hasattr(value, "__array__") and not isinstance(value, np.generic | Packed | WideArray):  # such as frames
            operands.append(self.constant(dense(value)).number)
        elif isinstance(value, np.generic):
            return self._template(value.item(), operands)
        elif type(value) is int and not -(1 << 63) <= value < 1 << 63:  # which NumPy takes for objects alone
            operands.append(self.constant(np.array(value)).number)
        elif isinstance(value, list | tuple):
            return type(value)(self._template(part, operands) for part in value)
        elif isinstance(value, slice):
            return slice(*(self._template(part, operands) for part in (value.start, value.stop, value.step)))
        elif isinstance(value, KEPT):
            return value
        else:
            remedy = "; pass it as an argument of the program" if isinstance(value, Packed | WideArray) else ""
            raise TypeError(f"a {type(value).__name__} can not be written down in a program{remedy}")
        return Slot(len(operands) - 1)


class SymbolicArray(NDArrayOperatorsMixin):
    """An array that has a shape and a dtype, and no values: what a function is traced with."""

    __slots__ = ("number", "tracer")
    __hash__ = None  # type: ignore[assignment]
    __pandas_priority__ = 5000  # as of encrypted arrays

    def __init__(self, tracer: Tracer, number: int) -> None:
        self.tracer = tracer
        self.number = number

    @property
    def node(self) -> Node:
        """What made it."""
        return self.tracer.nodes[self.number]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.node.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.node.dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return self.node.size

    # --- what NumPy and the library ask ------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **keywords: Any) -> Any:
        name, inputs = name_of(ufunc, method), tuple(map(_as_array, inputs))
        plain = all(not x.node.encrypted for x in inputs if isinstance(x, SymbolicArray))
        if name in (plain_operations() if plain else operations()) and (method != "__call__" or not keywords):
            return self.tracer.record(name, inputs, keywords)
        if method == "__call__" and ufunc.nin == 1 and ufunc.nout == 1 and not keywords and ufunc not in OF_BITS:
            return self.tracer.record(name, inputs, function=ufunc)
        return answer_ufunc(ufunc, method, inputs, keywords)  # which says what there is

    def __array_function__(self, called: Callable[..., Any], types: Any, args: Any, keywords: Any) -> Any:
        if called in METADATA:
            args = tuple(np.broadcast_to(np.ones((), x.dtype), x.shape) if isinstance(x, SymbolicArray) else x
                         for x in args)  # fmt: skip
            return called(*args, **keywords)
        if called in SPLITS:
            count = len(called(np.broadcast_to(np.int8(0), args[0].shape), *args[1:], **keywords))
            return [self.tracer.record(PART + name_of(called), (part, *args), keywords) for part in range(count)]
        if called in COMPOSED:
            return FUNCTIONS[called](*args, **keywords)
        if name_of(called) in operations():
            return self.tracer.record(name_of(called), *_with_arrays(called, args, keywords))
        return answer(called, args, keywords)  # which says what there is

    def __fhe_function__(self, name: str, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        if name == "sort" and isinstance(args[0], list | tuple):
            return [self.tracer.record(f"{PART}fhe.sort", (part, *args), keywords) for part in range(len(args[0]))]
        return self.tracer.record(f"fhe.{name}", args, keywords)

    # --- methods of arrays -------------------------------------------------------------------------------------------

    def __getitem__(self, index: Any) -> SymbolicArray:
        parts = index if isinstance(index, tuple) else (index,)
        if any(isinstance(part, SymbolicArray) and part.node.encrypted for part in parts):
            raise TypeError(
                "an encrypted index cannot choose an element: the place read would tell it; multiply by an encrypted "
                "one-hot vector instead, (x * one_hot).sum()"
            )
        return self.tracer.record(GETITEM, (self, index))

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of an encrypted number; it has no axis")
        return self.shape[0]

    def __iter__(self) -> Iterator[SymbolicArray]:
        return (self[index] for index in range(len(self)))

    def sum(self, axis: Any = None, *, keepdims: bool = False) -> Any:
        return np.sum(self, axis=axis, keepdims=keepdims)

    def mean(self, axis: Any = None, *, keepdims: bool = False) -> Any:
        return np.mean(self, axis=axis, keepdims=keepdims)

    def var(self, axis: Any = None, *, ddof: float = 0, keepdims: bool = False) -> Any:
        return np.var(self, axis=axis, ddof=ddof, keepdims=keepdims)

    def prod(self, axis: Any = None, *, keepdims: bool = False) -> Any:
        return np.prod(self, axis=axis, keepdims=keepdims)

    def cumsum(self, axis: int | None = None) -> Any:
        return np.cumsum(self, axis=axis)

    def max(self, axis: Any = None, *, keepdims: bool = False) -> Any:
        return np.max(self, axis=axis, keepdims=keepdims)

    def min(self, axis: Any = None, *, keepdims: bool = False) -> Any:
        return np.min(self, axis=axis, keepdims=keepdims)

    def argmax(self, axis: int | None = None) -> Any:
        return np.argmax(self, axis=axis)

    def argmin(self, axis: int | None = None) -> Any:
        return np.argmin(self, axis=axis)

    def clip(self, low: Any = None, high: Any = None) -> Any:
        return np.clip(self, low, high)

    def dot(self, other: Any) -> Any:
        return self @ other

    @property
    def T(self) -> Any:
        return np.transpose(self)

    def transpose(self, *axes: Any) -> Any:
        order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        return np.transpose(self, order or None)

    def swapaxes(self, first: int, second: int) -> Any:
        return np.swapaxes(self, first, second)

    def reshape(self, *shape: Any) -> Any:
        return np.reshape(self, shape[0] if len(shape) == 1 else shape)

    def ravel(self) -> Any:
        return np.ravel(self)

    flatten = ravel

    def squeeze(self, axis: Any = None) -> Any:
        return np.squeeze(self, axis)

    def conj(self) -> Any:
        return np.conjugate(self)

    conjugate = conj

    @property
    def real(self) -> Any:
        return np.real(self)

    @property
    def imag(self) -> Any:
        return np.imag(self)

    def copy(self) -> SymbolicArray:
        return self

    # --- what no one can know ----------------------------------------------------------------------------------------

    def __bool__(self) -> NoReturn:
        raise TypeError("an encrypted array has no truth value: no branch can depend on it; compute both branches")

    def __array__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError(
            "while a program is traced its arrays have no values; use functions of NumPy and of fhe on them"
        )

    def __float__(self) -> NoReturn:
        raise TypeError("an encrypted value cannot become a float; its owner decrypts it: owner.decrypt(x)")

    __int__ = __complex__ = __index__ = item = tolist = __float__

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        raise TypeError(
            "encrypted arrays do not change; make a new one: np.where(mask, value, x) with a plain mask, or "
            "x * (1 - one_hot) + value * one_hot where the place itself is encrypted"
        )

    def __repr__(self) -> str:
        return f"SymbolicArray(shape={self.shape}, dtype={self.dtype}, {self.node.operation})"


def _as_array(operand: Any) -> Any:
    """A list of numbers where an operand stands is an array, as NumPy takes it."""
    return np.asarray(operand) if isinstance(operand, list | tuple) and not _holds_symbols(operand) else operand


def _holds_symbols(operand: Any) -> bool:
    return any(isinstance(x, SymbolicArray) or (isinstance(x, list | tuple) and _holds_symbols(x)) for x in operand)


def _with_arrays(called: Callable[..., Any], args: Any, keywords: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a function, arrays where it takes factors. Elsewhere lists are axes, indices and shapes."""
    factors: Sequence[int] = FACTORS.get(called, ())
    if called is np.einsum and not isinstance(args[0], str):  # the form in which lists are subscripts
        factors = ()
    taken = (_as_array(value) if place in factors else value for place, value in enumerate(args))
    return tuple(taken), {name: _as_array(value) if name in NAMED else value for name, value in keywords.items()}


def _frozen(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    copy = values.copy()
    copy.flags.writeable = False
    return copy


def _where() -> str:
    """File, line and text of what the traced function is doing."""
    frame = sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").startswith(INSIDE):
        frame = frame.f_back
    name, number = frame.f_code.co_filename, frame.f_lineno
    text = linecache.getline(name, number).strip()
    return f"{Path(name).name}:{number}" + (f", {text}" if text else "")
