"""What the pages promise is true: their Python runs, their commands exist, their links lead somewhere."""

from __future__ import annotations

import doctest
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.codebase import ROOT, relative, tracked_files
from tests.vectors import make_pains

PAGES = [path for path in tracked_files() if path.suffix == ".md"]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
MAKEFILE = (ROOT / "Makefile").read_text()


def blocks(page: Path, *languages: str) -> list[tuple[int, str]]:
    """(line, text) of the fenced blocks of a page in these languages."""
    text = page.read_text()
    fences = re.finditer(r"^```(\w+)[^\n]*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return [(text.count("\n", 0, fence.start()) + 2, fence[2]) for fence in fences if fence[1] in languages]


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python", "pycon")], ids=relative)
def test_python_of_the_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From top to bottom in one namespace, as a reader would type it; blocks with prompts show their output."""
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {"__name__": "__main__"}
    for line, text in blocks(page, "python", "pycon"):
        if ">>> " in text:
            test = doctest.DocTestParser().get_doctest(text, namespace, f"{relative(page)}:{line}", str(page), line)
            report: list[str] = []
            runner = doctest.DocTestRunner(optionflags=FLAGS)
            runner.run(test, out=report.append, clear_globs=False)
            assert not runner.failures, "".join(report)
            namespace.update(test.globs)
        else:
            padded = "\n" * (line - 1) + text  # so that a traceback shows the line of the page
            exec(compile(padded, str(page), "exec"), namespace)  # noqa: S102


def test_pains_are_those_of_the_tests() -> None:
    assert make_pains.FILE.read_text() == make_pains.text()


def commands() -> list[tuple[str, list[str]]]:
    """(page, words) of every line of a shell block, without prompt, comment and variables in front."""
    found = []
    for page in PAGES:
        for _, text in blocks(page, "sh", "bash", "console", "shell"):
            for line in text.splitlines():
                words = shlex.split(line.removeprefix("$ "), comments=True)
                found.append((relative(page), [word for word in words if not re.match(r"[A-Z_]+=", word)]))
    return [(page, words) for page, words in found if words]


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
    wanted = [(page, word) for page, words in commands() if words[0] == "make" for word in words[1:] if word[0] != "-"]
    missing = [f"{page}: make {target}" for page, target in wanted if target not in targets]
    assert not missing
    assert targets >= {"build", "demo", "test", "lint", "bench"}


def test_commands_of_the_pages_exist() -> None:
    """Each `python -m fhe …` and `fhe …` on a page is a command that knows ``--help``."""
    wanted = {
        words[3] if words[0].startswith("python") else words[1]
        for _, words in commands()
        if (words[:3] == ["python", "-m", "fhe"] and len(words) > 3) or (words[0] == "fhe" and len(words) > 1)
    }
    for command in sorted(word for word in wanted if word[0] != "-"):
        shown = subprocess.run(
            [sys.executable, "-m", "fhe", command, "--help"], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert shown.returncode == 0, f"fhe {command}: {shown.stderr}"


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(), flags=re.DOTALL)
    local = [link for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text) if "://" not in link]
    missing = [link for link in local if not (page.parent / link).exists()]
    assert not missing, f"{relative(page)} links to {missing}"


def test_files_named_on_the_front_page_exist() -> None:
    named = re.findall(r"`((?:fhe|csrc|tests|bench|docs)/[\w./-]+)`", (ROOT / "README.md").read_text())
    missing = [name for name in named if not (ROOT / name).exists()]
    assert not missing
