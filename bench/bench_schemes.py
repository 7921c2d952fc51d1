"""Whole operations on single ciphertexts, one row for each name users know from other libraries."""

from __future__ import annotations

import pytest

from bench.conftest import Measure
from bench.operations import OPERATIONS, operations, parameters


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("scheme", ["BFV", "CKKS"], scope="module")
def bench_scheme(measure: Measure, operation: str, scheme: str, ring_degree: int, target: str) -> None:
    chosen = parameters(scheme, ring_degree)
    limbs = f"{len(chosen.moduli())}+{len(chosen.special)} limbs"
    group = f"{scheme}, N = {ring_degree}, {limbs}, {target}"
    function = operations(scheme, ring_degree, target)[operation]
    measure(group, operation, function, scheme=scheme, N=ring_degree, limbs=limbs, target=target)
