"""Programs that others wrote by hand beside the same, compiled: rings, moduli, errors.

    python -m bench.reference_programs            # the table
    python -m bench.reference_programs --write    # into the page

The error at an expert's parameters is measured here, too: the same function runs eagerly on the same ring, levels and
scale, by this library, whose noise is not more than that of the library it was written for.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from importlib import import_module
from time import perf_counter

import fhe
from bench.machine import ROOT
from fhe.examples.reference import Reference

FILE = ROOT / "docs" / "reference-programs.md"
MODULES = ("logistic_scores", "logistic_epoch", "networks", "polynomials", "scalar_products", "functions", "edges")
HEAD = """# Reference programs

Programs that others published, with the parameters that their experts chose by hand, and the same as plain functions,
compiled: [fhe/examples/reference](../fhe/examples/reference/README.md). Here nobody chose anything. Everything is at
128-bit security. Made by

    python -m bench.reference_programs --write

**Their error** is that of the same function at the same ring, levels and scale, run by this library on the same input;
a dash stands where the source leaves parameters to a compiler, or shows some that are not secure. **Promised** is what
no result exceeds for any inputs within their bounds, except with probability 2^-128: no expert says as much. The errors
beside it are those of one random input.

| program | after | their N | log QP | their error | our N | log QP | levels | our error | promised |
|---|---|---|---|---|---|---|---|---|---|
"""
TAIL = """
`4 (x^2 + 1) (x + 1)^2` is the one program that takes a larger ring: it gives the integer, where the original computes
modulo 1024.
"""


def references() -> Iterator[Reference]:
    """All of them."""
    for name in MODULES:
        module = import_module(f"fhe.examples.reference.{name}")
        yield from (found for found in vars(module).values() if isinstance(found, Reference))


def row(reference: Reference) -> str:
    """A line of the table."""
    expert, program = reference.expert, reference.compile()
    exact = program.precision is None
    parameters = program.parameters
    error = reference.run(program.keygen(), program)
    promised = "exact" if exact else f"{2.0**-program.trial.precision:.1e}"
    cells = [
        reference.name,
        expert.source + (f"; {expert.remark}" if expert.remark else ""),
        str(expert.ring_degree),
        str(sum(expert.levels) + expert.special) if expert.levels else "–",
        "exact" if exact else experts_error(reference),
        str(parameters.ring_degree),
        f"{parameters.log_qp:.0f}",
        str(parameters.max_level),
        "exact" if exact and not error else f"{error:.1e}",
        promised,
    ]
    return f"| {' | '.join(cells)} |\n"


def experts_error(reference: Reference) -> str:
    """What the function is off by at the expert's parameters, or a dash."""
    owner = reference.expert.owner()
    if owner is None:
        return "–"
    try:
        return f"{reference.run(owner, reference.function):.1e}"
    except fhe.FHEError as refusal:
        return f"{type(refusal).__name__}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"write {FILE.relative_to(ROOT)}")
    write, rows = parser.parse_args().write, []
    for reference in references():
        start = perf_counter()
        rows.append(row(reference))
        print(f"{rows[-1].strip()} {perf_counter() - start:.1f} s", flush=True)
    if write:
        FILE.write_text(HEAD + "".join(rows) + TAIL, encoding="utf-8")


if __name__ == "__main__":
    main()
