"""Experiments at small sizes: what they measure is so, what they predict is near, and seeds are for those who ask."""

from __future__ import annotations

import inspect
import math
import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import fhe
from fhe import research
from tests.schemes.owners import INSECURE

PARAMETERS = fhe.BFVParameters(
    ring_degree=256, modulus_bits=[45] * 5, special_bits=[46], plain_modulus=7681, insecure=INSECURE
)


def test_noise_of_products_is_measured_tracked_and_estimated() -> None:
    owner = research.reproducible(PARAMETERS, seed=1, bound=math.inf)
    records = research.noise_growth(owner, products=3)
    assert [record["products"] for record in records] == [0, 1, 2, 3]
    for record in records:
        assert record["measured_bits"] < record["tracked_bits"] < record["limit_bits"]
        assert abs(record["measured_bits"] - record["average_bits"]) < 1 + 1.5 * record["products"]
        assert record["proven_bits"] >= record["measured_bits"]
    assert records[1]["measured_bits"] > records[0]["measured_bits"] + 10
    assert records[3]["measured_bits"] > records[3]["average_bits"] + 1  # coefficients share s: not independent


def test_precision_falls_with_depth_and_stays_above_its_bound() -> None:
    owner = fhe.ckks(depth=4, ring_degree=256, insecure="an example")
    records = research.precision_versus_depth(owner)
    assert [record["depth"] for record in records] == [1, 2, 3, 4]
    assert all(record["bound_bits"] < record["measured_bits"] for record in records)
    assert records[-1]["bound_bits"] < records[0]["bound_bits"]


def test_larger_digits_are_fewer_and_take_room() -> None:
    records = research.cost_of_digits(256, limbs=6, digits=[1, 2, 3])
    assert [record["digits"] for record in records] == [6, 3, 2]
    for less, more in pairwise(records):
        assert less["log_qp"] < more["log_qp"]
        assert less["key_bytes"] > more["key_bytes"]
    assert all(record["microseconds"] > 0 for record in records)


def test_each_experiment_knows_its_scheme() -> None:
    owner = research.reproducible(PARAMETERS, seed=1)
    with pytest.raises(fhe.ParameterError, match="for BFV there is noise_growth"):
        research.precision_versus_depth(owner)
    with pytest.raises(fhe.ParameterError, match="for CKKS there is precision_versus_depth"):
        research.noise_growth(fhe.ckks(1, ring_degree=64, insecure="a test"), products=1)


# --- key switching from scratch ------------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [7, 20, 45])
def test_a_gadget_writes_x(bits: int) -> None:
    basis = fhe.Basis.of(64, PARAMETERS.moduli(), "native")
    moduli = fhe.Basis.of(64, [q for q in basis.moduli if q % 128 == 1], "native")
    x = fhe.CoeffPoly.from_int64(moduli, np.random.default_rng(bits).integers(-(2**62), 2**62, 64))
    for gadget in (research.powers(moduli, bits), research.residues(moduli)):
        total = fhe.CoeffPoly.zero(moduli)
        for digit, factor in zip(gadget.digits(x), gadget.factors, strict=True):
            total = total + digit.scale(factor)
        assert total.coefficients() == x.coefficients()


def test_the_noise_of_a_gadget_is_that_of_its_digits() -> None:
    basis = fhe.Basis.of(256, PARAMETERS.moduli(), "native")
    gadgets = [research.powers(basis, bits) for bits in (8, 24)] + [research.residues(basis)]
    records = [research.switching_noise(basis, gadget, seed=5) for gadget in gadgets]
    for record in records:
        assert abs(record["noise_bits"] - record["predicted_bits"]) < 1
        assert record["noise_bits"] < record["modulus_bits"] - 100
    assert [record["noise_bits"] for record in records] == sorted(record["noise_bits"] for record in records)
    assert research.switching_noise(basis, gadgets[0], seed=5) == records[0]
    assert research.switching_noise(basis, gadgets[0], seed=6) != records[0]


# --- seeds ---------------------------------------------------------------------------------------------------------


def test_a_seed_has_to_be_named() -> None:
    parameter = inspect.signature(research.reproducible).parameters["seed"]
    assert parameter.kind is inspect.Parameter.KEYWORD_ONLY
    assert parameter.default is inspect.Parameter.empty


def test_equal_seeds_make_equal_keys_and_others_do_not() -> None:
    made = [research.reproducible(PARAMETERS, seed=seed).public().to_bytes() for seed in (1, 1, 2)]
    assert made[0] == made[1] != made[2]


@pytest.mark.parametrize("reason", [None, "too small as well"])
def test_what_follows_from_a_seed_says_so(tmp_path: Path, reason: str | None) -> None:
    parameters = fhe.CKKSParameters(
        ring_degree=2**12,
        modulus_bits=[46],
        special_bits=[46 if reason is None else 50] * (1 if reason is None else 2),
        insecure=reason,
    )
    owner = research.reproducible(parameters, seed=11)
    assert repr(owner).startswith("INSECURE ")
    public = fhe.Context.from_bytes(owner.public(rotations=[]).to_bytes())
    for shown in (owner, public, public.parameters, public.parameters.summary()):
        assert "INSECURE: all keys follow from the seed 11" in str(shown) + repr(shown)
    fhe.save(tmp_path / "x", public)
    assert fhe.load(tmp_path / "x").parameters.insecure == public.parameters.insecure


# --- pictures ------------------------------------------------------------------------------------------------------


def test_a_chart_has_a_point_for_each_number() -> None:
    records = [{"n": n, "a": n * n, "b": -n / 7} for n in range(6)]
    tree = ET.fromstring(research.chart(records, x="n", y=["a", "b"], title="a < b & c"))  # noqa: S314  (our own)
    names = [element.tag.rpartition("}")[2] for element in tree.iter()]
    assert names.count("circle") == 12
    assert names.count("polyline") == 2
    assert "a < b & c" in [element.text for element in tree.iter()]
    for element in tree.iter():
        if element.tag.endswith("circle"):
            assert 0 <= float(element.attrib["cx"]) <= 640
            assert 0 <= float(element.attrib["cy"]) <= 360


def test_a_chart_of_nothing_is_refused() -> None:
    with pytest.raises(fhe.ParameterError, match="needs records"):
        research.chart([], x="n", y=["a"])
