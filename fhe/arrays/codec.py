"""Encrypted arrays to bytes and back, and their pickles, both registered here from outside the class."""

from __future__ import annotations

import copyreg
import math
from dataclasses import replace
from typing import Any, Final

import numpy as np

from fhe.arrays.array import EncryptedArray
from fhe.arrays.layout import Axis, Layout
from fhe.circuits.evaluator import Evaluator
from fhe.errors import FormatError, ParameterError
from fhe.io.claims import Claims
from fhe.io.format import Container
from fhe.io.pieces import Section
from fhe.io.registry import resolve, to_container
from fhe.parameters import CKKSParameters
from fhe.rlwe.ciphertext import Ciphertext
from fhe.rlwe.codec import KEY_ID_BYTES, ciphertext_from_parts, ciphertext_to_parts

PLACES: Final = ["strides", "offset", "repeats"]
ENTRIES: Final = ["parameters", "key_id", "shape", "slots", *PLACES, "clean", "dtype", "shards"]
FIRST_ENTRIES: Final = ["parameters", "key_id", "shape", "slots", "stride", "clean", "dtype", "shards"]
MOST_AXES: Final = 32
PARAMETERS_ID_BYTES: Final = 32
INTEGERS: Final = {"i": "int64", "O": "int64"}
DTYPES: Final = {"ckks": {"f": "float64", "c": "complex128"}, "bfv": INTEGERS, "bfv-wide": INTEGERS}


@to_container.register
def array_container(array: EncryptedArray) -> Container:
    """A container of kind "array": layout, identity, and every ciphertext, settled first.

    Raises ParameterError for an array with a ciphertext that is not encrypted (`x - x`, `x * 0`), MissingKeyError
    where a pending product cannot be relinearised.
    """
    array = array.sendable()
    parameters, layout = array.evaluator.chain.parameters, array.layout
    parts = [ciphertext_to_parts(shard) for shard in array.shards]
    content = {
        "parameters": parameters.id,
        "key_id": array.key_id.hex(),
        "shape": list(layout.shape),
        "slots": layout.slots,
        "strides": list(layout.strides),
        "offset": layout.offset,
        "repeats": [number for axis in layout.repeats for number in axis],
        "clean": layout.clean,
        "dtype": DTYPES[parameters.scheme][array.dtype.kind],
        "shards": [description for description, _ in parts],
    }
    sections = {_section(index): polys for index, (_, polys) in enumerate(parts)}
    return Container("array", content, sections)


def array_from_bytes(data: Section, evaluator: Evaluator) -> EncryptedArray:
    """The array of `array_container`, on the context of this evaluator.

    Raises FormatError for bytes that are not such a container, whole and unharmed, or whose metadata do not fit
    together; ParameterError for an array of another parameter set or key.
    """
    return _array(*_opened(data), evaluator)


def _opened(data: Section) -> tuple[Container, Claims]:
    container = Container.from_bytes(data, "array")
    names = FIRST_ENTRIES if "stride" in container.content else ENTRIES
    return container, Claims(container.content, "an encrypted array", names)


def _identity(claims: Claims) -> tuple[str, bytes]:
    """Parameter set and key that an array claims to belong to."""
    return claims.octets("parameters", PARAMETERS_ID_BYTES).hex(), claims.octets("key_id", KEY_ID_BYTES)


def _array(container: Container, claims: Claims, evaluator: Evaluator) -> EncryptedArray:
    chain, (parameters_id, key_id) = evaluator.chain, _identity(claims)
    if parameters_id != chain.parameters.id:
        raise ParameterError(
            f"this array is of parameter set {parameters_id[:8]}…, the context of {chain.parameters.id[:8]}…; "
            "load it with a context of the party that encrypted it"
        )
    if key_id != evaluator.keys.key_id:
        raise ParameterError(
            f"this array is under key {key_id.hex()[:8]}…, the context under {evaluator.keys.key_id.hex()[:8]}…; "
            "load it with a context of the party that encrypted it"
        )
    descriptions = claims.items("shards")
    layout = _layout(claims, evaluator, len(descriptions))
    container.require_sections(map(_section, range(len(descriptions))))
    shards = [
        _settled(ciphertext_from_parts(description, section, chain, key_id), evaluator)
        for description, section in zip(descriptions, container.sections.values(), strict=True)
    ]
    dtypes = DTYPES[chain.parameters.scheme].values()
    return EncryptedArray(evaluator, shards, layout, np.dtype(claims.choice("dtype", {name: name for name in dtypes})))


def _layout(claims: Claims, evaluator: Evaluator, shards: int) -> Layout:
    """The layout, if one of so many ciphertexts may have it; nothing is allocated by its claims."""
    slots, shape = claims.integer("slots", evaluator.slots, evaluator.slots), tuple(claims.integers("shape", MOST_AXES))
    strides, offset, repeats = _places(claims, shape, evaluator, shards)
    sized = all(length >= 1 for length in shape) and math.prod(shape) <= shards * slots
    repeated = all(length > 1 and stride > 0 for length, stride in repeats)
    if sized and repeated and len(strides) == len(shape):
        layout = Layout(shape, slots, strides, offset, repeats, claims.flag("clean"), evaluator.row)
        if layout.strides == strides and layout.shards == shards and layout.injective and layout.within:
            return layout
    raise FormatError(
        f"shape {shape!r:.60} with strides {strides!r:.60} does not lie in {shards} ciphertexts of {slots} slots"
    )


def _places(
    claims: Claims, shape: tuple[int, ...], evaluator: Evaluator, shards: int
) -> tuple[tuple[int, ...], int, tuple[Axis, ...]]:
    """Strides, offset and repeats; the first arrays were vectors, and rows of a power of two."""
    if claims.knows("strides"):
        numbers = claims.integers("repeats", 2 * MOST_AXES)
        repeats = tuple(map(Axis, numbers[::2], numbers[1::2])) if len(numbers) % 2 == 0 else (Axis(0, 0),)
        most = shards * evaluator.slots
        return tuple(claims.integers("strides", MOST_AXES)), claims.integer("offset", 0, most), repeats
    stride = claims.integer("stride", 1, evaluator.row)
    if len(shape) > 2 or evaluator.slots % stride:
        raise FormatError(
            f"shape {shape!r:.60} with stride {stride} is no vector and no rows of {evaluator.slots} slots"
        )
    strides = (stride, 1)[: len(shape)]
    return tuple(0 if length == 1 else s for length, s in zip(shape, strides, strict=True)), 0, ()


def _settled(x: Ciphertext, evaluator: Evaluator) -> Ciphertext:
    """A ciphertext as arrays are sent: of degree 1, near its level's own scale, with room left."""
    parameters = evaluator.chain.parameters
    own, reach, farthest = 1.0, 0.0, x
    if isinstance(parameters, CKKSParameters):
        own, reach = parameters.scale(x.level), parameters.scale_bits / 2
        farthest = replace(x, bound=x.bound + x.noise / x.scale)  # where values may be with their errors
    if x.degree != 1 or abs(math.log2(x.scale / own)) > reach:
        raise FormatError(
            f"a ciphertext of degree {x.degree} and scale 2^{math.log2(x.scale):.1f} is not settled; level {x.level} "
            f"has degree 1 and scale 2^{math.log2(own):.1f}"
        )
    if evaluator.room_bits(farthest) < 0:
        raise FormatError(f"a ciphertext claims a noise or values beyond what level {x.level} can hold")
    return x


def _section(index: int) -> str:
    return f"shard.{index}"


def _reduce(array: EncryptedArray) -> tuple[Any, ...]:
    return _unpickled, (array_container(array).to_bytes(),)


def _unpickled(data: bytes) -> EncryptedArray:
    """The array of a pickle, on the context that this process installed for its key."""
    container, claims = _opened(data)
    return _array(container, claims, resolve(*_identity(claims)).evaluator)


copyreg.pickle(EncryptedArray, _reduce)
