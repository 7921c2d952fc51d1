"""Products of encrypted matrices: of any shapes that fit, in both schemes, within the tracked bound."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhe.backend.choose import choose
from fhe.backend.protocol import Backend
from fhe.circuits.matrix_product import MatrixProduct
from fhe.errors import EncodingError, LevelError, MissingKeyError
from fhe.owner import KeyOwner
from fhe.parameters import BFVParameters, CKKSParameters, Parameters
from fhe.rlwe.ciphertext import Ciphertext
from tests.circuits.test_linear import assert_holds, numbers, server
from tests.schemes.owners import INSECURE, shared_owner
from tests.strategies import SEEDS

SETS: dict[str, Parameters] = {
    "ckks": CKKSParameters(ring_degree=128, modulus_bits=[46] + [40] * 3, special_bits=[46, 46], insecure=INSECURE),
    "bfv": BFVParameters(
        ring_degree=128, modulus_bits=[45] * 5, special_bits=[46, 46], plain_modulus=257, insecure=INSECURE
    ),
}


@pytest.fixture(params=SETS)
def party(request: pytest.FixtureRequest, backend: Backend) -> KeyOwner:
    return shared_owner(SETS[request.param], backend)


@pytest.fixture(scope="session", params=SETS)
def quick(request: pytest.FixtureRequest) -> KeyOwner:
    return shared_owner(SETS[request.param], choose("native"))


def encrypted(owner: KeyOwner, product: MatrixProduct, matrix: np.ndarray) -> Ciphertext:
    return owner.encrypt(product.slots_of(matrix), bound=2).shards[0]


def check(owner: KeyOwner, product: MatrixProduct, m: int, inner: int, n: int, seed: int) -> None:
    A, B = numbers(owner.parameters, seed, m, inner), numbers(owner.parameters, seed + 1, inner, n)
    found = product(encrypted(owner, product, A), encrypted(owner, product, B))
    assert_holds(owner, found, product.slots_of(A @ B))


@pytest.mark.parametrize(("m", "inner", "n"), [(4, 4, 4), (2, 3, 1)])
def test_product_of_matrices(party: KeyOwner, m: int, inner: int, n: int) -> None:
    check(party, MatrixProduct(party.evaluator, m, inner, n), m, inner, n, seed=1)


@given(m=st.integers(1, 8), inner=st.integers(1, 8), n=st.integers(1, 9), seed=SEEDS, few=st.booleans())
def test_any_shapes_that_fit(quick: KeyOwner, m: int, inner: int, n: int, seed: int, few: bool) -> None:
    evaluator = server(quick, (1, 2, 4, 8, 16, 32)).evaluator if few else quick.evaluator
    try:
        product = MatrixProduct(evaluator, m, inner, n)
    except EncodingError:
        assert max(m, inner, n) > 8
        return
    check(quick, product, m, inner, n, seed)


def test_a_product_takes_two_levels_and_one_relinearisation(quick: KeyOwner) -> None:
    product = MatrixProduct(quick.evaluator, 4, 4, 4)
    x = encrypted(quick, product, numbers(quick.parameters, 1, 4, 4))
    assert product(x, x).degree == 2
    if isinstance(quick.parameters, CKKSParameters):
        assert quick.evaluator.settle(product(x, x)).level == x.level - 2
        with pytest.raises(LevelError):
            product(x.at_level(1), x)


def test_what_does_not_fit_or_lacks_keys_is_refused(quick: KeyOwner) -> None:
    with pytest.raises(EncodingError, match=r"\(9, 5\) and \(5, 5\) takes 16 rows of 16 slots"):
        MatrixProduct(quick.evaluator, 9, 5, 5)
    product = MatrixProduct(server(quick, (2,)).evaluator, 4, 4, 4)
    x = encrypted(quick, product, numbers(quick.parameters, 1, 4, 4))
    with pytest.raises(MissingKeyError, match=r"rotations=\[1, 3"):
        product(x, x)
