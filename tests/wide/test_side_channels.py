"""Secrets decide neither branches, nor addresses, nor times: seen by memcheck, and measured.

Memcheck is exact for the build and the input it runs: every branch and every address that depends on a secret byte is
reported (A. Langley's ctgrind). It knows no AVX-512; what runs there is compiled from the same text. What decides
nothing there may still take time by an instruction that depends on its operands: so times are compared as well, by
Welch's t between one secret, or zeros, and random ones, of all samples and of the fastest shares of them, the t
furthest from zero. An operation fails whose |t| exceeds 4.5, dudect's first threshold (DATE 2017), in three
measurements on the same side: were times independent, that had probability below 10^-11 for all operations together. A
difference of a fifth of the standard deviation of 2000 samples, about a hundredth of the time, is found. A
control compares random secrets with random ones, and must not differ; secrets are drawn ahead (`timing.cpp` says why).
"""

from __future__ import annotations

import platform
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.codebase import ROOT
from tests.compiled import Compiler, core

pytestmark = pytest.mark.wide

HERE = ROOT / "tests" / "secrets"
OPEN = {"branch", "uniform"}  # a control; what public seeds expand to
SEEN_BY_MEMCHECK = ["scalar", *(["avx2"] if platform.machine() == "x86_64" else [])]
SAMPLES, LARGEST_T, REPETITIONS = 2000, 4.5, 3
AGAINST = ("fixed", "zeros", "random")


def program(name: str, folder: Path) -> Path:
    compiler = shutil.which("c++")
    assert compiler, "no compiler"
    made = Compiler(compiler, folder, ["-O3", f"-I{HERE}"], [HERE / "operations.hpp"])
    return made.program(name, [*made.objects(core()), *made.objects([HERE / f"{name}.cpp"])])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("secrets")


def rows(*command: str | Path) -> dict[str, list[float]]:
    """The numbers of each operation."""
    ran = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, timeout=900)
    assert ran.returncode == 0, ran.stderr[-3000:]
    lines = (line.split() for line in ran.stdout.splitlines())
    return {name: list(map(float, numbers)) for name, *numbers in lines}


@pytest.mark.parametrize("target", SEEN_BY_MEMCHECK)
def test_no_branch_and_no_address_depends_on_a_secret(folder: Path, target: str) -> None:
    valgrind = shutil.which("valgrind")
    if not valgrind or not Path("/usr/include/valgrind/memcheck.h").exists():
        pytest.skip("needs valgrind with its headers (Debian, Ubuntu: apt install valgrind)")
    reports = rows(valgrind, "-q", "--error-limit=no", program("dark", folder), target)
    assert {name for name, (count,) in reports.items() if count} == OPEN
    assert {"ternary", "centred_binomial", "encrypt", "mul_add", "intt", "divide_round_sum"} < reports.keys()


@pytest.mark.skipif(platform.machine() != "x86_64", reason="counts cycles of x86")
@pytest.mark.parametrize("target", ["", *SEEN_BY_MEMCHECK], ids=lambda target: target or "best")
def test_times_do_not_tell_secrets_apart(folder: Path, target: str) -> None:
    runs = [rows(program("timing", folder), target, str(SAMPLES)) for _ in range(REPETITIONS)]
    found = {
        (name, against): [run[name][column] for run in runs]
        for name in runs[0]
        for column, against in enumerate(AGAINST)
    }
    told = {place: ts for place, ts in found.items() if min(ts) > LARGEST_T or max(ts) < -LARGEST_T}
    assert told.pop(("branch", "fixed"), None), "the measurement does not see a branch"
    assert told.pop(("branch", "zeros"), None)
    assert not {place: ts for place, ts in told.items() if place[0] not in OPEN or place[1] == "random"}
