"""The benchmarks keep up with what they measure: every operation runs once, and the driver of kernels compiles."""

from __future__ import annotations

import subprocess

import pytest

import fhe
from bench import overhead
from bench.cycles import TASKS, Ports
from bench.driver import FLAGS, SOURCES, Sample, compiler
from bench.operations import OPERATIONS, make_keys, operations, parameters, peak_memory, sizes


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
