"""``fhe bench``: what the operations of a scheme cost on this machine, at the parameters a user gets."""

from __future__ import annotations

import argparse
import operator
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

import fhe
from fhe.cli.common import add_choice, chosen, command, positive, show, table, whole
from fhe.cli.machine import cpu
from fhe.measure import bytes_text, median_us, time_text

MORE = """\
Medians for one ciphertext; keys are made before. `Multiply` ends where the next operation can use it: relinearised, in
CKKS rescaled too. Kernels, cycles, other libraries: make bench, make bench-cycles, make bench-compare in a checkout.
"""


def add_to(commands: Any) -> None:
    """Declare the command."""
    parser = command(commands, "bench", run, "what operations cost on this machine", MORE)
    add_choice(parser)
    parser.add_argument("--depth", type=whole, default=3, help="multiplications in a row (default: %(default)s)")
    parser.add_argument("--threads", type=positive, help="for each operation (default: FHE_NUM_THREADS, or 1)")


def run(options: argparse.Namespace) -> int:
    """Measure, with a word on standard error for each operation where that is a terminal; print."""
    if options.threads:
        fhe.set_num_threads(options.threads)
    owner = fhe.KeyOwner(chosen(options, options.depth))
    rows = {}
    for name, call in operations(owner).items():
        if sys.stderr.isatty():
            print(f"\r{name:<24}", end="", file=sys.stderr, flush=True)
        rows[name] = median_us(call)
    if sys.stderr.isatty():
        print("\r" + 24 * " " + "\r", end="", file=sys.stderr)
    backend, slots = owner.chain.backend, owner.evaluator.slots
    found = {
        "cpu": cpu(),
        "backend": backend.name,
        "target": backend.target,
        "threads": fhe.num_threads(),
        "fhe": fhe.__version__,
        "parameters": owner.parameters.to_dict(),
        "slots": slots,
        "bytes": sizes(owner),
        "microseconds": rows,
    }
    show(options.json, found, _report(owner, found))
    return 0


def operations(owner: fhe.KeyOwner) -> dict[str, Callable[[], object]]:
    """Each operation as a call without arguments; what it needs is there."""
    evaluator, rng = owner.evaluator, np.random.default_rng(1)
    real = owner.parameters.scheme == "ckks"
    values = rng.uniform(-1, 1, (2, evaluator.slots)) if real else rng.integers(-1, 2, (2, evaluator.slots))
    arrays = [owner.encrypt(row, bound=1) for row in values]
    (x,), (y,) = (array.shards for array in arrays)
    owner.make_rotation_keys([1])
    found: dict[str, Callable[[], object]] = {
        "Encode and encrypt": lambda: owner.encrypt(values[0], bound=1),
        "the same, symmetric": lambda: owner.encrypt(values[0], bound=1, symmetric=True),
        "Decrypt and decode": lambda: owner.decrypt(arrays[0]),
        "Add": lambda: evaluator.add(x, y),
        "Rotate": lambda: evaluator.rotate(x, 1),
    }
    if owner.parameters.max_level > 0 or not real:
        found["Multiply"] = lambda: operator.mul(*arrays).settled()
        found["Multiply by plain"] = lambda: arrays[0] * values[1]
    return found | {"Sum of all slots": arrays[0].sum, "To bytes": arrays[0].to_bytes}


def sizes(owner: fhe.KeyOwner) -> dict[str, int]:
    """What travels."""
    x = np.zeros(owner.evaluator.slots, dtype=float if owner.parameters.scheme == "ckks" else int)
    return {
        "ciphertext": len(owner.encrypt(x, bound=1).to_bytes()),
        "ciphertext, symmetric": len(owner.encrypt(x, bound=1, symmetric=True).to_bytes()),
        "public key": len(owner.public(rotations=[], relinearization=False).to_bytes()),
        "relinearisation key": owner.keys.require_relinearization().nbytes,
    }


def _report(owner: fhe.KeyOwner, found: dict[str, Any]) -> str:
    slots = found["slots"]
    rows = [[name, time_text(us), f"{1e3 * us / slots:.3g} ns"] for name, us in found["microseconds"].items()]
    weights = [[name, bytes_text(size)] for name, size in found["bytes"].items()]
    who = f"{found['cpu']}, {found['backend']} backend, {found['target']}, threads: {found['threads']}"
    parts = [who, owner.parameters.summary(), "", table(("operation", "median", "a slot"), rows)]
    return "\n".join([*parts, "", table(("what travels", "bytes"), weights)])
