"""Promises (`fhe.assume`): said by whatever rests on them, and found out at decryption where they do not hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fhe
from fhe.arrays.functions import apply
from fhe.backend.choose import choose
from fhe.circuits.approximation import best, sigmoid
from fhe.errors import EncodingError, ValueOverflowError
from fhe.ml import LogisticRegression
from fhe.parameters import BFVParameters, CKKSParameters
from tests.schemes.owners import INSECURE, shared_owner

CKKS = CKKSParameters(
    ring_degree=64, modulus_bits=[60] + [40] * 8, special_bits=[46, 46], scale_bits=40, insecure=INSECURE
)
BFV = BFVParameters(
    ring_degree=64, modulus_bits=[45] * 6, special_bits=[46, 46], plain_modulus=1099511628161, insecure=INSECURE
)
BROKEN = "a promise is broken: that"
OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "with another": lambda x, y: y + x,
    "by another": lambda x, y: y * x,
    "difference": lambda x, y: y - x,
    "plain": lambda x, y: 2 - x * np.arange(1, 5),
    "sum": lambda x, y: x.sum() * y,
    "join": lambda x, y: np.concatenate([y, x]),
    "matrix": lambda x, y: np.ones((2, 4), dtype=int) @ x,
    "slice": lambda x, y: x[::-1][1:].reshape(3, 1),
    "choice": lambda x, y: np.where(np.array([True, False, True, False]), y, x),
    "power": lambda x, y: y[:2] + (x**3)[2:],
    "running sums": lambda x, y: np.cumsum(x),
}


@pytest.fixture(scope="module", params=[CKKS, BFV], ids=["ckks", "bfv"])
def owner(request: pytest.FixtureRequest) -> fhe.KeyOwner:
    return shared_owner(request.param, choose())


@given(st.lists(st.integers(-40, 40), min_size=4, max_size=4), st.integers(1, 40))
def test_a_promise_is_kept_or_found_broken(owner: fhe.KeyOwner, values: list[int], bound: int) -> None:
    x = fhe.assume(owner.encrypt(np.array(values, dtype=int), bound=40) * 1, bound)
    if max(map(abs, values)) <= bound:
        np.testing.assert_allclose(owner.decrypt(x), values, atol=1e-5)
    else:
        with pytest.raises(ValueOverflowError, match=rf"{BROKEN} no \|value\| exceeds {bound};"):
            owner.decrypt(x)


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_whatever_rests_on_a_promise_says_so(owner: fhe.KeyOwner, operation: Callable[[Any, Any], Any]) -> None:
    values, other = np.array([1, -2, 2, 0]), np.array([3, 1, -1, 2])
    x, y = (owner.encrypt(array, bound=8) for array in (values, other))
    said = operation(fhe.assume(x, (-2, 3)), y)
    assert said.promises == {"values are from -2 to 3"}
    assert repr(said).endswith("on the promise that values are from -2 to 3")
    assert "promised</th>" in said._repr_html_()
    np.testing.assert_allclose(owner.decrypt(said), operation(values, other), atol=1e-3)
    unsaid = operation(x, y)
    assert unsaid.promises == frozenset()
    assert "promise" not in repr(unsaid) + unsaid._repr_html_()


def test_promises_come_together() -> None:
    owner = shared_owner(CKKS, choose())
    x = owner.encrypt([0.5, 0.25], bound=8)
    y = fhe.assume(x, 1) * fhe.assume(x, 2, error=1e-6) + x
    assert y.promises == {"no |value| exceeds 1", "no |value| exceeds 2, off by 1e-06 at most"}


def test_a_function_that_was_left_does_not_pass_in_silence() -> None:
    owner = shared_owner(CKKS, choose())
    x = owner.encrypt([30.0, 1.0], bound=32)
    found = apply(best(sigmoid, 7, -4, 4), fhe.assume(x, 4))
    with pytest.raises(ValueOverflowError, match=BROKEN):
        owner.decrypt(found)


def test_errors_are_promised_of_reals_alone() -> None:
    reals, integers = shared_owner(CKKS, choose()), shared_owner(BFV, choose())
    x = reals.encrypt([1.0, 2.0], bound=4)
    rough = (x * 0.7) ** 4
    assert fhe.assume(rough, 20, error=2.0**-30).precision_bits == pytest.approx(30, abs=0.01)
    assert fhe.assume(rough, 20, error=1.0).precision_bits == pytest.approx(rough.precision_bits, abs=0.01)
    np.testing.assert_allclose(
        reals.decrypt(fhe.assume(rough, 20, error=2.0**-10)), np.array([0.7, 1.4]) ** 4, atol=1e-3
    )
    with pytest.raises(EncodingError, match="positive number"):
        fhe.assume(x, 4, error=0)
    with pytest.raises(EncodingError, match="integers are exact"):
        fhe.assume(integers.encrypt([1, 2]), 4, error=0.5)


def test_wide_integers_promise_alike() -> None:
    owner = fhe.bfv(depth=1, value_bits=80, ring_degree=64, insecure=INSECURE)
    x = fhe.assume(owner.encrypt([10**15, 3], bound=10**20), 10**16)
    assert owner.decrypt(x * 10**5 + 1).tolist() == [10**20 + 1, 3 * 10**5 + 1]
    assert x.promises == {"no |value| exceeds 1e+16"}
    with pytest.raises(ValueOverflowError, match=BROKEN):
        owner.decrypt(fhe.assume(x, 10**10))


def test_programs_say_what_they_rest_on_and_are_found_out() -> None:
    def cosine(x: Any, y: Any) -> Any:
        return (x @ y) / np.sqrt(fhe.assume((x @ x) * (y @ y), (0.25, 4), error=2.0**-12))

    specs = fhe.spec(4, bound=2), fhe.spec(4, bound=2)
    program = fhe.compile(cosine, *specs, precision=1e-1, ring_degree=1 << 11, insecure=INSECURE)
    assert "values are from 0.25 to 4, off by 0.000244141 at most" in program.explain()
    owner = program.keygen()
    x = np.array([0.5, 0.5, 0.5, 0.5])
    good, bad = (program(owner.encrypt(v, bound=2), owner.encrypt(x, bound=2)) for v in (x, 4 * x))
    assert abs(program.decrypt(owner, good) - 1) < 1e-1
    with pytest.raises(ValueOverflowError, match=BROKEN):
        program.decrypt(owner, bad)
    found = fhe.audit(program, 4 * x, x, search=0)
    assert "assumed were 0.25 to 4" in str(found)


def test_scores_beyond_what_a_model_assumes_are_found_out() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 2))
    model = LogisticRegression(score_bound=2.0, sigmoid_degree=7).fit(100 * X, X[:, 0] > 0)
    owner = shared_owner(CKKS, choose())
    x = owner.encrypt(100 * X[:8], bound=1000)
    probabilities = model.predict_proba(x)
    assert probabilities.promises == {"no |value| exceeds 2"}
    with pytest.raises(ValueOverflowError, match=BROKEN):
        owner.decrypt(probabilities)
