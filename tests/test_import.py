"""What `import fhe` costs: counted in modules and calls, which do not depend on what else the machine does.

With NumPy loaded it takes 60 ms of one core here, of 150 ms that it may.
"""

from __future__ import annotations

import json
import subprocess
import sys

from tests.codebase import ROOT

CODE = """
import json, sys
import numpy
before, calls = set(sys.modules), 0
def count(frame, event, argument):
    global calls
    calls += event in ("call", "c_call")
sys.setprofile(count)
import fhe
sys.setprofile(None)
print(json.dumps({"modules": sorted(set(sys.modules) - before), "calls": calls}))
"""
LOADED = {"cryptography", "_cffi_backend", "_openssl"}  # what comes with the keystream; NumPy is there before
HEAVY = {"email", "importlib.metadata", "logging", "multiprocessing", "tempfile", "unittest", "zipfile"}
MOST_MODULES, MOST_CALLS = 180, 200_000  # of fhe; 105 and 90 000 at the time of writing


def imported() -> dict[str, list[str] | int]:
    run = subprocess.run([sys.executable, "-c", CODE], cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, list[str] | int] = json.loads(run.stdout)
    return found


def test_an_import_loads_no_more_than_it_needs() -> None:
    found = imported()
    modules = found["modules"]
    assert isinstance(modules, list)
    foreign = {name.partition(".")[0] for name in modules} - set(sys.stdlib_module_names) - {"fhe", "numpy"}
    assert foreign <= LOADED, f"import fhe loads {sorted(foreign - LOADED)}; import them where they are used"
    assert not HEAVY & set(modules), f"import fhe loads {sorted(HEAVY & set(modules))}, slow to import"
    own = [name for name in modules if name.split(".")[0] == "fhe"]
    assert len(own) <= MOST_MODULES
    assert not [name for name in own if name.startswith(("fhe.ml", "fhe.reference.", "fhe.research", "fhe.cli"))]


def test_an_import_makes_few_calls() -> None:
    calls = imported()["calls"]
    assert isinstance(calls, int)
    assert 10_000 < calls < MOST_CALLS
