"""What hides the secret: every row of every key, and every encryption, has an error of its own that nobody else knows.

A key whose errors are zero, repeat, or expand from a seed that is given away works like any other, and tells its secret
to whoever solves linear equations. So errors are read off here, with the secret, from the equations that define them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

import fhe
from fhe.errors import ParameterError
from fhe.owner import KeyOwner
from fhe.ring.poly import EvalPoly
from fhe.ring.random import error, ternary, uniform
from fhe.rlwe.automorphism import inverse_element
from fhe.rlwe.ciphertext import Plaintext
from fhe.rlwe.keyswitch import SwitchingKey
from fhe.rlwe.public import PublicKey, encrypt
from fhe.rlwe.secret import _gadget

N = 256
Errors = Sequence[int]


@pytest.fixture(scope="module")
def owner() -> KeyOwner:
    return fhe.ckks(depth=3, ring_degree=N, insecure="a small ring for a test")


def secret(owner: KeyOwner) -> EvalPoly:
    """s over P*Q at the highest level."""
    return owner._secret._s


def read(poly: EvalPoly) -> Errors:
    return tuple(poly.to_coeff().coefficients())


def of_public_key(owner: KeyOwner) -> Errors:
    """e = b + a s over p*Q."""
    key, special = owner.public_key, len(owner.parameters.special)
    assert key is not None
    s = secret(owner)
    return read(key.b + key.a * s.limbs(0, 1).join(s.limbs(special, len(s.basis))))


def of_switching_key(owner: KeyOwner, key: SwitchingKey, source: EvalPoly, target: EvalPoly) -> list[Errors]:
    """e_j = b_j + a_j s - P g_j s'."""
    gadgets = _gadget(owner.chain, key.level)
    return [read(b + a * target - source.scale_limbs(g)) for b, a, g in zip(key.b, key.a, gadgets, strict=True)]


def message(owner: KeyOwner) -> Plaintext:
    return owner.evaluator.encode(np.linspace(-1, 1, N // 2), owner.parameters.max_level, 1.0)


def of_encryption(owner: KeyOwner, plain: Plaintext) -> tuple[Errors, bytes]:
    """e = c_0 + c_1 s - m, and the seed of c_1."""
    (c0, c1), seed = owner._secret.encrypt(plain)
    s = owner._secret._over_q(plain.poly.basis.moduli)
    return read(c0.to_eval() + c1.to_eval() * s - plain.poly.to_eval()), seed


def all_errors(owner: KeyOwner) -> tuple[list[Errors], list[bytes]]:
    """Of all keys and of two encryptions; and the seeds that are given away with them."""
    s, keys = secret(owner), owner.keys
    relinearization, galois = keys.require_relinearization(), {g: keys.require_galois(g) for g in (5, 2 * N - 1)}
    assert owner.public_key is not None
    found = [of_public_key(owner), *of_switching_key(owner, relinearization, s * s, s)]
    seeds = [owner.public_key.seed, relinearization.seed, *(key.seed for key in galois.values())]
    for element, key in galois.items():
        found += of_switching_key(owner, key, s, s.automorphism(inverse_element(element, N)))
    for sent in [of_encryption(owner, message(owner)) for _ in range(2)]:
        found.append(sent[0])
        seeds.append(sent[1])
    return found, seeds


def is_centred_binomial(errors: Errors) -> bool:
    """Within the range, and of the variance: for N = 256 that fails with probability below 2^-40."""
    return max(map(abs, errors)) <= 21 and 4 < np.mean(np.square(errors)) < 19


def all_different(rows: Iterable[Errors]) -> bool:
    return all(a != b for a, b in combinations(rows, 2))


def test_every_row_has_an_error_of_its_own(owner: KeyOwner) -> None:
    found, _ = all_errors(owner)
    assert len(found) > 8
    assert all(map(is_centred_binomial, found))
    assert all_different(found)


def test_no_error_expands_from_a_seed_that_is_given_away(owner: KeyOwner) -> None:
    found, seeds = all_errors(owner)
    digits = len(owner.keys.require_relinearization().b)
    told = {
        tuple(error(owner.chain.top, seed, component, digit).coefficients())
        for seed in seeds
        for component in range(2)
        for digit in range(digits)
    }
    assert not told & set(found)
    assert len(told) == len(seeds) * 2 * digits


def test_uniform_halves_differ_from_row_to_row_and_prime_to_prime(owner: KeyOwner) -> None:
    key = owner.keys.require_relinearization()
    rows = [tuple(row) for a in key.a for row in a.natural().tolist()]
    assert all_different([tuple(value % 97 for value in row) for row in rows])
    basis = owner.chain.q(1)
    assert all_different(
        tuple(np.ravel(uniform(basis, bytes(32), *label).natural())) for label in [(0, 0), (1, 0), (0, 1)]
    )


def test_public_encryption_adds_two_errors_of_its_own(owner: KeyOwner) -> None:
    """c_0 = b u + e_0 + m and c_1 = a u + e_1 over Q, where nothing is divided; u expands from the drawn seed."""
    key, plain, chain = owner.public_key, message(owner), owner.chain
    assert key is not None
    limbs = len(plain.poly.basis)
    b, a = (half.limbs(1, 1 + limbs) for half in (key.b, key.a))
    narrow, drawn, found = PublicKey(chain, b, a, key.seed, key.key_id), iter([bytes(32), bytes(31) + b"1"]), []
    for seed in (bytes(32), bytes(31) + b"1"):
        c0, c1 = encrypt(narrow, plain, lambda: next(drawn))
        u = ternary(plain.poly.basis, seed)
        assert {abs(coefficient) for coefficient in u.coefficients()} == {0, 1}
        found += [read(c0.to_eval() - b * u.to_eval() - plain.poly.to_eval()), read(c1.to_eval() - a * u.to_eval())]
    assert all(map(is_centred_binomial, found))
    assert all_different(found)


def test_a_plaintext_of_another_set_is_not_encrypted(owner: KeyOwner) -> None:
    other = fhe.ckks(depth=4, ring_degree=N, insecure="a small ring for a test")
    assert owner.public_key is not None
    with pytest.raises(ParameterError, match="another parameter set"):
        encrypt(owner.public_key, message(other))


def test_ciphertexts_of_two_sets_do_not_mix_even_under_one_name(owner: KeyOwner) -> None:
    """Two owners whose keys are called the same are still two."""
    other = fhe.ckks(depth=4, ring_degree=N, insecure="a small ring for a test")
    (x,), (y,) = owner.encrypt(1.0).shards, other.encrypt(1.0).shards
    for operation in (owner.evaluator.add, owner.evaluator.sub, owner.evaluator.multiply):
        with pytest.raises(ParameterError, match="different parameter sets"):
            operation(x, replace(y, key_id=x.key_id))
