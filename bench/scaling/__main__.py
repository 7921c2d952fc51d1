"""How cost grows, beside what the model of `fhe.costs` says: ``python -m bench.scaling``, about two minutes.

Curves against the ring degree, limbs, depth, ciphertexts in an array, elements, sides of matrices, degrees of
polynomials, and threads; whole programs, repeated and after other work. The model's prices are those of
`fhe.costs.ZEN5`, or of a table that ``python -m bench.calibrate --json`` wrote; its cycles become time by the clock
that runs. At the end stands the worst of all.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import fhe
from bench import charts
from bench.compare.page import rounded
from bench.machine import clock_ghz, commit, cpu_model
from bench.scaling.clock import Clock, Point
from bench.scaling.points import CURVES, points_of
from bench.scaling.programs import COLD, WARM
from fhe import costs

LEAD = (
    "Circles are measured, medians on one core, of several runs the least: other work on a machine only ever adds. "
    "Dashed curves are what the model says: counts of what the kernels do, and prices that were measured on single "
    "calls and a few small programs. It was not fitted to what is shown here."
)


def summary(points: Sequence[Point]) -> list[str]:
    """How near the model is: the worst points, and how many are within 30 %."""
    found = sorted(points, key=lambda p: abs(math.log(p.ratio)))
    if not found:
        return []
    within = sum(1 / 1.3 <= p.ratio <= 1.3 for p in found)
    worst = [f"  {p.ratio:.2f} of the time measured: {p.operation}, {p.curve} {p.x:g}" for p in found[-5:]]
    return [f"{within} of {len(found)} within 30 %; the worst {found[-1].ratio:.2f}", *worst]


def html(report: dict[str, Any], points: Sequence[Point]) -> str:
    body = [f"<p>{LEAD}</p>", charts.listing({**report["machine"], "command": report["command"]})]
    body.append("<ul>" + "".join(f"<li>{line}</li>" for line in summary(points)) + "</ul>")
    for curve in dict.fromkeys(p.curve for p in points):
        mine = [p for p in points if p.curve == curve]
        names = list(dict.fromkeys(p.operation for p in mine))
        if curve in (WARM, COLD):
            body.append(f"<h2>{curve}</h2>{listed(mine)}")
            continue
        drawn = []
        for name in names:
            at = [p for p in mine if p.operation == name]
            drawn.append(charts.Curve(name, [(p.x, p.measured) for p in at]))
            drawn.append(charts.Curve(name, [(p.x, p.predicted) for p in at], dashed=True))
        body.append(f"<h2>{curve}</h2>{charts.curves(drawn, curve, 'milliseconds')}{table(mine, names)}")
    return charts.document("How cost grows", "".join(body))


def table(points: Sequence[Point], names: Sequence[str]) -> str:
    """Predicted / measured."""
    xs = sorted({p.x for p in points})
    ratios = {(p.operation, p.x): p.ratio for p in points}
    rows = [[name, *(f"{ratios[name, x]:.2f}" if (name, x) in ratios else "" for x in xs)] for name in names]
    return charts.grid(["predicted / measured", *(f"{x:g}" for x in xs)], rows)


def listed(points: Sequence[Point]) -> str:
    """A row for each program."""
    rows = [[p.operation, f"{p.x:g}", f"{p.measured:.3g}", f"{p.predicted:.3g}", f"{p.ratio:.2f}"] for p in points]
    return charts.grid(["program", "N", "measured, ms", "predicted, ms", "predicted / measured"], rows)


def stored(file: Path) -> list[Point]:
    """The points of an earlier run; none without one."""
    return [Point(**row) for row in json.loads(file.read_text())["points"]] if file.exists() else []


def least(points: Sequence[Point]) -> list[Point]:
    """Of several measurements of a point the least, in the order of the first, and with what the first says."""
    found: dict[tuple[str, str, float], Point] = {}
    for point in points:
        first = found.setdefault((point.curve, point.operation, point.x), point)
        if point.measured < first.measured:
            found[point.curve, point.operation, point.x] = replace(first, measured=point.measured)
    return list(found.values())


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.scaling", description=__doc__)
    parser.add_argument("--curves", default=",".join(CURVES), help="what to measure, separated by commas")
    parser.add_argument("--machine", type=Path, help="a table of prices from bench.calibrate (default: ZEN5)")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="the most threads to measure")
    parser.add_argument("--output", type=Path, help="a folder for scaling.html and scaling.json")
    parser.add_argument("--again", action="store_true", help="of what stands there keep the points that took less")
    chosen = parser.parse_args()
    fhe.set_num_threads(1)
    machine = costs.Machine(**json.loads(chosen.machine.read_text())) if chosen.machine else costs.ZEN5
    points: list[Point] = []
    for point in points_of(chosen.curves.split(","), Clock(machine), chosen.threads):
        points.append(point)
        where = f"{point.curve} {point.x:g}"
        print(
            f"  {where:<40} {point.operation:<32} {point.measured:>10.3f} ms  {point.ratio:.2f} predicted", flush=True
        )
    if chosen.again:
        points = least([*points, *stored(chosen.output / "scaling.json")])
    print("\n".join(summary(points)))
    if chosen.output:
        facts = {"cpu": cpu_model(), "clock_ghz": clock_ghz(), "commit": commit(), "prices": machine.name}
        report = {"machine": facts, "command": " ".join(["python -m bench.scaling", *sys.argv[1:]])}
        chosen.output.mkdir(parents=True, exist_ok=True)
        rows = rounded([asdict(point) for point in points])
        text = json.dumps({**rounded(report), "points": rows}, separators=(",", ":"))
        (chosen.output / "scaling.json").write_text(text + "\n")
        (chosen.output / "scaling.html").write_text(html(rounded(report), points))


if __name__ == "__main__":
    main()
