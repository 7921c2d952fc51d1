"""From how this project writes to what Sphinx reads: docstrings in plain prose, links to files beside the site."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

SPAN = re.compile(r"(``.+?``|`[^`]+`)", re.DOTALL)
BESIDE = re.compile(r"\[([^\]]+)\]\((\.\./[^)]+)\)")


def plain(text: str) -> str:
    """Prose with what reStructuredText would take for markup escaped: |x|, x**2, coef_.

    >>> plain("|x|**2 of coef_, but not `a_` or ``b*``")
    '\\\\|x\\\\|\\\\*\\\\*2 of coef\\\\_, but not `a_` or ``b*``'
    """
    parts = SPAN.split(text)
    for index in range(0, len(parts), 2):
        parts[index] = re.sub(r"(?<=\w)_(?!\w)", r"\\_", re.sub(r"([|*])", r"\\\1", parts[index]))
    return "".join(parts)


def prose(lines: list[str]) -> list[str]:
    """The lines of a docstring, escaped but for its examples, which end at an empty line."""
    blocks = "\n".join(lines).split("\n\n")
    return "\n\n".join(block if block.lstrip().startswith(">>> ") else plain(block) for block in blocks).split("\n")


def _docstring(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    lines[:] = prose(lines)


def _page(app: Any, name: str, source: list[str]) -> None:
    """Files of the checkout are not part of the site: a link to one becomes its name."""
    source[0] = BESIDE.sub(lambda link: f"{link[1]} (`{link[2].lstrip('./')}`)", source[0])


def _skipped(app: Any, what: str, name: str, thing: Any, skip: bool, options: Any) -> bool | None:
    """scikit-learn gives its estimators methods that route metadata, and describes them itself."""
    return True if name.endswith("_request") else None


def with_pages(app: Any, folder: Path) -> None:
    """Put a folder of finished HTML into the site, under its own name."""

    def copy(app: Any, failed: Exception | None) -> None:
        if failed is None and folder.is_dir():
            shutil.copytree(folder, Path(app.outdir) / folder.name, dirs_exist_ok=True)

    app.connect("build-finished", copy)


def setup(app: Any) -> None:
    """Connect them, before numpydoc reads a docstring."""
    app.connect("autodoc-skip-member", _skipped)
    app.connect("autodoc-process-docstring", _docstring, priority=100)
    app.connect("source-read", _page)
