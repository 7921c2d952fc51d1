"""Processes that take samples, built on demand, and how several are asked in turn.

Every driver speaks the protocol of `drivers/driver.hpp`. Asking them one after the other, round after round, lets
whatever else the machine does meet all of them, so ratios of medians hold where the times themselves drift.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import shutil
import statistics
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Self

from bench.machine import ROOT

SOURCES, BUILT = ROOT / "bench" / "drivers", ROOT / "build" / "bench"
ALIGNED = ["-falign-functions=64", "-falign-loops=32"]  # else where the linker puts a loop may cost it a half more
FLAGS = ["-std=c++17", "-O3", *ALIGNED, "-DNDEBUG", "-ffp-contract=off", "-fno-math-errno"]
FLAGS += [f"-I{ROOT / 'csrc'}", f"-I{SOURCES}"]
EQUAL_BRACKETS = 0.06  # samples between brackets that differ by more are dropped
ROUNDS, SECONDS = 15, 8.0  # samples of each driver; no new round is begun after these seconds


class Sample(NamedTuple):
    """Nanoseconds of a call, and the rate of a known chain before and after."""

    nanoseconds: float
    before: float
    after: float

    @property
    def multiplications(self) -> float:
        """How many multiplications of the chain fit in a call."""
        return self.nanoseconds * (self.before + self.after) / 2

    @property
    def steady(self) -> bool:
        return abs(self.before - self.after) <= EQUAL_BRACKETS * max(self.before, self.after)


class Driver:
    """A process that answers each line with one sample."""

    def __init__(self, command: Sequence[str | Path], **variables: str) -> None:
        self.command = list(map(str, command))
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=os.environ | variables
        )

    def answer(self, line: str) -> str:
        """The driver's line for ours."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        if not (answer := self.process.stdout.readline()):
            raise RuntimeError(f"{' '.join(self.command)} ended at {line[:40]!r}; its error is above")
        return answer

    def sample(self, line: str) -> Sample:
        return Sample(*map(float, self.answer(line).split()))

    def facts(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.answer("facts"))
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate()


class Measured(NamedTuple):
    """Medians over the steady samples; and all of them, in order."""

    nanoseconds: float
    multiplications: float
    samples: int
    all: tuple[float, ...] = ()


def interleave(
    asked: Mapping[str, tuple[Driver, str]], rounds: int = ROUNDS, seconds: float = SECONDS, settled: float = 0.0
) -> dict[str, Measured]:
    """Every (driver, line) in turn, round after round: ABAB… What takes as long as a whole run is asked once more.

    What fails is left out. Samples of so many seconds are taken before each and thrown away, until what others left is
    ``settled``: caches are theirs, threads of OpenMP go on turning for milliseconds, and a driver's own are asleep.
    """
    first = {name: driver.sample(line) for name, (driver, line) in asked.items()}  # warms up, and is not counted
    asked = {name: one for name, one in asked.items() if not math.isnan(first[name].nanoseconds)}
    samples: dict[str, list[Sample]] = {name: [] for name in asked}
    slow = {name for name, sample in first.items() if sample.nanoseconds > 1e9 * seconds / 10}
    start = time.monotonic()
    for done in range(rounds):
        if done >= 3 and time.monotonic() - start > seconds:
            break
        for name, (driver, line) in asked.items():
            if not done or name not in slow:
                asked_at = time.monotonic()
                while time.monotonic() - asked_at < settled:
                    driver.sample(line)
                samples[name].append(driver.sample(line))
    return {name: _medians(found) for name, found in samples.items()}


def _medians(samples: list[Sample]) -> Measured:
    steady = [sample for sample in samples if sample.steady] or samples
    return Measured(
        statistics.median(sample.nanoseconds for sample in steady),
        statistics.median(sample.multiplications for sample in steady),
        len(steady),
        tuple(sample.nanoseconds for sample in samples),
    )


# --- building -------------------------------------------------------------------------------------------------------


@cache
def compiler() -> str:
    """``CXX``, or the first compiler there is."""
    names = [os.environ.get("CXX", ""), "c++", "g++", "clang++"]
    found = next(filter(None, (shutil.which(name) for name in names if name)), None)
    if not found:
        raise SystemExit("the drivers are C++ programs and there is no compiler; install one, or set CXX")
    return found


@cache
def compiler_version() -> str:
    """Its name and version; gcc calls itself by the name it was called by."""
    shown = subprocess.run([compiler(), "--version"], capture_output=True, text=True, check=True)
    return re.sub(r"^\S*[cg]\+\+\S* (?=\()", "gcc ", shown.stdout.splitlines()[0])


def _digest(*parts: object) -> str:
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:16]


def _run(command: Sequence[str | Path]) -> str | None:
    """What a compiler complains of, None where it succeeds."""
    ran = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    return ran.stderr[-4000:] or "it says nothing" if ran.returncode else None


def _object(source: Path, flags: Sequence[str], headers: str) -> Path:
    """The object file of a source, compiled unless it is there."""
    target = BUILT / f"{source.stem}-{_digest(compiler_version(), source.read_text(), flags, headers)}.o"
    if not target.exists():
        if error := _run([compiler(), *flags, "-c", source, "-o", target.with_suffix(f".{os.getpid()}")]):
            raise SystemExit(f"{source.name} does not compile:\n{error}")
        target.with_suffix(f".{os.getpid()}").rename(target)
    return target


def build(
    name: str, sources: Iterable[Path], flags: Sequence[str] = (), libraries: Sequence[Sequence[str]] = ((),)
) -> Path:
    """A driver from ``drivers/NAME.cpp`` and more sources, linked with the first of ``libraries`` that links."""
    BUILT.mkdir(parents=True, exist_ok=True)
    patterns = [(ROOT / "csrc", "*.hpp"), (ROOT / "csrc", "*.inl"), (SOURCES, "*.hpp")]
    headers = _digest(*(path.read_text() for folder, pattern in patterns for path in sorted(folder.rglob(pattern))))
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        all_flags = [*FLAGS, *flags]
        made = [workers.submit(_object, path, all_flags, headers) for path in [SOURCES / f"{name}.cpp", *sources]]
        objects = [one.result() for one in made]
    program = BUILT / f"{name}-{_digest(*objects, libraries)}"
    error = None if program.exists() else ""
    for needed in libraries:
        if error is not None:
            error = _run([compiler(), *objects, "-o", program, *needed, "-pthread"])
    if error is not None:
        raise SystemExit(f"the driver {name} does not link:\n{error}")
    return program


def build_kernels() -> Path:
    """The driver of our own kernels: all of csrc but its bindings."""
    sources = [path for path in sorted((ROOT / "csrc").rglob("*.cpp")) if path.parent.name != "bindings"]
    return build("kernels", sources)
