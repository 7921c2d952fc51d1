"""CKKS as laws: decrypting the operation is the operation on the decrypted, within the tracked bound."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.polynomial import Polynomial
from numpy.typing import NDArray

from fhe.backend.protocol import Backend
from fhe.circuits.polynomial import evaluate_polynomial
from fhe.ckks.encoder import CKKSEncoder
from fhe.ckks.evaluator import CKKSEvaluator
from fhe.errors import EncodingError, LevelError, ScaleError
from fhe.owner import KeyOwner
from fhe.rlwe.ciphertext import Ciphertext
from tests.schemes.owners import CKKS

SLOTS = CKKS.slots
Values = NDArray[np.complex128]


def values(bound: float = 4.0) -> st.SearchStrategy[Values]:
    """Slot vectors with |z| <= bound, many at the edge: signs and units times the bound, zeros, random."""

    def build(seed: int, kind: int) -> Values:
        rng = np.random.default_rng(seed)
        unit = (1 - 2.0**-50) * np.exp(2j * np.pi * rng.random(SLOTS))
        if kind == 0:
            return bound * unit
        if kind == 1:
            return (bound * rng.choice([-1, 0, 1], SLOTS)).astype(np.complex128)
        return bound * unit * rng.random(SLOTS)

    return st.builds(build, st.integers(0, 2**32), st.integers(0, 2))


def evaluator(owner: KeyOwner) -> CKKSEvaluator:
    assert isinstance(owner.evaluator, CKKSEvaluator)
    return owner.evaluator


def encrypted(owner: KeyOwner, z: Values, bound: float = 4.0, symmetric: bool = False) -> Ciphertext:
    return owner.encrypt(z, bound=bound, symmetric=symmetric).shards[0]


def assert_holds(owner: KeyOwner, x: Ciphertext, expected: Values) -> None:
    """The decrypted slots are the expected ones within the tracked bound, which is itself small."""
    ev = evaluator(owner)
    x = ev.settle(x)
    error = np.max(np.abs(ev.decode(owner._secret.decrypt(x), x) - expected))
    assert error <= x.noise / x.scale
    assert x.noise / x.scale < 2.0**-15
    assert np.max(np.abs(expected)) <= x.bound * (1 + 1e-9)


@given(z=values())
def test_decoding_inverts_encoding(ckks: KeyOwner, z: Values) -> None:
    assert isinstance(ckks.encoder, CKKSEncoder)
    plain = ckks.encoder.encode(z)
    assert np.max(np.abs(ckks.encoder.decode(plain.poly, plain.scale) - z)) < SLOTS / plain.scale


def test_embedding_is_evaluation_at_the_roots(ckks: KeyOwner) -> None:
    assert isinstance(ckks.encoder, CKKSEncoder)
    coefficients = np.random.default_rng(5).normal(size=2 * SLOTS)
    zeta = np.exp(1j * np.pi / (2 * SLOTS))
    roots = [zeta ** pow(5, j, 4 * SLOTS) for j in range(SLOTS)]
    direct = [np.polynomial.polynomial.polyval(root, coefficients) for root in roots]
    np.testing.assert_allclose(ckks.encoder.unembed(coefficients), direct, atol=1e-10)
    np.testing.assert_allclose(ckks.encoder.embed(np.array(direct)), coefficients, atol=1e-10)


@given(z=values(), symmetric=st.booleans())
def test_decryption_inverts_encryption(ckks: KeyOwner, z: Values, symmetric: bool) -> None:
    assert_holds(ckks, encrypted(ckks, z, symmetric=symmetric), z)


@given(z=values(), w=values(), k=st.integers(-7, 7))
def test_linear_operations(ckks: KeyOwner, z: Values, w: Values, k: int) -> None:
    ev, x, y = evaluator(ckks), encrypted(ckks, z), encrypted(ckks, w)
    assert_holds(ckks, ev.add(x, y), z + w)
    assert_holds(ckks, ev.sub(x, y), z - w)
    assert_holds(ckks, ev.negate(x), -z)
    assert_holds(ckks, ev.add_plain(x, w), z + w)
    assert_holds(ckks, ev.add_plain(x, -1.25), z - 1.25)
    assert_holds(ckks, ev.multiply_plain(x, k), k * z)


@given(z=values(), w=values(), c=st.floats(-3, 3))
def test_products(ckks: KeyOwner, z: Values, w: Values, c: float) -> None:
    ev, x, y = evaluator(ckks), encrypted(ckks, z), encrypted(ckks, w)
    assert_holds(ckks, ev.multiply(x, y), z * w)
    assert_holds(ckks, ev.square(x), z * z)
    assert_holds(ckks, ev.multiply(x, x), z * z)
    assert_holds(ckks, ev.multiply_plain(x, w), z * w)
    assert_holds(ckks, ev.multiply_plain(x, c), z * c)


@given(z=values(1.0), w=values(1.0))
def test_operands_of_all_levels_and_scales_meet(ckks: KeyOwner, z: Values, w: Values) -> None:
    ev, x, y = evaluator(ckks), encrypted(ckks, z, 1.0), encrypted(ckks, w, 1.0)
    product = ev.multiply(x, y)  # pending, degree 2
    assert product.degree == 2
    assert ev.is_pending(product)
    assert_holds(ckks, ev.add(product, product), 2 * z * w)
    assert_holds(ckks, ev.add(product, x), z * w + z)
    assert_holds(ckks, ev.sub(x, product), z - z * w)
    deep = ev.multiply(product, y)
    assert_holds(ckks, deep, z * w * w)
    assert_holds(ckks, ev.add(deep, x), z * w * w + z)
    assert_holds(ckks, ev.multiply(deep, x), z * z * w * w)
    assert_holds(ckks, ev.add_plain(product, w), z * w + w)


@given(z=values(1.0), w=values(1.0))
def test_settling_once_agrees_with_each_step_apart(ckks: KeyOwner, z: Values, w: Values) -> None:
    ev = evaluator(ckks)
    product = ev.multiply(encrypted(ckks, z, 1.0), encrypted(ckks, w, 1.0))
    merged, apart = ev.settle(product), ev.rescale(ev.relinearize(product))
    assert (merged.level, merged.degree) == (apart.level, apart.degree) == (product.level - 1, 1)
    assert merged.scale == pytest.approx(ckks.parameters.scale(merged.level), rel=1e-12)
    assert_holds(ckks, merged, z * w)
    assert_holds(ckks, apart, z * w)


@given(z=values(), step=st.integers(-SLOTS, SLOTS))
def test_rotation(ckks: KeyOwner, z: Values, step: int) -> None:
    ev, x = evaluator(ckks), encrypted(ckks, z)
    assert_holds(ckks, ev.rotate(x, step), np.roll(z, -step))
    assert_holds(ckks, ev.conjugate(x), z.conj())


@given(z=values(), steps=st.lists(st.integers(0, SLOTS - 1), min_size=1, max_size=4))
def test_hoisted_rotations_are_rotations(ckks: KeyOwner, z: Values, steps: list[int]) -> None:
    ev, x = evaluator(ckks), encrypted(ckks, z)
    for step, rotated in zip(steps, ev.rotations(x, steps), strict=True):
        alone = ev.rotate(x, step)
        for a, b in zip(alone.c, rotated.c, strict=True):
            assert np.array_equal(a.residues, b.residues)


@given(z=values(1.0), step=st.integers(1, SLOTS - 1))
def test_hoisted_rotations_settle_a_product_first(ckks: KeyOwner, z: Values, step: int) -> None:
    """The digits are those of the relinearised product, not of its second component."""
    ev, x = evaluator(ckks), encrypted(ckks, z, 1.0)
    assert_holds(ckks, ev.rotations(ev.multiply(x, x), [step])[0], np.roll(z * z, -step))


@given(z=values(1.0), level=st.integers(0, 2))
def test_adjusting_keeps_the_value_and_sets_the_scale(ckks: KeyOwner, z: Values, level: int) -> None:
    lower = evaluator(ckks).adjust(encrypted(ckks, z, 1.0), level)
    assert (lower.level, lower.scale) == (level, ckks.parameters.scale(level))
    assert_holds(ckks, lower, z)


def test_operands_never_change(ckks: KeyOwner) -> None:
    ev, z = evaluator(ckks), np.ones(SLOTS, dtype=np.complex128)
    x, y = encrypted(ckks, z), encrypted(ckks, z)
    before = [np.array(poly.residues) for poly in (*x.c, *y.c)]
    for operation in (ev.add, ev.sub, ev.multiply):
        ev.settle(operation(x, y))
    ev.rotate(x, 1)
    assert all(np.array_equal(a, poly.residues) for a, poly in zip(before, (*x.c, *y.c), strict=True))


def test_depth_exhausted(ckks: KeyOwner) -> None:
    ev, x = evaluator(ckks), encrypted(ckks, np.ones(SLOTS), bound=1.0)
    for _ in range(3):
        x = ev.settle(ev.multiply(x, x))
    assert x.level == 0
    with pytest.raises(LevelError, match=r"needs a level, none is left; use fhe.ckks\(depth=4\)"):
        ev.multiply(x, x)
    with pytest.raises(LevelError):
        ev.multiply_plain(x, 0.5)
    with pytest.raises(LevelError):
        ev.rescale(x)


def test_values_that_would_overflow_the_modulus_are_refused(ckks: KeyOwner) -> None:
    ev, x = evaluator(ckks), encrypted(ckks, np.full(SLOTS, 16.0), bound=16.0)
    low = ev.adjust(x, 0)
    with pytest.raises(ScaleError, match="smaller bound"):
        ev.multiply_plain(low, 8)
    with pytest.raises(ScaleError):
        ckks.encrypt([1.0], bound=2.0**200)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_a_number_is_refused(ckks: KeyOwner, bad: float) -> None:
    with pytest.raises(EncodingError, match="index 2 is NaN or infinite"):
        ckks.encrypt([0.0, 1.0, bad])


def test_bad_values_are_refused(ckks: KeyOwner) -> None:
    with pytest.raises(EncodingError, match="index 1 exceeds the public bound 16"):
        ckks.encrypt([0.0, 17.0])
    with pytest.raises(EncodingError, match="dtype"):
        ckks.encrypt(["text"])
    with pytest.raises(EncodingError, match="positive"):
        ckks.encrypt([1.0], bound=-1.0)
    with pytest.raises(EncodingError, match="do not fit 16 CKKS slots"):
        ckks.encoder.encode(np.zeros(17))
    with pytest.raises(LevelError, match="level 9 is outside"):
        ckks.encrypt([1.0], level=9)


def test_an_eager_evaluator_settles_every_product(backend: Backend) -> None:
    owner = KeyOwner(CKKS, backend, eager=True)
    x = owner.encrypt([0.5, -1.0], bound=1)
    for product in (x * x, x * [2.5, 1.5], x * 0.3, x * (x + 1)):
        (shard,) = product.shards
        assert (shard.degree, shard.level, shard.scale) == (1, CKKS.max_level - 1, CKKS.scale(CKKS.max_level - 1))
    np.testing.assert_allclose(owner.decrypt(x * (x + 1)), [0.75, 0.0], atol=1e-6)
    p, eager = Polynomial([0.5, 1.0, -2.0, 1.0]), evaluator(owner)
    cubic, lazy = (evaluate_polynomial(e, x.shards[0], p) for e in (eager, eager.lazy()))
    assert (cubic.degree, cubic.level) == (1, CKKS.max_level - 2)
    assert eager.precision_bits(cubic) > eager.precision_bits(lazy) - 1


@pytest.mark.parametrize("period", [1, 2, 8])
def test_repeating_slots_are_encoded_in_a_ring_of_their_own(ckks: KeyOwner, period: int) -> None:
    encoder, rng = CKKSEncoder(ckks.chain), np.random.default_rng(period)
    for values in (rng.normal(size=period), rng.normal(size=period) + 1j * rng.normal(size=period)):
        once = encoder.polynomial(values, 2.0**40, ckks.chain.q(1))
        full = encoder.polynomial(np.tile(values, encoder.slots // period), 2.0**40, ckks.chain.q(1))
        assert once.coefficients() == full.coefficients()
