"""BFV as laws: exact arithmetic modulo t, and a noise bound that is never passed."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fhe.backend.protocol import Backend
from fhe.bfv.encoder import BFVEncoder
from fhe.bfv.evaluator import BFVEvaluator
from fhe.bfv.noise_budget import noise_budget_bits
from fhe.errors import EncodingError, NoiseError
from fhe.owner import KeyOwner
from fhe.parameters import BFVParameters
from fhe.ring.poly import CoeffPoly
from fhe.rlwe.ciphertext import Ciphertext
from tests.schemes.owners import BFV, COEFFICIENTS, INSECURE, owner, shared_owner
from tests.strategies import SEEDS

T, SLOTS = BFV.plain_modulus, BFV.slots
Values = NDArray[np.int64]


def values() -> st.SearchStrategy[Values]:
    """Slot vectors of [-t/2, t/2), many at the edges."""

    def build(seed: int, kind: int) -> Values:
        rng = np.random.default_rng(seed)
        edges = [-(T // 2), -1, 0, 1, T // 2]
        return rng.choice(edges, SLOTS) if kind == 0 else rng.integers(-(T // 2), T // 2, SLOTS, endpoint=True)

    return st.builds(build, st.integers(0, 2**32), st.integers(0, 1))


def centred(values: Values, t: int = T) -> Values:
    return (values + t // 2) % t - t // 2


def rolled(values: Values, step: int) -> Values:
    return np.roll(values.reshape(2, -1), -step, axis=1).ravel()


def evaluator(owner: KeyOwner) -> BFVEvaluator:
    assert isinstance(owner.evaluator, BFVEvaluator)
    return owner.evaluator


def encrypted(owner: KeyOwner, v: Values, symmetric: bool = False) -> Ciphertext:
    return owner.encrypt(v, symmetric=symmetric, bound=math.inf).shards[0]


def assert_holds(owner: KeyOwner, x: Ciphertext, expected: Values, t: int = T) -> None:
    """Exact values, and measured noise below the tracked bound."""
    ev, phase = evaluator(owner), owner._secret.decrypt(x)
    assert np.array_equal(ev.decode(phase, x), centred(expected, t))
    assert noise_budget_bits(owner.parameters, phase) >= ev.room_bits(x) > 0


@given(largest=st.integers(1, 2**40), seed=SEEDS)
def test_a_noise_budget_is_what_the_largest_coefficient_leaves(bfv: KeyOwner, largest: int, seed: int) -> None:
    """Of a phase x without a message: log2(Q/2) - log2 of the largest |t x|."""
    basis, rng = bfv.chain.q(bfv.parameters.max_level), np.random.default_rng(seed)
    coefficients = np.append(rng.integers(-largest, largest, 31, endpoint=True), largest)
    budget = noise_budget_bits(bfv.parameters, CoeffPoly.from_int64(basis, coefficients))
    assert budget == pytest.approx(math.log2(basis.product / 2) - math.log2(T * largest), abs=1e-9)


@given(v=values())
def test_no_bound_of_noise_falls_by_adding(bfv: KeyOwner, v: Values) -> None:
    ev = evaluator(bfv)
    x, y = encrypted(bfv, v), encrypted(bfv, v, symmetric=True)
    assert ev.add(x, y).noise >= max(x.noise, y.noise)
    assert ev.add_plain(x, v).noise >= x.noise
    assert ev.add_plain(y, 1).noise >= y.noise


@given(v=values(), symmetric=st.booleans())
def test_decryption_inverts_encryption(bfv: KeyOwner, v: Values, symmetric: bool) -> None:
    assert_holds(bfv, encrypted(bfv, v, symmetric), v)


@given(v=values(), w=values(), k=st.integers(-1000, 1000))
def test_linear_operations(bfv: KeyOwner, v: Values, w: Values, k: int) -> None:
    ev, x, y = evaluator(bfv), encrypted(bfv, v), encrypted(bfv, w)
    assert_holds(bfv, ev.add(x, y), v + w)
    assert_holds(bfv, ev.sub(x, y), v - w)
    assert_holds(bfv, ev.negate(x), -v)
    assert_holds(bfv, ev.add_plain(x, w), v + w)
    assert_holds(bfv, ev.add_plain(x, T - 1), v - 1)
    assert_holds(bfv, ev.multiply_plain(x, w), v * w)
    assert_holds(bfv, ev.multiply_plain(x, k), v * k)


@given(v=values(), w=values(), level=st.integers(0, 3), own=st.integers(0, 3))
def test_plaintexts_of_any_level(bfv: KeyOwner, v: Values, w: Values, level: int, own: int) -> None:
    ev, encoder = evaluator(bfv), evaluator(bfv).encoder
    x = ev.mod_switch(encrypted(bfv, v), own)
    total, product = ev.add_plain(x, encoder.encode(w, level)), ev.multiply_plain(x, encoder.encode_factor(w, level))
    assert total.level == product.level == min(level, own)
    assert_holds(bfv, total, v + w)
    assert_holds(bfv, product, v * w)


def test_plaintexts_are_for_one_purpose(bfv: KeyOwner) -> None:
    ev, encoder, x = evaluator(bfv), evaluator(bfv).encoder, encrypted(bfv, np.arange(SLOTS))
    with pytest.raises(EncodingError, match="encoded to multiply by"):
        ev.add_plain(x, encoder.encode_factor([1]))
    with pytest.raises(EncodingError, match="encoded to be added"):
        ev.multiply_plain(x, encoder.encode([1]))


@given(v=values(), w=values())
def test_products(bfv: KeyOwner, v: Values, w: Values) -> None:
    ev, x, y = evaluator(bfv), encrypted(bfv, v), encrypted(bfv, w)
    product = ev.multiply(x, y)
    assert product.degree == 2
    assert_holds(bfv, product, v * w)
    assert_holds(bfv, ev.relinearize(product), v * w)
    assert_holds(bfv, ev.square(x), v * v)
    assert_holds(bfv, ev.multiply(product, x), v * w % T * v)
    assert_holds(bfv, ev.add(product, x), v * w + v)
    assert_holds(bfv, ev.sub(x, product), v - v * w)


@given(v=values(), step=st.integers(-SLOTS, SLOTS))
def test_rotations_and_swap(bfv: KeyOwner, v: Values, step: int) -> None:
    ev, x = evaluator(bfv), encrypted(bfv, v)
    assert_holds(bfv, ev.rotate(x, step), rolled(v, step))
    assert_holds(bfv, ev.swap(x), np.roll(v, SLOTS // 2))
    assert_holds(bfv, ev.rotations(x, [0, step])[1], rolled(v, step))
    assert_holds(bfv, ev.rotate(ev.square(x), step), rolled(v * v, step))
    assert_holds(bfv, ev.rotations(ev.square(x), [0, step])[1], rolled(v * v, step))


@given(v=values(), w=values(), level=st.integers(0, 2))
def test_modulus_switching(bfv: KeyOwner, v: Values, w: Values, level: int) -> None:
    ev, x, y = evaluator(bfv), encrypted(bfv, v), encrypted(bfv, w)
    lower = ev.mod_switch(x, level)
    assert lower.level == level
    assert_holds(bfv, lower, v)
    assert_holds(bfv, ev.add(lower, y), v + w)
    if level == 2:
        assert_holds(bfv, ev.relinearize(ev.multiply(lower, y)), v * w)


def test_slots_are_evaluations_of_the_message(bfv: KeyOwner) -> None:
    assert isinstance(bfv.encoder, BFVEncoder)
    v = np.arange(SLOTS) - 7
    message = [int(c) for c in bfv.encoder.message(v)]
    N = SLOTS
    psi = next(p for g in range(2, T) if pow(p := pow(g, (T - 1) // (2 * N), T), N, T) == T - 1)
    for row, sign in enumerate((1, -1)):
        for j in range(N // 2):
            root = pow(psi, sign * pow(5, j, 2 * N) % (2 * N), T)
            value = sum(c * pow(root, n, T) for n, c in enumerate(message)) % T
            assert value == v[row * N // 2 + j] % T


def test_coefficient_encoding_multiplies_polynomials(backend: Backend) -> None:
    keys = shared_owner(COEFFICIENTS, backend)
    ev, t = evaluator(keys), COEFFICIENTS.plain_modulus
    v, w = np.arange(-3, 29), np.zeros(32, dtype=np.int64)
    w[1] = 5  # times 5 X: a negacyclic shift
    product = ev.relinearize(ev.multiply(encrypted(keys, v), encrypted(keys, w)))
    expected = 5 * np.concatenate([[-v[-1]], v[:-1]])
    assert_holds(keys, product, expected, t)


def test_a_wide_plain_modulus_is_exact(backend: Backend) -> None:
    t = (1 << 50) - 27  # not batching: coefficients
    wide = BFVParameters(
        ring_degree=32, modulus_bits=[50] * 5, special_bits=[50, 50], plain_modulus=t, insecure=INSECURE
    )
    keys = shared_owner(wide, backend)
    ev, v = evaluator(keys), np.array([t // 2, -(t // 2), 1, 0, -1] + [123456789012345] * 27)
    assert_holds(keys, encrypted(keys, v), v, t)
    product = ev.relinearize(ev.multiply(encrypted(keys, v), encrypted(keys, np.array([3] + [0] * 31))))
    exact = np.array([(3 * int(c) + t // 2) % t - t // 2 for c in v])
    assert np.array_equal(ev.decode(keys._secret.decrypt(product), product), exact)


def test_noise_runs_out_before_a_wrong_result(bfv: KeyOwner) -> None:
    ev, v = evaluator(bfv), np.arange(SLOTS)
    x, expected = encrypted(bfv, v), v
    while ev.room_bits(x) > 20:
        x, expected = ev.relinearize(ev.multiply(x, x)), centred(expected * expected)
        assert_holds(bfv, x, expected)
    with pytest.raises(NoiseError, match="a product at level 0 would bring the noise bound"):
        ev.multiply(x, x)


def test_another_key_is_refused(bfv: KeyOwner, backend: Backend) -> None:
    stranger = owner(BFV, backend, "stranger")
    v = np.arange(SLOTS)
    with pytest.raises(ValueError, match="under different keys do not mix"):
        evaluator(bfv).add(encrypted(bfv, v), encrypted(stranger, v))
    with pytest.raises(ValueError, match="belongs to key"):
        bfv.decrypt(stranger.encrypt(v, bound=64))


def test_bad_values_are_refused(bfv: KeyOwner) -> None:
    with pytest.raises(EncodingError, match=r"index 1 is outside -128 … 128 for plain modulus t = 257"):
        bfv.encrypt([0, 300], bound=128)
    with pytest.raises(EncodingError, match="index 0 is not a 64-bit integer"):
        bfv.encrypt([0.5])
    with pytest.raises(EncodingError, match="NaN"):
        bfv.encrypt([np.nan])
    with pytest.raises(EncodingError, match="computes with integers"):
        bfv.encrypt([1]) * 0.5
