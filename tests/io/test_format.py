"""The container: one way to write it, nothing else is read, and nothing is allocated before it is known to be there."""

from __future__ import annotations

import hashlib
import json
import tracemalloc
from typing import Any

import pytest
import safetensors
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st

from fhe.errors import FormatError, ParameterError
from fhe.io.claims import Claims
from fhe.io.format import BLANK_DIGEST, Container, header_limit
from tests.io.strategies import PLAIN, mangled

CONTENT = st.dictionaries(st.text(), PLAIN, max_size=4)
NAMES = st.text(st.characters(codec="ascii", exclude_characters="_"), min_size=1, max_size=12)
SECTIONS = st.dictionaries(NAMES, st.binary(max_size=50), max_size=4)
SAMPLE = Container("note", {"level": 3, "scale": 0.5}, {"a": b"residues", "b": b"", "c": bytes(range(64))}).to_bytes()


def header_of(data: bytes) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    return parsed


def with_header(text: bytes, body: bytes = b"") -> bytes:
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + body


def signed(table: dict[str, Any], body: bytes = b"") -> bytes:
    """A file with this header, its digest computed as a forger would."""
    table["__metadata__"]["digest"] = BLANK_DIGEST
    blank = with_header(json.dumps(table, separators=(",", ":")).encode(), body)
    return blank.replace(BLANK_DIGEST.encode(), hashlib.sha256(blank).hexdigest().encode())


def sample_with(**metadata: Any) -> dict[str, Any]:
    table = header_of(SAMPLE)
    table["__metadata__"] |= metadata
    return table


@given(st.text(max_size=9), CONTENT, SECTIONS)
def test_what_is_written_is_read(kind, content, sections):
    data = Container(kind, content, sections).to_bytes()
    read = Container.from_bytes(data, kind)
    assert read.content == content
    assert {name: bytes(section) for name, section in read.sections.items()} == sections
    assert list(read.sections) == list(sections)
    assert Container.from_bytes(bytearray(data), kind).to_bytes() == data


@given(CONTENT, SECTIONS)
def test_a_container_is_a_safetensors_file(content, sections):
    data = Container("note", content, sections).to_bytes()
    assert {name: array.tobytes() for name, array in safetensors.numpy.load(data).items()} == sections


def test_others_see_what_it_is(tmp_path):
    (tmp_path / "file").write_bytes(SAMPLE)
    with safetensors.safe_open(tmp_path / "file", "numpy") as file:
        metadata = file.metadata()
    assert (metadata["format"], metadata["version"], metadata["kind"]) == ("fhe", "1", "note")
    assert json.loads(metadata["content"]) == {"level": 3, "scale": 0.5}


def test_the_digest_is_that_of_the_file_without_it():
    digest = header_of(SAMPLE)["__metadata__"]["digest"]
    assert hashlib.sha256(SAMPLE.replace(digest.encode(), BLANK_DIGEST.encode())).hexdigest() == digest


def test_equal_contents_give_equal_bytes():
    assert Container("k", {"a": 1, "b": 2}, {}).to_bytes() == Container("k", {"b": 2, "a": 1}, {}).to_bytes()


def test_sections_are_views_aligned_and_read_only():
    data = bytearray(SAMPLE)
    section = Container.from_bytes(data, "note").sections["a"]
    assert isinstance(section, memoryview)
    assert section.obj is data
    assert section.readonly
    assert data.index(b"residues") % 8 == 0


# --- harm -------------------------------------------------------------------------------------------------------------


@given(mangled(SAMPLE))
def test_any_harm_is_seen(data):
    with pytest.raises(FormatError):
        Container.from_bytes(data, "note")


def test_every_single_bit_counts():
    for position in range(len(SAMPLE)):
        for bit in range(8):
            changed = bytearray(SAMPLE)
            changed[position] ^= 1 << bit
            with pytest.raises(FormatError):
                Container.from_bytes(changed, "note")


@pytest.mark.parametrize("size", range(len(SAMPLE)))
def test_every_cut_is_seen(size):
    with pytest.raises(FormatError, match="cut short"):
        Container.from_bytes(SAMPLE[:size], "note")


@given(st.binary(max_size=200))
def test_anything_else_is_refused(data):
    for candidate in (data, with_header(data), with_header(b"{" + data + b"}")):
        with pytest.raises(FormatError):
            Container.from_bytes(candidate, "note")


# --- forgery: the digest is right, the rest is not --------------------------------------------------------------------


def test_signing_makes_what_the_container_makes():
    assert signed(header_of(SAMPLE), SAMPLE[-72:]) == SAMPLE


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"format": "other"}, "no file of this library"),
        ({"format": None}, "no file of this library"),
        ({"version": "2"}, "format version '2'; read here: 1"),
        ({"version": 1}, "format version 1; read here: 1"),
        ({"kind": "array"}, "hold a 'array', where a 'note'"),
        ({"kind": ["note"]}, "each a string"),
        ({"more": ""}, "each a string"),
        ({"content": "[]"}, "no JSON object"),
        ({"content": '{"level":NaN}'}, "no JSON"),
        ({"content": '{"level":-Infinity}'}, "no JSON"),
        ({"content": '{"level":1e999}'}, "finite"),
        ({"content": '{"level": 3}'}, "canonical"),
        ({"content": '{"level":3,"level":3}'}, "canonical"),
        ({"content": '{"b":1,"a":1}'}, "canonical"),
        ({"content": '{"level":' + "9" * 5000 + "}"}, "no JSON"),
        ({"content": "[" * 100_000}, "no JSON"),
        ({"content": '{"level":"\ud800"}'}, "canonical"),
        ({"content": '{"level":"é"}'}, "canonical"),
    ],
)
def test_forged_metadata_are_refused(metadata, message):
    with pytest.raises(FormatError, match=message):
        Container.from_bytes(signed(sample_with(**metadata), SAMPLE[-72:]), "note")


@pytest.mark.parametrize(
    "entry",
    [
        {"dtype": "U64", "shape": [1], "data_offsets": [0, 8]},
        {"dtype": "Q9", "shape": [8], "data_offsets": [0, 8]},
        {"dtype": "U8", "shape": [2, 4], "data_offsets": [0, 8]},
        {"dtype": "U8", "shape": [1 << 62], "data_offsets": [0, 8]},
        {"dtype": "U8", "shape": [8], "data_offsets": [64, 72]},
        {"dtype": "U8", "shape": [8], "data_offsets": [0, 8], "more": 1},
        {"dtype": "U8", "data_offsets": [0, 8], "shape": [8]},
        {"dtype": "U8", "shape": [8], "data_offsets": [8, 0]},
        {"dtype": "U8", "shape": [8], "data_offsets": [-8, 0]},
        {"dtype": "U8", "shape": [8], "data_offsets": [0, 8.0]},
        {"dtype": "U8", "shape": [8], "data_offsets": [0, True]},
        {"dtype": "U8", "shape": [8], "data_offsets": [0, 4, 8]},
        {"dtype": "U8", "shape": [1 << 62], "data_offsets": [0, 1 << 62]},
        {"dtype": "U8", "shape": [8]},
        [],
        None,
    ],
)
def test_forged_sections_are_refused(entry):
    with pytest.raises(FormatError):
        Container.from_bytes(signed(header_of(SAMPLE) | {"a": entry}, SAMPLE[-72:]), "note")


def test_bytes_that_no_section_holds_are_refused():
    with pytest.raises(FormatError, match="cut short, or added to"):
        Container.from_bytes(signed(header_of(SAMPLE), SAMPLE[-72:] + bytes(8)), "note")


def test_repeated_sections_are_refused():
    text = SAMPLE[8:-72].rstrip()
    repeated = text[:-1] + b',"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}'
    blank = with_header(repeated.replace(header_of(SAMPLE)["__metadata__"]["digest"].encode(), BLANK_DIGEST.encode()))
    digest = hashlib.sha256(blank + SAMPLE[-72:]).hexdigest().encode()
    with pytest.raises(FormatError, match="canonical"):
        Container.from_bytes(blank.replace(BLANK_DIGEST.encode(), digest) + SAMPLE[-72:], "note")


def test_sections_do_not_shrink():
    """Offsets that run back would let two sections share their bytes."""
    table = header_of(SAMPLE)
    table["a"] = {"dtype": "U8", "shape": [-8], "data_offsets": [0, -8]}
    table["b"] = {"dtype": "U8", "shape": [0], "data_offsets": [-8, -8]}
    table["c"] = {"dtype": "U8", "shape": [64], "data_offsets": [-8, 56]}
    with pytest.raises(FormatError, match="from where to where"):
        Container.from_bytes(signed(table, SAMPLE[-56:]), "note")


def test_an_upper_case_digest_is_refused():
    digest = header_of(SAMPLE)["__metadata__"]["digest"]
    with pytest.raises(FormatError, match="digest"):
        Container.from_bytes(SAMPLE.replace(digest.encode(), digest.upper().encode()), "note")


@pytest.mark.parametrize(
    "data",
    [
        b"\xff" * 4096,
        (1 << 63).to_bytes(8, "little") + b"{}",
        (1 << 40).to_bytes(8, "little") + bytes(4096),
        (100 << 20).to_bytes(8, "little") + b"[" * 4096,
        signed(header_of(SAMPLE) | {"z": {"dtype": "U8", "shape": [1 << 50], "data_offsets": [72, (1 << 50) + 72]}}),
        signed(header_of(SAMPLE) | {"z": {"dtype": "U8", "shape": [], "data_offsets": [0] * 10_000}}),
    ],
    ids=["all ones", "header of 2^63", "header of 2^40", "header of 100 MiB", "section of 2^50", "many offsets"],
)
def test_claimed_sizes_allocate_nothing(data):
    tracemalloc.start()
    try:
        with pytest.raises(FormatError):
            Container.from_bytes(data, "note")
        assert tracemalloc.get_traced_memory()[1] < 64 * len(data) + (1 << 16)
    finally:
        tracemalloc.stop()


def test_a_header_beyond_the_limit_is_neither_written_nor_read():
    sections = {f"{index:0100d}": b"" for index in range(10_000)}
    with pytest.raises(ParameterError, match="10000 sections"):
        Container("note", {}, sections).to_bytes()
    data = bytearray(2 * header_limit(0) + 8)
    data[:8] = (header_limit(len(data)) + 8).to_bytes(8, "little")
    with pytest.raises(FormatError, match="a limit of"):
        Container.from_bytes(data, "note")


def test_infinite_metadata_are_not_written():
    with pytest.raises(FormatError, match="finite"):
        Container("note", {"noise": float("inf")}, {}).to_bytes()


# --- claims -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "ask"),
    [
        *((value, lambda claims: claims.integer("x", 0, 3)) for value in (True, 1.0, "1", None, -1, 4, 10**400, [1])),
        *((value, lambda claims: claims.integers("x", 2)) for value in ([1, 2, 3], [True], [1.0], 1, None, "12")),
        *((value, lambda claims: claims.number("x", 0.0)) for value in (1, True, "1.0", -0.5, float("nan"), None)),
        *((value, lambda claims: claims.number("x", -1.0)) for value in (float("inf"), float("-inf"), -2.0, 10**400)),
        *((value, lambda claims: claims.flag("x")) for value in (0, 1, None, "true")),
        *((value, lambda claims: claims.choice("x", {"a": 1})) for value in ("b", 1, None, ["a"], {})),
        *(
            (value, lambda claims: claims.octets("x", 2))
            for value in ("00f", "00ff00", "00FF", "00 f", "0x12", 12, None)
        ),
        *((value, lambda claims: claims.items("x")) for value in ({}, "ab", None, 3)),
        *(
            (value, lambda claims: claims.pair("x", 8))
            for value in ([2, 1], [0, 256], [256, None], [-256, 0], [0], [0, 1, 2], [0, True], [0.0, 1], None)
        ),
    ],
)
def test_claims_that_are_not_what_they_should_be(value, ask):
    with pytest.raises(FormatError, match="entry x of a test must be"):
        ask(Claims({"x": value}, "a test", ["x"]))


@pytest.mark.parametrize("values", [None, [], "x", {}, {"x": 1, "y": 2}, {"y": 1}])
def test_claims_have_their_entries_and_no_others(values):
    with pytest.raises(FormatError, match="a test has the entries x and no others"):
        Claims(values, "a test", ["x"])
