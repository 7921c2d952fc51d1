"""An audit as text, and as a page with a plot; no other package is asked for."""

from __future__ import annotations

import math
from collections.abc import Iterator
from html import escape

from fhe.auditing.record import Findings, Step

WIDTH, HEIGHT, LEFT, BOTTOM = 720, 240, 56, 28
STYLE = (
    ":root{color-scheme:light dark;--line:#ddd;--flag:#fdd}body{font:14px/1.5 system-ui,sans-serif;margin:2em auto;"
    "padding:0 1em;max-width:62em;color:#1c2330;background:#fff}table{border-collapse:collapse;min-width:100%}"
    "td,th{padding:.2em .7em;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}"
    "td:last-child,th:last-child{text-align:left}.flag{background:var(--flag)}.worst{font-weight:bold}"
    "@media(prefers-color-scheme:dark){:root{--line:#333c4d;--flag:#5a2426}body{color:#e2e8f0;background:#171c26}}"
)
SCROLL = '<div style="overflow-x:auto">'  # what is wider than the page


def text(audit: Findings) -> str:
    """A line for each step, the worst marked, then what is wrong."""
    lines = [f"{audit.name}, {audit.parameters}", *_verdict(audit), "", "  ".join(f"{head:>8}" for head in HEADS)]
    for step in audit.steps:
        mark = "!" if step.flags else "<" if step is audit.worst else " "
        lines.append("  ".join(f"{cell:>8}" for cell in _cells(step, audit.exact)) + f"  {mark} {_what(step)}")
        lines += [f"{'':>{10 * len(HEADS)}}! {flag}" for flag in step.flags]
    return "\n".join(lines)


HEADS = ("level", "error", "bound", "lost", "room", "ms")


def _cells(step: Step, exact: bool) -> list[str]:
    error = [f"{step.error:.1e}", f"{step.bound:.1e}"] if not exact else [f"{step.error:g}", "exact"]
    return [str(step.level), *error, f"{step.lost_bits:.1f}", f"{step.room_bits:.1f}", f"{step.seconds * 1e3:.2f}"]


def _what(step: Step) -> str:
    return step.operation + (f"  [{step.where}]" if step.where else "")


def _verdict(audit: Findings) -> Iterator[str]:
    flagged = len(audit.flagged)
    yield f"{flagged} of {len(audit.steps)} steps flagged" if flagged else "every bound and every assumption held"
    if audit.search is not None:
        found = audit.search
        yield f"worst of {found.runs} runs: off by {found.error:.2e}, the given inputs by {found.first:.2e}"


def html(audit: Findings) -> str:
    """The plot and the table, to stand in a page."""
    heads = "".join(f"<th>{head}</th>" for head in (*HEADS, "operation"))
    rows = []
    for step in audit.steps:
        kind = "flag" if step.flags else "worst" if step is audit.worst else ""
        cells = "".join(f"<td>{escape(cell)}</td>" for cell in _cells(step, audit.exact))
        what = "<br>".join(map(escape, (_what(step), *step.flags)))
        rows.append(f'<tr class="{kind}">{cells}<td>{what}</td></tr>')
    verdict = "<br>".join(map(escape, _verdict(audit)))
    title = f"<p><b>{escape(audit.name)}</b>: {verdict}</p>{SCROLL}<pre>{escape(audit.parameters)}</pre></div>"
    table = f"<table><tr>{heads}</tr>{''.join(rows)}</table>"
    return f"{title}{SCROLL}{svg(audit)}</div>{SCROLL}{table}</div>"


def page(audit: Findings) -> str:
    """`html` as a page of its own."""
    title = '<meta name="viewport" content="width=device-width,initial-scale=1">'
    title += f"<title>{escape(audit.name)}</title><style>{STYLE}</style>"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">{title}</head><body>{html(audit)}</body></html>\n'
    )


def svg(audit: Findings) -> str:
    """Bits that are right, step by step: by the bound (a line), and as measured (dots, flagged ones red).

    Of exact programs bits of room for noise, as tracked and as measured.
    """
    lower = [step.room_bits if audit.exact else _bits(step.bound) for step in audit.steps]
    upper = [step.budget_bits if audit.exact else _bits(step.error) for step in audit.steps]
    top, floor = max([1.0, *lower, *upper]), min([0.0, *lower, *upper])

    def place(index: int, bits: float) -> tuple[float, float]:
        x = LEFT + (WIDTH - LEFT - 10) * (index + 0.5) / len(audit.steps)
        return x, 10 + (HEIGHT - BOTTOM - 10) * (top - bits) / (top - floor)

    ticks = range(0, math.ceil(top) + 1, max(1, math.ceil(top / 40) * 5))
    grid = "".join(
        f'<line x1="{LEFT}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}" stroke="#8885"/>'
        f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" font-size="11" fill="currentColor">{bits}</text>'
        for bits in ticks
        for _, y in [place(0, bits)]
    )
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(k, bits) for k, bits in enumerate(lower)))
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{"#e0453a" if step.flags else "#3b82d0"}">'
        f"<title>{escape(_what(step))}</title></circle>"
        for k, (step, bits) in enumerate(zip(audit.steps, upper, strict=True))
        for x, y in [place(k, bits)]
    )
    unit = "bits of room for noise" if audit.exact else "bits after the point"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" role="img" aria-label="{unit}">'
        f'{grid}<polyline points="{line}" fill="none" stroke="#888" stroke-width="1.5"/>{dots}'
        f'<text x="{LEFT}" y="{HEIGHT - 8}" font-size="11" fill="currentColor">{unit}, step by step: '
        "line tracked, dots measured</text>"
        "</svg>"
    )


def _bits(error: float) -> float:
    return min(-math.log2(error), 60.0) if error > 0 else 60.0
