"""The native core built to watch itself: with sanitizers, and with the assertions on the ranges of its kernels.

Each build runs the agreement tests and the laws in a copy of the project.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.wide.copies import copy_project, run

pytestmark = pytest.mark.wide

TESTS = ["-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "tests/agreement", "tests/laws", "-k", "native"]


def build(copy: Path, **variables: str) -> Path:
    copy_project(copy)
    built = run(copy, "setup.py", "--quiet", "build_ext", "--inplace", timeout=1800, **variables)
    assert built.returncode == 0, built.stderr[-4000:]
    return copy


@pytest.fixture(scope="module")
def sanitized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build with the address and undefined-behaviour sanitizers."""
    return build(tmp_path_factory.mktemp("sanitized"), FHE_SANITIZE="address,undefined")


@pytest.fixture(scope="module")
def asserting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build that asserts the ranges of its kernels."""
    return build(tmp_path_factory.mktemp("asserting"), FHE_DEBUG="1")


def runtime_library(name: str) -> str:
    """The compiler's own copy of a sanitizer's runtime, which must be there before Python starts."""
    compiler = shutil.which("c++")
    assert compiler, "no compiler"
    asked = [compiler, f"-print-file-name=lib{name}.so"]
    path = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    assert Path(path).is_absolute(), f"{compiler} has no runtime library {name}"
    return path


def sanitizers() -> dict[str, str]:
    """The environment in which Python can load a sanitized extension; Python's own leaks are not ours."""
    return {
        "LD_PRELOAD": f"{runtime_library('asan')} {runtime_library('ubsan')}",
        "PYTHONMALLOC": "malloc",
        "ASAN_OPTIONS": "detect_leaks=0",
        "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    }


def closing_line(finished: subprocess.CompletedProcess[str]) -> str:
    """What to show of a failed run."""
    return finished.stdout[-3000:] + finished.stderr[-3000:]


@pytest.mark.skipif(sys.platform != "linux", reason="preloading a sanitizer's runtime is written for Linux")
def test_under_the_sanitizers(sanitized: Path) -> None:
    finished = run(sanitized, *TESTS, **sanitizers())
    assert finished.returncode == 0, closing_line(finished)


@pytest.mark.skipif(sys.platform != "linux", reason="preloading a sanitizer's runtime is written for Linux")
def test_the_sanitizers_are_in_the_build(sanitized: Path) -> None:
    """A write beyond a row that the core hands out is seen."""
    finished = run(sanitized, "-c", OVERRUN, **sanitizers())
    assert finished.returncode != 0
    assert "AddressSanitizer" in finished.stderr


def test_with_assertions(asserting: Path) -> None:
    finished = run(asserting, *TESTS)
    assert finished.returncode == 0, closing_line(finished)


def test_the_assertions_fire(asserting: Path) -> None:
    """A residue beyond its prime, which no caller can bring, ends the process."""
    finished = run(asserting, "-c", UNREDUCED)
    assert finished.returncode == -signal.SIGABRT, closing_line(finished)
    assert "check_reduced" in finished.stderr


SETUP = """
import ctypes
import numpy as np
from fhe.backend.choose import choose
backend = choose("native", "scalar")
basis = backend.basis(64, [257], [9])
x = backend.load(basis, np.zeros((1, 64), dtype=np.uint64))
memory = backend.view(x).ctypes.data
"""
UNREDUCED = SETUP + "ctypes.memset(memory, 255, 8); backend.ntt(basis, x)"
OVERRUN = SETUP + "ctypes.memset(memory + 8 * 64, 1, 1)"
