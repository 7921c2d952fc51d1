"""What arrays cost beyond the ciphertext operations that they stand for, in one interleaved run.

    python -m bench.overhead                  # N = 2^14
    python -m bench.overhead --degrees 8192,16384 --seconds 3

Each sample of an array's operation is followed by one of what the evaluator does for it; a row shows the medians, and
the median of the ratios of neighbours, which a clock that drifts does not touch.
"""

from __future__ import annotations

import argparse
import gc
from collections.abc import Callable, Iterator
from statistics import median
from time import perf_counter, perf_counter_ns
from typing import Any, NamedTuple

import numpy as np

import fhe
from bench.machine import commit, cpu_model
from fhe.circuits.linear import inner_sum

Work = Callable[[], Any]


class Pair(NamedTuple):
    """An operation of arrays, and of ciphertexts."""

    name: str
    array: Work
    direct: Work


def pairs(owner: fhe.KeyOwner) -> list[Pair]:
    """What programs do most, on an array that fills a ciphertext."""
    evaluator: Any = owner.evaluator
    values = np.random.default_rng(1).integers(-8, 9, evaluator.slots)
    x, y = (owner.encrypt(v, bound=8) for v in (values, values[::-1]))
    (a,), (b,) = x.shards, y.shards
    row = x[: evaluator.row]
    real = [Pair("x * 0.3", lambda: x * 0.3, lambda: evaluator.multiply_plain(a, 0.3))]
    return [
        Pair("x + y", lambda: x + y, lambda: evaluator.add(a, b)),
        Pair("x - y", lambda: x - y, lambda: evaluator.sub(a, b)),
        Pair("-x", lambda: -x, lambda: evaluator.negate(a)),
        Pair("x + 2", lambda: x + 2, lambda: evaluator.add_plain(a, 2)),
        Pair("x * 3", lambda: x * 3, lambda: evaluator.multiply_plain(a, 3)),
        *(real if x.dtype.kind == "f" else []),
        Pair("x + plain", lambda: x + values, lambda: evaluator.add_plain(a, values)),
        Pair("x * plain", lambda: x * values, lambda: evaluator.multiply_plain(a, values)),
        Pair("x * y", lambda: x * y, lambda: evaluator.multiply(a, b)),
        Pair("x[1:] - x[:-1]", lambda: row[1:] - row[:-1], lambda: evaluator.sub(evaluator.rotate(a, 1), a)),
        Pair("x.sum()", x.sum, lambda: inner_sum(evaluator, a, evaluator.slots)),
    ]


def measured(pair: Pair, seconds: float) -> tuple[float, float, float]:
    """Median µs of the array's operation, of the ciphertexts', and the median ratio of neighbours."""
    array, direct = [], []
    pair.array(), pair.direct()
    end = perf_counter() + seconds
    while perf_counter() < end or len(array) < 5:
        for work, times in ((pair.array, array), (pair.direct, direct)):
            start = perf_counter_ns()
            work()
            times.append(perf_counter_ns() - start)
    ratio = median(x / y for x, y in zip(array, direct, strict=True))
    return median(array) / 1e3, median(direct) / 1e3, ratio


def table(owner: fhe.KeyOwner, seconds: float) -> Iterator[str]:
    yield f"{owner.parameters!r}"
    yield f"{'':16}{'array µs':>10}{'direct µs':>10}{'ratio':>8}"
    for pair in pairs(owner):
        array, direct, ratio = measured(pair, seconds)
        yield f"{pair.name:16}{array:10.1f}{direct:10.1f}{ratio:8.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--degrees", default="16384", help="ring degrees, separated by commas")
    parser.add_argument("--seconds", type=float, default=1.0, help="for each row")
    options = parser.parse_args()
    print(f"{cpu_model()}, commit {commit()}")
    gc.disable()
    for degree in map(int, options.degrees.split(",")):
        for owner in (fhe.ckks(depth=5, ring_degree=degree), fhe.bfv(depth=4, value_bits=24, ring_degree=degree)):
            print(*table(owner, options.seconds), sep="\n")


if __name__ == "__main__":
    main()
