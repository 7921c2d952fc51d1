"""Charts as HTML and SVG, by hand: bars of ratios with error bars, and curves on logarithmic axes; pages load nothing.

Lengths along a bar are percentages of the room there is, so a chart fits a telephone as it fits a desk, and its
letters keep their size. Colours are named in `STYLE`, once for light and once for dark.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

TICKS = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
COLOURS = 6  # of the style; a seventh series starts over
THICK = 12  # pixels of a bar and the gap below it


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
    """Numbers from low to high, on a logarithmic scale from one place to another."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        self.low, self.high, self.start, self.end = math.log(low), math.log(max(high, low * 1.01)), start, end

    def __call__(self, value: float) -> float:
        share = (math.log(max(value, 1e-12)) - self.low) / (self.high - self.low)
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)


# --- bars -----------------------------------------------------------------------------------------------------------


def times(ratio: float) -> str:
    """A ratio in about two digits.

    >>> times(0.718), times(1.06), times(9.97), times(162.7)
    ('0.72×', '1.1×', '10×', '163×')
    """
    digits = 2 if ratio < 0.95 else 1 if ratio < 9.95 else 0
    return f"{ratio:.{digits}f}×"


def ratio_bars(bars: Sequence[Bar]) -> str:
    """Horizontal bars from 1, to the right where this library is faster; whiskers are quartiles."""
    series = list(dict.fromkeys(bar.series for bar in bars))
    labels = list(dict.fromkeys(bar.label for bar in bars))
    high = max([2.0, *(bar.high for bar in bars)]) * 1.05
    axis = Axis(min([0.5, *(bar.low for bar in bars)]) / 1.05, high, 0.0, 100.0)
    ticks = [tick for tick in TICKS if 0 < axis(tick) < 100]
    named = [f'<text x="{axis(t):.1f}%" y="12">{_tick(t)}</text>' for t in ticks if len(ticks) < 9 or t in TICKS[::2]]
    lines = "".join(
        f'<line class="{"one" if t == 1 else "grid"}" x1="{axis(t):.1f}%" x2="{axis(t):.1f}%" y2="100%"/>'
        for t in ticks
    )
    own = f"g{zlib.crc32(lines.encode()):x}"  # the lines are drawn once, and used in every row
    head = f'<defs><g id="{own}">{lines}</g></defs>{"".join(named)}'
    rows = [f'<span></span><svg class="axis" height="16">{head}</svg>']
    for label in labels:
        mine = [bar for bar in bars if bar.label == label]
        drawn = [_bar(bar, axis, 4 + k * THICK, series.index(bar.series)) for k, bar in enumerate(mine)]
        content = f'<use href="#{own}"/>{"".join(drawn)}'
        rows.append(f'<span>{escape(label)}</span><svg height="{len(mine) * THICK + 8}">{content}</svg>')
    return f'<div class="bars">{"".join(rows)}</div>{legend(series) if len(series) > 1 else ""}'


def _tick(value: float) -> str:
    return f"{value:g}×" if value >= 1 else f"1/{1 / value:g}"


def _bar(bar: Bar, axis: Axis, y: int, number: int) -> str:
    ends, middle = sorted((axis(1.0), axis(bar.value))), y + THICK // 2 - 1
    low, high, beside = axis(bar.low), axis(bar.high), max(ends[1], axis(bar.high))
    return (
        f'<rect class="c{number % COLOURS}" x="{ends[0]:.1f}%" width="{ends[1] - ends[0]:.1f}%" y="{y}"/>'
        f'<line class="error" x1="{low:.1f}%" x2="{high:.1f}%" y1="{middle}" y2="{middle}"/>'
        f'<text x="{beside:.1f}%" dx="5" y="{y + THICK - 3}">{times(bar.value)}</text>'
    )


def legend(names: Sequence[str]) -> str:
    entries = (f'<span><i class="c{k % COLOURS}"></i>{escape(name)}</span>' for k, name in enumerate(names))
    return f'<p class="legend">{"".join(entries)}</p>'


# --- curves ---------------------------------------------------------------------------------------------------------

WIDE, HIGH, LEFT, RIGHT, TOP, BOTTOM = 230, 160, 40, 12, 8, 20  # of a panel, in its own pixels


def curves(found: Sequence[Curve], across: str, up: str) -> str:
    """A panel for each label, all on the same logarithmic axes: dots where measured, dashes where not."""
    xs, ys = [x for c in found for x, _ in c.points], [y for c in found for _, y in c.points]
    x_axis = Axis(min(xs), max(xs), LEFT, WIDE - RIGHT)
    y_axis = Axis(min(ys) / 1.3, max(ys) * 1.3, HIGH - BOTTOM, TOP)
    frame = _across(sorted(set(xs)), x_axis) + _up(min(ys) / 1.3, max(ys) * 1.3, y_axis)
    panels = []
    for label in dict.fromkeys(curve.label for curve in found):
        lines = "".join(_curve(curve, x_axis, y_axis) for curve in found if curve.label == label)
        chart = f'<svg viewBox="0 0 {WIDE} {HIGH}" role="img" aria-label="{escape(label)}">{frame}{lines}</svg>'
        panels.append(f"<figure><figcaption>{escape(label)}</figcaption>{chart}</figure>")
    axes = f'<p class="soft">{escape(up[:1].upper() + up[1:])} against {escape(across)}.</p>'
    return f'{axes}<div class="panels">{"".join(panels)}</div>'


def _across(xs: Sequence[float], axis: Axis) -> str:
    """The values themselves, as many as there is room for."""
    shown = xs[:: max(1, -(-(len(xs) - 1) // 3))]
    kind = {xs[0]: "first", xs[-1]: "last"}
    return "".join(
        f'<text class="x {kind.get(x, "")}" x="{axis(x):.0f}" y="{HIGH - 5}">{_short(x)}</text>' for x in shown
    )


def _up(low: float, high: float, axis: Axis) -> str:
    powers = range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)
    level = {power: axis(10.0**power) for power in powers}
    return "".join(
        f'<line class="grid" x1="{LEFT}" x2="{WIDE - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text class="y" x="{LEFT - 5}" y="{y + 4:.0f}">{10.0**power:g}</text>'
        for power, y in level.items()
    )


def _short(value: float) -> str:
    """Powers of two that nobody reads at a glance, as such.

    >>> _short(12), _short(65536), _short(1000)
    ('12', '2¹⁶', '1000')
    """
    exponent = math.log2(value) if value > 0 else 0.5
    return power_of_two(int(exponent)) if exponent.is_integer() and value >= 1024 else f"{value:g}"


def power_of_two(exponent: int) -> str:
    """
    >>> power_of_two(15)
    '2¹⁵'
    """
    return "2" + str(exponent).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _curve(curve: Curve, x_axis: Axis, y_axis: Axis) -> str:
    places = [(x_axis(x), y_axis(y)) for x, y in curve.points]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    drawn = f'<polyline class="{"model" if curve.dashed else "found"}" points="{line}"/>'
    dots = (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.6"/>' for x, y in places)
    return drawn if curve.dashed else drawn + "".join(dots)


# --- pages ----------------------------------------------------------------------------------------------------------

STYLE = """
:root { color-scheme: light dark; --ink: #1a202c; --soft: #5b6678; --line: #e2e8f0; --paper: #fff; --warm: #fff6e0;
  --link: #1f5fa8; --c0: #2b6cb0; --c1: #c05621; --c2: #2f855a; --c3: #805ad5; --c4: #b7791f; --c5: #c53030; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e2e8f0; --soft: #a0aec0; --line: #323c4f; --paper: #171c26; --warm: #3a3018; --link: #7db8f0;
    --c0: #4a90d9; --c1: #dd7f4a; --c2: #4aa87c; --c3: #a58af0; --c4: #d6a13e; --c5: #e06666; } }
body { font: 15px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 960px;
  margin: 2em auto 4em; padding: 0 1em; }
a { color: var(--link); } h1 { font-size: 1.8em; line-height: 1.2; margin-bottom: 0.6em; }
h2 { font-size: 1.25em; margin: 2.4em 0 0.6em; } code { font-size: 0.92em; overflow-wrap: anywhere; }
.soft { color: var(--soft); } nav { display: flex; flex-wrap: wrap; gap: 0.2em 1.2em; margin: 1em 0; }
.bars { display: grid; grid-template-columns: max-content 1fr; column-gap: 0.8em; padding-right: 3em; font-size: 13px; }
.bars span { text-align: right; align-self: center; white-space: nowrap; }
.bars svg { width: 100%; overflow: visible; display: block; }
svg text { font: 11px system-ui, sans-serif; fill: var(--soft); }
.axis text, text.x { text-anchor: middle; } text.x.last { text-anchor: end; } text.y { text-anchor: end; }
rect { height: 10px; } .grid { stroke: var(--line); } .one { stroke: var(--ink); stroke-width: 1.4; }
.error { stroke: var(--ink); opacity: 0.75; }
.legend span { margin-right: 1.2em; white-space: nowrap; }
.legend i { display: inline-block; width: 0.8em; height: 0.8em; margin-right: 0.4em; }
.panels { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 0.6em 0.8em; }
figure { margin: 0; } figcaption { font-size: 13px; font-weight: 600; padding-left: 2.6em; }
figure svg { width: 100%; height: auto; max-width: 320px; }
polyline { fill: none; stroke-width: 1.8; } .found { stroke: var(--c0); } circle { fill: var(--c0); }
.model { stroke: var(--c1); stroke-dasharray: 5 3; }
.scroll { overflow-x: auto; margin: 0.8em 0; }
table { border-collapse: collapse; font-size: 13px; min-width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 4px 10px; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
td.behind { background: var(--warm); font-weight: 600; }
p.behind { background: var(--warm); padding: 0.5em 0.8em; border-radius: 4px; font-size: 14px; margin: 0.5em 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.2em 1.2em; margin: 0.8em 0; font-size: 14px; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
summary { cursor: pointer; color: var(--link); margin: 0.8em 0; }
@media (max-width: 600px) { dl { grid-template-columns: 1fr; } dd { margin-bottom: 0.5em; }
  .bars { column-gap: 0.5em; font-size: 12px; } }
""" + "".join(f".c{k} {{ fill: var(--c{k}); background: var(--c{k}); }}\n" for k in range(COLOURS))


def document(title: str, body: str) -> str:
    """A page that needs nothing else."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width, initial-scale=1"><title>{escape(title)}</title><style>{STYLE}</style></head>'
        f"<body><h1>{escape(title)}</h1>{body}</body></html>\n"
    )


def grid(header: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are HTML already, which scrolls where it is too wide."""
    head = "".join(f"<th>{cell}</th>" for cell in header)
    lines = ("<tr>" + "".join(c if c.startswith("<td") else f"<td>{c}</td>" for c in row) + "</tr>" for row in rows)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
    return f'<div class="scroll">{table}</div>'


def listing(items: Mapping[str, object]) -> str:
    """What each of them is."""
    entries = (f"<dt>{escape(str(k).replace('_', ' '))}</dt><dd>{escape(str(v))}</dd>" for k, v in items.items())
    return f"<dl>{''.join(entries)}</dl>"


def folded(summary: str, body: str) -> str:
    """What is shown to whoever asks."""
    return f"<details><summary>{escape(summary)}</summary>{body}</details>"
