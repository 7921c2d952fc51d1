"""Encrypted arrays as bytes: the same meaning on every backend, whole or refused, never readable by a stranger."""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhe.arrays.array import EncryptedArray
from fhe.arrays.codec import array_from_bytes
from fhe.backend.choose import choose
from fhe.backend.protocol import Backend
from fhe.context import Context
from fhe.errors import FormatError, ParameterError
from fhe.io.format import Container
from fhe.owner import KeyOwner
from fhe.ring.poly import CoeffPoly
from fhe.rlwe.codec import ciphertext_from_parts, ciphertext_to_parts
from tests.io.parties import SETS, agrees, forged, owner_of, paths, residues_of, values_of, with_entry, without_entry
from tests.io.strategies import HOSTILE, entries, mangled

REFERENCE, NATIVE = choose("reference"), choose("native")
SHAPES = [(), (1,), (5,), (40,), (3, 3), (9, 2), (2, 3, 4), (2, 1, 9)]
names = pytest.mark.parametrize("name", SETS)


def sent(owner: KeyOwner, *shape: int, symmetric: bool = False) -> bytes:
    return owner.encrypt(values_of(owner, *shape), symmetric=symmetric).to_bytes()


OWNER = {name: owner_of(name, REFERENCE) for name in SETS}
BLOB = {(name, symmetric): sent(OWNER[name], 20, symmetric=symmetric) for name in SETS for symmetric in (False, True)}
CONTENT = {key: Container.from_bytes(blob, "array").content for key, blob in BLOB.items()}


@names
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("symmetric", [False, True], ids=["public", "symmetric"])
def test_what_is_written_is_read(name: str, backend: Backend, shape: tuple[int, ...], symmetric: bool) -> None:
    owner, values = owner_of(name, backend), values_of(owner_of(name, backend), *shape)
    array = owner.encrypt(values, symmetric=symmetric)
    read = owner.load(array.to_bytes())
    assert (read.layout, read.dtype, read.key_id) == (array.layout, array.dtype, array.key_id)
    for ours, theirs in zip(read.shards, array.shards, strict=True):
        assert replace(ours, c=()) == replace(theirs, c=())
    assert all(np.array_equal(x, y) for x, y in zip(residues_of(read), residues_of(array), strict=True))
    assert agrees(owner, read, values)
    assert read.to_bytes() == array.to_bytes()


@names
@pytest.mark.parametrize("symmetric", [False, True], ids=["public", "symmetric"])
@pytest.mark.parametrize(
    ("there", "here"), [(REFERENCE, NATIVE), (NATIVE, REFERENCE)], ids=["to native", "to reference"]
)
def test_one_backend_reads_another(name: str, there: Backend, here: Backend, symmetric: bool) -> None:
    sender, receiver = owner_of(name, there), owner_of(name, here)
    values = values_of(sender, 20)
    data = sender.encrypt(values, symmetric=symmetric).to_bytes()
    read = receiver.load(data)
    assert agrees(receiver, read, values)
    assert read.to_bytes() == data
    assert all(np.array_equal(x, y) for x, y in zip(residues_of(read), residues_of(sender.load(data)), strict=True))


@names
def test_a_server_computes_on_what_it_received(name: str, backend: Backend) -> None:
    """Client, server, client: only bytes pass between them."""
    client = owner_of(name, backend)
    server = Context.from_bytes(client.public(rotations=[1]).to_bytes(), backend)
    x, y = values_of(client, 20), values_of(client, 20, seed=1)
    a, b = server.load(client.encrypt(x, symmetric=True).to_bytes()), server.load(client.encrypt(y).to_bytes())
    assert agrees(client, client.load((a * b + a).to_bytes()), x * y + x)


@names
def test_products_are_settled_before_they_are_sent(name: str) -> None:
    owner = OWNER[name]
    x = owner.encrypt(values_of(owner, 4))
    product = x * x
    assert product.shards[0].degree == 2
    read = owner.load(product.to_bytes())
    assert read.shards[0].degree == 1
    assert agrees(owner, read, owner.decrypt(product))


@names
@given(steps=st.lists(st.sampled_from(["double", "square", "shift", "negate", "halve"]), max_size=3))
def test_what_was_computed_is_read(name: str, steps: list[str]) -> None:
    owner = OWNER[name]
    x = owner.encrypt(values_of(owner, 3), bound=1.0 if "ckks" in name else math.inf)
    for step in steps[: owner.parameters.max_level]:
        if step == "halve" and "ckks" in name:
            x = x * 0.5
        else:
            x = {"double": x * 2, "square": x * x, "shift": x + 1, "negate": -x, "halve": x + x}[step]
    read = owner.load(x.to_bytes())
    assert agrees(owner, read, owner.decrypt(x))


# --- sizes ------------------------------------------------------------------------------------------------------------


@names
def test_residues_take_their_bits(name: str) -> None:
    parameters = SETS[name]
    bits = [q.bit_length() for q in parameters.moduli()]
    shard = OWNER[name].load(BLOB[name, False]).shards[0]
    section = Container.from_bytes(BLOB[name, False], "array").sections["shard.0"]
    assert len(section) * 64 * len(bits) == shard.nbytes * sum(bits)


def test_a_fresh_symmetric_ciphertext_is_half_a_public_one() -> None:
    owner = KeyOwner(replace(SETS["ckks"], ring_degree=1024, levels=(), special=()), "native")
    public, symmetric = (len(sent(owner, 512, symmetric=symmetric)) for symmetric in (False, True))
    assert 0.5 < symmetric / public < 0.55


# --- harm and forgery -------------------------------------------------------------------------------------------------


@given(st.sampled_from(sorted(BLOB)), st.data())
def test_any_harm_is_seen(key: tuple[str, bool], data: st.DataObject) -> None:
    with pytest.raises((FormatError, ParameterError)):
        OWNER[key[0]].load(data.draw(mangled(BLOB[key])))


@given(st.sampled_from(sorted(BLOB)), st.data(), HOSTILE)
def test_hostile_claims_are_refused_or_true(key: tuple[str, bool], data: st.DataObject, value: Any) -> None:
    """What is not refused is exactly what was said, and says it again."""
    forgery = with_entry(BLOB[key], "array", data.draw(entries(list(paths(CONTENT[key])))), value)
    try:
        read = OWNER[key[0]].load(forgery)
    except (FormatError, ParameterError):
        return
    assert read.to_bytes() == forgery


@pytest.mark.parametrize("key", BLOB, ids=str)
def test_every_entry_is_needed(key: tuple[str, bool]) -> None:
    for path in paths(CONTENT[key]):
        if path[-1] == "interval":  # without it, as in the first files, integers are residues
            continue
        with pytest.raises(FormatError):
            OWNER[key[0]].load(without_entry(BLOB[key], "array", path))


def shard(content: dict[str, Any]) -> dict[str, Any]:
    first: dict[str, Any] = content["shards"][0]
    return first


CHANGES = {
    "a shape too long": lambda content, _: content.update(shape=[25]),
    "a shape too short": lambda content, _: content.update(shape=[8]),
    "a giant shape": lambda content, _: content.update(shape=[1 << 60]),
    "a giant plane": lambda content, _: content.update(shape=[1 << 40, 1 << 40]),
    "empty rows": lambda content, _: content.update(shape=[20, 0]),
    "an empty shape": lambda content, _: content.update(shape=[0]),
    "a negative shape": lambda content, _: content.update(shape=[-20]),
    "three dimensions": lambda content, _: content.update(shape=[20, 1, 1]),
    "rows wider than the stride": lambda content, _: content.update(shape=[10, 2], strides=[1, 1]),
    "a stride too few": lambda content, _: content.update(strides=[]),
    "a stride too many": lambda content, _: content.update(strides=[20, 1]),
    "shared places": lambda content, _: content.update(strides=[0]),
    "rows that overlap": lambda content, _: content.update(shape=[11, 2], strides=[1, 8]),
    "a stride of one element": lambda content, _: content.update(shape=[20, 1], strides=[1, 1]),
    "a stride into nowhere": lambda content, _: content.update(strides=[2]),
    "a stride backwards into nowhere": lambda content, _: content.update(strides=[-1], offset=18),
    "a giant stride": lambda content, _: content.update(strides=[1 << 62]),
    "more slots": lambda content, _: content.update(slots=16, shape=[40]),
    "fewer slots": lambda content, _: content.update(slots=4, shape=[12]),
    "a negative offset": lambda content, _: content.update(offset=-1),
    "an offset too large": lambda content, _: content.update(offset=5),
    "half a repetition": lambda content, _: content.update(repeats=[2]),
    "no repetition": lambda content, _: content.update(repeats=[1, 8]),
    "repetitions over elements": lambda content, _: content.update(repeats=[2, 8]),
    "repetitions beyond the slots": lambda content, _: content.update(shape=[17], repeats=[2, 24]),
    "repetitions in other ciphertexts": lambda content, _: content.update(shape=[3], offset=16, repeats=[3, 4]),
    "the entry of older arrays, too": lambda content, _: content.update(stride=1),
    "dtype of the other scheme": lambda content, _: content.update(dtype="int64"),
    "an unknown dtype": lambda content, _: content.update(dtype="object"),
    "no shards": lambda content, _: content.update(shards=[]),
    "a shard too few": lambda content, _: content["shards"].pop(),
    "a shard too many": lambda content, _: content["shards"].append(content["shards"][0]),
    "a negative level": lambda content, _: shard(content).update(level=-1),
    "a level too high": lambda content, _: shard(content).update(level=3),
    "a lower level": lambda content, _: shard(content).update(level=1),
    "degree 0": lambda content, _: shard(content).update(degree=0),
    "degree 2": lambda content, _: shard(content).update(degree=2),
    "degree 2, of that size": lambda content, sections: (
        shard(content).update(degree=2),
        sections.update({"shard.0": sections["shard.0"] + sections["shard.0"][: len(sections["shard.0"]) // 2]}),
    ),
    "no such domain": lambda content, _: shard(content).update(domain="slots"),
    "scale 0": lambda content, _: shard(content).update(scale=0.0),
    "a negative scale": lambda content, _: shard(content).update(scale=-(2.0**40)),
    "an integer scale": lambda content, _: shard(content).update(scale=1 << 40),
    "a tiny scale": lambda content, _: shard(content).update(scale=2.0**19),
    "a pending scale": lambda content, _: shard(content).update(scale=2.0**61),
    "a scale beyond the modulus": lambda content, _: shard(content).update(scale=2.0**200),
    "values beyond the modulus": lambda content, _: shard(content).update(bound=2.0**100),
    "noise beyond the modulus": lambda content, _: shard(content).update(noise=2.0**130),
    "a negative noise": lambda content, _: shard(content).update(noise=-1.0),
    "a negative bound": lambda content, _: shard(content).update(bound=-1.0),
    "a seed, with both halves": lambda content, _: shard(content).update(seed="00" * 32),
    "a short seed": lambda content, _: shard(content).update(seed="00" * 31),
    "a residue too large": lambda _, sections: sections.update({"shard.0": b"\xff" * len(sections["shard.0"])}),
    "a polynomial too few": lambda _, sections: sections.update({"shard.0": sections["shard.0"][:252]}),
    "sections out of order": lambda _, sections: sections.update({"shard.0": sections.pop("shard.0")}),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_forged_claims_are_refused(change: Any) -> None:
    with pytest.raises(FormatError):
        OWNER["ckks"].load(forged(BLOB["ckks", False], "array", change))


def as_before(data: bytes, shape: list[int], stride: int) -> bytes:
    """The array as it was written when arrays were vectors and rows."""

    def change(content: dict[str, Any], _: dict[str, bytes]) -> None:
        for name in ("strides", "offset", "repeats"):
            del content[name]
        content.update(shape=shape, stride=stride)

    return forged(data, "array", change)


@pytest.mark.parametrize(
    ("shape", "stride", "places"), [([20], 1, (1,)), ([5, 3], 4, (4, 1)), ([4], 8, (8,)), ([4, 1], 8, (8, 0))]
)
def test_vectors_and_rows_of_the_first_arrays(shape: list[int], stride: int, places: tuple[int, ...]) -> None:
    """16 slots in two rows of 8."""
    layout = OWNER["bfv"].load(as_before(BLOB["bfv", False], shape, stride)).layout
    assert (layout.shape, layout.strides, layout.repeats) == (tuple(shape), places, ())


@pytest.mark.parametrize(
    ("shape", "stride"), [([2], 16), ([20], 0), ([6], 3), ([20, 2], 1), ([20, 1, 1], 1), ([8], 1), ([1 << 60], 1)]
)
def test_no_vectors_and_rows_of_the_first_arrays(shape: list[int], stride: int) -> None:
    with pytest.raises(FormatError):
        OWNER["bfv"].load(as_before(BLOB["bfv", False], shape, stride))


@pytest.mark.parametrize("scale", [2.0, 0.5, 2.0**40])
def test_exact_integers_have_no_scale(scale: float) -> None:
    with pytest.raises(FormatError):
        OWNER["bfv"].load(with_entry(BLOB["bfv", False], "array", ("shards", 0, "scale"), scale))


@pytest.mark.parametrize("ends", [(0, 1), (-1, 1), (-(1 << 70), 1 << 70), (5, 0), (-1, 0)], ids=str)
def test_intervals_that_the_plain_modulus_does_not_hold_are_refused(ends: tuple[int, int]) -> None:
    """More than t integers, in multiples of t; and residues that are read from elsewhere, where the second is 0."""
    t = OWNER["bfv"].parameters.plain_modulus
    low, high = ends
    interval = [low * t, high * t] if high else [low, None]
    with pytest.raises(FormatError, match="does not tell the integers"):
        OWNER["bfv"].load(with_entry(BLOB["bfv", False], "array", ("shards", 0, "interval"), interval))


def test_noise_beyond_the_limit_is_refused() -> None:
    with pytest.raises(FormatError, match="beyond what level 2 can hold"):
        OWNER["bfv"].load(with_entry(BLOB["bfv", False], "array", ("shards", 0, "noise"), 1e3))


def test_a_seed_belongs_to_a_fresh_ciphertext() -> None:
    with pytest.raises(FormatError, match="fresh"):
        OWNER["ckks"].load(with_entry(BLOB["ckks", True], "array", ("shards", 0, "domain"), "coefficients"))


def test_another_party_is_named() -> None:
    stranger = owner_of("ckks", REFERENCE, 2)
    with pytest.raises(ParameterError, match="under key"):
        stranger.load(BLOB["ckks", False])
    with pytest.raises(ParameterError, match="of parameter set"):
        OWNER["bfv"].load(BLOB["ckks", False])
    with pytest.raises(FormatError, match="hold a 'public', where a 'array'"):
        stranger.load(stranger.public(rotations=[]).to_bytes())


def test_claimed_sizes_are_not_allocated(tmp_path: Any) -> None:
    """Neither a shape nor a level makes a buffer before the bytes for it are there."""

    class Untouchable:
        def __getattr__(self, operation: str) -> Any:
            raise AssertionError(f"the backend was asked for {operation}")

    evaluator = copy.copy(OWNER["ckks"].evaluator)
    evaluator.chain = type(evaluator.chain)(SETS["ckks"], Untouchable())  # type: ignore[arg-type]
    for path, value in [(("shape",), [1 << 60]), (("shards", 0, "degree"), 2), (("shards", 0, "level"), 1)]:
        with pytest.raises(FormatError):
            array_from_bytes(with_entry(BLOB["ckks", False], "array", path, value), evaluator)


# --- what anybody could read ------------------------------------------------------------------------------------------


def transparent(owner: KeyOwner) -> list[EncryptedArray]:
    """Arrays without a secret in them: nothing, and a message in the open."""
    x = owner.encrypt(values_of(owner, 3))
    (shard,) = x.shards
    nothing = [type(poly).zero(poly.basis) for poly in shard.c]
    bare = shard.with_polys([owner._secret.decrypt(shard).to_eval(), nothing[1]])
    return [
        EncryptedArray(x.evaluator, [open_one], x.layout, x.dtype) for open_one in (shard.with_polys(nothing), bare)
    ]


@names
def test_a_transparent_ciphertext_does_not_leave(name: str, backend: Backend) -> None:
    owner = owner_of(name, backend)
    for array in transparent(owner):
        with pytest.raises(ParameterError, match=r"not encrypted.*add a fresh encryption of zero"):
            array.to_bytes()
        hidden = array + owner.encrypt(np.zeros(array.shape, dtype=array.dtype))
        assert agrees(owner, owner.load(hidden.to_bytes()), owner.decrypt(array))


@names
def test_a_prime_at_which_nothing_is_hidden(name: str, backend: Backend) -> None:
    """c_1 vanishes modulo one prime, c_0 does not: message and noise are there to be read."""
    owner = owner_of(name, backend)
    x = owner.encrypt(values_of(owner, 3))
    (shard,) = x.shards
    c0, c1 = shard.evals()
    factors = [0] + [1] * (len(c1.basis) - 1)
    half_open = shard.with_polys([c0, c1.scale_limbs(factors)])
    with pytest.raises(ParameterError, match="not encrypted"):
        ciphertext_to_parts(half_open)
    vanishing = shard.with_polys([c0.scale_limbs(factors), c1.scale_limbs(factors)])
    assert len(ciphertext_to_parts(vanishing)[1]) == len(ciphertext_to_parts(shard)[1])


# --- single ciphertexts -----------------------------------------------------------------------------------------------


@names
def test_ciphertexts_of_degree_two_in_both_domains(name: str, backend: Backend) -> None:
    owner = owner_of(name, backend)
    x = owner.encrypt(values_of(owner, 3))
    pending = (x * x).shards[0]
    product = pending.divided()
    (said, sent), (also, too) = ciphertext_to_parts(pending), ciphertext_to_parts(product)
    assert (said, bytes(sent)) == (also, bytes(too))
    for ciphertext in (product.with_polys(product.evals()), product.with_polys(product.coeffs())):
        content, packed = ciphertext_to_parts(ciphertext)
        assert content["domain"] == ("coefficients" if isinstance(ciphertext.c[0], CoeffPoly) else "evaluations")
        read = ciphertext_from_parts(content, packed, owner.chain, owner.key_id)
        assert replace(read, c=()) == replace(ciphertext, c=())
        for ours, theirs in zip(read.c, ciphertext.c, strict=True):
            assert type(ours) is type(theirs)
            assert np.array_equal(ours.residues, theirs.residues)


@pytest.mark.parametrize(
    "change", [{"degree": 2}, {"degree": 3}, {"degree": 0}, {"scale": 2.0**127}, {"scale": 0.5}], ids=str
)
def test_forged_ciphertexts_are_refused(change: dict[str, Any]) -> None:
    owner = OWNER["ckks"]
    (fresh,) = owner.encrypt([1.0], symmetric=True).shards
    content, packed = ciphertext_to_parts(fresh)
    assert ciphertext_from_parts(content, packed, owner.chain, owner.key_id).seed == fresh.seed
    with pytest.raises(FormatError):
        ciphertext_from_parts(content | change, packed, owner.chain, owner.key_id)
