"""Arrays of any shape, encrypted in both schemes on the definition and the native core, against NumPy."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from fhe.arrays.array import EncryptedArray
from fhe.backend.choose import choose
from fhe.errors import EncodingError
from fhe.owner import KeyOwner
from fhe.parameters import BFVParameters, CKKSParameters
from tests.schemes.owners import COEFFICIENTS, INSECURE, shared_owner

CKKS = CKKSParameters(
    ring_degree=32, modulus_bits=[60] + [40] * 3, special_bits=[46, 46], scale_bits=40, insecure=INSECURE
)
BFV = BFVParameters(
    ring_degree=32, modulus_bits=[45] * 5, special_bits=[46, 46], plain_modulus=1099511628161, insecure=INSECURE
)
PARTIES = {
    f"{name} {backend}": (parameters, backend)
    for backend in ("native", "reference")
    for name, parameters in (("ckks", CKKS), ("bfv", BFV))
}
FEW = settings(max_examples=max(settings().max_examples // 2, 5))


@pytest.fixture(scope="module", params=PARTIES.values(), ids=PARTIES)
def party(request: pytest.FixtureRequest) -> KeyOwner:
    """16 real slots, or two rows of 16 integer ones."""
    parameters, backend = request.param
    return shared_owner(parameters, choose(backend))


def pairs(party: KeyOwner, shape: tuple[int, ...]) -> st.SearchStrategy[tuple[NDArray[Any], EncryptedArray]]:
    """Small whole numbers, in the clear and encrypted, an axis across the slots perhaps, or turned round."""

    def pair(values: NDArray[Any], batch: int | None, turned: bool) -> tuple[NDArray[Any], EncryptedArray]:
        x = party.encrypt(values, bound=4, batch=batch)
        return (values.T[::-1].T, x.T[::-1].T) if turned and shape else (values, x)

    axes = st.none() | st.integers(0, len(shape) - 1) if shape else st.none()
    return st.builds(pair, hnp.arrays(np.int64, shape, elements=st.integers(-4, 4)), axes, st.booleans())


def assert_decrypts(party: KeyOwner, x: EncryptedArray, expected: Any) -> None:
    found = party.decrypt(x)
    assert found.shape == np.shape(expected) == x.shape
    slots = np.array([party.evaluator.decode(party._secret.decrypt(shard), shard) for shard in x.shards])
    contents = x.layout.contents()  # what the layout claims of padding and repetitions
    held, claimed = slots[contents >= 0], np.append(0, expected)[contents[contents >= 0]]
    for error in (np.abs(found - expected).max(), np.abs(held - claimed).max()):
        assert error == 0 if party.parameters is BFV else error <= 2.0**-x.precision_bits < 2e-4


@FEW
@given(st.data(), hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=5), st.booleans())
def test_broadcasting(party: KeyOwner, data: st.DataObject, shapes: Any, plain: bool) -> None:
    (a, x), (b, y) = (data.draw(pairs(party, shape)) for shape in shapes.input_shapes)
    operation = data.draw(st.sampled_from([operator.add, operator.sub, operator.mul]))
    expected = operation(a, b)
    assume(expected.size <= 64)
    assert_decrypts(party, operation(x, b if plain else y), expected)


@FEW
@given(st.data(), hnp.array_shapes(max_dims=3, max_side=5))
def test_indexing_and_order(party: KeyOwner, data: st.DataObject, shape: tuple[int, ...]) -> None:
    values, x = data.draw(pairs(party, shape))
    index = data.draw(hnp.basic_indices(shape, allow_newaxis=True) | hnp.integer_array_indices(shape))
    assume(0 < values[index].size <= 40)
    assert_decrypts(party, x[index], values[index])
    assert_decrypts(party, x.reshape(-1), values.reshape(-1))
    assert_decrypts(party, np.roll(x, 1, axis=0) * 2, np.roll(values, 1, axis=0) * 2)


@FEW
@given(st.data(), hnp.array_shapes(max_dims=3, max_side=5), st.booleans())
def test_reductions(party: KeyOwner, data: st.DataObject, shape: tuple[int, ...], keepdims: bool) -> None:
    values, x = data.draw(pairs(party, shape))
    axes = data.draw(st.none() | st.sets(st.sampled_from(range(len(shape)))).map(tuple))
    assert_decrypts(party, x.sum(axis=axes, keepdims=keepdims), values.sum(axis=axes, keepdims=keepdims))
    assert_decrypts(party, np.cumsum(x, axis=0), np.cumsum(values, axis=0))
    assert_decrypts(party, (x * 2 - x.sum(axis=0)).sum(), (values * 2 - values.sum(axis=0)).sum())


@FEW
@given(st.data(), hnp.array_shapes(max_dims=3, max_side=5))
def test_bytes_carry_any_layout(party: KeyOwner, data: st.DataObject, shape: tuple[int, ...]) -> None:
    values, x = data.draw(pairs(party, shape))
    for a, y in ((values, x), (values[1:] if shape[0] > 1 else values, x[1:] if shape[0] > 1 else x)):
        read = party.load(y.to_bytes())
        assert read.layout == y.layout
        assert_decrypts(party, read, a)
    wide = np.broadcast_to(x, (2, *shape))
    assert_decrypts(party, party.load(wide.to_bytes()), np.broadcast_to(values, (2, *shape)))


MATRICES = {
    "rows @ W": lambda x, W: x @ W[:3],
    "batches @ W": lambda x, W: x.reshape(2, 2, 3) @ W[:3],
    "W @ columns": lambda x, W: W[:, :4] @ x,
    "W @ a transposed view": lambda x, W: W[:, :3] @ x.T,
    "a slice @ W": lambda x, W: x[1:3] @ W[:3, :2],
    "columns from the second on @ W": lambda x, W: x[:, 1:] @ W[:2, :2],
    "W @ rows from the second on": lambda x, W: W[:3, :2] @ x[1:3],
    "rows @ more": lambda x, W: x @ np.tile(W[:3], 4),
    "rows @ w": lambda x, W: x @ W[0, :3],
    "W @ W @ a row": lambda x, W: W @ (W[:, :3] @ x[0]),
    "running sums": lambda x, W: np.cumsum(x, axis=1),
    "running sums of columns": lambda x, W: np.cumsum(x, axis=0),
}


@pytest.mark.parametrize("product", MATRICES.values(), ids=MATRICES)
@pytest.mark.parametrize("batch", [None, 0])
def test_plain_matrices(party: KeyOwner, product: Any, batch: int | None) -> None:
    X, W = np.arange(12).reshape(4, 3) % 5 - 2, np.arange(25).reshape(5, 5) % 7 - 3
    x = party.encrypt(X, bound=4, batch=batch)
    assert_decrypts(party, product(x, W), product(X, W))


@pytest.mark.parametrize("shapes", [((4, 4), (4, 4)), ((2, 3), (3, 4)), ((3, 2), (2, 2)), ((5, 3), (3, 6))])
@pytest.mark.parametrize("level", [3, 2])
def test_encrypted_matrices(party: KeyOwner, shapes: Any, level: int) -> None:
    """In slots where they fit, levels permitting, else column by column."""
    A, B = (np.random.default_rng(k).integers(-2, 3, shape) for k, shape in enumerate(shapes))
    x, y = (party.encrypt(M, bound=2, level=level if party.parameters is CKKS else None) for M in (A, B))
    assert_decrypts(party, x @ y, A @ B)
    assert_decrypts(party, y.T @ x.T, (A @ B).T)


def test_an_encoded_matrix_acts_on_rows_columns_and_vectors(party: KeyOwner) -> None:
    X, W = np.arange(12).reshape(4, 3) % 5 - 2, np.arange(15).reshape(3, 5) % 7 - 3
    x, encoded = party.encrypt(X, bound=4), party.encode_matrix(W)
    assert_decrypts(party, x @ encoded, X @ W)
    assert_decrypts(party, encoded.T @ x.T, W.T @ X.T)
    assert_decrypts(party, x[2] @ encoded, X[2] @ W)
    assert_decrypts(party, x[:, None] @ encoded, X[:, None] @ W)
    with pytest.raises(EncodingError, match="5 and 4 differ"):
        encoded @ x


def test_values_that_move_stay_within_their_bound(party: KeyOwner) -> None:
    """Masked parts put together are no larger than each of them, and nothing overflows for it."""
    x = party.encrypt(np.arange(-4, 5), bound=4)
    order = [3, 1, 8, 0, 2, 7, 5, 6, 4]
    moved = x[order]
    assert max(shard.bound for shard in moved.shards) == 4
    assert_decrypts(party, moved, np.arange(-4, 5)[order])
    spread = np.broadcast_to(x[:, None], (9, 3)) + np.zeros((9, 3), dtype=int)
    assert max(shard.bound for shard in spread.shards) <= 4 + 2.0**-20
    assert_decrypts(party, spread, np.repeat(np.arange(-4, 5)[:, None], 3, axis=1))


def test_plain_values_are_checked_where_they_stand(party: KeyOwner) -> None:
    x = party.encrypt(np.ones((3, 2), dtype=int), bound=4)
    wrong = np.ones((3, 2))
    wrong[2, 1] = np.nan
    with pytest.raises(EncodingError, match=r"\(2, 1\)|dtype float64"):
        x * wrong
    with pytest.raises(EncodingError):
        x + np.array(["a", "b"])


def test_plain_integers_may_be_of_any_size(party: KeyOwner) -> None:
    """On reals no bound is assumed of plain whole numbers, in arrays as little as alone."""
    values, x = np.array([100, -200, 3]), party.encrypt([1, 2, 3], bound=4)
    assert_decrypts(party, x * values, [100, -400, 9])
    assert_decrypts(party, x + values.astype(np.int16), [101, -198, 6])
    assert_decrypts(party, values @ x, -291)
    assert_decrypts(party, np.convolve(x, [100, -20]), [100, 180, 260, -60])


def test_complex_arrays(party: KeyOwner) -> None:
    if party.parameters is BFV:
        with pytest.raises(EncodingError):
            party.encrypt([1j])
        return
    z = np.exp(1j * np.arange(6)).reshape(2, 3)
    x = party.encrypt(z, bound=1)
    for found, expected in (
        (x.real, z.real), (x.imag, z.imag), (np.conj(x), z.conj()), (x @ x.conj().T, z @ z.conj().T),
        (np.vdot(x, x), np.vdot(z, z)), (np.real(x * 2), (z * 2).real), (x.var(axis=1), z.var(axis=1)),
    ):  # fmt: skip
        assert found.dtype == np.asarray(expected).dtype
        np.testing.assert_allclose(party.decrypt(found), expected, atol=1e-5)
    real = party.encrypt([1.0, 2.0], bound=2)
    assert real.conj() is real.real is real
    assert_decrypts(party, real.imag, [0, 0])


def test_coefficients_stay_where_they_are() -> None:
    """Without slots a message is what it is: nothing repeats, and nothing that would move parts of it is done."""
    owner = shared_owner(COEFFICIENTS, choose("native"))
    x = owner.encrypt([1, 2, 3], bound=4)
    assert x.layout.repeats == ()
    assert owner.decrypt(x[1:] * 2).tolist() == [4, 6]
    for question in (x.sum, lambda: x[[2, 0]], lambda: x[1:] - x[:-1], lambda: np.roll(x, 1)):
        with pytest.raises(EncodingError, match="no slots"):
            question()


@pytest.mark.parametrize("number", [32, np.int64(-1000), np.arange(5) * 100], ids=str)
def test_plain_operands_have_their_own_bound(party: KeyOwner, number: Any) -> None:
    """They are public: what an encrypted value may be by default is no limit for them, integers neither."""
    values = np.array([1, -2, 3, 0, 2])
    x = party.encrypt(values, bound=4)
    assert np.allclose(party.decrypt(x + number), values + number, atol=1e-3)
    assert np.allclose(party.decrypt(number - x), number - values, atol=1e-3)
