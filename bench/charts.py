"""Charts as SVG, by hand: bars of ratios with error bars, and curves on logarithmic axes; pages that load nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

COLOURS = ("#2b6cb0", "#c05621", "#2f855a", "#805ad5", "#b7791f", "#c53030", "#4a5568")


@dataclass(frozen=True)
class Bar:
    """A ratio with what lies around it, and the series that it belongs to."""

    label: str
    series: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Curve:
    """Points (x, y); dashed where they are not measured."""

    label: str
    points: Sequence[tuple[float, float]]
    dashed: bool = False


class Axis:
    """Numbers from low to high, on a logarithmic scale over so many pixels."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        self.low, self.high, self.start, self.end = math.log(low), math.log(max(high, low * 1.01)), start, end

    def __call__(self, value: float) -> float:
        share = (math.log(max(value, 1e-12)) - self.low) / (self.high - self.low)
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)


def ratio_bars(bars: Sequence[Bar], width: int = 760, limit: float = 64.0) -> str:
    """Horizontal bars from 1, to the right where this library is faster; whiskers are quartiles."""
    series = list(dict.fromkeys(bar.series for bar in bars))
    labels = list(dict.fromkeys(bar.label for bar in bars))
    high = min(limit, max([2.0, *(bar.high for bar in bars)]) * 1.1)
    low = min([0.5, *(bar.low for bar in bars)]) / 1.1
    axis, thick, gap = Axis(low, high, 130, width - 70), 11, 9
    parts, y = [], 24.0
    for tick in (t for t in (0.125, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64) if low <= t <= high):
        kind = "one" if tick == 1 else "grid"
        parts.append(f'<line class="{kind}" x1="{axis(tick):.0f}" x2="{axis(tick):.0f}" y1="18" y2="{{bottom}}"/>')
        parts.append(f'<text class="tick" x="{axis(tick):.0f}" y="12">{tick:g}x</text>')
    for label in labels:
        mine = [bar for bar in bars if bar.label == label]
        parts.append(f'<text class="label" x="122" y="{y + thick * len(mine) / 2 + 4:.0f}">{escape(label)}</text>')
        for bar in mine:
            parts.append(_bar(bar, axis, y, thick, series.index(bar.series) % len(COLOURS)))
            y += thick
        y += gap
    body = "".join(parts).replace("{bottom}", f"{y:.0f}")
    return f'<svg viewBox="0 0 {width} {y + 6:.0f}" role="img">{body}</svg>{legend(series)}'


def _bar(bar: Bar, axis: Axis, y: float, thick: int, colour: int) -> str:
    one, end, middle = axis(1.0), axis(bar.value), y + (thick - 1) / 2
    low, high = axis(bar.low), axis(bar.high)
    return (
        f'<path class="c{colour}" d="M{one:.0f} {y:.0f}H{end:.1f}v{thick - 1}H{one:.0f}"/>'
        f'<path class="error" d="M{low:.1f} {middle:.0f}H{high:.1f}"/>'
        f'<text class="value" x="{max(one, end, high) + 4:.0f}" y="{y + thick - 2:.0f}">{bar.value:.2g}x</text>'
    )


def curves(found: Sequence[Curve], across: str, up: str, width: int = 500, height: int = 300) -> str:
    """Curves over logarithmic axes, with a legend."""
    xs, ys = [x for c in found for x, _ in c.points], [y for c in found for _, y in c.points]
    x_axis, y_axis = Axis(min(xs), max(xs), 62, width - 12), Axis(min(ys) / 1.2, max(ys) * 1.2, height - 36, 10)
    parts = [f'<text class="tick" x="{width / 2:.0f}" y="{height - 4}">{escape(across)}</text>']
    parts.append(f'<text class="tick" transform="translate(11 {height / 2:.0f}) rotate(-90)">{escape(up)}</text>')
    for tick in sorted(set(xs)) if len(set(xs)) <= 9 else sorted(set(xs))[:: len(set(xs)) // 6]:
        parts.append(f'<text class="tick" x="{x_axis(tick):.0f}" y="{height - 20}">{tick:g}</text>')
    for power in range(math.floor(math.log10(min(ys))), math.ceil(math.log10(max(ys))) + 1):
        if min(ys) / 1.2 <= 10.0**power <= max(ys) * 1.2:
            level = y_axis(10.0**power)
            parts.append(f'<line class="grid" x1="62" x2="{width - 12}" y1="{level:.0f}" y2="{level:.0f}"/>')
            parts.append(f'<text class="label" x="58" y="{level + 4:.0f}">{10.0**power:g}</text>')
    names = list(dict.fromkeys(curve.label for curve in found))
    for curve in found:
        colour = COLOURS[names.index(curve.label) % len(COLOURS)]
        line = " ".join(f"{x_axis(x):.1f},{y_axis(y):.1f}" for x, y in curve.points)
        dash = ' stroke-dasharray="4 3"' if curve.dashed else ""
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.6"{dash}/>')
        if not curve.dashed:
            dots = (
                f'<circle cx="{x_axis(x):.1f}" cy="{y_axis(y):.1f}" r="2.4" fill="{colour}"/>' for x, y in curve.points
            )
            parts.extend(dots)
    return f'<svg viewBox="0 0 {width} {height}" role="img">{"".join(parts)}</svg>{legend(names)}'


def legend(names: Sequence[str]) -> str:
    entries = (
        f'<span><i style="background:{COLOURS[k % len(COLOURS)]}"></i>{escape(name)}</span>'
        for k, name in enumerate(names)
    )
    return f'<p class="legend">{"".join(entries)}</p>'


STYLE = """
:root { color-scheme: light dark; --ink: #1a202c; --soft: #718096; --line: #e2e8f0; --paper: #fff; --warm: #fffaf0; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e2e8f0; --soft: #a0aec0; --line: #2d3748; --paper: #1a202c; --warm: #2d2a20; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 960px;
  margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.7em; } h2 { font-size: 1.25em; margin-top: 2.2em; } code { font-size: 0.92em; }
svg { width: 100%; height: auto; font: 10.5px system-ui, sans-serif; }
.tick { fill: var(--soft); text-anchor: middle; } .label { fill: var(--ink); text-anchor: end; }
.value { fill: var(--soft); } .grid { stroke: var(--line); } .one { stroke: var(--ink); stroke-width: 1.4; }
.error { stroke: var(--ink); opacity: 0.7; }
.legend span { margin-right: 1.2em; }
.legend i { display: inline-block; width: 0.8em; height: 0.8em; margin-right: 0.4em; }
table { border-collapse: collapse; font-size: 13px; width: 100%; margin: 0.8em 0; }
th, td { text-align: right; padding: 3px 8px; border-bottom: 1px solid var(--line); vertical-align: top; }
th:first-child, td:first-child, td.why { text-align: left; } .behind { background: var(--warm); font-weight: 600; }
td.why, .soft { color: var(--soft); }
.pair { display: flex; flex-wrap: wrap; gap: 1em; } .pair > div { flex: 1 1 420px; }
""" + "".join(f".c{k} {{ fill: {colour}; }}\n" for k, colour in enumerate(COLOURS))


def document(title: str, body: str) -> str:
    """A page that needs nothing else."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width, initial-scale=1"><title>{escape(title)}</title><style>{STYLE}</style></head>'
        f"<body><h1>{escape(title)}</h1>{body}</body></html>\n"
    )


def grid(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of cells that are HTML already."""
    head = "".join(f"<th>{cell}</th>" for cell in header)
    lines = ("<tr>" + "".join(c if c.startswith("<td") else f"<td>{c}</td>" for c in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def listing(items: Mapping[str, object]) -> str:
    return "<ul>" + "".join(f"<li>{escape(str(k))}: {escape(str(v))}</li>" for k, v in items.items()) + "</ul>"
