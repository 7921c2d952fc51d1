"""Every kernel of every target against the scalar target, without Python: here, for AArch64, and for Windows."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.codebase import ROOT

pytestmark = pytest.mark.wide

SOURCES = ["tests/wide/targets_agree.cpp", "csrc/ring/ntt_tables.cpp", *map(str, ROOT.glob("csrc/targets/*.cpp"))]
FLAGS = ["-std=c++17", "-O2", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror", "-Icsrc"]
NEON = ["neon", "scalar"]
AARCH64 = ["aarch64-linux-gnu-g++", "aarch64-unknown-linux-gnu-g++"], ["qemu-aarch64", "qemu-aarch64-static"]
WINDOWS = ["x86_64-w64-mingw32-g++-posix", "x86_64-w64-mingw32-g++"], ["wine64", "/usr/lib/wine/wine64", "wine"]


def first_of(programs: list[str]) -> str | None:
    return next(filter(None, map(shutil.which, programs)), None)


def build(compiler: str, program: Path, *flags: str) -> Path:
    built = subprocess.run(
        [compiler, *FLAGS, *flags, *SOURCES, "-o", str(program)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr[-4000:]
    return program


def agreeing(*command: str) -> list[str]:
    """The targets that a run of the program compared and found to agree."""
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1800)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return [line.split()[0] for line in ran.stdout.splitlines()]


def test_targets_of_this_cpu_agree(tmp_path: Path) -> None:
    from fhe.backend.native import supported_targets  # noqa: PLC0415  (may not be built)

    compiler = first_of(["c++", "g++", "clang++"])
    assert compiler, "no compiler"
    assert agreeing(str(build(compiler, tmp_path / "agree")), "13") == supported_targets()


@pytest.mark.parametrize(
    ("tools", "packages", "expected"),
    [(AARCH64, "g++-aarch64-linux-gnu, qemu-user", NEON), (WINDOWS, "g++-mingw-w64-x86-64, wine64", None)],
    ids=["aarch64", "windows"],
)
def test_targets_of_other_machines_agree(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    tools: tuple[list[str], ...],
    packages: str,
    expected: list[str] | None,
) -> None:
    """Built by a cross compiler, run by an emulator; Windows has the targets that this CPU has."""
    from fhe.backend.native import supported_targets  # noqa: PLC0415  (may not be built)

    compiler, emulator = map(first_of, tools)
    if not compiler or not emulator:
        pytest.skip(f"needs {tools[0][0]} and {tools[1][0]} (Debian: {packages})")
    monkeypatch.setenv("WINEPREFIX", str(tmp_path / "wine"))
    monkeypatch.setenv("WINEDEBUG", "-all")
    program = build(compiler, tmp_path / "agree.exe", "-static")
    assert agreeing(emulator, str(program), "12") == (expected or supported_targets())
