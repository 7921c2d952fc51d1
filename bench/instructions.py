"""Instructions that kernels execute, counted by callgrind: ``python -m bench.instructions``.

Counts do not depend on what else the machine does, so a change of a percent is a change of the code, or of the
compiler: `instructions.json` keeps one table for each. Valgrind knows neither AVX-512 nor NEON in full; the scalar and
the AVX2 target stand for the others, which share their algorithms. ``--update`` records this compiler's counts.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import shutil
import tempfile
from pathlib import Path

from bench.cycles import Task
from bench.driver import Driver, build_kernels, compiler_version
from bench.machine import ROOT

RECORD = ROOT / "bench" / "instructions.json"
GROWTH = 1.02  # a count that grows by more is a regression
TARGETS = ["scalar", "avx2"] if platform.machine() in ("x86_64", "AMD64") else ["scalar"]
TASKS = [
    *(Task(operation, 2**k, 1) for k in (12, 13, 15) for operation in ("ntt", "intt")),
    *(Task(operation, 2**12, 1) for operation in ("add", "mul", "mul_scalar")),
    Task("key_product", 2**12, 1, (3,)),
    Task("convert", 2**12, 11, (5,)),
    Task("divide_round", 2**12, 8, (2,)),
    Task("switch_down", 2**12, 8, (2, 2)),
    Task("encrypt", 2**12, 5, (1,)),
    *(Task(op, 2**12, 2) for op in ("automorphism", "uniform", "ternary", "centred_binomial", "pack", "unpack")),
]
Counts = dict[str, dict[str, int]]


def name(task: Task) -> str:
    return " ".join(map(str, [task.operation, f"N={task.ring_degree}", f"L={task.limbs}", *task.more]))


def toolchain() -> str:
    """What counts depend on besides the source."""
    return f"{platform.machine()}, {compiler_version()}"


def valgrind() -> str | None:
    return shutil.which("valgrind")


def count(target: str) -> dict[str, int]:
    """The instructions of each task on a target, in one run under callgrind."""
    program, tool = build_kernels(), valgrind()
    assert tool, "callgrind comes with valgrind (Debian, Ubuntu: apt install valgrind)"
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "counts"
        inside = ["--collect-atstart=no", "--toggle-collect=bench_counted", "--dump-after=bench_counted"]
        command = [tool, "--tool=callgrind", "--quiet", f"--callgrind-out-file={out}", *inside, program, target]
        with Driver(command) as driver:
            for task in TASKS:
                driver.answer("count " + task.line())
        dumps = [Path(f"{out}.{number}") for number in range(1, len(TASKS) + 1)]
        return {name(task): _total(dump.read_text()) for task, dump in zip(TASKS, dumps, strict=True)}


def _total(dump: str) -> int:
    found = re.search(r"^(?:totals|summary): (\d+)", dump, re.MULTILINE)
    assert found, "callgrind wrote no total"
    return int(found[1])


def counts() -> Counts:
    return {target: count(target) for target in TARGETS}


def recorded() -> Counts | None:
    """The counts of this toolchain, if there are any."""
    found: dict[str, Counts] = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    return found.get(toolchain())


def record(found: Counts) -> None:
    known = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    RECORD.write_text(json.dumps(known | {toolchain(): found}, indent=1, sort_keys=True) + "\n")


def grown(before: Counts, now: Counts) -> list[str]:
    """What takes more instructions than it did, and what is no longer counted, or not yet."""
    lines = []
    for target in sorted(before.keys() | now.keys()):
        old, new = before.get(target, {}), now.get(target, {})
        lines += [f"{target} {what}: counted and recorded differ" for what in sorted(old.keys() ^ new.keys())]
        for what in sorted(old.keys() & new.keys()):
            if new[what] > GROWTH * old[what]:
                lines.append(f"{target} {what}: {old[what]} instructions before, now {new[what]}")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.instructions", description=__doc__)
    parser.add_argument("--update", action="store_true", help="record the counts of this compiler")
    chosen = parser.parse_args()
    if not valgrind():
        raise SystemExit("callgrind comes with valgrind (Debian, Ubuntu: apt install valgrind)")
    before, now = recorded() or {}, counts()
    print(toolchain())
    for target, found in now.items():
        for what, instructions in found.items():
            old = before.get(target, {}).get(what)
            change = f"{100 * (instructions / old - 1):+.2f} %" if old else "new"
            print(f"  {target:<8}{what:<28}{instructions:>12}  {change}")
    if chosen.update:
        record(now)


if __name__ == "__main__":
    main()
