"""Linear maps on slots: whatever the matrix, the keys at hand and the scheme, the product, within the tracked bound."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fhe.backend.choose import choose
from fhe.backend.protocol import Backend
from fhe.circuits import linear, matrix
from fhe.circuits.diagonals import forms, repeating
from fhe.circuits.matrix import LinearMap
from fhe.circuits.schedule import prices, schedules
from fhe.context import Context
from fhe.errors import EncodingError, LevelError, MissingKeyError, NoiseError, ValueOverflowError
from fhe.owner import KeyOwner, ckks
from fhe.parameters import CKKSParameters, Parameters
from fhe.rlwe import extended
from fhe.rlwe.ciphertext import Ciphertext
from fhe.rlwe.routes import Routes
from tests.schemes.owners import BFV, CKKS, COEFFICIENTS, shared_owner
from tests.strategies import SEEDS

ROW = 16


@pytest.fixture(params=[CKKS, BFV], ids=["ckks", "bfv"])
def party(request: pytest.FixtureRequest, backend: Backend) -> KeyOwner:
    return shared_owner(request.param, backend)


@pytest.fixture(scope="session", params=[CKKS, BFV], ids=["ckks", "bfv"])
def quick(request: pytest.FixtureRequest) -> KeyOwner:
    return shared_owner(request.param, choose("native"))


@lru_cache
def server(owner: KeyOwner, steps: tuple[int, ...]) -> Context:
    return owner.public(rotations=steps)


def numbers(parameters: Parameters, seed: int, *shape: int) -> NDArray[Any]:
    rng = np.random.default_rng(seed)
    if isinstance(parameters, CKKSParameters):
        return rng.uniform(-1, 1, size=shape)
    return rng.integers(-2, 3, size=shape)


def encrypted(owner: KeyOwner, values: NDArray[Any]) -> Ciphertext:
    padded = np.pad(values, (0, owner.evaluator.slots - len(values)))  # zeros, where arrays would repeat themselves
    (shard,) = owner.encrypt(padded, bound=2 if values.dtype.kind == "i" else 1).shards
    return shard


def decrypted(owner: KeyOwner, x: Ciphertext) -> NDArray[Any]:
    return owner.evaluator.decode(owner._secret.decrypt(x), x)


def assert_holds(owner: KeyOwner, x: Ciphertext, expected: NDArray[Any]) -> None:
    """Within the tracked bound; equal in BFV."""
    found = decrypted(owner, x)[: len(expected)]
    assert np.abs(found - expected).max() <= 2.0 ** -owner.evaluator.precision_bits(x)


@st.composite
def matrices(draw: st.DrawFn) -> tuple[int, int, float, int]:
    """m, n, the share of entries that are not zero, and a seed."""
    m, n = draw(st.integers(1, ROW)), draw(st.integers(1, ROW))
    return m, n, draw(st.sampled_from([1.0, 0.3, 0.05])), draw(SEEDS)


def drawn(parameters: Parameters, m: int, n: int, share: float, seed: int) -> NDArray[Any]:
    kept = np.random.default_rng(seed).random((m, n)) < share
    found: NDArray[Any] = numbers(parameters, seed, m, n) * kept
    return found


# --- plain numerics --------------------------------------------------------------------------------------------------


@given(shape=matrices(), row=st.sampled_from([16, 32, 128]))
def test_every_form_is_the_matrix(shape: tuple[int, int, float, int], row: int) -> None:
    W = drawn(BFV, *shape)
    m, n = W.shape
    x = np.zeros(row, dtype=np.int64)
    x[:n] = numbers(BFV, 7, n)
    for form in forms(W, row):
        found = form(x)
        np.testing.assert_array_equal(found[:m], W @ x[:n])
        assert np.abs(found).max() <= form.gain * 2
    (only,) = forms(W, row, zero_padded=False)
    x[n:] = 1000
    np.testing.assert_array_equal(only(x)[:m], W @ x[:n])


@given(held=st.sets(st.integers(1, 31), max_size=4), step=st.integers(-40, 40))
def test_a_way_is_the_shortest_sum_of_held_steps(held: set[int], step: int) -> None:
    routes, reached, distance = Routes(held, 32), {0}, 0
    while step % 32 not in reached and distance < 6:
        reached |= {(a + b) % 32 for a in reached for b in held}
        distance += 1
    if step % 32 in reached:
        way = routes.way(step)
        assert sum(way) % 32 == step % 32
        assert set(way) <= held
        assert len(way) == routes.length(step) == distance
    else:
        assert routes.length(step) is None
        with pytest.raises(MissingKeyError, match=rf"rotating by {step} .*rotations=\[{step}\]"):
            routes.way(step)


@given(shape=matrices())
def test_a_schedule_covers_every_step_once(shape: tuple[int, int, float, int]) -> None:
    for form in forms(drawn(BFV, *shape), ROW):
        for found in schedules(form.steps, form.spreads, form.folds, prices(BFV, 3), Routes(None, ROW)):
            assert [b + g for b, g in zip(found.babies, found.giants, strict=True)] == list(form.steps)


@pytest.mark.parametrize(("size", "keys"), [(64, 20), (128, 30), (256, 40), (1024, 80)])
def test_few_rotation_keys_serve_large_matrices(size: int, keys: int) -> None:
    parameters = CKKSParameters(ring_degree=2**13, modulus_bits=[46] + [40] * 3, special_bits=[48])
    owner = KeyOwner(parameters, "native")
    assert len(LinearMap.of_matrix(owner.evaluator, np.ones((size, size))).rotations) <= keys


# --- encrypted -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [1.0, 0.2])
@pytest.mark.parametrize(("m", "n"), [(1, 16), (16, 1), (5, 3), (3, 8), (16, 16)])
def test_matrix_times_vector(party: KeyOwner, m: int, n: int, share: float) -> None:
    W, v = drawn(party.parameters, m, n, share, seed=m + n), numbers(party.parameters, 1, n)
    assert_holds(party, linear.matrix_vector(party.evaluator, W, encrypted(party, v)), W @ v)


@given(shape=matrices(), clean=st.booleans(), steps=st.sampled_from([(1, 2, 4, 8), (1, 15, 4), (3,)]))
def test_any_matrix_by_few_keys(
    quick: KeyOwner, shape: tuple[int, int, float, int], clean: bool, steps: tuple[int, ...]
) -> None:
    W = drawn(quick.parameters, *shape)
    n = W.shape[1]
    v = numbers(quick.parameters, 1, n if clean else ROW)
    evaluator = server(quick, steps).evaluator
    if steps == (3,):  # five steps of 3 at most
        with suppress(MissingKeyError):
            LinearMap.of_matrix(evaluator, W, zero_padded=clean)
        return
    product = LinearMap.of_matrix(evaluator, W, zero_padded=clean)
    assert_holds(quick, product(encrypted(quick, v)), W @ v[:n])


def test_complex_matrices(party: KeyOwner) -> None:
    if isinstance(party.parameters, CKKSParameters):
        W = drawn(CKKS, 5, 7, 1.0, 1) + 1j * drawn(CKKS, 5, 7, 1.0, 2)
        v = numbers(CKKS, 3, 7) * (0.6 + 0.8j)
        assert_holds(party, linear.matrix_vector(party.evaluator, W, encrypted(party, v)), W @ v)


def test_two_real_vectors_go_through_a_real_matrix_as_one_complex_vector(backend: Backend) -> None:
    owner = shared_owner(CKKS, backend)
    W, v, w = numbers(CKKS, 0, 5, 7), numbers(CKKS, 1, 7), numbers(CKKS, 2, 7)
    x, y = owner.encrypt(v, bound=1), owner.encrypt(w, bound=1)
    both = x + 1j * y
    assert both.level == x.level  # i is X^(N/2): no level
    product = owner.decrypt(owner.encode_matrix(W) @ both)
    np.testing.assert_allclose(product, W @ v + 1j * (W @ w), atol=1e-6)


def test_a_product_divides_by_P_once_and_once_for_every_giant_step(
    quick: KeyOwner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And every baby step is an inner product with the digits of one decomposition: double hoisting."""
    counts = {"decompose": 0, "switch": 0, "divided": 0}
    for name, function in {"decompose": "decompose", "switch": "switch_extended", "divided": "mod_down"}.items():
        monkeypatch.setattr(extended, function, counting(counts, name, getattr(extended, function)))
    lowered = extended.Extended.lowered
    monkeypatch.setattr(extended.Extended, "lowered", counting(counts, "divided", lowered))
    product = LinearMap.of_matrix(quick.evaluator, numbers(quick.parameters, 0, ROW, ROW))
    product(encrypted(quick, numbers(quick.parameters, 1, ROW)))
    giants = len(set(product.schedule.giants) - {0})
    assert len(set(product.schedule.babies)) > 2
    assert counts == {"decompose": 1, "switch": giants, "divided": giants + 1}


def counting(counts: dict[str, int], name: str, function: Any) -> Any:
    def counted(*args: Any, **keywords: Any) -> Any:
        counts[name] += 1
        return function(*args, **keywords)

    return counted


def test_a_matrix_is_encoded_once_for_each_level(quick: KeyOwner, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = {"encoded": 0}
    kind = type(quick.evaluator)
    monkeypatch.setattr(kind, "encode_factors", counting(counts, "encoded", kind.encode_factors))
    W = quick.encode_matrix(numbers(quick.parameters, 0, 3, 5), level=quick.parameters.max_level)
    v = numbers(quick.parameters, 1, 5)
    x = quick.encrypt(v, bound=2)
    assert counts == {"encoded": 1}
    for _ in range(2):
        np.testing.assert_allclose(quick.decrypt(W @ x), W._matrix @ v, atol=1e-5)
    assert counts == {"encoded": 1}
    lower = quick.encrypt(v, bound=4, level=1)
    np.testing.assert_allclose(quick.decrypt(W @ lower), W._matrix @ v, atol=1e-5)
    np.testing.assert_allclose(quick.decrypt(lower @ W.T), W._matrix @ v, atol=1e-5)
    assert counts == {"encoded": 2}
    assert W.T.T is W


def test_inner_sums_divide_by_P_once(quick: KeyOwner, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = {"lowered": 0}
    monkeypatch.setattr(extended.Extended, "lowered", counting(counts, "lowered", extended.Extended.lowered))
    x, y = (encrypted(quick, numbers(quick.parameters, seed, ROW)) for seed in (1, 2))
    v, w = (decrypted(quick, c).real.round(6)[:ROW] for c in (x, y))
    assert_close(quick, linear.inner_sum(quick.evaluator, quick.evaluator.multiply(x, y), ROW), np.dot(v, w))
    assert counts == {"lowered": 1}
    server_ = server(quick, (1, 2)).evaluator
    assert_close(quick, linear.inner_sum(server_, x, ROW), v.sum())  # 4 = 2 + 2, 8 = 2 + 2 + 2 + 2
    assert counts == {"lowered": 2}


def assert_close(owner: KeyOwner, x: Ciphertext, expected: float) -> None:
    np.testing.assert_allclose(decrypted(owner, x)[0], expected, atol=1e-4)
    assert np.abs(decrypted(owner, x)[0] - expected) <= 1e-5 + 2.0 ** -owner.evaluator.precision_bits(x)


def test_rotations_by_sums_of_held_steps(party: KeyOwner) -> None:
    context = server(party, (1, 4))
    v = numbers(party.parameters, 1, ROW)
    x = encrypted(party, v)
    assert (context.rotation_way(4), context.rotation_way(6), context.rotation_way(16)) == ((4,), (1, 1, 4), ())
    for step in (1, 6, 0, -4):
        assert_holds(party, context.evaluator.rotate(x, step), np.roll(v, -step))
    for step, rotated in zip((6, 4, 0), context.evaluator.rotations(x, [6, 4, 0]), strict=True):
        assert_holds(party, rotated, np.roll(v, -step))


# --- refusals --------------------------------------------------------------------------------------------------------


def test_matrices_that_do_not_fit_are_refused(quick: KeyOwner) -> None:
    x = quick.encrypt(numbers(quick.parameters, 1, 5), bound=2)
    with pytest.raises(EncodingError, match=r"shape \(17, 5\).*16 slots"):
        quick.encode_matrix(numbers(quick.parameters, 0, 17, 5)) @ x
    with pytest.raises(EncodingError, match="two axes"):
        quick.encode_matrix(numbers(quick.parameters, 0, 5))
    with pytest.raises(EncodingError, match="3 and 5 differ"):
        quick.encode_matrix(numbers(quick.parameters, 0, 5, 3)) @ x
    with pytest.raises(EncodingError, match="3 and 2 differ"):
        quick.encode_matrix(numbers(quick.parameters, 0, 5, 3)) @ quick.encrypt(numbers(quick.parameters, 0, 2, 3))


def test_too_little_modulus_is_refused_before_any_work(quick: KeyOwner, monkeypatch: pytest.MonkeyPatch) -> None:
    x = encrypted(quick, numbers(quick.parameters, 1, 5))
    product = LinearMap.of_matrix(quick.evaluator, numbers(quick.parameters, 0, 5, 5))
    product.encode(0)
    monkeypatch.setattr(matrix, "weighted_sums", lambda *_: pytest.fail("worked before it refused"))
    if isinstance(quick.parameters, CKKSParameters):
        with pytest.raises(LevelError, match="a linear map needs a level"):
            product(x.at_level(0))
    else:
        (wrapping,) = quick.encrypt(numbers(BFV, 1, 5), bound=np.inf).shards
        lowest = quick.evaluator.mod_switch(wrapping, 0)
        for _ in range(8):
            lowest = quick.evaluator.multiply_plain(lowest, 7)
        with pytest.raises(NoiseError, match="a linear map at level 0"):
            product(lowest)


def test_integers_that_a_product_could_mix_up_are_refused(quick: KeyOwner) -> None:
    if isinstance(quick.parameters, CKKSParameters):
        return
    x = quick.encrypt(np.array([0, 1, 2]), bound=(0, 4))
    largest = np.array([[30, 4, 0], [0, 0, 60]])  # values from -0 … 240, of 257
    np.testing.assert_array_equal(quick.decrypt(largest @ x), [4, 120])
    with pytest.raises(ValueOverflowError, match="a linear map may take values from 0 to 260"):
        np.array([[30, 35, 0], [0, 0, 60]]) @ x
    with pytest.raises(ValueOverflowError, match="a linear map may take values from -120 to 160"):
        np.array([[-30, 4, 0], [0, 0, 40]]) @ x


def test_coefficients_are_no_slots(backend: Backend) -> None:
    x = shared_owner(COEFFICIENTS, backend).encrypt([1, 2, 3])
    for refused in (lambda: np.ones((2, 3), dtype=int) @ x, x.sum):
        with pytest.raises(EncodingError, match=r"makes no slots.*1 mod 64"):
            refused()


@pytest.mark.parametrize("scale", [2.0**19, 2.0**21])
def test_what_rounding_does_to_coarse_diagonals_is_counted(scale: float) -> None:
    """Large values times weights of few bits: nearly all of the error is that of the weights."""
    owner = ckks(2, scale_bits=36, bound=2.0**16, ring_degree=64, insecure="a small ring for tests")
    W, x = np.full((8, 8), (2.0**10 + 0.5) / scale), np.full(8, 2.0**15)
    function = LinearMap(owner.evaluator, [form for form, _ in repeating(W, owner.evaluator.row, 8)], scale=scale)
    y = function(owner.encrypt(x, bound=2.0**15).shards[0])
    error = np.abs(owner.evaluator.decode(owner._secret.decrypt(y), y).real[:8] - W @ x).max()
    assert 0.01 * y.noise / y.scale < error <= y.noise / y.scale
