"""The prices of `fhe.costs` on this machine: ``python -m bench.calibrate``, about 40 seconds.

Calls of the seam are timed one by one, beside the clock: repeated, and those that stream also after other work, when
all that they use comes from memory. The model is linear in its prices, so these are the non-negative numbers by which
it says the times best: least squares of the relative errors, in which outliers count less. Of the schemes only what is
Python takes part, on a ring that is too small for anything else, the encoders at a single prime, and a few programs of
this file, for what Python costs amid them: what the model says of any other operation or program is a prediction
(``python -m bench.scaling``).
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import nnls

import fhe
from bench.machine import clock_ghz, cpu_model
from bench.operations import LARGE_PLAIN_MODULUS, PLAIN_MODULUS, factor_of
from bench.predictions import predicted
from bench.timing import seconds_amid, seconds_of
from fhe import costs
from fhe.primes import ntt_primes
from fhe.ring import random
from fhe.ring.basis import Basis
from fhe.rlwe.encodings import Encodings, remembered

NARROW, WIDE, SEED = 46, 50, bytes(32)
RINGS = [2**k for k in range(12, 17)]
ROUNDS, OUTLIER = 8, 0.08


STREAMS = {"add", "mul", "mul_add", "tensor", "ntt", "intt", "inner_product", "automorphism_eval"}
STREAMS |= {"decompose", "key_product", "key_switch", "switch_down"}
DEGREES = (5, 11, 23)


class Case(NamedTuple):
    """A call, and what the model says of it; ``cold`` where other work runs before each."""

    name: str
    call: Callable[[], Any]
    said: Callable[[costs.Machine], Any]
    cold: bool = False


# --- what is timed ---------------------------------------------------------------------------------------------------


def cases() -> Iterator[Case]:
    """Everything."""
    yield from python()
    yield from programs()
    for found in calls():
        yield found
        if found.name.split(",")[0] in STREAMS:
            yield found._replace(cold=True, said=lambda machine, said=found.said: said(costs.disturbed(machine)))


def calls() -> Iterator[Case]:
    """Calls of the seam on one limb, on a few, and where the ring is large on more than caches hold."""
    for ring_degree in RINGS:
        large = ring_degree >= 2**15
        for limbs in (1, 15, 30) if large else (1, 5, 12):
            basis = basis_of(ring_degree, limbs)
            yield from entrywise(basis)
            yield from transforms(basis)
            yield from integers(basis)
        yield from transforms(basis_of(ring_degree, 4, WIDE))
        yield from combining(basis_of(ring_degree, 4))
        for limbs, special in ((10, 4), (28, 8), (6, 1)) if large else ((3, 1), (8, 3), (3, 3)):
            yield from switching(basis_of(ring_degree, limbs + special), special)


def basis_of(ring_degree: int, limbs: int, bits: int = NARROW) -> Basis:
    return Basis.of(ring_degree, ntt_primes(ring_degree, bits, limbs))


def case(basis: Basis, name: str, arguments: Sequence[Any], *shape: Any) -> Case:
    """A call of the seam, and the method of the model with its name."""
    bits = [q.bit_length() for q in basis.moduli]
    call = partial(getattr(basis.backend, name), basis.handle, *arguments)
    return Case(
        f"{name}, N = {basis.ring_degree}, {len(bits)} limbs",
        call,
        lambda machine: getattr(costs.Seam(basis.ring_degree, machine), name)(bits, *shape),
    )


def uniform(basis: Basis, count: int) -> list[Any]:
    return [random.uniform(basis, SEED, component=k).data for k in range(count)]


def entrywise(basis: Basis) -> Iterator[Case]:
    x, y, z, w, *more = uniform(basis, 8)
    yield case(basis, "add", [x, y])
    yield case(basis, "mul", [x, y])
    yield case(basis, "mul_add", [x, y, z])
    yield case(basis, "mul_scalar", [x, [q // 3 for q in basis.moduli]])
    yield case(basis, "tensor", [[[x], [y]], [[z], [w]]])
    yield case(basis, "inner_product", [[x, y, z, w], more], 4)
    yield case(basis, "automorphism_eval", [x, 5])


def transforms(basis: Basis) -> Iterator[Case]:
    (x,) = uniform(basis, 1)
    yield from (case(basis, name, [x]) for name in ("ntt", "intt"))


def integers(basis: Basis) -> Iterator[Case]:
    (x,) = uniform(basis, 1)
    yield case(basis, "reduce", [np.arange(basis.ring_degree, dtype=np.int64)])
    yield case(basis, "lift", [x])
    yield case(basis, "pack", [x])
    yield case(basis, "unpack", [basis.backend.pack(basis.handle, x)])
    samplers = {"uniform": random.uniform, "ternary": random.ternary, "centred_binomial": random.error}
    for name, sample in samplers.items():
        yield case(basis, name, [])._replace(call=partial(sample, basis, SEED))


def switching(basis: Basis, special: int) -> Iterator[Case]:
    """Key switching with digits as long as P."""
    backend, top, digit = basis.backend, len(basis), special
    digits = math.ceil((top - special) / digit)
    x, y, *more = uniform(basis, digits + 1)
    own, short = backend.limbs(x, special, top), backend.limbs(x, 0, special)
    source, target = basis.limbs(0, special), basis.limbs(special, top)
    key = backend.pack_key(basis.handle, [x] * digits, [y] * digits)
    for one, other, poly in ((source, target, short), (target, source, own)):
        yield case(one, "convert", [other.handle, poly], [q.bit_length() for q in other.moduli])
    yield case(basis, "divide_round_eval", [special, top, x], special, top)
    yield case(basis, "decompose", [special, digit, own, own], special, digit)
    yield case(basis, "key_product", [[x, *more], key], digits)
    yield case(basis, "key_switch", [special, digit, own, own, key], special, digit)
    yield case(basis, "switch_down", [special, digit, top, own, key, [own]], special, digit, top)


def combining(basis: Basis, sums: int = 8, terms: int = 8) -> Iterator[Case]:
    """A matrix of diagonals, larger than caches, times rotations."""
    rows = [uniform(basis, terms)] * 2
    diagonals = [uniform(basis, terms) for _ in range(sums)]
    yield case(basis, "inner_products", [rows, [range(terms)] * sums, diagonals], 2, terms, sums * terms, sums)


def python() -> Iterator[Case]:
    """The Python of the schemes on a tiny ring, and NumPy's work in encoders."""
    tiny: dict[str, Any] = {"ring_degree": 256, "insecure": "only its time is of interest"}
    for owner in (fhe.ckks(depth=2, **tiny), fhe.bfv(depth=1, plain_modulus=7681, **tiny)):
        calls = calls_of(owner)
        for name in ("Add", "Multiply plain", "Rotate"):
            yield Case(name, calls[name], said_of(owner, name))
    for count in (2**12, 2**14):
        yield Case(f"look-up, {8 * count} bytes", _looking(np.arange(count / 1)), partial(_looked, 8 * count))
    for ring_degree in RINGS:
        plain_modulus = PLAIN_MODULUS if ring_degree < 2**16 else LARGE_PLAIN_MODULUS
        only: dict[str, Any] = {"ring_degree": ring_degree, "modulus_bits": [NARROW], "special_bits": [NARROW]}
        ckks = fhe.CKKSParameters(**only, scale_bits=30)
        for parameters in (ckks, fhe.BFVParameters(**only, plain_modulus=plain_modulus)):
            owner = fhe.KeyOwner(parameters)
            for name in ("Encode", "Decode"):
                yield Case(f"{name}, N = {ring_degree}", calls_of(owner)[name], said_of(owner, name))


def _looking(values: np.ndarray[Any, Any]) -> Callable[[], Any]:
    memory, made = Encodings(), np.ones(1)

    def call() -> Any:
        with memory.used():
            return remembered(None, "", values, lambda: made)

    return call


def _looked(nbytes: int, machine: costs.Machine) -> Any:
    return machine.look * nbytes


def programs() -> Iterator[Case]:
    """Polynomials, sums and moves, compiled: the Python of circuits and arrays amid work that fills the caches."""
    generator = np.random.default_rng(1)
    matrix = generator.uniform(-1, 1, (64, 64)) / 8
    functions: list[tuple[str, Any, tuple[int, ...]]] = [
        ("moves", lambda x: np.roll(x, 1, axis=0) * 0.5 + np.roll(x, 2, axis=1) * x, (32, 32)),
        ("squares, summed", lambda x: (x * x).sum(), (2048,)),
        ("matrix", lambda x: matrix @ x, (64,)),
    ]
    for degree in DEGREES:
        series = np.polynomial.Chebyshev(generator.uniform(-1, 1, degree + 1) / degree)
        functions.append((f"polynomial of degree {degree}", lambda x, s=series: fhe.evaluate(s, x), (1024,)))
    for name, function, shape in functions:
        program = fhe.compile(function, fhe.spec(shape, bound=1))
        argument = program.encrypt(program.keygen().public(), np.full(shape, 0.25))
        for cold in (False, True):
            said = partial(program.trial.tally.run.cycles, cold=cold)
            yield Case(f"program: {name}", partial(program, argument), said, cold)


def said_of(owner: fhe.KeyOwner, name: str) -> Callable[[costs.Machine], Any]:
    return lambda machine: predicted(owner.parameters, machine)[name]


def calls_of(owner: fhe.KeyOwner) -> dict[str, Callable[[], Any]]:
    evaluator: Any = owner.evaluator
    encoder: Any = owner.encoder
    owner.make_rotation_keys([1])
    values = np.arange(evaluator.slots) % 50 * (1 if isinstance(owner.parameters, fhe.BFVParameters) else 0.01)
    x = owner.encrypt(values).shards[0]
    phase, factor, top = owner._secret.decrypt(x), factor_of(owner, values), owner.parameters.max_level
    return {
        "Add": partial(evaluator.add, x, x),
        "Multiply plain": partial(evaluator.multiply_plain, x, factor),
        "Rotate": partial(evaluator.rotate, x, 1),
        "Encode": partial(encoder.encode, values, top),
        "Decode": partial(evaluator.decode, phase, x),
    }


# --- prices ----------------------------------------------------------------------------------------------------------


def measured(blank: costs.Machine) -> tuple[list[str], np.ndarray[Any, Any], np.ndarray[Any, Any], float]:
    """Of every case: its name, how often it pays each price, its cycles; and the clock."""
    names, counts, cycles, clocks = [], [], [], []
    unit, clock = costs.counting(blank), 0.0
    for index, found in enumerate(cases()):
        if index % 40 == 0:  # clocks drift
            clock = 1e9 * (clock_ghz() or blank.clock / 1e9)
            clocks.append(clock)
        names.append(found.name + (", cold" if found.cold else ""))
        counts.append(found.said(unit) * np.ones(len(costs.PRICES)))
        cycles.append((seconds_amid(found.call) if found.cold else seconds_of(found.call)) * clock)
    return names, np.array(counts), np.array(cycles), statistics.median(clocks)


def solved(counts: np.ndarray[Any, Any], cycles: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Prices >= 0 by which counts @ prices are near the cycles, each in proportion.

    Beyond `OUTLIER` the weight of an error falls with its size: the sum of errors is least, not that of their squares.
    """
    weights = np.ones(len(cycles))
    for _ in range(ROUNDS):
        prices, _ = nnls(counts * (weights / cycles)[:, None], weights)
        errors = np.abs(np.log(np.maximum(counts @ prices, 1) / cycles))
        weights = 1 / np.sqrt(np.maximum(errors, OUTLIER))
    return prices


def validated(counts: np.ndarray[Any, Any], cycles: np.ndarray[Any, Any], splits: int = 5) -> float:
    """The share of calls within 30 % by prices in whose fit they took no part, of some random halves."""
    generator, found = np.random.default_rng(1), []
    for _ in range(splits):
        chosen = generator.permutation(len(cycles)) % 2 == 0
        ratios = counts[~chosen] @ solved(counts[chosen], cycles[chosen]) / cycles[~chosen]
        found.append(np.mean((ratios >= 1 / 1.3) & (ratios <= 1.3)))
    return float(np.mean(found))


def fitted(blank: costs.Machine) -> tuple[costs.Machine, list[tuple[str, float]]]:
    """The machine with its prices, and said / measured of every case."""
    names, counts, cycles, clock = measured(blank)
    prices = solved(counts, cycles)
    rounded = {name: float(f"{price:.3g}") for name, price in zip(costs.PRICES, prices, strict=True)}
    machine = replace(blank, clock=float(f"{clock:.2g}"), **rounded)
    machine = replace(machine, wake=waking(machine))
    print(f"of a half of these, by prices fitted to the other half: {validated(counts, cycles):.0%} within 30 %")
    return machine, list(zip(names, counts @ prices / cycles, strict=True))


def waking(machine: costs.Machine) -> float:
    """What a loop on two threads costs beyond half of its work."""
    found, pair = [], costs.threaded(replace(machine, wake=0.0), 2)
    one = costs.threaded(costs.counting(machine), 2)
    fhe.set_num_threads(2)
    for ring_degree in RINGS[1:3]:
        for made in switching(basis_of(ring_degree, 7), 2):
            loops = made.said(one)[costs.PRICES.index("wake")]
            found.append((seconds_of(made.call) * machine.clock - made.said(pair)) / loops)
    fhe.set_num_threads(1)
    return float(f"{max(statistics.median(found), 0.0):.3g}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.calibrate", description=__doc__)
    parser.add_argument("--own-cache", type=float, default=costs.ZEN5.own_cache, help="bytes of a core's own cache")
    parser.add_argument("--shared-cache", type=float, default=costs.ZEN5.shared_cache, help="bytes of the shared cache")
    parser.add_argument("--json", type=Path, help="also write the table to this file")
    chosen = parser.parse_args()
    fhe.set_num_threads(1)
    blank = costs.Machine(cpu_model(), costs.ZEN5.clock, chosen.own_cache, chosen.shared_cache)
    machine, said = fitted(blank)
    for name, ratio in sorted(said, key=lambda row: abs(math.log(row[1])))[-25:]:
        print(f"  {ratio:5.2f} of the cycles measured: {name}")
    within = np.mean([1 / 1.3 <= ratio <= 1.3 for _, ratio in said])
    print(f"{within:.0%} of {len(said)} calls within 30 %\n")
    print("Machine(\n" + "".join(f"    {name}={value!r},\n" for name, value in asdict(machine).items()) + ")")
    if chosen.json:
        chosen.json.write_text(json.dumps(asdict(machine), indent=1) + "\n")


if __name__ == "__main__":
    main()
