"""Public contexts as bytes: the same on every backend, whole or refused, and without the secret."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhe.backend.choose import choose
from fhe.backend.protocol import Backend
from fhe.context import Context
from fhe.errors import FormatError, LevelError, MissingKeyError, ParameterError
from fhe.io.format import Container
from fhe.parameters import CKKSParameters
from fhe.ring.codec import pack, packed_bytes, unpack
from fhe.ring.poly import CoeffPoly, EvalPoly
from fhe.ring.random import uniform
from fhe.rlwe import codec
from tests.io.parties import SETS, forged, owner_of, paths, with_entry, without_entry
from tests.io.strategies import HOSTILE, entries, mangled

REFERENCE = choose("reference")


@cache
def public_of(name: str, backend: Backend) -> Context:
    """A context whose keys are made in the same order, from the same seeds, on every backend."""
    return owner_of(name, backend, 100).public(rotations=[1, -1], conjugation=True)


BLOB = {name: public_of(name, REFERENCE).to_bytes() for name in SETS}
CONTENT = {name: Container.from_bytes(blob, "public").content for name, blob in BLOB.items()}
names = pytest.mark.parametrize("name", SETS)


def polynomials(context: Context) -> list[np.ndarray]:
    """Every polynomial of a context, evaluations in natural order."""
    keys = [key for key in (context.keys.relinearization, *context.keys.galois.values()) if key is not None]
    polys = [poly for key in keys for poly in (*key.b, *key.a)]
    if context.public_key is not None:
        polys += [context.public_key.b, context.public_key.a]
    return [poly.natural() for poly in polys]


@names
def test_every_backend_writes_the_same_bytes(name: str, backend: Backend) -> None:
    assert public_of(name, backend).to_bytes() == BLOB[name]


@names
def test_what_is_written_is_read(name: str, backend: Backend) -> None:
    public = public_of(name, backend)
    read = Context.from_bytes(BLOB[name], backend)
    assert read.parameters == SETS[name]
    assert read.key_id == public.key_id
    assert read.keys.galois.keys() == public.keys.galois.keys()
    for ours, theirs in zip(polynomials(read), polynomials(public), strict=True):
        assert np.array_equal(ours, theirs)
    assert read.to_bytes() == BLOB[name]


@names
def test_only_what_is_held_is_written(name: str) -> None:
    owner = owner_of(name, REFERENCE)
    bare = owner.public(relinearization=False, rotations=[])
    read = Context.from_bytes(bare.to_bytes(), "reference")
    assert read.keys.relinearization is None
    assert read.rotations == []
    with pytest.raises(MissingKeyError):
        read.keys.require_relinearization()
    keyless = Context.from_bytes(codec.public_container(owner.chain, None, bare.keys).to_bytes(), "reference")
    assert keyless.public_key is None
    with pytest.raises(MissingKeyError, match="no public key"):
        keyless.encrypt([1])


def test_keys_may_be_of_lower_levels(backend: Backend) -> None:
    """A truncated key expands to the very rows of the seed's full expansion."""
    owner = owner_of("ckks of wide levels", backend)
    keys = owner.public(relinearization=False, rotations=[]).keys
    keys.relinearization = owner._secret.relinearization_key(level=1)
    _, _, read = codec.public_from_bytes(codec.public_container(owner.chain, None, keys).to_bytes(), backend)
    key = read.require_relinearization()
    assert (key.level, len(key.b), len(key.a)) == (1, 2, 2)
    full = uniform(owner.chain.top, key.seed, digit=1)
    assert np.array_equal(key.a[1].natural(), full.natural()[: len(key.a[1].basis)])


def test_keys_for_lower_levels_are_smaller_and_refuse_higher_ones(backend: Backend) -> None:
    owner = owner_of("ckks of wide levels", backend)
    whole, lower = (owner.public(rotations=[1], level=level) for level in (None, 1))
    assert len(lower.to_bytes()) < 0.8 * len(whole.to_bytes())
    server = Context.from_bytes(lower.to_bytes(), backend)
    x = server.encrypt([0.5, 1.0, 2.0], level=1)
    np.testing.assert_allclose(owner.decrypt(owner.load(((x * x).sum()).to_bytes())), 5.25, atol=1e-4)
    high = server.encrypt([0.5, 1.0, 2.0])
    with pytest.raises(LevelError, match="levels up to 1"):
        (high * high).to_bytes()


def test_an_owner_writes_what_it_gives_away() -> None:
    owner = owner_of("ckks", REFERENCE)
    assert owner.to_bytes() == owner.public().to_bytes()


@names
def test_the_secret_is_not_in_the_bytes(name: str, backend: Backend) -> None:
    given, owner = public_of(name, backend).to_bytes(), owner_of(name, backend, 100)
    s = owner._secret._s
    rows = [poly.limbs(i, i + 1) for poly in (s, s.to_coeff()) for i in range(len(s.basis))]
    traces = [pack([row]) for row in rows] + [row.residues.tobytes() for row in rows]
    data = given + owner.to_bytes()
    assert not any(trace in data for trace in traces)
    b = owner.public_key.b  # what is in the bytes would be found
    assert all(pack([b.limbs(i, i + 1)]) in data for i in range(len(b.basis)))


@names
def test_sizes(name: str) -> None:
    """bits(q) / 64 of the residues in memory, of one half of each key; the header aside."""
    parameters = SETS[name]
    limbs = parameters.special[:1] + parameters.moduli(), parameters.special + parameters.moduli()
    public_key, switching_key = (sum(q.bit_length() for q in moduli) * parameters.ring_degree // 8 for moduli in limbs)
    digits = math.ceil(len(parameters.moduli()) / parameters.digit)
    sections = Container.from_bytes(BLOB[name], "public").sections
    assert {key: len(section) for key, section in sections.items()} == dict.fromkeys(
        ["relinearization", *(key for key in sections if key.startswith("galois"))], digits * switching_key
    ) | {"public_key": public_key}
    assert len(sections) == 5


# --- harm and forgery -------------------------------------------------------------------------------------------------


@given(st.sampled_from(list(BLOB.values())).flatmap(mangled))
def test_any_harm_is_seen(data: bytes) -> None:
    with pytest.raises((FormatError, ParameterError)):
        Context.from_bytes(data, "reference")


@names
@given(data=st.data(), value=HOSTILE)
def test_hostile_claims_are_refused_or_true(name: str, data: st.DataObject, value: Any) -> None:
    path = data.draw(entries(list(paths(CONTENT[name]))))
    try:
        read = Context.from_bytes(with_entry(BLOB[name], "public", path, value), "reference")
    except (FormatError, ParameterError):
        return
    assert read.to_bytes() == with_entry(BLOB[name], "public", path, value)


@names
def test_every_entry_is_needed(name: str) -> None:
    for path in paths(CONTENT[name]):
        if isinstance(path[-1], str) or path[0] == "galois":
            with pytest.raises(FormatError):
                Context.from_bytes(without_entry(BLOB[name], "public", path), "reference")


def renamed(sections: dict[str, bytes], element: int, other: int) -> None:
    """The section of one Galois key under another element's name, in its place."""
    items = list(sections.items())
    sections.clear()
    sections.update((f"galois.{other}" if name == f"galois.{element}" else name, section) for name, section in items)


CHANGES = {
    "a section too many": lambda content, sections: sections.update(more=b""),
    "a section too few": lambda content, sections: sections.pop("galois.5"),
    "no such key": lambda content, sections: content.update(relinearization=None),
    "a shorter section": lambda content, sections: sections.update(public_key=sections["public_key"][:-1]),
    "a longer section": lambda content, sections: sections.update(public_key=sections["public_key"] + b"\0"),
    "a digit too few": lambda content, sections: sections.update({"galois.5": sections["galois.5"][:-370]}),
    "a lower level": lambda content, sections: content["relinearization"].update(level=1),
    "a higher level": lambda content, sections: content["relinearization"].update(level=3),
    "a negative level": lambda content, sections: content["relinearization"].update(level=-1),
    "a short seed": lambda content, sections: content["relinearization"].update(seed="00" * 31),
    "a residue too large": lambda content, sections: sections.update(public_key=b"\xff" * len(sections["public_key"])),
    "an element twice": lambda content, sections: content["galois"].append(content["galois"][-1]),
    "an even element": lambda content, sections: (content["galois"][0].update(element=4), renamed(sections, 5, 4)),
    "an element too large": lambda content, sections: (
        content["galois"][2].update(element=37),
        renamed(sections, 31, 37),
    ),
    "elements out of order": lambda content, sections: content["galois"].reverse(),
    "a short key id": lambda content, sections: content.update(key_id="00" * 15),
    "another scheme": lambda content, sections: content["parameters"].update(scheme="bgv"),
    "a composite prime": lambda content, sections: content["parameters"]["levels"][1].__setitem__(0, (1 << 40) - 1),
    "another ring degree": lambda content, sections: content["parameters"].update(ring_degree=32),
    "a giant ring degree": lambda content, sections: content["parameters"].update(ring_degree=1 << 60),
    "security it has not": lambda content, sections: content["parameters"].update(insecure=""),
    "another form of its bound": lambda content, sections: content["parameters"].update(bound="0x10p0"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_forged_claims_are_refused(change: Any) -> None:
    with pytest.raises((FormatError, ParameterError)):
        Context.from_bytes(forged(BLOB["ckks"], "public", change), "reference")


@pytest.mark.parametrize("scale_bits", [1030, 1 << 40, 1 << 63])
def test_a_giant_scale_is_refused(scale_bits: int) -> None:
    """Where log2(Q) has room for it: beyond what a double holds."""
    large = type(SETS["ckks"])(ring_degree=256, modulus_bits=[50] * 40, special_bits=[50], insecure="a test")
    content = {"parameters": large.to_dict() | {"scale_bits": scale_bits}, "key_id": "00" * 16}
    content |= {"public_key": None, "relinearization": None, "galois": []}
    with pytest.raises(ParameterError, match="scale"):
        Context.from_bytes(Container("public", content, {}).to_bytes(), "reference")


class Untouchable:
    """A backend that must not be asked for anything."""

    name, target = "untouchable", "none"

    def __getattr__(self, operation: str) -> Any:
        raise AssertionError(f"the backend was asked for {operation}")


@pytest.mark.parametrize("section", ["public_key", "relinearization", "galois.5"])
def test_sizes_are_checked_before_any_work(section: str) -> None:
    """The largest ring there is, and a few bytes: nothing is asked of the backend."""
    giant = type(SETS["bfv"])(
        ring_degree=1 << 17, modulus_bits=[50] * 40, special_bits=[50], plain_modulus=97, insecure="a test"
    )
    content: dict[str, Any] = {"parameters": giant.to_dict(), "key_id": "00" * 16}
    content |= {"public_key": None, "relinearization": None, "galois": []}
    key = {"level": 39, "seed": "00" * 32}
    content |= {
        "public_key": {"public_key": key["seed"]},
        "relinearization": {"relinearization": key},
        "galois.5": {"galois": [key | {"element": 5}]},
    }[section]
    data = Container("public", content, {section: bytes(1000)}).to_bytes()
    with pytest.raises(FormatError, match=r"takes [0-9]+ bytes, not 1000"):
        Context.from_bytes(data, Untouchable())  # type: ignore[arg-type]


def test_galois_keys_are_written_in_one_order() -> None:
    owner = owner_of("ckks", REFERENCE)
    keys = owner.public(relinearization=False, rotations=[1, 2]).keys
    data = codec.public_container(owner.chain, None, keys).to_bytes()
    keys.galois = dict(reversed(keys.galois.items()))
    assert codec.public_container(owner.chain, None, keys).to_bytes() == data


def test_keys_of_two_secrets_are_not_written_together() -> None:
    one, other = owner_of("ckks", REFERENCE), owner_of("ckks", REFERENCE, 2)
    with pytest.raises(ParameterError, match="different secrets"):
        codec.public_container(one.chain, one.public_key, other.public(rotations=[]).keys)


# --- polynomials ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("domain", [CoeffPoly, EvalPoly])
def test_polynomials_in_both_domains(backend: Backend, domain: type) -> None:
    basis = owner_of("ckks of wide levels", backend).chain.top
    a, b = uniform(basis, bytes(32)), uniform(basis, bytes(32), component=1)
    polys = [a, b] if domain is EvalPoly else [a.to_coeff(), b.to_coeff()]
    data = pack(polys)
    assert len(data) == 2 * packed_bytes(basis.ring_degree, basis.moduli)
    read = unpack(domain, basis, data)
    assert all(type(poly) is domain for poly in read)
    assert all(np.array_equal(x.residues, y.residues) for x, y in zip(read, polys, strict=True))
    with pytest.raises(FormatError, match="no whole number"):
        unpack(domain, basis, data[:-1])
    with pytest.raises(FormatError, match=r"\(row, column\)"):
        unpack(domain, basis, b"\xff" * len(data))


def test_a_rotation_key_of_ten_limbs_takes_less_than_four_megabytes() -> None:
    p = CKKSParameters(ring_degree=2**14, modulus_bits=[46] + [40] * 6, special_bits=[43] * 3)
    b = packed_bytes(p.ring_degree, p.special + p.moduli())  # a is a seed
    assert len(p.digits(p.max_level)) * b < 3e6
