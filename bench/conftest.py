"""How the microbenchmarks measure and report: warm-up, machine, tables, and a file to compare with later.

Each operation runs before it is timed, because its first call pays for what later ones find: pages that the buffer
pool has not touched yet (2 µs for each 4 KiB), tables of the transform and of the automorphism, and a clock that
is still rising or that wide vectors are about to lower. The minimum over rounds is the figure to compare: noise on a
shared machine only ever adds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.machine import ROOT, clock_ghz, commit, cpu_model, slug
from fhe.backend.choose import choose
from fhe.backend.native import supported_targets

RING_DEGREES = [2**12, 2**13, 2**14, 2**15]
SETTINGS = {
    "min_time": "0.002",  # a round is at least this long, so that the timer and the loop around it vanish
    "max_time": "0.25",
    "min_rounds": 5,
    "warmup": True,
    "warmup_iterations": 20,
    "columns": ["min", "median", "iqr", "rounds", "iterations"],
    "group_by": "group",
    "sort": "name",
    "disable_gc": True,
}
Measure = Callable[..., None]


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("fhe")
    group.addoption("--targets", default="", help="instruction sets to measure, separated by commas (default: all)")
    group.addoption(
        "--degrees", default="", help="ring degrees to measure, separated by commas (default: 4096 … 32768)"
    )


def pytest_configure(config: pytest.Config) -> None:
    for name, value in SETTINGS.items():
        setattr(config.option, f"benchmark_{name}", value)
    if not config.option.benchmark_json and not config.option.collectonly:
        files = "-".join(Path(argument.split("::")[0]).stem.removeprefix("bench_") for argument in config.args)
        results = ROOT / "bench" / "results"
        results.mkdir(exist_ok=True)
        config.option.benchmark_json = results / f"{slug(cpu_model())}-{commit()}-{files or 'all'}.json"


def chosen(option: str, default: list[Any]) -> list[Any]:
    return [type(default[0])(value) for value in option.split(",")] if option else default


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "target" in metafunc.fixturenames:
        targets = chosen(metafunc.config.option.targets, supported_targets())
        metafunc.parametrize("target", targets, scope="module")
    if "ring_degree" in metafunc.fixturenames:
        degrees = chosen(metafunc.config.option.degrees, RING_DEGREES)
        metafunc.parametrize("ring_degree", degrees, scope="module")


@pytest.fixture
def measure(benchmark: BenchmarkFixture) -> Measure:
    """``measure(group, name, function, *arguments)``: one row of a table; further keywords are recorded beside it."""

    def run(group: str, name: str, function: Callable[..., Any], *arguments: Any, **recorded: Any) -> None:
        benchmark.group, benchmark.name = group, name
        benchmark.extra_info.update(recorded)
        function(*arguments)
        benchmark(function, *arguments)

    return run


def pytest_benchmark_update_machine_info(machine_info: dict[str, Any]) -> None:
    target = choose("native").target
    machine_info.update(cpu_model=cpu_model(), clock_ghz_before=clock_ghz(), widest_target=target, fhe_commit=commit())


def pytest_benchmark_update_json(output_json: dict[str, Any]) -> None:
    """Bracket the measurements by a second look at the clock, and keep statistics, not every round."""
    output_json["machine_info"]["clock_ghz_after"] = clock_ghz()
    for row in output_json["benchmarks"]:
        row["stats"].pop("data", None)


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Where it was measured, and the transforms in cycles, which do not depend on the clock."""
    path = config.option.benchmark_json
    if not path or not path.exists() or not path.stat().st_size:
        return
    report = json.loads(path.read_text())
    machine = report["machine_info"]
    clocks = [machine[key] for key in ("clock_ghz_before", "clock_ghz_after") if machine[key]]
    running = " … ".join(f"{clock:.2f}" for clock in clocks) or "unknown"
    terminalreporter.write_line(f"{machine['cpu_model']}, {running} GHz, commit {machine['fhe_commit']}")
    for row in sorted(report["benchmarks"], key=lambda row: (row["extra_info"]["target"], row["extra_info"]["N"])):
        if clocks and (butterflies := row["extra_info"].get("butterflies")):
            cycles = row["stats"]["min"] * 1e9 * max(clocks) * 8 / butterflies
            terminalreporter.write_line(f"  {row['group']:<50} {row['name']:<6} {cycles:6.2f} cycles per 8 butterflies")
    for line in memory_lines(report["benchmarks"]):
        terminalreporter.write_line(line)
    terminalreporter.write_line(f"written to {path.relative_to(ROOT)}")


def memory_lines(rows: list[dict[str, Any]]) -> Iterator[str]:
    """Bytes, which are the same on every target: of objects, and what each operation holds at its peak."""
    seen: dict[tuple[str, int], dict[str, int]] = {}
    for row in rows:
        recorded = row["extra_info"]
        if "peak_bytes" in recorded:
            peaks = seen.setdefault((recorded["scheme"], recorded["N"]), dict(recorded["bytes"]))
            peaks.setdefault(f"{row['name']}*", sum(recorded["peak_bytes"].values()))
    if seen:
        yield "KiB; with a star: at the peak of an operation beyond its operands, residues and NumPy's arrays"
    for (scheme, ring_degree), found in seen.items():
        told = ", ".join(f"{name} {count / 1024:.0f}" for name, count in found.items())
        yield f"  {scheme}, N = {ring_degree}: {told}"
