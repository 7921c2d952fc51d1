"""The other libraries: what PyPI has goes into environments below ``.peers``, what was built joins by a path.

``FHE_PEERS`` names a prefix that holds HEXL and SEAL (include/, lib/), ``FHE_OPENFHE_PYTHON`` a Python that can import
an openfhe built for this machine, ``FHE_LATTIGO`` a checkout of Lattigo, which takes ``go``. What is missing is left
out, and said.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bench.driver import BUILT, SOURCES, build
from bench.machine import ROOT

ENVIRONMENTS = ROOT / ".peers"
INSTALL_SECONDS = 900
ARCHIVES = [[], ["-lcpu_features"], ["-lcpu_features", "-lz", "-lzstd"], ["-lz"], ["-lz", "-lzstd"]]


@dataclass(frozen=True)
class Package:
    """A library of PyPI: the module it is imported as, the Pythons it may have wheels for, and whether figures of it
    may be published."""

    name: str
    module: str
    pythons: tuple[str, ...] = ("3.12", "3.11", "3.13", "3.10")
    publish: bool = True
    large: bool = False


PACKAGES = {
    package.name: package
    for package in (
        Package("tenseal", "tenseal"),
        Package("openfhe", "openfhe", ("3.10", "3.12", "3.13", "3.11")),
        Package("desilofhe", "desilofhe", publish=False),  # its licence keeps results private
        Package("Pyfhel", "Pyfhel", ("3.11",)),  # built from source: minutes, and once is enough
        Package("concrete-ml", "concrete.ml", ("3.11", "3.10", "3.12"), large=True),
    )
}


# --- installing ------------------------------------------------------------------------------------------------------


def interpreters() -> dict[str, Path]:
    """Pythons of this machine by their version, from PATH and from pyenv."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found: dict[str, Path] = {}
    for version in sorted({v for package in PACKAGES.values() for v in package.pythons}):
        on_path = shutil.which(f"python{version}")
        candidates = [Path(on_path)] if on_path else []
        candidates += sorted(pyenv.glob(f"{version}.*/bin/python"))
        works = next((path for path in candidates if _ran([path, "-c", "import venv, ensurepip"]) is None), None)
        if works:
            found[version] = works
    return found


def install(package: Package) -> str:
    """Make its environment unless it is there; what came of it, in words. A failure is remembered, and not repeated."""
    if python_of(package):
        return "installed"
    if said := refusal(package):
        return said
    complaints, available = [], interpreters()
    for version in filter(available.__contains__, package.pythons):
        error = _environment(package, available[version])
        if error is None:
            python_of.cache_clear()
            return f"installed for Python {version}"
        complaints.append(f"Python {version}: {error}")
    said = "can not be had; " + ("; ".join(complaints) or f"no Python of {', '.join(package.pythons)} is here")
    ENVIRONMENTS.mkdir(exist_ok=True)
    _failure(package).write_text(said)
    return said


def refusal(package: Package) -> str | None:
    """Why it could not be had when that was tried."""
    failure = _failure(package)
    return f"{failure.read_text()} (remove .peers/{failure.name} to try again)" if failure.exists() else None


def _failure(package: Package) -> Path:
    return ENVIRONMENTS / f"{package.name}.failed"


def _environment(package: Package, interpreter: Path) -> str | None:
    """Make its environment with this Python; what failed, or None."""
    folder = ENVIRONMENTS / package.name
    python = folder / "bin" / "python"
    pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", package.name]
    for step in ([interpreter, "-m", "venv", "--clear", folder], pip, [python, "-c", f"import {package.module}"]):
        if error := _ran(step):
            shutil.rmtree(folder, ignore_errors=True)
            return error
    return None


def _ran(command: list[str | Path]) -> str | None:
    """The last line that a command complains with; None where it succeeds."""
    try:
        ran = subprocess.run(
            list(map(str, command)), capture_output=True, text=True, check=False, timeout=INSTALL_SECONDS
        )
    except subprocess.TimeoutExpired:
        return f"not done after {INSTALL_SECONDS} seconds"
    except OSError as error:
        return str(error)
    lines = [line for line in (ran.stderr or ran.stdout).splitlines() if line.strip()]
    return (lines[-1].strip()[:160] if lines else "it says nothing") if ran.returncode else None


@cache
def python_of(package: Package) -> Path | None:
    """The Python that imports it, if there is one."""
    python = ENVIRONMENTS / package.name / "bin" / "python"
    if not python.exists() or _ran([python, "-c", f"import {package.module}"]):
        return None
    return python


def version_of(package: Package) -> str:
    """The version that is installed."""
    python = python_of(package)
    script = f"import importlib.metadata as m; print(m.version({package.name!r}))"
    ran = subprocess.run([str(python), "-c", script], capture_output=True, text=True, check=False)
    return re.sub(r"\s", "", ran.stdout) or "unknown"


# --- built from source -----------------------------------------------------------------------------------------------


def prefix() -> Path | None:
    path = os.environ.get("FHE_PEERS")
    return Path(path) if path else None


def build_peer(name: str, includes: list[Path], libraries: list[str]) -> Path | None:
    """The driver of a library below ``FHE_PEERS``, if that is there."""
    where = prefix()
    if where is None or not includes:
        return None
    folders = [where / "include", *includes]
    found = [[f"-L{where / 'lib'}", *libraries, *more] for more in ARCHIVES]
    return build(name, [], [f"-I{folder}" for folder in folders], found)


def hexl_driver() -> Path | None:
    return build_peer("hexl", sorted((prefix() or Path("/")).glob("include/hexl")), ["-lhexl"])


@cache
def seal_driver() -> Path | None:
    """SEAL with HEXL where it was built so."""
    where = prefix() or Path("/")
    archives = sorted(where.glob("lib/libseal*"))
    libraries = [f"-l{archives[0].stem.removeprefix('lib')}"] if archives else []
    if with_hexl():
        libraries.append("-lhexl")
    return build_peer("seal", sorted(where.glob("include/SEAL-*")), libraries)


def with_hexl() -> bool:
    return bool(sorted((prefix() or Path("/")).glob("lib/libhexl*")))


@cache
def lattigo_driver() -> Path | None:
    """Lattigo, compiled within its checkout, whose ``go.mod`` says what it needs."""
    checkout, go = os.environ.get("FHE_LATTIGO"), shutil.which("go")
    if not checkout:
        return None
    if not go:
        raise SystemExit("FHE_LATTIGO is set, and no go is on PATH; install Go, or unset FHE_LATTIGO")
    BUILT.mkdir(parents=True, exist_ok=True)
    if not (Path(checkout) / "go.mod").exists():
        raise SystemExit(f"FHE_LATTIGO is {checkout}, where no go.mod is; name a checkout of Lattigo")
    program = BUILT / "lattigo"
    command = [go, "build", "-o", str(program), str(SOURCES / "lattigo.go")]
    ran = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise SystemExit(f"the driver lattigo does not compile:\n{ran.stderr[-4000:]}")
    return program


CALLS_HEXL = """
import openfhe, pathlib
maps = pathlib.Path("/proc/self/maps").read_text().split()
core = next(path for path in maps if "libOPENFHEcore" in path)
raise SystemExit(b"hexl" not in pathlib.Path(core).read_bytes())
"""


def openfhe_pythons(plain: Path | None) -> Iterator[tuple[str, Path]]:
    """OpenFHE as built here, and PyPI's plain build."""
    if built := os.environ.get("FHE_OPENFHE_PYTHON"):
        if error := _ran([built, "-c", "import openfhe"]):
            raise SystemExit(f"FHE_OPENFHE_PYTHON is {built}, which can not import openfhe: {error}")
        calls_hexl = _ran([built, "-c", CALLS_HEXL]) is None
        yield "OpenFHE + HEXL" if calls_hexl else "OpenFHE", Path(built)
    if plain:
        yield "OpenFHE (PyPI)", plain
