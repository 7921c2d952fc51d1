"""Records as a picture: lines in an SVG, from the standard library. pandas and matplotlib take records as well."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from fhe.errors import ParameterError

COLOURS = ("#2b6cb0", "#c05621", "#2f855a", "#6b46c1", "#b7791f", "#4a5568")
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 360, 56, 190, 36, 44
TICKS = 5


def chart(records: Sequence[dict[str, Any]], x: str, y: Sequence[str], title: str = "") -> str:
    """An SVG picture of columns y over column x, as text: write it to a file, or show it in a notebook.

    >>> picture = chart([{"n": 1, "bits": 3.5}, {"n": 2, "bits": 5.0}], x="n", y=["bits"], title="growth")
    >>> picture.startswith("<svg") and "growth" in picture and picture.count("<circle") == 2
    True
    """
    if not records or not y:
        raise ParameterError("a chart needs records, and names of their columns for y")
    across, up = [float(record[x]) for record in records], [float(r[name]) for r in records for name in y]
    xs, ys = _axis(min(across), max(across)), _axis(min(up), max(up))

    def place(a: float, b: float) -> tuple[float, float]:
        width, height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
        return (
            LEFT + width * (a - xs[0]) / (xs[-1] - xs[0]),
            HEIGHT - BOTTOM - height * (b - ys[0]) / (ys[-1] - ys[0]),
        )

    parts = [
        _text(WIDTH / 2, 22, title, 15),
        _text(LEFT + (WIDTH - LEFT - RIGHT) / 2, HEIGHT - 8, x.replace("_", " "), 12),
    ]
    for tick in xs:
        a, b = place(tick, ys[0])
        parts += [_line(a, b, a, TOP), _text(a, b + 16, f"{tick:g}", 11)]
    for tick in ys:
        a, b = place(xs[0], tick)
        parts += [_line(a, b, WIDTH - RIGHT, b), _text(a - 8, b + 4, f"{tick:g}", 11, "end")]
    for index, name in enumerate(y):
        colour = COLOURS[index % len(COLOURS)]
        points = [place(a, float(record[name])) for a, record in zip(across, records, strict=True)]
        path = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{colour}"/>' for a, b in points]
        parts.append(_text(WIDTH - RIGHT + 14, TOP + 14 + 20 * index, name.replace("_", " "), 12, "start", colour))
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>\n{body}\n</svg>\n'
    )


def _axis(low: float, high: float) -> list[float]:
    """Round numbers from below the least to above the largest.

    >>> _axis(0.3, 9.1), _axis(5.0, 5.0)
    ([0.0, 2.0, 4.0, 6.0, 8.0, 10.0], [4.0, 4.5, 5.0, 5.5, 6.0])
    """
    if low == high:
        low, high = low - 1, high + 1
    rough = (high - low) / TICKS
    power = 10.0 ** (len(f"{int(rough)}") - 1) if rough >= 1 else 10.0 ** -len(f"{int(1 / rough)}")
    step = next(power * nice for nice in (1, 2, 5, 10, 20, 50, 100) if power * nice >= rough)
    first, last = int(low // step), -int(-high // step)
    return [round(step * k, 10) for k in range(first, last + 1)]


def _text(x: float, y: float, words: str, size: int, anchor: str = "middle", colour: str = "#1f2933") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}"'
    return f"<text {place}>{escape(words)}</text>"


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<path d="M{x1:.1f} {y1:.1f} L{x2:.1f} {y2:.1f}" stroke="#d5dbe1"/>'
