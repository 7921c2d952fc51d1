"""The page: ratios first, with error bars; then every time, size and precision; and why, where another is ahead."""

from __future__ import annotations

from html import escape
from typing import Any

from bench import charts
from bench.compare.reasons import reason
from bench.compare.rows import OURS
from bench.compare.table import fact_line, told

LEAD = (
    "Bars to the right of 1 say how many times as fast this library is as another; bars to the left, that the other is "
    "ahead, and the table says why. Bars are medians of the ratios of one interleaved run, in which libraries take "
    "turns sample by sample; whiskers are quartiles. All parameters have 128-bit security, the same ring and as nearly "
    "the same modulus as each library allows; every product was checked before it was timed. This library, TenSEAL and "
    "OpenFHE are called from Python; HEXL and SEAL from C++."
)


def pages(report: dict[str, Any]) -> dict[str, str]:
    """File names and pages: one thread, and all threads where they were measured."""
    alone = [g for g in report["groups"] if all(row["threads"] == 1 or not row["ring_degree"] for row in g["rows"])]
    together = [group for group in report["groups"] if group not in alone]
    found = {
        "index.html": html(
            {**report, "groups": alone}, '<p><a href="threads.html">All threads</a></p>' if together else ""
        )
    }
    if together:
        found["threads.html"] = html({**report, "groups": together}, '<p><a href="index.html">One thread</a></p>')
    return found


def html(report: dict[str, Any], link: str = "") -> str:
    machine, groups = report["machine"], report["groups"]
    body = [f"<p>{escape(LEAD)}</p>{link}", summary(groups)]
    body.append("<h2>Machine and command</h2>" + charts.listing({**machine, "command": report["command"]}))
    body.append("<h2>Libraries</h2>" + charts.listing(report["peers"]))
    body.extend(section(group) for group in groups)
    body.append("<h2>What a row is</h2>" + charts.listing(report["meaning"]))
    return charts.document("fhe beside other libraries", "".join(body))


def summary(groups: list[dict[str, Any]]) -> str:
    """In how many rows each library was met, and in which it is ahead."""
    met: dict[str, list[float]] = {}
    for group in groups:
        for row in group["rows"]:
            for name, ratio in row["ratios"].items():
                met.setdefault(name, []).append(ratio["median"])
    rows = []
    for name, ratios in met.items():
        ratios.sort()
        ahead = sum(ratio >= 1 for ratio in ratios)
        middle = ratios[len(ratios) // 2]
        rows.append(
            [escape(name), f"{ahead} of {len(ratios)}", f"{middle:.2f}x", f"{ratios[0]:.2f}x … {ratios[-1]:.3g}x"]
        )
    return charts.grid(["library", "rows where fhe is ahead", "median ratio", "range"], rows)


def section(group: dict[str, Any]) -> str:
    rows = group["rows"]
    bars = [
        charts.Bar(label(row), name, ratio["median"], ratio["low"], ratio["high"])
        for row in rows
        for name, ratio in row["ratios"].items()
    ]
    facts = {name: fact_line(said) for name, said in group["facts"].items()}
    chart = charts.ratio_bars(bars) if bars else ""
    return f"<h2>{escape(group['title'])}</h2>{charts.listing(facts)}{chart}{times(rows)}"


def label(row: dict[str, Any]) -> str:
    limbs = row["more"].get("limbs")
    what = str(row["operation"])
    return f"{what} 2^{row['ring_degree'].bit_length() - 1}" + (f" x {limbs}" if limbs > 1 else "") if limbs else what


def times(rows: list[dict[str, Any]]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row["microseconds"] if name != OURS))
    lines = []
    for row in rows:
        own = row["microseconds"][OURS]
        cells = [escape(label(row)), f"{told(own['median'])}"]
        cells += [cell(row, name) for name in names]
        behind = any(ratio["median"] < 1 for ratio in row["ratios"].values())
        why = reason(row["group"], row["operation"]) if behind else ""
        lines.append([*cells, f'<td class="why">{escape(why)}</td>'])
    return charts.grid(["operation", OURS, *map(escape, names), "where another is ahead"], lines)


def cell(row: dict[str, Any], name: str) -> str:
    if name not in row["ratios"]:
        return '<td class="soft">none</td>'
    ratio, time = row["ratios"][name]["median"], row["microseconds"][name]["median"]
    mark = ' class="behind"' if ratio < 1 else ""
    return f"<td{mark}>{told(time)} ({ratio:.2f}x)</td>"


def compact(value: Any) -> Any:
    """The report for a file: a spread as [median, low, high], without what each operation holds in memory."""
    if isinstance(value, dict):
        if value.keys() == {"median", "low", "high"}:
            return [value["median"], value["low"], value["high"]]
        return {key: compact(item) for key, item in value.items() if key not in ("peak_bytes", "operations")}
    return [compact(item) for item in value] if isinstance(value, list) else value


def rounded(value: Any) -> Any:
    """Numbers to four digits, all the way down."""
    if isinstance(value, dict):
        return {str(key): rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item) for item in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value
