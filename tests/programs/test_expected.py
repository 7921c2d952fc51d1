"""What a predicted time is made of: calls that really happen, distances that grow with what lies between, and words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fhe
from fhe import costs
from fhe.backend.choose import choose
from fhe.costs import FIRST, Run, Seam
from fhe.ml import Conv2d, ConvNet, Flatten, Linear, Square
from fhe.ml.learning import drawn
from fhe.programs import expected
from fhe.programs.dry import DryMachine

FREE = {"limbs", "view", "zeros", "join", "load", "to_natural", "from_natural"}  # views and copies, not counted
NOT_CALLS = {"encode", "look-up", "arrange"}


class Recorder:
    """The native backend, which notes what it is asked for."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.real: Any = choose("native")

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.real, name)
        if name in {"name", "target", "basis", "secret_words"}:
            return found

        def noted(*arguments: Any) -> Any:
            self.calls[name] += 1
            return found(*arguments)

        return noted

    def during(self, call: Callable[[], Any]) -> Counter[str]:
        """What one call asks for."""
        self.calls.clear()
        call()
        return Counter({name: count for name, count in self.calls.items() if name not in FREE})


def counted(run: Run) -> Counter[str]:
    return Counter({name: count for name, count in run.counts().items() if name not in NOT_CALLS})


def stencil(x: Any) -> Any:
    return (np.roll(x, 1, axis=0) - np.roll(x, -1, axis=1)) * x + 0.5


def weighted(x: Any) -> Any:
    return np.linspace(-1, 1, 64).reshape(8, 8) @ x


def scaled(x: Any) -> Any:
    return (x * np.arange(8) + x * 3).sum()


@pytest.mark.parametrize(
    ("function", "spec"),
    [
        (stencil, fhe.spec((8, 8), bound=1)),
        (weighted, fhe.spec(8, bound=1)),
        (scaled, fhe.spec(8, bound=1)),
        (scaled, fhe.spec(8, dtype=int, bound=9)),
        (fhe.sigmoid, fhe.spec(8, bound=2)),
        (lambda x: x * x * x, fhe.spec(8, dtype=int, bound=9)),
    ],
)
def test_what_is_counted_is_what_runs(function: Callable[..., Any], spec: fhe.Spec) -> None:
    pytest.importorskip("fhe._core")
    program, recorder = fhe.compile(function, spec), Recorder()
    server = program.keygen(backend=recorder).public()
    x = program.encrypt(server, np.ones(spec.shape, dtype=int if spec.kind == "integer" else float))
    first, again = (recorder.during(lambda: program(x)) for _ in range(2))
    tally = program.trial.tally
    assert again == counted(tally.run)
    assert set(first - again) <= {"ntt", "reduce", "mul_scalar", "intt", "add"}  # what encodes
    assert (sum(first.values()) > sum(again.values())) == bool(tally.encoding.calls)


def test_networks_are_counted_as_they_run() -> None:
    pytest.importorskip("fhe._core")
    generator = np.random.default_rng(1)
    shape, layers = (1, 6, 6), [Conv2d(2, 3), Square(), Flatten(), Linear(3)]
    model = ConvNet.of(drawn(layers, shape, generator), shape).approximate(generator.uniform(0, 1, (9, *shape)))
    recorder = Recorder()
    owner = fhe.KeyOwner(model.parameters(ring_degree=1024, insecure="only its calls are counted"), recorder)
    model.encode(owner)
    runs = {packing: model._encrypted().run(owner.parameters, packing) for packing in ("latency", "throughput")}
    images = generator.uniform(0, 1, (2, *shape))
    for packing in ("latency", "throughput"):
        x = model.encrypt(owner, images[:1] if packing == "latency" else images, packing=packing)
        model.decision_function(x)
        found, said = recorder.during(lambda x=x: model.decision_function(x)), counted(runs[packing])
        for name in ("tensor", "switch_down", "key_switch", "key_product", "divide_round_eval", "inner_products"):
            assert found[name] == said[name], (packing, name)
    text = model.explain(owner.parameters)
    assert f"weights encoded before; {expected.where()}" in text


# --- distances -------------------------------------------------------------------------------------------------------


def switched(limbs: int, machine: costs.Machine) -> Any:
    return Seam(2**13, machine).key_switch([46] * limbs, 1, 1)


def run_of(keys: list[int], nbytes: float = 2e6, digits: int = 3) -> Run:
    """Key switchings one after the other, by these keys."""
    run = Run()
    for key in keys:
        run.add("key_switch", switched, (4,), [(5e5, run.passed)], steps=1, key=(key, digits, nbytes))
    return run


@given(st.lists(st.integers(0, 20), min_size=1, max_size=30))
def test_more_costs_more(keys: list[int]) -> None:
    run = run_of(keys)
    warm, cold = run.cycles(), run.cycles(cold=True)
    assert 0 < warm <= cold
    assert run_of([*keys, keys[0]]).cycles() > warm
    assert run_of(keys, nbytes=4e6).cycles() >= warm
    assert run_of([keys[0]] * len(keys)).cycles() <= warm  # one key stays near
    assert [run.cycles(threads=threads) for threads in (1, 2, 4)] == sorted(
        (run.cycles(threads=threads) for threads in (1, 2, 4)), reverse=True
    )
    assert sum(run.each()) == pytest.approx(warm)


def test_a_key_that_was_used_long_ago_comes_from_memory() -> None:
    """20 keys of 2 MB in turn are more than any cache: each costs its bytes from memory, and one alone does not."""
    many, one = run_of(list(range(20)) * 2), run_of([0] * 40)
    assert many.calls[-1].uses[-1].distance > 19 * 2e6
    extra = many.cycles() - one.cycles()
    assert extra == pytest.approx(40 * 2e6 * costs.ZEN5.memory, rel=0.2)


def test_a_key_for_a_higher_level_is_read_with_what_lies_between() -> None:
    run = run_of([0] * 10 + [1] * 10)
    for made in (0, 1):
        run.digits[made] = 6
    assert run.cycles() > run_of([0] * 10 + [1] * 10).cycles()
    low, high = (costs.rotation(2**15, [40] * 3, [43] * 5, 5, made=made) for made in (0, 3))
    assert high > low


def test_what_was_never_used_comes_from_a_run_before() -> None:
    """Repeated, it is as far as a whole run is long; after other work, farther than any cache."""
    run = Run()
    run.add("key_switch", switched, (4,), [(1e6, FIRST)])
    near = run.cycles()
    run.passed = 1e9
    assert near < run.cycles() < run.cycles(cold=True)


def test_counts_of_a_run_are_counts_of_prices() -> None:
    """So whole programs can take part in a fit."""
    run = run_of([0, 1, 2, 0])
    for cold in (False, True):
        counts = run.cycles(costs.counting(costs.ZEN5), cold=cold)
        prices = [getattr(costs.ZEN5, name) for name in costs.PRICES]
        assert run.cycles(cold=cold) == pytest.approx(float(np.dot(counts, prices)))


def test_turns_are_repeated() -> None:
    turn, whole = run_of([0, 1]), Run()
    whole.repeat(turn, 3)
    assert len(whole.calls) == 6
    assert turn.cycles() * 3 == pytest.approx(whole.cycles(), rel=0.2)
    assert whole.digits == turn.digits


# --- words -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def one_thread() -> Iterator[None]:
    before = fhe.num_threads()
    fhe.set_num_threads(1)
    yield
    fhe.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
def test_a_prediction_says_what_it_assumes() -> None:
    pytest.importorskip("fhe._core")
    program = fhe.compile(fhe.sigmoid, fhe.spec(8, bound=2))
    alone = program.explain()
    fhe.set_num_threads(2)
    together = program.explain()
    assert f"after other work; 1 thread of a {costs.ZEN5.name}" in alone
    assert "after other work; 2 threads of" in together
    assert alone != together


def test_nodes_share_the_time_of_a_program() -> None:
    program = fhe.compile(stencil, fhe.spec((8, 8), bound=1))
    run = DryMachine(program.parameters).run(program.graph, program.specs).tally.run
    assert run.cycles() == program.trial.cycles
    assert sum(cycles for _, cycles in fhe.programs.explain.times(program)) <= program.trial.cycles * (1 + 1e-9)
