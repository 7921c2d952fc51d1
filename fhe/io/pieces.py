"""Bytes that need not be in memory all at once: made piece by piece as they are written, or read as they are used."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from fhe.errors import FormatError

PIECE_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """Bytes of a known size, made whenever they are asked for.

    >>> len(Made(6, lambda: [b"abc", b"def"])), b"".join(pieces(Made(6, lambda: [b"abc", b"def"])))
    (6, b'abcdef')
    """

    size: int
    make: Callable[[], Iterable[bytes]]

    def __len__(self) -> int:
        return self.size

    def __bytes__(self) -> bytes:
        return b"".join(self.make())

    def __getitem__(self, part: slice) -> bytes:
        return bytes(self)[part]


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """Bytes of an open file, from ``start`` to ``stop``; slices are of the same kind, and `bytes` alone reads.

    >>> import io
    >>> data = Stored(io.BytesIO(b"header and body"), 0, 15)
    >>> len(data[7:]), bytes(data[7:][:3])
    (8, b'and')
    """

    file: BinaryIO
    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start

    def __getitem__(self, part: slice) -> Stored:
        first, last, _ = part.indices(len(self))
        return Stored(self.file, self.start + first, self.start + max(first, last))

    def __bytes__(self) -> bytes:
        self.file.seek(self.start)
        found = self.file.read(len(self))
        if len(found) != len(self):
            raise FormatError("the file became shorter while it was read; save by fhe.save, which replaces it whole")
        return found


Section = bytes | memoryview | Made | Stored


def pieces(section: Section) -> Iterator[bytes | memoryview]:
    """The bytes of a section in order, few at a time if they are not in memory yet."""
    if isinstance(section, Made):
        yield from section.make()
    elif isinstance(section, Stored):
        for start in range(0, len(section), PIECE_BYTES):
            yield bytes(section[start : start + PIECE_BYTES])
    else:
        yield section
