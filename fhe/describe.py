"""What a file is, from its header alone: nothing of its sections is read, and nothing of a secret can be told."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Final

from fhe.errors import FormatError
from fhe.io.claims import Claims
from fhe.io.files import FilePath
from fhe.io.format import Header, header_size
from fhe.parameters import Parameters
from fhe.rlwe.automorphism import step_of

PARAMETERS_ID_BYTES, KEY_ID_BYTES = 32, 16
MOST = 1 << 62


def describe(path: FilePath) -> dict[str, Any]:
    """What the header of a file claims, as plain values; FormatError for a file that is none of this library.

    Claims, all of them: that a digest is right, and that ciphertexts are what they should be, is found by loading.

    >>> import fhe, tempfile
    >>> path = Path(tempfile.mkdtemp(), "parameters.fhe")
    >>> fhe.save(path, fhe.BFVParameters(ring_degree=2**12, modulus_bits=[36], special_bits=[36], plain_modulus=65537))
    >>> found = describe(path)
    >>> found["kind"], found["parameters"]["security_bits"]
    ('parameters', 192)
    """
    with Path(path).open("rb") as file:
        total = os.fstat(file.fileno()).st_size
        header = _header(file, total)
        found: dict[str, Any] = {"kind": header.kind, "bytes": total, "sections": len(header.sizes)}
        if header.kind in ("wide", "bits", "decimals") and header.sizes:
            inner = _header(file, next(iter(header.sizes.values())))
            names = [name for name in ("parts", "width", "signed", "places") if name in header.content]
            found |= {name: header.content[name] for name in names if type(header.content[name]) in (int, bool)}
            found["of"] = {"kind": inner.kind} | _about(inner)
        return found | _about(header)


def _header(file: BinaryIO, total: int) -> Header:
    """The header that begins where the file is; the file is left at its end."""
    start = file.read(8)
    return Header.of(start + file.read(header_size(start, total) - 8), total)


def _about(header: Header) -> dict[str, Any]:
    return KINDS[header.kind](header) if header.kind in KINDS else {}


def _described(claim: object) -> dict[str, Any]:
    """A parameter set and what follows from it."""
    parameters = Parameters.from_dict(claim)
    return {
        "summary": parameters.summary(),
        "id": parameters.id,
        "log_qp": parameters.log_qp,
        "security_bits": parameters.security_bits,
        "insecure": parameters.insecure,
        "levels": parameters.max_level + 1,
    }


def _parameters(header: Header) -> dict[str, Any]:
    return {"parameters": _described(header.content.get("parameters"))}


def _public(header: Header) -> dict[str, Any]:
    names = ["parameters", "key_id", "public_key", "relinearization", "galois"]
    claims = Claims(header.content, "a public context", names)
    N = Parameters.from_dict(claims.raw("parameters")).ring_degree
    keys = [Claims(item, "a Galois key", ["element", "level", "seed"]) for item in claims.items("galois")]
    elements = [key.integer("element", 1, 2 * N - 1) for key in keys]
    return {
        "parameters": _described(claims.raw("parameters")),
        "key_id": claims.octets("key_id", KEY_ID_BYTES).hex(),
        "public_key": claims.has("public_key"),
        "relinearization": claims.has("relinearization"),
        "rotations": sorted(step for g in elements if g % 2 and (step := step_of(g, N)) is not None),
        "conjugation": 2 * N - 1 in elements,
        "key_bytes": dict(header.sizes),
    }


def _secret(header: Header) -> dict[str, Any]:
    content = header.content
    claims = Claims({"key_id": content.get("key_id"), "lock": content.get("lock")}, "a secret key", ["key_id", "lock"])
    lock = Claims(claims.raw("lock"), "a sealed secret", ["kdf", "cost", "salt", "cipher", "nonce"])
    known = {name: name for name in ("scrypt", "aes-256-gcm")}
    sealed = {"kdf": lock.choice("kdf", known), "cipher": lock.choice("cipher", known)}
    return {
        "parameters": _described(content.get("parameters")),
        "key_id": claims.octets("key_id", KEY_ID_BYTES).hex(),
        "sealed": sealed | {"memory_bytes": 1024 << lock.integer("cost", 0, 63)},
    }


def _array(header: Header) -> dict[str, Any]:
    names = ["parameters", "key_id", "shape", "dtype", "shards"]
    claims = Claims({name: header.content.get(name) for name in names}, "an encrypted array", names)
    shards = [_shard(item) for item in claims.items("shards")]
    found = {
        "parameters_id": claims.octets("parameters", PARAMETERS_ID_BYTES).hex(),
        "key_id": claims.octets("key_id", KEY_ID_BYTES).hex(),
        "shape": claims.integers("shape", 32),
        "dtype": claims.choice("dtype", {name: name for name in ("float64", "complex128", "int64")}),
        "ciphertexts": len(shards),
    }
    for name in ("level", "scale", "noise", "bound", "interval", "symmetric"):
        values = [shard[name] for shard in shards if name in shard]
        if values:
            found[name] = values[0] if values.count(values[0]) == len(values) else [min(values), max(values)]
    return found


def _shard(item: object) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise FormatError("each ciphertext of an array is described by a dictionary")
    names = [name for name in ("level", "scale", "noise", "bound", "interval", "seed") if name in item]
    claims = Claims({name: item[name] for name in names}, "a ciphertext", names)
    found: dict[str, Any] = {"level": claims.integer("level", 0, MOST)} if "level" in names else {}
    found |= {name: claims.number(name, 0.0) for name in ("scale", "noise", "bound") if name in names}
    if "interval" in names:
        found["interval"] = list(claims.pair("interval", 4096))
    return found | {"symmetric": claims.has("seed") if "seed" in names else False}


KINDS: Final[dict[str, Callable[[Header], dict[str, Any]]]] = {
    "parameters": _parameters,
    "public": _public,
    "secret": _secret,
    "array": _array,
}


def report(found: dict[str, Any]) -> str:
    """The same for people: a line for each thing that is known."""
    lines = []
    for name, value in found.items():
        if name == "parameters":
            lines.append(str(value["summary"]))
        elif name == "of":
            lines += ["of which the first:", *("  " + line for line in report(value).splitlines())]
        elif name == "key_bytes":
            lines.append(f"{'keys':<18} {len(value)}, {sum(value.values()):,} bytes")
        else:
            lines.append(f"{name.replace('_', ' '):<18} {_text(value)}")
    return "\n".join(lines)


def _text(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:.6g}"
        case list():
            return ", ".join(map(_text, value)) or "none"
        case dict():
            return ", ".join(f"{name.replace('_', ' ')} {_text(inner)}" for name, inner in value.items())
    return str(value)
