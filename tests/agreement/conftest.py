"""Each implementation beside the interpreted reference, which is the definition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fhe.backend.protocol import Backend
from fhe.reference import ReferenceBackend
from tests.conftest import BACKENDS, make_backend
from tests.machine import Machine

DEFINITION = "reference-interpreted"

Agree = Callable[[Callable[[Machine], Any]], None]


@pytest.fixture(scope="session", params=[name for name in BACKENDS if name != DEFINITION])
def backend(request: pytest.FixtureRequest) -> Backend:
    """Each implementation but the definition."""
    return make_backend(request.param)


@pytest.fixture(scope="session")
def agree(backend: Backend) -> Agree:
    """``agree(compute)`` asserts that ``compute(machine)`` is to the last bit what it is by definition."""
    return agreement(backend, ReferenceBackend(compiled=False))


def agreement(backend: Backend, definition: Backend) -> Agree:
    tested, defined = Machine(backend), Machine(definition)

    def agree(compute: Callable[[Machine], Any]) -> None:
        assert_same(compute(tested), compute(defined))

    return agree


def assert_same(found: Any, expected: Any) -> None:
    """The same arrays (bit patterns, so that -0.0 is not 0.0), sequences of arrays, or bytes."""
    assert type(found) is type(expected)
    if isinstance(expected, (list, tuple)):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
    elif isinstance(expected, np.ndarray):
        assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
        np.testing.assert_array_equal(np.ascontiguousarray(found).view(np.uint64), expected.view(np.uint64))
    else:
        assert found == expected
