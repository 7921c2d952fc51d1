"""A copy of the project in which slips are made, compiled and tested."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from tests.codebase import ROOT
from tests.mutations.mutant import ANY, Mutant
from tests.wide.copies import copy_project, run

FLAGS = ["-std=c++17", "-O1", "-g0", "-fPIC", "-fvisibility=hidden", "-ffp-contract=off", "-DNDEBUG", "-w", "-Icsrc"]
SECONDS = 300  # a mutant that runs for longer loops for ever


class MutantError(Exception):
    """A mutant that says nothing: its anchor is stale, or its tests do not exist or fail without it."""


class Workshop:
    """A copy of the project, its core compiled quickly, unit by unit; $CXX is the compiler, such as ``ccache g++``."""

    def __init__(self, folder: Path) -> None:
        import pybind11  # noqa: PLC0415  (only the native mutants need it)

        self.root = copy_project(folder / "project")
        for inner_loops in ROOT.glob("fhe/reference/_residue*.so"):  # the reference that large rings are compared with
            shutil.copy2(inner_loops, self.root / "fhe/reference")
        self.objects = folder / "objects"
        self.objects.mkdir()
        self.compiler = shlex.split(os.environ.get("CXX", "c++"))
        if shutil.which(self.compiler[0]) is None:
            raise MutantError(f"no compiler {self.compiler[0]}")
        self.includes = [f"-I{pybind11.get_include()}", f"-I{sysconfig.get_path('include')}"]
        self.core = self.root / f"fhe/_core{sysconfig.get_config_var('EXT_SUFFIX')}"
        run(self.root, "-m", "compileall", "-q", "--invalidation-mode", "checked-hash", "fhe", "tests")
        self._sound: set[tuple[tuple[str, ...], str]] = set()
        self._compiled = False
        built = ROOT / self.core.relative_to(self.root)
        if built.exists():  # enough for slips in Python
            shutil.copy2(built, self.core)
        else:
            self.compile_all()

    def compile_all(self) -> None:
        """Compile the core as it is, once: native slips compile parts of it again."""
        if not self._compiled and (refused := self.compile(self.units())):
            raise MutantError(refused)
        self._compiled = True

    def compile(self, units: list[Path]) -> str | None:
        """Compile these units and link all; what the compiler says if it refuses."""
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            refused = [message for message in pool.map(self._compile, units) if message]
        return refused[0] if refused else self._link()

    def _compile(self, unit: Path) -> str | None:
        source = str(unit.relative_to(self.root))
        return self._call([*self.compiler, *FLAGS, *self.includes, "-MMD", "-c", source, "-o", str(self._object(unit))])

    def _link(self) -> str | None:
        objects = sorted(str(path) for path in self.objects.glob("*.o"))
        return self._call([self.compiler[-1], "-shared", *objects, "-o", str(self.core)])

    def _object(self, unit: Path) -> Path:
        return self.objects / unit.relative_to(self.root).with_suffix(".o").as_posix().replace("/", "-")

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
        listed = self._object(unit).with_suffix(".d").read_text().replace("\\\n", " ").split()[1:]
        return header.resolve() in {(self.root / path).resolve() for path in listed}

    def failure(self, mutant: Mutant) -> str | None:
        """How the mutant's tests fail, as the copy is now; None if they pass."""
        options = ["-q", "-x", "-p", "no:cacheprovider", "-p", "tests.mutations.without_shrinking"]
        chosen = ["-k", mutant.expression] if mutant.expression else []
        try:
            finished = run(self.root, "-m", "pytest", *options, *mutant.files, *chosen, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            return f"no end after {SECONDS} s"
        if finished.returncode in (3, 4, 5):  # nothing was tested
            raise MutantError(f"pytest ended with {finished.returncode}:\n{finished.stdout[-800:]}")
        return finished.stdout[-2000:] + finished.stderr[-500:] if finished.returncode else None

    def check_without(self, mutant: Mutant) -> None:
        """Raise MutantError unless the tests that shall notice a mutant pass without one, on the core as it was built.

        Where mutants of any target name many tests of a few files, each file is run once, as a whole.
        """
        alone = [replace(mutant, tests="", files=(name,)) for name in mutant.files]
        for asked in alone if mutant.target == ANY else [mutant]:
            tests = (asked.files, asked.expression)
            if tests not in self._sound and (failure := self.failure(asked)):
                raise MutantError(f"its tests fail without it:\n{failure}")
            self._sound.add(tests)

    def killer(self, mutant: Mutant) -> str | None:
        """What notices the mutant: the compiler, its tests, that they do not end, others of their files, or nothing."""
        if mutant.path.startswith("csrc/"):
            self.compile_all()
        path, units = self.root / mutant.path, self.units_of(mutant)
        source, kept = path.read_text(), [(unit, self._object(unit).read_bytes()) for unit in units]
        path.write_text(mutant.applied(source))
        try:
            if units and self.compile(units):
                return "the compiler"
            if failure := self.failure(mutant):
                return "no end" if failure.startswith("no end") else "its tests"
            return "other tests" if mutant.tests and self.failure(mutant.widened()) else None
        finally:
            path.write_text(source)
            for unit, compiled in kept:
                self._object(unit).write_bytes(compiled)
            if units:
                self._link()
