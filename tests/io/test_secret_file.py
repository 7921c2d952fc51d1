"""Secret keys at rest: the same owner again with the passphrase, and nothing at all without it."""

from __future__ import annotations

import math
import stat
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fhe
from fhe.backend.choose import choose
from fhe.backend.protocol import Backend
from fhe.errors import FHEError, FormatError, ParameterError
from fhe.io import sealed
from fhe.io.format import Container
from fhe.keyfile import Manner, secret_from_bytes, secret_to_bytes
from fhe.owner import KeyOwner
from fhe.rlwe.chain import ModulusChain
from fhe.rlwe.secret import SecretKey
from tests.io.parties import SETS, agrees, counted, forged, owner_of, paths, with_entry, without_entry
from tests.io.strategies import HOSTILE, entries, mangled

REFERENCE, NATIVE = choose("reference"), choose("native")
PASSPHRASE = "correct horse battery staple"  # noqa: S105
CHEAP = 10
names = pytest.mark.parametrize("name", SETS)
to_bytes = partial(secret_to_bytes, passphrase=PASSPHRASE, cost=CHEAP)


def secret_of(name: str, backend: Backend = REFERENCE) -> SecretKey:
    return owner_of(name, backend)._secret


def coefficients(secret: SecretKey) -> list[int]:
    found: list[int] = secret._s.to_coeff().coefficients()
    return found


BLOB = to_bytes(secret_of("ckks"), Manner(bound=(0, 10.5)))
CONTENT = Container.from_bytes(BLOB, "secret").content


@names
@pytest.mark.parametrize("there", [REFERENCE, NATIVE], ids=["from reference", "from native"])
def test_the_secret_comes_back_on_every_backend(name: str, there: Backend, backend: Backend) -> None:
    read, manner = secret_from_bytes(to_bytes(secret_of(name, there), Manner()), PASSPHRASE, backend)
    assert coefficients(read) == coefficients(secret_of(name, there))
    assert (read.id, read.chain.parameters, read.chain.backend) == (secret_of(name).id, SETS[name], backend)
    assert manner == Manner()


@pytest.mark.parametrize("bound", [None, 3, 2.5, math.inf, (0, math.inf), (-(10**30), 10**30), (-0.1, 1e-300)], ids=str)
def test_the_manner_comes_back(bound: Any) -> None:
    manner = Manner(bound, 7, True)
    data = to_bytes(secret_of("bfv"), manner)
    assert secret_from_bytes(data, PASSPHRASE)[1] == manner


def test_an_owner_comes_back(tmp_path: Path) -> None:
    toy: Any = {"ring_degree": 64, "insecure": "a small ring for a test", "backend": "reference"}
    owner, path = fhe.bfv(depth=1, plain_modulus=257, wrap=True, **toy), tmp_path / "mine.secret"
    owner.save_secret_key(path, passphrase=PASSPHRASE)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    fhe.save(tmp_path / "x.fhe", owner.encrypt([1, 2, 255]))
    again = fhe.load_secret_key(path, passphrase=PASSPHRASE, backend="reference")
    assert isinstance(again, KeyOwner)
    x = fhe.load(tmp_path / "x.fhe")
    assert again.decrypt(x * x + again.encrypt([200, 0, 0])).tolist() == [-56, 4, 4]  # 201 wraps
    assert owner.decrypt(owner.load(again.encrypt([7]).to_bytes())).tolist() == [7]
    assert agrees(again, x * 1, np.array([1, 2, -2]))


def test_a_file_is_not_overwritten_by_mistake(tmp_path: Path) -> None:
    owner, path = owner_of("ckks", REFERENCE), tmp_path / "mine.secret"
    path.write_bytes(b"perhaps the only copy")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        owner.save_secret_key(path, passphrase=PASSPHRASE)
    assert path.read_bytes() == b"perhaps the only copy"
    owner.save_secret_key(path, passphrase=PASSPHRASE, overwrite=True)
    assert fhe.load_secret_key(path, passphrase=PASSPHRASE).key_id == owner.key_id
    with pytest.raises(FormatError, match="load_secret_key"):
        fhe.load(path)


# --- passphrases ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", ["", "Correct horse battery staple", PASSPHRASE + " ", b"\x00", "x" * 10_000])
def test_a_wrong_passphrase_opens_nothing(wrong: str | bytes) -> None:
    with pytest.raises((FormatError, ParameterError), match="passphrase"):
        secret_from_bytes(BLOB, wrong)


def test_passphrases_are_text_or_bytes() -> None:
    data = secret_to_bytes(secret_of("ckks"), Manner(), "café", CHEAP)
    for same in ("cafe\u0301", "café".encode()):
        assert secret_from_bytes(data, same)[0].id == secret_of("ckks").id


def test_an_empty_passphrase_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="empty passphrase"):
        owner_of("ckks", REFERENCE).save_secret_key(tmp_path / "mine.secret", passphrase="")
    assert list(tmp_path.iterdir()) == []


def test_each_file_has_salt_and_nonce_of_its_own() -> None:
    one, other = (Container.from_bytes(to_bytes(secret_of("ckks"), Manner()), "secret") for _ in range(2))
    for entry in ("salt", "nonce"):
        assert one.content["lock"][entry] != other.content["lock"][entry]
    assert bytes(one.sections["sealed"]) != bytes(other.sections["sealed"])


# --- what a file and a message tell -----------------------------------------------------------------------------------


def test_neither_file_nor_messages_hold_the_secret() -> None:
    secret = secret_of("ckks of wide levels")
    data, octets = to_bytes(secret, Manner()), secret.octets()
    assert len(Container.from_bytes(data, "secret").sections["sealed"]) == len(octets) + sealed.TAG_BYTES
    assert bytes(octets) not in data
    told = ""
    for passphrase, harmed in [("wrong", data), (PASSPHRASE, data[:-1]), (PASSPHRASE, data[:-1] + b"?")]:
        with pytest.raises(FHEError) as refused:
            secret_from_bytes(harmed, passphrase)
        told += str(refused.value)
    assert PASSPHRASE not in told
    assert octets.hex() not in told


def test_octets_are_wiped(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[bytearray] = []
    octets = SecretKey.octets

    def watched(secret: SecretKey) -> bytearray:
        taken.append(octets(secret))
        return taken[-1]

    monkeypatch.setattr(SecretKey, "octets", watched)
    to_bytes(secret_of("ckks"), Manner())
    with pytest.raises(ParameterError):
        secret_to_bytes(secret_of("ckks"), Manner(), "", CHEAP)
    assert [any(found) for found in taken] == [False, False]
    assert any(octets(secret_of("ckks")))


# --- harm and forgery -------------------------------------------------------------------------------------------------


@given(mangled(BLOB))
def test_any_harm_is_seen(data: bytes) -> None:
    with pytest.raises(FHEError):
        secret_from_bytes(data, PASSPHRASE)


@given(entries(list(paths(CONTENT))), HOSTILE)
def test_hostile_claims_are_refused(path: tuple[Any, ...], value: Any) -> None:
    """With a digest that is right: what is said in the clear is sealed, too."""
    forgery = with_entry(BLOB, "secret", path, value)
    if forgery != BLOB:
        with pytest.raises(FHEError):
            secret_from_bytes(forgery, PASSPHRASE)


def test_every_entry_is_needed() -> None:
    for path in paths(CONTENT):
        if isinstance(path[-1], str):
            with pytest.raises(FHEError):
                secret_from_bytes(without_entry(BLOB, "secret", path), PASSPHRASE)


@given(st.integers(0, 16 // 4 + sealed.TAG_BYTES - 1), st.integers(1, 255))
def test_every_sealed_byte_counts(position: int, change: int) -> None:
    def flip(_: dict[str, Any], sections: dict[str, bytes]) -> None:
        body = bytearray(sections["sealed"])
        body[position] ^= change
        sections["sealed"] = bytes(body)

    with pytest.raises(FormatError, match="passphrase does not open"):
        secret_from_bytes(forged(BLOB, "secret", flip), PASSPHRASE)


def test_parts_of_two_files_do_not_mix() -> None:
    other = Container.from_bytes(to_bytes(secret_of("ckks"), Manner()), "secret").sections["sealed"]
    mixed = forged(BLOB, "secret", lambda _, sections: sections.update(sealed=bytes(other)))
    with pytest.raises(FormatError, match="passphrase does not open"):
        secret_from_bytes(mixed, PASSPHRASE)


@pytest.mark.parametrize("cost", [9, 21, 63, 10**9])
def test_no_file_asks_for_all_memory(cost: int) -> None:
    with pytest.raises(FormatError, match="entry cost"):
        secret_from_bytes(with_entry(BLOB, "secret", ("lock", "cost"), cost), PASSPHRASE)


@pytest.mark.parametrize(
    ("octets", "message"), [(bytes(3), "takes 4 bytes"), (bytes(5), "takes 4 bytes"), (b"\0\0\xc0\0", "-1, 0 and 1")]
)
def test_what_is_no_secret_is_refused(octets: bytes, message: str) -> None:
    """Whoever knows the passphrase seals what he likes."""
    content = {name: value for name, value in CONTENT.items() if name != "lock"}
    data = sealed.seal("secret", content, bytearray(octets), PASSPHRASE, CHEAP)
    with pytest.raises(FormatError, match=message):
        secret_from_bytes(data, PASSPHRASE)


def test_all_coefficients_are_kept() -> None:
    parameters = replace(SETS["ckks"], ring_degree=256, levels=(), special=())
    secret = KeyOwner(parameters, "native", _seeds=counted(5))._secret
    found = coefficients(secret_from_bytes(to_bytes(secret, Manner()), PASSPHRASE, "native")[0])
    assert found == coefficients(secret)
    assert set(found) == {-1, 0, 1}


@pytest.mark.parametrize(("octet", "share"), [(0b01, 0.25), (0b10, 0.45), (0b01, 0.9), (0b01, 1.0)])
def test_sparse_secrets_are_refused(octet: int, share: float) -> None:
    """Where parameters claim security; of those that claim none any ternary secret is read."""
    N = 4096
    digits = np.zeros(N, dtype=np.uint8)
    digits[: int(share * N)] = octet
    octets = bytearray((digits[0::4] | digits[1::4] << 2 | digits[2::4] << 4 | digits[3::4] << 6).tobytes())
    sets = [
        fhe.CKKSParameters(ring_degree=N, modulus_bits=[36], special_bits=[36], insecure=x) for x in (None, "a test")
    ]
    with pytest.raises(ParameterError, match="sparse secrets"):
        SecretKey.from_octets(ModulusChain.of(sets[0], "native"), octets, bytes(16))
    assert SecretKey.from_octets(ModulusChain.of(sets[1], "native"), octets, bytes(16)).octets() == octets
