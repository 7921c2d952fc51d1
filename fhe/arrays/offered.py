"""Functions of the library that other kinds of arrays may answer: plain ones, and those of a function being traced.

As NumPy asks ``__array_function__``, a function made here asks ``__fhe_function__`` of its operands first. Where all
operands are plain, NumPy's function answers, if there is one of the same meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np

P = ParamSpec("P")
R = TypeVar("R")

OFFERED: dict[str, Callable[..., Any]] = {}
FOR_ENCRYPTED_ALONE = ("margin", "error", "method")
PLAIN = (int, float, complex, str, type(None), np.ndarray, np.generic)


def offered(clear: Callable[..., Any] | None = None) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a function be asked for by its name; ``clear`` answers where no operand is encrypted."""

    def decorated(function: Callable[P, R]) -> Callable[P, R]:
        name = function.__name__

        @wraps(function)
        def asked(*args: P.args, **kwargs: P.kwargs) -> R:
            if (symbol := symbolic(args)) is not None:
                traced: R = symbol.__fhe_function__(name, args, kwargs)
                return traced
            if clear is not None and _plain(args):
                plain: R = clear(*args, **{k: v for k, v in kwargs.items() if k not in FOR_ENCRYPTED_ALONE})
                return plain
            return function(*args, **kwargs)

        OFFERED[name] = asked
        return asked

    return decorated


def symbolic(args: Iterable[Any]) -> Any:
    """The first operand that answers for itself, also within lists; None if there is none."""
    for x in args:
        if hasattr(type(x), "__fhe_function__"):
            return x
        if isinstance(x, list | tuple) and (found := symbolic(x)) is not None:
            return found
    return None


def _plain(args: Iterable[Any]) -> bool:
    return all(_plain(x) if isinstance(x, list | tuple) else isinstance(x, PLAIN) for x in args)
