"""A program as a page of its own: one HTML file, pictures within."""

from __future__ import annotations

import math
from html import escape

from fhe.arrays.show import counted, size
from fhe.costs import milliseconds
from fhe.programs import explain
from fhe.programs.drawing import bars, steps
from fhe.programs.plan import Plan

MOST_BARS = 24
STYLE = """
:root{color-scheme:light dark;--ink:#1c2330;--soft:#556070;--line:#dde2ea;--paper:#fff;--tint:#f5f7fa;--blue:#2b6cb0;
--bar:#5a93cf}
@media(prefers-color-scheme:dark){:root{--ink:#e2e8f0;--soft:#a3afc0;--line:#333c4d;--paper:#171c26;--tint:#202736;
--blue:#6aaaf0;--bar:#4a84c4}}
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:var(--ink);
background:var(--paper)}
h1{font-size:1.6rem}h2{font-size:1.15rem;margin:2rem 0 .4rem}p{margin:.3rem 0}.scroll{overflow-x:auto}
svg{width:100%;min-width:34rem;height:auto;font-size:11px}svg text{fill:var(--soft)}svg line{stroke:var(--line)}
svg .line{fill:none;stroke:var(--blue);stroke-width:2}svg circle{fill:var(--blue)}svg rect{fill:var(--bar)}
table{border-collapse:collapse;min-width:100%;font-size:13px}
th,td{text-align:left;padding:.25rem .8rem .25rem 0;border-bottom:1px solid var(--line);vertical-align:top;
white-space:nowrap}
th.n,td.n{text-align:right;font-variant-numeric:tabular-nums}pre{background:var(--tint);padding:.7rem;overflow-x:auto}
.promise{border-left:4px solid #d08b1d;padding-left:.8rem}
"""


def page(program: Plan) -> str:
    """The whole page."""
    parts = [f"<h1>{escape(program.name)}</h1>", *_promises(program), _pre(program.parameters.summary())]
    parts += [*_pictures(program), "<h2>Every value</h2>", _table(program)]
    body = "\n".join(parts)
    title = escape(f"{program.name}: a program on encrypted arrays")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head>\n<body>{body}</body></html>\n"
    )


def _promises(program: Plan) -> list[str]:
    lines = [f"<p><b>{escape(name)}</b>: {escape(str(spec))}</p>" for name, spec in program.specs.items()]
    lines += [f"<p>{escape(line)}</p>" for line in explain.results(program)]
    return lines + [f'<p class="promise">{escape(line)}</p>' for line in explain.assumptions(program)]


def _pictures(program: Plan) -> list[str]:
    """Levels, precision, room, time and keys."""
    sights = program.trial.sights
    named = {number: f"#{number} {explain.what(program, number)}" for number in sights}
    parts = ["<h2>Levels</h2><p>Products, and functions made of them, go down; at level 0 there are none left.</p>"]
    parts.append(steps([(named[k], s.level) for k, s in sights.items()], "levels along the program"))
    if program.precision is not None:
        asked = -math.log2(program.precision)
        parts.append(f"<h2>Precision</h2><p>Bits after the point that are right; {asked:.1f} were asked for.</p>")
        bits = [(named[k], round(s.precision, 1)) for k, s in sights.items()]
        parts.append(steps(bits, "bits of precision along the program"))
    else:
        parts.append("<h2>Noise</h2><p>Bits that the noise may still grow; results are exact until none is left.</p>")
        parts.append(steps([(named[k], round(s.room, 1)) for k, s in sights.items()], "noise budget along the program"))
    slowest = [(number, cycles) for number, cycles in explain.times(program)[:MOST_BARS] if cycles]
    parts.append(f"<h2>Time</h2><p>Of each value, the longest first; {escape(explain.predicted(program))}.</p>")
    parts.append(bars([(named[k], milliseconds(cycles)) for k, cycles in slowest], "time", "{:.3g} ms".format))
    if program.keys:
        total = size(sum(bytes_ for _, _, bytes_ in explain.keys(program)))
        parts.append(f"<h2>Keys</h2><p>{counted(len(program.keys), 'evaluation key')}, {total} in memory.</p>")
        items = [(f"{what}, to level {level}", float(b)) for what, level, b in explain.keys(program)]
        parts.append(bars(items[:MOST_BARS], "key sizes", size))
    return parts


def _table(program: Plan) -> str:
    heads = '<th class="n"></th><th>operation</th>'
    heads += "".join(f'<th class="n">{name}</th>' for name in ("level", "bound", "bits")) + "<th>where</th>"
    rows = []
    for number, sight in program.trial.sights.items():
        bits = "exact" if math.isinf(sight.precision) else f"{sight.precision:.1f}"
        cells = (f"#{number}", explain.what(program, number), str(sight.level), f"{sight.bound:.3g}", bits)
        kinds = ('<td class="n">', "<td>", *['<td class="n">'] * 3)
        row = "".join(f"{kind}{escape(cell)}</td>" for kind, cell in zip(kinds, cells, strict=True))
        rows.append(f"<tr>{row}<td>{escape(program.graph.nodes[number].where)}</td></tr>")
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    return f'<div class="scroll">{table}</div>'


def _pre(text: str) -> str:
    return f"<pre>{escape(text)}</pre>"
