"""Makes docs/rejections.md: what is said of each forgery of `tests/io/hostile.py`.

    python -m tests.vectors.make_rejections

A test makes it again.
"""

from __future__ import annotations

from fhe.errors import FHEError
from tests.codebase import ROOT
from tests.io.hostile import FORGERIES, changed, read

FILE = ROOT / "docs" / "rejections.md"
LONGEST = 160
HEAD = """# What is refused

Each row is a file with something forged in it and a digest that is right, as an adversary would send it, and what
reading it raises. Made from the tests by `python -m tests.vectors.make_rejections`. Bytes that are cut, extended,
flipped or moved without a new digest are refused before any of this, whatever the kind. What is *consistent* cannot be
refused: ciphertexts carry no signature, so those of an array may be exchanged for others of the same key
([threat model](threat-model.md)).

| file | forged | raises | says |
|---|---|---|---|
"""


def row(kind: str, forgery: str) -> str:
    try:
        read(kind, changed(kind, FORGERIES[kind, forgery]))
    except FHEError as error:
        message = str(error).replace("|", "\\|")
        message = message if len(message) <= LONGEST else message[: LONGEST - 1] + "…"
        return f"| {kind} | {forgery} | {type(error).__name__} | {message} |\n"
    raise AssertionError(f"{forgery} of {kind} was read")


def text() -> str:
    return HEAD + "".join(row(kind, forgery) for kind, forgery in FORGERIES)


if __name__ == "__main__":
    FILE.write_text(text())
