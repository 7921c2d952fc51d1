"""Files: written whole or not at all, read whole or as they are used."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from fhe.io.pieces import Stored

PUBLIC, PRIVATE = 0o666, 0o600  # the umask takes from the first; the second is for its owner alone, from creation

FilePath = str | os.PathLike[str]
SUFFIX: Final = ".part"


class Written(Protocol):
    """What writes itself, piece by piece, to a new file."""

    def __len__(self) -> int: ...

    def write_to(self, file: BinaryIO, /) -> None: ...


def write(path: FilePath, data: bytes | Written, mode: int = PUBLIC) -> None:
    """Put bytes at a path, atomically: whoever looks finds the old file or the new one, whole.

    The bytes go to a new file beside it, down to the disk, and then under the name. If that fails, or the process is
    killed, what was there is as it was (a killed process leaves a file ``.name.….part`` behind). Raises OSError, of
    the class of its cause, for a full disk and whatever else a file system refuses.
    """
    target = Path(path)
    part = target.with_name(f".{target.name}.{secrets.token_hex(8)}{SUFFIX}")
    try:
        try:
            _write_new(part, data, mode)
            os.replace(part, target)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        _sync_folder(target.parent)
    except OSError as error:
        reason = f"{error.strerror}; {len(data)} bytes were not written, and what was there before is as it was"
        raise OSError(error.errno, reason, str(target)) from error


def read(path: FilePath) -> bytes:
    """All bytes of a file."""
    return Path(path).read_bytes()


@contextmanager
def opened(path: FilePath) -> Iterator[Stored]:
    """The bytes of a file, read from it as they are used, until the block ends."""
    with Path(path).open("rb") as file:
        yield Stored(file, 0, os.fstat(file.fileno()).st_size)


def _write_new(path: Path, data: bytes | Written, mode: int) -> None:
    """A file that was not there, with this mode from its first moment, on the disk when this returns."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
    with open(descriptor, "wb") as file:
        if isinstance(data, bytes):
            file.write(data)
        else:
            data.write_to(file)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Bring a new name in a folder to the disk, where the system can: elsewhere a folder cannot be opened."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
