"""What is told in a terminal: ratios first, then times; sizes, memory and precision below."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench.compare.rows import Group, Row, Spread

UNITS = ((1e6, "s"), (1e3, "ms"), (1.0, "µs"))


def told(microseconds: float) -> str:
    """A time in a unit that a person reads.

    >>> told(12.34), told(1234.0), told(2.5e6)
    ('12.3 µs', '1.23 ms', '2.5 s')
    """
    factor, unit = next(((f, u) for f, u in UNITS if microseconds >= f), UNITS[-1])
    return f"{microseconds / factor:.3g} {unit}"


def ratio_told(ratio: Spread) -> str:
    return f"{ratio.median:.2f}x [{ratio.low:.2f}, {ratio.high:.2f}]"


def line(row: Row) -> str:
    limbs = row.more.get("limbs", 1)
    ring = f"N = {row.ring_degree:<6}" if row.ring_degree else ""
    what = row.operation + (f", {limbs} limbs in turn" if limbs > 1 else "")
    ratios = "  ".join(f"{name} {ratio_told(ratio)}" for name, ratio in row.ratios.items())
    times = ", ".join(f"{name} {told(time.median)}" for name, time in row.microseconds.items())
    return f"  {ring}{what:<16} {ratios}\n{'':<28}({times})"


def lines(group: Group) -> Iterator[str]:
    yield f"\n{group.title}: times as fast as …"
    yield from (f"  {name}: {fact_line(facts)}" for name, facts in group.facts.items())
    yield from map(line, group.rows)


def fact_line(facts: dict[str, Any]) -> str:
    """What a library says of itself, in a line."""
    plain = {k: v for k, v in facts.items() if k not in ("bytes", "peak_bytes", "operations")}
    sizes = {f"{name} KiB": round(count / 1024) for name, count in facts.get("bytes", {}).items()}
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in (plain | sizes).items())
