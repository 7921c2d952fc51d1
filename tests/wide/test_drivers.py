"""The drivers that benchmarks ask for samples: they build, answer, and take turns."""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path

import pytest

from bench.driver import Driver, build_kernels, interleave
from fhe.primes import ntt_primes, primitive_root

pytestmark = pytest.mark.wide

OPERATIONS = [
    *("ntt", "intt", "add", "mul", "mul_scalar", "key_product", "convert", "divide_round", "switch_down"),
    *("automorphism", "uniform", "ternary", "centred_binomial", "pack", "unpack"),
]
PEER = """
import sys
from bench.drivers.serve import serve
def call():
    open(sys.argv[2], "a").write(sys.argv[1])
    import time; time.sleep(0.01)
serve({"call": call}, {"name": sys.argv[1]})
"""


def line(operation: str, ring_degree: int = 4096, limbs: int = 4) -> str:
    """A request with two special limbs and digits of one, which every operation understands."""
    primes = ntt_primes(ring_degree, 46, limbs)
    roots = [primitive_root(q, ring_degree) for q in primes]
    return " ".join(map(str, [operation, ring_degree, limbs, *primes, *roots, 2, 1]))


def test_the_driver_of_kernels_knows_its_operations() -> None:
    with Driver([build_kernels(), "scalar"]) as driver:
        facts = driver.facts()
        assert "scalar" in facts["targets"]
        assert 0.4 < facts["multiplications"] < 8
        for operation in OPERATIONS:
            assert driver.sample(line(operation)).nanoseconds > 100, operation


def test_the_driver_of_kernels_refuses_others() -> None:
    with Driver([build_kernels(), ""]) as driver, pytest.raises(RuntimeError, match="ended at 'no such"):
        driver.sample("no such operation")


def test_a_larger_transform_takes_longer() -> None:
    with Driver([build_kernels(), ""]) as driver:
        small, large = line("ntt", 4096), line("ntt", 32768)
        measured = interleave({"small": (driver, small), "large": (driver, large)}, rounds=5)
    assert measured["large"].nanoseconds > 4 * measured["small"].nanoseconds


def test_drivers_take_turns(tmp_path: Path) -> None:
    record = tmp_path / "record"
    with (
        Driver([sys.executable, "-c", PEER, "a", record]) as first,
        Driver([sys.executable, "-c", PEER, "b", record]) as second,
    ):
        assert second.facts() == {"name": "b", "operations": ["call"]}
        interleave({"a": (first, "call"), "b": (second, "call")}, rounds=4)
    turns = "".join(name for name, _ in groupby(record.read_text()))  # each calls a few times, to warm up
    assert turns.endswith("abababab")
