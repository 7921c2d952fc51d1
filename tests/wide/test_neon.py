"""Every kernel of every target against the scalar target, without Python: here, and for AArch64 under an emulator."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.codebase import ROOT

pytestmark = pytest.mark.wide

SOURCES = ["tests/wide/targets_agree.cpp", "csrc/ring/ntt_tables.cpp", *map(str, ROOT.glob("csrc/targets/*.cpp"))]
FLAGS = ["-std=c++17", "-O2", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror", "-Icsrc"]
CROSS_COMPILERS = ["aarch64-linux-gnu-g++", "aarch64-unknown-linux-gnu-g++"]
EMULATORS = ["qemu-aarch64", "qemu-aarch64-static"]


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


def test_neon_agrees_under_an_emulator(tmp_path: Path) -> None:
    compiler, emulator = first_of(CROSS_COMPILERS), first_of(EMULATORS)
    if not compiler or not emulator:
        pytest.skip(f"needs {CROSS_COMPILERS[0]} and {EMULATORS[0]} (Debian: g++-aarch64-linux-gnu, qemu-user)")
    program = build(compiler, tmp_path / "agree", "-static")
    assert agreeing(emulator, str(program), "12") == ["neon", "scalar"]
