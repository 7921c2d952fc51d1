"""Large files: written and read piece by piece, never twice in memory."""

from __future__ import annotations

import gc
import io
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fhe
from fhe.errors import FormatError
from fhe.io.format import Container
from fhe.io.pieces import PIECE_BYTES, Made, Stored, pieces
from fhe.io.registry import to_bytes, to_container
from fhe.owner import KeyOwner
from tests.io.hostile import exact, real, whole

core: Any = pytest.importorskip("fhe._core")
TOY: Any = {"ring_degree": 4096, "insecure": "a small ring for a test"}
SMALL = 1 << 20


def test_slices_of_a_file_are_its_bytes() -> None:
    data = bytes(range(256)) * 5000
    stored = Stored(io.BytesIO(data), 0, len(data))
    assert b"".join(pieces(stored)) == data
    assert [len(piece) for piece in pieces(stored)] == [PIECE_BYTES, len(data) - PIECE_BYTES]


@given(st.binary(max_size=40), st.slices(40), st.slices(40))
def test_slices_of_slices(data: bytes, first: slice, second: slice) -> None:
    ones = [slice(part.start, part.stop) for part in (first, second)]
    stored = Stored(io.BytesIO(b"before" + data + b"after"), 6, 6 + len(data))
    for part in ones:
        data, stored = data[part], stored[part]
        assert bytes(stored) == data
        assert len(stored) == len(data)


def test_a_file_that_shrinks_while_it_is_read_is_refused() -> None:
    with pytest.raises(FormatError, match="became shorter while it was read"):
        bytes(Stored(io.BytesIO(b"short"), 0, 6))


def test_what_is_made_is_written_as_it_would_be_at_once() -> None:
    made = Container("note", {"n": 1}, {"a": Made(6, lambda: [b"abc", b"def"]), "b": b""})
    at_once = Container("note", {"n": 1}, {"a": b"abcdef", "b": b""})
    assert made.to_bytes() == at_once.to_bytes()
    assert len(made) == len(made.to_bytes())


THINGS: dict[str, Callable[[], Any]] = {
    "array": lambda: real().encrypt(np.linspace(-1, 1, 20), bound=2.0),
    "seeded": lambda: exact().encrypt(np.arange(20), symmetric=True, bound=20),
    "bits": lambda: exact().encrypt_bits(np.arange(4), bits=3),
    "decimals": lambda: exact().encrypt(["1.5", "-2.0"], bound=3, decimals=1),
    "wide": lambda: whole().encrypt([10**15, -3], bound=10**18),
    "public": lambda: real().public(rotations=[1, 2]),
    "parameters": lambda: real().parameters,
}


@pytest.mark.parametrize("kind", THINGS)
def test_a_file_holds_the_bytes(kind: str, tmp_path: Path) -> None:
    thing = THINGS[kind]()
    owner = {"wide": whole, "array": real, "public": real}.get(kind, exact)()
    fhe.save(tmp_path / "x.fhe", thing)
    assert (tmp_path / "x.fhe").read_bytes() == to_bytes(thing)
    assert len(to_container(thing)) == len(to_bytes(thing))
    read = fhe.load(tmp_path / "x.fhe", owner, backend="reference")
    assert to_bytes(read) == to_bytes(thing)


# --- memory -----------------------------------------------------------------------------------------------------------


@contextmanager
def peaks() -> Iterator[dict[str, int]]:
    """How far memory of Python, and of native buffers, rose in the block above what there was before."""
    gc.collect()
    core.reset_pool_peak()
    before, found = core.pool_statistics()["current"], dict.fromkeys(("python", "native", "kept"), 0)
    tracemalloc.start()
    try:
        yield found
        found["python"] = tracemalloc.get_traced_memory()[1]
        statistics = core.pool_statistics()
        found["native"], found["kept"] = statistics["peak"] - before, statistics["current"] - before
    finally:
        tracemalloc.stop()


@pytest.fixture(scope="module")
def owner() -> KeyOwner:
    return fhe.ckks(depth=4, backend="native", **TOY)


def test_keys_are_saved_and_loaded_one_at_a_time(owner: KeyOwner, tmp_path: Path) -> None:
    public, path = owner.public(rotations=range(1, 41)), tmp_path / "keys.fhe"
    with peaks() as saving:
        fhe.save(path, public)
    size = path.stat().st_size
    key = size // 41
    assert size > 12 * SMALL
    assert saving["python"] < key + SMALL
    assert saving["native"] < 5 * key
    assert saving["kept"] == 0
    with peaks() as loading:
        read = fhe.load(path, backend="native")
    assert loading["python"] < key + 3 * SMALL
    assert loading["native"] < loading["kept"] + 6 * key
    assert read.rotations == public.rotations


def test_arrays_are_saved_and_loaded_one_ciphertext_at_a_time(owner: KeyOwner, tmp_path: Path) -> None:
    x, path = owner.encrypt(np.ones(60 * 2048), bound=1), tmp_path / "x.fhe"
    with peaks() as saving:
        fhe.save(path, x)
    size = path.stat().st_size
    shard = x.nbytes // 60
    assert size > 10 * SMALL
    assert saving["python"] < shard + SMALL
    assert saving["native"] < 4 * shard
    with peaks() as loading:
        read = fhe.load(path, owner)
    assert loading["python"] < shard + 3 * SMALL
    assert loading["native"] < x.nbytes + 4 * shard
    assert np.allclose(owner.decrypt(read), 1, atol=1e-3)
