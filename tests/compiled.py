"""Programs of the core without Python, compiled where a source or a header is newer."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.codebase import ROOT, files

FLAGS = ["-std=c++17", "-g1", "-DNDEBUG", "-ffp-contract=off", "-fno-math-errno", f"-I{ROOT / 'csrc'}"]


def core() -> list[Path]:
    """Every source of the core but its bindings."""
    return [path for path in files("csrc", ".cpp") if path.parent.name != "bindings"]


@dataclass(frozen=True)
class Compiler:
    """A compiler with its flags, and the folder of what it makes."""

    name: str
    folder: Path
    flags: Sequence[str]
    headers: Sequence[Path] = ()

    def objects(self, sources: Sequence[Path]) -> list[Path]:
        """An object file for each source, in their order."""
        self.folder.mkdir(parents=True, exist_ok=True)
        headers = [*files("csrc", ".hpp", ".inl"), *self.headers]
        newest = max(path.stat().st_mtime for path in headers)

        def compiled(source: Path) -> Path:
            made = self.folder / f"{source.parent.name}-{source.stem}.o"
            if not made.exists() or made.stat().st_mtime < max(newest, source.stat().st_mtime):
                run([self.name, *FLAGS, *self.flags, "-c", str(source), "-o", str(made)])
            return made

        with ThreadPoolExecutor(os.cpu_count()) as workers:
            return list(workers.map(compiled, sources))

    def program(self, name: str, objects: Sequence[Path], *link: str) -> Path:
        """The program of these objects."""
        made = self.folder / name
        if not made.exists() or made.stat().st_mtime < max(path.stat().st_mtime for path in objects):
            run([self.name, *link, *map(str, objects), "-pthread", "-o", str(made)])
        return made


def run(command: Sequence[str]) -> None:
    """Run a compiler; AssertionError with what it complains of."""
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, f"{' '.join(command)} failed:\n{ran.stderr[-4000:]}"
