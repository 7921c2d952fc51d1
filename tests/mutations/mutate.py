"""Break the arithmetic one line at a time, and see that a test notices.

    python -m tests.mutations.mutate            all mutants, minutes
    python -m tests.mutations.mutate convert    those whose file or text contains "convert"

Each mutant of `mutants.py` is one replacement in a copy of the project (never the checkout). What depends on it is
compiled and linked again, and the narrowest tests that should notice are run. Exit status 1 if a mutant survives.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.codebase import ROOT
from tests.mutations.mutants import EQUIVALENT, MUTANTS, Mutant
from tests.wide.copies import copy_project, run

FLAGS = ["-std=c++17", "-O1", "-g0", "-fPIC", "-fvisibility=hidden", "-ffp-contract=off", "-DNDEBUG", "-w", "-Icsrc"]
SECONDS = 300  # a mutant that runs for longer loops for ever


class MutantError(Exception):
    """A mutant that says nothing: its anchor is stale, or its tests do not exist or fail without it."""


class Workshop:
    """A copy of the project, its core compiled quickly, unit by unit."""

    def __init__(self, folder: Path) -> None:
        import pybind11  # noqa: PLC0415  (only the native mutants need it)

        self.root = copy_project(folder)
        for inner_loops in ROOT.glob("fhe/reference/_residue*.so"):  # the reference that large rings are compared with
            shutil.copy2(inner_loops, self.root / "fhe/reference")
        self.objects = folder / "objects"
        self.objects.mkdir()
        compiler = shutil.which("c++")
        if compiler is None:
            raise MutantError("no compiler")
        self.compiler = compiler
        self.includes = [f"-I{pybind11.get_include()}", f"-I{sysconfig.get_path('include')}"]
        self.core = self.root / f"fhe/_core{sysconfig.get_config_var('EXT_SUFFIX')}"

    def compile(self, units: list[Path]) -> str | None:
        """Compile these units and link all; what the compiler says if it refuses."""
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            refused = [message for message in pool.map(self._compile, units) if message]
        objects = sorted(str(path) for path in self.objects.glob("*.o"))
        return refused[0] if refused else self._call([self.compiler, "-shared", *objects, "-o", str(self.core)])

    def _compile(self, unit: Path) -> str | None:
        out = self.objects / unit.relative_to(self.root).with_suffix(".o").as_posix().replace("/", "-")
        return self._call([self.compiler, *FLAGS, *self.includes, "-MMD", "-c", str(unit), "-o", str(out)])

    def _call(self, command: list[str]) -> str | None:
        called = subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=False)
        return called.stderr if called.returncode else None

    def units(self) -> list[Path]:
        return sorted(self.root.glob("csrc/**/*.cpp"))

    def units_of(self, mutant: Mutant) -> list[Path]:
        """What to compile again. An .inl is compiled once for each target; the one that is tested will do."""
        changed = self.root / mutant.path
        if changed.suffix == ".py":
            return []
        if changed.suffix == ".cpp":
            return [changed]
        if changed.suffix == ".inl":
            return [self.root / f"csrc/targets/{mutant.target}.cpp"]
        return [unit for unit in self.units() if self._includes(unit, changed)]

    def _includes(self, unit: Path, header: Path) -> bool:
        name = unit.relative_to(self.root).with_suffix(".d").as_posix().replace("/", "-")
        listed = (self.objects / name).read_text().replace("\\\n", " ").split()[1:]
        return header.resolve() in {(self.root / path).resolve() for path in listed}

    def failure(self, mutant: Mutant) -> str | None:
        """How the mutant's tests fail, as the copy is now; None if they pass."""
        options = ["-q", "-x", "-p", "no:cacheprovider", "-p", "tests.mutations.without_shrinking"]
        try:
            finished = run(self.root, "-m", "pytest", *options, *mutant.files, "-k", mutant.expression, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            return f"no end after {SECONDS} s"
        if finished.returncode in (2, 3, 4, 5):  # nothing was tested
            raise MutantError(f"{mutant}: pytest ended with {finished.returncode}:\n{finished.stdout[-800:]}")
        return finished.stdout[-2000:] + finished.stderr[-500:] if finished.returncode else None

    def kills(self, mutant: Mutant) -> str | None:
        """What notices the mutant: the compiler, a test, or nothing."""
        path = self.root / mutant.path
        source = path.read_text()
        path.write_text(mutant.applied(source))
        units = self.units_of(mutant)
        try:
            if units and self.compile(units):
                return "compiler"
            return "test" if self.failure(mutant) else None
        finally:
            path.write_text(source)
            if units:
                self.compile(units)


def check_without(workshop: Workshop, mutants: list[Mutant]) -> None:
    """Raise MutantError unless every test that shall notice a mutant passes without one."""
    for mutant in {(mutant.files, mutant.expression): mutant for mutant in mutants}.values():
        if failure := workshop.failure(mutant):
            raise MutantError(f"tests that shall notice {mutant} fail without it:\n{failure}")


def survivors(mutants: list[Mutant]) -> list[Mutant]:
    """The mutants that nothing notices and that are not known to be equivalent, each reported as it is tried."""
    alive = []
    with tempfile.TemporaryDirectory(prefix="fhe-mutants-") as folder:
        workshop = Workshop(Path(folder))
        if refused := workshop.compile(workshop.units()):
            raise MutantError(refused)
        check_without(workshop, mutants)
        for mutant in mutants:
            start = time.perf_counter()
            killer = workshop.kills(mutant)
            verdict = f"killed by the {killer}" if killer else "equivalent" if mutant in EQUIVALENT else "SURVIVED"
            print(f"{verdict:<23} {time.perf_counter() - start:5.1f} s  {mutant}", flush=True)
            if killer and mutant in EQUIVALENT:
                raise MutantError(f"{mutant} is not equivalent: {EQUIVALENT[mutant]}")
            if verdict == "SURVIVED":
                alive.append(mutant)
    return alive


def main(arguments: list[str]) -> int:
    chosen = [mutant for mutant in MUTANTS if all(word in str(mutant) for word in arguments)]
    stale = [mutant for mutant in chosen if not mutant.fits(ROOT)]
    for mutant in stale:
        print(f"STALE: no such line, or not once: {mutant}")
    fitting = [mutant for mutant in chosen if mutant not in stale]
    runnable = [mutant for mutant in fitting if mutant.runs_here()]
    alive = survivors(runnable)
    print(f"{len(runnable) - len(alive)} of {len(runnable)} mutants noticed or equivalent, {len(alive)} survived")
    if skipped := len(fitting) - len(runnable):
        print(f"{skipped} need instructions that this CPU lacks and were not tried")
    return 1 if alive or stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
