"""Wide integers by their residues: Python's integers are the truth, whatever the width, on both backends."""

from __future__ import annotations

import math
import pickle
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fhe
from fhe.arrays.wide import WideArray
from fhe.backend.choose import choose
from fhe.backend.protocol import Backend
from fhe.choice import choose_bfv
from fhe.context import Context
from fhe.errors import EncodingError, FormatError, NoiseError, ParameterError, ValueOverflowError
from fhe.interval import Interval
from fhe.owner import KeyOwner
from fhe.parameters import Parameters
from fhe.primes import crt_centred
from fhe.rlwe.chain import ModulusChain
from fhe.wide import WideBFVParameters, combined, parts, value_modulus
from tests.io.parties import forged, with_entry
from tests.profiles import quick
from tests.schemes.owners import INSECURE, owner

COUNT = 8
SETS = {bits: choose_bfv(3, value_bits=bits, ring_degree=64, insecure=INSECURE) for bits in (60, 128, 300)}


@cache
def party(bits: int, backend: Backend | None = None) -> KeyOwner:
    return owner(SETS[bits], backend or choose())


def values(bits: int) -> st.SearchStrategy[Any]:
    """Vectors of a reach of about half the bits and of that reach: zeros, ones, ends, equals, one that stands out."""

    @st.composite
    def draw_values(draw: st.DrawFn) -> tuple[int, np.ndarray]:
        reach = draw(st.integers(0, 1 << (bits // 2)) | st.sampled_from([0, 1, 2 ** (bits // 2), 2 ** (bits - 1)]))
        one = st.sampled_from([-reach, reach, 0, min(1, reach), reach // 2]) | st.integers(-reach, reach)
        return reach, np.array(draw(st.lists(one, min_size=COUNT, max_size=COUNT)), dtype=object)

    return draw_values()


STEPS = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "from": lambda x, y: y - x,
    "multiply": lambda x, y: x * y,
    "by a trillion": lambda x, y: 10**12 * x,
    "ramp": lambda x, y: x * (np.arange(COUNT, dtype=object) - 3),
    "reverse": lambda x, y: x[::-1],
    "negate": lambda x, y: -x,
}


@pytest.mark.parametrize("bits", SETS)
@settings(max_examples=quick(15))
@given(data=st.data())
def test_no_accepted_circuit_is_wrong(bits: int, data: st.DataObject) -> None:
    keys = party(bits)
    (a, v), (b, w) = data.draw(values(bits)), data.draw(values(bits))
    x, y = keys.encrypt(v, bound=a), keys.encrypt(w, bound=b)
    for step in data.draw(st.lists(st.sampled_from(sorted(STEPS)), max_size=5)):
        try:
            x = STEPS[step](x, y)
        except (ValueOverflowError, NoiseError):
            break
        v = STEPS[step](v, w)
        found = keys.decrypt(x)
        assert found.tolist() == v.tolist()
        low, high = x.parts[0].shards[0].interval.ends
        assert low <= min(v) <= max(v) <= high
        assert found.dtype == (np.int64 if max(-low, high) < 2**63 else object)


def test_both_backends_agree(backend: Backend) -> None:
    keys, big = party(128, backend), 2**60 + 12345
    x, y = keys.encrypt([big, -big, 1], bound=big), keys.encrypt([big, 3, -7], bound=big)
    assert isinstance(x, WideArray)
    assert keys.decrypt(x * y - 2**119).tolist() == [big**2 - 2**119, -3 * big - 2**119, -7 - 2**119]
    assert keys.decrypt((x * y).sum()) == big**2 - 3 * big - 7


def test_overflow_is_of_the_product_of_all_moduli() -> None:
    keys = party(128)
    M = value_modulus(keys.parameters)
    assert M > 2**129
    edge = (M - 1) // 2
    x = keys.encrypt([edge, -edge], bound=edge)
    assert keys.decrypt(-x).tolist() == [-edge, edge]
    with pytest.raises(ValueOverflowError, match=r"use fhe.bfv\(value_bits=130\)"):
        x + x
    unsigned = keys.encrypt([M - 1, 0], bound=(0, M - 1))
    assert keys.decrypt(unsigned).tolist() == [M - 1, 0]
    wrapped = keys.encrypt([edge], bound=math.inf) + 1
    assert keys.decrypt(wrapped).tolist() == [edge + 1 - M]
    with pytest.raises(EncodingError, match="index 0 is outside"):
        keys.encrypt([2**100], bound=2**99)


def test_comparisons_and_bits_work_under_every_modulus() -> None:
    keys = owner(choose_bfv(8, value_bits=128, ring_degree=64, insecure=INSECURE), choose())
    v, w = np.array([3, -2, 0, 3]), np.array([-3, 2, 0, 2])
    x, y = keys.encrypt(v, bound=3), keys.encrypt(w, bound=3)
    assert keys.decrypt((x > y) * 10**35).tolist() == ((v > w).astype(object) * 10**35).tolist()
    assert keys.decrypt(np.where(x == y, 10**36, x)).tolist() == np.where(v == w, 10**36, v.astype(object)).tolist()
    for found, expected in zip(fhe.sort([x, y]), np.sort([v, w], axis=0), strict=True):
        assert keys.decrypt(found).tolist() == expected.tolist()
    assert keys.decrypt(fhe.argmax([x, y])).tolist() == np.argmax([v, w], axis=0).tolist()
    assert (
        keys.decrypt(np.maximum(x, y) - abs(x) + np.sign(y)).tolist()
        == (np.maximum(v, w) - abs(v) + np.sign(w)).tolist()
    )
    big = [2**100, 5, 2**100 + 1, 0]
    a, b = keys.encrypt_bits(big, 101), keys.encrypt_bits([2**100, 6, 2**100, 0], 101)
    assert keys.decrypt(a > b).tolist() == [0, 0, 1, 0]
    assert keys.decrypt(a.to_integers()).tolist() == big
    loaded = Context.from_bytes(keys.public().to_bytes()).load(a.to_bytes())
    assert keys.decrypt(loaded).tolist() == big


def test_one_set_of_keys_serves_all_moduli() -> None:
    """Server and client exchange bytes only; keys are as large as for one modulus."""
    keys = party(128)
    blob = keys.public(rotations=[1]).to_bytes()
    one = owner(choose_bfv(3, value_bits=30, ring_degree=64, insecure=INSECURE), choose())
    server = Context.from_bytes(blob)
    assert len(server.evaluators) == len(SETS[128].plain_moduli) > 2
    assert len(blob) < 3 * len(one.public(rotations=[1]).to_bytes())
    x = server.load(keys.encrypt([10**18, 7], bound=10**18, symmetric=True).to_bytes())
    reply = (x * x + server.encrypt([1, 2], bound=2)).to_bytes()
    assert keys.decrypt(keys.load(reply)).tolist() == [10**36 + 1, 51]
    assert server.load(reply).to_bytes() == reply
    fhe.install(server)
    assert keys.decrypt(pickle.loads(pickle.dumps(x))).tolist() == [10**18, 7]  # noqa: S301


def test_forged_bytes_are_refused() -> None:
    keys = party(128)
    data, other = keys.encrypt([1], bound=9).to_bytes(), keys.encrypt([1], bound=8).to_bytes()
    with pytest.raises(FormatError, match="entry parts"):
        keys.load(with_entry(data, "wide", ("parts",), 2))

    def exchanged(content: dict[str, Any], sections: dict[str, bytes]) -> None:
        sections["part.0"], sections["part.1"] = sections["part.1"], sections["part.0"]

    def mixed(content: dict[str, Any], sections: dict[str, bytes]) -> None:
        sections["part.1"] = bytes(fhe.io.format.Container.from_bytes(other, "wide").sections["part.1"])

    with pytest.raises(ParameterError, match="of parameter set"):
        keys.load(forged(data, "wide", exchanged))
    with pytest.raises(FormatError, match="differ in shape, layout or the integers"):
        keys.load(forged(data, "wide", mixed))


def test_a_wide_array_has_the_manners_of_an_array() -> None:
    keys = party(60)
    v = np.arange(6).reshape(2, 3)
    x = keys.encrypt(v, bound=10)
    assert (x.shape, x.ndim, x.size, len(x), x.key_id) == ((2, 3), 2, 6, 2, keys.key_id)
    assert keys.decrypt(x.T).tolist() == v.T.tolist()
    assert keys.decrypt(x.sum(axis=0)).tolist() == v.sum(axis=0).tolist()
    assert keys.decrypt(np.concatenate([x, x])).tolist() == np.concatenate([v, v]).tolist()
    assert keys.decrypt(np.array([1, 2]) @ x).tolist() == (np.array([1, 2]) @ v).tolist()
    assert [keys.decrypt(row).tolist() for row in x] == v.tolist()
    assert repr(x).startswith("WideArray(shape=(2, 3), ")
    for question in (bool, np.asarray):
        with pytest.raises(TypeError, match="encrypted"):
            question(x)
    with pytest.raises(AttributeError):
        x.no_such_thing  # noqa: B018
    with pytest.raises(TypeError):
        hash(x)


def test_parameters_travel_and_are_checked() -> None:
    p = SETS[300]
    assert isinstance(p, WideBFVParameters)
    assert Parameters.from_dict(p.to_dict()) == p
    assert len({part.id for part in parts(p)}) == len(p.plain_moduli)
    assert value_modulus(p) == math.prod(p.plain_moduli) >= 2**301
    with pytest.raises(FormatError, match="plain_moduli"):
        Parameters.from_dict(p.to_dict() | {"plain_moduli": ["7", 8]})
    t = p.plain_modulus
    for wrong in ([t], [t, t], [t, 2**20], list(p.plain_moduli[1:])):
        with pytest.raises(ParameterError, match="plain mod"):
            Parameters.from_dict(p.to_dict() | {"plain_moduli": wrong})


def test_what_is_chosen() -> None:
    assert not isinstance(choose_bfv(1, value_bits=48), WideBFVParameters)
    wide = choose_bfv(2, value_bits=128)
    assert isinstance(wide, WideBFVParameters)
    assert wide.is_secure
    assert wide.ring_degree == 2**13
    with pytest.raises(ParameterError, match="values have 1 to 512 bits"):
        choose_bfv(1, value_bits=513)


@given(moduli=st.sets(st.sampled_from([97, 193, 257, 65537, (1 << 50) - 27]), min_size=1), data=st.data())
def test_residues_combine_to_the_integer_of_the_interval(moduli: set[int], data: st.DataObject) -> None:
    M, chosen = math.prod(moduli), sorted(moduli)
    low = data.draw(st.integers(-2 * M, M))
    x = data.draw(st.integers(low, low + M - 1))
    found = combined([np.array([x % t]) for t in chosen], chosen, low)
    assert found.tolist() == [x]
    assert crt_centred([x % t for t in chosen], chosen) == (x + (M - 1) // 2) % M - (M - 1) // 2
    assert Interval(low, low + M - 1).fits(M) == (max(-low, low + M - 1) < max(M, 1 << 62))


def test_contexts_of_one_set_share_their_chain_however_many_others_there_were() -> None:
    keys = party(60)
    for bits in range(80):
        ModulusChain.of(replace(SETS[300], insecure=f"set {bits}"))
    server = Context.from_bytes(keys.public(rotations=[]).to_bytes())
    assert keys.decrypt(server.encrypt([5], bound=5) + keys.encrypt([6], bound=6)).tolist() == [11]
