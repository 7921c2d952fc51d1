"""Every implementation and target of this machine behind one fixture, and the profiles of the property tests.

`backend` runs a test once for each: the reference interpreted (the definition) and compiled, and the native core on
every instruction set that it has and this CPU runs. What is expected but not built fails; nothing is skipped.

FHE_TEST_PROFILE=wide draws ten times as many examples, fresh ones, and includes the tests marked `wide`; so does
``-m wide``, for the examples of the quick profile.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

from fhe.backend.choose import choose
from fhe.backend.protocol import Backend
from tests.machine import Machine

PROFILE = os.environ.get("FHE_TEST_PROFILE", "quick")
SLOW_INPUTS = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile("quick", max_examples=25, derandomize=True, deadline=None, suppress_health_check=SLOW_INPUTS)
settings.register_profile("wide", max_examples=250, deadline=None, print_blob=True, suppress_health_check=SLOW_INPUTS)
settings.load_profile(PROFILE)


def _native() -> list[str]:
    """The native targets that this CPU runs; of a core that is not built, one that fails and says how to build it."""
    try:
        from fhe.backend.native import supported_targets  # noqa: PLC0415  (may not be built)
    except ImportError:
        return ["native"]
    return [f"native-{target}" for target in supported_targets()]


REFERENCES = ["reference-interpreted", "reference-compiled"]
NATIVE = _native()
BACKENDS = REFERENCES + NATIVE


def make_backend(name: str) -> Backend:
    """The backend of a fixture's id, such as ``native-scalar``."""
    implementation, _, target = name.partition("-")
    return choose(implementation, target or None)


@pytest.fixture(scope="session", params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Backend:
    """Each implementation and target in turn."""
    return make_backend(request.param)


@pytest.fixture(scope="session")
def machine(backend: Backend) -> Machine:
    """`backend`, arrays in and arrays out."""
    return Machine(backend)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests marked `wide`, unless they are asked for."""
    if PROFILE == "wide" or config.getoption("-m"):
        return
    wide = [item for item in items if item.get_closest_marker("wide")]
    items[:] = [item for item in items if not item.get_closest_marker("wide")]
    config.hook.pytest_deselected(items=wide)
