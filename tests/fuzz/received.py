"""The Python entries that see foreign bytes: whatever comes is refused by name, or read and written again the same.

An input whose first byte is even is a file as it came. Of others the header is read as far as it goes and written again
as it should be, with a digest that is right: so changed metadata reach those who judge them.
"""

from __future__ import annotations

import json
import os
import tracemalloc
from collections.abc import Callable
from functools import cache, lru_cache
from hashlib import sha256
from typing import Any, Final

from fhe import _core
from fhe.backend.choose import choose
from fhe.context import Context
from fhe.describe import describe
from fhe.errors import FHEError, FormatError, ParameterError
from fhe.files import parameters_from_bytes
from fhe.io import sealed
from fhe.io.format import Container, canonical
from fhe.keyfile import secret_from_bytes
from tests.io.hostile import KINDS, PASSPHRASE, blob, exact, named, real, said, whole

ENTRIES: Final = (*KINDS, "container", "description")
RAW, REWRITTEN = b"\0", b"\1"
TABLES: Final = 1 << 20  # of the small rings of these files, and what Python keeps of what it has seen
NATIVE = choose("native")


def seeds(entry: str) -> list[bytes]:
    """What fuzzing begins with: a file of the kind, as it came and to be rewritten."""
    kinds = [entry] if entry in KINDS else KINDS
    return [mode + blob(kind) for kind in kinds for mode in (RAW, REWRITTEN)]


def rewritten(data: bytes) -> bytes:
    """The file that the header means, in its one form; the bytes as they are where it means none."""
    size = int.from_bytes(data[:8], "little")
    try:
        table = json.loads(data[8 : 8 + size].decode("latin-1"))
        metadata = table.pop("__metadata__")
        sizes = {name: entry["data_offsets"][1] - entry["data_offsets"][0] for name, entry in table.items()}
        content = json.loads(metadata["content"])
        canonical(content)
        body, start, sections = data[8 + size :], 0, {}
        for name, length in sizes.items():
            sections[name] = body[start : start + min(length, len(body))]
            start += len(sections[name])
        return Container(metadata["kind"], content, sections).to_bytes()
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError, FHEError):
        return data


@cache
def reader(entry: str) -> Callable[[bytes], Any]:
    """What reads an entry's bytes, on the native backend."""
    if entry == "public":
        return lambda data: Context.from_bytes(data, NATIVE)
    if entry == "parameters":
        return parameters_from_bytes
    if entry == "secret":
        return lambda data: secret_from_bytes(data, PASSPHRASE, NATIVE)
    if entry == "container":
        return lambda data: Container.from_bytes(data, json.loads(data[8:])["__metadata__"]["kind"])
    owners = {"array": "ckks", "wide": "wide"}
    return native_owner(owners.get(entry, "bfv")).load


@cache
def native_owner(name: str) -> Any:
    made = {"ckks": real, "bfv": exact, "wide": whole}[name]()
    return Context.from_bytes(made.public().to_bytes(), NATIVE)


def described(data: bytes) -> None:
    """The header of a file tells plain values, or is refused."""
    path = f"/dev/shm/fhe-fuzz-{os.getpid()}"  # noqa: S108  (a file that is never on a disk)
    with open(path, "wb") as file:
        file.write(data)
    try:
        json.dumps(describe(path))
    finally:
        os.unlink(path)


def check(entry: str, data: bytes) -> None:
    """Raise AssertionError, or whatever nobody promised, for bytes that are handled wrongly."""
    data = rewritten(data[1:]) if data[:1] > RAW else data[1:]
    try:
        if entry == "description":
            return described(data)
        if entry == "container":
            return _container(data)
        found = reader(entry)(data)
    except (FormatError, ParameterError):
        return None
    try:
        again = said(entry, found)
    except ParameterError as error:  # nothing of the secret in it: read, but not written
        assert "not encrypted" in str(error)  # noqa: PT017
        return None
    if entry == "secret":
        assert again == sealed.unseal(data, "secret", PASSPHRASE)
    elif again != data:  # ciphertexts far noisier than their level are settled: then they are written as they come
        assert entry not in ("parameters", "public"), "what was read is written as it came"
        assert said(entry, reader(entry)(again)) == again, "what was read is written as it came"
    return None


def _container(data: bytes) -> None:
    for kind in dict.fromkeys([*map(named, KINDS), "note"]):
        try:
            found = Container.from_bytes(data, kind)
        except FormatError:
            continue
        assert found.to_bytes() == data


class Account:
    """What a reading takes: 4 times the input and tables at most, of Python's memory and of the core's.

    Following Python's memory takes longer than reading does, so it is followed once in a while.
    """

    def __init__(self, every: int = 8) -> None:
        self.every, self.most, self.executions = every, 0, 0

    def check(self, entry: str, data: bytes) -> None:
        self.executions += 1
        if self.executions % self.every:
            return check(entry, data)
        tracemalloc.start(1)
        _core.reset_pool_peak()
        before = _core.pool_statistics()["current"]
        try:
            check(entry, data)
            taken = tracemalloc.get_traced_memory()[1] + _core.pool_statistics()["peak"] - before
        finally:
            tracemalloc.stop()
        self.most = max(self.most, taken - 4 * len(data))
        assert taken <= 4 * len(data) + TABLES, f"{taken} bytes for an input of {len(data)}"
        return None


@lru_cache
def quick_key(given: str | bytes, salt: bytes, cost: int) -> bytes:
    """The key of a passphrase by one hash: scrypt is slow by design; what is fuzzed is what stands around it."""
    return sha256(f"{given!r}{salt!r}{cost}".encode()).digest()


def without_scrypt() -> None:
    """For the rest of this process."""
    sealed._key = quick_key
    blob.cache_clear()
