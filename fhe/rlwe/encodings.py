"""What plain operands were encoded to, found again by what they are.

Encoding a vector takes longer than multiplying by it, and a server multiplies by the same model again and again. So
whatever is to be encoded is looked up first: by its contents, never by its identity. An array that was changed in place
is another operand, and nothing stale is ever found.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from typing import Any, NamedTuple, Protocol, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike

from fhe.rlwe.chain import ModulusChain

MOST_KEPT = 1 << 30  # bytes, of one program
MOST_RECENT = 1 << 28  # bytes, of all arrays of one parameter set
SIGHTED = 1 << 12  # operands that are remembered to have come once


_lock = Lock()
if hasattr(os, "register_at_fork"):  # a child process finds it released
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)


class Sized(Protocol):
    """What says how many bytes it takes."""

    @property
    def nbytes(self) -> int: ...


V = TypeVar("V", bound=Sized)


class _Kept(NamedTuple):
    value: Sized
    nbytes: int
    run: int


class Encodings:
    """The encodings of a computation that will be repeated: what its last run used, up to ``limit`` bytes of it.

    ``nbytes`` are those that it takes now.

    Beyond the limit what comes first stays: whoever goes through all of them again and again would never meet again
    what makes room for the next.

    >>> memory = Encodings()
    >>> with memory.used():
    ...     remembered(None, ("twice",), np.arange(3), lambda: 2 * np.arange(3)).tolist(), len(memory), memory.nbytes
    ([0, 2, 4], 1, 48)
    >>> with memory.used():
    ...     len(memory)
    1
    >>> len(memory)  # it was not used again
    0
    """

    def __init__(self, limit: int = MOST_KEPT) -> None:
        self.limit = limit
        self.nbytes = 0
        self._kept: dict[tuple[Hashable, ...], _Kept] = {}
        self._run = 0

    def __len__(self) -> int:
        return len(self._kept)

    def clear(self) -> None:
        """Give it all up."""
        with _lock:
            self._kept.clear()
            self.nbytes = 0

    @contextmanager
    def used(self) -> Iterator[None]:
        """A run: whatever it encodes is looked up here, and what it does not use is given up."""
        with _lock:
            self._run += 1
            started = self._run
        token = _memory.set(self)
        try:
            yield
        finally:
            _memory.reset(token)
            with _lock:
                for key in [key for key, kept in self._kept.items() if kept.run < started]:
                    self.nbytes -= self._kept.pop(key).nbytes

    def of(self, key: tuple[Hashable, ...], make: Callable[[], V]) -> V:
        """What is kept by this key, or is made now and kept."""
        found = self._kept.get(key)
        value = make() if found is None else cast(V, found.value)
        with _lock:
            self._keep(key, value)
        return value

    def _keep(self, key: tuple[Hashable, ...], value: Sized) -> None:
        if key in self._kept:
            self.nbytes -= self._kept.pop(key).nbytes
        nbytes = _nbytes(key) + value.nbytes
        if self.nbytes + nbytes <= self.limit:
            self._kept[key] = _Kept(value, nbytes, self._run)
            self.nbytes += nbytes


class Recent(Encodings):
    """The encodings of whatever comes: kept from its second time on; what was used least recently makes room.

    >>> memory = Recent(limit=1000)
    >>> [len(memory) for _ in range(3) if memory.of(("key",), lambda: np.arange(3)) is not None]
    [0, 1, 1]
    """

    def __init__(self, limit: int = MOST_RECENT) -> None:
        super().__init__(limit)
        self._sighted: dict[int, None] = {}

    def _keep(self, key: tuple[Hashable, ...], value: Sized) -> None:
        if key not in self._kept and self._sighted.pop(hash(key), self) is self:
            self._sighted[hash(key)] = None
            if len(self._sighted) > SIGHTED:
                del self._sighted[next(iter(self._sighted))]
            return
        room = self.limit - _nbytes(key) - value.nbytes
        while room >= 0 and self.nbytes > room and key not in self._kept:
            self.nbytes -= self._kept.pop(next(iter(self._kept))).nbytes
        super()._keep(key, value)  # as the last, to go last


_memory: ContextVar[Encodings | None] = ContextVar("encodings", default=None)


def remembered(chain: ModulusChain | None, what: Hashable, values: ArrayLike, make: Callable[[], V]) -> V:
    """The encoding of plain values on a chain, made now or before; ``what`` tells all else that it depends on.

    It is looked up among those of the program that runs, or of the chain where none does.
    """
    memory = _memory.get()
    if memory is None:
        memory = recent(chain)
    return memory.of((chain, what, *_contents(np.asarray(values))), make)


def recent(chain: ModulusChain | None) -> Encodings:
    """The encodings of arrays of one chain, outside of programs."""
    assert chain is not None
    return cast(Encodings, chain.__dict__.setdefault("encodings", Recent()))


def _contents(values: np.ndarray[Any, Any]) -> tuple[Hashable, ...]:
    if values.dtype.hasobject:
        return values.shape, tuple(values.ravel().tolist())
    return values.dtype.str, values.shape, values.tobytes()


def _nbytes(key: tuple[Hashable, ...]) -> int:
    """Of the contents that end a key, about."""
    contents = key[-1]
    return len(contents) if isinstance(contents, bytes) else 0
