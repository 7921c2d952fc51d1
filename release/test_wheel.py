"""Install the wheel of ``dist/`` as a newcomer would, and use it: ``python release/test_wheel.py``.

The environment is fresh, and no program of the machine is on its PATH: a wheel that needs a compiler fails. The
README's ten lines run, then every backend and target of this CPU against the others, then tests of the sdist that stand
above the seam. Where there is qemu, example and self-test also run on a CPU of 2008, which has no more than x86-64-v2:
nothing but dispatch at run time may ask for more. ``--installed FOLDER`` does so with the Python that runs this, for
the project in FOLDER.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TESTS = [
    "tests/schemes/test_ckks.py",
    "tests/schemes/test_bfv.py",
    "tests/io/test_files.py",
    "tests/arrays/test_numpy.py",
]
NEEDED = ["pytest", "hypothesis"]
OLDEST_CPU = "Nehalem"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--dist", type=Path, default=ROOT / "dist", help="where wheel and sdist are (default: dist)")
    parser.add_argument("--installed", type=Path, help="a project whose wheel is installed in this very environment")
    parser.add_argument("--no-tests", action="store_true", help="the README's example and the self-test alone")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if options.installed:
            able = all(map(importlib.util.find_spec, NEEDED))
            return check(Path(sys.executable), options.installed, Path(folder), able and not options.no_tests)
        (wheel,), (sdist,) = (sorted(options.dist.glob(pattern)) for pattern in ("fhe-*.whl", "fhe-*.tar.gz"))
        python = fresh_environment(Path(folder, "venv"), wheel, [] if options.no_tests else [*NEEDED, "scikit-learn"])
        with tarfile.open(sdist) as archive:
            safely = (
                {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
            )  # from Python 3.11.4 on; the sdist is ours
            archive.extractall(folder, **safely)  # noqa: S202
        (unpacked,) = Path(folder).glob("fhe-*/")
        return check(python, unpacked, Path(folder), not options.no_tests)


def fresh_environment(folder: Path, wheel: Path, more: list[str]) -> Path:
    """A virtual environment with the wheel, what it requires, and ``more``."""
    start = time.perf_counter()
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"]
    subprocess.run([*install, str(wheel), *more], check=True, env=bare(python))
    print(f"installed {wheel.name} in {time.perf_counter() - start:.1f} s", flush=True)
    return python


def bare(python: Path) -> dict[str, str]:
    """The environment of this process without its programs, and without what would lead to a checkout."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "FHE_", "CC", "CXX"))}
    return kept | {"PATH": str(python.parent)}


def check(python: Path, project: Path, folder: Path, with_tests: bool) -> int:
    """Away from the project, so that ``fhe`` can only be what was installed."""
    for name in ("README.md", "pyproject.toml"):
        shutil.copy2(project / name, folder)
    shutil.copytree(project / "tests", folder / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    smoke = [str(python), "-W", "error", str(project / "release/smoke.py"), "README.md"]
    commands, environment = [smoke], bare(python)
    if (qemu := shutil.which("qemu-x86_64")) and platform.machine() == "x86_64":
        environment["OPENBLAS_CORETYPE"] = OLDEST_CPU  # NumPy's library sees through the emulator, and breaks
        commands.append([qemu, "-cpu", OLDEST_CPU, *smoke])
    if with_tests:
        commands.append([str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS])
    runs = (subprocess.run(command, cwd=folder, env=environment, check=False).returncode for command in commands)
    return next(filter(None, runs), 0)


if __name__ == "__main__":
    raise SystemExit(main())
