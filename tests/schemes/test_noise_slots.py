"""CKKS noise slot by slot, against noise made from the definitions and against the library's own rotations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from fhe import noise
from fhe.backend.choose import choose
from fhe.backend.protocol import Backend
from fhe.ckks import precision
from fhe.owner import KeyOwner
from fhe.parameters import CKKSParameters, Parameters
from fhe.ring.poly import CoeffPoly, Poly
from fhe.rlwe.ciphertext import Ciphertext, Plaintext
from fhe.rlwe.public import Encryption, encrypt
from tests.schemes import owners
from tests.schemes.negacyclic import at_roots, error, ternary
from tests.schemes.owners import owner

TOY = "a small ring for tests"
CKKS = CKKSParameters(ring_degree=4096, modulus_bits=[46] + [40] * 5, special_bits=[42] * 3, digit=3, insecure=TOY)


def check_slots(values: Sequence[NDArray[np.complex128]], bound: float, within: float) -> None:
    largest = math.log2(max(np.abs(v).max() for v in values))
    assert bound - within <= largest <= bound


def test_fresh_slots() -> None:
    rng, n = np.random.default_rng(10), CKKS.ring_degree
    public, symmetric = [], []
    for _ in range(40):
        e, e1, s, u, e0 = (at_roots(draw(rng, n)) for draw in (error, error, ternary, ternary, error))
        public.append(e * u + e1 * s + e0)
        symmetric.append(e0)
    check_slots(public, noise.fresh_public_slots(CKKS), within=5)
    check_slots(symmetric, noise.fresh_symmetric_slots(CKKS), within=2.5)


def test_rounding_slots() -> None:
    rng, n = np.random.default_rng(11), CKKS.ring_degree
    linear, quadratic = [], []
    for _ in range(40):
        r0, r1, r2 = (at_roots(rng.random(n) - 0.5) for _ in range(3))
        s = at_roots(ternary(rng, n))
        linear.append(r0 + r1 * s)
        quadratic.append(r0 + r1 * s + r2 * s * s)
    check_slots(linear, noise.divide_round_slots(CKKS), within=4.5)
    check_slots(quadratic, noise.divide_round_slots(CKKS, 2), within=6.5)


def test_key_switching_slots() -> None:
    """Digits uniform in [-D/2, D/2]: no slot stands out, as slot 0 would if they were not centred."""
    rng, n = np.random.default_rng(12), CKKS.ring_degree
    log_p, values = CKKS.log_p, []
    for _ in range(60):
        total = np.zeros(n, dtype=np.complex128)
        for digit in CKKS.digits(5):
            size = 2.0 ** (sum(map(math.log2, digit)) - log_p)
            total += at_roots((rng.random(n) - 0.5) * size) * at_roots(error(rng, n))
        values.append(total)
    check_slots(values, noise.key_switch_slots(CKKS, 5), within=5)
    first, rest = (max(np.abs(v[k]).max() for v in values) for k in (slice(0, 2), slice(64, n - 64)))
    assert first < rest


def check_crafted(values: NDArray[np.complex128], bound: float) -> None:
    """All factors that a bound allows for are as large as they may be: then only the tail is left."""
    rms = math.sqrt(np.mean(np.abs(values) ** 2))
    assert math.isclose(2.0**bound, noise.spread(CKKS.ring_degree) * rms, rel_tol=0.05)


def test_no_term_is_missing_where_secrets_and_digits_are_as_large_as_may_be() -> None:
    """Each term of a slot, with u, s and the digits of the magnitude that bounds them: two per cent of the variance."""
    rng, n = np.random.default_rng(14), CKKS.ring_degree
    s = noise.secret_norm(n)
    e, e1, e0 = (np.concatenate([at_roots(error(rng, n)) for _ in range(20)]) for _ in range(3))
    r0, r1, r2 = (np.concatenate([at_roots(rng.random(n) - 0.5) for _ in range(20)]) for _ in range(3))
    check_crafted(e * s + e1 * s + e0, noise.fresh_public_slots(CKKS))
    check_crafted(r0 + r1 * s, noise.divide_round_slots(CKKS))
    check_crafted(r0 + r1 * s + r2 * s * s, noise.divide_round_slots(CKKS, 2))
    (digit,) = {math.prod(digit) / math.prod(CKKS.special) for digit in CKKS.digits(2)}
    largest = digit * math.sqrt(n / 12) * noise.spread(n)
    rounding = 2.0 ** noise.divide_round_slots(CKKS)
    check_crafted(e * largest, math.log2(2.0 ** noise.key_switch_slots(CKKS, 2) - rounding))


def test_key_switching_rounds_where_nothing_else_is_left() -> None:
    p = CKKSParameters(ring_degree=4096, modulus_bits=[46, 40], special_bits=[50] * 3, digit=1, insecure=TOY)
    assert math.isclose(noise.key_switch_slots(p, 1), noise.divide_round_slots(p), abs_tol=1e-3)


def test_ckks_products_are_exact_slot_by_slot() -> None:
    rng = np.random.default_rng(13)
    m, m_, v, v_ = (size * np.exp(2j * np.pi * rng.random(100)) for size in (2.0**40, 2.0**44, 2.0**15, 2.0**20))
    error_of_product = np.abs((m + v) * (m_ + v_) - m * m_).max()
    (fresh,) = owner(owners.CKKS, choose(None), "products").encrypt(1.0).shards
    x = replace(fresh, scale=2.0**40, bound=1.0, noise=2.0**15, rms=1.0)
    y = replace(fresh, scale=2.0**40, bound=16.0, noise=2.0**20, rms=1.0)
    assert error_of_product <= precision.product(x, y).bound <= 1.5 * error_of_product
    exact, nothing = {"noise": 0.0, "rms": 0.0}, {"bound": 0.0}
    assert precision.product(x, replace(y, **exact)).bound == 2.0 ** (15 + 44)
    assert precision.product(replace(x, **exact), y).bound == 2.0 ** (20 + 40)
    assert precision.product(replace(x, **nothing), replace(y, **nothing)).bound == 2.0 ** (15 + 20)


def test_rotations_stay_within_their_bound_in_every_slot() -> None:
    """P is no larger than a digit and encryption is symmetric, so that key switching is nearly all the noise."""
    p = CKKSParameters(ring_degree=1024, modulus_bits=[46] + [40] * 5, special_bits=[42] * 3, digit=3, insecure=TOY)
    relative = []
    for key in range(20):
        ctx = owner(p, choose(None), f"key {key}")
        x = ctx.encrypt(np.zeros(p.slots), bound=1.0, symmetric=True).shards[0]
        rotated = ctx.evaluator.rotate(x, 1)
        measured = np.abs(at_roots(ctx._secret.decrypt(rotated).lift())).max()
        relative.append(math.log2(measured / rotated.noise))
    assert max(relative) <= 0
    assert max(relative) > -6


@pytest.mark.parametrize("parameters", [owners.CKKS, owners.BFV], ids=["ckks", "bfv"])
def test_encryption_over_one_more_prime_leaves_rounding_alone(parameters: Parameters, backend: Backend) -> None:
    """Nothing of e u + e_0 + e_1 s is seen after the division by p; keys over Q alone still serve."""
    owner = owners.shared_owner(parameters, backend)
    assert owner.public_key is not None
    top = owner.chain.q(parameters.max_level)
    wide = owner.public_key
    narrow = replace(wide, b=wide.b.limbs(1, len(top) + 1), a=wide.a.limbs(1, len(top) + 1))
    assert (wide.encryption, narrow.encryption) == (Encryption.DIVIDED, Encryption.PUBLIC)
    zero = Plaintext(owner.chain, CoeffPoly.zero(top), parameters.max_level)
    largest = {}
    for key in (wide, narrow):
        errors = [owner._secret.decrypt(owner_ciphertext(owner, encrypt(key, zero))).lift() for _ in range(10)]
        largest[key.encryption] = math.log2(np.abs(errors).max())
    assert largest[Encryption.DIVIDED] <= noise.fresh_divided(parameters) < 7
    assert 5 < largest[Encryption.PUBLIC] <= noise.fresh_public(parameters)
    assert largest[Encryption.DIVIDED] < largest[Encryption.PUBLIC] - 2


def owner_ciphertext(owner: KeyOwner, c: tuple[Poly, ...]) -> Ciphertext:
    return Ciphertext(owner.chain, c, owner.parameters.max_level, owner.key_id)
