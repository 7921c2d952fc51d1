"""Every program of `fhe/examples` has a `main` that runs to its end and prints what it found."""

from __future__ import annotations

from importlib import import_module

import pytest

from tests.codebase import files, module_name

EXAMPLES = [module_name(path) for path in files("fhe/examples", ".py") if path.stem != "__init__"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    import_module(name).main()
    assert capsys.readouterr().out.strip()


def test_there_are_examples() -> None:
    assert EXAMPLES
