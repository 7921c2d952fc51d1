"""The rows: transforms beside HEXL, schemes and tasks beside every library that is here."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench.compare.peers import (
    PACKAGES,
    hexl_driver,
    lattigo_driver,
    openfhe_pythons,
    python_of,
    seal_driver,
    with_hexl,
)
from bench.compare.rows import MEANING, OURS, Group, Row
from bench.driver import Driver, build_kernels, interleave
from bench.operations import BFV_BITS, CKKS_BITS, PLAIN_MODULUS
from fhe.primes import ntt_primes, primitive_root

PRIME_BITS = 46
# (N, limbs): one that stays in cache, and a polynomial that does not.
TRANSFORMS = [(2**12, 1), (2**13, 1), (2**14, 1), (2**15, 1), (2**16, 1), (2**15, 20)]
OPERATIONS = [name for name in MEANING if name not in ("ntt", "intt")]
WARM, AWAKE = 0.005, 0.04  # seconds until caches are a library's own again, and all of its threads are at work
SCRIPTS = Path(__file__).parent.parent / "drivers"


def transforms(rounds: int, seconds: float) -> Iterator[Group]:
    """Forward and inverse, exact results, the same primes on both sides; one thread."""
    with ExitStack() as stack:
        drivers = {OURS: stack.enter_context(Driver([build_kernels(), ""]))}
        if program := hexl_driver():
            drivers["HEXL"] = stack.enter_context(Driver([program]))
        group = Group("Transforms, one thread", [])
        for ring_degree, limbs in TRANSFORMS:
            primes = ntt_primes(ring_degree, PRIME_BITS, limbs)
            numbers = [ring_degree, limbs, *primes, *(primitive_root(q, ring_degree) for q in primes)]
            for operation in ("ntt", "intt"):
                line = " ".join(map(str, [operation, *numbers]))
                asked = {name: (driver, line) for name, driver in drivers.items()}
                measured = interleave(asked, rounds, seconds)
                group.rows.append(Row.of("transform", operation, ring_degree, 1, measured, limbs=limbs))
        yield group


def schemes(
    scheme: str, ring_degree: int, threads: int, names: list[str], rounds: int, seconds: float
) -> Iterator[Group]:
    """Every operation of a scheme at one ring; with more threads, libraries that have any."""
    with ExitStack() as stack:
        drivers, facts = started(drivers_of(scheme, ring_degree, threads, names), stack)
        title = f"{scheme}, N = {ring_degree}, {told_threads(threads)}"
        group = Group(title, [], facts)
        for operation in OPERATIONS:
            asked = {name: (drivers[name], operation) for name in drivers if operation in facts[name]["operations"]}
            if OURS in asked:
                measured = interleave(asked, rounds, seconds, settled=AWAKE if threads > 1 else WARM)
                group.rows.append(Row.of(scheme, operation, ring_degree, threads, measured))
        yield group


def models(threads: int, names: list[str], rounds: int, seconds: float) -> Iterator[Group]:
    """Learnt models on encrypted rows, from the rows to the classes; all threads, which concrete-ml takes anyway."""
    python = python_of(PACKAGES["concrete-ml"]) if "concrete-ml" in names else None
    if python is None:
        return
    found = {
        OURS: Driver([sys.executable, "-m", "bench.drivers.models_side", str(threads)]),
        "concrete-ml": Driver([python, SCRIPTS / "concrete_side.py"]),
    }
    with ExitStack() as stack:
        drivers, facts = started(found, stack)
        group = Group(f"Models, {told_threads(threads)}", [], facts)
        for operation in facts[OURS]["operations"]:
            measured = interleave({name: (driver, operation) for name, driver in drivers.items()}, rounds, seconds)
            group.rows.append(Row.of("models", operation, 0, threads, measured))
        yield group


def told_threads(threads: int) -> str:
    return "one thread" if threads == 1 else f"{threads} threads"


def started(found: dict[str, Driver], stack: ExitStack) -> tuple[dict[str, Driver], dict[str, dict[str, Any]]]:
    """The drivers that work, one started after the other, and what they say of themselves."""
    drivers, facts = {}, {}
    for name, driver in found.items():
        try:
            facts[name] = driver.facts()
        except (RuntimeError, BrokenPipeError):
            print(f"  {name}: no such parameters, or a wrong result; left out", flush=True)
            continue
        drivers[name] = stack.enter_context(driver)
    return drivers, facts


def drivers_of(scheme: str, ring_degree: int, threads: int, names: list[str]) -> dict[str, Driver]:
    """Each library at the same ring, with the same primes of Q where it lets us choose them; of PyPI those named."""
    bits, special = (CKKS_BITS if scheme == "CKKS" else BFV_BITS)[ring_degree]
    log_degree, given = str(ring_degree.bit_length() - 1), str(bits[-1] if scheme == "CKKS" else PLAIN_MODULUS)
    chain = [str(b) for b in (*bits, max(*bits, *special))]
    limit = {"OMP_NUM_THREADS": str(threads)}
    pythons = {name: python for name in names if (python := python_of(PACKAGES[name]))}
    ours = [sys.executable, "-m", "bench.drivers.ours", scheme, str(ring_degree), "", str(threads)]
    drivers = {OURS: Driver(ours)}
    if threads == 1 and (program := seal_driver()):
        drivers["SEAL + HEXL" if with_hexl() else "SEAL"] = Driver([program, scheme.lower(), log_degree, given, *chain])
    if threads == 1 and (program := lattigo_driver()):
        chains = [*map(str, bits), "special", *map(str, special)]
        drivers["Lattigo"] = Driver([program, scheme, log_degree, given, *chains], GOMAXPROCS="1")
    for name, python in openfhe_pythons(pythons.get("openfhe")):
        script = SCRIPTS / "openfhe_side.py"
        drivers[name] = Driver([python, script, scheme, log_degree, given, *map(str, bits)], **limit)
    if python := pythons.get("tenseal"):
        drivers["TenSEAL"] = Driver(
            [python, SCRIPTS / "tenseal_side.py", scheme, log_degree, given, str(threads), *chain]
        )
    if threads == 1 and (python := pythons.get("Pyfhel")):
        drivers["Pyfhel"] = Driver([python, SCRIPTS / "pyfhel_side.py", scheme, log_degree, given, *chain])
    if scheme == "CKKS" and (python := pythons.get("desilofhe")):
        drivers["desilofhe"] = Driver(
            [python, SCRIPTS / "desilofhe_side.py", scheme, log_degree, str(threads)], **limit
        )
    return drivers
