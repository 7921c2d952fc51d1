"""The error that CKKS tracks is never exceeded: whatever the values, the operations, the levels and the scales."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fhe.backend.choose import choose
from fhe.circuits import linear
from fhe.ckks import precision
from fhe.ckks.evaluator import CKKSEvaluator
from fhe.errors import FHEError, LevelError, ScaleError
from fhe.owner import KeyOwner
from fhe.parameters import CKKSParameters
from fhe.rlwe.ciphertext import Ciphertext
from tests.schemes.owners import CKKS, INSECURE, shared_owner
from tests.strategies import SEEDS

Exact = NDArray[np.clongdouble]


def chain(scale_bits: int, depth: int, base: int, special: Sequence[int], ring_degree: int = 32) -> CKKSParameters:
    return CKKSParameters(
        ring_degree=ring_degree,
        modulus_bits=[base] + [scale_bits] * depth,
        special_bits=special,
        scale_bits=scale_bits,
        insecure=INSECURE,
    )


CHAINS = {
    "40 bits": CKKS,
    "28 bits": chain(28, 4, 40, [30, 30]),
    "50 bits": chain(50, 3, 60, [50]),
    "64 bits, two primes a level": chain(64, 3, 74, [46, 46]),
    "80 bits, two primes a level": chain(80, 2, 90, [46, 46]),
    "40 bits, N = 2048": chain(40, 4, 46, [46, 46], ring_degree=2048),
}
PARTIES = [
    (name, backend) for name in CHAINS for backend in ("native", "reference") if name[-1] != "8" or backend[0] == "n"
]


@pytest.fixture(scope="session", params=PARTIES, ids=[f"{name}-{backend}" for name, backend in PARTIES])
def party(request: pytest.FixtureRequest) -> KeyOwner:
    name, backend = request.param
    return shared_owner(CHAINS[name], choose(backend))


def evaluator_of(owner: KeyOwner) -> CKKSEvaluator:
    evaluator = owner.evaluator
    assert isinstance(evaluator, CKKSEvaluator)
    return evaluator


# --- values, public bounds, and what must come of them ---------------------------------------------------------------


def _one_hot(rng: np.random.Generator, slots: int) -> NDArray[Any]:
    return np.eye(1, slots, int(rng.integers(slots)))[0]


INPUTS: dict[str, Callable[[np.random.Generator, int], NDArray[Any]]] = {
    "random": lambda rng, n: rng.uniform(-1, 1, n),
    "complex": lambda rng, n: rng.uniform(0, 1, n) * np.exp(2j * np.pi * rng.random(n)),
    "equal": lambda rng, n: np.full(n, rng.choice([1.0, -1.0, 1 / 3])),
    "at the bound": lambda rng, n: rng.choice([-1.0, 1.0], n),
    "alternating": lambda rng, n: np.resize([1.0, -1.0], n),
    "one hot": _one_hot,
    "zero": lambda rng, n: np.zeros(n),
    # Rounded to nothing: every coefficient is just below 1/2 and all of it is lost, in one slot.
    "lost": lambda rng, n: _one_hot(rng, n) * 0.49 * n * 2.0**-40,
    "ramp": lambda rng, n: np.linspace(-1, 1, n),
}
KINDS = st.sampled_from(sorted(INPUTS))


@dataclass(frozen=True)
class Pair:
    """A ciphertext and the exact values it stands for."""

    x: Ciphertext
    exact: Exact


def encrypted(owner: KeyOwner, kind: str, seed: int, symmetric: bool, bound: float = 1.0) -> Pair:
    values = INPUTS[kind](np.random.default_rng(seed), owner.parameters.ring_degree // 2) * bound
    (x,) = owner.encrypt(values, bound=bound, symmetric=symmetric).shards
    return Pair(x, values.astype(np.clongdouble))


def error_of(owner: KeyOwner, pair: Pair) -> NDArray[np.longdouble]:
    found = evaluator_of(owner).decode(owner._secret.decrypt(pair.x), pair.x)
    return np.abs(found.astype(np.clongdouble) - pair.exact)


def assert_within(owner: KeyOwner, pair: Pair) -> None:
    allowed = 2.0 ** -evaluator_of(owner).precision_bits(pair.x)
    assert float(error_of(owner, pair).max()) <= allowed
    assert float(np.abs(pair.exact).max()) <= pair.x.bound * (1 + 1e-12)


# --- random expressions ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """One operation: its name, which earlier results it takes, and what it draws."""

    name: str
    first: int
    second: int
    kind: str
    seed: int

    @property
    def rng(self) -> np.random.Generator:
        return np.random.default_rng(self.seed)


def _plain(step: Step, a: Pair) -> NDArray[Any]:
    return INPUTS[step.kind](step.rng, len(a.exact)) * step.rng.choice([0.3, 1.0, 5.0])


def _number(step: Step) -> float:
    return float(step.rng.choice([0.1, -1 / 3, 2.0, -7.0, 0.0, 1e-6, 2.5]))


def _matrix(step: Step) -> NDArray[Any]:
    return step.rng.uniform(-1, 1, (4, 6)) * step.rng.choice([0.0, 1.0], (4, 6))


def _times_matrix(e: CKKSEvaluator, a: Pair, step: Step) -> Pair:
    matrix = _matrix(step)
    y, exact = linear.matrix_vector(e, matrix, a.x, zero_padded=False), np.zeros_like(a.exact)
    exact[:4] = matrix @ a.exact[:6]
    return Pair(y, exact)


OPERATIONS: dict[str, Callable[[CKKSEvaluator, Pair, Pair, Step], Pair]] = {
    "add": lambda e, a, b, s: Pair(e.add(a.x, b.x), a.exact + b.exact),
    "double": lambda e, a, b, s: Pair(e.add(a.x, a.x), a.exact * 2),
    "subtract": lambda e, a, b, s: Pair(e.sub(a.x, b.x), a.exact - b.exact),
    "negate": lambda e, a, b, s: Pair(e.negate(a.x), -a.exact),
    "multiply": lambda e, a, b, s: Pair(e.multiply(a.x, b.x), a.exact * b.exact),
    "square": lambda e, a, b, s: Pair(e.square(a.x), a.exact * a.exact),
    "times plain": lambda e, a, b, s: Pair(e.multiply_plain(a.x, _plain(s, a)), a.exact * _plain(s, a)),
    "plus plain": lambda e, a, b, s: Pair(e.add_plain(a.x, _plain(s, a)), a.exact + _plain(s, a)),
    "times number": lambda e, a, b, s: Pair(e.multiply_plain(a.x, _number(s)), a.exact * np.longdouble(_number(s))),
    "times i": lambda e, a, b, s: Pair(e.multiply_plain(a.x, s.seed % 3 - 1 - 2j), a.exact * (s.seed % 3 - 1 - 2j)),
    "plus number": lambda e, a, b, s: Pair(e.add_plain(a.x, _number(s)), a.exact + np.longdouble(_number(s))),
    "rotate": lambda e, a, b, s: Pair(e.rotate(a.x, 1 + s.seed % 3), np.roll(a.exact, -1 - s.seed % 3)),
    "conjugate": lambda e, a, b, s: Pair(e.conjugate(a.x), a.exact.conj()),
    "settle": lambda e, a, b, s: Pair(e.settle(a.x), a.exact),
    "lower": lambda e, a, b, s: Pair(e.adjust(e.settle(a.x), max(e.settle(a.x).level - 1, 0)), a.exact),
    "drop limbs": lambda e, a, b, s: Pair(e.settle(a.x).at_level(e.settle(a.x).level // 2), a.exact),
    "sum": lambda e, a, b, s: Pair(linear.inner_sum(e, a.x, 4), sum(np.roll(a.exact, -k) for k in range(4))),
    "matrix": lambda e, a, b, s: _times_matrix(e, a, s),
}


@st.composite
def expressions(draw: st.DrawFn) -> list[Step]:
    names = st.sampled_from(sorted(OPERATIONS))
    build = st.builds(Step, name=names, first=st.integers(0, 9), second=st.integers(0, 9), kind=KINDS, seed=SEEDS)
    return draw(st.lists(build, min_size=1, max_size=10))


@given(kinds=st.tuples(KINDS, KINDS), symmetric=st.booleans(), seed=SEEDS, steps=expressions())
def test_no_accepted_expression_is_further_off_than_tracked(
    party: KeyOwner, kinds: tuple[str, str], symmetric: bool, seed: int, steps: list[Step]
) -> None:
    """What would leave the range of the modulus, or the levels, is refused instead."""
    evaluator = evaluator_of(party)
    pairs = [encrypted(party, kind, seed + i, symmetric) for i, kind in enumerate(kinds)]
    for step in steps:
        a, b = pairs[step.first % len(pairs)], pairs[step.second % len(pairs)]
        try:
            pairs.append(OPERATIONS[step.name](evaluator, a, b, step))
        except FHEError as refusal:
            assert isinstance(refusal, LevelError | ScaleError)  # noqa: PT017  (any refusal but these is wrong)
            continue
        assert_within(party, pairs[-1])


# --- how near the bound is --------------------------------------------------------------------------------------------

LARGE = CHAINS["40 bits, N = 2048"]
COMPUTATIONS: dict[str, Callable[[CKKSEvaluator, Pair, Pair], Pair]] = {
    "fresh": lambda e, a, b: a,
    "sum": lambda e, a, b: Pair(e.add(a.x, b.x), a.exact + b.exact),
    "product": lambda e, a, b: Pair(e.multiply(a.x, b.x), a.exact * b.exact),
    "settled product": lambda e, a, b: Pair(e.settle(e.multiply(a.x, b.x)), a.exact * b.exact),
    "rotated": lambda e, a, b: Pair(e.rotate(a.x, 3), np.roll(a.exact, -3)),
    "third power": lambda e, a, b: Pair(e.settle(e.multiply(e.square(a.x), b.x)), a.exact**2 * b.exact),
    "sum of 64": lambda e, a, b: Pair(
        linear.inner_sum(e, e.multiply(a.x, b.x), 64), sum(np.roll(a.exact * b.exact, -k) for k in range(64))
    ),
}


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("name", COMPUTATIONS)
def test_the_estimate_is_near_and_the_bound_within_ten_bits(name: str, symmetric: bool) -> None:
    """Values as large as their bound, and random otherwise."""
    owner = shared_owner(LARGE, choose("native"))
    a, b = (encrypted(owner, "at the bound", seed, symmetric) for seed in (1, 2))
    pair = COMPUTATIONS[name](evaluator_of(owner), a, b)
    evaluator, error = evaluator_of(owner), error_of(owner, pair)
    rms, most = -np.log2(np.sqrt(np.mean(error**2))), -np.log2(error.max())
    assert abs(evaluator.expected_precision_bits(pair.x) - rms) < 1
    assert evaluator.precision_bits(pair.x) < most < evaluator.precision_bits(pair.x) + 10


@pytest.mark.parametrize("share", [0.5, 2.0**8, 2.0**20])
def test_operands_of_other_scales_meet(share: float) -> None:
    """Scales apart by so much of what noise hides: read at the other's where that is little, adjusted where not."""
    owner = shared_owner(CKKS, choose("native"))
    ev, v = owner.evaluator, np.linspace(-1, 1, CKKS.slots)
    x = owner.encrypt(v, bound=1).shards[0]
    y = replace(x, scale=x.scale + share * x.noise / x.bound)
    total = ev.add(x, y)
    found = ev.decode(owner._secret.decrypt(total), total)
    assert np.max(np.abs(found - v - v * (x.scale / y.scale))) <= total.noise / total.scale
    assert total.noise / total.scale <= 16 * x.noise / x.scale
    assert share > 1 or total.noise >= (2 + share) * x.noise * (1 - 2.0**-30)


def test_doubles_limit_what_is_right() -> None:
    """An error of nothing leaves what decoding rounds: 2^-52 log2(2 N) of the largest value."""
    x = shared_owner(CKKS, choose("native")).encrypt([1.0], bound=8).shards[0]
    assert precision.bits(x, 0.0) == pytest.approx(52 - math.log2(8 * math.log2(2 * CKKS.ring_degree)))
    assert precision.bits(x, x.scale) == pytest.approx(0, abs=1e-9)


def test_an_array_knows_what_to_expect() -> None:
    owner = shared_owner(LARGE, choose("native"))
    x = owner.encrypt(np.linspace(-1, 1, 8), bound=1) * 0.5 + 1
    assert x.precision_bits + 3 < x.expected_precision_bits < x.precision_bits + 8
    received = owner.load(x.to_bytes())  # what a root mean square should be does not travel
    assert received.precision_bits + 2 < received.expected_precision_bits < received.precision_bits + 5


# --- range ------------------------------------------------------------------------------------------------------------


@given(bits=st.integers(0, 90), kind=KINDS, seed=SEEDS)
def test_values_beyond_the_modulus_are_refused_and_none_before(
    party: KeyOwner, bits: int, kind: str, seed: int
) -> None:
    """Squares of squares of values up to 2^(bits/4), at levels whose modulus holds ever less."""
    evaluator, bound = evaluator_of(party), 2.0 ** (bits / 4)
    try:
        pair = encrypted(party, kind, seed, symmetric=False, bound=bound)
    except ScaleError:
        assert math.log2(bound * party.parameters.scale(party.parameters.max_level)) > party.parameters.log_q - 2
        return
    while pair.x.level:
        room = party.chain.log_q(pair.x.level) - 1
        try:
            squared = evaluator.square(pair.x)
        except ScaleError:
            assert 2 * math.log2(pair.x.bound * pair.x.scale) > room - 1e-6
            return
        assert 2 * math.log2(pair.x.bound * pair.x.scale) < room
        pair = Pair(squared, pair.exact**2)
        assert_within(party, pair)
        try:
            pair = Pair(evaluator.settle(pair.x), pair.exact)
        except ScaleError:
            return
        assert_within(party, pair)


def test_dropping_limbs_below_the_values_is_noticed_when_they_are_read(party: KeyOwner) -> None:
    x = encrypted(party, "ramp", 1, symmetric=False, bound=2.0**20).x
    evaluator, phase = evaluator_of(party), party._secret.decrypt(x)
    evaluator.decode(phase, x)
    lowest = x.at_level(0)
    with pytest.raises(ScaleError, match="level 0 holds"):
        evaluator.decode(party._secret.decrypt(lowest), lowest)
    with pytest.raises(ScaleError, match="level 0 holds"):
        evaluator.add_plain(lowest, 1.0)


def test_a_product_is_as_exact_at_every_level_of_a_long_chain() -> None:
    """No drift: the scale of every level is its own, and exact."""
    owner = shared_owner(chain(40, 15, 46, [46, 46], ring_degree=1024), choose("native"))
    evaluator, found = evaluator_of(owner), []
    for level in range(1, 16):
        values = np.random.default_rng(level).uniform(-1, 1, (2, 512))
        x, y = (owner.encrypt(v, bound=1, level=level).shards[0] for v in values)
        product = Pair(evaluator.settle(evaluator.multiply(x, y)), (values[0] * values[1]).astype(np.clongdouble))
        found.append(-np.log2(error_of(owner, product).mean()))
    assert max(found) - min(found) < 0.5
    assert min(found) > 32
