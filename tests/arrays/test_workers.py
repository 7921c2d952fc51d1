"""Arrays at work in threads and processes: shared, pickled, copied; never with the secret."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import reduce
from operator import add
from typing import Any

import numpy as np
import pytest

from fhe.arrays.array import EncryptedArray
from fhe.backend.choose import choose
from fhe.context import Context
from fhe.io.registry import install
from fhe.owner import KeyOwner
from tests.arrays.test_encrypted import BFV, CKKS
from tests.schemes.owners import owner

kept: list[Context] = []


@pytest.fixture(scope="module", params=[CKKS, BFV], ids=["ckks", "bfv"])
def party(request: pytest.FixtureRequest) -> KeyOwner:
    return install(owner(request.param, choose("native"), "workers"))


def start(blob: bytes) -> None:
    """What a worker does once: it keeps the public context."""
    kept.append(install(Context.from_bytes(blob, "native")))


def score(x: EncryptedArray) -> EncryptedArray:
    """A bit of everything: products, sums, views, moves."""
    return ((x * x)[:, ::-1] + x[0]).sum(axis=0) - x[:, 1:].sum() + x.T[[2, 0, 1], 1]


def test_threads_compute_what_one_computes(party: KeyOwner) -> None:
    """Plans, layouts and keys made on demand are shared; each thread gets the same bits, whoever is first."""
    values = [np.random.default_rng(seed).integers(-4, 5, (5, 3)) for seed in range(12)]
    arrays = [party.encrypt(v, bound=4) for v in values]
    alone = [score(x).to_bytes() for x in arrays]
    with ThreadPoolExecutor(4) as pool:
        assert [y.to_bytes() for y in pool.map(score, arrays)] == alone
    with ThreadPoolExecutor(4) as pool:
        decrypted = list(pool.map(lambda x: party.decrypt(score(x)), arrays))
    for found, v in zip(decrypted, values, strict=True):
        np.testing.assert_allclose(found, score(v), atol=1e-4)  # type: ignore[arg-type]


@pytest.mark.skipif(sys.platform == "win32", reason="spawning takes long there")
def test_processes_compute_on_pickled_views(party: KeyOwner) -> None:
    values = np.random.default_rng(1).integers(-4, 5, (6, 3))
    rows = np.split(party.encrypt(values, bound=4), 2)
    blob = party.public(rotations=[1, 2, 4, 8], conjugation=True).to_bytes()
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, initializer=start, initargs=(blob,)) as pool:
        total = reduce(add, pool.map(score, rows))
    expected = sum(score(v) for v in np.split(values, 2))  # type: ignore[arg-type]
    np.testing.assert_allclose(party.decrypt(total), expected, atol=1e-4)


@pytest.mark.parametrize("prefer", ["threads", "processes"])
def test_joblib_maps_over_arrays(party: KeyOwner, prefer: str) -> None:
    joblib = pytest.importorskip("joblib")
    values = np.random.default_rng(2).integers(-4, 5, (4, 3))
    x = party.encrypt(values, bound=4)
    public = party.public(rotations=[1, 2, 4, 8], conjugation=True)
    jobs = (joblib.delayed(squares)(public, row) for row in x)
    results = joblib.Parallel(n_jobs=2, prefer=prefer)(jobs)
    np.testing.assert_allclose(party.decrypt(np.stack(results)), values**2, atol=1e-4)


def squares(context: Context, x: EncryptedArray) -> EncryptedArray:
    context.require(x)
    return x * x


def test_copies_are_the_array_itself_and_pickles_hold_no_secret(party: KeyOwner) -> None:
    x = party.encrypt([[1, 2], [3, 4]], bound=4)[:, 1]
    assert copy.copy(x) is copy.deepcopy(x) is x.copy() is np.copy(x) is x
    data = pickle.dumps((x, np.broadcast_to(x, (3, 2))))
    secret = party._secret._s.to_coeff().limbs(0, 1).lift().astype(np.int8).tobytes()
    assert secret not in data
    y, wide = own(data)
    assert y.layout == x.layout
    np.testing.assert_allclose(party.decrypt(wide), np.broadcast_to([2, 4], (3, 2)), atol=1e-4)
    with pytest.raises(TypeError, match="secret"):
        pickle.dumps(party)


def own(data: bytes) -> Any:
    """What one pickled oneself."""
    return pickle.loads(data)  # noqa: S301


def test_arrays_are_not_hashable_like_numpys(party: KeyOwner) -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(party.encrypt([1], bound=1))
