"""Copies of the project, to be built otherwise or broken on purpose; the checkout itself is never touched."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.codebase import relative, tracked_files

NEEDED = ("csrc/", "docs/", "fhe/", "tests/", "setup.py", "pyproject.toml", "README.md", "LICENSE")


def copy_project(destination: Path) -> Path:
    """The sources of the project below ``destination``, nothing that was built."""
    for path in tracked_files():
        if relative(path).startswith(NEEDED):
            copy = destination / relative(path)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, copy)
    return destination


def run(copy: Path, *arguments: str, timeout: float = 1800, **variables: str) -> subprocess.CompletedProcess[str]:
    """``python *arguments`` in a copy, in this environment with these variables."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FHE_", "PYTEST_"))}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=copy,
        env=kept | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(copy)} | variables,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
