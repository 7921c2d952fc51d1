"""Any number of threads gives the same bits: of one call, of calls at once, of a child process."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from threading import Barrier

import numpy as np
import pytest

import fhe
from fhe.errors import ParameterError
from fhe.owner import KeyOwner
from fhe.parameters import BFVParameters, CKKSParameters, Parameters
from fhe.rlwe.ciphertext import Ciphertext
from tests.codebase import ROOT
from tests.schemes.owners import INSECURE, owner

CKKS = CKKSParameters(
    ring_degree=2**12, modulus_bits=[46] + [40] * 6, special_bits=[43] * 3, scale_bits=40, insecure=INSECURE
)
BFV = BFVParameters(
    ring_degree=2**12, modulus_bits=[43] * 6, special_bits=[43] * 2, plain_modulus=65537, insecure=INSECURE
)


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    before = fhe.num_threads()
    yield
    fhe.set_num_threads(before)


@cache
def keys(parameters: Parameters) -> KeyOwner:
    return owner(parameters, fhe.Basis.of(8, [97]).backend, "threads")


def computed(parameters: Parameters) -> list[bytes]:
    """The bits of products, rotations and transforms that are large enough to be spread."""
    ev, backend = keys(parameters).evaluator, keys(parameters).chain.backend
    x, y = (ciphertext(parameters, seed) for seed in (1, 2))
    results = [ev.settle(ev.multiply(x, y)), ev.rotate(x, 1), ev.add(x, y), ev.multiply(ev.rotate(y, 3), x)]
    return [backend.view(poly.data).tobytes() for result in results for poly in result.c]


@cache
def ciphertext(parameters: Parameters, seed: int) -> Ciphertext:
    values = np.random.default_rng(seed).integers(-3, 4, 1000)
    return keys(parameters).encrypt(values, bound=3).shards[0]


@pytest.mark.parametrize("parameters", [CKKS, BFV], ids=["ckks", "bfv"])
@pytest.mark.parametrize("threads", [2, 3, 5])
def test_results_do_not_depend_on_the_number_of_threads(parameters: Parameters, threads: int) -> None:
    fhe.set_num_threads(1)
    alone = computed(parameters)
    fhe.set_num_threads(threads)
    assert fhe.num_threads() == threads
    assert computed(parameters) == alone


PLACES = """
import os, pathlib, time, fhe
from tests.laws.test_threads import CKKS, computed
fhe.set_num_threads(2)
mine = os.sched_getaffinity(0)
before = {thread.name for thread in pathlib.Path("/proc/self/task").iterdir()}
for _ in range(8):
    computed(CKKS)
    time.sleep(0.02)
assert os.sched_getaffinity(0) == mine
workers = [int(thread.name) for thread in pathlib.Path("/proc/self/task").iterdir() if thread.name not in before]
kept = [os.sched_getaffinity(worker) for worker in workers]
assert kept and all(cores and cores <= mine and len(cores) >= len(mine) - 1 for cores in kept), kept
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere threads stay where the system puts them")
@pytest.mark.parametrize("cores", [1, 2])
def test_workers_keep_to_the_cores_that_the_process_may_use(cores: int) -> None:
    """And leave it at most one of them for itself; alone on one, they share that."""
    allowed = sorted(os.sched_getaffinity(0))[:cores]
    limited = f"import os; os.sched_setaffinity(0, {allowed})\n{PLACES}"
    subprocess.run([sys.executable, "-c", limited], check=True, cwd=ROOT)


def test_calls_from_many_python_threads_give_the_same_bits() -> None:
    fhe.set_num_threads(1)
    alone = computed(CKKS)
    fhe.set_num_threads(2)
    with ThreadPoolExecutor(6) as pool:
        assert all(result == alone for result in pool.map(lambda _: computed(CKKS), range(12)))


@pytest.mark.parametrize("parameters", [CKKS, BFV], ids=["ckks", "bfv"])
def test_threads_may_share_an_owner_from_its_first_moment(parameters: Parameters) -> None:
    """Without a key, a table or a plan made before: all of them are made by whoever comes first, and used by all."""
    new, begin = fhe.KeyOwner(parameters), Barrier(6)
    shared = np.arange(-4, 5)
    product = new.encrypt(shared, bound=4) ** 2  # not yet relinearised: the threads do, at once

    def work(seed: int) -> None:
        values = np.random.default_rng(seed).integers(-3, 4, 100)
        begin.wait()
        x = new.encrypt(values, bound=3)
        moved = new.decrypt(np.roll(x * x, seed % 3 + 1))
        assert np.allclose(moved, np.roll(values**2, seed % 3 + 1), atol=1e-3)
        assert np.allclose(new.decrypt(product * (seed + 1)), shared**2 * (seed + 1), atol=1e-3)

    with ThreadPoolExecutor(begin.parties) as pool:
        list(pool.map(work, range(begin.parties)))


def _in_child(queue: multiprocessing.Queue[tuple[int, list[bytes]]]) -> None:
    queue.put((fhe.num_threads(), computed(CKKS)))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_starts_with_one_thread_and_computes_the_same() -> None:
    fhe.set_num_threads(2)
    expected = computed(CKKS)
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_in_child, args=(queue,))
    child.start()
    assert queue.get(timeout=60) == (1, expected)
    child.join(60)
    assert child.exitcode == 0
    assert computed(CKKS) == expected  # the parent's threads are still there


@pytest.mark.parametrize("threads", [0, -1, 257, 1.5, True, "2"])
def test_numbers_of_threads_that_are_none(threads: object) -> None:
    with pytest.raises(ParameterError, match="goes from 1 to 256"):
        fhe.set_num_threads(threads)  # type: ignore[arg-type]


@pytest.mark.parametrize(("asked", "answer"), [("2", "2"), ("", "1"), ("many", "goes from 1 to 256, not 'many'")])
def test_the_environment_asks_for_threads(asked: str, answer: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import fhe; print(fhe.num_threads())"],
        env={**os.environ, "FHE_NUM_THREADS": asked},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer in done.stdout + done.stderr
