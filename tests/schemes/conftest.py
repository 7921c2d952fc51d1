"""One owner for each scheme and implementation."""

from __future__ import annotations

import pytest

from fhe.backend.protocol import Backend
from fhe.owner import KeyOwner
from tests.schemes.owners import BFV, CKKS, shared_owner


@pytest.fixture(scope="session")
def ckks(backend: Backend) -> KeyOwner:
    """An owner of CKKS keys, depth 3, 16 slots."""
    return shared_owner(CKKS, backend)


@pytest.fixture(scope="session")
def bfv(backend: Backend) -> KeyOwner:
    """An owner of BFV keys, t = 257, 32 slots."""
    return shared_owner(BFV, backend)
