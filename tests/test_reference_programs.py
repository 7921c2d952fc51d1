"""Published programs, compiled: no ring is larger than the one its expert chose, no result less precise."""

from __future__ import annotations

import pytest

from bench.reference_programs import FILE, references
from fhe.examples.reference import Reference

HARDER = {"4 (x^2 + 1) (x + 1)^2"}  # gives the integer, where the original wraps modulo 1024
LARGE = {"LoLa", "CryptoNets", "convolution on MNIST"}
ALL = [
    pytest.param(found, id=found.name, marks=[pytest.mark.wide] if found.name in LARGE else [])
    for found in references()
]


@pytest.mark.parametrize("reference", ALL)
def test_compiled_beside_its_expert(reference: Reference) -> None:
    program, expert = reference.compile(), reference.expert
    parameters = program.parameters
    assert parameters.security >= 128
    assert not parameters.insecure
    assert parameters.ring_degree <= expert.ring_degree * (2 if reference.name in HARDER else 1)
    error = reference.run(program.keygen(), program)
    if program.precision is None:
        assert error == 0
    else:
        assert error <= 2.0**-program.trial.precision <= reference.precision
    if (owner := expert.owner()) is not None:
        assert error <= 1.5 * reference.run(owner, reference.function)  # one draw of noise beside another


def test_the_page_tells_of_all_and_their_rings() -> None:
    rows = [line.split(" | ") for line in FILE.read_text().splitlines() if line.startswith("| ")][1:]
    found = {cells[0].removeprefix("| "): int(cells[5]) for cells in rows}
    assert list(found) == [reference.name for reference in references()]
    for reference in references():
        if reference.name not in LARGE:
            assert found[reference.name] == reference.compile().parameters.ring_degree
