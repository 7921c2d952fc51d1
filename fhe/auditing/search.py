"""Inputs that maximise an error: random restarts, and moves of some coordinates at a time, in bounded work.

What rounding and noise do to a result depends on its inputs through their magnitudes and signs, so that corners of what
is promised are where to begin; what an approximated function is off by has its largest values anywhere. In the clear
the latter costs next to nothing, and is looked at first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fhe.programs.program import Program
from fhe.programs.spec import Spec
from fhe.progress import progress

Inputs = Mapping[str, NDArray[Any]]
IN_THE_CLEAR = 20  # looks in the clear for each run
RESTART = 8  # runs without a larger error, until another place is tried


def searched(
    program: Program, first: Inputs, error: Callable[[Inputs], float], runs: int, seed: int, shown: bool
) -> tuple[Inputs, float, int]:
    """The worst inputs found in so many runs, and their error; ``error`` takes a run."""
    rng = np.random.default_rng(seed)
    starts = iter([*_promising(program, first, runs * IN_THE_CLEAR, rng), *_corners(program.specs, rng)])
    best, most = first, 0.0
    place, here, idle = dict(first), -1.0, 0
    for _ in progress(range(runs), "looking for worse inputs", shown):
        candidate = moved(program.specs, place, rng) if idle else dict(next(starts, uniform(program.specs, rng)))
        found = error(candidate)
        if found > here or idle == 0:
            place, here, idle = candidate, found, 1
        else:
            idle = (idle + 1) % RESTART
        if found > most:
            best, most = candidate, found
    return best, most, runs


def _promising(program: Program, first: Inputs, looks: int, rng: np.random.Generator) -> Iterator[Inputs]:
    """Inputs at which approximations are off the most."""
    if program.precision is None:
        return
    best, most = dict(first), -1.0
    for look in range(looks):
        candidate = moved(program.specs, best, rng) if look % RESTART else uniform(program.specs, rng)
        off = distance(program.approximated(**candidate), program.clear(**candidate))
        if off > most:
            best, most = candidate, off
    if most > 0:
        yield best


def distance(x: Any, y: Any) -> float:
    """How far results in the clear are apart, alone, in tuples or dictionaries."""
    if isinstance(x, dict):
        return max(distance(x[name], y[name]) for name in x)
    if isinstance(x, tuple | list):
        return max(map(distance, x, y))
    return float(np.max(np.abs(np.asarray(x) - np.asarray(y))))


def _corners(specs: Mapping[str, Spec], rng: np.random.Generator) -> Iterator[Inputs]:
    """All as large as may be, as small, in turns, and at random."""
    yield {name: np.full(spec.shape, spec.high).astype(spec.dtype) for name, spec in specs.items()}
    yield {name: np.full(spec.shape, spec.low).astype(spec.dtype) for name, spec in specs.items()}
    yield {
        name: np.where(np.arange(int(np.prod(spec.shape))) % 2, spec.high, spec.low)
        .reshape(spec.shape)
        .astype(spec.dtype)
        for name, spec in specs.items()
    }
    yield {name: _ends(spec, spec.shape, rng) for name, spec in specs.items()}


def uniform(specs: Mapping[str, Spec], rng: np.random.Generator) -> dict[str, NDArray[Any]]:
    """Anything that was promised."""
    return {name: _anything(spec, spec.shape, rng) for name, spec in specs.items()}


def moved(specs: Mapping[str, Spec], place: Inputs, rng: np.random.Generator) -> dict[str, NDArray[Any]]:
    """Some coordinates elsewhere: one, or up to all, at ends or anywhere."""
    result = {name: value.copy() for name, value in place.items()}
    name = list(specs)[rng.integers(len(specs))]
    spec, flat = specs[name], result[name].reshape(-1)
    count = min(flat.size, 1 << int(rng.integers(flat.size.bit_length())))
    chosen = rng.choice(flat.size, count, replace=False)
    flat[chosen] = (_ends if rng.integers(2) else _anything)(spec, (count,), rng)
    return result


def _ends(spec: Spec, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[Any]:
    return np.where(rng.integers(0, 2, shape), spec.high, spec.low).astype(spec.dtype)


def _anything(spec: Spec, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[Any]:
    if spec.kind == "integer":
        return np.asarray(rng.integers(int(spec.low), int(spec.high), shape, endpoint=True))
    if spec.kind == "complex":
        return np.asarray(rng.uniform(0, spec.high, shape) * np.exp(2j * np.pi * rng.uniform(0, 1, shape)))
    return np.asarray(rng.uniform(spec.low, spec.high, shape))
