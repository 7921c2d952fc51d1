"""The self-test: every backend and target of this machine computes the same bits, in some seconds.

The interpreted reference, Python integers, is the definition. It takes part on a small ring; on a ring of the size that
users have the targets of the core are held to each other, and to numbers that NumPy finds.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

import numpy as np

import fhe
from fhe.backend.choose import choose, targets
from fhe.parameters import Parameters

SMALL, LARGE = 512, 2**13
REASON = "keys of this self-test are known to everybody"
TOLERANCE = 1e-4


@dataclass(frozen=True, slots=True)
class Check:
    """What one target made of one circuit: a digest of all bytes, and whether the numbers are right."""

    circuit: str
    backend: str
    target: str
    digest: str
    right: bool
    seconds: float


def circuits(ring_degree: int) -> dict[str, Parameters]:
    """A chain of each scheme, with digits of two limbs."""
    return {
        "CKKS": fhe.CKKSParameters(
            ring_degree=ring_degree, modulus_bits=[46, 40, 40], special_bits=[43, 43], insecure=REASON
        ),
        "BFV": fhe.BFVParameters(
            ring_degree=ring_degree, modulus_bits=[45] * 3, special_bits=[46, 46], plain_modulus=65537, insecure=REASON
        ),
    }


def checks() -> Iterator[Check]:
    """Every target on every circuit; the reference on the small rings alone."""
    natives, references = ([(name, target) for target in targets(name)] for name in ("native", "reference"))
    for ring_degree, parties in ((SMALL, natives + references), (LARGE, natives)):
        for scheme, parameters in circuits(ring_degree).items():
            for name, target in parties:
                yield check(f"{scheme}, N = {ring_degree}", parameters, name, target)


def check(circuit: str, parameters: Parameters, name: str, target: str) -> Check:
    """Keys, encryption, products, rotations and bytes, from seeds that are the same for all."""
    start, drawn = time.perf_counter(), iter(range(1 << 20))
    owner = fhe.KeyOwner(parameters, choose(name, target), _seeds=lambda: sha256(b"%d" % next(drawn)).digest())
    rng, n = np.random.default_rng(1), parameters.ring_degree // 2
    real = parameters.scheme == "ckks"
    values = rng.uniform(-1, 1, n) if real else rng.integers(-5, 6, n)
    x = owner.encrypt(values, bound=5)
    result = 2 * x * x - x + np.roll(x, 1)
    wanted, found = 2 * values * values - values + np.roll(values, 1), owner.decrypt(result)
    right = bool(np.max(np.abs(found - wanted)) < TOLERANCE) if real else np.array_equal(found, wanted)
    digest = sha256(owner.public(rotations=[1]).to_bytes() + result.to_bytes()).hexdigest()
    return Check(circuit, name, target, digest, right, time.perf_counter() - start)


def agree(found: list[Check]) -> bool:
    """Are all numbers right, and all digests of a circuit the same?

    >>> one = Check("CKKS", "native", "scalar", "ab", True, 0.1)
    >>> agree([one, one]), agree([one, Check("CKKS", "reference", "interpreted", "cd", True, 0.1)])
    (True, False)
    """
    digests: dict[str, set[str]] = {}
    for check in found:
        digests.setdefault(check.circuit, set()).add(check.digest)
    return all(check.right for check in found) and all(len(different) == 1 for different in digests.values())
