"""Every kind of file, how it is read, and what an adversary says in it: for the tests and the table made of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

import fhe
from fhe.backend.choose import choose
from fhe.context import Context
from fhe.files import parameters_from_bytes
from fhe.io.format import Container
from fhe.io.registry import to_bytes
from fhe.io.sealed import seal, unseal
from fhe.keyfile import Manner, secret_from_bytes, secret_to_bytes
from fhe.owner import KeyOwner
from tests.io.parties import SETS, counted, forged, owner_of

PASSPHRASE = "correct horse battery staple"  # noqa: S105
CHEAP = 10
TINY: Any = {"ring_degree": 16, "insecure": "a small ring for a test"}
REFERENCE = choose("reference")
Change = Callable[[dict[str, Any], dict[str, bytes]], None]


@cache
def whole() -> KeyOwner:
    return KeyOwner(
        fhe.bfv(depth=1, value_bits=70, backend="reference", **TINY).parameters, "reference", _seeds=counted(7)
    )


@cache
def exact() -> KeyOwner:
    return owner_of("bfv", REFERENCE)


@cache
def real() -> KeyOwner:
    return owner_of("ckks", REFERENCE)


@cache
def blob(kind: str) -> bytes:
    """A file of each kind."""
    made: dict[str, Callable[[], bytes]] = {
        "array": lambda: real().encrypt(np.linspace(-1, 1, 20), bound=2.0).to_bytes(),
        "array, symmetric": lambda: exact().encrypt(np.arange(20), symmetric=True, bound=(-8, 30)).to_bytes(),
        "bits": lambda: exact().encrypt_bits(np.arange(4), bits=3, signed=True).to_bytes(),
        "decimals": lambda: exact().encrypt(["1.5", "-2.0"], bound=3, decimals=1).to_bytes(),
        "parameters": lambda: to_bytes(SETS["ckks of wide levels"]),
        "public": lambda: real().public(rotations=[1, 2], conjugation=True).to_bytes(),
        "secret": lambda: secret_to_bytes(real()._secret, Manner((0, 5)), PASSPHRASE, CHEAP),
        "wide": lambda: whole().encrypt([10**15, -3], bound=10**18).to_bytes(),
    }
    return made[kind]()


KINDS = ["array", "array, symmetric", "bits", "decimals", "parameters", "public", "secret", "wide"]


def named(kind: str) -> str:
    """The kind as a container names it."""
    return kind.split(",", maxsplit=1)[0]


def read(kind: str, data: bytes) -> Any:
    """What whoever expects this kind makes of bytes."""
    if kind == "public":
        return Context.from_bytes(data, "reference")
    if kind == "parameters":
        return parameters_from_bytes(data)
    if kind == "secret":
        return secret_from_bytes(data, PASSPHRASE, "reference")
    return {"array": real, "wide": whole}.get(kind, exact)().load(data)


def said(kind: str, found: Any) -> Any:
    """What was read, in the words of its file: to be compared with what was said."""
    if kind == "secret":
        secret, manner = found
        return unseal(secret_to_bytes(secret, manner, PASSPHRASE, CHEAP), "secret", PASSPHRASE)
    return to_bytes(found)


def changed(kind: str, change: Change) -> bytes:
    """A file with content and sections changed and a digest that is right; secrets are sealed again."""
    if kind != "secret":
        return forged(blob(kind), named(kind), change)
    content, octets = unseal(blob(kind), "secret", PASSPHRASE)
    sections = {"sealed": bytes(octets)}
    change(content, sections)
    return seal("secret", content, bytearray(sections["sealed"]), PASSPHRASE, CHEAP)


@cache
def content_of(kind: str) -> dict[str, Any]:
    content = Container.from_bytes(blob(kind), named(kind)).content
    return {name: value for name, value in content.items() if name != "lock"}


def shard(**entries: Any) -> Change:
    return lambda content, _: content["shards"][0].update(entries)


def entry(**entries: Any) -> Change:
    return lambda content, _: content.update(entries)


def in_parameters(**entries: Any) -> Change:
    return lambda content, _: content["parameters"].update(entries)


def section(name: str, harm: Callable[[bytes], bytes]) -> Change:
    return lambda _, sections: sections.update({name: harm(sections[name])})


def swapped(one: str, other: str) -> Change:
    """The order of the sections, each keeping its bytes."""

    def change(_: dict[str, Any], sections: dict[str, bytes]) -> None:
        order = [{one: other, other: one}.get(name, name) for name in sections]
        moved = {name: sections[name] for name in order}
        sections.clear()
        sections.update(moved)

    return change


FORGERIES: dict[tuple[str, str], Change] = {
    ("array", "a scale of 0"): shard(scale=0.0),
    ("array", "a scale far from its level's"): shard(scale=2.0**61),
    ("array", "a scale beyond the modulus"): shard(scale=2.0**200),
    ("array", "a level that is not there"): shard(level=3),
    ("array", "a lower level, with the residues of the higher"): shard(level=1),
    ("array", "a bound that does not fit"): shard(bound=2.0**100),
    ("array", "a negative bound"): shard(bound=-1.0),
    ("array", "a noise that does not fit"): shard(noise=2.0**126),
    ("array", "degree 2"): shard(degree=2),
    ("array", "a giant shape"): entry(shape=[1 << 60]),
    ("array", "a stride into nowhere"): entry(strides=[2]),
    ("array", "elements that share places"): entry(strides=[0]),
    ("array", "more slots than there are"): entry(slots=16),
    ("array", "the dtype of the other scheme"): entry(dtype="int64"),
    ("array", "another parameter set"): entry(parameters="00" * 32),
    ("array", "another key"): entry(key_id="00" * 16),
    ("array", "an entry too many"): entry(comment="hello"),
    ("array", "sections in another order"): swapped("shard.0", "shard.1"),
    ("array", "residues that are too large"): section("shard.0", lambda data: b"\xff" * len(data)),
    ("array", "a section that is too short"): section("shard.0", lambda data: data[:-1]),
    ("array, symmetric", "an interval wider than t"): shard(interval=[-1000, 1000]),
    ("array, symmetric", "an interval upside down"): shard(interval=[5, -5]),
    ("array, symmetric", "a short seed"): shard(seed="00" * 31),
    ("array, symmetric", "a scale of exact integers"): shard(scale=2.0),
    ("bits", "a bit too many"): entry(width=4),
    ("bits", "a bit that is an array of something else"): section("bit.1", lambda _: blob("array, symmetric")),
    ("bits", "bits of bits"): section("bit.1", lambda _: blob("bits")),
    ("decimals", "a negative number of places"): entry(places=-1),
    ("decimals", "decimals of decimals"): section("integers", lambda _: blob("decimals")),
    ("wide", "a part too few"): entry(parts=1),
    ("wide", "another key than that of its parts"): entry(key_id="00" * 16),
    ("wide", "parts in another order"): lambda _, sections: sections.update(
        {"part.0": sections["part.1"], "part.1": sections["part.0"]}
    ),
    ("parameters", "a ring degree of 17"): in_parameters(ring_degree=17),
    ("parameters", "a composite modulus"): in_parameters(special=[(1 << 45) - 1, (1 << 44) - 1]),
    ("parameters", "security that it has not"): in_parameters(insecure=""),
    ("public", "another scheme"): in_parameters(scheme="bgv"),
    ("public", "an even Galois element"): lambda content, _: content["galois"][0].update(element=4),
    ("public", "a key for a level that is not there"): lambda content, _: content["relinearization"].update(level=7),
    ("public", "a digit too few"): section("relinearization", lambda data: data[: len(data) // 2]),
    ("public", "keys in another order"): swapped("public_key", "relinearization"),
    ("secret", "half a secret"): section("sealed", lambda data: data[:2]),
    ("secret", "coefficients that are none"): section("sealed", lambda data: b"\xff" * len(data)),
    ("secret", "a bound that is no number"): entry(bound=["much"]),
    ("secret", "a short key id"): entry(key_id="00" * 15),
}
