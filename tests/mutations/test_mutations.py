"""Every mutant is noticed by a test (wide), every anchor still fits the source, and the record forgets what changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.codebase import ROOT
from tests.mutations.mutant import ANY, Mutant
from tests.mutations.mutants import EQUIVALENT, MUTANTS
from tests.mutations.mutate import RECORD, verdicts
from tests.mutations.record import FAILURES, SURVIVED, Record, Verdict, table


def test_every_anchor_is_one_line_of_the_source() -> None:
    stale = [str(mutant) for mutant in MUTANTS if not mutant.fits(ROOT)]
    assert not stale, "lines that changed; look whether their mutants still say something:\n" + "\n".join(stale)


def test_there_are_many_mutants() -> None:
    assert len({mutant.before for mutant in MUTANTS}) >= 60
    assert len({mutant.path for mutant in MUTANTS}) >= 20
    assert EQUIVALENT.keys() <= set(MUTANTS)


def test_a_mutant_names_tests_that_exist() -> None:
    missing = {name for mutant in MUTANTS for name in mutant.files if not (ROOT / name).exists()}
    assert not missing


def test_a_verdict_holds_for_one_state_of_source_and_tests(tmp_path: Path) -> None:
    source, tests = tmp_path / "sum.py", tmp_path / "test_sum.py"
    source.write_text("x + y")
    tests.write_text("check(x + y)")
    mutant = Mutant("sum.py", "x + y", "x - y", "test_sum", ("test_sum.py",), ANY)
    state, record = mutant.state(tmp_path), Record(tmp_path / "record.json")
    record.add(state, Verdict(str(mutant), SURVIVED, 1.0))
    assert Record(record.path).get(state) == record.get(state)
    for changed in (source, tests):
        changed.write_text(changed.read_text() + "  # changed")
        assert Record(record.path).get(mutant.state(tmp_path)) is None
        state = mutant.state(tmp_path)
    counts = table([Verdict("a.py: x", SURVIVED, 1.0), Verdict("a.py: y", "its tests", 2.0)])
    assert counts.split()[-5:] == ["all", "1", "0", "1", "3"]


@pytest.mark.wide
def test_every_mutant_is_noticed() -> None:
    tried = verdicts([mutant for mutant in MUTANTS if mutant.runs_here()], Record(RECORD))
    alive = [str(verdict) for _, verdict in tried if verdict.found in FAILURES]
    assert not alive, "\n".join(alive)
