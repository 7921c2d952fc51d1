"""What only the native core promises: memory is shared and recycled, threads compute."""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from fhe import _core
from fhe.backend.choose import choose
from tests.strategies import Primes, largest_primes

N = 64
PRIMES = Primes(N, largest_primes(N, 46)[:4])


@pytest.fixture(scope="module")
def core() -> Any:
    return choose("native")


def make(core: Any, primes: Primes) -> Any:
    return core.basis(primes.ring_degree, primes.moduli, primes.roots)


@pytest.fixture(scope="module")
def basis(core: Any) -> Any:
    return make(core, PRIMES)


@pytest.fixture
def x(core: Any, basis: Any) -> Any:
    return core.reduce(basis, np.arange(N) - 5)


@pytest.mark.parametrize("nothing", [None, 3, np.zeros((4, N), np.uint64)])
def test_only_buffers_are_buffers(core, basis, x, nothing):
    for call in (lambda: core.add(basis, x, nothing), lambda: core.inner_product(basis, [x], [nothing])):
        with pytest.raises(TypeError):
            call()


def test_reals_are_not_rounded_silently(core, basis):
    with pytest.raises(TypeError):
        core.reduce(basis, np.zeros(N))


def test_views_and_limbs_share_memory(core, x):
    view, part = core.view(x), core.limbs(x, 1, 3)
    assert np.shares_memory(view, core.view(x))
    assert np.shares_memory(view[1:3], core.view(part))
    assert view.ctypes.data % 64 == 0
    with pytest.raises(ValueError, match="read-only"):
        view[0, 0] = 1


def test_a_slice_keeps_the_memory_of_its_buffer(core, basis):
    whole = core.reduce(basis, np.arange(N))
    part = core.view(core.limbs(whole, 2, 4))
    del whole
    for _ in range(4):
        core.reduce(basis, np.full(N, 7))
    assert (part == np.arange(N)).all()


def test_freed_memory_is_counted_and_used_again(core, basis):
    gc.collect()
    before = _core.pool_statistics()["current"]
    buffer = core.zeros(basis, (100,))
    address, size = core.view(buffer).ctypes.data, 8 * 100 * len(PRIMES) * N
    during = _core.pool_statistics()
    assert during["current"] >= before + size
    assert during["peak"] >= during["current"]
    del buffer
    after = _core.pool_statistics()
    assert after["current"] == before
    if after["kept"]:  # not by a build with the address sanitizer
        assert core.view(core.zeros(basis, (100,))).ctypes.data == address
    _core.trim_pool()
    assert _core.pool_statistics()["kept"] == 0
    _core.reset_pool_peak()
    assert _core.pool_statistics()["peak"] == _core.pool_statistics()["current"]


def test_secret_words_are_wiped_when_released(core):
    count = 1000
    memory = core.secret_words(count)
    memory[:] = b"\xa5" * len(memory)
    address = np.frombuffer(memory, np.uint8).ctypes.data
    assert ctypes.string_at(address, len(memory)).count(b"\xa5") == 8 * count
    del memory
    if _core.pool_statistics()["kept"]:  # the block is still this process's, free
        assert b"\xa5" not in ctypes.string_at(address, 8 * count)


def work(core: Any, basis: Any, seed: int) -> bytes:
    """Calls that for some time hold no GIL and take memory, constants and locks over and over."""
    integers = np.random.default_rng(seed).integers(-(2**40), 2**40, (400, N))
    moved = core.automorphism_coeff(basis, core.reduce(basis, integers), 2 * (seed % N) + 1)
    return core.lift(basis, moved).tobytes()


def test_threads_compute_at_once(core, basis):
    expected = [work(core, basis, seed) for seed in range(60)]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(lambda seed: work(core, basis, seed), range(60))) == expected


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_fork_of_a_busy_process_computes(core, basis):
    expected, stop = work(core, basis, 0), threading.Event()

    def keep_busy() -> None:
        while not stop.is_set():
            work(core, basis, 1)

    with ThreadPoolExecutor(2) as threads:
        busy = [threads.submit(keep_busy) for _ in range(2)]
        codes = []
        for _ in range(30):
            child = os.fork()
            if child == 0:
                signal.alarm(20)  # ends a child that waits for a lock which nobody holds
                os._exit(0 if work(core, basis, 0) == expected else 1)
            codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
            if codes[-1] != 0:
                break
        stop.set()
        assert [task.result() for task in busy] == [None, None]
    assert codes == [0] * 30
