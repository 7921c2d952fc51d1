"""Our kernels in cycles, beside what the core's ports allow: ``python -m bench.cycles``.

A cycle is one link of a chain of dependent additions. Every sample stands between two short runs of independent
multiplications (`drivers/chains.hpp`), whose number per cycle is found first and does not change with the clock; so
cycles mean the same at any frequency, and samples whose brackets differ are dropped.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from bench.driver import ROUNDS, Driver, Measured, build_kernels, interleave
from bench.machine import commit, cpu_model
from fhe.primes import ntt_primes, primitive_root

BITS = 46
LANES = 8  # the counts below are those of the target with eight lanes of 52-bit products
COUNTED = "avx512ifma"
IN_CACHE = 1 << 20  # bytes from which a row says what its memory could deliver


class Count(NamedTuple):
    """Vector instructions: multiplications, and additions, comparisons, shuffles and the like."""

    multiplications: float
    others: float

    def cycles(self, ports: Ports) -> float:
        """No core is faster: multiplications have their own ports, and share a number of ports with the others."""
        return max(self.multiplications / ports.multiplications, sum(self) / ports.all)


class Ports(NamedTuple):
    """What the core starts in a cycle."""

    multiplications: int
    all: int


@dataclass(frozen=True)
class Task:
    """An operation of the driver on limbs of a ring, and what a call amounts to.

    ``each`` is the number of units that the figure is told in: 8 butterflies of a transform, else 8 words of output.
    """

    operation: str
    ring_degree: int
    limbs: int
    more: tuple[int, ...] = ()

    @property
    def transform(self) -> bool:
        return self.operation in ("ntt", "intt")

    @property
    def rotates(self) -> bool:
        """Whether a call takes one limb, the next each time."""
        return self.operation in ("ntt", "intt", "add", "mul", "mul_scalar", "key_product")

    @property
    def vectors(self) -> float:
        """Vectors of words that a call gives."""
        rows = 1 if self.rotates else self.limbs
        if self.operation in ("convert", "divide_round", "switch_down", "encrypt"):
            rows -= self.more[0]
        if self.operation in ("key_product", "switch_down", "encrypt"):
            rows *= 2
        return self.ring_degree / LANES * rows

    @property
    def each(self) -> float:
        return self.vectors * (self.ring_degree.bit_length() - 1) / 2 if self.transform else self.vectors

    def line(self) -> str:
        primes = ntt_primes(self.ring_degree, BITS, self.limbs)
        roots = (primitive_root(q, self.ring_degree) for q in primes)
        return " ".join(map(str, [self.operation, self.ring_degree, self.limbs, *primes, *roots, *self.more]))

    def count(self) -> Count | None:
        """The instructions of a call that no schedule can do without, where they are known.

        A butterfly multiplies three times, adds and subtracts (and, inverse, adds an offset). The three stages inside
        a vector make their twiddles with one more multiplication; 64 words are transposed by 24 shuffles; the last
        reduction and comparison are two multiplications and three others (inverse: three for half the words, and
        three). A conversion weighs its rows and their quotient.
        """
        n, butterflies = self.vectors, self.vectors * (self.ring_degree.bit_length() - 1) / 2
        first = self.more[0] if self.more else 0
        last = self.limbs - first
        return {
            "ntt": Count(3 * butterflies + 7 * n / 2, 2 * butterflies + 6 * n),
            "intt": Count(3 * butterflies + 3 * n, 3 * butterflies + 6 * n),
            "mul": Count(4 * n, 6 * n),
            "mul_scalar": Count(3 * n, 3 * n),
            "key_product": Count((2 * first + 4) * n, 7 * n),
            "convert": Count((2 * first * last + 4 * first + 4 * last) * n / last, (3 * first + 2 * last) * n / last),
        }.get(self.operation)

    def bytes(self) -> float:
        """Bytes that a call must read and write: operands, results, tables."""
        n, words = self.ring_degree, 8 * self.ring_degree
        first = self.more[0] if self.more else 0
        packed, key, stream = n * BITS / 8, n * ((BITS + 7) // 8), 8 * (n + n / 64 + 64)
        digits = -(-(self.limbs - first) // self.more[1]) if len(self.more) > 1 else 0
        return {
            "ntt": 2 * words + 9 * n,
            "intt": 2 * words + 9 * n,
            "add": 3 * words,
            "mul": 3 * words,
            "mul_scalar": 2 * words,
            "key_product": (first + 2) * words + 2 * first * key,
            "convert": self.limbs * words,
            "divide_round": (2 * self.limbs - first) * words,
            "automorphism": 2 * self.limbs * words + 4 * n,
            "switch_down": 2 * digits * self.limbs * key + 3 * (self.limbs - first) * words,
            "uniform": self.limbs * (words + stream),
            "ternary": self.limbs * words + words,
            "centred_binomial": self.limbs * words + words,
            "encrypt": (5 * self.limbs - 3 * first + 3) * words,
            "pack": self.limbs * (words + packed),
            "unpack": self.limbs * (words + packed),
        }[self.operation]

    def working_set(self) -> float:
        return self.bytes() * (self.limbs if self.rotates else 1)


TASKS = [
    *(Task(operation, 2**k, 1) for k in range(12, 17) for operation in ("ntt", "intt")),
    *(Task(operation, 2**k, 20) for k in (15, 16) for operation in ("ntt", "intt")),
    *(Task(operation, 2**13, 1) for operation in ("add", "mul", "mul_scalar")),
    *(
        Task("convert", 2**k, rows + last, (rows,))
        for k, rows, last in [(13, 5, 6), (14, 3, 7), (14, 9, 10), (15, 5, 15)]
    ),
    *(Task("key_product", 2**k, limbs, (digits,)) for k, limbs, digits in [(13, 1, 3), (14, 10, 3), (15, 20, 4)]),
    *(
        Task("switch_down", 2**k, limbs, more)
        for k, limbs, more in [(13, 5, (1, 1)), (14, 10, (3, 3)), (15, 20, (5, 5))]
    ),
    Task("divide_round", 2**14, 10, (3,)),
    *(Task(operation, 2**14, 7) for operation in ("automorphism", "uniform", "ternary", "centred_binomial")),
    *(Task(operation, 2**14, 7) for operation in ("pack", "unpack")),
    Task("encrypt", 2**14, 8, (1,)),
]


def ports_of(facts: dict[str, Any]) -> Ports:
    multiplications = max(1, round(facts["multiplications"]))
    return Ports(multiplications, max(multiplications, round(facts["additions"])))


def rows_of(task: Task, drivers: dict[str, Driver], rounds: int) -> list[dict[str, Any]]:
    """One row for each target, all asked in turn; for what leaves the cache, reading memory takes its turn too."""
    ports = ports_of(next(iter(drivers.values())).facts())
    asked = {target: (driver, task.line()) for target, driver in drivers.items()}
    measured = interleave(asked, rounds)
    row_bytes, memory = task.bytes(), None
    if task.working_set() >= IN_CACHE:
        words = int(task.working_set() / 8)
        driver = next(iter(drivers.values()))
        memory = 8 * words / interleave({"read": (driver, f"read {words}")}, rounds)["read"].nanoseconds
    return [row(task, target, found, ports, row_bytes, memory) for target, found in measured.items()]


def row(
    task: Task, target: str, found: Measured, ports: Ports, row_bytes: float, memory: float | None
) -> dict[str, Any]:
    cycles, count = found.multiplications / ports.multiplications, task.count() if target == COUNTED else None
    bound = count.cycles(ports) / task.each if count else None
    return {
        "operation": task.operation,
        "N": task.ring_degree,
        "limbs": task.limbs,
        "more": task.more,
        "target": target,
        "samples": found.samples,
        "microseconds": found.nanoseconds / 1000,
        "cycles": cycles,
        "cycles_each": cycles / task.each,
        "bound_each": bound,
        "of_bound": cycles / task.each / bound if bound else None,
        "bytes": row_bytes,
        "gigabytes_per_second": row_bytes / found.nanoseconds,
        "read_gigabytes_per_second": memory,
    }


def shown(found: dict[str, Any]) -> str:
    bound = f"{found['bound_each']:6.2f} {found['of_bound']:5.2f}x" if found["bound_each"] else " " * 13
    memory = f"{found['read_gigabytes_per_second']:6.1f}" if found["read_gigabytes_per_second"] else ""
    what = " ".join([found["operation"], *map(str, found["more"])])
    return (
        f"{what:<20} {found['N']:>6} {found['limbs']:>3}  {found['target']:<11}{found['microseconds']:>10.2f} "
        f"{found['cycles_each']:>8.2f} {bound} {found['gigabytes_per_second']:>7.1f} {memory}"
    )


HEADER = (
    f"{'operation':<20} {'N':>6} {'L':>3}  {'target':<11}{'us':>10} "
    f"{'cycles':>8} {'bound':>6} {'':>6} {'GB/s':>7}   read\n"
    "cycles, and the bound of the ports: per 8 butterflies of a transform, else per 8 words of the result;\n"
    "GB/s: what must be read and written, in this time; read: what reading as many bytes, over and over, reaches"
)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.cycles", description=__doc__)
    parser.add_argument("--targets", default="", help="instruction sets, separated by commas (default: all)")
    parser.add_argument("--operations", default="", help="operations, separated by commas (default: all)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="samples of each operation and target")
    parser.add_argument("--json", type=Path, help="also write everything to this file")
    chosen = parser.parse_args(arguments)
    program, operations, rows = build_kernels(), chosen.operations.split(","), []
    with Driver([program, ""]) as asked:
        facts = asked.facts()
    ports = ports_of(facts)
    print(
        f"{cpu_model()}, {facts['ghz']:.2f} GHz, {ports.multiplications} vector multiplications and {ports.all} "
        f"additions a cycle, commit {commit()}\n{HEADER}"
    )
    with ExitStack() as stack:
        targets = chosen.targets.split(",") if chosen.targets else facts["targets"]
        drivers = {target: stack.enter_context(Driver([program, target])) for target in targets}
        for task in TASKS:
            if chosen.operations and task.operation not in operations:
                continue
            for found in rows_of(task, drivers, chosen.rounds):
                rows.append(found)
                print(shown(found), flush=True)
    if chosen.json:
        machine = {"cpu": cpu_model(), "commit": commit(), **facts}
        chosen.json.write_text(json.dumps({"machine": machine, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
