"""A ciphertext moves from one secret to another without being decrypted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fhe.backend.protocol import Backend
from fhe.ckks import precision
from fhe.errors import LevelError, ParameterError
from fhe.rlwe.evaluate import switch_secret
from tests.schemes.owners import BFV, CKKS, owner, shared_owner


def test_bfv_changes_its_secret(backend: Backend) -> None:
    alice, bob = shared_owner(BFV, backend), owner(BFV, backend, "bob")
    key = alice._secret.switching_key_to(bob._secret)
    v = np.arange(32) - 16
    moved = switch_secret(alice.encrypt(v, bound=16).shards[0], key, bob.key_id)
    assert np.array_equal(bob.evaluator.decode(bob._secret.decrypt(moved), moved), v)
    with pytest.raises(ParameterError, match="under key"):
        alice._secret.decrypt(moved)


def test_ckks_changes_its_secret_at_any_level(backend: Backend) -> None:
    alice, bob = shared_owner(CKKS, backend), owner(CKKS, backend, "bob")
    z = np.linspace(-1, 1, 16)
    for level in (3, 1):
        key = alice._secret.switching_key_to(bob._secret, level)
        x = alice.encrypt(z, bound=1, level=level).shards[0]
        moved = switch_secret(x, key, bob.key_id)
        error = np.max(np.abs(bob.evaluator.decode(bob._secret.decrypt(moved), moved) - z))
        assert error <= (x.noise + precision.key_switch(CKKS, level).bound) / x.scale


def test_what_does_not_fit_a_key_is_refused(backend: Backend) -> None:
    alice, bob = shared_owner(CKKS, backend), owner(CKKS, backend, "bob")
    key = alice._secret.switching_key_to(bob._secret, level=1)
    for level in (2, 3):
        x = alice.encrypt([1.0], bound=1, level=level).shards[0]
        with pytest.raises(LevelError, match=f"made for levels up to 1, the ciphertext is at level {level}"):
            switch_secret(x, key, bob.key_id)
    with pytest.raises(ParameterError, match="degree 2; settle it first"):
        switch_secret(replace(x, c=(*x.c, x.c[0])), key, bob.key_id)
