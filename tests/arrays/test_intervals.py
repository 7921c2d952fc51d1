"""Functions of arrays and intervals of integers: whatever moves, sums or weighs, no accepted result is wrong."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhe.arrays.exact import interval_of
from fhe.backend.choose import choose
from fhe.choice import choose_bfv
from fhe.errors import NoiseError, ValueOverflowError
from fhe.interval import Interval
from fhe.owner import KeyOwner
from tests.profiles import quick
from tests.schemes.owners import INSECURE, owner

SETS = {
    "one modulus": choose_bfv(4, plain_modulus=257, ring_degree=64, insecure=INSECURE),
    "wider": choose_bfv(4, value_bits=24, ring_degree=64, insecure=INSECURE),
    "wide": choose_bfv(4, value_bits=70, ring_degree=64, insecure=INSECURE),
}
WEIGHTS = np.array([[1, -2, 3], [0, 5, -1], [2, 2, 2]])

STEPS: dict[str, Callable[[Any, Any], Any]] = {
    "sum of rows": lambda x, y: x + x.sum(axis=1, keepdims=True),
    "sum of columns": lambda x, y: x - x.sum(axis=0),
    "transposed": lambda x, y: x.T + y,
    "reversed": lambda x, y: x[:, ::-1] - x,
    "rolled": lambda x, y: np.roll(x, 1, axis=0) + x,
    "weights on the left": lambda x, y: WEIGHTS @ x,
    "weights on the right": lambda x, y: x @ WEIGHTS,
    "vector": lambda x, y: x * (x @ np.array([1, -1, 2])),
    "both": lambda x, y: x @ y,
    "element by element": lambda x, y: x * y,
    "cumulated": lambda x, y: np.cumsum(x, axis=1),
    "one": lambda x, y: x + x[1, 2],
    "row": lambda x, y: x * y[0],
    "stacked": lambda x, y: np.concatenate([x[1:], y[:1]]),
    "chosen": lambda x, y: np.where(np.eye(3, dtype=bool), x, y),
    "masked": lambda x, y: x * np.eye(3, dtype=int),
    "product": lambda x, y: x + x[:, :2].prod(axis=1, keepdims=True),
    "contracted": lambda x, y: np.einsum("ij,kj->ik", x, y),
    "less": lambda x, y: 7 - x,
}


@cache
def party(name: str) -> KeyOwner:
    return owner(SETS[name], choose())


@st.composite
def matrices(draw: st.DrawFn) -> tuple[tuple[int, int], Any]:
    low, high = draw(st.sampled_from([(0, 1), (0, 3), (-1, 1), (-2, 0), (0, 5), (-3, 2), (0, 0)]))
    value = st.integers(low, high) | st.sampled_from([low, high])
    entries = draw(st.lists(value, min_size=9, max_size=9))
    return (low, high), np.array(entries, dtype=object).reshape(3, 3)


@pytest.mark.parametrize("name", SETS)
@settings(max_examples=quick(20))
@given(v=matrices(), w=matrices(), steps=st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=3))
def test_no_accepted_result_is_wrong(name: str, v: Any, w: Any, steps: list[str]) -> None:
    keys, (bound, a), (other, b) = party(name), v, w
    x, y = keys.encrypt(a, bound=bound), keys.encrypt(b, bound=other)
    for step in steps:
        try:
            x = STEPS[step](x, y)
        except (ValueOverflowError, NoiseError):
            return
        a = STEPS[step](a, b)
        assert keys.decrypt(x).tolist() == a.tolist(), step
        interval = interval_of(x)
        assert isinstance(interval, Interval)
        assert interval.low <= a.min() <= a.max() <= interval.ends[1], step


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("step", STEPS)
def test_extremes_are_reached_or_refused(name: str, step: str) -> None:
    """All at the ends, of either sign: where t is too small for that, it is said."""
    keys = party(name)
    for reach, signs in ((3, 1), (3, -1), (11, 1), (60, -1)):
        a = np.full((3, 3), reach * signs, dtype=object)
        x = keys.encrypt(a, bound=reach)
        try:
            found = STEPS[step](x, x)
        except (ValueOverflowError, NoiseError):
            continue
        assert keys.decrypt(found).tolist() == STEPS[step](a, a).tolist()
