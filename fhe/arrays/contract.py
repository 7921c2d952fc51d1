"""Einstein's sums, and all that are some: inner, outer and tensor products, traces."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_letters
from typing import Any

import numpy as np

from fhe.arrays.elementwise import conjugate, multiply
from fhe.arrays.packed import Packed
from fhe.arrays.products import matmul
from fhe.arrays.rearrange import moved
from fhe.arrays.reduce import total
from fhe.errors import EncodingError


def einsum(subscripts: str, *operands: Any) -> Any:
    """np.einsum of encrypted and plain operands, from left to right.

    Diagonals and transposes move nothing. A contraction of two matrices is their `matmul`, any other a product of what
    the operands broadcast to, summed.
    """
    if not isinstance(subscripts, str):
        raise EncodingError("einsum takes its subscripts as a string, like 'ij,jk->ik'")
    arrays = [operand if isinstance(operand, Packed) else np.asarray(operand) for operand in operands]
    inputs, output = _parsed(subscripts, [array.ndim for array in arrays])
    letters, result = inputs[0], arrays[0]
    for k in range(len(arrays)):
        later = set(output).union(*inputs[k + 1 :])
        if k:
            letters, result = _pair(letters, result, inputs[k], arrays[k], later)
        letters, result = _reduced(letters, result, later)
    return _transposed(letters, result, output)


def _parsed(subscripts: str, dimensions: Sequence[int]) -> tuple[list[str], str]:
    """The letters of each operand and of the result; those of an ellipsis are chosen."""
    left, arrow, output = subscripts.replace(" ", "").partition("->")
    inputs = left.split(",")
    if len(inputs) != len(dimensions):
        raise EncodingError(f"einsum {subscripts!r} speaks of {len(inputs)} operands, there are {len(dimensions)}")
    free = "".join(letter for letter in ascii_letters if letter not in subscripts)
    longest = ""
    for k, (part, ndim) in enumerate(zip(inputs, dimensions, strict=True)):
        rest = ndim - len(part.replace("...", ""))
        if rest < 0 or (rest and "..." not in part):
            raise EncodingError(f"einsum {subscripts!r}: {part!r} does not name the axes of an operand of {ndim}")
        filled = free[len(free) - rest :]
        longest = max(longest, filled, key=len)
        inputs[k] = part.replace("...", filled)
    if not arrow:
        every = "".join(inputs)
        output = "..." + "".join(sorted(letter for letter in set(every) - set(longest) if every.count(letter) == 1))
    return inputs, output.replace("...", longest)


def _reduced(letters: str, array: Any, kept: set[str]) -> tuple[str, Any]:
    """Diagonals taken where a letter repeats, and what nobody asks for again summed."""
    unique = "".join(dict.fromkeys(letters))
    if unique != letters:
        array = _viewed(f"{letters}->{unique}", array)
    gone = tuple(k for k, letter in enumerate(unique) if letter not in kept)
    if gone:
        array = total(array, gone) if isinstance(array, Packed) else array.sum(axis=gone)
    return "".join(letter for letter in unique if letter in kept), array


def _pair(x_letters: str, x: Any, y_letters: str, y: Any, kept: set[str]) -> tuple[str, Any]:
    """Two operands as one, over the letters of both."""
    x_letters, x = _reduced(x_letters, x, kept | set(y_letters))
    y_letters, y = _reduced(y_letters, y, kept | set(x_letters))
    if not (isinstance(x, Packed) or isinstance(y, Packed)):
        letters = "".join(dict.fromkeys(x_letters + y_letters))
        return letters, np.einsum(f"{x_letters},{y_letters}->{letters}", x, y)
    inner = [letter for letter in x_letters if letter in y_letters and letter not in kept]
    if len(inner) == 1 and len(x_letters) == len(y_letters) == 2 and len(set(x_letters + y_letters)) == 3:
        i, j = x_letters.replace(inner[0], ""), y_letters.replace(inner[0], "")
        x, y = _transposed(x_letters, x, i + inner[0]), _transposed(y_letters, y, inner[0] + j)
        return i + j, matmul(x, y)
    letters = "".join(dict.fromkeys(x_letters + y_letters))
    return letters, multiply(_expanded(x_letters, x, letters), _expanded(y_letters, y, letters))


def _expanded(letters: str, array: Any, wanted: str) -> Any:
    """The axes in the wanted order, with new ones of length 1 for letters it does not have."""
    array = _transposed(letters, array, "".join(letter for letter in wanted if letter in letters))
    index = tuple(slice(None) if letter in letters else None for letter in wanted)
    return moved(array, lambda a: a[index]) if isinstance(array, Packed) else array[index]


def _transposed(letters: str, array: Any, wanted: str) -> Any:
    if sorted(letters) != sorted(wanted):
        raise EncodingError(f"einsum: the result {wanted!r} names axes that no operand has, or one twice")
    return array if letters == wanted else _viewed(f"{letters}->{wanted}", array)


def _viewed(subscripts: str, array: Any) -> Any:
    """NumPy's einsum where it only looks differently at one operand."""
    if isinstance(array, Packed):
        return moved(array, lambda a: np.einsum(subscripts, a))
    return np.einsum(subscripts, array)


# --- what einsum says in other words ------------------------------------------------------------------------------


def dot(x: Any, y: Any) -> Any:
    """np.dot: a product with a number, else a sum over the last axis of x and the last but one of y."""
    if not np.ndim(x) or not np.ndim(y):
        return multiply(x, y)
    return matmul(x, y) if max(np.ndim(x), np.ndim(y)) <= 2 else tensordot(x, y, ([-1], [max(-2, -np.ndim(y))]))


def vdot(x: Any, y: Any) -> Any:
    """np.vdot: of all elements, the first conjugated."""
    x = moved(x, np.ravel) if isinstance(x, Packed) else np.ravel(x)
    y = moved(y, np.ravel) if isinstance(y, Packed) else np.ravel(y)
    return matmul(conjugate(x) if isinstance(x, Packed) else np.conj(x), y)


def inner(x: Any, y: Any) -> Any:
    """np.inner: over the last axes."""
    return tensordot(x, y, ([-1], [-1])) if np.ndim(x) and np.ndim(y) else multiply(x, y)


def outer(x: Any, y: Any) -> Any:
    """np.outer: every product of an element of x with one of y."""
    x = moved(x, lambda a: a.reshape(-1, 1)) if isinstance(x, Packed) else np.reshape(x, (-1, 1))
    y = moved(y, lambda a: a.reshape(1, -1)) if isinstance(y, Packed) else np.reshape(y, (1, -1))
    return multiply(x, y)


def tensordot(x: Any, y: Any, axes: Any = 2) -> Any:
    """np.tensordot."""
    n, m = np.ndim(x), np.ndim(y)
    left, right = (range(n - axes, n), range(axes)) if isinstance(axes, int) else map(np.atleast_1d, axes)
    letters = iter(ascii_letters)
    x_letters = [next(letters) for _ in range(n)]
    y_letters = [next(letters) for _ in range(m)]
    for i, j in zip(left, right, strict=True):
        y_letters[j] = x_letters[i]
    summed = {x_letters[i] for i in left}
    kept = [letter for letter in (*x_letters, *y_letters) if letter not in summed]
    return einsum(f"{''.join(x_letters)},{''.join(y_letters)}->{''.join(kept)}", x, y)


def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """np.trace."""
    return total(moved(x, lambda a: np.diagonal(a, offset, axis1, axis2)), -1)
