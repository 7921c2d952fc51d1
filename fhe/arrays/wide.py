"""Arrays of wide integers: one array of residues for each plain modulus, computed on alike (`fhe.wide`).

The parts are ordinary arrays under one key, of one layout. Whatever is asked of a `WideArray` is done to each of its
parts, so it costs their number times as much. Intervals are those of the true integers in every part.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial, reduce
from typing import Any, Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from fhe.arrays.packed import outranked
from fhe.interval import Interval
from fhe.io.registry import to_bytes
from fhe.wide import combined

INT64_BITS: Final = 63
BINARY = "add radd sub rsub mul rmul truediv matmul rmatmul pow lt le gt ge eq ne"
UNARY = "neg pos abs"


class WideArray:
    """An encrypted array of integers wider than one plain modulus. It has the methods of `EncryptedArray`.

    Made by `encrypt` where `fhe.bfv` was asked for more ``value_bits`` than one plain modulus holds.

    >>> import fhe
    >>> owner = fhe.bfv(depth=1, value_bits=80, ring_degree=64, insecure="for this example", backend="reference")
    >>> x = owner.encrypt([10**18, -(10**12)], bound=10**18)
    >>> owner.decrypt(x * 1000 + 1).tolist()
    [1000000000000000000001, -999999999999999]
    """

    __slots__ = ("parts",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, parts: Sequence[Any]) -> None:
        self.parts = tuple(parts)

    def each(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """The function of each part and what belongs to it among the arguments."""
        return each(len(self.parts), function, args, kwargs)

    def map(self, function: Callable[..., Any], *args: Any) -> WideArray:
        """The function of every ciphertext of every part."""
        return WideArray([part.map(function, *args) for part in self.parts])

    def __getattr__(self, name: str) -> Any:
        """What an `EncryptedArray` has: shape, sum, T, …"""
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__} has no {name}")
        found = [getattr(part, name) for part in self.parts]
        if callable(found[0]) and not hasattr(found[0], "shards"):
            return partial(self.each, lambda part, *args, **kwargs: getattr(part, name)(*args, **kwargs), self)
        return _joined(found)

    def __len__(self) -> int:
        return len(self.parts[0])

    def __getitem__(self, index: Any) -> Any:
        return WideArray([part[index] for part in self.parts])

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return NotImplemented if outranked(map(type, inputs)) else self.each(getattr(ufunc, method), *inputs, **kwargs)

    def __array_function__(self, func: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        return NotImplemented if outranked(types) else self.each(func, *args, **kwargs)

    def __array__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("an encrypted array has no readable values; its owner decrypts it: owner.decrypt(x)")

    def __bool__(self) -> NoReturn:
        raise TypeError("an encrypted array has no truth value: no branch can depend on it; compute both branches")

    def __repr__(self) -> str:
        return f"WideArray(shape={self.shape}, {len(self.parts)} plain moduli, level={self.parts[0].shards[0].level})"

    def to_bytes(self) -> bytes:
        """The array as bytes, to be read by `Context.load`."""
        return to_bytes(self)


def parts_of(x: Any) -> tuple[Any, ...]:
    """The parts of a wide array; of any other, itself."""
    return x.parts if isinstance(x, WideArray) else (x,)


def each(count: int, function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """The function, once for each of so many parts."""
    return _joined([function(*_part(args, i), **_part(kwargs, i)) for i in range(count)])


def _part(value: Any, index: int) -> Any:
    """What belongs to one part: of wide arrays their part, of anything else all of it."""
    if isinstance(value, WideArray):
        return value.parts[index]
    if isinstance(value, list | tuple):
        return type(value)([_part(item, index) for item in value])
    return {key: _part(item, index) for key, item in value.items()} if isinstance(value, dict) else value


def _joined(found: list[Any]) -> Any:
    """One wide array of arrays, or of each of several; anything else is the same of all parts."""
    if hasattr(found[0], "shards"):
        return WideArray(found)
    if isinstance(found[0], list | tuple) and any(hasattr(item, "shards") for item in found[0]):
        return type(found[0])(_joined(list(items)) for items in zip(*found, strict=True))
    return found[0]


def _operator(name: str) -> Callable[..., Any]:
    def operation(self: WideArray, *others: Any) -> Any:
        return self.each(lambda part, *rest: getattr(part, name)(*rest), self, *others)

    operation.__name__ = name
    return operation


for _name in f"{BINARY} {UNARY}".split():
    setattr(WideArray, f"__{_name}__", _operator(f"__{_name}__"))


def integers_of(x: WideArray, residues: Sequence[NDArray[np.int64]]) -> NDArray[Any]:
    """The integers of decrypted parts: int64 where the public interval fits it, else Python's."""
    intervals = [shard.interval for shard in x.parts[0].shards]
    moduli = [part.evaluator.chain.parameters.plain_modulus for part in x.parts]
    whole = reduce(Interval.hull, (i or Interval.residues(math.prod(moduli)) for i in intervals))
    integers = combined(residues, moduli, whole.low)
    return integers.astype(np.int64) if whole.high is not None and whole.value_bits <= INT64_BITS else integers
