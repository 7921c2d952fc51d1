"""What is made of arrays to bytes and back: bits, wide integers, decimals; each a container of its arrays' bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from fhe.arrays.bits_codec import bits_from_bytes
from fhe.arrays.codec import PARAMETERS_ID_BYTES
from fhe.arrays.decimals import MOST_PLACES, EncryptedDecimals
from fhe.io.claims import Claims
from fhe.io.format import Container, kind_of
from fhe.io.pieces import Section
from fhe.io.registry import to_container
from fhe.rlwe.codec import KEY_ID_BYTES


@to_container.register
def decimals_container(x: EncryptedDecimals) -> Container:
    """A container of kind "decimals": the places, and the integers in bytes of their own."""
    return Container("decimals", {"places": x.places}, {"integers": to_container(x.array).made()})


def decimals_from_bytes(data: Section, load: Callable[[Section], Any]) -> EncryptedDecimals:
    """The decimals of `decimals_container`; ``load`` makes arrays of their bytes."""
    container = Container.from_bytes(data, "decimals")
    places = Claims(container.content, "encrypted decimals", ["places"]).integer("places", 0, MOST_PLACES)
    container.require_sections(["integers"])
    return EncryptedDecimals(load(container.sections["integers"]), places)


IDENTITY: Final = ["parameters", "key_id"]
COMPOSED: Final[dict[str, Callable[[Section, Callable[[Section], Any]], Any]]] = {
    "bits": bits_from_bytes,
    "decimals": decimals_from_bytes,
}


def identity_of(data: Section) -> tuple[str, bytes]:
    """Parameter set and key that an array of any kind says it belongs to: of what is composed, its first array says."""
    kind = kind_of(data)
    if kind in COMPOSED:
        sections = Container.from_bytes(data, kind).sections.values()
        data = next(iter(sections), b"")
        kind = kind_of(data)
    content = Container.from_bytes(data, kind).content
    claims = Claims({name: content.get(name) for name in IDENTITY}, "an encrypted array", IDENTITY)
    return claims.octets("parameters", PARAMETERS_ID_BYTES).hex(), claims.octets("key_id", KEY_ID_BYTES)
