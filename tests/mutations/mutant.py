"""What a mutant is: part of one line, what it becomes, and the tests that must notice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

ANY = ""  # for `target`: tests that choose the backend themselves, or need none


@dataclass(frozen=True)
class Mutant:
    """``before`` becomes ``after`` in a file; the tests whose names contain one of ``tests`` must notice.

    An anchor is part of one line and occurs once in its file, so that it goes stale loudly when the line changes.
    ``files`` are the test files or folders that are run, ``target`` the instruction set of a native mutant. No words in
    ``tests`` stand for all tests of the files.
    """

    path: str
    before: str
    after: str
    tests: str
    files: tuple[str, ...] = ("tests/agreement",)
    target: str = "scalar"

    @property
    def expression(self) -> str:
        """Which tests to run, in the words of ``pytest -k``."""
        words = " or ".join(self.tests.split())
        return " and ".join(filter(None, [self._backend, words and f"({words})"]))

    @property
    def _backend(self) -> str:
        if self.target == ANY:
            return ""
        return f"native-{self.target}" if self.path.startswith("csrc/") else "reference-interpreted"

    def widened(self) -> Mutant:
        """The same slip before all tests of the files."""
        return replace(self, tests="")

    def fits(self, root: Path) -> bool:
        """Is the anchor there, once, on one line?"""
        return "\n" not in self.before and (root / self.path).read_text().count(self.before) == 1

    def applied(self, source: str) -> str:
        return source.replace(self.before, self.after)

    def runs_here(self) -> bool:
        """Does this CPU have the instructions of the target?"""
        from fhe.backend.native import supported_targets  # noqa: PLC0415  (may not be built)

        return self.target in [ANY, *supported_targets()]

    def state(self, root: Path) -> str:
        """A digest of the slip, of the file that it is in, and of the tests that must notice it."""
        digest = hashlib.sha256(repr(self).encode())
        for path in [root / self.path, *self._test_files(root)]:
            digest.update(path.read_bytes())
        return digest.hexdigest()

    def _test_files(self, root: Path) -> Iterator[Path]:
        for name in self.files:
            found = root / name
            yield from sorted(found.rglob("*.py")) if found.is_dir() else [found]

    def __str__(self) -> str:
        where = f"{self.path} ({self.target})" if self._backend.startswith("native") else self.path
        return f"{where}: {self.before!r} -> {self.after!r}"
