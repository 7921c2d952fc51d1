"""The container: a kind, plain metadata, and named sections of bytes, as one safetensors file.

    8 bytes       n, little-endian
    n bytes       JSON in ASCII, padded with spaces to a multiple of 8:
                  {"__metadata__": {"format": "fhe", "version": "1", "kind": …, "digest": …, "content": …},
                   name: {"dtype": "U8", "shape": [size], "data_offsets": [start, stop]}, …}
    the rest      the sections, one after another, in the order of the header

``content`` is JSON again, with sorted keys; ``digest`` the SHA-256 of the whole file, its own 64 digits taken as
zeros. There is one way to write a container, and what is not written that way is not read: no byte can be changed,
added or repeated unnoticed by accident. (A digest is no signature: whoever forges a file also computes its digest.)
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any, BinaryIO, NoReturn

from fhe.errors import FormatError, ParameterError
from fhe.io.pieces import Made, Section, Stored, pieces

MAGIC = "fhe"
VERSION = "1"
BLANK_DIGEST = "0" * 64
SMALLEST_HEADER_LIMIT = 1 << 20


@dataclass(frozen=True, slots=True)
class Container:
    """What a file says it is, what it says of itself, and its bulk.

    >>> sent = Container("note", {"level": 3}, {"body": b"residues"}).to_bytes()
    >>> received = Container.from_bytes(sent, "note")
    >>> received.content, bytes(received.sections["body"])
    ({'level': 3}, b'residues')
    """

    kind: str
    content: dict[str, Any]
    sections: Mapping[str, Section]

    def __len__(self) -> int:
        """The size of the file."""
        return len(self._header(BLANK_DIGEST)) + sum(map(len, self.sections.values()))

    def to_bytes(self) -> bytes:
        """The file. Raises ParameterError for more sections and metadata than a header may hold."""
        file = BytesIO()
        self.write_to(file)
        return file.getvalue()

    def write_to(self, file: BinaryIO) -> None:
        """Write `to_bytes` to a new file, one piece of a section after the other, and then the digest in its place."""
        blank = self._header(BLANK_DIGEST)
        limit = header_limit(len(self))
        if len(blank) > limit:
            raise ParameterError(
                f"{len(self.sections)} sections and their metadata need a header of {len(blank)} bytes, the limit is "
                f"{limit}; split them over several files, or use a larger ring degree: fewer and larger ciphertexts"
            )
        digest = hashlib.sha256(blank)
        file.write(blank)
        for section in self.sections.values():
            for piece in pieces(section):
                digest.update(piece)
                file.write(piece)
        file.seek(0)
        file.write(self._header(digest.hexdigest()))
        file.seek(0, 2)

    def made(self) -> Made:
        """The file as a section of another, made when that is written."""
        return Made(len(self), lambda: [self.to_bytes()])

    def _header(self, digest: str) -> bytes:
        sizes = {name: len(section) for name, section in self.sections.items()}
        return _header(self.kind, canonical(self.content), digest, sizes)

    @classmethod
    def from_bytes(cls, data: Section | bytearray, kind: str) -> Container:
        """The container of `to_bytes`; sections are views of ``data``, nothing of their size is allocated or kept.

        Raises FormatError for bytes of another format, version or kind, and for any that were changed, cut or added.
        """
        view = _view(data)
        size = header_size(view[:8], len(view))
        header, body = Header.of(view[:size], len(view)), view[size:]
        if header.kind != kind:
            raise FormatError(f"these bytes hold a {header.kind!r:.20}, where a {kind!r} is read")
        if header.digest != _digest(_header(kind, canonical(header.content), BLANK_DIGEST, header.sizes), [body]):
            raise FormatError("the digest does not match; the bytes were changed on their way, ask for them again")
        return cls(kind, header.content, _slices(body, header.sizes))

    def require_sections(self, names: Iterable[str]) -> None:
        """Raise FormatError unless the sections are just these, in this order."""
        expected, found = list(names), list(self.sections)
        if expected != found:
            raise FormatError(f"the metadata speak of {len(expected)} sections, the file has {len(found)}, or others")


@dataclass(frozen=True, slots=True)
class Header:
    """What a file announces before its sections: all that can be told of it without reading them.

    >>> sent = Container("note", {"level": 3}, {"body": b"residues"}).to_bytes()
    >>> header = Header.of(sent[: header_size(sent[:8], len(sent))], len(sent))
    >>> header.kind, header.content, header.sizes
    ('note', {'level': 3}, {'body': 8})
    """

    kind: str
    content: dict[str, Any]
    digest: str
    sizes: Mapping[str, int]

    @classmethod
    def of(cls, prefix: Section, total: int) -> Header:
        """The header in the first `header_size` bytes of ``total``; FormatError unless it is a canonical one.

        Whether the sections have their digest is not known yet.
        """
        prefix = bytes(prefix)
        table = _parse(prefix[8:].decode("latin-1"), "the header")  # what is not ASCII is not canonical
        metadata = _metadata(table.pop("__metadata__", None))
        sizes = {name: _size(entry) for name, entry in table.items()}
        announced = len(prefix) + sum(sizes.values())
        if announced != total:
            raise FormatError(f"the header announces {announced} bytes, there are {total}: cut short, or added to")
        content = _parse(metadata["content"], "the metadata")
        if prefix != _header(metadata["kind"], canonical(content), metadata["digest"], sizes):
            raise FormatError("the header is not in its one canonical form; the bytes were changed on their way")
        return cls(metadata["kind"], content, metadata["digest"], sizes)


def header_limit(total: int) -> int:
    """The largest header of a file of this size: 1 MiB, or a sixty-fourth of the file where that is more.

    Parsed JSON takes many times the memory of its text, which this keeps in proportion to what was sent.
    """
    return max(SMALLEST_HEADER_LIMIT, total // 64)


def header_size(start: Section, total: int) -> int:
    """How many of ``total`` bytes that begin with ``start`` are length and header; FormatError for more than may be."""
    if total < 8:
        raise FormatError(f"{total} bytes are too few for a header; this is no file of this library, or cut short")
    size, limit = int.from_bytes(bytes(start[:8]), "little"), header_limit(total)
    if size > min(limit, total - 8):
        raise FormatError(
            f"a header of {size} bytes is announced, with {total - 8} bytes to come and a limit of {limit}; "
            "this is no file of this library, or cut short"
        )
    return 8 + size


def kind_of(data: Section | bytearray) -> str:
    """What kind of container these bytes say they are; whether they are one is for `Container.from_bytes` to find."""
    view = _view(data)
    table = _parse(bytes(view[8 : header_size(view[:8], len(view))]).decode("latin-1"), "the header")
    metadata = table.get("__metadata__")
    return str(metadata.get("kind")) if isinstance(metadata, dict) else ""


def canonical(content: object) -> str:
    """The one text of plain values: keys sorted, no spaces, ASCII, no NaN and no infinity."""
    try:
        return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except ValueError as error:
        raise FormatError(f"metadata are finite plain values: {error}") from error


def _header(kind: str, content: str, digest: str, sizes: Mapping[str, int]) -> bytes:
    """Length and JSON of the header, padded so that the sections begin at a multiple of 8."""
    metadata = {"format": MAGIC, "version": VERSION, "kind": kind, "digest": digest, "content": content}
    table: dict[str, object] = {"__metadata__": metadata}
    start = 0
    for name, size in sizes.items():
        table[name] = {"dtype": "U8", "shape": [size], "data_offsets": [start, start + size]}
        start += size
    text = json.dumps(table, separators=(",", ":")).encode("ascii")
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def _digest(blank_header: bytes, sections: Iterable[Section]) -> str:
    digest = hashlib.sha256(blank_header)
    for section in sections:
        for piece in pieces(section):
            digest.update(piece)
    return digest.hexdigest()


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no finite number")


def _parse(text: str, what: str) -> dict[str, Any]:
    """A JSON object; FormatError for anything else, however deep, wide, or strange."""
    try:
        parsed = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{what} of the bytes is no JSON of this library") from error
    if not isinstance(parsed, dict):
        raise FormatError(f"{what} of the bytes is no JSON object")
    return parsed


def _metadata(metadata: object) -> dict[str, str]:
    """The strings of ``__metadata__``, of this format and a version that is read."""
    if not isinstance(metadata, dict) or metadata.get("format") != MAGIC:
        raise FormatError("these bytes are no file of this library: their header does not say so")
    if metadata.get("version") != VERSION:
        raise FormatError(f"these bytes have format version {metadata.get('version')!r:.20}; read here: {VERSION}")
    if set(metadata) != {"format", "version", "kind", "digest", "content"} or not all(
        isinstance(value, str) for value in metadata.values()
    ):
        raise FormatError("the header's metadata are format, version, kind, digest and content, each a string")
    return metadata


def _size(entry: object) -> int:
    """The size of a section; that it is a section in its place follows from the header's canonical form."""
    match entry:
        case {"data_offsets": [int(start), int(stop)]} if start <= stop:
            return stop - start
    raise FormatError("a section of the header does not say from where to where it goes")


def _view(data: Section | bytearray) -> memoryview | Stored:
    """Bytes of which slices are no copies."""
    return data if isinstance(data, Stored) else memoryview(data).toreadonly().cast("B")  # type: ignore[arg-type]


def _slices(body: memoryview | Stored, sizes: Mapping[str, int]) -> dict[str, Section]:
    sections: dict[str, Section] = {}
    start = 0
    for name, size in sizes.items():
        sections[name] = body[start : start + size]
        start += size
    return sections
