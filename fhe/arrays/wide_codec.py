"""Wide arrays to bytes and back, and their pickles: a container of each part's bytes."""

from __future__ import annotations

import copyreg
from collections.abc import Callable, Sequence
from typing import Any, Final

from fhe.arrays.codec import PARAMETERS_ID_BYTES
from fhe.arrays.wide import WideArray
from fhe.errors import FormatError
from fhe.io.claims import Claims
from fhe.io.format import Container
from fhe.io.pieces import Section
from fhe.io.registry import resolve, to_container
from fhe.rlwe.codec import KEY_ID_BYTES

ENTRIES: Final = ["parameters", "key_id", "parts"]


@to_container.register
def wide_container(x: WideArray) -> Container:
    """A container of kind "wide": each part in bytes of its own."""
    content = {
        "parameters": x.parts[0].evaluator.chain.parameters.id,
        "key_id": x.parts[0].key_id.hex(),
        "parts": len(x.parts),
    }
    return Container(
        "wide", content, {_section(index): to_container(part).made() for index, part in enumerate(x.parts)}
    )


def wide_from_bytes(data: Section, loaders: Sequence[Callable[[Section], Any]]) -> WideArray:
    """The array of `wide_container`, each part by its own loader.

    Raises FormatError for bytes that are not such a container, whole and unharmed, or whose parts differ in what they
    say; ParameterError for those of another parameter set or key.
    """
    container, claims = _opened(data)
    claims.integer("parts", len(loaders), len(loaders))
    container.require_sections(map(_section, range(len(loaders))))
    parts = [load(section) for load, section in zip(loaders, container.sections.values(), strict=True)]
    first = [shard.interval for shard in parts[0].shards]
    for part in parts:
        if part.layout != parts[0].layout or [shard.interval for shard in part.shards] != first:
            raise FormatError("the parts of a wide array differ in shape, layout or the integers that they claim to be")
    if _identity(claims) != (parts[0].evaluator.chain.parameters.id, parts[0].key_id):
        raise FormatError("a wide array and its parts name different parameter sets or keys")
    return WideArray(parts)


def _opened(data: Section) -> tuple[Container, Claims]:
    container = Container.from_bytes(data, "wide")
    return container, Claims(container.content, "a wide array", ENTRIES)


def _identity(claims: Claims) -> tuple[str, bytes]:
    return claims.octets("parameters", PARAMETERS_ID_BYTES).hex(), claims.octets("key_id", KEY_ID_BYTES)


def _section(index: int) -> str:
    return f"part.{index}"


def _reduce(array: WideArray) -> tuple[Any, ...]:
    return _unpickled, (wide_container(array).to_bytes(),)


def _unpickled(data: bytes) -> WideArray:
    """The array of a pickle, on the context that this process installed for its key."""
    _, claims = _opened(data)
    loaded: WideArray = resolve(*_identity(claims)).load(data)
    return loaded


copyreg.pickle(WideArray, _reduce)
