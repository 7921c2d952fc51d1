"""Parts that are exchanged are used, what they stand for is kept, and the library around them works on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

import fhe
from fhe.backend.choose import choose
from fhe.backend.protocol import Backend
from fhe.research import exchanged, gaussian, reproducible, sparse_ternary, uncorrected_digits
from fhe.ring.random import uniform
from tests.schemes.owners import INSECURE

CKKS = fhe.CKKSParameters(
    ring_degree=64, modulus_bits=[46] + [40] * 3, special_bits=[43] * 2, digit=2, insecure=INSECURE
)
BFV = fhe.BFVParameters(
    ring_degree=64, modulus_bits=[45] * 4, special_bits=[46] * 2, digit=2, plain_modulus=257, insecure=INSECURE
)


@pytest.fixture(params=["native", "reference"])
def inner(request: pytest.FixtureRequest) -> Backend:
    return choose(request.param)


def computed(parameters: Any, backend: Backend) -> bytes:
    """All bytes of keys and of a computation with products and rotations, from one seed."""
    owner = reproducible(parameters, backend, seed=3)
    x = owner.encrypt(np.arange(5), bound=4)
    result = x * x + np.roll(x, 1)
    assert np.allclose(owner.decrypt(result), np.arange(5) ** 2 + np.roll(np.arange(5), 1), atol=1e-3)
    return owner.public(rotations=[1]).to_bytes() + result.to_bytes()


@pytest.mark.parametrize("parameters", [CKKS, BFV], ids=["CKKS", "BFV"])
def test_taking_fused_operations_apart_changes_no_bit(parameters: Any, inner: Backend) -> None:
    """With parts that are the backend's own, all is as it was."""
    own: dict[str, Any] = {
        "decompose": lambda machine, *arguments: machine.inner.decompose(*arguments),
        "centred_binomial": lambda machine, *arguments: machine.inner.centred_binomial(*arguments),
    }
    assert computed(parameters, exchanged(inner, **own)) == computed(parameters, inner)


@pytest.mark.parametrize("parameters", [CKKS, BFV], ids=["CKKS", "BFV"])
@pytest.mark.parametrize(
    "parts",
    [{"centred_binomial": gaussian(3.2)}, {"ternary": sparse_ternary(16)}, {"decompose": uncorrected_digits}],
    ids=lambda parts: next(iter(parts)),
)
def test_what_is_exchanged_is_used_and_right(parameters: Any, parts: dict[str, Any], inner: Backend) -> None:
    found = computed(parameters, exchanged(inner, **parts))
    assert found != computed(parameters, inner)
    assert found == computed(parameters, exchanged(inner, **parts))


def test_uncorrected_digits_are_digits_with_an_overflow(inner: Backend) -> None:
    """d_j g_j sums to x, and d_j differs from the corrected one by a small multiple of D_j."""
    machine = exchanged(inner, decompose=uncorrected_digits)
    basis = fhe.Basis.of(64, (*CKKS.special, *CKKS.moduli()), machine)
    lower = basis.limbs(2, len(basis))
    x = uniform(lower, bytes(32)).to_coeff()
    arguments = basis.handle, 2, 2, x.data, x.to_eval().data
    pairs = zip(machine.decompose(*arguments), inner.decompose(*arguments), CKKS.digits(CKKS.max_level), strict=True)
    overflows = set()
    for mine, theirs, primes in pairs:
        difference = (fhe.EvalPoly(basis, mine) - fhe.EvalPoly(basis, theirs)).to_coeff().coefficients()
        D = primes[0] * primes[1]
        assert all(value % D == 0 for value in difference)
        overflows |= {value // D for value in difference}
    assert overflows - {0}
    assert overflows <= {-1, 0, 1}


def test_an_unknown_part_is_named() -> None:
    with pytest.raises(fhe.ParameterError, match=r"no operation of the seam is called 'sampler'; there are \['add'"):
        exchanged("reference", sampler=gaussian(1.0))


# --- distributions: fixed words, and the probability that a right sampler would fail is below 1e-6 -------------------


def drawn(part: str, sampler: Any, count: int = 2**14) -> np.ndarray[Any, Any]:
    basis = fhe.Basis.of(count, [1179649], exchanged("native", **{part: sampler}))
    words = np.random.default_rng(2).integers(0, 2**64, count, dtype=np.uint64)
    residues = basis.backend.view(getattr(basis.backend, part)(basis.handle, words)).ravel().astype(np.int64)
    return np.where(residues > basis.moduli[0] // 2, residues - basis.moduli[0], residues)


@pytest.mark.parametrize("sigma", [0.8, 3.2])
def test_gaussian_numbers_have_their_distribution(sigma: float) -> None:
    found = drawn("centred_binomial", gaussian(sigma))
    reach = int(3 * sigma)
    support = np.arange(-20 * reach, 20 * reach + 1)
    weights = np.exp(-(support**2) / (2 * sigma**2))
    inside = np.abs(support) <= reach
    expected = np.append(weights[inside], weights[~inside].sum()) / weights.sum() * len(found)
    observed = [np.count_nonzero(found == k) for k in support[inside]]
    assert stats.chisquare([*observed, len(found) - sum(observed)], expected).pvalue > 1e-6


def test_sparse_secrets_have_their_weight_and_both_signs() -> None:
    found = drawn("ternary", sparse_ternary(192))
    assert sorted(set(found.tolist())) == [-1, 0, 1]
    assert np.count_nonzero(found) == 192
    assert 50 < np.count_nonzero(found > 0) < 142


@pytest.mark.parametrize(("make", "argument"), [(gaussian, 0.0), (gaussian, float("nan")), (sparse_ternary, 0)])
def test_impossible_distributions_are_refused(make: Any, argument: Any) -> None:
    with pytest.raises(fhe.ParameterError):
        make(argument)
