"""Integers wider than one plain modulus, by their residues modulo several: parameters, and the Chinese remainder.

An integer mod M = t_0 t_1 … is its residues mod t_0, t_1, …, each a BFV ciphertext of its own, and so is every sum and
product of them. Secret and evaluation keys do not depend on t: one set serves all.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fhe.errors import FormatError, ParameterError
from fhe.parameters import LARGEST_PLAIN_BITS, BFVParameters, Parameters
from fhe.primes import is_prime

MOST_MODULI = 64


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class WideBFVParameters(BFVParameters):
    """Exact integers modulo M, the product of several plain moduli; and of those one part, modulo ``plain_modulus``.

    plain_moduli
        2 to 64 different primes t = 1 mod 2N of at most 50 bits, so that all parts have slots. ``plain_modulus`` is
        one of them, the first for a whole set.

    >>> p = WideBFVParameters(ring_degree=2**13, modulus_bits=[42] * 4, special_bits=[45], plain_modulus=65537,
    ...                       plain_moduli=(65537, 114689, 147457))
    >>> [part.plain_modulus for part in parts(p)], value_modulus(p).bit_length()
    ([65537, 114689, 147457], 50)
    """

    scheme: ClassVar[str] = "bfv-wide"
    form: ClassVar[Mapping[str, type]] = {**BFVParameters.form, "plain_moduli": list}

    plain_moduli: tuple[int, ...]

    def _unusable(self) -> int:
        return math.prod(self.plain_moduli)

    def _check_claims(self) -> None:
        BFVParameters._check_claims(self)
        given = self.plain_moduli
        if not 2 <= len(given) <= MOST_MODULI or len(set(given)) < len(given) or self.plain_modulus not in given:
            raise ParameterError(
                f"wide integers take 2 to {MOST_MODULI} different plain moduli, and plain_modulus is one of them: got "
                f"{len(given)} and {self.plain_modulus}"
            )

    def _check_scheme(self) -> None:
        BFVParameters._check_scheme(self)
        for t in self.plain_moduli:
            if not (2 <= t <= 1 << LARGEST_PLAIN_BITS and t % (2 * self.ring_degree) == 1 and is_prime(t)) or (
                t in self._moduli or self.log_q < math.log2(t) + 2
            ):
                raise ParameterError(
                    f"plain modulus {t} of wide integers must be a prime of up to {LARGEST_PLAIN_BITS} bits that is 1 "
                    f"mod {2 * self.ring_degree}, none of Q, and two bits shorter than log2(Q) = {self.log_q:.1f}"
                )

    def to_dict(self) -> dict[str, Any]:
        """The set as plain integers, strings and lists of integers, for storage."""
        return BFVParameters.to_dict(self) | {"plain_moduli": list(self.plain_moduli)}

    @staticmethod
    def parsed(values: dict[str, Any]) -> dict[str, Any]:
        """Constructor arguments from the plain values of `to_dict`."""
        given = values["plain_moduli"]
        if len(given) > MOST_MODULI or not all(type(t) is int and 0 < t <= 1 << LARGEST_PLAIN_BITS for t in given):
            raise FormatError(f"entry plain_moduli of a parameter set must be up to {MOST_MODULI} integers of 50 bits")
        return values | {"plain_moduli": tuple(given)}

    def _scheme_text(self) -> str:
        bits = value_modulus(self).bit_length()
        return f"t = {' · '.join(map(str, self.plain_moduli))} ({bits} bits), {self.slots} slots"


def value_modulus(parameters: Parameters) -> int:
    """M: what integers are known modulo; the plain modulus itself where there is one. 0 in CKKS."""
    if isinstance(parameters, WideBFVParameters):
        return math.prod(parameters.plain_moduli)
    return parameters.plain_modulus if isinstance(parameters, BFVParameters) else 0


def parts(parameters: Parameters) -> tuple[Parameters, ...]:
    """The parameter sets of the residues, the given one first; an ordinary set is its only part."""
    if not isinstance(parameters, WideBFVParameters):
        return (parameters,)
    return tuple(replace(parameters, plain_modulus=t) for t in parameters.plain_moduli)


def combined(residues: Sequence[NDArray[np.int64]], moduli: Sequence[int], low: int) -> NDArray[np.object_]:
    """The integers from ``low`` up, below low + M, with these residues.

    >>> combined([np.array([2, 0]), np.array([3, 6])], [5, 7], -10).tolist()
    [17, 20]
    """
    M = math.prod(moduli)
    total: Any = 0
    for residue, t in zip(residues, moduli, strict=True):
        cofactor = M // t
        total = total + np.asarray(residue, dtype=object) * (cofactor * pow(cofactor, -1, t))
    return np.asarray((total - low) % M + low, dtype=object)
