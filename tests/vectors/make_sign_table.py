"""Makes ``fhe/circuits/sign_table.py``: the degrees of composite polynomials for the sign, by dynamic programming.

Run as ``python -m tests.vectors.make_sign_table``; it takes a minute. What is kept for each depth and number of
relinearisations is the composition that comes nearest to the sign. That suffices, since a polynomial which begins
nearer ends nearer.
"""

from __future__ import annotations

from numpy.polynomial import Chebyshev

from fhe.circuits import polynomial
from fhe.circuits.polynomial import depth_of_polynomial
from fhe.circuits.sign import nearest, next_gap
from tests.codebase import ROOT

MARGIN_BITS = range(1, 21)
ERROR_BITS = (2, 5, 8, 11, 14, 17, 20)
LARGEST_DEGREE = 63
DEEPEST, MOST_RELINEARIZATIONS = 28, 48
NEAR_ENOUGH = 1 - 2.0**-22

Found = dict[tuple[int, int], tuple[float, tuple[int, ...]]]


def costs() -> dict[int, tuple[int, int]]:
    """Degree -> depth and relinearisations of an odd polynomial; of equal costs only the largest degree."""
    found = {}
    for degree in range(3, LARGEST_DEGREE + 1, 2):
        coefficients = tuple(map(float, nearest(degree, 0.1)[0].coef))
        relins = polynomial._cheapest(Chebyshev, coefficients).relinearizations()
        found[depth_of_polynomial(degree), relins] = degree
    return {degree: cost for cost, degree in found.items()}


def search(margin_bits: int, deepest: int = DEEPEST) -> Found:
    """(depth, relinearisations) -> how near to 1 the range then begins, and the degrees; only what cost improves."""
    best: Found = {(0, 0): (2.0**-margin_bits, ())}
    candidates = costs()
    for depth in range(1, deepest + 1):
        nearest_so_far = 0.0
        for relins in range(1, MOST_RELINEARIZATIONS + 1):
            reached = []
            for degree, (levels, own) in candidates.items():
                gap, degrees = best.get((depth - levels, relins - own), (1.0, ()))
                if gap < NEAR_ENOUGH:
                    reached.append((next_gap(nearest(degree, gap)[1]), (*degrees, degree)))
            if reached and max(reached)[0] > nearest_so_far:
                best[depth, relins] = max(reached)
                nearest_so_far = max(reached)[0]
    return best


def cheapest(found: Found, error_bits: int) -> tuple[int, ...]:
    """The degrees of least depth, then fewest relinearisations, with an error of at most 2^-error_bits."""
    good = (cost for cost, (gap, _) in found.items() if gap >= next_gap(2.0**-error_bits))
    return found[min(good)][1]


def main() -> None:
    rows = [[cheapest(found, bits) for bits in ERROR_BITS] for found in map(search, MARGIN_BITS)]
    text = [" ".join(".".join(map(str, degrees)) for degrees in row) for row in rows]
    lines = ['"""Degrees of composite polynomials for the sign; made by ``tests/vectors/make_sign_table.py``.', ""]
    lines += [
        "``DEGREES[a - 1][k]`` holds for a margin of 2^-a of the bound and an error of 2^-ERROR_BITS[k].",
        '"""',
        "",
    ]
    lines += [f"ERROR_BITS = {ERROR_BITS}", "", "_ROWS = (", *(f'    "{row}",' for row in text), ")"]
    lines += ['DEGREES = tuple(tuple(tuple(map(int, cell.split("."))) for cell in row.split()) for row in _ROWS)', ""]
    (ROOT / "fhe/circuits/sign_table.py").write_text("\n".join(lines))


if __name__ == "__main__":
    main()
