"""An owner decrypts modulo as few primes as values need: that says what all primes say, whatever was claimed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhe.backend.choose import choose
from fhe.opening import opened, sufficient_level
from fhe.owner import KeyOwner
from fhe.rlwe.ciphertext import Ciphertext
from tests.schemes.owners import BFV, CKKS, shared_owner
from tests.strategies import SEEDS

LEVELS = range(len(CKKS.modulus_bits))


@pytest.fixture(scope="module", params=["native", "reference"])
def owner(request: pytest.FixtureRequest) -> KeyOwner:
    return shared_owner(CKKS, choose(request.param))


def encrypted(owner: KeyOwner, seed: int, level: int, size: float = 1.0) -> Ciphertext:
    values = np.random.default_rng(seed).uniform(-size, size, owner.evaluator.slots)
    return owner.encrypt(values, bound=size, level=level).shards[0]


def by_all_primes(owner: KeyOwner, x: Ciphertext) -> np.ndarray:
    return owner.evaluator.decode(owner._secret.decrypt(x), x)


@given(SEEDS, st.sampled_from(LEVELS), st.booleans())
def test_few_primes_say_what_all_say(owner, seed, level, multiply):
    x = encrypted(owner, seed, level)
    x = owner.evaluator.multiply(x, x) if multiply and level else x
    assert np.array_equal(opened(owner.evaluator, owner._secret.decrypt, x), by_all_primes(owner, x))


@given(SEEDS, st.sampled_from([2.0**-30, 2.0**-60, 2.0**-300]))
def test_a_bound_that_is_wrong_changes_nothing(owner, seed, claim):
    """Too small by less than what is to spare, by more, and by so much that only two or three primes are looked at."""
    x = encrypted(owner, seed, LEVELS[-1], size=2.0**12)  # which at the scale is more than the first prime holds
    forged = replace(x, bound=claim, noise=0.0)
    assert sufficient_level(forged) <= sufficient_level(x) < x.level
    assert np.array_equal(opened(owner.evaluator, owner._secret.decrypt, forged), by_all_primes(owner, x))


def test_secrets_meet_no_more_limbs_than_they_must(owner):
    seen = []
    x = encrypted(owner, 1, LEVELS[-1])
    opened(owner.evaluator, lambda y: seen.append(len(y.c[0].basis)) or owner._secret.decrypt(y), x)
    assert seen == [len(x.at_level(sufficient_level(x)).c[0].basis)] < [len(x.c[0].basis)]


def test_a_message_of_integers_fills_its_modulus(owner):
    party = shared_owner(BFV, owner.chain.backend)
    x = party.encrypt([1, -2, 3]).shards[0]
    assert sufficient_level(x) == x.level
    assert opened(party.evaluator, party._secret.decrypt, x)[:3].tolist() == [1, -2, 3]
