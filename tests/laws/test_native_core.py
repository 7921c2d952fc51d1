"""What only the native core promises: what does not fit is refused, memory is shared and recycled, threads compute."""

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
LOWER = PRIMES.limbs(0, 2)


@pytest.fixture(scope="module")
def core() -> Any:
    return choose("native")


def make(core: Any, primes: Primes) -> Any:
    return core.basis(primes.ring_degree, primes.moduli, primes.roots)


@pytest.fixture(scope="module")
def basis(core: Any) -> Any:
    return make(core, PRIMES)


@pytest.fixture(scope="module")
def lower(core: Any) -> Any:
    return make(core, LOWER)


@pytest.fixture
def x(core: Any, basis: Any) -> Any:
    return core.reduce(basis, np.arange(N) - 5)


@pytest.fixture
def short(core: Any, lower: Any) -> Any:
    return core.reduce(lower, np.arange(N))


def batch(core, basis):
    return core.zeros(basis, (2,))


def short_key(core, x):
    """A key over the first two primes."""
    row = core.limbs(x, 0, 2)
    return core.pack_key(core.basis(N, PRIMES.moduli[:2], PRIMES.roots[:2]), [row] * 2, [row] * 2)


def plain(core, t=None):
    """A basis of one prime of the ring: t, or the last of four."""
    i = PRIMES.moduli.index(t) if t else -1
    return core.basis(N, [PRIMES.moduli[i]], [PRIMES.roots[i]])


def other_key(core, basis):
    """A key over the same primes in another order."""
    turned = core.basis(N, PRIMES.moduli[::-1], PRIMES.roots[::-1])
    return core.pack_key(turned, [core.zeros(turned)] * 2, [core.zeros(turned)] * 2)


MISFITS = {
    "add": lambda c, b, x, s: c.add(b, x, s),
    "mul_add": lambda c, b, x, s: c.mul_add(b, x, x, s),
    "neg": lambda c, b, x, s: c.neg(b, s),
    "mul_scalar": lambda c, b, x, s: c.mul_scalar(b, x, [1, 2]),
    "a scalar that is no residue": lambda c, b, x, s: c.add_scalar(b, x, [1, 2, 3, PRIMES.moduli[3]]),
    "inner_product": lambda c, b, x, s: c.inner_product(b, [x], [s]),
    "inner_product of nothing": lambda c, b, x, s: c.inner_product(b, [], []),
    "inner_product of unequal counts": lambda c, b, x, s: c.inner_product(b, [x, x], [x]),
    "inner_products": lambda c, b, x, s: c.inner_products(b, [[x, s]], [[0]], [[x]]),
    "inner_products of nothing": lambda c, b, x, s: c.inner_products(b, [[]], [], []),
    "inner_products of unequal components": lambda c, b, x, s: c.inner_products(b, [[x], [x, x]], [[0]], [[x]]),
    "inner_products of unequal counts": lambda c, b, x, s: c.inner_products(b, [[x]], [[0, 0]], [[x]]),
    "inner_products of unequal sums": lambda c, b, x, s: c.inner_products(b, [[x]], [[0], [0]], [[x]]),
    "inner_products of a term that is not there": lambda c, b, x, s: c.inner_products(b, [[x]], [[1]], [[x]]),
    "inner_products with a short factor": lambda c, b, x, s: c.inner_products(b, [[x]], [[0]], [[s]]),
    "ntt": lambda c, b, x, s: c.ntt(b, s),
    "intt": lambda c, b, x, s: c.intt(b, s),
    "to_natural": lambda c, b, x, s: c.to_natural(b, s),
    "automorphism_coeff": lambda c, b, x, s: c.automorphism_coeff(b, s, 3),
    "automorphism_eval of an even element": lambda c, b, x, s: c.automorphism_eval(b, x, 2),
    "lift": lambda c, b, x, s: c.lift(b, s),
    "reduce": lambda c, b, x, s: c.reduce(b, np.arange(N - 1)),
    "load": lambda c, b, x, s: c.load(b, np.zeros((2, N), np.uint64)),
    "load of a residue that is none": lambda c, b, x, s: c.load(b, np.full((4, N), PRIMES.moduli[0], np.uint64)),
    "convert": lambda c, b, x, s: c.convert(b, b, s),
    "scale_round": lambda c, b, x, s: c.scale_round(b, plain(c), s),
    "scale_round to two primes": lambda c, b, x, s: c.scale_round(b, b, x),
    "scale_round to a prime of its own": lambda c, b, x, s: c.scale_round(b, plain(c, PRIMES.moduli[0]), x),
    "scale_round to another ring": lambda c, b, x, s: c.scale_round(b, c.basis(8, [97], [8]), x),
    "divide_round_coeff": lambda c, b, x, s: c.divide_round_coeff(b, 0, 5, x),
    "divide_round_eval": lambda c, b, x, s: c.divide_round_eval(b, 2, 2, x),
    "divide_round_eval of another basis": lambda c, b, x, s: c.divide_round_eval(b, 0, 1, s),
    "divide_round_sum without a special limb": lambda c, b, x, s: c.divide_round_sum(b, 0, 0, 1, x, x),
    "divide_round_sum of another addend": lambda c, b, x, s: c.divide_round_sum(b, 1, 1, 2, x, s),
    "divide_round_sum of all special limbs": lambda c, b, x, s: c.divide_round_sum(b, 4, 4, 4, x, s),
    "divide_round_sum that keeps a special limb": lambda c, b, x, s: c.divide_round_sum(b, 2, 1, 3, x, s),
    "decompose": lambda c, b, x, s: c.decompose(b, 2, 1, s, x),
    "decompose of another level": lambda c, b, x, s: c.decompose(b, 1, 1, s, s),
    "decompose into nothing": lambda c, b, x, s: c.decompose(b, 2, 0, s, s),
    "decompose of nothing": lambda c, b, x, s: c.decompose(b, 4, 1, s, s),
    "pack_key of nothing": lambda c, b, x, s: c.pack_key(b, [], []),
    "pack_key of unequal halves": lambda c, b, x, s: c.pack_key(b, [x, x], [x]),
    "pack_key of another basis": lambda c, b, x, s: c.pack_key(b, [x, s], [x, x]),
    "pack_key of a batch": lambda c, b, x, s: c.pack_key(b, [batch(c, b)], [x]),
    "key_product of nothing": lambda c, b, x, s: c.key_product(b, [], c.pack_key(b, [x], [x])),
    "key_product of more digits": lambda c, b, x, s: c.key_product(b, [x, x], c.pack_key(b, [x], [x])),
    "key_product of another basis": lambda c, b, x, s: c.key_product(b, [s], c.pack_key(b, [x], [x])),
    "key_product of unequal batches": lambda c, b, x, s: c.key_product(
        b, [x, batch(c, b)], c.pack_key(b, [x] * 2, [x] * 2)
    ),
    "key_switch with a short key": lambda c, b, x, s: c.key_switch(b, 2, 1, s, s, short_key(c, x)),
    "key_switch with a key of other primes": lambda c, b, x, s: c.key_switch(b, 2, 1, s, s, other_key(c, b)),
    "key_switch with too few digits": lambda c, b, x, s: c.key_switch(b, 2, 1, s, s, c.pack_key(b, [x], [x])),
    "switch_down of all limbs": lambda c, b, x, s: c.switch_down(b, 2, 1, 2, s, c.pack_key(b, [x] * 2, [x] * 2), [s]),
    "switch_down by nothing": lambda c, b, x, s: c.switch_down(b, 0, 1, 4, x, c.pack_key(b, [x] * 4, [x] * 4), []),
    "switch_down with a short key": lambda c, b, x, s: c.switch_down(b, 2, 1, 4, s, short_key(c, x), [s]),
    "switch_down with three addends": lambda c, b, x, s: c.switch_down(
        b, 2, 1, 4, s, c.pack_key(b, [x] * 2, [x] * 2), [s] * 3
    ),
    "switch_down with a long addend": lambda c, b, x, s: c.switch_down(
        b, 2, 1, 4, s, c.pack_key(b, [x] * 2, [x] * 2), [s, x]
    ),
    "tensor of three": lambda c, b, x, s: c.tensor(b, [x, x, x], [x, x]),
    "tensor of another basis": lambda c, b, x, s: c.tensor(b, [x, x], [x, s]),
    "tensor of a batch": lambda c, b, x, s: c.tensor(b, [x, x], [batch(c, b), x]),
    "limbs": lambda c, b, x, s: c.limbs(x, 3, 5),
    "no limbs": lambda c, b, x, s: c.limbs(x, 2, 2),
    "uniform": lambda c, b, x, s: c.uniform(b, bytes(8 * N)),
    "ternary": lambda c, b, x, s: c.ternary(b, bytes(8 * N - 1)),
    "centred_binomial": lambda c, b, x, s: c.centred_binomial(b, b""),
    "pack": lambda c, b, x, s: c.pack(b, s),
    "unpack": lambda c, b, x, s: c.unpack(b, bytes(10)),
    "an overflowing shape": lambda c, b, x, s: c.zeros(b, (1 << 40, 1 << 40)),
    "evaluation_order": lambda c, b, x, s: c.evaluation_order(12),
    "a ring of degree 12": lambda c, b, x, s: c.basis(12, [97], [8]),
    "a prime that is not 1 mod 2N": lambda c, b, x, s: c.basis(N, [97], [8]),
    "a root that is none": lambda c, b, x, s: c.basis(N, PRIMES.moduli[:1], [1]),
    "a prime without a root": lambda c, b, x, s: c.basis(N, PRIMES.moduli[:2], PRIMES.roots[:1]),
    "a prime that occurs twice": lambda c, b, x, s: c.convert(
        *[c.basis(N, PRIMES.moduli[:1] * 2, PRIMES.roots[:1] * 2)] * 2, s
    ),
}


@pytest.mark.parametrize("what", MISFITS)
def test_what_does_not_fit_is_refused_with_numbers(core, basis, x, short, what):
    with pytest.raises(ValueError, match=r"\d|even"):
        MISFITS[what](core, basis, x, short)


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
