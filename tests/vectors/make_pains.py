"""Makes docs/pains.md from the docstrings of `tests/test_pains.py`.

    python -m tests.vectors.make_pains

A test makes it again.
"""

from __future__ import annotations

from inspect import cleandoc, getdoc

from tests import test_pains
from tests.codebase import ROOT

FILE = ROOT / "docs" / "pains.md"
HEAD = cleandoc(
    """
    # What hurt elsewhere, and what happens here

    People who come from other libraries remember scales, slots, levels, keys and parameters. Here is what they met
    there, and how it ends; each row is a test of that name in [test_pains.py](../tests/test_pains.py), written as a
    user would. This page is made of their docstrings by `python -m tests.vectors.make_pains`.

    ```pycon
    >>> import fhe
    >>> owner = fhe.ckks(depth=2)  # keys for one party: N, moduli, 128-bit security are chosen
    >>> x = owner.encrypt([0.5, -1.0, 2.0], bound=2)
    >>> y = x * x * 0.3 + x + 1  # no scales to match, nothing to rescale or relinearise
    >>> y.levels_left
    0
    >>> x**9
    Traceback (most recent call last):
    fhe.errors.LevelError: x**9 needs 4 levels, 2 are left; use fhe.ckks(depth=4) or more, or re-encrypt x

    ```

    | | what hurt | what happens here |
    |---|---|---|
    """
)
TAIL = """
Not here: bootstrapping, so that depth is chosen beforehand; and a GPU.
"""


def row(name: str, documentation: str) -> str:
    pain, here = (" ".join(part.split()).replace("|", "\\|") for part in documentation.split("\n\n", 1))
    return f"| {name.removeprefix('test_').replace('_', ' ')} | {pain} | {here} |\n"


def text() -> str:
    tests = [(name, getdoc(test)) for name, test in vars(test_pains).items() if name.startswith("test_")]
    rows = [row(name, documentation) for name, documentation in tests if documentation]
    assert len(rows) == len(tests), "a pain without a docstring"
    return f"{HEAD}\n{''.join(rows)}{TAIL}"


if __name__ == "__main__":
    FILE.write_text(text())
