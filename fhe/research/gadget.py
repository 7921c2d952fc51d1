"""Key switching from ring elements alone: any gadget, and the noise that it makes.

A gadget is a list of factors g_k modulo Q and a way to write x as sum_k d_k g_k with small d_k. Encryptions of g_k s'
under s, times the d_k, add up to one of x s', with the noise sum_k d_k e_k.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np

from fhe import Basis, CoeffPoly, EvalPoly
from fhe.errors import ParameterError
from fhe.ring.random import error, ternary, uniform

WIDEST = 60


@dataclass(frozen=True, slots=True)
class Gadget:
    """Factors g_k, and digits d_k of a polynomial with sum_k d_k g_k = x mod Q.

    >>> basis = Basis.of(16, [97, 193], backend="reference")
    >>> gadget = powers(basis, bits=5)
    >>> gadget.factors, len(gadget.digits(CoeffPoly.zero(basis)))
    ((1, 32, 1024, 32768), 4)
    """

    name: str
    factors: tuple[int, ...]
    digits: Callable[[CoeffPoly], list[CoeffPoly]]


def powers(basis: Basis, bits: int) -> Gadget:
    """Base 2^bits, digits centred: g_k = 2^(bits k). The gadget of Brakerski and Vaikuntanathan, FOCS 2011.

    >>> basis = Basis.of(16, [97, 193], backend="reference")
    >>> x = CoeffPoly.from_int64(basis, np.arange(16) * 500)
    >>> gadget = powers(basis, bits=5)
    >>> total = sum((d.scale(g) for d, g in zip(gadget.digits(x), gadget.factors)), CoeffPoly.zero(basis))
    >>> total.coefficients() == x.coefficients()
    True
    """
    if not 1 <= bits <= WIDEST:
        raise ParameterError(f"digits have from 1 to {WIDEST} bits, not {bits}")
    base, length = 1 << bits, -(-(basis.product.bit_length() + 1) // bits)

    def digits(x: CoeffPoly) -> list[CoeffPoly]:
        rest, found = np.array(x.coefficients(), dtype=object), []
        for _ in range(length):
            digit = (rest + base // 2) % base - base // 2
            rest = (rest - digit) // base
            found.append(CoeffPoly.from_int64(basis, digit.astype(np.int64)))
        return found

    return Gadget(f"base 2^{bits}", tuple(base**k for k in range(length)), digits)


def residues(basis: Basis) -> Gadget:
    """One digit for each prime, x mod q_i centred: g_i is 1 modulo q_i and 0 modulo the others.

    >>> basis = Basis.of(16, [97, 193], backend="reference")
    >>> residues(basis).factors
    (18528, 194)
    """
    Q = basis.product
    factors = tuple(Q // q * pow(Q // q, -1, q) for q in basis.moduli)

    def digits(x: CoeffPoly) -> list[CoeffPoly]:
        rows = x.residues.astype(np.int64)
        centred = (row - np.where(row > q // 2, q, 0) for row, q in zip(rows, basis.moduli, strict=True))
        return [CoeffPoly.from_int64(basis, row) for row in centred]

    return Gadget("one prime each", factors, digits)


def switching_noise(basis: Basis, gadget: Gadget, *, seed: int) -> dict[str, Any]:
    """The noise of switching a uniform x from a secret s' to s, as a record; everything follows from the seed.

    ``noise_bits`` is log2 of its largest coefficient, ``predicted_bits`` that of its standard deviation times the
    largest of N normal numbers; ``key_bits`` what the key weighs.

    >>> basis = Basis.of(64, [65537, 114689], backend="reference")
    >>> small, large = (switching_noise(basis, powers(basis, bits), seed=1) for bits in (4, 16))
    >>> small["noise_bits"] < large["noise_bits"], small["digits"] > large["digits"]
    (True, True)
    """
    N, drawn = basis.ring_degree, (sha256(b"switching %d %d" % (seed, k)).digest() for k in range(1 << 20))
    s, s_from = (ternary(basis, next(drawn)).to_eval() for _ in range(2))
    x = uniform(basis, next(drawn)).to_coeff()
    u0, u1 = EvalPoly.zero(basis), EvalPoly.zero(basis)
    digits, energy = gadget.digits(x), 0.0
    for digit, factor in zip(digits, gadget.factors, strict=True):
        a, e = uniform(basis, next(drawn)), error(basis, next(drawn)).to_eval()
        b = (-a).mul_add(s, e + s_from.scale(factor))
        d = digit.to_eval()
        u0, u1 = d.mul_add(b, u0), d.mul_add(a, u1)
        energy += 10.5 * float(np.sum(digit.lift() ** 2))
    noise = (u1.mul_add(s, u0) - x.to_eval() * s_from).to_coeff()
    largest = max(abs(value) for value in noise.coefficients())
    return {
        "gadget": gadget.name,
        "digits": len(digits),
        "noise_bits": math.log2(largest),
        "predicted_bits": math.log2(math.sqrt(energy * 2 * math.log(2 * N))),
        "modulus_bits": math.log2(basis.product),
        "key_bits": 2 * len(digits) * N * basis.product.bit_length(),
    }
