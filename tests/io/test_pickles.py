"""Pickles for one's own workers: arrays go without keys, contexts without secrets, owners not at all."""

from __future__ import annotations

import copy
import gc
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
import pytest

from fhe.arrays.array import EncryptedArray
from fhe.backend.choose import choose
from fhe.context import Context
from fhe.errors import MissingKeyError, ParameterError
from fhe.io.registry import install, resolve, to_bytes
from tests.io.parties import SETS, agrees, owner_of, residues_of, values_of

REFERENCE = choose("reference")
names = pytest.mark.parametrize("name", SETS)
kept: list[Context] = []


def own(data: bytes) -> Any:
    """What one pickled oneself."""
    return pickle.loads(data)  # noqa: S301


def start(blob: bytes) -> None:
    """What a worker does once."""
    kept.append(install(Context.from_bytes(blob, "reference")))


def work(x: EncryptedArray) -> EncryptedArray:
    return x * x + x


def work_with(context: Context, x: EncryptedArray) -> EncryptedArray:
    context.require(x)
    return work(x)


@names
def test_a_pickle_holds_an_array_and_no_keys(name: str) -> None:
    owner = owner_of(name, REFERENCE)
    worker = install(Context.from_bytes(owner.public(rotations=[1, 2, 3]).to_bytes(), "reference"))
    x = owner.encrypt(values_of(owner, 20))
    data = pickle.dumps(x)
    assert len(data) < len(x.to_bytes()) + 200
    read = own(data)
    assert read.evaluator is worker.evaluator
    assert all(np.array_equal(a, b) for a, b in zip(residues_of(read), residues_of(x), strict=True))
    assert agrees(owner, copy.deepcopy(x), owner.decrypt(x))


def test_an_array_of_an_unknown_key_is_refused() -> None:
    owner = owner_of("ckks", REFERENCE, 3)
    data = pickle.dumps(owner.encrypt([1.0]))
    with pytest.raises(MissingKeyError, match=rf"{owner.key_id.hex()[:8]}….*fhe\.install"):
        own(data)


def test_a_context_serves_while_it_lives_and_the_last_one_first() -> None:
    owner = owner_of("bfv", REFERENCE, 4)
    blob, identity = owner.public(rotations=[]).to_bytes(), (owner.parameters.id, owner.key_id)
    first = install(Context.from_bytes(blob, "reference"))
    assert resolve(*identity) is first
    second = install(Context.from_bytes(blob, "reference"))
    assert resolve(*identity) is second
    del second
    gc.collect()
    with pytest.raises(MissingKeyError):
        resolve(*identity)


def test_a_pickled_context_is_on_offer() -> None:
    """Its arrays can follow it; one that was installed on purpose keeps its place."""
    owner = owner_of("bfv", REFERENCE, 5)
    public = owner.public(rotations=[1])
    context, x = own(pickle.dumps((public, owner.encrypt([1, 2]))))
    assert x.evaluator is context.evaluator
    assert context.to_bytes() == public.to_bytes()
    install(context)
    another = own(pickle.dumps(public))
    assert another is not context
    assert resolve(owner.parameters.id, owner.key_id) is context


def test_workers_compute() -> None:
    owner = owner_of("bfv", REFERENCE, 6)
    public = owner.public(rotations=[])
    install(owner)
    x = owner.encrypt([1, 2, 3])
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, initializer=start, initargs=(public.to_bytes(),)) as pool:
        results = pool.submit(work, x).result(), pool.submit(work_with, public, x).result()
    for result in results:
        assert owner.decrypt(result).tolist() == [2, 6, 12]


def test_owners_and_open_ciphertexts_stay() -> None:
    owner = owner_of("ckks", REFERENCE)
    with pytest.raises(TypeError, match="secret"):
        pickle.dumps(owner)
    x = owner.encrypt([1.0])
    (shard,) = x.shards
    bare = EncryptedArray(x.evaluator, [shard.with_polys([shard.c[0], shard.c[1].scale(0)])], x.layout, x.dtype)
    with pytest.raises(ParameterError, match="not encrypted"):
        pickle.dumps(bare)


def test_what_has_no_format_is_refused() -> None:
    with pytest.raises(TypeError, match="no format for int"):
        to_bytes(3)
