"""This library beside others, in one interleaved run on one thread: ``python -m bench.compare``.

``FHE_PEERS`` names a prefix that holds HEXL and SEAL (include/, lib/), ``FHE_OPENFHE_PYTHON`` a Python that can import
openfhe; what is missing is left out. Figures are medians; a ratio above 1 says that this library is that much faster.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench.driver import ROUNDS, Driver, Measured, build, build_kernels, compiler_version, interleave
from bench.machine import commit, cpu_model
from bench.operations import BFV_BITS, CKKS_BITS, PLAIN_MODULUS
from fhe.primes import ntt_primes, primitive_root

PRIME_BITS = 46
# (N, limbs): one that stays in cache, and a polynomial that does not.
TRANSFORMS = [(2**12, 1), (2**13, 1), (2**14, 1), (2**15, 1), (2**16, 1), (2**15, 20)]
SCHEMES = ["CKKS", "BFV"]
OPERATIONS = ["multiply", "multiply_plain", "rotate", "add", "encode", "encrypt", "encode_encrypt", "decode"]
OPERATIONS += ["decrypt_decode", "keys"]
MEANING = {
    "multiply": "CKKS: multiply, relinearise, rescale; BFV: multiply, relinearise",
    "multiply_plain": "ciphertext times an encoded plaintext, not rescaled",
    "encrypt": "an encoded plaintext under the public key",
    "encode_encrypt": "both: some scale by Q/t in the first, some in the second",
    "keys": "a secret, a public, a relinearisation and a rotation key",
}
ARCHIVES = [[], ["-lcpu_features"], ["-lcpu_features", "-lz", "-lzstd"], ["-lz"], ["-lz", "-lzstd"]]
Row = dict[str, Any]


def peers() -> Path | None:
    prefix = os.environ.get("FHE_PEERS")
    return Path(prefix) if prefix else None


def build_peer(name: str, includes: list[Path], libraries: list[str]) -> Path | None:
    """The driver of a library below ``FHE_PEERS``, if that is there."""
    prefix = peers()
    if prefix is None or not includes:
        return None
    folders = [prefix / "include", *includes]
    found = [[f"-L{prefix / 'lib'}", *libraries, *more] for more in ARCHIVES]
    return build(name, [], [f"-I{folder}" for folder in folders], found)


def hexl_driver() -> Path | None:
    return build_peer("hexl", sorted((peers() or Path("/")).glob("include/hexl")), ["-lhexl"])


def seal_driver() -> Path | None:
    """SEAL with HEXL where it was built so."""
    prefix = peers() or Path("/")
    archives = sorted(prefix.glob("lib/libseal*"))
    libraries = [f"-l{archives[0].stem.removeprefix('lib')}"] if archives else []
    if sorted(prefix.glob("lib/libhexl*")):
        libraries.append("-lhexl")
    return build_peer("seal", sorted(prefix.glob("include/SEAL-*")), libraries)


# --- what is compared ------------------------------------------------------------------------------------------------


def transform_rows(rounds: int) -> Iterator[Row]:
    """Forward and inverse, exact results, the same primes on both sides."""
    with ExitStack() as stack:
        drivers = {"fhe": stack.enter_context(Driver([build_kernels(), ""]))}
        if program := hexl_driver():
            drivers["HEXL"] = stack.enter_context(Driver([program]))
        for ring_degree, limbs in TRANSFORMS:
            primes = ntt_primes(ring_degree, PRIME_BITS, limbs)
            numbers = [ring_degree, limbs, *primes, *(primitive_root(q, ring_degree) for q in primes)]
            for operation in ("ntt", "intt"):
                line = " ".join(map(str, [operation, *numbers]))
                measured = interleave({name: (driver, line) for name, driver in drivers.items()}, rounds)
                yield row("transform", operation, ring_degree, measured, limbs=limbs, prime_bits=PRIME_BITS)


def scheme_drivers(scheme: str, ring_degree: int) -> dict[str, Driver]:
    """Each library at the same ring, with the same primes of Q where it lets us choose them."""
    bits, special = (CKKS_BITS if scheme == "CKKS" else BFV_BITS)[ring_degree]
    log_degree, given = str(ring_degree.bit_length() - 1), str(bits[-1] if scheme == "CKKS" else PLAIN_MODULUS)
    one_thread = {"OMP_NUM_THREADS": "1"}
    drivers = {"fhe": Driver([sys.executable, "-m", "bench.drivers.ours", scheme, str(ring_degree), ""])}
    if program := seal_driver():
        chain = map(str, [*bits, max(*bits, *special)])
        drivers["SEAL"] = Driver([program, scheme.lower(), log_degree, given, *chain], **one_thread)
    if python := os.environ.get("FHE_OPENFHE_PYTHON"):
        script = Path(__file__).parent / "drivers" / "openfhe_side.py"
        drivers["OpenFHE"] = Driver([python, script, scheme, log_degree, given, *map(str, bits)], **one_thread)
    return drivers


def scheme_rows(scheme: str, ring_degree: int, rounds: int) -> Iterator[Row]:
    with ExitStack() as stack:
        drivers = scheme_drivers(scheme, ring_degree)
        for driver in drivers.values():
            stack.enter_context(driver)
        facts = {name: driver.facts() for name, driver in drivers.items()}
        print("\n".join([f"\n{scheme}, N = {ring_degree}", *(f"  {name}: {told(facts[name])}" for name in facts)]))
        for operation in OPERATIONS:
            asked = {name: (driver, operation) for name, driver in drivers.items()}
            if operation == "decode":  # OpenFHE decodes while it decrypts
                asked.pop("OpenFHE", None)
            yield row(scheme, operation, ring_degree, interleave(asked, rounds), parameters=facts)


def row(group: str, operation: str, ring_degree: int, measured: dict[str, Measured], **more: Any) -> Row:
    own = measured["fhe"].nanoseconds
    return {
        "group": group,
        "operation": operation,
        "N": ring_degree,
        "microseconds": {name: found.nanoseconds / 1000 for name, found in measured.items()},
        "ratio": {name: found.nanoseconds / own for name, found in measured.items() if name != "fhe"},
        **more,
    }


# --- output -----------------------------------------------------------------------------------------------------------


def told(facts: dict[str, Any]) -> str:
    """Facts in a line; bytes in KiB, those of operations on a line of their own."""
    rest, lines = dict(facts), []
    if objects := rest.pop("bytes", None):
        lines.append("KiB: " + ", ".join(f"{name} {count / 1024:.0f}" for name, count in objects.items()))
    if peaks := rest.pop("peak_bytes", None):
        totals = {name: sum(parts.values()) / 1024 for name, parts in peaks.items()}
        lines.append("KiB at the peak: " + ", ".join(f"{name} {total:.0f}" for name, total in totals.items()))
    return "\n      ".join([", ".join(f"{name.replace('_', ' ')} {value}" for name, value in rest.items()), *lines])


def shown(found: Row) -> str:
    """A line: the ratios first, then what each takes."""
    what = found["operation"] + (f", {found['limbs']} limbs in turn" if found.get("limbs", 1) > 1 else "")
    ratios = "  ".join(f"{ratio:6.2f}x {name}" for name, ratio in found["ratio"].items())
    times = "  ".join(f"{name} {time:.1f}" for name, time in found["microseconds"].items())
    return f"  N = {found['N']:<6} {what:<26} {ratios:<36} us: {times}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.compare", description=__doc__)
    parser.add_argument("--groups", default="transform,CKKS,BFV", help="what to compare, separated by commas")
    parser.add_argument("--degrees", default="8192,16384,32768", help="ring degrees of the schemes")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="samples of each operation and library")
    parser.add_argument("--json", type=Path, help="also write everything to this file")
    chosen = parser.parse_args()
    groups, rows = chosen.groups.split(","), []
    degrees = [int(degree) for degree in chosen.degrees.split(",")]
    print(f"{cpu_model()}, commit {commit()}, {compiler_version()}, one thread; x: times as fast as that library")
    sources = [transform_rows(chosen.rounds)] if "transform" in groups else []
    sources += [scheme_rows(scheme, n, chosen.rounds) for scheme in SCHEMES if scheme in groups for n in degrees]
    for source in sources:
        for found in source:
            rows.append(found)
            print(shown(found), flush=True)
    if chosen.json:
        machine = {"cpu": cpu_model(), "commit": commit(), "compiler": compiler_version()}
        chosen.json.write_text(json.dumps({"machine": machine, "meaning": MEANING, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
