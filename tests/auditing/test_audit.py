"""Audits see what is wrong, and only that: bounds made too small on purpose, promises that are not kept."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import fhe
from fhe.auditing.search import moved, uniform
from fhe.ckks.evaluator import CKKSEvaluator
from fhe.errors import EncodingError

SMALL: dict[str, Any] = {"ring_degree": 64, "insecure": "a small ring for tests"}
X, Y = np.linspace(-1, 1, 8), np.linspace(0.5, -0.5, 8)


def covariance(x: Any, y: Any) -> Any:
    return ((x - x.mean()) * (y - y.mean())).mean()


@pytest.fixture(scope="module")
def program() -> fhe.Program:
    return fhe.compile(covariance, fhe.spec(8, bound=1), fhe.spec(8, bound=1), precision=1e-3, **SMALL)


@pytest.fixture(scope="module")
def found(program: fhe.Program) -> fhe.Audit:
    return fhe.audit(program, X, Y)


def test_every_operation_has_a_record(found: fhe.Audit) -> None:
    assert found.ok
    assert [step.where for step in found.steps[:2]] == ["x", "y"]
    assert found.steps[-1].operation == "returned"
    assert found.error == found.steps[-1].error < 1e-3
    for step in found.steps:
        assert 0 < step.error <= step.bound
        assert step.expected < step.bound
        assert step.room_bits > 0
    assert any("np.subtract" in step.operation and "test_audit.py" in step.where for step in found.steps)
    levels = [step.level for step in found.steps]
    assert levels[0] == max(levels) > levels[-1] == 0


def test_the_worst_step_loses_the_most_bits(found: fhe.Audit) -> None:
    assert found.worst.lost_bits == max(step.lost_bits for step in found.steps) > 0


def test_records_are_plain_data(found: fhe.Audit) -> None:
    records = found.records()
    assert len(records) == len(found.steps)
    assert json.loads(json.dumps(records))[-1]["operation"] == "returned"


def test_a_bound_that_is_wrong_is_flagged(program: fhe.Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """A product that claims a millionth of its noise: it is flagged, and nothing before it."""
    right = CKKSEvaluator.multiply
    monkeypatch.setattr(
        CKKSEvaluator, "multiply", lambda self, x, y: (z := right(self, x, y)) and replace(z, noise=z.noise / 1e6)
    )
    found = fhe.audit(program, X, Y)
    assert not found.ok
    assert found.flagged[0].operation == "np.multiply" == found.worst.operation
    assert "the tracked bound is" in found.flagged[0].flags[0]
    assert "! off by" in str(found)


def test_a_promise_that_is_not_kept_is_flagged() -> None:
    def cosine(x: Any, y: Any) -> Any:
        return fhe.assume(x @ y, 1.0) ** 2

    unit = np.ones(8) / np.sqrt(8)
    program = fhe.compile(cosine, fhe.spec(8, bound=1), fhe.spec(8, bound=1), precision=1e-2, **SMALL)
    assert fhe.audit(program, unit, -unit).ok
    broken = fhe.audit(program, np.ones(8), unit)
    (step,) = [step for step in broken.flagged if step.operation == "fhe.assume"]
    assert step.flags == ("values from 2.82843 to 2.82843, assumed were -1 to 1",)
    assert fhe.audit(program, unit, unit, search=6).flagged


def test_values_that_leave_an_approximation_are_flagged() -> None:
    def root(x: Any) -> Any:
        return np.sqrt(fhe.assume(x, 0.5) + 1)

    program = fhe.compile(root, fhe.spec(8, bound=1), precision=1e-2, **SMALL)
    assert fhe.audit(program, X / 2).ok
    flags = [flag for step in fhe.audit(program, X).flagged for flag in step.flags]
    assert any("leave the interval (-0.5, 0.5)" in flag for flag in flags)


def test_what_is_too_near_to_decide_is_no_error() -> None:
    program = fhe.compile(
        lambda x: np.where(x > 0, x, -0.5), fhe.spec(8, bound=1), precision=0.05, ring_degree=64, insecure="for tests"
    )
    near = np.array([0.0, 1e-4, -1e-4, 0.5, -0.5, 1.0, -1.0, 2e-3])
    assert fhe.audit(program, near).ok


def test_exact_programs_are_exact() -> None:
    program = fhe.compile(lambda x: (x * x + x).sum(), fhe.spec(8, bound=9, dtype=int), **SMALL)
    found = fhe.audit(program, np.arange(8))
    assert found.ok
    assert found.exact
    assert found.error == 0
    for step in found.steps:
        assert step.budget_bits >= step.room_bits > 0
    assert fhe.audit(program, np.arange(8), search=3).error == 0


def test_a_search_finds_what_likely_inputs_do_not_show() -> None:
    """x^4 has the largest error where it is steepest: at the ends of what was promised."""
    program = fhe.compile(lambda x: x**4, fhe.spec(8, bound=4), precision=0.2, **SMALL)
    likely = fhe.audit(program, np.zeros(8))
    worse = fhe.audit(program, np.zeros(8), search=12, seed=3)
    assert worse.search is not None
    assert worse.search.runs == 12
    assert worse.error > 20 * likely.error
    assert worse.search.error > 20 * worse.search.first
    assert worse.ok
    assert all(np.abs(value).max() <= 4 for value in worse.inputs.values())


@pytest.mark.parametrize("kind", [{"bound": (-1, 3)}, {"bound": (0, 5), "dtype": int}, {"bound": 2, "kind": "complex"}])
def test_moves_keep_to_what_was_promised(kind: dict[str, Any]) -> None:
    specs, rng = {"x": fhe.spec((3, 4), **kind), "y": fhe.spec((), **kind)}, np.random.default_rng(1)
    place = uniform(specs, rng)
    changed = 0
    for _ in range(50):
        before = {name: value.copy() for name, value in place.items()}
        after = moved(specs, place, rng)
        assert all((place[name] == before[name]).all() for name in place)
        changed += any((after[name] != before[name]).any() for name in place)
        place = {name: specs[name].checked(value, name) for name, value in after.items()}
    assert changed > 25


def test_a_function_is_compiled_for_its_inputs() -> None:
    found = fhe.audit(lambda x, y: x * y, X, y=Y, precision=1e-2)
    assert found.ok
    assert "128-bit security" in found.parameters
    with pytest.raises(EncodingError, match="argument y of an audit is an array of numbers"):
        fhe.audit(lambda x, y: x * y, X, "three")


def test_arguments_are_each_given_once(program: fhe.Program) -> None:
    for arguments, named in (((X,), {}), ((X, Y, Y), {}), ((X, Y), {"x": X})):
        with pytest.raises(TypeError, match="takes the arguments x, y, each once"):
            fhe.audit(program, *arguments, **named)


def test_the_page_stands_alone(found: fhe.Audit, tmp_path: Path) -> None:
    found.save(tmp_path / "audit.html")
    page = (tmp_path / "audit.html").read_text(encoding="utf-8")
    svg = page[page.index("<svg") : page.index("</svg>") + 6]
    dots = [dot for dot in ElementTree.fromstring(svg).iter() if dot.tag.endswith("circle")]  # noqa: S314
    assert len(dots) == len(found.steps)
    assert "src=" not in page
    assert page.count("<tr") == len(found.steps) + 1
    assert found._repr_html_() in page
