"""Whole programs, on a server that holds just the keys they need: repeated, and after other work.

None of them takes part in `bench.calibrate`. They are those that others published (`fhe.examples.reference`) and
networks, on one image and on as many as there are slots.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import fhe
from bench.bench_networks import NETWORKS, THOUSANDS
from bench.reference_programs import references
from bench.scaling.clock import Clock, Point
from bench.timing import seconds_amid, seconds_of
from fhe.costs import Run
from fhe.examples.reference import Reference
from fhe.ml import ConvNet
from fhe.ml.learning import drawn

WARM, COLD = "whole programs, repeated", "whole programs, after other work"
SEED = 1


def whole(clock: Clock, threads: int = 1) -> Iterator[Point]:
    """Every program, on some threads."""
    fhe.set_num_threads(threads)
    for reference in references():
        yield from _reference(clock, reference, threads)
    for name in NETWORKS:
        yield from _network(clock, name, threads)
    fhe.set_num_threads(1)


def _reference(clock: Clock, reference: Reference, threads: int) -> Iterator[Point]:
    program = reference.compile()
    server = program.keygen().public()
    arguments = reference.encrypted(server, reference.sample(np.random.default_rng(SEED)))
    N, run = program.parameters.ring_degree, program.trial.tally.run
    yield from _both(clock, reference.name, N, lambda: program(**arguments), run, threads)


def _network(clock: Clock, name: str, threads: int) -> Iterator[Point]:
    """On one image in both states; on many, which takes seconds, once."""
    generator = np.random.default_rng(SEED)
    shape, layers = NETWORKS[name]
    model = ConvNet.of(drawn(layers, shape, generator), shape)
    model.approximate(generator.uniform(0, 1, (200, *shape)), degree=3)
    owner = fhe.KeyOwner(model.parameters())
    server, p = owner.public(rotations=model.rotations(owner)), owner.parameters
    model.encode(server)
    x = server.encrypt(generator.uniform(0, 1, shape), bound=1)
    runs = {packing: model._encrypted().run(p, packing) for packing in ("latency", "throughput")}
    yield from _both(clock, name, p.ring_degree, lambda: model.decision_function(x), runs["latency"], threads)
    if name in THOUSANDS:
        many = server.encrypt(generator.uniform(0, 1, (p.slots, *shape)), bound=1, batch=0)
        model.decision_function(many)
        took = seconds_amid(lambda: model.decision_function(many), samples=1)
        said = clock.milliseconds(runs["throughput"].cycles(clock.machine, cold=True, threads=threads))
        yield Point(COLD, f"{name}, {p.slots} images", p.ring_degree, 1e3 * took, said)


def _both(
    clock: Clock, name: str, ring_degree: int, call: Callable[[], Any], run: Run, threads: int
) -> Iterator[Point]:
    clock.read()
    for curve, time in ((WARM, seconds_of), (COLD, seconds_amid)):
        said = clock.milliseconds(run.cycles(clock.machine, cold=curve == COLD, threads=threads))
        yield Point(curve, name, ring_degree, 1e3 * time(call), said)
