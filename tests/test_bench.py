"""The benchmarks keep up with what they measure: every operation runs once, and the driver of kernels compiles."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import asdict, replace
from pathlib import Path

import pytest

import fhe
from bench import overhead
from bench.calibrate import basis_of, entrywise, integers, switching, transforms
from bench.charts import Bar, Curve, curves, ratio_bars
from bench.compare import page, peers, table
from bench.compare.__main__ import published
from bench.compare.peers import PACKAGES
from bench.compare.rows import MEANING, Group, Row
from bench.cycles import TASKS, Ports
from bench.driver import FLAGS, SOURCES, Measured, Sample, compiler
from bench.drivers.models import same
from bench.operations import OPERATIONS, make_keys, operations, parameters, peak_memory, sizes
from bench.predictions import predicted
from bench.scaling.__main__ import html, least, stored, summary
from bench.scaling.clock import Point
from fhe import costs
from tests.codebase import ROOT


@pytest.mark.parametrize("scheme", ["BFV", "CKKS"])
def test_every_operation_of_the_schemes_runs(scheme: str) -> None:
    pytest.importorskip("fhe._core")
    found = operations(scheme, 4096, "")
    assert list(found) == OPERATIONS
    assert all(call() is not None for call in found.values())


def test_memory_is_counted_beyond_the_operands() -> None:
    """A sum holds its result; a ciphertext of two polynomials is what it is made of."""
    pytest.importorskip("fhe._core")
    found = sizes(make_keys(parameters("CKKS", 4096), ""))
    assert found["ciphertext"] == 2 * 2 * 4096 * 8
    assert found["switching key sent"] < found["switching key"] / 2
    peak = peak_memory(operations("CKKS", 4096, "")["Add"])["residues"]
    assert found["ciphertext"] <= peak < 1.1 * found["ciphertext"]


def test_pairs_of_the_overhead_compute_the_same() -> None:
    owner = fhe.bfv(depth=2, value_bits=20, ring_degree=64, insecure="a small ring for tests")
    found = overhead.pairs(owner)
    assert found
    for pair in found:
        assert all(time > 0 for time in overhead.measured(pair, seconds=0.0))
        array, direct = pair.array(), pair.direct()
        like = array.like((direct,), array.layout)
        assert (owner.decrypt(array) == owner.decrypt(like)).all(), pair.name


def test_the_driver_of_kernels_compiles() -> None:
    command = [compiler(), *FLAGS, "-fsyntax-only", str(SOURCES / "kernels.cpp")]
    compiled = subprocess.run(command, capture_output=True, text=True, check=False)
    assert compiled.returncode == 0, compiled.stderr[-3000:]


def test_unequal_brackets_are_seen() -> None:
    assert Sample(1.0, 7.0, 7.3).steady
    assert not Sample(1.0, 7.0, 6.0).steady
    assert Sample(10.0, 7.0, 8.0).multiplications == 75


def test_bounds_on_a_core_of_two_ports() -> None:
    """There a transform's 5 (inverse 6) instructions a butterfly are 2.5 (3) cycles, and a little for its ends."""
    for task in TASKS:
        if task.transform and (count := task.count()):
            per_butterfly = count.cycles(Ports(2, 2)) / task.each
            least = 2.5 if task.operation == "ntt" else 3.0
            assert least < per_butterfly < least + 1


# --- beside other libraries ------------------------------------------------------------------------------------------


def some_group() -> Group:
    """Two rounds: twice and four times as fast as one library, half as fast as another."""
    measured = {
        "fhe": Measured(0, 0, 2, (1000.0, 2000.0)),
        "TenSEAL": Measured(0, 0, 2, (2000.0, 8000.0)),
        "desilofhe": Measured(0, 0, 2, (500.0, 1000.0)),
    }
    return Group("CKKS, N = 8192", [Row.of("CKKS", "add", 8192, 1, measured)], {"desilofhe": {}, "fhe": {"levels": 3}})


def test_ratios_are_taken_round_by_round() -> None:
    (row,) = some_group().rows
    assert row.ratios["TenSEAL"].median == 3
    assert row.behind == {"desilofhe": 0.5}
    assert row.microseconds["fhe"].median == 1.5


def test_private_results_are_in_no_file() -> None:
    """What a licence keeps private is shown in the terminal, and nowhere else."""
    group = some_group()
    assert not PACKAGES["desilofhe"].publish
    assert "desilofhe" in "\n".join(table.lines(group))
    report = {"groups": [asdict(published(group))], "machine": {}, "peers": {}, "meaning": MEANING, "command": "make"}
    assert "desilofhe" not in json.dumps(report) + page.html(page.rounded(report))
    assert "TenSEAL" in page.html(page.rounded(report))


def test_pages_are_split_by_threads() -> None:
    group = asdict(some_group())
    more = asdict(replace(some_group(), rows=[replace(row, threads=8) for row in some_group().rows]))
    report = {"groups": [group, more], "machine": {}, "peers": {}, "meaning": {}, "command": "make"}
    assert list(page.pages(report)) == ["index.html", "threads.html"]
    assert list(page.pages({**report, "groups": [group]})) == ["index.html"]
    (row,) = page.compact(page.rounded(report))["groups"][0]["rows"]
    assert row["ratios"]["TenSEAL"][0] == 3.0


def test_the_page_in_the_docs_is_what_its_figures_give() -> None:
    folder = ROOT / "docs/compare"
    drawn = page.pages(page.expanded(json.loads((folder / "result.json").read_text())))
    for name, text in drawn.items():
        assert (folder / name).read_text() == text, "python -m bench.compare --redraw docs/compare"


def test_models_are_told_as_they_are_in_the_clear() -> None:
    assert same([0, 1, 1], [0, 1, 1]) == 1.0
    with pytest.raises(SystemExit, match="33%"):
        same([0, 1, 1], [0, 0, 0])


def test_the_page_says_why_another_is_ahead() -> None:
    group = some_group()
    row = replace(group.rows[0], ratios={"SEAL": group.rows[0].ratios["desilofhe"]}, microseconds={
        "fhe": group.rows[0].microseconds["fhe"], "SEAL": group.rows[0].microseconds["desilofhe"]})  # fmt: skip
    html = page.section(asdict(replace(group, rows=[row], facts={})))
    assert 'class="behind"' in html
    assert "called from Python" in html


def test_paths_to_libraries_that_are_none_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FHE_OPENFHE_PYTHON", str(tmp_path / "python"))
    with pytest.raises(SystemExit, match=r"FHE_OPENFHE_PYTHON is .*python, which can not import openfhe"):
        list(peers.openfhe_pythons(None))
    monkeypatch.setenv("FHE_LATTIGO", str(tmp_path))
    monkeypatch.setattr(peers.shutil, "which", lambda name: None)
    with pytest.raises(SystemExit, match="no go is on PATH"):
        peers.lattigo_driver()
    monkeypatch.setattr(peers.shutil, "which", lambda name: name)
    with pytest.raises(SystemExit, match=r"no go\.mod is"):
        peers.lattigo_driver()


def test_charts_put_larger_values_further() -> None:
    bars = ratio_bars([Bar("add", "SEAL", 2.0, 1.9, 2.1), Bar("multiply", "SEAL", 8.0, 7.0, 9.0)])
    widths = [float(width) for width in re.findall(r'<rect class="c0" x="[\d.]+%" width="([\d.]+)%"', bars)]
    assert widths[1] == pytest.approx(3 * widths[0], rel=0.02)
    (behind,) = re.findall(r'x="([\d.]+)%" width="([\d.]+)%"', ratio_bars([Bar("add", "SEAL", 0.5, 0.5, 0.5)]))
    (one,) = re.findall(r'class="one" x1="([\d.]+)%"', ratio_bars([Bar("add", "SEAL", 0.5, 0.5, 0.5)]))
    assert sum(map(float, behind)) == pytest.approx(float(one), abs=0.2)
    drawn = curves(
        [Curve("rotate", [(1, 1), (2, 4), (4, 16)]), Curve("rotate", [(1, 1), (4, 15)], dashed=True)], "limbs", "ms"
    )
    points = [tuple(map(float, p.split(","))) for p in drawn.split('points="')[1].split('"')[0].split()]
    assert points[1][0] - points[0][0] == pytest.approx(points[2][0] - points[1][0], abs=0.2)
    assert points[0][1] > points[1][1] > points[2][1]


# --- the model beside what is measured --------------------------------------------------------------------------------


def test_every_operation_is_predicted() -> None:
    for scheme in ("CKKS", "BFV"):
        assert set(predicted(parameters(scheme, 4096))) == set(OPERATIONS) - {"Keys"}


def test_calls_that_prices_are_fitted_to_are_calls_of_the_seam() -> None:
    """Each runs, and every price but those of Python and NumPy is paid by some."""
    pytest.importorskip("fhe._core")
    basis = basis_of(4096, 4)
    found = [
        *entrywise(basis),
        *transforms(basis),
        *integers(basis),
        *switching(basis, 1),
        *transforms(basis_of(4096, 1, 50)),
    ]
    counts = sum(case.said(costs.counting(costs.ZEN5)) for case in found)
    assert all(case.call() is not None for case in found)
    unpaid = {price for price, count in zip(costs.PRICES, counts, strict=True) if not count}
    python = {"step", "step_far", "step_away", "look", "embed", "unembed", "message", "values"}
    assert unpaid == {*python, "call_away", "wake", "memory", "scattered", "fresh"}
    cold = sum(case.said(costs.disturbed(costs.counting(costs.ZEN5))) for case in found)
    assert {price for price, count in zip(costs.PRICES, cold, strict=True) if not count} == {*python, "wake", "fresh"}


def test_scaling_keeps_what_took_least(tmp_path: Path) -> None:
    slow, fast, other = Point("rings", "Add", 1, 2.0, 1.0), Point("rings", "Add", 1, 1.5, 0.9), Point("x", "y", 2, 1, 1)
    assert least([slow, other, fast]) == [Point("rings", "Add", 1, 1.5, 1.0), other]
    assert stored(tmp_path / "none.json") == []
    (tmp_path / "some.json").write_text(json.dumps({"points": [asdict(slow)]}))
    assert stored(tmp_path / "some.json") == [slow]


def test_scaling_tells_the_worst() -> None:
    near, far = Point("rings", "Add", 4096, 1.0, 1.1), Point("rings", "Rotate", 4096, 1.0, 2.0)
    first, *worst = summary([near, far])
    assert first == "1 of 2 within 30 %; the worst 2.00"
    assert "Rotate" in worst[-1]
    assert "4096" in html({"machine": {}, "command": ""}, [near, far])
