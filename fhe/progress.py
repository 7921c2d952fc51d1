"""Progress bars of long work; tqdm is loaded by the first one that is shown: a third of what importing fhe took."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

T = TypeVar("T")


def progress(items: Iterable[T], description: str, shown: bool) -> Iterable[T]:
    """The items, one by one, and if ``shown`` a bar on standard error as they are worked through.

    >>> list(progress([1, 2], "counting", shown=False))
    [1, 2]
    """
    if not shown:
        return items
    from tqdm import tqdm  # noqa: PLC0415  (see above)

    bar: Iterable[T] = tqdm(items, desc=description, leave=False)
    return bar


_shown: ContextVar[bool] = ContextVar("shown", default=False)


@contextmanager
def showing(shown: bool) -> Iterator[None]:
    """If ``shown``, all `steps` within the block have bars, however deep they are called; else what was decided before.

    >>> with showing(False):
    ...     list(steps([1, 2], "counting"))
    [1, 2]
    """
    token = _shown.set(shown or _shown.get())
    try:
        yield
    finally:
        _shown.reset(token)


def steps(items: Iterable[T], description: str) -> Iterable[T]:
    """The items, one by one, with a bar where somebody further out asked for it by `showing`."""
    return progress(items, description, _shown.get())
