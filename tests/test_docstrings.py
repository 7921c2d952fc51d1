"""The examples in docstrings, run: one test for each module of `fhe`. In all of them ``np`` is NumPy."""

from __future__ import annotations

import doctest
from importlib import import_module

import numpy as np
import pytest

from tests.codebase import files, module_name

RUN_ON_IMPORT = {"fhe.__main__"}
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
MODULES = sorted({module_name(path) for path in files("fhe", ".py")} - RUN_ON_IMPORT)


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name: str) -> None:
    module, globs = import_module(name), {"np": np}
    assert doctest.testmod(module, optionflags=FLAGS, extraglobs=globs).failed == 0


def test_examples_are_found() -> None:
    import fhe  # noqa: PLC0415  (a package that can not be imported fails above, module by module)

    found = [test for test in doctest.DocTestFinder().find(fhe) if test.examples]
    assert found
