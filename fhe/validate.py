"""Checks at the public edge: numbers that come from outside, before any work."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fhe.errors import EncodingError


def one_dimensional(values: ArrayLike, most: int, what: str) -> NDArray[Any]:
    """The values as a vector of at most ``most`` entries (a number is a vector of one).

    >>> one_dimensional(3, 4, "slots").shape
    (1,)
    """
    array = np.asarray(values)
    if array.ndim > 1:
        raise EncodingError(
            f"expected one dimension, got shape {array.shape}; pass array.ravel() or encrypt row by row"
        )
    if array.size > most:
        raise EncodingError(f"{array.size} values do not fit {most} {what}; split them, or use a larger ring degree")
    return np.atleast_1d(array)


def first_of(places: NDArray[np.intp]) -> str:
    """The first of the places, an index a row, where something is wrong, and how many there are.

    >>> first_of(np.argwhere([0, 3, 1])), first_of(np.argwhere([[0, 3]])), first_of(np.argwhere(np.True_))
    ('the value at index 1 (the first of 2)', 'the value at index (0, 1)', 'the value')
    """
    index = tuple(map(int, places[0]))
    where = f" at index {index[0] if len(index) == 1 else index}" if index else ""
    return f"the value{where}" + (f" (the first of {len(places)})" if len(places) > 1 else "")


def finite(array: NDArray[Any]) -> NDArray[Any]:
    """The array itself, or EncodingError naming the first index that is NaN or infinite."""
    if array.dtype.kind in "fc":
        bad = np.argwhere(~np.isfinite(array))
        if len(bad):
            raise EncodingError(f"{first_of(bad)} is NaN or infinite; clean the data first")
    return array


def integers(array: NDArray[Any]) -> NDArray[np.int64]:
    """Exact int64 values, or EncodingError: floats must be integral, nothing may overflow."""
    if array.dtype.kind in "bi" or (array.dtype.kind == "u" and array.dtype.itemsize < 8):
        return array.astype(np.int64)
    if array.dtype.kind not in "ufO":
        raise EncodingError(f"BFV encodes integers, got dtype {array.dtype}")
    finite(array)
    try:
        exact = array.astype(np.int64)
        wrong = np.argwhere((exact != array) | ((array > 0) & (exact < 0)))
    except (OverflowError, TypeError, ValueError) as error:
        raise EncodingError("BFV encodes integers that fit 64 bits; pass an integer array") from error
    if len(wrong):
        raise EncodingError(f"{first_of(wrong)} is not a 64-bit integer; round first")
    return exact


def python_integers(array: NDArray[Any]) -> NDArray[np.object_]:
    """Exact integers of any size, as Python's, or EncodingError: floats must be integral."""
    if array.dtype.kind not in "biufO":
        raise EncodingError(f"BFV encodes integers, got dtype {array.dtype}")
    if array.dtype.kind in "biu":
        return (array.astype(np.int64) if array.dtype.kind == "b" else array).astype(object)
    exact = np.empty(array.shape, dtype=object)
    for index, value in np.ndenumerate(finite(array)):
        try:
            exact[index] = int(value) if int(value) == value else None
        except (TypeError, ValueError, OverflowError):
            exact[index] = None
        if exact[index] is None:
            raise EncodingError(f"the value at index {index} is not an integer; round first")
    return exact


def dense(values: ArrayLike) -> NDArray[Any]:
    """The values as an array; EncodingError where that would lose what they are: masked, or sparse.

    >>> dense(np.ma.masked_array([1, 2], [True, False]))
    Traceback (most recent call last):
    fhe.errors.EncodingError: some of these values are masked; say what they are: values.filled(…)
    """
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise EncodingError("some of these values are masked; say what they are: values.filled(…)")
    if not isinstance(values, np.ndarray) and hasattr(values, "toarray"):
        raise EncodingError(f"a sparse {type(values).__name__} is no array; give it as values.toarray()")
    return np.asarray(values)
