"""Encrypted arrays against NumPy: the same expression on both, decrypted, agrees."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fhe.arrays.array import EncryptedArray
from fhe.backend.protocol import Backend
from fhe.errors import EncodingError, LevelError, MissingKeyError, ParameterError
from fhe.owner import KeyOwner
from fhe.parameters import BFVParameters, CKKSParameters, Parameters
from tests.schemes.owners import INSECURE, owner

CKKS = CKKSParameters(
    ring_degree=32, modulus_bits=[60] + [40] * 3, special_bits=[46, 46], scale_bits=40, insecure=INSECURE
)
BFV = BFVParameters(
    ring_degree=32, modulus_bits=[45] * 4, special_bits=[46, 46], plain_modulus=65537, insecure=INSECURE
)


@lru_cache
def keys(parameters: Parameters, backend: Backend) -> KeyOwner:
    return owner(parameters, backend, "arrays")


@pytest.fixture(params=[CKKS, BFV], ids=["ckks", "bfv"])
def party(request: pytest.FixtureRequest, backend: Backend) -> KeyOwner:
    """An owner of either scheme: 16 real slots, or 32 integer slots."""
    return keys(request.param, backend)


def data(party: KeyOwner, *shape: int, seed: int = 1) -> NDArray[Any]:
    """Small numbers that both schemes encrypt."""
    return np.random.default_rng(seed).integers(-4, 5, shape)


def encrypted(party: KeyOwner, values: NDArray[Any]) -> EncryptedArray:
    return party.encrypt(values, bound=4.0)


def assert_decrypts(party: KeyOwner, x: EncryptedArray, expected: Any) -> None:
    actual = party.decrypt(x)
    assert actual.shape == np.shape(expected) == x.shape
    np.testing.assert_allclose(actual, expected, atol=2e-5)


EXPRESSIONS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "add": lambda x, y, p: x + y,
    "add plain": lambda x, y, p: x + p,
    "plain add": lambda x, y, p: p + x,
    "add number": lambda x, y, p: 3 + x,
    "subtract": lambda x, y, p: x - y,
    "subtract plain": lambda x, y, p: x - p,
    "plain subtract": lambda x, y, p: p - x,
    "number subtract": lambda x, y, p: 3 - x,
    "negate": lambda x, y, p: -x,
    "multiply": lambda x, y, p: x * y,
    "multiply plain": lambda x, y, p: x * p,
    "plain multiply": lambda x, y, p: p * x,
    "multiply number": lambda x, y, p: x * -2,
    "square": lambda x, y, p: x * x,
    "cube": lambda x, y, p: x**3,
    "mixed": lambda x, y, p: 2 * x * y - p * x + x - 1,
    "np.add": lambda x, y, p: np.add(p, x),
    "np.subtract": lambda x, y, p: np.subtract(p, x),
    "np.multiply": lambda x, y, p: np.multiply(x, y),
    "np.negative": lambda x, y, p: np.negative(x),
    "np.square": lambda x, y, p: np.square(x),
    "dot plain": lambda x, y, p: x @ p,
    "plain dot": lambda x, y, p: p @ x,
    "dot": lambda x, y, p: x @ y,
    "dot method": lambda x, y, p: x.dot(y),
    "sum": lambda x, y, p: x.sum(),
    "sum of a sum": lambda x, y, p: (x + 1).sum(),
    "sum of products": lambda x, y, p: (x * y + p).sum(),
}


@pytest.mark.parametrize("expression", EXPRESSIONS.values(), ids=EXPRESSIONS)
@pytest.mark.parametrize("length", [1, 5, 16, 37])
def test_vectors(party: KeyOwner, expression: Callable[[Any, Any, Any], Any], length: int) -> None:
    x, y, plain = (data(party, length, seed=seed) for seed in (1, 2, 3))
    assert_decrypts(party, expression(encrypted(party, x), encrypted(party, y), plain), expression(x, y, plain))


@pytest.mark.parametrize("shape", [(1, 3), (4, 3), (5, 8), (9, 1)])
def test_rows(party: KeyOwner, shape: tuple[int, int]) -> None:
    X, w, b = data(party, *shape), data(party, shape[1], seed=2), data(party, shape[0], seed=3)
    x = encrypted(party, X)
    assert_decrypts(party, x, X)
    assert_decrypts(party, x @ w, X @ w)
    assert_decrypts(party, x @ w + b, X @ w + b)
    assert_decrypts(party, (x @ w + 1) * 2, (X @ w + 1) * 2)
    assert_decrypts(party, x * w, X * w)
    assert_decrypts(party, x.sum(axis=-1), X.sum(axis=-1))
    assert_decrypts(party, x.sum(), X.sum())
    assert_decrypts(party, (x @ w + 1).sum(), (X @ w + 1).sum())  # padding masked away


@pytest.mark.parametrize(("m", "n"), [(1, 1), (3, 5), (5, 3), (8, 8), (16, 9)])
def test_plain_matrix_times_vector(party: KeyOwner, m: int, n: int) -> None:
    M, v = data(party, m, n), data(party, n, seed=2)
    x = encrypted(party, v)
    assert_decrypts(party, M @ x, M @ v)
    assert_decrypts(party, x @ M.T, v @ M.T)
    assert_decrypts(party, np.zeros_like(M) @ x, np.zeros(m))


def test_numbers(party: KeyOwner) -> None:
    x = encrypted(party, np.array(3))
    assert x.shape == ()
    assert_decrypts(party, x * x - 2, 7)


def test_reals_and_complex_numbers(backend: Backend) -> None:
    party = keys(CKKS, backend)
    z = np.exp(1j * np.arange(5))
    x = party.encrypt(z, bound=1)
    assert party.decrypt(x).dtype == np.complex128
    assert_decrypts(party, x * z / 2, z * z / 2)
    real = party.encrypt(z.real, bound=1)
    assert party.decrypt(real).dtype == np.float64
    assert_decrypts(party, real * 0.3 - 1.5, z.real * 0.3 - 1.5)
    assert_decrypts(party, real * 1j, z.real * 1j)


# --- what is refused, before any work -----------------------------------------------------------------------------


def test_shapes_that_do_not_fit(party: KeyOwner) -> None:
    x, rows = encrypted(party, data(party, 5)), encrypted(party, data(party, 4, 3))
    with pytest.raises(EncodingError, match=r"shapes \(5,\) and \(4,\) do not broadcast"):
        x + encrypted(party, data(party, 4))
    with pytest.raises(EncodingError, match=r"shapes \(5,\) and \(4,\) do not broadcast"):
        x + data(party, 4)
    with pytest.raises(EncodingError, match="5 and 4 differ"):
        x @ data(party, 4)
    with pytest.raises(EncodingError, match=r"\(4, 3\) and \(2, 3\): 3 and 2 differ"):
        rows @ data(party, 2, 3)
    with pytest.raises(EncodingError, match="at least one element"):
        party.encrypt([])
    with pytest.raises(EncodingError, match="at least one element"):
        x[3:3]
    with pytest.raises(IndexError, match="axis 2"):
        rows.sum(axis=2)


@pytest.mark.parametrize("exponent", [0, -1, 2.0, True])
def test_exponents_that_are_no_powers(party: KeyOwner, exponent: Any) -> None:
    with pytest.raises(EncodingError, match="whole number of at least 1"):
        encrypted(party, data(party, 3)) ** exponent


def test_powers_too_deep(backend: Backend) -> None:
    with pytest.raises(LevelError, match=r"x\*\*40 needs 6 levels, 3 are left; use fhe.ckks\(depth=6\)"):
        keys(CKKS, backend).encrypt([1.0], bound=1) ** 40


def test_what_encryption_makes_impossible(party: KeyOwner) -> None:
    x = encrypted(party, data(party, 3))
    for question in (bool, float, int, complex, np.asarray):
        with pytest.raises(TypeError, match="encrypted"):
            question(x)
    with pytest.raises(TypeError, match=r"np\.arctan2 of an encrypted array is not offered; there are add"):
        np.arctan2(x, x)
    with pytest.raises(TypeError, match="each without keywords"):
        np.add(x, 1, where=[True, False, True])
    for compare in (operator.eq, operator.ne) if x.dtype.kind == "f" else ():
        for other in (0, x, np.zeros(3)):
            with pytest.raises(TypeError, match="never known to be equal"):
                compare(x, other)
    with pytest.raises(TypeError):
        x / x
    assert len(x) == 3
    with pytest.raises(TypeError, match="expected an EncryptedArray, got ndarray"):
        party.decrypt(np.zeros(3))  # type: ignore[arg-type]


def test_a_missing_rotation_key_is_named(party: KeyOwner) -> None:
    server = party.public(rotations=[2, 4], conjugation=False)
    x = server.encrypt(data(party, 16), bound=4)
    assert server.rotations == [2, 4]
    with pytest.raises(MissingKeyError, match=r"rotating by 1 .* has \[2, 4\].*rotations=\[1\]"):
        x.sum()
    with pytest.raises(MissingKeyError, match=r"rotations=\[1"):
        np.ones((4, 16), dtype=int) @ x


def test_a_missing_relinearization_key_is_named(party: KeyOwner) -> None:
    server = party.public(relinearization=False, rotations=[])
    x = server.encrypt(data(party, 3), bound=4)
    with pytest.raises(MissingKeyError, match="relinearization=True"):
        x**3


def test_arrays_of_different_owners_do_not_mix(party: KeyOwner, backend: Backend) -> None:
    stranger = owner(party.parameters, backend, "stranger")
    with pytest.raises(ParameterError, match="different keys"):
        encrypted(party, data(party, 3)) + encrypted(stranger, data(party, 3))
    with pytest.raises(ParameterError, match="belongs to key"):
        party.decrypt(encrypted(stranger, data(party, 3)))


def test_a_public_context_computes_what_its_owner_computes(party: KeyOwner) -> None:
    server = party.public()
    X, w = data(party, 4, 3), data(party, 3, seed=2)
    assert_decrypts(party, server.encrypt(X, bound=4) @ w, X @ w)
    assert_decrypts(party, (server.encrypt(w, bound=4) * server.encrypt(w, bound=4)).sum(), w @ w)


@pytest.mark.parametrize(("m", "inner", "n"), [(4, 4, 4), (3, 4, 3)])
def test_encrypted_matrices_that_lie_alike_multiply_in_one_ciphertext(
    party: KeyOwner, m: int, inner: int, n: int
) -> None:
    A, B = data(party, m, inner) % 3, data(party, inner, n, seed=2) % 3
    x, y = (party.encrypt(matrix, bound=3) for matrix in (A, B))
    product = x @ y
    assert (len(product.shards), product.shape) == (1, (m, n))
    assert_decrypts(party, product, A @ B)
    assert_decrypts(party, product + product, 2 * (A @ B))
