"""What one Python writes another reads, and the other way round: each that is here, with a build of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fhe
from tests.wide.copies import copy_project

pytestmark = pytest.mark.wide

MINORS = (11, 12, 13, 14)
VALUES = np.arange(-3, 5)
TOY: Any = {"ring_degree": 1024, "insecure": "a small ring for a test"}
PASSPHRASE = "several words"  # noqa: S105


def fits(name: str, probe: str) -> bool:
    return subprocess.run([name, "-c", probe], capture_output=True, check=False).returncode == 0


def interpreter(minor: int) -> str | None:
    """Another Python of this version: on the path, or among those of pyenv."""
    found = shutil.which(f"python3.{minor}")
    managed = sorted(Path.home().glob(f".pyenv/versions/3.{minor}.*/bin/python"))
    candidates = [str(path) for path in managed] + ([found] if found else [])
    probe = f"import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, {minor}))"
    works = (name for name in candidates if fits(name, probe))
    return next(works, None)


@pytest.fixture(scope="module", params=MINORS, ids="3.{}".format)
def python(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with the library, built by this version."""
    if not (base := interpreter(request.param)):
        pytest.skip(f"there is no Python 3.{request.param} here")
    folder = tmp_path_factory.mktemp(f"python{request.param}")
    copy_project(folder / "project")
    subprocess.run([base, "-m", "venv", folder / "venv"], check=True)
    made: Path = folder / "venv/bin/python"
    installed = [made, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", folder / "project"]
    ran = subprocess.run(installed, capture_output=True, text=True, check=False, timeout=1800)
    assert ran.returncode == 0, ran.stderr[-3000:]
    return made


OTHER = """
import pathlib, sys, numpy as np, fhe
folder, backend = pathlib.Path(sys.argv[1]), sys.argv[2]
for scheme in ("ckks", "bfv"):
    server = fhe.load(folder / f"{scheme}.public", backend=backend)
    x = fhe.load(folder / f"{scheme}.array", server)
    fhe.save(folder / f"{scheme}.reply", x * x + 1)
    owner = fhe.load_secret_key(folder / f"{scheme}.secret", passphrase="several words", backend=backend)
    assert np.allclose(owner.decrypt(fhe.load(folder / f"{scheme}.array", owner)), np.arange(-3, 5), atol=1e-5)
    assert (folder / f"{scheme}.public").read_bytes() == server.to_bytes()
    assert fhe.load(folder / f"{scheme}.parameters") == server.parameters
print(sys.version_info[1])
"""


@pytest.mark.parametrize("backend", ["native", "reference"])
def test_round_trip(python: Path, tmp_path: Path, backend: str) -> None:
    owners = {"ckks": fhe.ckks(depth=1, **TOY), "bfv": fhe.bfv(depth=1, value_bits=20, **TOY)}
    for scheme, owner in owners.items():
        fhe.save(tmp_path / f"{scheme}.public", owner.public(rotations=[1]))
        fhe.save(tmp_path / f"{scheme}.array", owner.encrypt(VALUES, symmetric=True, bound=8))
        fhe.save(tmp_path / f"{scheme}.parameters", owner.parameters)
        owner.save_secret_key(tmp_path / f"{scheme}.secret", passphrase=PASSPHRASE)
    command = [python, "-c", OTHER, tmp_path, backend]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=600)
    assert ran.returncode == 0, ran.stderr[-3000:]
    for scheme, owner in owners.items():
        decrypted = owner.decrypt(fhe.load(tmp_path / f"{scheme}.reply", owner))
        assert np.allclose(decrypted, VALUES**2 + 1, atol=1e-4)
    assert sys.version_info >= (3, 11)
