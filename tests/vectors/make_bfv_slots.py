"""Writes bfv_slots.json: BFV encodings computed by SymPy from the definitions alone.

    python -m tests.vectors.make_bfv_slots

Made with SymPy 1.14. Nothing of the library is used: the message polynomial with given slots is interpolated modulo t,
products and automorphisms are taken in GF(t)[X]/(X^N + 1), and round(Q m / t) is a quotient of integers.

Slot (0, j) is m(psi^(5^j)), slot (1, j) is m(psi^(-5^j)), psi the primitive 2N-th root of unity that is the smallest
g >= 2 with a primitive power, raised to (t - 1) / 2N. (Smart, Vercauteren, Des. Codes Cryptogr. 2014; the two rows and
their generator 5 as in Halevi, Shoup, CRYPTO 2014, and Cheon et al., ASIACRYPT 2017.)
"""

from __future__ import annotations

import json
from math import prod
from pathlib import Path
from typing import Any

from sympy import GF, Poly, symbols

FILE = Path(__file__).with_name("bfv_slots.json")
X = symbols("X")
N, T = 16, 97
MODULI = [1099511627297, 1099511626049]  # the largest primes below 2^40 that are 1 mod 2N


def ring(p: Any) -> Poly:
    """In GF(t)[X]/(X^N + 1)."""
    return Poly(p, X, domain=GF(T, symmetric=True)).rem(Poly(X**N + 1, X, domain=GF(T, symmetric=True)))


def coefficients(p: Poly) -> list[int]:
    """Of degrees 0 … N-1, centred."""
    return [(int(p.coeff_monomial(X**i)) + T // 2) % T - T // 2 for i in range(N)]


def root() -> int:
    """psi."""
    powers = (pow(g, (T - 1) // (2 * N), T) for g in range(2, T))
    return next(psi for psi in powers if pow(psi, N, T) == T - 1)


def message(slots: list[int], psi: int) -> Poly:
    """The polynomial with these slots, first row, then second: Lagrange's interpolation."""
    exponents = [sign * pow(5, j, 2 * N) % (2 * N) for sign in (1, -1) for j in range(N // 2)]
    points = [pow(psi, exponent, T) for exponent in exponents]
    total = ring(0)
    for point, slot in zip(points, slots, strict=True):
        others = [other for other in points if other != point]
        weight = slot * pow(prod(point - other for other in others), -1, T) % T
        total += weight * Poly.from_expr(prod(X - other for other in others), X, domain=GF(T, symmetric=True))
    return total


def moved(p: Poly, element: int) -> Poly:
    """p(X^g)."""
    return ring(p.as_expr().subs(X, X**element))


def scaled(p: Poly) -> list[str]:
    """round(Q m / t), halves up, for centred m; decimal, as JSON keeps no integers of this size."""
    Q = MODULI[0] * MODULI[1]
    return [str((2 * Q * m + T) // (2 * T)) for m in coefficients(p)]


def main() -> None:
    psi = root()
    first, second = [(7 * i * i - 20) % T for i in range(N)], [(i**3 + 5) % T for i in range(N)]
    p, q = message(first, psi), message(second, psi)
    data = {
        "N": N,
        "t": T,
        "psi": psi,
        "moduli": MODULI,
        "first": {"slots": first, "message": coefficients(p), "scaled": scaled(p)},
        "second": {"slots": second, "message": coefficients(q)},
        "sum": coefficients(ring((p + q).as_expr())),
        "product": coefficients(ring((p * q).as_expr())),
        "rotated by 1": coefficients(moved(p, 5)),
        "rotated by 3": coefficients(moved(p, pow(5, 3, 2 * N))),
        "swapped": coefficients(moved(p, 2 * N - 1)),
    }
    FILE.write_text(json.dumps(data, indent=1) + "\n")


if __name__ == "__main__":
    main()
