"""The largest and the smallest along axes: one half against the other, again and again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Axes = int | tuple[int, ...] | None


def largest(x: Any, axis: Axes = None, *, keepdims: bool = False) -> Any:
    """np.max of an array: ceil(log2 n) times `fhe.maximum`, exact for integers, up to margins for reals.

    >>> import fhe
    >>> program = fhe.compile(lambda x: np.max(x, axis=1), fhe.spec((2, 3), dtype=int, bound=3))
    >>> owner = program.keygen()
    >>> owner.decrypt(program(owner.encrypt([[1, 3, 2], [-3, 0, -1]]))).tolist()
    [3, 0]
    """
    return _along(np.maximum, x, axis, keepdims)


def smallest(x: Any, axis: Axes = None, *, keepdims: bool = False) -> Any:
    """np.min, likewise."""
    return _along(np.minimum, x, axis, keepdims)


def _along(of: Callable[[Any, Any], Any], x: Any, axis: Axes, keepdims: bool) -> Any:
    axes = range(x.ndim) if axis is None else [axis] if isinstance(axis, int) else axis
    numbered = sorted({range(x.ndim)[k] for k in axes}, reverse=True)
    for k in numbered:
        x = np.moveaxis(x, k, 0)
        while len(x) > 1:
            half = (len(x) + 1) // 2  # an odd one is in both halves
            x = of(x[:half], x[len(x) - half :])
        x = np.moveaxis(x, 0, k) if keepdims else x[0]
    return x
