"""Every mutant is noticed by a test (wide), and every anchor still fits the source (always)."""

from __future__ import annotations

import pytest

from tests.codebase import ROOT
from tests.mutations.mutants import EQUIVALENT, MUTANTS
from tests.mutations.mutate import survivors


def test_every_anchor_is_one_line_of_the_source() -> None:
    stale = [str(mutant) for mutant in MUTANTS if not mutant.fits(ROOT)]
    assert not stale, "lines that changed; look whether their mutants still say something:\n" + "\n".join(stale)


def test_there_are_many_mutants() -> None:
    assert len({mutant.before for mutant in MUTANTS}) >= 60
    assert len({mutant.path for mutant in MUTANTS}) >= 20
    assert EQUIVALENT.keys() <= set(MUTANTS)


@pytest.mark.wide
def test_every_mutant_is_noticed() -> None:
    alive = survivors([mutant for mutant in MUTANTS if mutant.runs_here()])
    assert not alive, "\n".join(str(mutant) for mutant in alive)
