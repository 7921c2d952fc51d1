"""What is measured: curves of points, each with what `fhe.costs` says of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

import fhe
from bench.operations import CKKS_BITS, make_keys, operations, parameters
from bench.predictions import predicted
from bench.scaling.clock import Clock, Point
from bench.scaling.programs import whole
from bench.timing import seconds_of
from fhe import costs
from fhe.circuits.matrix import LinearMap

RINGS = tuple(sorted(CKKS_BITS))
DEPTHS = (1, 2, 4, 6, 8, 12, 16, 20)
BATCHES = (1, 2, 4, 8, 16)
SIZES = tuple(2**k for k in range(8, 18, 2))
SIDES = (16, 32, 64, 128, 256)
DEGREES = (3, 7, 15, 31)


def measured(call: Callable[[], Any]) -> float:
    return 1e3 * seconds_of(call)


def rings(clock: Clock, degrees: tuple[int, ...] = RINGS) -> Iterator[Point]:
    """Every operation of both schemes, at parameters that fill 128-bit security."""
    for scheme in ("CKKS", "BFV"):
        for N in degrees:
            calls, said = operations(scheme, N, ""), predicted(parameters(scheme, N), clock.machine)
            clock.read()
            for name in said:
                yield Point(f"{scheme}, ring degree", name, N, measured(calls[name]), clock.milliseconds(said[name]))


def limbs(clock: Clock, ring_degree: int = 2**15) -> Iterator[Point]:
    """CKKS down a chain, from the highest level to the lowest: what a ciphertext costs as it is used."""
    chosen = parameters("CKKS", ring_degree)
    owner = make_keys(chosen, "")
    evaluator: Any = owner.evaluator
    made = len(chosen.digits(chosen.max_level))  # keys are those of the highest level
    clock.read()
    for level in range(chosen.max_level, 0, -3):
        x, y = (owner.encrypt([0.5], bound=1, level=level).shards[0] for _ in range(2))
        q, p = (_bits(primes) for primes in (chosen.moduli(level), chosen.special))
        said = {
            "Multiply all": costs.product_ckks(ring_degree, q, p, chosen.digit, machine=clock.machine, made=made),
            "Rotate": costs.rotation(ring_degree, q, p, chosen.digit, clock.machine, made=made),
            "Add": costs.addition(ring_degree, q, clock.machine),
        }
        calls = {
            "Multiply all": lambda x=x, y=y: evaluator.settle(evaluator.multiply(x, y)),
            "Rotate": partial(evaluator.rotate, x, 1),
            "Add": partial(evaluator.add, x, y),
        }
        for name, call in calls.items():
            yield Point("limbs, N = 2^15", name, len(q), measured(call), clock.milliseconds(said[name]))


def depths(clock: Clock, wanted: tuple[int, ...] = DEPTHS) -> Iterator[Point]:
    """The parameters that a depth asks for: rings double, and cost more than doubles."""
    for depth in wanted:
        owner = make_keys(fhe.ckks(depth=depth).parameters, "")
        evaluator: Any = owner.evaluator
        x, y = (owner.encrypt([0.5], bound=1).shards[0] for _ in range(2))
        said = predicted(owner.parameters, clock.machine)
        clock.read()
        calls = {
            "Multiply all": lambda e=evaluator, x=x, y=y: e.settle(e.multiply(x, y)),
            "Rotate": partial(evaluator.rotate, x, 1),
        }
        for name, call in calls.items():
            yield Point("depth", name, depth, measured(call), clock.milliseconds(said[name]))


def arrays(clock: Clock, batches: tuple[int, ...] = BATCHES, sizes: tuple[int, ...] = SIZES) -> Iterator[Point]:
    """Ciphertexts in an array, and numbers in an array: what does not fill a ciphertext costs a whole one."""
    owner = make_keys(parameters("CKKS", 2**13), "")
    slots, row = owner.evaluator.slots, 8 * owner.parameters.ring_degree * len(owner.parameters.moduli())
    clock.read()
    shapes = [("batch of ciphertexts", count, (count, slots)) for count in batches]
    shapes += [("elements of an array", size, (size,)) for size in sizes]
    for curve, x, shape in shapes:
        a, b = (owner.encrypt(np.full(shape, 0.5), bound=1) for _ in range(2))
        shards = len(a.shards)
        said = predicted(owner.parameters, costs.amid(clock.machine, 6 * row * shards))
        calls = {"Multiply all": lambda a=a, b=b: (a * b).settled(), "Add": lambda a=a, b=b: a + b}
        for name, call in calls.items():
            yield Point(curve, name, x, measured(call), clock.milliseconds(shards * said[name]))


def threads(clock: Clock, most: int, degrees: tuple[int, ...] = RINGS[1:]) -> Iterator[Point]:
    """Operations on more threads; what is too short to gain runs on one."""
    for N in degrees:
        calls, chosen = operations("CKKS", N, ""), parameters("CKKS", N)
        alone = predicted(chosen, clock.machine)
        clock.read()
        for count in range(1, most + 1):
            said = predicted(chosen, costs.threaded(clock.machine, count))
            fhe.set_num_threads(count)
            for name in ("Multiply all", "Rotate", "Encrypt"):
                cycles = min(alone[name], said[name])
                yield Point(f"threads, N = 2^{N.bit_length() - 1}", name, count, *_beside(clock, calls[name], cycles))
            fhe.set_num_threads(1)


def _beside(clock: Clock, call: Callable[[], Any], cycles: float) -> tuple[float, float]:
    return measured(call), clock.milliseconds(cycles)


def matrices(clock: Clock, sides: tuple[int, ...] = SIDES) -> Iterator[Point]:
    """Plain matrices, encoded, times encrypted vectors: the rotations and products of the schedule that each found."""
    owner = fhe.ckks(depth=2, ring_degree=2**13)
    parameters = owner.parameters
    q, p = (_bits(primes) for primes in (parameters.moduli(), parameters.special))
    clock.read()
    for side in sides:
        generator = np.random.default_rng(side)
        matrix = generator.uniform(-1, 1, (side, side)) / side
        linear = LinearMap.of_matrix(owner.evaluator, matrix)
        owner.make_rotation_keys(linear.rotations)
        (x,) = owner.encrypt(matrix[0], bound=1).shards
        found = linear.schedule
        giants = found.switches + len(found.folds) + len(found.spreads)
        steps = len(set(found.babies) - {0}), giants, len(found.babies)
        said = costs.linear_map(parameters.ring_degree, q, p, parameters.digit, steps, machine=clock.machine)
        took = measured(lambda linear=linear, x=x: linear(x))
        yield Point("side of a matrix, N = 2^13", "matrix @ vector", side, took, clock.milliseconds(said))


def programs(clock: Clock) -> Iterator[Point]:
    """Whole computations, compiled: what the dry run of `fhe.compile` says beside the run."""
    generator = np.random.default_rng(0)
    for degree in DEGREES:
        series = np.polynomial.Chebyshev(generator.uniform(-1, 1, degree + 1) / degree)
        yield _program(clock, "degree", "polynomial", degree, lambda x, s=series: fhe.evaluate(s, x), (1024,))


def _program(clock: Clock, curve: str, name: str, x: float, function: Any, shape: tuple[int, ...]) -> Point:
    program = fhe.compile(function, fhe.spec(shape, bound=1))
    argument = program.encrypt(program.keygen().public(), np.full(shape, 0.25))
    clock.read()
    said = clock.milliseconds(program.trial.tally.run.cycles(clock.machine))
    return Point(curve, name, x, measured(lambda: program(argument)), said)


def _bits(primes: Any) -> list[int]:
    return [q.bit_length() for q in primes]


def points_of(chosen: list[str], clock: Clock, most_threads: int) -> Iterator[Point]:
    """The curves that are asked for."""
    curves: dict[str, Callable[[], Iterator[Point]]] = {
        "rings": lambda: rings(clock),
        "limbs": lambda: limbs(clock),
        "depths": lambda: depths(clock),
        "arrays": lambda: arrays(clock),
        "matrices": lambda: matrices(clock),
        "programs": lambda: programs(clock),
        "whole": lambda: whole(clock),
        "threads": lambda: threads(clock, most_threads),
    }
    for name in chosen:
        yield from curves[name]()


CURVES = ("rings", "limbs", "depths", "arrays", "matrices", "programs", "whole", "threads")
