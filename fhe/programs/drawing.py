"""Charts as inline SVG: a line of values along a program, bars of sizes. No script, no font, no file beside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

Item = tuple[str, float]

WIDTH, HEIGHT, LEFT, TOP, BOTTOM, BAR = 720, 180, 56, 14, 24, 20
LEAST_STEP = 28.0  # pixels, for a number below


def steps(items: Sequence[Item], label: str, written: Callable[[float], str] = "{:g}".format) -> str:
    """Values one after another as a staircase; each step says its name and value to who points at it.

    Where there is room, the first word of each name stands below its step.

    >>> steps([("x", 3.0), ("x * x", 2.0)], "level").count("<circle")
    2
    """
    values = [value for _, value in items]
    low, high = min(0.0, *values), max(1.0, *values)
    width = (WIDTH - LEFT - 8) / len(items)

    def at(value: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low), 1)

    path, marks = [], []
    for index, (name, value) in enumerate(items):
        x = round(LEFT + index * width, 1)
        path.append(f"{'M' if not index else 'L'}{x} {at(value)}H{round(x + width, 1)}")
        middle = round(x + width / 2, 1)
        marks.append(
            f'<circle cx="{middle}" cy="{at(value)}" r="3"><title>{_said(name, value, written)}</title></circle>'
        )
        if width >= LEAST_STEP:
            marks.append(f'<text x="{middle}" y="{HEIGHT - 4}" text-anchor="middle">{escape(name.split()[0])}</text>')
    grid = [_rule(at(value), written(value)) for value in _ticks(low, high)]
    return _figure(HEIGHT, label, [*grid, f'<path class="line" d="{"".join(path)}"/>', *marks])


def bars(items: Sequence[Item], label: str, written: Callable[[float], str] = "{:g}".format) -> str:
    """Values under each other as bars, with their names.

    >>> bars([("rotation by 1", 3e6), ("rotation by 2", 3e6)], "key sizes").count("<rect")
    2
    """
    most, half = max(1e-12, *(value for _, value in items)), WIDTH / 2
    rows = []
    for index, (name, value) in enumerate(items):
        y, length = TOP + index * BAR, round((half - 90) * value / most, 1)
        rows.append(f'<text x="{half - 8}" y="{y + 12}" text-anchor="end">{escape(_short(name))}</text>')
        rows.append(f'<rect x="{half}" y="{y + 2}" width="{length}" height="{BAR - 6}">'
                    f"<title>{_said(name, value, written)}</title></rect>")  # fmt: skip
        rows.append(f'<text x="{half + length + 6}" y="{y + 12}">{escape(written(value))}</text>')
    return _figure(TOP + len(items) * BAR + 8, label, rows)


def _figure(height: float, label: str, parts: Sequence[str]) -> str:
    body = "".join(parts)
    return (
        f'<div class="scroll"><svg viewBox="0 0 {WIDTH} {height:g}" role="img" aria-label="{escape(label)}">'
        f"<title>{escape(label)}</title>{body}</svg></div>"
    )


def _rule(y: float, text: str) -> str:
    return (
        f'<line x1="{LEFT}" x2="{WIDTH - 8}" y1="{y}" y2="{y}"/>'
        f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{escape(text)}</text>'
    )


def _ticks(low: float, high: float) -> list[float]:
    """About four values between two, round ones."""
    step = next(s for k in range(-3, 12) for s in (10.0**k, 2 * 10.0**k, 5 * 10.0**k) if (high - low) / s <= 5)
    first = int(low // step)
    return [k * step for k in range(first, int(high // step) + 1) if k * step >= low]


def _said(name: str, value: float, written: Callable[[float], str]) -> str:
    return escape(f"{name}: {written(value)}")


def _short(name: str) -> str:
    return name if len(name) <= 48 else f"{name[:47]}…"
