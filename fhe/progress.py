"""Progress bars of long work; tqdm is loaded by the first one that is shown: a third of what importing fhe took."""

from __future__ import annotations

from collections.abc import Iterable
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
