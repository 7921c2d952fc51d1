"""Programs that others wrote by hand, with parameters of their experts, as plain functions of arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import fhe

Arguments = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Expert:
    """What somebody chose by hand for a program.

    ``levels`` are the bits of the primes, base first, without those of the ``special`` one. Where a compiler chose, or
    a source says that its set is not secure, only ``ring_degree`` is there: the least at which that chain is secure.
    ``remark`` says why the two are not quite alike.
    """

    source: str
    ring_degree: int
    levels: tuple[int, ...] = ()
    special: int = 0
    scale_bits: int = 0
    remark: str = ""

    def owner(self) -> fhe.KeyOwner | None:
        """Keys for the same ring, levels and scale (CKKS), where they are known."""
        if not self.scale_bits:
            return None
        special = (self.special,) if self.special <= 50 else (self.special - self.special // 2, self.special // 2)
        return fhe.KeyOwner(
            fhe.CKKSParameters(
                ring_degree=self.ring_degree,
                modulus_bits=self.levels,
                special_bits=special,
                scale_bits=self.scale_bits,
                insecure="an expert's choice, to be compared with",
            )
        )

    @property
    def log_modulus(self) -> int:
        """log2(QP); 0 where the source leaves it to a compiler."""
        return sum(self.levels) + self.special


@dataclass(frozen=True)
class Reference:
    """A function, what is said of its arguments, an example of them, and what an expert chose for it.

    ``precision`` is what results may be off by (CKKS).
    """

    name: str
    function: Callable[..., Any]
    specs: Mapping[str, fhe.Spec]
    sample: Callable[[np.random.Generator], Arguments]
    expert: Expert
    precision: float = 1e-4

    def compile(self) -> fhe.Program:
        """The program, with the smallest parameters that hold it."""
        return fhe.compile(self.function, *self.specs.values(), precision=self.precision)

    def run(self, owner: fhe.KeyOwner, work: Callable[..., Any]) -> float:
        """How far the work of an encrypted sample is off."""
        arguments = self.sample(np.random.default_rng(1))
        return worst(owner, work(**self.encrypted(owner, arguments)), self.function(**arguments))

    def encrypted(self, context: fhe.Context, arguments: Arguments) -> dict[str, Any]:
        """The arguments as the function takes them: those that are hidden encrypted."""
        specs = self.specs
        return {
            name: context.encrypt(value, bound=specs[name].promise, batch=specs[name].batch)
            if specs[name].encrypted
            else value
            for name, value in arguments.items()
        }

    def demonstrate(self) -> None:
        """Run it under new keys, and say how far it is off, and what it took."""
        program = self.compile()
        print(f"{self.name}: off by {self.run(program.keygen(), program):.1e}, {program.parameters!r}")


def worst(owner: fhe.KeyOwner, results: Any, expected: Any) -> float:
    """How far the decrypted results are off at most."""
    if isinstance(expected, tuple):
        return max(worst(owner, x, y) for x, y in zip(results, expected, strict=True))
    return float(np.max(np.abs(owner.decrypt(results) - expected)))
