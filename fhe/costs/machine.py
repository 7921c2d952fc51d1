"""A machine as the model sees it: two sizes of caches, a clock, and prices in cycles of one core.

Everything the model says is linear in the prices. So prices may be vectors: on the unit vectors of `counting`, the
model gives how often each price is paid, and measured times then give the prices (``python -m bench.calibrate``).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

HEAP_BYTES = 2**17  # arrays above it are of new pages
OTHER_WORK = 1e12  # bytes: nothing stays in any cache


@dataclass(frozen=True, slots=True)
class Machine:
    """Prices of the pieces that operations are made of; each in cycles, for 8 words of 8 bytes unless said otherwise.

    call, step
        A call of the seam from Python; what the Python of one operation of a scheme adds to its calls.
    step_far
        A step whose objects have left the core's own cache, more: what ran before it used more bytes than that holds.
    call_away, step_away
        A first call, and its steps, after other work: code and objects come from memory.
    forward, inverse, forward_wide, inverse_wide
        8 butterflies of a transform; wide: of primes above `NARROW_BITS`.
    weigh
        One multiply-add of a basis conversion.
    sum, scale, product
        Adding; multiplying by a number; multiplying entry by entry.
    key, key_end
        A digit times both halves of a switching key; reducing both sums.
    move
        An automorphism on evaluations.
    reduce, lift
        Residues of small integers; a double from residues, for each pair of primes.
    uniform, small
        Sampling, the keystream included.
    pack
        To the bits that are sent, or back.
    look
        A byte of a plain operand that is looked up among those that were encoded before.
    embed, unembed
        A coefficient of the FFT of CKKS with all that NumPy does around it, each way.
    message, values
        A coefficient of a BFV message with all that NumPy does around it, each way; transforms apart.
    shared, memory
        A byte that comes from the cache that cores share, more than from the core's own; one from memory, more again.
    scattered, fresh
        A byte from memory that is not fetched ahead, more again; one of a new page of memory.
    wake
        A loop that is spread over threads: until all of them are there, and all are done.

    ``threads`` and ``around`` are no prices: how many share the loops of an operation (`threaded`), and bytes that
    other work uses between two calls, by which operands leave the caches.
    """

    name: str
    clock: float
    own_cache: float
    shared_cache: float
    call: Any = 0.0
    call_away: Any = 0.0
    step: Any = 0.0
    step_far: Any = 0.0
    step_away: Any = 0.0
    forward: Any = 0.0
    inverse: Any = 0.0
    forward_wide: Any = 0.0
    inverse_wide: Any = 0.0
    weigh: Any = 0.0
    sum: Any = 0.0
    scale: Any = 0.0
    product: Any = 0.0
    key: Any = 0.0
    key_end: Any = 0.0
    move: Any = 0.0
    reduce: Any = 0.0
    array: Any = 0.0
    lift: Any = 0.0
    uniform: Any = 0.0
    ternary: Any = 0.0
    error: Any = 0.0
    pack: Any = 0.0
    unpack: Any = 0.0
    look: Any = 0.0
    embed: Any = 0.0
    unembed: Any = 0.0
    message: Any = 0.0
    values: Any = 0.0
    shared: Any = 0.0
    memory: Any = 0.0
    scattered: Any = 0.0
    fresh: Any = 0.0
    wake: Any = 0.0
    around: float = 0.0
    threads: int = 1

    def flow(self, touched: float, working_set: float = 0.0) -> Any:
        """What bytes cost beyond those of the core's own cache, in a working set that is used over and over.

        >>> ZEN5.flow(1e5), 0 < ZEN5.flow(4e6) < ZEN5.flow(4e6, 1e8)
        (0.0, True)
        """
        size = max(working_set, touched, self.around)
        return touched * (self.shared * missed(self.own_cache, size) + self.memory * missed(self.shared_cache, size))

    def scattered_flow(self, touched: float, working_set: float = 0.0) -> Any:
        """`flow` of bytes that come in no order, so that nothing is fetched ahead.

        >>> ZEN5.scattered_flow(1e8) > ZEN5.flow(1e8)
        True
        """
        own = self.flow(touched, working_set)
        far = missed(self.shared_cache, max(working_set, touched, self.around))
        return own + touched * self.scattered * far

    def array_of(self, count: float) -> Any:
        """What a new array of NumPy of so many words costs in fresh pages; small ones are taken from a heap.

        >>> ZEN5.array_of(1000)
        0.0
        """
        return 8 * count * self.fresh if 8 * count > HEAP_BYTES else 0 * self.fresh


def missed(cache: float, working_set: float) -> float:
    """The share of a working set W that a cache of C bytes has not when it is wanted again: 2 (1 - C/W), at most 1.

    Caches drop what was used longest ago: of what is used in turn nothing stays once there is twice as much.

    >>> [round(missed(1e6, size), 2) for size in (5e5, 1e6, 1.25e6, 2e6, 4e6)]
    [0.0, 0.0, 0.4, 1.0, 1.0]
    """
    return min(1.0, max(0.0, 2 * (1 - cache / max(working_set, 1.0))))


PRICES = tuple(field.name for field in fields(Machine))[4:-2]
PYTHON = {"call", "call_away", "step", "step_far", "step_away"}
NUMPY = {"look", "embed", "unembed", "message", "values", "fresh"}
ALONE = {*PYTHON, *NUMPY, "memory", "wake"}  # what threads do not share


def amid(machine: Machine, around: float) -> Machine:
    """The machine amid work that uses so many bytes in turn: many ciphertexts of an array, keys of many rotations.

    >>> ZEN5.flow(1e5) < amid(ZEN5, 1e7).flow(1e5) < amid(ZEN5, 1e8).flow(1e5)
    True
    """
    return replace(machine, around=around)


def disturbed(machine: Machine) -> Machine:
    """The machine for a single call after other work: its code, and all that it uses, comes from memory.

    >>> disturbed(ZEN5).flow(1e5) > ZEN5.flow(1e5)
    True
    """
    return replace(machine, call=machine.call + machine.call_away, around=OTHER_WORK)


def threaded(machine: Machine, threads: int) -> Machine:
    """The machine when so many threads share the loops of an operation.

    Arithmetic and the caches are divided by them. Python is not, nor what comes from memory: one core takes most of
    what it gives. An operation that gains less than it costs to wake threads runs on one: the lower of both is its
    price (`Run.cycles`).

    >>> two = threaded(ZEN5, 2)
    >>> two.forward == ZEN5.forward / 2, two.step == ZEN5.step, two.wake > 0
    (True, True, True)
    """
    shared = {
        name: getattr(machine, name) / threads for name in PRICES if name not in {*PYTHON, *NUMPY, "memory", "wake"}
    }
    return replace(machine, threads=threads, **shared) if threads > 1 else machine


def counting(machine: Machine) -> Machine:
    """The machine with unit vectors for prices.

    >>> float(counting(ZEN5).forward[PRICES.index("forward")])
    1.0
    """
    units: dict[str, Any] = dict(zip(PRICES, np.eye(len(PRICES)), strict=True))
    return Machine(machine.name, machine.clock, machine.own_cache, machine.shared_cache, **units)


# Prices are not tuned by hand: the command is in the README of this folder.
ZEN5 = Machine(
    name="Zen 5 server, AVX-512 IFMA",
    clock=4.2e9,
    own_cache=0.8e6,
    shared_cache=20e6,
    call=1950.0,
    call_away=53800.0,
    step=24600.0,
    step_far=81300.0,
    step_away=88200.0,
    forward=2.63,
    inverse=2.81,
    forward_wide=3.39,
    inverse_wide=3.8,
    weigh=0.783,
    sum=3.67,
    scale=2.8,
    product=3.97,
    key=3.98,
    key_end=8.52,
    move=7.66,
    reduce=3.04,
    array=24.7,
    lift=0.851,
    uniform=108.0,
    ternary=57.9,
    error=89.3,
    pack=14.7,
    unpack=22.2,
    look=0.942,
    embed=25.6,
    unembed=18.5,
    message=10.7,
    values=14.9,
    shared=0.0159,
    memory=0.058,
    scattered=0.467,
    fresh=0.209,
    wake=45000.0,
)
