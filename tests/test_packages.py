"""What is published: everything under version control is in the sdist, and its metadata says what is true."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import fhe
from tests.codebase import ROOT, relative, tracked_files

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
MANIFEST = (ROOT / "MANIFEST.in").read_text()
NOT_PUBLISHED = {".ci", ".github"}
ALWAYS_PUBLISHED = {"MANIFEST.in", "pyproject.toml", "setup.py"}


def test_the_sdist_is_the_checkout() -> None:
    grafted = set(re.findall(r"^graft (\S+)", MANIFEST, re.MULTILINE))
    included = [word for line in re.findall(r"^include (.*)", MANIFEST, re.MULTILINE) for word in line.split()]
    for path in tracked_files():
        top = relative(path).split("/")[0]
        assert top in grafted | ALWAYS_PUBLISHED | NOT_PUBLISHED or (
            "/" not in relative(path) and any(Path(top).match(pattern) for pattern in included)
        ), f"MANIFEST.in leaves out {relative(path)}"
    assert all((ROOT / folder).is_dir() for folder in grafted)


def test_the_version_is_said_once() -> None:
    assert PROJECT["project"]["dynamic"] == ["version"]
    assert PROJECT["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "fhe.__version__"}
    assert re.fullmatch(r"\d+\.\d+\.\d+", fhe.__version__)


def test_the_licence_is_an_expression() -> None:
    """PEP 639: an SPDX expression and files, and then no classifier."""
    project = PROJECT["project"]
    assert project["license"] == "Apache-2.0"
    assert all((ROOT / name).exists() for name in project["license-files"])
    assert not [line for line in project["classifiers"] if line.startswith("License ::")]
    assert sorted(project["classifiers"]) == project["classifiers"]


def test_wheels_are_built_for_every_python_that_is_supported() -> None:
    built = PROJECT["tool"]["cibuildwheel"]["build"]
    named = [line.rsplit(" ", 1)[1] for line in PROJECT["project"]["classifiers"] if re.search(r":: 3\.\d+$", line)]
    assert {f"cp{version.replace('.', '')}-*" for version in named} <= set(built)
    assert PROJECT["project"]["requires-python"] == f">={named[0]}"


def test_actions_of_others_are_named_by_commit() -> None:
    """A tag can be moved to other code, a commit can not."""
    for workflow in (ROOT / ".github/workflows").glob("*.yml"):
        for used in re.findall(r"uses: (\S+)", workflow.read_text()):
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", used), f"{workflow.name}: {used}"
