"""The source as data: who imports whom, how long each function is, which files are tracked."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
CPP_SUFFIXES = {".cpp", ".hpp", ".inl"}
BUILT = {"build", "dist", "results", "__pycache__"}
BINARY = {".npz", ".npy", ".png", ".safetensors", ".so"}


class Import(NamedTuple):
    """``importer`` (dotted, without the leading ``fhe.``) imports ``imported`` at ``where`` (path:line)."""

    importer: str
    imported: str
    where: str


class Function(NamedTuple):
    """A function and its length in lines; a Python docstring does not count."""

    path: str
    name: str
    lines: int


@cache
def tracked_files() -> list[Path]:
    """What is under version control, or would be: everything that is neither ignored nor built."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listing.returncode == 0 and listing.stdout:
        paths = [ROOT / line for line in listing.stdout.splitlines()]
    else:  # an unpacked archive
        paths = [path for path in ROOT.rglob("*") if not is_built(path.relative_to(ROOT))]
    return sorted(path for path in paths if path.is_file())


def is_built(path: Path) -> bool:
    return any(part in BUILT or part.startswith(".") for part in path.parts)


def files(folder: str, *suffixes: str) -> list[Path]:
    """The tracked files below a folder of the project with one of these suffixes."""
    return [path for path in tracked_files() if path.suffix in suffixes and path.is_relative_to(ROOT / folder)]


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# --- Python ---------------------------------------------------------------------------------------------------------


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def module_name(path: Path) -> str:
    """``fhe/rlwe/secret.py`` is ``fhe.rlwe.secret``, ``fhe/io/__init__.py`` is ``fhe.io``."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> Iterator[Import]:
    """Every import of a file, wherever it stands: in a function or under ``if TYPE_CHECKING`` too."""
    importer = module_name(path)
    package = importer if path.name == "__init__.py" else importer.rpartition(".")[0]
    for node in ast.walk(tree(path)):
        for imported in _imported(node, package):
            yield Import(importer, imported, f"{relative(path)}:{getattr(node, 'lineno', 0)}")


def _imported(node: ast.AST, package: str) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(module=module, names=names, level=level):
            base = ".".join(package.split(".")[: len(package.split(".")) - level + 1]) if level else ""
            source = ".".join(part for part in (base, module) if part)
            for alias in names:  # `from fhe.rlwe import codec` is about the module fhe.rlwe.codec
                yield f"{source}.{alias.name}" if _is_module(f"{source}.{alias.name}") else source
        case ast.Call(func=ast.Name(id="import_module" | "__import__"), args=[ast.Constant(value=str(name)), *_]):
            yield name
        case ast.Call(func=ast.Attribute(attr="import_module"), args=[ast.Constant(value=str(name)), *_]):
            yield name


def _is_module(dotted: str) -> bool:
    path = ROOT.joinpath(*dotted.split("."))
    return dotted == "fhe._core" or path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def python_functions(path: Path) -> Iterator[Function]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            if ast.get_docstring(node, clean=False) is not None:
                lines -= (node.body[0].end_lineno or 0) - node.body[0].lineno + 1
            yield Function(relative(path), node.name, lines)


# --- C++ --------------------------------------------------------------------------------------------------------------

_NOISE = re.compile(
    r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'|^[ \t]*#(?:\\\n|[^\n])*', re.DOTALL | re.MULTILINE
)
_ATTRIBUTE = re.compile(r"__attribute__\s*\(\(.*?\)\)|\bFHE_\w+(\([^()]*\))?|\[\[.*?\]\]")
_NOT_A_FUNCTION = re.compile(
    r"(template\s*<.*>\s*)?(inline\s+)?(namespace|struct|class|enum|union|extern|if|for|while|switch|do|else|try)\b",
    re.DOTALL,
)


def code_only(source: str) -> str:
    """C++ without comments, literals and preprocessor lines, every line where it was."""
    return _NOISE.sub(lambda match: "\n" * match[0].count("\n"), source)


def included(path: Path) -> list[str]:
    """The headers a C++ file includes, quoted ones relative to ``csrc/``."""
    headers = []
    for quoted, system in re.findall(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)', path.read_text(), re.MULTILINE):
        if system:
            headers.append(system)
            continue
        beside, below = path.parent / quoted, ROOT / "csrc" / quoted
        found = beside if beside.exists() else below
        headers.append(found.resolve().relative_to(ROOT / "csrc").as_posix())
    return headers


def cpp_functions(path: Path) -> Iterator[Function]:
    """The outermost brace blocks that follow a parameter list; a lambda counts with the function around it."""
    code = code_only(path.read_text())
    name, start, header_from, depth = "", 0, 0, 0
    for match in re.finditer(r"[{};]", code):
        if depth:  # inside a function: wait for its last brace
            depth += {"{": 1, "}": -1, ";": 0}[match[0]]
            if not depth:
                yield Function(relative(path), name, code.count("\n", start, match.start()) + 1)
        else:
            header = code[header_from : match.start()]
            name = _function_name(header) if match[0] == "{" else ""
            start, depth = match.start() - len(header.lstrip()), 1 if name else 0
        header_from = match.end()


def _function_name(header: str) -> str:
    """The name in front of the first parameter list of a declaration, or "" if this is none."""
    header = _ATTRIBUTE.sub("", header).strip()
    if _NOT_A_FUNCTION.match(header) or header.endswith("="):
        return ""
    named = re.search(r"(operator\s*\S+?|~?\w+)\s*\(", header)
    return named[1] if named else ""
