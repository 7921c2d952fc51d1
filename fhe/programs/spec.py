"""What is said of an argument before there is any: its shape, kind, public bound, and who may read it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fhe.errors import EncodingError
from fhe.validate import finite, first_of, python_integers

KINDS: dict[str, str] = {"real": "f", "complex": "c", "integer": "i"}
DTYPES = {"real": np.dtype(np.float64), "complex": np.dtype(np.complex128), "integer": np.dtype(np.int64)}


@dataclass(frozen=True, slots=True)
class Spec:
    """An argument of a program. Made by `fhe.spec`.

    shape, kind
        Of the array: "real" and "complex" compute approximately (CKKS), "integer" exactly (BFV).
    low, high
        What the values are between; of complex ones ``high`` bounds magnitudes.
    encrypted
        Whether it is hidden from who runs the program.
    batch
        The axis of many samples, if one is to lie alone across the slots (see `Context.encrypt`).

    >>> import fhe
    >>> ages = fhe.spec(100, dtype=int, bound=(0, 120))
    >>> ages.kind, ages.bound, isinstance(ages, fhe.Spec)
    ('integer', 120, True)
    """

    shape: tuple[int, ...]
    kind: str
    low: float
    high: float
    encrypted: bool = True
    batch: int | None = None

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the array in the clear."""
        return DTYPES[self.kind]

    @property
    def wide(self) -> bool:
        """Are these integers that 64 bits may not hold?"""
        return self.kind == "integer" and max(abs(self.low), abs(self.high)) >= 1 << 63

    @property
    def bound(self) -> float:
        """The largest magnitude."""
        return max(abs(self.low), abs(self.high))

    @property
    def promise(self) -> float | tuple[float, float]:
        """What `Context.encrypt` takes as ``bound``."""
        return self.bound if self.kind == "complex" or self.low == -self.high else (self.low, self.high)

    def checked(self, values: ArrayLike, name: str) -> NDArray[Any]:
        """The values as an array of this kind; EncodingError for another shape or kind, or one beyond the bound."""
        array = np.asarray(values)
        allowed = {"real": "biuf", "complex": "biufc", "integer": "biuO" if self.wide else "biu"}[self.kind]
        if array.shape != self.shape or array.dtype.kind not in allowed:
            raise EncodingError(
                f"argument {name} is a {self.kind} array of shape {self.shape}, got dtype {array.dtype} of shape "
                f"{array.shape}"
            )
        array = python_integers(array) if array.dtype.kind == "O" else array
        if self.kind == "complex":
            beyond = np.argwhere(np.abs(finite(array)) > self.high)
        else:
            beyond = np.argwhere((finite(array) > self.high) | (array < self.low))
        if len(beyond):
            raise EncodingError(
                f"argument {name} was promised between {self.low:g} and {self.high:g}; {first_of(beyond)} is not; "
                "scale the data, or compile for a larger bound="
            )
        return python_integers(array) if self.wide else array.astype(self.dtype)

    def __str__(self) -> str:
        hidden = "encrypted" if self.encrypted else "plain"
        return f"{hidden} {self.kind} {self.shape}, from {self.low:g} to {self.high:g}"


def spec(
    shape: int | tuple[int, ...] = (),
    *,
    bound: float | tuple[float, float] | None = None,
    dtype: Any = None,
    kind: str | None = None,
    encrypted: bool = True,
    batch: int | None = None,
) -> Spec:
    """What `fhe.compile` is told of an argument: its shape, and a *public* bound on its values.

    ``bound`` is a largest magnitude, or a pair (low, high): the narrower, the cheaper whatever is approximated, and the
    more functions there are (a logarithm wants low > 0). ``kind`` is "real", "complex" or "integer", or follows from
    ``dtype``; integers compute exactly. Without a bound narrow integer dtypes have that of their dtype. Arguments with
    ``encrypted=False`` are plain when the program runs, and may differ from run to run.

    >>> import fhe
    >>> print(fhe.spec((64, 30), bound=1))
    encrypted real (64, 30), from -1 to 1
    >>> print(fhe.spec(8, dtype="uint8", encrypted=False))
    plain integer (8,), from 0 to 255
    """
    shape = (int(shape),) if isinstance(shape, int | np.integer) else tuple(map(int, shape))
    if min(shape, default=1) < 1:
        raise EncodingError(f"an argument has at least one element, got shape {shape}")
    chosen = np.dtype(np.float64 if dtype is None else dtype)
    kind = kind or {"f": "real", "c": "complex", "i": "integer", "u": "integer", "b": "integer"}.get(chosen.kind)
    if kind not in KINDS:
        raise EncodingError(f"an argument is real, complex or integer, not {kind or chosen}")
    if bound is None and chosen.kind in "iub" and chosen.itemsize < 8:
        bound = (0, 1) if chosen.kind == "b" else (np.iinfo(chosen).min, np.iinfo(chosen).max)
    if bound is None:
        raise EncodingError(f"fhe.spec({shape}) needs bound=: the largest magnitude of its values, or (low, high)")
    low, high = bound if isinstance(bound, tuple | list) else (-bound, bound)
    if not -math.inf < low <= high < math.inf or (low == high == 0):
        raise EncodingError(f"bound= takes a positive number, or a pair (low, high), not {bound!r}")
    if batch is not None:
        batch = range(len(shape))[batch]
    exact = int if kind == "integer" else float
    return Spec(shape, kind, exact(low), exact(high), bool(encrypted), batch)
