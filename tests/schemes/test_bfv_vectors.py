"""BFV encodings against answers that SymPy gave from the definitions: slot order, ring arithmetic, rotations."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

from fhe.backend.protocol import Backend
from fhe.bfv.encoder import BFVEncoder
from fhe.bfv.evaluator import BFVEvaluator
from fhe.owner import KeyOwner
from fhe.parameters import BFVParameters
from tests.schemes.owners import INSECURE, shared_owner
from tests.vectors.make_bfv_slots import FILE, N, T, coefficients, message, moved, root

VECTOR: dict[str, Any] = json.loads(FILE.read_text())
FIRST, SECOND = (np.array(VECTOR[name]["slots"]) for name in ("first", "second"))


def party(backend: Backend) -> KeyOwner:
    parameters = BFVParameters(
        ring_degree=N, modulus_bits=[40] * 2, special_bits=[46], plain_modulus=T, insecure=INSECURE
    )
    assert sorted(parameters.moduli()) == sorted(VECTOR["moduli"])
    return shared_owner(parameters, backend)


def test_the_vector_is_what_its_script_makes() -> None:
    psi = root()
    assert psi == VECTOR["psi"]
    p = message(VECTOR["first"]["slots"], psi)
    assert coefficients(p) == VECTOR["first"]["message"]
    assert coefficients(moved(p, 5)) == VECTOR["rotated by 1"]


def test_messages_and_slots(backend: Backend) -> None:
    encoder = party(backend).encoder
    assert isinstance(encoder, BFVEncoder)
    for name, slots in (("first", FIRST), ("second", SECOND)):
        assert encoder.message(slots).tolist() == VECTOR[name]["message"]
        assert ((encoder.values(np.array(VECTOR[name]["message"])) - slots) % T == 0).all()
    for name, slots in {
        "sum": FIRST + SECOND,
        "product": FIRST * SECOND,
        "rotated by 1": np.roll(FIRST.reshape(2, -1), -1, axis=1).ravel(),
        "rotated by 3": np.roll(FIRST.reshape(2, -1), -3, axis=1).ravel(),
        "swapped": np.roll(FIRST, N // 2),
    }.items():
        assert encoder.message((slots + T // 2) % T - T // 2).tolist() == VECTOR[name], name


def test_plaintexts_are_rounded_multiples(backend: Backend) -> None:
    """round(Q m / t), whose ties do not occur: t is odd."""
    encoder = party(backend).encoder
    assert isinstance(encoder, BFVEncoder)
    found = encoder.encode(FIRST).poly.to_coeff().coefficients()
    assert [str(c) for c in found] == VECTOR["first"]["scaled"]


def test_ciphertexts_compute_with_these_messages(backend: Backend) -> None:
    keys = party(backend)
    ev, encoder = keys.evaluator, keys.encoder
    assert isinstance(ev, BFVEvaluator)
    assert isinstance(encoder, BFVEncoder)
    x, y = (keys.encrypt(v, bound=(0, math.inf)).shards[0] for v in (FIRST, SECOND))
    for name, z in {
        "sum": ev.add(x, y),
        "product": ev.settle(ev.multiply(x, y)),
        "rotated by 1": ev.rotate(x, 1),
        "rotated by 3": ev.rotate(x, 3),
        "swapped": ev.swap(x),
    }.items():
        slots = encoder.decode(keys._secret.decrypt(z))
        assert encoder.message(slots).tolist() == VECTOR[name], name
