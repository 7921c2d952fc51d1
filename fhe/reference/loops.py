"""The inner loops of `residue`: as Python, or as compiled from the same source."""

from __future__ import annotations

import os
from importlib import import_module
from types import ModuleType

from fhe.reference import residue

try:
    compiled_residue: ModuleType | None = import_module("fhe.reference._residue")
except ImportError:
    compiled_residue = None


def inner_loops(compiled: bool | None = None) -> ModuleType:
    """`residue` or its compiled twin; None takes the twin if it was built and FHE_PURE_PYTHON is not set."""
    if compiled is None:
        compiled = compiled_residue is not None and not os.environ.get("FHE_PURE_PYTHON")
    if not compiled:
        return residue
    if compiled_residue is None:
        raise ImportError("the reference's inner loops are not compiled: run `python setup.py build_ext --inplace`")
    return compiled_residue
