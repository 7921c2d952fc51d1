"""Secrets decide neither branches, nor addresses, nor times: seen by memcheck, and measured.

Memcheck is exact for the build and the input it runs: every branch and every address that depends on a secret byte is
reported (A. Langley's ctgrind). It knows no AVX-512; what runs there is compiled from the same text. What decides
nothing there may still take time by an instruction that depends on its operands: so times are compared as well, by
Welch's t between one secret and others. An operation fails whose |t| exceeds 10, dudect's threshold (DATE 2017), in
three measurements on the same side. Were times independent, |t| > 10 had probability below 10^-22; a difference of a
third of the standard deviation of 2000 samples, about a hundredth of the time, is found. Below that hardware shows:
|t| up to 7, a tick of the counter, has been seen of `ternary`, which memcheck finds nothing in.
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
SAMPLES, LARGEST_T, REPETITIONS = 2000, 10.0, 3


def program(name: str, folder: Path) -> Path:
    compiler = shutil.which("c++")
    assert compiler, "no compiler"
    made = Compiler(compiler, folder, ["-O3", f"-I{HERE}"], [HERE / "operations.hpp"])
    return made.program(name, [*made.objects(core()), *made.objects([HERE / f"{name}.cpp"])])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("secrets")


def numbers(*command: str | Path) -> dict[str, float]:
    """A number for each operation."""
    ran = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, timeout=900)
    assert ran.returncode == 0, ran.stderr[-3000:]
    return {name: float(number) for name, number in map(str.split, ran.stdout.splitlines())}


@pytest.mark.parametrize("target", SEEN_BY_MEMCHECK)
def test_no_branch_and_no_address_depends_on_a_secret(folder: Path, target: str) -> None:
    valgrind = shutil.which("valgrind")
    if not valgrind or not Path("/usr/include/valgrind/memcheck.h").exists():
        pytest.skip("needs valgrind with its headers (Debian, Ubuntu: apt install valgrind)")
    reports = numbers(valgrind, "-q", "--error-limit=no", program("dark", folder), target)
    assert {name for name, count in reports.items() if count} == OPEN
    assert {"ternary", "centred_binomial", "encrypt", "mul_add", "intt", "divide_round_sum"} < reports.keys()


@pytest.mark.skipif(platform.machine() != "x86_64", reason="counts cycles of x86")
def test_times_do_not_tell_secrets_apart(folder: Path) -> None:
    runs = [numbers(program("timing", folder), "", str(SAMPLES)) for _ in range(REPETITIONS)]
    slow = {name: [run[name] for run in runs] for name in runs[0]}
    assert all(abs(t) > LARGEST_T for t in slow["branch"]), "the measurement does not see a branch"
    told = {name: ts for name, ts in slow.items() if name not in OPEN and (min(ts) > LARGEST_T or max(ts) < -LARGEST_T)}
    assert not told, f"Welch's t of each run: {told}"
