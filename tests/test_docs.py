"""The site: its pictures are those that the script draws, and every page can be reached."""

from __future__ import annotations

import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import PurePath
from types import ModuleType

import numpy as np
import pytest

from tests.codebase import ROOT, files, relative

DOCS = ROOT / "docs"
MEASURED = 10.0  # what points of a picture that shows measurements may be off, in its units


def script(name: str) -> ModuleType:
    spec = spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def parted(picture: str) -> tuple[list[str], list[float]]:
    """What stands between the numbers of a picture, and these."""
    number = re.compile(r"-?\d+(?:\.\d+)?")
    return number.split(picture), [float(found) for found in number.findall(picture)]


@pytest.mark.parametrize("name", script("pictures").PICTURES)
def test_pictures_are_drawn_by_the_script(name: str) -> None:
    kept, drawn = (DOCS / name).read_text(encoding="utf-8"), script("pictures").PICTURES[name]()
    (words, numbers), (words_now, numbers_now) = parted(kept), parted(drawn)
    assert words == words_now, "python docs/pictures.py draws it again"
    assert np.allclose(numbers, numbers_now, atol=MEASURED if name.startswith("tutorials") else 0)
    folder, _, file = name.partition("/")
    assert any(f"({file})" in page.read_text() for page in (DOCS / folder).glob("*.md")), f"no page shows {name}"


def test_every_page_is_in_one_table_of_contents() -> None:
    """Those of folders by name; topics that nobody listed are taken up by the pattern of `in-depth.md`."""
    pages = {relative(page).removeprefix("docs/").removesuffix(".md"): page for page in files("docs", ".md")}
    table = re.compile(r"^```{toctree}\n(?::\w+:.*\n)*\n(.*?)^```", re.MULTILINE | re.DOTALL)
    listed = []
    for name, page in pages.items():
        for entries in table.findall(page.read_text()):
            listed += [PurePath(name).parent.joinpath(entry).as_posix() for entry in entries.split()]
    assert len(listed) == len(set(listed))
    assert {page for page in pages if "/" in page} <= set(listed)
    assert set(listed) - {"reference/index", "[!i]*"} <= pages.keys()


def test_links_to_finished_pages_lead_somewhere() -> None:
    for page in files("docs", ".md"):
        for link in re.findall(r'<a href="([^"]+)"', page.read_text()):
            assert (page.parent / link).exists(), f"{relative(page)} links to {link}"


def test_the_reference_lists_every_public_name() -> None:
    import fhe  # noqa: PLC0415

    listing = script("listing")
    page = listing.page("fhe", "", listing.FHE)
    listed = re.findall(r"^   ([A-Za-z]\w+)$", page, re.MULTILINE)
    assert sorted(listed) == sorted(fhe.__all__)


def test_prose_is_escaped_outside_of_examples() -> None:
    prose = script("manners").prose
    assert prose(["|x|**2 of `a_` and coef_", "", ">>> x ** 2 | y_"]) == [
        r"\|x\|\*\*2 of `a_` and coef\_",
        "",
        ">>> x ** 2 | y_",
    ]
