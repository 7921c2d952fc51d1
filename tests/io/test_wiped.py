"""Secrets do not outlive their use: the memory that held them, freed since, holds them no more.

The core keeps freed blocks for the next ones, so they can be looked at through the addresses that secrets had.
"""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

import fhe
from fhe.keyfile import Manner, secret_from_bytes, secret_to_bytes
from fhe.ring import random as streams
from fhe.ring.poly import CoeffPoly, EvalPoly, Poly
from fhe.rlwe import secret

CHAIN_WORDS = 2  # at its start a free block holds its size and the next one
SET = fhe.BFVParameters(ring_degree=4096, modulus_bits=[36], special_bits=[36], plain_modulus=65537)


class Secret(NamedTuple):
    """What was where."""

    name: str
    address: int
    words: NDArray[np.uint64]

    @property
    def left(self) -> int:
        """Words that are still there; those that are 0 anyway do not count."""
        size = 8 * self.words.size
        now = np.frombuffer(ctypes.string_at(self.address, size), dtype=np.uint64)[CHAIN_WORDS:]
        return int(np.count_nonzero((now == self.words[CHAIN_WORDS:]) & (now != 0)))


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Secret]]:
    """Every secret that is drawn while the test runs: keystream, samples, and their transforms."""
    seen: list[Secret] = []

    def keep(name: str, poly: Poly) -> Poly:
        residues = poly.residues
        seen.append(Secret(name, residues.ctypes.data, residues.reshape(-1).copy()))
        return poly

    def watched(name: str, sample: Callable[..., Poly]) -> Callable[..., Poly]:
        return lambda *arguments, **options: keep(name, sample(*arguments, **options))

    def filled(seed: bytes, purpose: int, component: int, digit: int, prime: int, out: memoryview) -> None:
        keystream(seed, purpose, component, digit, prime, out)
        if purpose != streams.UNIFORM:
            words = np.frombuffer(out, dtype=np.uint64)
            seen.append(Secret("keystream", words.ctypes.data, words.copy()))

    keystream, to_eval = streams._keystream, CoeffPoly.to_eval
    monkeypatch.setattr(streams, "_keystream", filled)
    for name in ("error", "ternary"):
        monkeypatch.setattr(secret, name, watched(name, getattr(streams, name)))
    monkeypatch.setattr(CoeffPoly, "to_eval", lambda poly: keep("transform", to_eval(poly)))
    yield seen
    seen.clear()


def uses() -> dict[str, Callable[[], Any]]:
    """What draws secrets and lets them go."""
    owner = fhe.KeyOwner(SET, "native")
    sealed = secret_to_bytes(owner._secret, Manner(), b"several words", 10)
    return {
        "keys": owner._secret.relinearization_key,
        "encryption under the secret key": lambda: owner.encrypt([1, 2, 3], symmetric=True),
        "encryption under the public key": lambda: owner.encrypt([1, 2, 3]),
        "an owner's life": lambda: fhe.KeyOwner(SET, "native") and None,
        "a secret in a file": lambda: secret_from_bytes(sealed, b"several words", "native") and None,
    }


@pytest.mark.parametrize("use", uses())
def test_nothing_is_left(use: str, secrets: list[Secret]) -> None:
    run = uses()[use]
    gc.collect()
    secrets.clear()
    result = run()
    gc.collect()
    assert secrets
    assert {found.name: found.left for found in secrets if found.left} == {}
    del result


def test_what_is_not_wiped_is_found(secrets: list[Secret], monkeypatch: pytest.MonkeyPatch) -> None:
    run = uses()["keys"]
    secrets.clear()
    monkeypatch.setattr(Poly, "wipe", lambda poly: None)
    result = run()
    assert any(found.left > 100 for found in secrets)
    assert isinstance(result.b[0], EvalPoly)
