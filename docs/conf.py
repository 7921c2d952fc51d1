"""The site of `make docs`: Sphinx with MyST, numpydoc and the PyData theme.

Pages are Markdown that also reads well without a build. Their Python runs in the tests (tests/test_readme.py), pictures
are made by `pictures.py`, the reference is made of docstrings.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import listing  # noqa: E402  (from this folder)
import manners  # noqa: E402

import fhe  # noqa: E402

project = "fhe"
copyright = "the authors of fhe"
release = version = fhe.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "numpydoc"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_build", "README.md"]
listing.write(HERE / "reference")
templates_path = ["_templates"]

default_role = "autolink"  # a name in backticks is a link if there is such an object
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the signature in the heading would be longer than the page
autosummary_generate = True
numpydoc_show_class_members = False

html_theme = "pydata_sphinx_theme"
html_title = f"fhe {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_context = {"default_mode": "auto"}  # light or dark as the reader's system is
html_theme_options = {
    "navigation_with_keys": False,
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "logo": {"text": html_title},
    "navbar_align": "left",
    "footer_start": ["copyright"],
    "footer_end": [],
    "search_as_you_type": True,
}


def setup(app: object) -> None:
    """The project's manners in docstrings and links, and the pages that are whole by themselves."""
    manners.setup(app)
    manners.with_pages(app, HERE / "compare")
