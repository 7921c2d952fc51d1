"""Makes ``docs/functions.md``: degree, levels and error of the functions on usual intervals.

Run as ``python -m tests.vectors.make_function_table``; seconds.
"""

from __future__ import annotations

import math

import numpy as np

from fhe.arrays.elementary import ELEMENTARY, elementary
from fhe.circuits.polynomial import depth_of_polynomial
from fhe.circuits.sign import sign
from fhe.circuits.sign_table import DEGREES
from tests.codebase import ROOT

PI = math.pi
INTERVALS: dict[str, list[tuple[float, float]]] = {
    "exp": [(-1, 1), (-4, 4), (-8, 8)],
    "log": [(0.5, 2), (0.1, 10)],
    "sqrt": [(0, 1), (0.1, 10)],
    "rsqrt": [(0.5, 2), (0.1, 10)],
    "inverse": [(0.5, 2), (0.1, 10), (0.01, 1)],
    "sigmoid": [(-4, 4), (-8, 8), (-16, 16)],
    "tanh": [(-1, 1), (-4, 4)],
    "sin": [(-PI, PI), (-16, 16)],
    "cos": [(-PI, PI), (-16, 16)],
    "gelu": [(-4, 4), (-8, 8)],
    "relu": [(-1, 1)],
    "abs": [(-1, 1)],
}
SHOWN = (7, 15, 31, 63)
ROUNDING = 2e-12
HEAD = """# Functions of encrypted arrays: levels and errors

Made by `python -m tests.vectors.make_function_table`; a test makes it again.

Errors are absolute, and those of the polynomial alone; `precision_bits` of a result counts the scheme's noise too.
Levels are for arrays whose padding is zero, as fresh ones are; after a sum it may be one more.
`fhe.approximate(fhe.exp, (-1, 1), degree=15)` gives the polynomial itself, with its error and depth.

| function | interval | by default: degree, levels, error | {} |
|---|---|---|{}|
"""
SIGNS = """
## The sign

`fhe.sign`, and all comparisons of real arrays: levels for a margin of the bound, and an error. Degrees are those of the
polynomials, one after the other.

| margin | error 2^-5 | error 2^-8 | error 2^-11 | error 2^-20 |
|---|---|---|---|---|
"""


def row(name: str, low: float, high: float) -> str:
    usual = elementary(name, float(low), float(high))
    cells = [f"{usual.stages[0].degree()}, {usual.depth}, {usual.error:.1e}"]
    mapped = usual.depth - depth_of_polynomial(usual.stages[0].degree())
    for degree in SHOWN:
        found = elementary(name, float(low), float(high), degree=degree)
        largest = np.max(np.abs(ELEMENTARY[name].clear(np.array([low, high], dtype=np.float64))))
        cells.append(f"{found.error:.1e}" if found.error > ROUNDING * max(1.0, largest) else "rounding")
        assert depth_of_polynomial(degree) + mapped >= found.depth
    return f"| `{name}` | {low:.4g} … {high:.4g} | {' | '.join(cells)} |"


def sign_row(margin_bits: int) -> str:
    cells = []
    for bits in (5, 8, 11, 20):
        found = sign(2.0**-margin_bits, 2.0**-bits)
        cells.append(f"{found.depth} ({', '.join(str(p.degree()) for p in found.stages)})")
    return f"| 2^-{margin_bits} | {' | '.join(cells)} |"


def text() -> str:
    columns = " | ".join(f"degree {degree}" for degree in SHOWN)
    rows = [row(name, *interval) for name, intervals in INTERVALS.items() for interval in intervals]
    signs = [sign_row(bits) for bits in range(2, len(DEGREES) + 1, 2)]
    return (
        HEAD.format(columns, "|".join(["---"] * len(SHOWN))) + "\n".join(rows) + "\n" + SIGNS + "\n".join(signs) + "\n"
    )


if __name__ == "__main__":
    (ROOT / "docs/functions.md").write_text(text())
