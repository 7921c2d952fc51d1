"""Programs in files: what was written is read, and nothing that was not."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fhe
from fhe.errors import FHEError, FormatError
from fhe.io.format import Container
from fhe.programs.program import Program
from tests.profiles import quick
from tests.programs.functions import CASES, Case, cubic, logistic_score, whole_polynomial
from tests.programs.test_programs import IDS

SMALL = [next(case for case in CASES if case.function is f) for f in (cubic, logistic_score, whole_polynomial)]


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_what_is_read_is_what_was_written(case: Case) -> None:
    program = case.program()
    read = Program.from_bytes(program.to_bytes())
    assert read.to_bytes() == program.to_bytes()
    assert (read.specs, read.parameters, read.keys, read.precision) == (
        program.specs,
        program.parameters,
        program.keys,
        program.precision,
    )
    plain = case.arguments()
    for found, exact in zip(results(read.approximated(*plain)), results(program.approximated(*plain)), strict=True):
        assert np.array_equal(found, exact)


def results(returned: Any) -> list[Any]:
    returned = list(returned.values()) if isinstance(returned, dict) else returned
    return list(returned) if isinstance(returned, tuple | list) else [returned]


def test_files_and_pickles_of_nobody_are_needed(tmp_path: Path) -> None:
    program = SMALL[0].program()
    program.save(tmp_path / "cubic.fhe")
    read = fhe.load(tmp_path / "cubic.fhe")
    owner = read.keygen()
    x = SMALL[0].arguments()[0]
    assert np.max(np.abs(owner.decrypt(read(owner.encrypt(x))) - cubic(x))) < 1e-5


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of everything within a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, part in items for found in places(part, (*path, key)))]


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    value = copy.deepcopy(value)
    if not path:
        return new
    within = value
    for key in path[:-1]:
        within = within[key]
    within[path[-1]] = new
    return value


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 40),
    st.sampled_from([2**26, 2**40, 2**70, -(2**63)]),
    st.sampled_from(["", "x", "np.sum", "np.load", "fhe.exp", "getitem", "part np.split", "input", "\n"]),
    st.sampled_from(["nan", "inf", (1e300).hex(), (0.0).hex(), (-1.5).hex()]),
    st.sampled_from([{"float": "nan"}, {"node": 0}, {"node": 99}, {"tuple": []}, {"list": [{"node": 1}]}]),
    st.builds(lambda n: [1] * n, st.integers(0, 3)),
    st.just([[]]),
    st.just({}),
)


@settings(max_examples=quick(60), deadline=None)
@given(st.data())
def test_forged_fields_are_refused_or_mean_what_they_say(data: st.DataObject) -> None:
    """Whatever is changed, with a digest that is right: it is refused, or keeps its promise."""
    case = data.draw(st.sampled_from(SMALL))
    container = Container.from_bytes(case.program().to_bytes(), "program")
    content = json.loads(json.dumps(container.content))
    path = data.draw(st.sampled_from(places(content)))
    new = changed(content, path, data.draw(ODD))
    if not isinstance(new, dict):
        return
    forged = Container("program", new, container.sections).to_bytes()
    try:
        read = Program.from_bytes(forged)
    except FHEError:
        return
    assert read.to_bytes() == forged or "where" in str(path) or new == content
    assert read.precision is None or read.trial.precision >= -np.log2(read.precision)


BOMBS = [
    ("np.tile", [{"node": 0}, 2**26]),
    ("np.repeat", [{"node": 0}, 2**25]),
    ("np.broadcast_to", [{"node": 0}, {"tuple": [2**20, 1000]}]),
    ("np.outer", [{"node": 0}, {"node": 0}]),
    ("np.resize", [{"node": 0}, {"tuple": [2**26, 2]}]),
    ("np.einsum", ["i,j,k->ijk", {"node": 0}, {"node": 0}, {"node": 0}]),
    ("np.load", [{"node": 0}]),
    ("np.fromfile", [{"node": 0}]),
    ("function log1p exp", [{"node": 0}]),
    ("np.sum", []),
]


@pytest.mark.parametrize(("operation", "arguments"), BOMBS, ids=[name for name, _ in BOMBS])
def test_steps_that_are_too_large_or_not_there_are_refused_before_they_are_done(operation: str, arguments: Any) -> None:
    program = fhe.compile(lambda x: x + 1, fhe.spec(10_000, bound=1), precision=1e-2)
    container = Container.from_bytes(program.to_bytes(), "program")
    content = json.loads(json.dumps(container.content))
    content["nodes"][1] |= {"operation": operation, "arguments": {"tuple": arguments}, "keywords": {"dict": []}}
    with pytest.raises(FormatError):
        Program.from_bytes(Container("program", content, {}).to_bytes())


def test_a_promise_that_does_not_hold_is_refused() -> None:
    container = Container.from_bytes(SMALL[0].program().to_bytes(), "program")
    content = container.content | {"precision": (1e-9).hex()}
    with pytest.raises(FormatError, match="promises results within 1e-09, and keeps"):
        Program.from_bytes(Container("program", content, container.sections).to_bytes())
