"""The shape of the source: who may import whom, how long things may be, what may stand where.

The graphs and the exceptions are data at the top. A new arrow or exception is a decision, made there with its reason.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable
from functools import cache
from graphlib import CycleError, TopologicalSorter

import pytest

import fhe
from tests.codebase import (
    BINARY,
    CPP_SUFFIXES,
    ROOT,
    Import,
    cpp_functions,
    files,
    imports,
    included,
    python_functions,
    relative,
    tracked_files,
    tree,
)

# Module or package of fhe -> what it may import, beside its own package. What stands first knows least; ``fhe`` is the
# front page, which nothing imports but what stands in front of it.
KNOWS = {
    "errors": "",
    "validate": "errors",
    "costs": "",
    "primes": "errors",
    "moduli": "costs errors primes",
    "security": "errors",
    "interval": "errors",
    "progress": "",
    "form": "errors",
    "parameters": "costs errors form moduli primes security",
    "wide": "errors parameters primes",
    "noise": "parameters",
    "chains": "costs moduli noise",
    "choice": "chains costs errors moduli parameters primes security wide",
    "io": "errors",
    "backend.protocol": "",
    "backend.native": "_core",
    "reference": "backend.protocol errors",
    "backend.choose": "_core backend.native backend.protocol errors reference",
    "ring": "backend.choose backend.protocol errors primes",
    "rlwe": "backend.choose backend.protocol errors interval io parameters ring wide",
    "rlwe.secret": "errors ring rlwe",
    "bfv": "errors interval noise parameters primes ring rlwe validate wide",
    "ckks": "errors interval noise parameters ring rlwe validate",
    "circuits": "bfv costs errors interval parameters ring rlwe",
    "arrays": "bfv circuits errors interval io parameters rlwe validate wide",
    "hiding": "arrays bfv ckks errors noise parameters ring rlwe",
    "plans": "choice ckks hiding moduli parameters",
    "received": "arrays errors parameters rlwe",
    "opening": "circuits parameters ring rlwe",
    "context": "arrays backend.protocol bfv circuits ckks errors hiding interval io parameters progress ring rlwe "
    "validate wide",
    "keyfile": "backend.protocol errors interval io rlwe rlwe.secret",
    "owner": "arrays backend.protocol bfv choice ckks context errors hiding interval io keyfile opening "
    "parameters plans progress received ring rlwe rlwe.secret wide",
    "files": "arrays backend.protocol context errors io keyfile owner parameters programs rlwe",
    "describe": "errors io parameters rlwe",
    "programs": "arrays backend.choose bfv choice circuits ckks context costs errors hiding interval io moduli owner "
    "parameters primes progress ring rlwe security validate wide",
    "auditing": "arrays errors owner programs progress",
    "ml": "arrays choice circuits costs errors interval moduli noise owner parameters programs progress rlwe "
    "security wide",
    "fhe": "arrays auditing backend.choose context errors files io owner parameters programs ring wide",
    "examples": "fhe ml",
    "research": "backend.choose backend.protocol errors fhe measure noise parameters ring",
    "measure": "",
    "demo": "examples measure ml security",
    "cli": "backend.choose choice costs demo describe errors fhe measure ml parameters",
    "__main__": "cli",
}
# The only folder or file of csrc/ -> what it may include, beside itself.
INCLUDES = {
    "word.hpp": "",
    "modulus.hpp": "word.hpp",
    "simd": "word.hpp",
    "pool": "word.hpp",
    "ring/ntt_tables.hpp": "kernels modulus.hpp word.hpp",  # the one thing kernels know of ring/: their own tables
    "kernels": "modulus.hpp ring/ntt_tables.hpp word.hpp",
    "targets": "kernels simd targets/dispatch.hpp",
    "ring": "kernels modulus.hpp pool ring/ntt_tables.hpp targets/dispatch.hpp word.hpp",
    "targets/dispatch.hpp": "kernels",
    "random": "modulus.hpp pool ring word.hpp",
    "rlwe": "kernels modulus.hpp pool random ring word.hpp",
    "bindings": "pool random ring rlwe targets/dispatch.hpp word.hpp",
}
# Third-party package -> the modules of fhe that may import it ("": all of them).
THIRD_PARTY = {
    "numpy": "",
    "cryptography": "io ring.random",
    "tqdm": "demo progress",
    "sklearn": "examples ml",
}
NEVER_IMPORTED = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve"}  # received bytes are never unpickled

FILE_LINES, FUNCTION_LINES, KERNEL_LINES = 400, 40, 60
LONGER: dict[str, str] = {}  # "path" or "path:function" -> why it may be longer

WORDS = ["ses" + "sion", "proto" + "type", "TO" + "DO", "FIX" + "ME", "XX" + "X", "NotImplemented" + "Error"]
PATHS = ["/" + folder + "/" for folder in ("wo" + "rk", "ro" + "ot", "tm" + "p", "ho" + "me")]
ALLOWED_WORDS = re.compile('scope="ses' + 'sion"')


@cache
def all_imports() -> list[Import]:
    return [found for path in files("fhe", ".py", ".pyi") for found in imports(path)]


def own(dotted: str) -> str:
    """The name inside the package: ``fhe.rlwe.secret`` is ``rlwe.secret``; the front page alone is ``fhe``."""
    return dotted.removeprefix("fhe").removeprefix(".") or "fhe"


def unit(name: str, graph: Iterable[str], separator: str = ".") -> str:
    """The longest entry of the graph that a module or header belongs to."""
    within = [entry for entry in graph if name == entry or name.startswith(entry + separator)]
    return max(within, key=len, default=name)


# --- Python imports --------------------------------------------------------------------------------------------------


def test_every_import_goes_down_the_graph() -> None:
    broken = []
    for found in all_imports():
        importer, imported = unit(own(found.importer), KNOWS), unit(own(found.imported), KNOWS)
        if found.imported.split(".")[0] != "fhe":
            continue
        if importer not in KNOWS:
            broken.append(f"{found.where}: {importer} is not in the graph; add it to KNOWS with what it may import")
        elif imported != importer and imported not in KNOWS[importer].split():
            broken.append(f"{found.where}: {importer} imports {imported}, may import: {KNOWS[importer] or 'nothing'}")
    assert not broken, "\n".join(broken)


def test_the_graph_has_no_cycle_and_no_unused_arrow() -> None:
    used = {
        (unit(own(i.importer), KNOWS), unit(own(i.imported), KNOWS))
        for i in all_imports()
        if i.imported.startswith("fhe")
    }
    graph = {name: allowed.split() for name, allowed in KNOWS.items()}
    assert not cycle_of(graph)
    unused = [f"{name} -> {known}" for name, allowed in graph.items() for known in allowed if (name, known) not in used]
    assert not unused, f"arrows of KNOWS that no import uses; delete them: {unused}"


def test_modules_import_each_other_in_one_direction() -> None:
    graph: dict[str, set[str]] = {}
    for found in all_imports():
        if found.imported.startswith("fhe.") and not found.where.startswith("fhe/__init__"):
            graph.setdefault(found.importer, set()).add(found.imported)
    assert not cycle_of(graph)


def cycle_of(graph: dict[str, set[str]] | dict[str, list[str]]) -> list[str]:
    """A cycle of the graph, or nothing."""
    try:
        TopologicalSorter({node: [n for n in known if n != node] for node, known in graph.items()}).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


@pytest.mark.parametrize(
    ("guarded", "importers"),
    [
        ("rlwe.secret", {"keyfile", "owner"}),
        ("reference", {"backend.choose", "reference"}),
        ("backend.native", {"backend.choose"}),
        ("_core", {"backend.choose", "backend.native"}),
        ("backend.choose", {"cli", "fhe", "programs", "research", "ring", "rlwe"}),
    ],
)
def test_only_these_import(guarded: str, importers: set[str]) -> None:
    broken = [
        f"{found.where}: {own(found.importer)} imports {guarded}; only {sorted(importers)} may"
        for found in all_imports()
        if unit(own(found.imported), [guarded]) == guarded and unit(own(found.importer), importers) not in importers
    ]
    assert not broken, "\n".join(broken)


def test_third_party_packages_stay_where_they_belong() -> None:
    broken = []
    for found in all_imports():
        package, importer = found.imported.split(".")[0], own(found.importer)
        if package in NEVER_IMPORTED:
            broken.append(
                f"{found.where}: {package} is never imported; pickling is registered with copyreg, from outside"
            )
        elif package in THIRD_PARTY and (where := THIRD_PARTY[package].split()) and unit(importer, where) not in where:
            broken.append(f"{found.where}: {importer} imports {package}; only {where} may")
    assert not broken, "\n".join(broken)


def test_what_is_imported_is_required() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = [*project["dependencies"], *project["optional-dependencies"]["ml"]]
    required = {re.split(r"[<>=~! ]", requirement)[0].replace("scikit-learn", "sklearn") for requirement in named}
    imported = {found.imported.split(".")[0] for found in all_imports()} - set(sys.stdlib_module_names) - {"fhe"}
    assert imported == required & imported, f"imported and not in pyproject.toml: {imported - required}"
    assert imported == set(THIRD_PARTY), f"THIRD_PARTY and the imports differ: {imported ^ set(THIRD_PARTY)}"


def test_the_reference_computes_in_python_integers() -> None:
    numpy = {own(found.importer) for found in all_imports() if found.imported.startswith("numpy")}
    assert not numpy & {f"reference.{name}" for name in ("residue", "rns", "sampling", "loops")}


def test_the_front_page_holds_names_and_nothing_else() -> None:
    kinds = {type(node).__name__ for node in tree(ROOT / "fhe/__init__.py").body}
    assert kinds <= {"Expr", "ImportFrom", "Assign"}, f"fhe/__init__.py holds {kinds}; it is a table of contents"
    assert sorted(fhe.__all__) == fhe.__all__


@pytest.mark.parametrize("name", fhe.__all__)
def test_every_public_name_shows_an_example(name: str) -> None:
    docstring = getattr(fhe, name).__doc__ or ""
    assert ">>> " in docstring, f"fhe.{name} has no example in its docstring"


# --- C++ includes ----------------------------------------------------------------------------------------------------


def csrc(path_name: str) -> str:
    return path_name.removeprefix("csrc/")


def test_every_include_goes_down_the_graph() -> None:
    broken = []
    for path in files("csrc", *CPP_SUFFIXES):
        includer = unit(csrc(relative(path)), INCLUDES, "/")
        for header in included(path):
            if "/" not in header and not (ROOT / "csrc" / header).exists():
                continue  # a system header
            known = unit(header, INCLUDES, "/")
            if (ROOT / "csrc" / header).exists() and known != includer and known not in INCLUDES[includer].split():
                broken.append(
                    f"{relative(path)} includes {header}; {includer} may include: {INCLUDES[includer] or 'nothing'}"
                )
    assert not broken, "\n".join(broken)


def test_headers_include_each_other_in_one_direction() -> None:
    assert not cycle_of({csrc(relative(path)): included(path) for path in files("csrc", *CPP_SUFFIXES)})


@pytest.mark.parametrize(
    ("pattern", "folder"),
    [
        (r"\b_mm\d*_|\b__m\d{3}|immintrin\.h|arm_neon\.h|\bv\w+q_[us]\d\d\b", "csrc/simd"),
        (r"pybind11|\bPy[A-Z]\w+|Python\.h", "csrc/bindings"),
    ],
    ids=["intrinsics", "Python"],
)
def test_this_stays_in_its_folder(pattern: str, folder: str) -> None:
    paths = [path for path in files("csrc", *CPP_SUFFIXES) if not path.is_relative_to(ROOT / folder)]
    broken = [
        f"{relative(path)}:{number}: {line.strip()} belongs to {folder}/"
        for path in paths
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(pattern, line)
    ]
    assert not broken, "\n".join(broken)


def test_instruction_sets_are_regions_not_flags() -> None:
    assert not re.findall(r"-m(?:arch|avx|fma|bmi|sse|tune)\w*", (ROOT / "setup.py").read_text())


# --- sizes -----------------------------------------------------------------------------------------------------------


def too_long() -> dict[str, str]:
    """What is longer than its budget, by the name it has in LONGER."""
    found = {}
    for path in [path for path in tracked_files() if path.suffix in {".py", ".pyi", *CPP_SUFFIXES}]:
        if (lines := len(path.read_text().splitlines())) > FILE_LINES:
            found[relative(path)] = f"{lines} lines; a file has at most {FILE_LINES}"
        functions = cpp_functions(path) if path.suffix in CPP_SUFFIXES else python_functions(path)
        budget = KERNEL_LINES if path.suffix == ".inl" else FUNCTION_LINES
        for function in functions:
            if function.lines > budget:
                found[f"{relative(path)}:{function.name}"] = (
                    f"{function.lines} lines; a function has at most {budget} here"
                )
    return found


def test_files_and_functions_stay_short() -> None:
    found = too_long()
    broken = [f"{name}: {why}" for name, why in found.items() if name not in LONGER]
    assert not broken, "\n".join(broken)
    assert not LONGER.keys() - found.keys(), "exceptions that are no longer needed"


def test_the_scanner_of_functions_sees_them() -> None:
    names = {function.name for path in files("csrc/kernels", ".inl") for function in cpp_functions(path)}
    assert {"add", "ntt", "intt", "inner_product"} <= names
    names = {function.name for path in files("fhe", ".py") for function in python_functions(path)}
    assert {"choose", "__add__", "ntt"} <= names


# --- folders and words -----------------------------------------------------------------------------------------------


def source_folders() -> list[str]:
    folders = {path.parent for top in ("fhe", "csrc") for path in files(top, ".py", *CPP_SUFFIXES)}
    return sorted(relative(folder) for folder in folders)


@pytest.mark.parametrize("folder", [*source_folders(), "bench", "tests/mutations", "tests/vectors"])
def test_every_folder_says_what_it_is(folder: str) -> None:
    assert folder == "fhe" or (ROOT / folder / "README.md").exists(), f"{folder}/ has no README.md"
    if folder.startswith("fhe"):
        assert (ROOT / folder / "__init__.py").exists(), f"{folder}/ has no __init__.py: it would not be installed"


def test_the_source_speaks_of_itself_alone() -> None:
    unwanted = re.compile(
        "|".join([rf"\b{word}" for word in WORDS] + [re.escape(path) for path in PATHS]), re.IGNORECASE
    )
    broken = []
    for path in tracked_files():
        if path.suffix in BINARY or path.name == "LICENSE":
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if match := unwanted.search(ALLOWED_WORDS.sub("", line)):
                broken.append(f"{relative(path)}:{number}: {match[0]!r} in {line.strip()[:80]!r}")
    assert not broken, "\n".join(broken)
