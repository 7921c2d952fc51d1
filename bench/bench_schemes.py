"""Whole operations on single ciphertexts, one row for each name users know from other libraries."""

from __future__ import annotations

from functools import lru_cache

import pytest

from bench.conftest import Measure
from bench.operations import OPERATIONS, make_keys, operations, parameters, peak_memory, sizes


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("scheme", ["BFV", "CKKS"], scope="module")
def bench_scheme(measure: Measure, operation: str, scheme: str, ring_degree: int, target: str) -> None:
    chosen = parameters(scheme, ring_degree)
    limbs = f"{len(chosen.moduli())}+{len(chosen.special)} limbs"
    group = f"{scheme}, N = {ring_degree}, {limbs}, {target}"
    function = operations(scheme, ring_degree, target)[operation]
    recorded = {"peak_bytes": peak_memory(function), "bytes": sizes_of(scheme, ring_degree)}
    measure(group, operation, function, scheme=scheme, N=ring_degree, limbs=limbs, target=target, **recorded)


@lru_cache(maxsize=1)
def sizes_of(scheme: str, ring_degree: int) -> dict[str, int]:
    return sizes(make_keys(parameters(scheme, ring_degree), ""))
