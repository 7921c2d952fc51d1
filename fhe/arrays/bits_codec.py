"""Encrypted bits to bytes and back: a container of one array's bytes for each bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from fhe.arrays.bits import WIDEST, EncryptedBits
from fhe.arrays.exact import interval_of
from fhe.circuits.bits import BIT
from fhe.errors import FormatError
from fhe.io.claims import Claims
from fhe.io.format import Container
from fhe.io.pieces import Section
from fhe.io.registry import to_container

ENTRIES: Final = ["width", "signed"]


@to_container.register
def bits_container(x: EncryptedBits) -> Container:
    """A container of kind "bits": what its arrays mean, and each of them, settled, in bytes of its own."""
    sections = {_section(index): to_container(bit).made() for index, bit in enumerate(x.bits)}
    return Container("bits", {"width": x.width, "signed": x.signed}, sections)


def bits_from_bytes(data: Section, load: Callable[[Section], Any]) -> EncryptedBits:
    """The integers of `bits_container`; ``load`` makes arrays of their bytes.

    Raises FormatError for bytes that are not such a container, whole and unharmed, or whose arrays are not bits of one
    shape; ParameterError for those of another parameter set or key.
    """
    container = Container.from_bytes(data, "bits")
    claims = Claims(container.content, "encrypted bits", ENTRIES)
    width, signed = claims.integer("width", 1, WIDEST), claims.flag("signed")
    container.require_sections(map(_section, range(width)))
    bits = [load(section) for section in container.sections.values()]
    for bit in bits:
        if bit.layout != bits[0].layout or interval_of(bit) != BIT:
            raise FormatError(
                f"an array of shape {bit.shape} that claims {interval_of(bit)} is no bit of {bits[0].shape}"
            )
    return EncryptedBits(bits, signed)


def _section(index: int) -> str:
    return f"bit.{index}"
