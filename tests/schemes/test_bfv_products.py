"""BFV products that wait undivided: sums, dot products, settling, and levels that follow the noise."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fhe import noise
from fhe.backend.protocol import Backend
from fhe.bfv.evaluator import BFVEvaluator
from fhe.bfv.product import MANY_PAIRS, auxiliary, holding, products
from fhe.errors import EncodingError, MissingKeyError, NoiseError, ParameterError
from fhe.owner import KeyOwner
from fhe.parameters import BFVParameters
from fhe.ring.poly import CoeffPoly, EvalPoly
from fhe.rlwe.chain import ModulusChain
from fhe.rlwe.ciphertext import Ciphertext
from fhe.rlwe.public import EvaluationKeys
from tests.schemes import negacyclic
from tests.schemes.owners import BFV, CKKS, INSECURE, owner, shared_owner
from tests.schemes.test_bfv import T, Values, assert_holds, centred, encrypted, evaluator, rolled, values

DEEP = BFVParameters(ring_degree=32, modulus_bits=[40] * 8, special_bits=[46] * 3, plain_modulus=257, insecure=INSECURE)


@pytest.fixture(scope="session")
def deep(backend: Backend) -> KeyOwner:
    """An owner with eight levels: A is shorter than P below, as long, and longer above."""
    return shared_owner(DEEP, backend)


# --- the auxiliary modulus ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "parameters",
    [
        BFV,
        DEEP,
        BFVParameters(
            ring_degree=64, modulus_bits=[50] * 3, special_bits=[20], digit=1, plain_modulus=12289, insecure=INSECURE
        ),
    ],
    ids=["even", "long", "narrow"],
)
def test_auxiliary_moduli_are_the_shortest_of_half_q_and_nested(parameters: BFVParameters) -> None:
    chain = ModulusChain.of(parameters, "reference")
    longest: tuple[int, ...] = ()
    for level in range(parameters.max_level + 1):
        Q, A = chain.q(level), auxiliary(chain, level).basis
        assert A.product << noise.AUXILIARY_BITS_SHORT >= Q.product
        assert A.limbs(1, len(A)).product << noise.AUXILIARY_BITS_SHORT < Q.product
        assert not set(A.moduli) & set(parameters.moduli())
        assert A.moduli[len(A) - len(longest) :] == longest
        longest = A.moduli
    shared = min(len(longest), len(parameters.special))
    assert longest[-shared:] == parameters.special[-shared:]


# --- sums with what is not yet divided ------------------------------------------------------------------------------


@given(v=values(), w=values(), level=st.integers(0, 7), k=st.integers(-9, 9))
def test_pending_products_take_part_in_everything(deep: KeyOwner, v: Values, w: Values, level: int, k: int) -> None:
    ev = evaluator(deep)
    x, y = (deep.encrypt(u, bound=math.inf, level=max(level, 1)).shards[0] for u in (v, w))
    product = ev.multiply(x, y)
    assert product.raised == len(auxiliary(deep.chain, x.level).basis)
    assert_holds(deep, ev.add(product, x), v * w + v)
    assert_holds(deep, ev.settle(ev.add(x, product)), v * w + v)
    assert_holds(deep, ev.relinearize(ev.sub(y, product)), w - v * w)
    assert_holds(deep, ev.sub(product, y), v * w - w)
    assert_holds(deep, ev.relinearize(ev.sub(product, ev.square(x))), v * w - v * v)
    assert_holds(deep, ev.negate(product), -v * w)
    assert_holds(deep, ev.settle(ev.multiply_plain(product, k)), v * w * k)
    assert_holds(deep, ev.settle(ev.add_plain(product, w)), v * w + w)
    assert_holds(deep, ev.rotate(product, 1), rolled(v * w, 1))
    assert_holds(deep, ev.add(product.divided(), product), 2 * v * w)
    lower = ev.mod_switch(product, 0)
    assert (lower.level, lower.degree, lower.raised) == (0, 2, 0)
    assert_holds(deep, lower, v * w)
    assert_holds(deep, ev.add(lower, product), 2 * v * w)


@given(v=values(), w=values())
def test_a_pending_product_meets_plaintexts(bfv: KeyOwner, v: Values, w: Values) -> None:
    ev, x = evaluator(bfv), encrypted(bfv, v)
    assert_holds(bfv, ev.settle(ev.multiply_plain(ev.square(x), w)), v * v % T * w)


def test_what_dividing_and_switching_add(bfv: KeyOwner) -> None:
    ev, x = evaluator(bfv), encrypted(bfv, np.arange(32))
    product = ev.square(x)
    silent, linear = (replace(c, noise=noise.NOTHING) for c in (product, x))
    assert ev.mod_switch(linear, 1).noise == noise.divide_round(BFV)
    assert ev.mod_switch(silent, 1).noise == noise.divide_round(BFV, 2)
    assert ev.mod_switch(silent.divided(), 1).noise == noise.divide_round(BFV, 2)
    assert ev.relinearize(silent).noise == noise.key_switch(BFV, 3)
    assert ev.rotate(linear, 1).noise == noise.key_switch(BFV, 3)
    assert ev.settle(product).noise == pytest.approx(noise.add(product.noise, noise.key_switch(BFV, 3)))


# --- dot products -----------------------------------------------------------------------------------------------------


@given(count=st.integers(1, 11), seed=st.integers(0, 2**32), level=st.integers(2, 7))
def test_a_dot_product_is_the_sum_of_products(deep: KeyOwner, count: int, seed: int, level: int) -> None:
    ev, rng = evaluator(deep), np.random.default_rng(seed)
    vs, ws = rng.integers(-(T // 2), T // 2 + 1, (2, count, 32))
    xs, ys = ([deep.encrypt(v, bound=math.inf, level=level).shards[0] for v in many] for many in (vs, ws))
    total = ev.inner_product(xs, ys)
    assert_holds(deep, total, (vs * ws).sum(axis=0))
    assert_holds(deep, ev.settle(total), (vs * ws).sum(axis=0))
    separate = sum(2 ** ev.multiply(x, y).noise for x, y in zip(xs, ys, strict=True))
    assert total.noise == pytest.approx(math.log2(separate))
    same = ev.inner_product([xs[0]] * count, [xs[0]] * count)
    assert_holds(deep, same, count * vs[0] * vs[0])


@pytest.mark.parametrize("count", [1, 3, MANY_PAIRS, 8, 9])
def test_sums_of_the_largest_integers_are_exact(count: int, backend: Backend) -> None:
    """Every coefficient of every component just below Q/2 (where `convert` is exact): all add up in the last one."""
    chain, t = ModulusChain.of(BFV, backend), BFV.plain_modulus
    Q, N = chain.q(3).product, BFV.ring_degree
    integer = Q // 2 - (Q >> 20)
    largest = _poly(chain, np.array([integer] * N, dtype=object))
    x = Ciphertext(chain, (largest, largest), 3, bytes(16))
    components, raised = products([(x, x)] * count)
    square = negacyclic.multiply([integer] * N, [integer] * N)
    for component, weight in zip(components, (1, 2, 1), strict=True):
        found = component.divide_round(raised, raised + 4) if raised else component
        exact = negacyclic.rounded(count * weight * t * square, 1, Q)
        error = negacyclic.centred(np.array(found.to_coeff().coefficients(), dtype=object) - exact, Q)
        if raised:  # one operand was rounded: |t/A x r| <= t/A N Q/2 1/2 for each pair
            assert max(abs(error)) <= count * weight * t * N * Q // auxiliary(chain, 3).basis.product // 4 + 1
        else:
            assert max(abs(error)) <= 1


def _poly(chain: ModulusChain, coefficients: NDArray[Any]) -> EvalPoly:
    basis = chain.q(3)
    residues = np.array([[int(c) % q for c in coefficients] for q in basis.moduli], dtype=np.uint64)
    return CoeffPoly(basis, chain.backend.load(basis.handle, residues)).to_eval()


@pytest.mark.parametrize("level", range(8))
def test_what_holds_a_sum(level: int) -> None:
    """Of any length: one of them nearly fills so many primes, whatever these are."""
    chain = ModulusChain.of(DEEP, "reference")
    for log_count in range(48):
        B, Q = holding(chain, level, log_count), chain.q(level).product
        least = 2 * DEEP.plain_modulus * DEEP.ring_degree * Q << log_count
        assert B.limbs(1, len(B)).product < least <= B.product
        assert not set(B.moduli) & set(DEEP.moduli())


def test_a_dot_product_is_relinearised_once(deep: KeyOwner, monkeypatch: pytest.MonkeyPatch) -> None:
    ev, calls = evaluator(deep), []
    original = type(ev)._relinearized
    monkeypatch.setattr(type(ev), "_relinearized", lambda *args: calls.append(1) or original(*args))
    x = encrypted(deep, np.arange(32))
    ev.settle(ev.inner_product([x] * 20, [x] * 20))
    assert len(calls) == 1


def test_dot_products_that_cannot_be_are_refused(bfv: KeyOwner, backend: Backend) -> None:
    ev, x = evaluator(bfv), encrypted(bfv, np.arange(32))
    for xs, ys in (([], []), ([x], [x, x])):
        with pytest.raises(EncodingError, match=rf"not {len(xs)} and {len(ys)} factors"):
            ev.inner_product(xs, ys)
    with pytest.raises(ValueError, match="under different keys do not mix"):
        ev.inner_product([x, x], [x, encrypted(owner(BFV, backend, "stranger"), np.arange(32))])
    noisy = ev.multiply_plain(ev.multiply_plain(ev.mod_switch(x, 0), T // 2), 16)
    with pytest.raises(NoiseError, match="a sum of 4 products at level 0 would bring"):
        ev.inner_product([noisy] * 4, [x] * 4)


def test_refusals_come_before_any_work(bfv: KeyOwner, monkeypatch: pytest.MonkeyPatch) -> None:
    ev, x = evaluator(bfv), encrypted(bfv, np.arange(32))
    low = ev.multiply_plain(ev.multiply_plain(ev.mod_switch(x, 0), T // 2), 16)
    product = ev.multiply(x, x)
    keyless = BFVEvaluator(ev.encoder, EvaluationKeys(bfv.chain, bfv.key_id))
    for name in ("mul", "mul_scalar", "inner_product", "ntt", "intt", "convert", "divide_round_eval"):
        monkeypatch.setattr(type(bfv.chain.backend), name, None)
    with pytest.raises(NoiseError, match="a sum of 8 products at level 0"):
        ev.inner_product([low] * 8, [low] * 8)
    with pytest.raises(NoiseError, match="a sum of 8 products at level 0"):
        ev.inner_product([low] * 8, [product] * 8)
    with pytest.raises(MissingKeyError, match="relinearis"):
        keyless.settle(product)


# --- levels that follow the noise -----------------------------------------------------------------------------------


@settings(max_examples=3)
@given(seed=st.integers(0, 2**32))
def test_levels_fall_with_the_noise_and_take_no_room(deep: KeyOwner, seed: int) -> None:
    ev, rng = evaluator(deep), np.random.default_rng(seed)
    v = rng.integers(-(T // 2), T // 2 + 1, 32)
    x, expected = encrypted(deep, v), v
    levels = [x.level]
    while ev.room_bits(x) > 24:
        product = ev.multiply(x, x)
        kept, x = ev.relinearize(product), ev.settle(product)
        expected = centred(expected * expected)
        assert_holds(deep, x, expected)
        lost = ev.room_bits(kept) - ev.room_bits(x)
        assert 0 <= lost <= math.log2(1 + 2.0**-noise.ABOVE_SWITCHING_BITS) + 1e-9
        if x.level < kept.level:
            assert x.noise >= noise.key_switch(DEEP, x.level) + noise.ABOVE_SWITCHING_BITS
        if x.level:
            one_less = kept.noise - (deep.chain.log_q(kept.level) - deep.chain.log_q(x.level - 1))
            assert one_less < noise.key_switch(DEEP, x.level - 1) + noise.ABOVE_SWITCHING_BITS
        assert ev.settle(x) is x
        levels.append(x.level)
    assert levels[0] == 7
    assert levels[-1] <= 1
    assert levels == sorted(levels, reverse=True)


def test_products_that_are_said_to_fit_do(deep: KeyOwner) -> None:
    ev, x = evaluator(deep), encrypted(deep, np.arange(32))
    promised = [ev.products_left(x)]
    while promised[-1]:
        x = ev.settle(ev.multiply(x, x))
        promised.append(ev.products_left(x))
    assert len(promised) - 1 >= promised[0] >= 8
    assert all(before - after <= 1 for before, after in pairwise(promised))
    with pytest.raises(NoiseError):
        ev.multiply(x, x)
    assert ev.products_left(encrypted(deep, np.arange(32)), factor_bits=1000.0) == 0


def test_arrays_tell_their_budget(deep: KeyOwner) -> None:
    x = deep.encrypt(np.arange(32) % 4, bound=math.inf)
    assert x.products_left == evaluator(deep).products_left(x.shards[0]) > (x * x).products_left
    assert x.room_bits == x.noise_budget_bits <= deep.noise_budget_bits(x)
    with pytest.raises(ParameterError, match="a notion of BFV"):
        _ = shared_owner(CKKS, deep.chain.backend).encrypt([1.0]).noise_budget_bits


def test_noise_of_plaintext_products_moves_levels_too(deep: KeyOwner) -> None:
    ev, x = evaluator(deep), encrypted(deep, np.ones(32, dtype=np.int64))
    for _ in range(8):
        x = ev.multiply_plain(x, T // 2)
    assert x.level == 7
    settled = ev.settle(x)
    assert settled.level < 7
    assert_holds(deep, settled, np.full(32, pow(T // 2, 8, T)))
