"""``fhe demo``: a model scores encrypted data, beside its clear twin."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from fhe.backend.choose import choose
from fhe.cli.common import command, positive, show

DIFFERS = 1


def add_to(commands: Any) -> None:
    """Declare the command."""
    parser = command(commands, "demo", run, "a model scores encrypted data, beside its clear twin")
    parser.add_argument("--backend", choices=("native", "reference"), help="who computes (default: native, if built)")
    parser.add_argument("--samples", type=positive, help="how many samples to score (default: the whole test set, 143)")
    parser.add_argument("--no-progress", action="store_true", help="no progress bar on standard error")


def run(options: argparse.Namespace) -> int:
    """Score, compare, measure, print; 1 where encrypted and clear scores differ."""
    import fhe.ml  # noqa: F401, PLC0415  (says what to install; the other commands do without)
    from fhe import demo  # noqa: PLC0415

    backend = choose(options.backend).name
    found = demo.run(backend, options.samples, progress=not options.no_progress)
    show(options.json, found.to_dict(), demo.report(found))
    if not found.agrees:
        print(f"fhe: encrypted and clear scores differ by {found.largest_score_difference:.1e}", file=sys.stderr)
        return DIFFERS
    return 0
