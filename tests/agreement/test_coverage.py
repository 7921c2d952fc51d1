"""Every operation of the seam has an agreement test that is named for it, and no test is named for anything else."""

import ast
from pathlib import Path

from fhe.backend.protocol import Backend

FOLDER = Path(__file__).parent
OTHER = {"test_coverage.py", "test_large_rings.py", "test_inner_loops.py"}

OPERATIONS = {name for name, member in vars(Backend).items() if callable(member) and not name.startswith("_")}


def agreement_tests() -> dict[str, ast.FunctionDef]:
    """The test functions of the other files, by the operation that they are named for."""
    files = [path for path in FOLDER.glob("test_*.py") if path.name not in OTHER]
    functions = [
        node for path in files for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)
    ]
    tests = [function for function in functions if function.name.startswith("test_")]
    by_name = {test.name.removeprefix("test_"): test for test in tests}
    assert len(by_name) == len(tests), "two tests are named for one operation"
    return by_name


def mentions(function: ast.FunctionDef, operation: str) -> bool:
    """Whether ``.operation`` or ``"operation"``, for `Machine.call`, occurs below a function."""
    names = {node.attr for node in ast.walk(function) if isinstance(node, ast.Attribute)}
    strings = {node.value for node in ast.walk(function) if isinstance(node, ast.Constant)}
    return operation in names | strings


def test_each_operation_has_its_agreement_test():
    assert len(OPERATIONS) > 30
    assert set(agreement_tests()) == OPERATIONS


def test_each_agreement_test_calls_its_operation():
    assert [name for name, test in agreement_tests().items() if not mentions(test, name)] == []
