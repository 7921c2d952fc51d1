"""Hostile bytes of every kind: each way to change them is refused by name, or what is read is just what was said."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhe.errors import FHEError, FormatError, ParameterError
from tests.io.hostile import FORGERIES, KINDS, Change, blob, changed, content_of, read, said
from tests.io.parties import paths
from tests.io.strategies import HOSTILE
from tests.vectors import make_rejections

REFUSALS = (FormatError, ParameterError)
kinds = pytest.mark.parametrize("kind", KINDS)


@kinds
def test_what_is_whole_is_read(kind: str) -> None:
    assert said(kind, read(kind, changed(kind, lambda content, sections: None))) == said(kind, read(kind, blob(kind)))


@kinds
@given(data=st.data())
def test_cut_anywhere(kind: str, data: st.DataObject) -> None:
    whole = blob(kind)
    with pytest.raises(REFUSALS, match=r"cut short|JSON"):
        read(kind, whole[: data.draw(st.integers(0, len(whole) - 1))])


@kinds
@given(more=st.binary(min_size=1, max_size=40), front=st.booleans())
def test_extended(kind: str, more: bytes, front: bool) -> None:
    with pytest.raises(REFUSALS):
        read(kind, more + blob(kind) if front else blob(kind) + more)


@kinds
@given(data=st.data(), bit=st.integers(0, 7))
def test_one_bit_flipped(kind: str, data: st.DataObject, bit: int) -> None:
    harmed = bytearray(blob(kind))
    harmed[data.draw(st.integers(0, len(harmed) - 1))] ^= 1 << bit
    with pytest.raises(REFUSALS):
        read(kind, bytes(harmed))


@kinds
@given(data=st.data())
def test_pieces_exchanged(kind: str, data: st.DataObject) -> None:
    whole = blob(kind)
    a, b, c, d = sorted(data.draw(st.lists(st.integers(0, len(whole)), min_size=4, max_size=4)))
    harmed = whole[:a] + whole[c:d] + whole[b:c] + whole[a:b] + whole[d:]
    if harmed != whole:
        with pytest.raises(REFUSALS):
            read(kind, harmed)


def refused_or_true(kind: str, change: Change) -> None:
    """With a digest that is right: what is not refused says again, byte for byte, what it was."""
    forgery = changed(kind, change)
    try:
        found = read(kind, forgery)
    except REFUSALS:
        return
    if kind == "secret":
        assert said(kind, found)[0] == sealed_content(change)
    else:
        assert said(kind, found) == forgery


def sealed_content(change: Change) -> dict[str, Any]:
    content = copy.deepcopy(content_of("secret"))
    change(content, {"sealed": b""})
    return content


@kinds
@given(data=st.data(), values=st.lists(HOSTILE, min_size=1, max_size=2))
def test_forged_metadata(kind: str, data: st.DataObject, values: list[Any]) -> None:
    places = [data.draw(st.sampled_from(list(paths(content_of(kind))))) for _ in values]

    def change(content: dict[str, Any], _: dict[str, bytes]) -> None:
        for (*outer, last), value in zip(places, values, strict=True):
            inner: Any = content
            try:
                for step in outer:
                    inner = inner[step]
                inner[last] = copy.deepcopy(value)
            except (TypeError, LookupError):  # the other change replaced what it is in
                continue

    refused_or_true(kind, change)


@kinds
@given(data=st.data())
def test_swapped_sections(kind: str, data: st.DataObject) -> None:
    """The bytes of one under the name of another: of the same size, they may be what is said."""

    def change(_: dict[str, Any], sections: dict[str, bytes]) -> None:
        if sections:
            one, other = (data.draw(st.sampled_from(sorted(sections))) for _ in range(2))
            sections[one], sections[other] = sections[other], sections[one]

    refused_or_true(kind, change)


@kinds
@pytest.mark.parametrize("other", KINDS)
def test_one_kind_for_another(kind: str, other: str) -> None:
    """Of the arrays of its own key, `Context.load` reads any kind."""
    own = {"array, symmetric", "bits", "decimals"}
    if kind != other and not {kind, other} <= own:
        with pytest.raises(REFUSALS):
            read(kind, blob(other))


# --- the table --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("forgery", FORGERIES, ids=" ".join)
def test_forgeries_are_refused_by_name(forgery: tuple[str, str]) -> None:
    with pytest.raises(FHEError) as refused:
        read(forgery[0], changed(forgery[0], FORGERIES[forgery]))
    assert type(refused.value) in REFUSALS


def test_the_table_says_what_happens() -> None:
    assert make_rejections.FILE.read_text() == make_rejections.text()
