"""Plain operands are encoded once, by programs and by arrays; found by what they are, and never when they changed."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import fhe
from fhe.bfv.encoder import BFVEncoder
from fhe.ckks.encoder import CKKSEncoder
from fhe.rlwe.encodings import Encodings, Recent

MATRIX = np.array([[1, -2, 0, 3], [0, 1, 1, -1], [2, 0, -1, 1]])
SMALL: dict[str, Any] = {"ring_degree": 256, "insecure": "a small ring for a test"}


def scores(x: Any, w: Any) -> Any:
    """A matrix, a vector, numbers, masks, an argument that is plain: whatever a program may have to encode."""
    y = MATRIX @ x * np.array([1, 2, 3]) + np.array([5, 0, 1])
    return np.concatenate([y, 3 * x[:2] + 7]) * w


@pytest.fixture(params=["real", "integer"])
def program(request: pytest.FixtureRequest) -> fhe.Program:
    plain = fhe.spec(5, kind=request.param, bound=4, encrypted=False)
    return fhe.compile(scores, fhe.spec(4, kind=request.param, bound=8), plain, precision=1e-2, **SMALL)


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What encoders were asked for, but for what is encrypted."""
    asked: list[str] = []

    def noted(kind: type, name: str) -> None:
        function: Callable[..., Any] = getattr(kind, name)

        def noting(*arguments: Any, **named: Any) -> Any:
            asked.append(name)
            return function(*arguments, **named)

        monkeypatch.setattr(kind, name, noting)

    for name in ("polynomial", "rounded"):
        noted(CKKSEncoder, name)
    noted(BFVEncoder, "message")
    return asked


def residues(x: Any) -> list[NDArray[Any]]:
    return [poly.to_coeff().residues for shard in x.shards for poly in shard.c]


def test_a_program_encodes_in_its_first_run_and_never_again_whoever_calls(
    program: fhe.Program, encoded: list[str]
) -> None:
    w = np.array([1, 2, 3, 4, -1])
    first, second = program.keygen(), program.keygen()
    x, y = (program.encrypt(owner, np.array([1, -2, 3, 8]), w)[0] for owner in (first, second))
    encoded.clear()
    result = program(x, w)
    assert encoded
    encoded.clear()
    again, other = program(x, w.copy()), program(y, w)
    assert not encoded
    for a, b in zip(residues(result), residues(again), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_allclose(second.decrypt(other), program.clear([1, -2, 3, 8], w), atol=1e-2)


def test_what_changed_is_encoded_anew_even_in_place(program: fhe.Program) -> None:
    owner, w = program.keygen(), np.array([1, 2, 3, 4, -1])
    x, _ = program.encrypt(owner, np.array([1, -2, 3, 8]), w)
    for _ in range(2):
        program(x, w)
    w[3] = -3
    np.testing.assert_allclose(owner.decrypt(program(x, w)), program.clear([1, -2, 3, 8], w), atol=1e-2)
    matrix = MATRIX.astype(x.dtype)
    for _ in range(3):
        x @ matrix.T
    matrix[0, 0] = -1
    np.testing.assert_allclose(owner.decrypt(x @ matrix.T), matrix @ [1, -2, 3, 8], atol=1e-2)


def test_a_program_says_what_it_keeps_and_keeps_no_more(program: fhe.Program) -> None:
    w = np.array([1, 2, 3, 4, -1])
    owner = program.keygen()
    x, _ = program.encrypt(owner, np.array([1, -2, 3, 8]), w)
    program(x, w)
    kept = program.encodings.nbytes
    assert kept == pytest.approx(program.trial.encoded_bytes, rel=0.1)
    assert " are kept" in program.explain()
    for k in range(3):  # what the run before used, and this one does not, is given up
        program(x, np.roll(w, k))
        assert program.encodings.nbytes == kept
    program.encodings.clear()
    program.encodings.limit = kept // 2
    np.testing.assert_allclose(owner.decrypt(program(x, w)), program.clear([1, -2, 3, 8], w), atol=1e-2)
    assert 0 < program.encodings.nbytes <= kept // 2


def test_arrays_find_what_comes_again_in_a_loop(program: fhe.Program, encoded: list[str]) -> None:
    owner = program.keygen()
    x = program.encrypt(owner, np.array([1, -2, 3, 8]), np.ones(5, dtype=int))[0]
    matrix, vector = MATRIX.astype(x.dtype) * 2, np.array([1, 2, 3])
    for times in range(4):
        encoded.clear()
        y = (matrix @ x) * vector + vector
        assert times < 2 or not encoded
    np.testing.assert_allclose(owner.decrypt(y), (matrix @ [1, -2, 3, 8]) * vector + vector, atol=1e-2)


def test_threads_share_what_is_encoded(program: fhe.Program) -> None:
    owner = program.keygen()
    w = [np.array([k, 2, 3, 4, -1]) for k in range(4)]
    x, _ = program.encrypt(owner, np.array([1, -2, 3, 8]), w[0])
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda k: program(x, w[k % 4]), range(12)))
    for k, result in enumerate(found):
        np.testing.assert_allclose(owner.decrypt(result), program.clear([1, -2, 3, 8], w[k % 4]), atol=1e-2)


def test_pickled_programs_hold_none_of_it(program: fhe.Program) -> None:
    owner, w = program.keygen(), np.array([1, 2, 3, 4, -1])
    x, _ = program.encrypt(owner, np.array([1, -2, 3, 8]), w)
    size = len(pickle.dumps(program))
    program(x, w)
    data = pickle.dumps(program)
    other = pickle.loads(data)  # noqa: S301  (what one pickled oneself)
    assert len(data) == size
    assert not len(other.encodings)
    np.testing.assert_array_equal(owner.decrypt(other(x, w)), owner.decrypt(program(x, w)))


@given(st.lists(st.integers(1, 9), max_size=40), st.integers(0, 300))
def test_memories_give_what_would_be_made_within_their_limit(sizes: list[int], limit: int) -> None:
    whole, recent = Encodings(limit), Recent(limit)
    for _ in range(3):
        with whole.used():
            for size in sizes:
                for memory in (whole, recent):
                    found = memory.of((size, b"contents"[:size]), lambda size=size: np.full(size, size))
                    assert found.tolist() == [size] * size
                    assert memory.nbytes <= limit
    with whole.used():
        pass
    assert (len(whole), whole.nbytes) == (0, 0)
    recent.clear()
    assert (len(recent), recent.nbytes) == (0, 0)
