"""What a file is, from its header: kinds, parameters, key ids, levels, bounds, sizes; never a secret or a section."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given

import fhe
from fhe.backend.choose import choose
from fhe.cli import main
from fhe.describe import describe
from fhe.errors import FHEError
from fhe.io.format import Container, header_size
from fhe.keyfile import Manner, secret_to_bytes
from tests.io.parties import SETS, owner_of, paths, with_entry
from tests.io.strategies import HOSTILE, entries, mangled

OWNER = owner_of("ckks", choose("reference"))
TOY: Any = {"ring_degree": 64, "insecure": "a small ring for a test", "backend": "reference"}
BLOBS = {
    "array": OWNER.encrypt(np.ones((4, 5)), bound=2.0, symmetric=True).to_bytes(),
    "public": OWNER.public(rotations=[1, 2], conjugation=True).to_bytes(),
    "secret": secret_to_bytes(OWNER._secret, Manner(), "correct horse", 10),
}


def inner(kind: str) -> dict[str, Any]:
    return Container.from_bytes(BLOBS[kind], kind).content


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "thing.fhe"


def inspected(data: bytes) -> dict[str, Any]:
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        return describe(file.name)


def test_an_array() -> None:
    found = inspected(BLOBS["array"])
    expected = {"kind": "array", "bytes": len(BLOBS["array"]), "shape": [4, 5], "dtype": "float64", "level": 2}
    expected |= {"key_id": OWNER.key_id.hex(), "parameters_id": SETS["ckks"].id, "bound": 2.0, "symmetric": True}
    expected |= {"scale": SETS["ckks"].scale(2), "ciphertexts": 4, "sections": 4}
    assert {name: found[name] for name in expected} == expected


def test_a_public_context() -> None:
    found = inspected(BLOBS["public"])
    assert (found["public_key"], found["relinearization"], found["conjugation"]) == (True, True, True)
    assert found["rotations"] == [1, 2]
    assert found["parameters"]["summary"] == SETS["ckks"].summary()
    assert (found["parameters"]["security_bits"], found["parameters"]["insecure"]) == (0, "a small ring for a test")


def test_a_secret_key_tells_nothing_of_the_secret() -> None:
    found = inspected(BLOBS["secret"])
    assert found["key_id"] == OWNER.key_id.hex()
    assert found["sealed"] == {"kdf": "scrypt", "cipher": "aes-256-gcm", "memory_bytes": 1 << 20}
    told = json.dumps(found)
    assert OWNER._secret.octets().hex() not in told
    assert bytes(Container.from_bytes(BLOBS["secret"], "secret").sections["sealed"]).hex() not in told


def test_what_is_made_of_arrays() -> None:
    money = fhe.bfv(depth=1, value_bits=30, decimals=2, **TOY)
    wide = fhe.bfv(depth=1, value_bits=70, **TOY)
    found = inspected(money.encrypt(["19.99"], bound=100).to_bytes())
    assert (found["kind"], found["places"], found["of"]["interval"]) == ("decimals", 2, [-10000, 10000])
    assert inspected(money.encrypt_bits([5, 2], bits=3).to_bytes())["of"]["shape"] == [2]
    assert inspected(wide.encrypt([1, 2]).to_bytes())["of"]["kind"] == "array"


@pytest.mark.parametrize("kind", BLOBS)
def test_the_header_is_enough(kind: str) -> None:
    """Sections may be anything, of their size."""
    size = header_size(BLOBS[kind][:8], len(BLOBS[kind]))
    assert inspected(BLOBS[kind][:size] + bytes(len(BLOBS[kind]) - size)) == inspected(BLOBS[kind])


@given(mangled(BLOBS["array"]) | mangled(BLOBS["public"]) | mangled(BLOBS["secret"]))
def test_harm_to_the_header_is_an_error_or_seen_by_loading(data: bytes) -> None:
    try:
        inspected(data)
    except FHEError:
        return
    for loading in (OWNER.load, fhe.Context.from_bytes):
        with pytest.raises(FHEError):
            loading(data)


@given(HOSTILE, entries([(kind, path) for kind in BLOBS for path in paths(inner(kind))]))
def test_hostile_claims_are_told_or_refused(value: Any, place: tuple[str, Any]) -> None:
    kind, path = place
    try:
        json.dumps(inspected(with_entry(BLOBS[kind], kind, path, value)), allow_nan=False)
    except FHEError:
        return


def test_the_command(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path.write_bytes(BLOBS["public"])
    assert main(["inspect", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == describe(path)
    assert main(["inspect", str(path)]) == 0
    text = capsys.readouterr().out
    assert "INSECURE: a small ring for a test" in text
    assert "rotations          1, 2\n" in text
    assert OWNER.key_id.hex() in text


@pytest.mark.parametrize(("data", "message"), [(b"", "cut short"), (b"PK\x03\x04" * 9, "no file of this library")])
def test_failures_are_a_sentence(path: Path, capsys: pytest.CaptureFixture[str], data: bytes, message: str) -> None:
    path.write_bytes(data)
    assert main(["inspect", str(path)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert err.count("\n") == 1
    assert main(["inspect", str(path) + ".not"]) == 1
    assert "no such file" in capsys.readouterr().err
