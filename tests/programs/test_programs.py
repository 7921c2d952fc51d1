"""Programs of ordinary functions: results, promises, keys, and that nothing smaller would have done."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import fhe
from fhe.errors import EncodingError, MissingKeyError, ParameterError
from fhe.ml import LogisticRegression
from fhe.programs.dry import DryMachine
from fhe.programs.graph import Node
from fhe.programs.operations import evaluate
from fhe.rlwe.public import EvaluationKeys
from tests.programs.functions import CASES, Case, cubic, log_odds, network

IDS = [f"{number}-{case.name}" for number, case in enumerate(CASES)]


class Watched(EvaluationKeys):
    """Keys that note which of them are used."""

    __slots__ = ("used",)

    @classmethod
    def of(cls, keys: EvaluationKeys) -> Watched:
        watched = cls(keys.chain, keys.key_id, keys.relinearization, keys.galois)
        watched.used = {}
        return watched

    def require_relinearization(self) -> Any:
        self.used[0] = True
        return super().require_relinearization()

    def require_galois(self, element: int) -> Any:
        self.used[element] = True
        return super().require_galois(element)


def arrays(result: Any) -> Iterator[Any]:
    if isinstance(result, dict):
        result = tuple(result.values())
    yield from result if isinstance(result, tuple | list) else [result]


@pytest.fixture(params=CASES, ids=IDS)
def case(request: pytest.FixtureRequest) -> Case:
    return request.param


def test_a_server_computes_what_was_promised_with_just_the_keys_that_it_uses(case: Case) -> None:
    program = case.program()
    owner = program.keygen()
    server = fhe.Context.from_bytes(owner.public().to_bytes())
    plain = case.arguments()
    sent = program.encrypt(owner, *plain)
    sent = sent if isinstance(sent, tuple) else (sent,)
    received = [server.load(x.to_bytes()) if hasattr(x, "shards") else x for x in sent]
    server.evaluator.keys = watched = Watched.of(server.keys)
    replies = list(arrays(program(*received)))
    for reply, exact in zip(replies, arrays(program.clear(*plain)), strict=True):
        result = owner.decrypt(owner.load(reply.to_bytes()))
        assert result.shape == exact.shape
        if case.precision is None:
            assert np.array_equal(result, exact)
        elif case.name == "above_or_nothing":
            away = np.abs(plain[0] - 0.25) > 0.05  # comparisons of reals are right beyond their margin
            assert np.max(np.abs(result - exact)[away]) < case.precision
        else:
            assert reply.precision_bits >= -np.log2(case.precision)
            assert np.max(np.abs(result - exact)) < case.precision
    # What the dry run foretold is what the real one says of itself, to the last bit.
    for reply, foretold in zip(replies, program.trial.outputs, strict=True):
        assert reply.layout == foretold.layout
        for shard, known in zip(reply.shards, foretold.shards, strict=True):
            said, expected = ((x.level, x.degree, x.scale, x.bound, x.noise) for x in (shard, known))
            assert said == expected if hides_all(case) else said <= expected
    watched.used.clear()
    for reply in arrays(program(*received)):
        reply.to_bytes()
    assert set(watched.used) == set(program.keys)
    held = {element: key.level for element, key in server.keys.galois.items()}
    if server.keys.relinearization is not None:
        held[0] = server.keys.relinearization.level
    assert held == program.keys


def test_the_ring_is_the_smallest(case: Case) -> None:
    N = case.program().parameters.ring_degree
    if N > 4096:
        with pytest.raises(ParameterError):
            fhe.compile(case.function, *case.specs, ring_degree=N // 2, **_asked(case))


def hides_all(case: Case) -> bool:
    """Is no argument plain? The dry run takes plain ones to be as large as they may be."""
    return all(spec.encrypted for spec in case.specs)


def _asked(case: Case) -> dict[str, float]:
    return {} if case.precision is None else {"precision": case.precision}


@pytest.mark.parametrize("number", range(8))
def test_without_any_one_of_its_keys_a_program_does_not_begin(number: int) -> None:
    case = next(case for case in CASES if case.function is network)
    program = case.program()
    owner = program.keygen()
    x = owner.encrypt(*case.arguments())
    missing = list(program.keys)[number]
    server = owner.public()
    if missing:
        del server.keys.galois[missing]
    else:
        server.keys.relinearization = None
    with pytest.raises(MissingKeyError):
        program(server.load(x.to_bytes()))


def test_a_shorter_chain_or_a_smaller_scale_does_not_do() -> None:
    """One bit less of every scale misses the precision: the chain is as short as it can be."""
    program = next(case for case in CASES if case.function is cubic).program()
    parameters = program.parameters
    shorter = replace(
        parameters,
        levels=(),
        special=(),
        modulus_bits=[bits - 1 for bits in parameters.modulus_bits],
        scale_bits=parameters.scale_bits - 1,
    )
    trial = DryMachine(shorter).run(program.graph, program.specs)
    assert trial.precision < -np.log2(1e-5) <= program.trial.precision


# --- what programs say of themselves ---------------------------------------------------------------------------------


def test_a_simulation_is_as_far_from_the_truth_as_the_encrypted_result() -> None:
    """The expected error is an estimate of the worst case: real ones are smaller, never far larger."""
    case = next(case for case in CASES if case.function is cubic)
    program, plain = case.program(), case.arguments()
    owner = program.keygen()
    real = np.std(owner.decrypt(program(owner.encrypt(*plain))) - program.approximated(*plain))
    simulated = np.std(program.simulate(*plain, seed=1) - program.approximated(*plain))
    assert simulated / 30 < real < 3 * simulated
    assert np.array_equal(program.simulate(*plain, seed=2), program.simulate(*plain, seed=2))


def test_exact_programs_simulate_exactly() -> None:
    case = next(case for case in CASES if case.precision is None)
    assert np.array_equal(case.program().simulate(*case.arguments()), case.program().clear(*case.arguments()))


def test_an_explanation_says_what_there_is(case: Case, tmp_path: Path) -> None:
    program = case.program()
    text = program.explain(tmp_path / "page.html")
    assert program.parameters.summary() in text
    assert f"{len(program.keys)} evaluation key" in text
    assert all(name in text for name in program.specs)
    page = (tmp_path / "page.html").read_text()
    assert page == program.html()
    tree = ElementTree.fromstring(page.split("<body>")[1].join(["<body>", ""]).replace("</html>", ""))  # noqa: S314
    assert len(tree.findall(".//svg")) >= 3
    assert len(tree.findall(".//tbody/tr")) == len(program.trial.sights)
    assert not re.search(r"<script|https?:|<link|@import", page), "a page that stands alone"


# --- promises --------------------------------------------------------------------------------------------------------


def test_both_ends_of_a_bound_are_checked_where_values_are_encrypted() -> None:
    program = next(case for case in CASES if case.function is log_odds).program()
    owner = program.keygen()
    for values in ([0.05] * 50, [0.95] * 50, [-0.5] * 50):
        with pytest.raises(EncodingError, match="outside the public bounds"):
            owner.encrypt(values)
        with pytest.raises(EncodingError, match="promised between"):
            program.encrypt(owner, values)


def test_an_assumption_narrows_what_is_approximated_and_is_told() -> None:
    def narrowed(x: Any) -> Any:
        return np.log(fhe.assume(x.sum(), (1, 4)))

    program = fhe.compile(narrowed, fhe.spec(8, bound=1), precision=1e-3)
    assert "assumed, and nobody's promise but yours: of sum(x) values are from 1 to 4" in program.explain()
    owner, x = program.keygen(), np.full(8, 0.25)
    assert abs(owner.decrypt(program(owner.encrypt(x))) - np.log(2)) < 1e-3


def test_what_is_published_has_room_for_its_noise() -> None:
    program = fhe.compile(np.mean, fhe.spec(100, bound=1), precision=1e-2, publish=(8, 10))
    owner, x = program.keygen(), np.linspace(-1, 0.5, 100)
    assert abs(owner.decrypt_public(program(owner.encrypt(x))) + 0.25) < 1e-2
    assert owner.published == 1


def test_methods_of_models_are_functions() -> None:
    X = np.array([[-2.0, 1.0], [-1.0, 0.5], [1.0, -0.5], [2.0, 0.0]])
    model = LogisticRegression().fit(X, [0, 0, 1, 1])
    program = fhe.compile(model.predict_proba, fhe.spec((4, 2), bound=2), precision=1e-2)
    owner = program.keygen()
    assert np.max(np.abs(owner.decrypt(program(owner.encrypt(X))) - model.predict_proba(X))) < 1e-2


def test_every_value_can_be_watched() -> None:
    case = next(case for case in CASES if case.function is cubic)
    program, (x,) = case.program(), case.arguments()
    owner, seen = program.keygen(), {}

    def watch(number: int, node: Node, value: Any) -> None:
        if isinstance(value, fhe.EncryptedArray):
            seen[number] = owner.decrypt(value)

    program.run({"x": owner.encrypt(x)}, watch)
    assert set(seen) == set(program.trial.sights)

    def compare(number: int, node: Node, value: Any) -> None:
        if number in seen:
            assert np.max(np.abs(seen[number] - value)) < 2.0 ** -program.trial.sights[number].precision

    evaluate(program.graph, {"x": x}, compare)
