"""Circuit privacy: what the owner of the key sees of a result does not depend on what was computed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import fhe
from fhe import noise
from fhe.errors import MissingKeyError, NoiseError, ParameterError
from fhe.hiding import Hiding, uniform_below
from fhe.owner import KeyOwner
from fhe.ring.basis import Basis
from fhe.rlwe.flooding import flood

N = 256
TOY: Any = {"ring_degree": N, "insecure": "a small ring for a test"}
WEIGHTS = np.array([3, -2, 5, 1])


@pytest.fixture(scope="module")
def exact() -> KeyOwner:
    return fhe.bfv(depth=3, value_bits=16, **TOY)


@pytest.fixture(scope="module")
def real() -> KeyOwner:
    return fhe.ckks(depth=2, scale_bits=90, **TOY)


def slots_of(owner: KeyOwner, array: Any) -> np.ndarray:
    """Every slot of a BFV array, elements or not, as residues."""
    phases = [owner._secret.decrypt(shard) for shard in array.shards]
    return np.array([owner.evaluator.encoder.decode(phase) for phase in phases]) % owner.evaluator.encoder.t  # type: ignore[union-attr]


def noise_of(owner: KeyOwner, array: Any) -> np.ndarray:
    """t times the noise of a BFV ciphertext, coefficient by coefficient, as the owner sees it."""
    phase = owner._secret.decrypt(array.shards[0]).scale(owner.evaluator.encoder.t)  # type: ignore[union-attr]
    return np.array(phase.coefficients(), dtype=object)


def test_values_stay(exact: KeyOwner, real: KeyOwner) -> None:
    x = exact.encrypt([[1, 2, 3, 4], [5, 6, 7, 8]], bound=10)
    for result, expected in [(x + x, 2 * np.arange(1, 9).reshape(2, 4)), (x @ WEIGHTS, [18, 46])]:
        hidden = exact.hide_circuit(result)
        assert np.array_equal(exact.decrypt(hidden), expected)
        assert np.array_equal(exact.decrypt(exact.load(hidden.to_bytes())), expected)
    y = real.encrypt([[0.5, -1.0], [2.0, 3.0]], bound=4)
    hidden = real.hide_circuit(y @ [1.0, 2.0], statistical_bits=20)
    np.testing.assert_allclose(real.decrypt(hidden), [-1.5, 8.0], atol=2.0**-hidden.precision_bits)
    assert 5 < hidden.precision_bits < real.encrypt([1.0], bound=4).precision_bits - 20


def test_noise_of_the_result_is_noise_of_the_flood(exact: KeyOwner) -> None:
    """Far apart before, within a 2^-bits of each other after: of both the same bits are left, whatever was computed."""
    x = exact.encrypt(np.arange(N // 2), bound=200)
    small, large = x + 1, x * 50
    spread = [np.max(np.abs(noise_of(exact, result))) for result in (small, large)]
    assert spread[1] > 8 * spread[0]
    small, large = (exact.hide_circuit(result, statistical_bits=20) for result in (small, large))
    top = [float(np.max(np.abs(noise_of(exact, result)))) for result in (small, large)]
    flooded = [2.0 ** result.shards[0].noise for result in (small, large)]
    t = exact.evaluator.encoder.t  # type: ignore[union-attr]
    for largest, bound in zip(top, flooded, strict=True):
        assert bound / 4 < largest / t <= bound


def test_the_flood_is_as_wide_as_the_proof_asks(exact: KeyOwner, monkeypatch: pytest.MonkeyPatch) -> None:
    """2^d N / 2^(b + 1) <= 2^-k, with d from the tracked bound of the result and of the encryption of zero."""
    from fhe.rlwe import flooding  # noqa: PLC0415

    asked: list[int] = []
    monkeypatch.setattr(flooding, "flood", lambda basis, bits: asked.append(bits) or flood(basis, bits))
    x = exact.encrypt([1, 2, 3], bound=4) * 3
    for k in (1, 20, 40):
        exact.hide_circuit(x, statistical_bits=k)
        d = noise.add(x.shards[0].noise, noise.fresh_divided(exact.parameters))
        assert d + math.log2(N) - (asked[-1] + 1) <= -k < d + math.log2(N) - asked[-1]


def test_both_components_are_fresh(exact: KeyOwner) -> None:
    x = exact.encrypt([1, 2, 3], bound=4) * 3
    first, second = (exact.hide_circuit(x).shards[0] for _ in range(2))
    for own, hidden, again in zip(x.shards[0].evals(), first.evals(), second.evals(), strict=True):
        for difference in (hidden - own, hidden - again):
            assert np.mean(difference.residues == 0) < 0.05


@pytest.mark.parametrize("bits", [0, 1, 7, 31, 32, 33, 70])
def test_the_flood_is_uniform(bits: int) -> None:
    basis = Basis.of(1024, [70368744067073, 70368744019969], backend="native")
    found = np.array(flood(basis, bits).coefficients(), dtype=object)
    assert min(found) >= -(1 << bits)
    assert max(found) < 1 << bits
    shares = (found + (1 << bits)).astype(float) / 2.0 ** (bits + 1)
    assert abs(np.mean(shares >= 0.5) - 0.5) < 6 / math.sqrt(4 * 1024)
    if bits > 3:
        assert np.std(shares) == pytest.approx(math.sqrt(1 / 12), rel=0.1)
        assert len(set(found)) > 1000 or bits < 14


def test_slots_beside_a_result_are_uniform(exact: KeyOwner) -> None:
    """They held partial sums of the model with a sample; then anything, with the same probability."""
    sums = exact.encrypt([[1, 2, 3, 4], [5, 6, 7, 8]], bound=10) @ WEIGHTS
    t, beside = exact.evaluator.encoder.t, sums.layout.mask() == 0  # type: ignore[union-attr]
    assert beside.sum() > 100
    assert len(np.unique(slots_of(exact, sums)[beside])) < 10, "partial sums are to be seen"
    found = np.concatenate([slots_of(exact, exact.hide_circuit(sums, statistical_bits=20))[beside] for _ in range(20)])
    assert abs(np.mean(found) / t - 0.5) < 6 / math.sqrt(12 * found.size)
    counts = np.bincount(found * 16 // t, minlength=16)
    assert np.sum((counts - found.size / 16) ** 2) / (found.size / 16) < 60  # chi-square of 15 degrees: 2^-20


def test_uniform_residues_are_uniform() -> None:
    """By rejection: of words modulo t = 3 * 2^60 a third would come twice as often."""
    found = uniform_below(3 << 60, 3000)
    assert abs(np.mean(found < 1 << 60) - 1 / 3) < 6 * math.sqrt(2 / 9 / 3000)
    assert found.min() >= 0
    assert found.max() < 3 << 60


def test_words_beyond_the_last_multiple_are_drawn_again() -> None:
    """2^64 - 1 is a multiple of 3, of which all below it are taken: it would make 0 likelier than 1 and 2."""
    words = iter([2**64 - 1, 2**64 - 2])
    assert uniform_below(3, 1, lambda size: next(words).to_bytes(size, "little")).tolist() == [2]


def test_the_flood_of_reals_is_as_wide_as_the_proof_asks(real: KeyOwner, monkeypatch: pytest.MonkeyPatch) -> None:
    """2^k (sqrt(N) B + N) <= 2^(b + 1), with B what bounds the noise in the slots: of the result, and of the zero."""
    from fhe.rlwe import flooding  # noqa: PLC0415

    asked: list[int] = []
    monkeypatch.setattr(flooding, "flood", lambda basis, bits: asked.append(bits) or flood(basis, bits))
    x = (real.encrypt([1.0, 2.0], bound=2) * 0.5).settled()
    for k in (1, 10, 20):
        real.hide_circuit(x, statistical_bits=k)
        slots = x.shards[0].noise + 2.0 ** noise.fresh_divided_slots(real.parameters)  # type: ignore[arg-type]
        assert asked[-1] <= math.log2(2**k * (math.sqrt(N) * slots + N)) < asked[-1] + 1


# --- planned at construction ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [0, 1, 2])
@pytest.mark.parametrize("bits", [10, 40])
def test_planned_integers_have_room(depth: int, bits: int) -> None:
    planned = fhe.bfv(depth=depth, value_bits=16, hide=bits, **TOY)
    x, clear = planned.encrypt(np.arange(4), bound=3), np.arange(4)
    for _ in range(depth):
        x, clear = x * x, clear * clear
    for result, expected in [(x, clear), (x[:2].sum(), clear[:2].sum())]:
        hidden = planned.hide_circuit(result, statistical_bits=bits)
        assert np.array_equal(planned.decrypt(planned.load(hidden.to_bytes())), expected)


@pytest.mark.parametrize(("depth", "plan"), [(0, (10, 20)), (1, (8, 20)), (2, (6, 16))])
def test_planned_reals_have_room(depth: int, plan: tuple[int, int]) -> None:
    """After so many products, and beside slots that have to be cleaned."""
    planned = fhe.ckks(depth=depth, hide=plan, bound=2, **TOY)
    x, clear = planned.encrypt([[0.5, -0.75], [1.0, 0.25]], bound=1), np.array([[0.5, -0.75], [1.0, 0.25]])
    for _ in range(depth):
        x, clear = x * x, clear * clear
    hidden = planned.hide_circuit(x, statistical_bits=plan[1])
    assert hidden.precision_bits >= plan[0]
    np.testing.assert_allclose(planned.decrypt(hidden), clear, atol=2.0 ** -plan[0])
    sums = planned.hide_circuit(x.sum(axis=1), statistical_bits=plan[1])
    np.testing.assert_allclose(planned.decrypt(sums), clear.sum(axis=1), atol=2.0 ** (1 - plan[0]))


def test_scales_are_planned_as_errors_come(real: KeyOwner) -> None:
    for depth, plan in [(1, (4, 20)), (2, (8, 16)), (3, (2, 24))]:
        planned = fhe.ckks(depth=depth, hide=plan, bound=1, **TOY)
        x = planned.encrypt([1.0], bound=1)
        for _ in range(depth):
            x = x * x
        said = 2.0 ** -planned.hide_circuit(x, statistical_bits=plan[1]).precision_bits
        assert said / 1.1 < Hiding(*plan).error(planned.parameters) < 6 * said  # type: ignore[arg-type]


def test_too_little_room_is_refused_when_it_is_planned() -> None:
    with pytest.raises(ParameterError, match=r"bits more than 2\^-8; use scale_bits=(\d+)") as refused:
        fhe.ckks(depth=1, scale_bits=40, hide=(8, 20), **TOY)
    needed = int(str(refused.value).split("scale_bits=")[1].split(",")[0])
    assert fhe.ckks(depth=1, scale_bits=needed, hide=(8, 20), **TOY).parameters.max_level == 2
    with pytest.raises(ParameterError, match=r"values are doubles, so no scale helps: compute exactly"):
        fhe.ckks(depth=1, hide=(10, 60), **TOY)
    with pytest.raises(ParameterError, match=r"hidden by 40 bits does not fit: .* or hide"):
        fhe.bfv(depth=1, value_bits=16, ring_degree=4096, hide=40)
    for wrong in (40, (8,), (8, 20, 1)):
        with pytest.raises(ParameterError, match=r"is \(precision_bits, statistical_bits\)"):
            fhe.ckks(depth=1, hide=wrong, **TOY)  # type: ignore[arg-type]
    for wrong in ((0, 20), (61, 20), (8, 0), (8, 129), (8, True)):
        with pytest.raises(ParameterError, match=r"is an integer from 1|bits from 1"):
            fhe.ckks(depth=1, hide=wrong, **TOY)
    for bits in (0, 129, (8, 20)):
        with pytest.raises(ParameterError, match="bits from 1 to 128"):
            fhe.bfv(depth=1, hide=bits, **TOY)  # type: ignore[arg-type]


def test_programs_plan_for_it_and_their_owners_know_it() -> None:
    def scored(x: Any, w: Any) -> Any:
        return x @ w

    weights = np.array([3, -2, 5, 1])
    for spec, other, hide, options in [
        (fhe.spec((3, 4), bound=1), fhe.spec(4, bound=5, encrypted=False), 16, {"precision": 0.05}),
        (fhe.spec((3, 4), bound=9, dtype=int), fhe.spec(4, bound=5, dtype=int, encrypted=False), 40, {}),
    ]:
        program = fhe.programs.program.Program.from_bytes(
            fhe.compile(scored, spec, other, hide=hide, **options, **TOY).to_bytes()
        )
        assert program.hide == hide
        assert "context.hide_circuit" in program.explain()
        owner = program.keygen()
        server = fhe.Context.from_bytes(owner.public().to_bytes())
        x = np.arange(12).reshape(3, 4) % 2
        result = server.hide_circuit(program(server.load(owner.encrypt(x).to_bytes()), weights), statistical_bits=hide)
        np.testing.assert_allclose(program.decrypt(owner, result.to_bytes()), x @ weights, atol=0.05)
        (shard,), (known,) = result.settled().shards, program.trial.sent[0].shards
        assert shard.noise <= known.noise * 1.001
    with pytest.raises(ParameterError, match="noise is too much at N = 256, whatever the scale"):
        fhe.compile(scored, fhe.spec((3, 4), bound=1), weights, hide=60, **TOY)


def test_what_has_no_room_is_refused(exact: KeyOwner, real: KeyOwner) -> None:
    shallow = fhe.ckks(depth=1, **TOY)
    with pytest.raises(NoiseError, match=r"values would be wrong by 2\^.*planned for by fhe.ckks\(hide="):
        shallow.hide_circuit(shallow.encrypt([1.0]))
    deep = exact.encrypt([1, 2], bound=3)
    with pytest.raises(NoiseError, match="fewer statistical_bits"):
        exact.hide_circuit(deep, statistical_bits=128)
    for bits in (0, 129, 40.0):
        with pytest.raises(ParameterError, match="bits from 1 to 128"):
            exact.hide_circuit(deep, statistical_bits=bits)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="belongs to key"):
        exact.hide_circuit(fhe.bfv(depth=1, value_bits=16, **TOY).encrypt([1]))
    server = fhe.Context(exact.chain, None, exact.public(rotations=[]).keys)
    with pytest.raises(MissingKeyError, match="takes a public key"):
        server.hide_circuit(deep)


def test_what_is_hidden_can_be_read_or_is_refused(exact: KeyOwner) -> None:
    """However much noise is asked for: none is sent that its owner would then refuse."""
    x, refused = exact.encrypt([1, 2, 3]), 0
    for bits in range(1, 129):
        try:
            hidden = exact.hide_circuit(x, statistical_bits=bits)
        except NoiseError:
            refused += 1
            continue
        assert exact.decrypt(hidden).tolist() == [1, 2, 3]
    assert 0 < refused < 128


def test_wide_integers() -> None:
    owner = fhe.bfv(depth=3, value_bits=70, **TOY)
    hidden = owner.hide_circuit(owner.encrypt([10**18, -3], bound=10**18) + 5, statistical_bits=30)
    assert owner.decrypt(hidden).tolist() == [10**18 + 5, 2]
