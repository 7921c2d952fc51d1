"""This library beside others, in one interleaved run: ``python -m bench.compare``, or ``make bench-compare``.

Without options a short run, below three minutes: CKKS and BFV at N = 8192 and 16384. ``--full`` measures larger rings
as well, and with all threads. Figures are medians with quartiles; a ratio above 1 says that this library is that much
faster. What is written to files leaves out libraries whose licence keeps results private.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from bench.compare import page, table
from bench.compare.peers import PACKAGES, install, python_of, refusal, version_of
from bench.compare.rows import MEANING, MODELS, Group
from bench.compare.schemes import models, schemes, transforms
from bench.driver import compiler_version
from bench.machine import clock_ghz, commit, cpu_model

SHORT, FULL = [8192, 16384], [8192, 16384, 32768]
PRIVATE = {name for name, package in PACKAGES.items() if not package.publish}


def groups(chosen: argparse.Namespace, names: list[str]) -> Iterator[Group]:
    """Everything that is asked for, as soon as it is measured."""
    rounds, seconds = (chosen.rounds, 8.0) if chosen.full else (min(chosen.rounds, 7), 1.5)
    asked = chosen.groups.split(",")
    if "transform" in asked:
        yield from transforms(rounds, seconds)
    degrees = [int(n) for n in chosen.degrees.split(",")] if chosen.degrees else FULL if chosen.full else SHORT
    if "models" in asked:
        yield from models(os.cpu_count() or 1, names, rounds, seconds)
    threads = sorted({1, os.cpu_count() or 1} if chosen.full else {1})
    for count in threads:
        for scheme in ("CKKS", "BFV"):
            for ring_degree in degrees if scheme in asked else ():
                yield from schemes(scheme, ring_degree, count, names, rounds, seconds)


def published(group: Group) -> Group:
    """The group without libraries whose results are private."""
    rows = [
        replace(
            row,
            microseconds={name: time for name, time in row.microseconds.items() if name not in PRIVATE},
            ratios={name: ratio for name, ratio in row.ratios.items() if name not in PRIVATE},
        )
        for row in group.rows
    ]
    return replace(group, rows=rows, facts={name: said for name, said in group.facts.items() if name not in PRIVATE})


def availability(names: list[str], here: bool) -> dict[str, str]:
    """What came of each package of PyPI; ``here``: installing nothing."""
    found = {}
    for name in names:
        package = PACKAGES[name]
        if not here:
            print(f"  {name} …", end=" ", flush=True)
        said = "installed" if python_of(package) else refusal(package) or "not installed" if here else install(package)
        found[name] = said.replace("installed", f"{version_of(package)}, installed") if python_of(package) else said
        if name in PRIVATE:
            found[name] += "; its licence keeps results private"
        if not here:
            print(found[name], flush=True)
    return found


def machine() -> dict[str, Any]:
    return {
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "clock_ghz": clock_ghz(),
        "load": round(os.getloadavg()[0], 1),
        "commit": commit(),
        "compiler": compiler_version(),
        "python": sys.version.split()[0],
    }


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.compare", description=__doc__)
    default = ",".join(name for name, package in PACKAGES.items() if not package.large)
    parser.add_argument("--full", action="store_true", help="larger rings, all threads, more samples")
    parser.add_argument(
        "--peers", default=default, help=f"packages of PyPI to install and measure (default: {default})"
    )
    parser.add_argument("--no-install", action="store_true", help="measure what is installed already")
    parser.add_argument("--groups", default="transform,CKKS,BFV,models", help="what to compare, separated by commas")
    parser.add_argument("--degrees", default="", help="ring degrees of the schemes")
    parser.add_argument("--rounds", type=int, default=15, help="samples of each operation and library, at most")
    parser.add_argument("--output", type=Path, help="a folder for index.html and result.json")
    parser.add_argument(
        "--redraw", type=Path, help="measure nothing: draw the pages of this folder's result.json again"
    )
    chosen = parser.parse_args()
    if unknown := [name for name in chosen.peers.split(",") if name and name not in PACKAGES]:
        parser.error(f"no package here is called {', '.join(unknown)}; there are {', '.join(PACKAGES)}")
    return chosen


def write_pages(folder: Path, report: dict[str, Any]) -> None:
    for name, text in page.pages(report).items():
        (folder / name).write_text(text)


def main() -> None:
    chosen = parsed()
    if chosen.redraw:
        write_pages(chosen.redraw, page.expanded(json.loads((chosen.redraw / "result.json").read_text())))
        return
    names = [name for name in chosen.peers.split(",") if name]
    print("Libraries of PyPI, in environments below .peers:")
    report: dict[str, Any] = {
        "peers": availability(names, chosen.no_install),
        "machine": machine(),
        "meaning": MEANING | MODELS,
    }
    print(f"\n{report['machine']['cpu']}, commit {report['machine']['commit']}, {report['machine']['compiler']}")
    found = []
    for group in groups(chosen, names):
        found.append(group)
        print("\n".join(table.lines(group)), flush=True)
    report["machine"]["clock_ghz_after"], report["command"] = (
        clock_ghz(),
        " ".join(["python -m bench.compare", *sys.argv[1:]]),
    )
    public = [published(group) for group in found]
    report["groups"] = [asdict(group) for group in public]
    if chosen.output:
        chosen.output.mkdir(parents=True, exist_ok=True)
        report = page.rounded(report)
        (chosen.output / "result.json").write_text(json.dumps(page.compact(report), separators=(",", ":")) + "\n")
        write_pages(chosen.output, report)
        print(
            f"\nwritten to {chosen.output}, without {', '.join(sorted(PRIVATE))}, whose licence keeps results private"
        )


if __name__ == "__main__":
    main()
