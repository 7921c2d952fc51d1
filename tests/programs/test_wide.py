"""Programs of integers that no one plain modulus holds: several are chosen, and results are exact."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fhe
from fhe.errors import EncodingError, FormatError, ValueOverflowError

SMALL: dict[str, Any] = {"ring_degree": 512, "insecure": "a small ring for a test"}
WIDE = np.array([10**30, -(10**29), 7], dtype=object)
MATRIX = np.array([[2**40, 1, -3], [3, 2**41, 0]])


class Case(NamedTuple):
    """A function and what its arguments are."""

    function: Callable[..., Any]
    specs: tuple[fhe.Spec, ...]


def integers(bound: int, **named: Any) -> fhe.Spec:
    return fhe.spec(3, dtype=int, bound=bound, **named)


CASES = {
    "a square": Case(lambda x: x**2, (integers(10**12),)),
    "a scalar product": Case(lambda x, y: (x * y).sum() * 10**9 + 10**20, (integers(10**10), integers(10**4))),
    "beyond 64 bits from the start": Case(lambda x: 3 * x - 1, (integers(10**25),)),
    "plain ones": Case(lambda x, w: x @ w + (w * w).sum(), (integers(10**6), integers(2**40, encrypted=False))),
    "factors that meet": Case(lambda x: (MATRIX @ x) * 2**30, (integers(2),)),
    "a constant": Case(lambda x: x[::-1] + WIDE, (integers(5),)),
    "a choice": Case(lambda x, y: np.where(x > y, x * 10**17, y), (integers(2), integers(2))),
    "moves": Case(lambda x: {"sums": np.cumsum(x) * 10**16, "both": np.stack([x, x * 10**15])}, (integers(100),)),
}  # fmt: skip


@pytest.fixture(scope="module", params=CASES)
def planned(request: pytest.FixtureRequest) -> tuple[Callable[..., Any], fhe.Program, fhe.KeyOwner]:
    """A function, its program, and keys for it."""
    function, specs = CASES[request.param]
    program = fhe.compile(function, *specs, **SMALL)
    return function, program, program.keygen()


def assert_same(found: Any, expected: Any) -> None:
    if isinstance(expected, dict):
        for name, part in expected.items():
            assert_same(found[name], part)
    else:
        assert np.asarray(found).tolist() == np.asarray(expected).tolist()


@settings(max_examples=5)
@given(st.data())
def test_results_are_those_of_python_integers(planned: Any, data: st.DataObject) -> None:
    function, program, owner = planned
    values = []
    for spec in program.specs.values():
        ends = st.sampled_from([int(spec.low), int(spec.high), 0, 1])
        numbers = st.lists(ends | st.integers(int(spec.low), int(spec.high)), min_size=3, max_size=3)
        values.append(np.array(data.draw(numbers), dtype=object if spec.wide else np.int64))
    sent = program.encrypt(owner, *values)
    result = program(*(sent if isinstance(sent, tuple) else (sent,)))
    expected = function(*(value.astype(object) for value in values))
    assert_same(program.decrypt(owner, result), expected)
    assert_same(program.clear(*values), expected)


def test_it_is_planned_stored_and_explained_as_any_other(planned: Any) -> None:
    _, program, owner = planned
    assert isinstance(program.parameters, fhe.WideBFVParameters)
    again = fhe.Program.from_bytes(program.to_bytes())
    assert (again.parameters, again.keys, again.specs) == (program.parameters, program.keys, program.specs)
    assert "results are exact" in program.explain()
    values = [np.array([1, 0, -1], dtype=object if spec.wide else int) for spec in program.specs.values()]
    sent = program.encrypt(owner, *values)
    sent = sent if isinstance(sent, tuple) else (sent,)
    server = owner.public()
    carried = [server.load(x.to_bytes()) if isinstance(x, fhe.WideArray) else x for x in sent]
    result = again(*carried)
    reply = {name: x.to_bytes() for name, x in result.items()} if isinstance(result, dict) else result.to_bytes()
    assert_same(again.decrypt(owner, reply), program.clear(*values))


def test_one_modulus_is_taken_as_long_as_it_holds() -> None:
    for bits, kind in ((22, fhe.BFVParameters), (26, fhe.WideBFVParameters)):
        program = fhe.compile(lambda x: x * x, fhe.spec(2, dtype=int, bound=2**bits), **SMALL)
        assert type(program.parameters) is kind


def test_what_is_too_wide_or_not_promised_is_refused() -> None:
    with pytest.raises(ValueOverflowError, match=r"2\^642 integers"):
        fhe.compile(lambda x: x**16, fhe.spec(2, dtype=int, bound=2**40), **SMALL)
    program = fhe.compile(lambda x: 9 * x, fhe.spec(2, dtype=int, bound=10**25), **SMALL)
    owner = program.keygen()
    with pytest.raises(EncodingError, match="promised between"):
        program.encrypt(owner, np.array([10**25 + 1, 0], dtype=object))
    with pytest.raises(EncodingError, match="not an integer"):
        program.encrypt(owner, np.array([0.5, 0], dtype=object))
    with pytest.raises(EncodingError, match="may hold values"):
        program(owner.encrypt(np.array([1, 2]), bound=2 * 10**25))
    x = owner.encrypt(np.array([1, 2]), bound=10**25)
    with pytest.raises(TypeError, match="pass it as an argument"):
        fhe.compile(lambda y: y + x, fhe.spec(2, dtype=int, bound=1), **SMALL)


def test_files_with_other_integers_than_these_are_refused() -> None:
    program = fhe.compile(lambda x: x + WIDE, integers(5), **SMALL)
    data = program.to_bytes()
    assert hex(10**30).encode() in data
    with pytest.raises(FormatError):
        fhe.Program.from_bytes(data.replace(hex(10**30).encode(), hex(10**30).upper().encode()))
