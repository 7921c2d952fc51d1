"""What is made of arrays to bytes and back: bits, wide integers, decimals; each a container of its arrays' bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from fhe.arrays.bits_codec import bits_from_bytes
from fhe.arrays.decimals import MOST_PLACES, EncryptedDecimals
from fhe.io.claims import Claims
from fhe.io.format import Container
from fhe.io.registry import to_bytes


@to_bytes.register
def decimals_to_bytes(x: EncryptedDecimals) -> bytes:
    """A container of kind "decimals": the places, and the integers in bytes of their own."""
    return Container("decimals", {"places": x.places}, {"integers": to_bytes(x.array)}).to_bytes()


def decimals_from_bytes(data: bytes, load: Callable[[bytes], Any]) -> EncryptedDecimals:
    """The decimals of `decimals_to_bytes`; ``load`` makes arrays of their bytes."""
    container = Container.from_bytes(data, "decimals")
    places = Claims(container.content, "encrypted decimals", ["places"]).integer("places", 0, MOST_PLACES)
    container.require_sections(["integers"])
    return EncryptedDecimals(load(bytes(container.sections["integers"])), places)


COMPOSED: Final[dict[str, Callable[[bytes, Callable[[bytes], Any]], Any]]] = {
    "bits": bits_from_bytes,
    "decimals": decimals_from_bytes,
}
