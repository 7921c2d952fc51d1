"""Envelopes open for who holds the key, unchanged, for the same purpose; and for nobody else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import fhe
from fhe.errors import FormatError, ParameterError
from tests.io.strategies import mangled

KEY = bytes(range(32))
SENT = fhe.seal(b"request 17", KEY, purpose="to the server")


@given(st.binary(max_size=200), st.binary(min_size=32, max_size=32), st.text(max_size=20))
def test_what_is_sealed_is_opened(data: bytes, key: bytes, purpose: str) -> None:
    sealed = fhe.seal(data, key, purpose)
    assert fhe.unseal(sealed, key, purpose) == data
    assert len(sealed) == len(data) + 64
    assert sealed != fhe.seal(data, key, purpose)


@given(mangled(SENT))
def test_no_byte_can_be_changed(data: bytes) -> None:
    with pytest.raises(FormatError):
        fhe.unseal(data, KEY, "to the server")


@given(st.integers(0, 8 * len(SENT) - 1))
def test_no_bit_can_be_flipped(bit: int) -> None:
    data = bytearray(SENT)
    data[bit // 8] ^= 1 << bit % 8
    with pytest.raises(FormatError):
        fhe.unseal(bytes(data), KEY, "to the server")


def test_others_do_not_open_it() -> None:
    with pytest.raises(FormatError, match="do not open"):
        fhe.unseal(SENT, bytes(32), "to the server")
    with pytest.raises(FormatError, match="do not open"):
        fhe.unseal(SENT, KEY, "to the client")
    for key in (b"", KEY[:31], KEY + b"\0"):
        with pytest.raises(ParameterError, match="has 32 bytes"):
            fhe.seal(b"", key)
    assert len({fhe.new_envelope_key() for _ in range(20)}) == 20


def test_files_in_envelopes(tmp_path: Path) -> None:
    owner = fhe.ckks(depth=1, ring_degree=64, insecure="a small ring for a test", backend="reference")
    path, key = tmp_path / "x.fhe", fhe.new_envelope_key()
    fhe.save(path, owner.encrypt([1.5, 2.5]), key=key)
    assert owner.decrypt(fhe.load(path, owner, key=key)).round(3).tolist() == [1.5, 2.5]
    with pytest.raises(FormatError, match="open it with its key"):
        fhe.load(path, owner)
    with pytest.raises(FormatError, match="do not open"):
        fhe.load(path, owner, key=KEY)
    fhe.save(path, owner.encrypt([1.5, 2.5]))  # by somebody without the key
    with pytest.raises(FormatError, match="no envelope"):
        fhe.load(path, owner, key=key)
