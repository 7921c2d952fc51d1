"""The page: ratios first, with error bars; then every time, size and precision; and why, where another is ahead."""

from __future__ import annotations

import re
from html import escape
from typing import Any

from bench import charts
from bench.compare.reasons import reason
from bench.compare.rows import OURS, Spread
from bench.compare.table import told

LEAD = (
    "Bars to the right of 1 say how many times as fast this library is as another; bars to the left, that the other is "
    "ahead, and below the chart stands why. Bars are medians of the ratios of one interleaved run, in which libraries "
    "take turns sample by sample; whiskers are quartiles. All parameters have 128-bit security, the same ring and as "
    "nearly the same modulus as each library allows; every product was checked before it was timed. This library, "
    "TenSEAL and OpenFHE are called from Python; HEXL and SEAL from C++, Lattigo from Go."
)
NAMES = {
    "ntt": "NTT",
    "intt": "INTT",
    "multiply_plain": "multiply by plain",
    "encode_encrypt": "encode, encrypt",
    "decrypt_decode": "decrypt, decode",
    "keys": "make keys",
    "dot": "dot product",
    "matvec": "matrix × vector",
}
FACTS = {
    "log_qp": "log₂ of modulus and special primes",
    "log_q": "log₂ of the modulus",
    "right_bits": "right bits after the point",
    "peak_mebibytes": "memory at most, MiB",
    "special": "special primes",
}


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
    to_sections = [f'<a href="#{anchor(group)}">{escape(group["title"])}</a>' for group in groups]
    body = [f"<p>{escape(LEAD)}</p>{link}", summary(groups), f"<nav>{''.join(to_sections)}</nav>"]
    body.append("<h2>Machine and command</h2>")
    body.append(charts.listing({**machine, **report["peers"], "command": report["command"]}))
    body.extend(section(group) for group in groups)
    meaning = {NAMES.get(name, name): what for name, what in report["meaning"].items()}
    body.append("<h2>What a row is</h2>" + charts.listing(meaning))
    return charts.document("fhe beside other libraries", "".join(body))


def anchor(group: dict[str, Any]) -> str:
    return re.sub(r"\W+", "-", str(group["title"])).lower()


def summary(groups: list[dict[str, Any]]) -> str:
    """In how many rows each library was met, and in which it is ahead."""
    met: dict[str, list[float]] = {}
    for group in groups:
        for row in group["rows"]:
            for name, ratio in row["ratios"].items():
                met.setdefault(name, []).append(ratio["median"])
    spreads = {name: Spread.of(ratios) for name, ratios in met.items()}
    bars = [charts.Bar(name, "all rows", spread.median, spread.low, spread.high) for name, spread in spreads.items()]
    rows = [
        [escape(name), f"{sum(ratio >= 1 for ratio in ratios)} of {len(ratios)}"]
        + [charts.times(ratio) for ratio in (min(ratios), spreads[name].median, max(ratios))]
        for name, ratios in met.items()
    ]
    heads = ["library", "rows where fhe is ahead", "least", "median", "most"]
    return (charts.ratio_bars(bars) if bars else "") + charts.grid(heads, rows)


def section(group: dict[str, Any]) -> str:
    rows = group["rows"]
    bars = [
        charts.Bar(label(row), name, ratio["median"], ratio["low"], ratio["high"])
        for row in rows
        for name, ratio in row["ratios"].items()
    ]
    chart = charts.ratio_bars(bars) if bars else ""
    parts = [f'<h2 id="{anchor(group)}">{escape(group["title"])}</h2>', chart, behind(rows)]
    parts.append(charts.folded("Times of every row", times(rows)))
    if group["facts"]:
        parts.append(charts.folded("Parameters, sizes, memory and precision", facts(group["facts"])))
    return "".join(parts)


def label(row: dict[str, Any]) -> str:
    limbs, what = row["more"].get("limbs"), NAMES.get(row["operation"], str(row["operation"]))
    if not limbs:
        return what
    return f"{what}, {charts.power_of_two(row['ring_degree'].bit_length() - 1)}" + (f" × {limbs}" if limbs > 1 else "")


def behind(rows: list[dict[str, Any]]) -> str:
    """Where another library is ahead, by how much, and why."""
    lines = []
    for row in rows:
        ahead = {name: ratio["median"] for name, ratio in row["ratios"].items() if ratio["median"] < 1}
        if ahead:
            by = ", ".join(f"{escape(name)} takes {ratio:.2g} of our time" for name, ratio in ahead.items())
            why = escape(reason(row["group"], row["operation"]))
            lines.append(f'<p class="behind"><b>{escape(label(row))}</b>: {by}. <span class="soft">{why}.</span></p>')
    return "".join(lines)


def facts(said: dict[str, dict[str, Any]]) -> str:
    """What each library says of itself: a column each."""
    columns = {name: told_facts(found) for name, found in said.items()}
    keys = list(dict.fromkeys(key for column in columns.values() for key in column))
    rows = [
        [escape(FACTS.get(k, k.replace("_", " "))), *(column.get(k, "–") for column in columns.values())] for k in keys
    ]
    return charts.grid(["", *map(escape, columns)], rows)


def told_facts(found: dict[str, Any]) -> dict[str, str]:
    plain = {k: escape(str(v)) for k, v in found.items() if k not in ("bytes", "peak_bytes", "operations")}
    sizes = {f"{name}, KiB": f"{count / 1024:,.0f}" for name, count in found.get("bytes", {}).items()}
    return plain | sizes


def times(rows: list[dict[str, Any]]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row["microseconds"] if name != OURS))
    lines = [
        [escape(label(row)), told(row["microseconds"][OURS]["median"]), *(cell(row, name) for name in names)]
        for row in rows
    ]
    return charts.grid(["operation", OURS, *map(escape, names)], lines)


def cell(row: dict[str, Any], name: str) -> str:
    if name not in row["ratios"]:
        return '<td class="soft">–</td>'
    ratio, time = row["ratios"][name]["median"], row["microseconds"][name]["median"]
    mark = ' class="behind"' if ratio < 1 else ""
    return f"<td{mark}>{told(time)} ({charts.times(ratio)})</td>"


def compact(value: Any) -> Any:
    """The report for a file: a spread as [median, low, high], without what each operation holds in memory."""
    if isinstance(value, dict):
        if value.keys() == {"median", "low", "high"}:
            return [value["median"], value["low"], value["high"]]
        return {key: compact(item) for key, item in value.items() if key not in ("peak_bytes", "operations")}
    return [compact(item) for item in value] if isinstance(value, list) else value


def expanded(report: dict[str, Any]) -> dict[str, Any]:
    """What `compact` made short, as `pages` takes it.

    >>> expanded({"groups": [{"rows": [{"microseconds": {"fhe": [2.0, 1.0, 3.0]}, "ratios": {}}]}]})
    {'groups': [{'rows': [{'microseconds': {'fhe': {'median': 2.0, 'low': 1.0, 'high': 3.0}}, 'ratios': {}}]}]}
    """
    spreads = ("microseconds", "ratios")

    def row(found: dict[str, Any]) -> dict[str, Any]:
        short = {
            k: {name: dict(zip(("median", "low", "high"), v, strict=True)) for name, v in found[k].items()}
            for k in spreads
        }
        return {**found, **short}

    return {
        **report,
        "groups": [{**group, "rows": [row(found) for found in group["rows"]]} for group in report["groups"]],
    }


def rounded(value: Any) -> Any:
    """Numbers to four digits, all the way down."""
    if isinstance(value, dict):
        return {str(key): rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item) for item in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value
