"""The operations of the seam on whole polynomials, on every target, from Python: what a scheme pays for each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pytest

from bench.conftest import Measure
from fhe.backend.choose import choose
from fhe.backend.protocol import Backend, Buffer
from fhe.primes import ntt_primes
from fhe.ring.basis import Basis

BITS, LIMBS, SPECIAL, DIGIT = 46, 8, 2, 2
OPERATIONS = [
    "add",
    "automorphism_eval",
    "convert",
    "decompose",
    "divide_round_eval",
    "inner_product",
    "intt",
    "key_product",
    "key_switch",
    "mul",
    "mul_add",
    "mul_scalar",
    "ntt",
    "switch_down",
    "tensor",
]


@dataclass(frozen=True)
class Operands:
    """A basis P then Q_l, and random polynomials over it."""

    backend: Backend
    basis: Basis
    x: Buffer
    y: Buffer
    key: list[Buffer]

    @staticmethod
    @lru_cache(maxsize=1)
    def of(target: str, ring_degree: int) -> Operands:
        backend, generator = choose("native", target), np.random.default_rng(ring_degree)
        basis = Basis.of(ring_degree, ntt_primes(ring_degree, BITS, LIMBS), backend)

        def random() -> Buffer:
            rows = [generator.integers(0, q, ring_degree, dtype=np.uint64) for q in basis.moduli]
            return backend.load(basis.handle, np.stack(rows))

        digits = (LIMBS - SPECIAL + DIGIT - 1) // DIGIT
        return Operands(backend, basis, random(), random(), [random() for _ in range(digits)])

    def arguments(self, operation: str) -> tuple[Any, ...]:
        """What an operation takes after its basis (or bases)."""
        x, y = self.x, self.y
        part = self.backend.limbs(x, SPECIAL, LIMBS)
        key = self.backend.pack_key(self.basis.handle, self.key, self.key)
        return {
            "automorphism_eval": (x, 5),
            "convert": (self.backend.limbs(x, 0, SPECIAL),),
            "decompose": (SPECIAL, DIGIT, part, part),
            "divide_round_eval": (SPECIAL, LIMBS, x),
            "inner_product": (self.key, self.key),
            "intt": (x,),
            "key_switch": (SPECIAL, DIGIT, part, part, key),
            "mul_add": (x, y, x),
            "mul_scalar": (x, [q - 2 for q in self.basis.moduli]),
            "ntt": (x,),
            "key_product": (self.key, key),
            "switch_down": (SPECIAL, DIGIT, LIMBS, part, key, [part, part]),
            "tensor": ([[x], [y]], [[y], [x]]),
        }.get(operation, (x, y))

    def bases(self, operation: str) -> tuple[Any, ...]:
        if operation == "convert":
            return self.basis.limbs(0, SPECIAL).handle, self.basis.limbs(SPECIAL, LIMBS).handle
        return (self.basis.handle,)


@pytest.mark.parametrize("operation", OPERATIONS)
def bench_operation(measure: Measure, operation: str, ring_degree: int, target: str) -> None:
    operands = Operands.of(target, ring_degree)
    function = getattr(operands.backend, operation)
    recorded = {"N": ring_degree, "limbs": LIMBS, "target": target}
    if operation in ("ntt", "intt"):
        recorded["butterflies"] = LIMBS * ring_degree // 2 * (ring_degree.bit_length() - 1)
    group = f"N = {ring_degree}, {LIMBS} limbs of {BITS} bits, {target}"
    measure(group, operation, function, *operands.bases(operation), *operands.arguments(operation), **recorded)
