"""The site builds without a warning: links between pages, names in the reference, directives."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.codebase import ROOT

pytestmark = pytest.mark.wide


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("sphinx", reason='needs pip install "fhe[docs]"')
    build = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-E", "-q", "-b", "html", "docs", str(tmp_path)]
    built = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    assert "EncryptedArray" in (tmp_path / "reference/fhe.html").read_text()
