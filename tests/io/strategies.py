"""Hypothesis strategies for what a network or an adversary does to bytes."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
"""Values that JSON holds."""

HOSTILE = st.sampled_from(
    [
        *(None, True, False, -1, 0, 1, 2, 3, 7, 17, 97, 1 << 17, 1 << 31, 1 << 62, 1 << 63, 1 << 64, 10**400),
        *(0.0, -0.0, 0.5, 1.0, -1.0, 5e-324, 1e300, 1.7e308, 2.0**40, 2.0**1023),
        *("", "0", "00" * 16, "00" * 32, "FF" * 32, "é" * 64, "\ud800", "nan", "inf", "0x1p+9999", "float64", "int64"),
        *([], [[]], [1], [1, 1], [1 << 62], [0, 5], [-1], [[97], [97]], {}, {"level": 0}, {"level": 0, "seed": ""}),
    ]
)
"""Values chosen to hurt: ends of ranges, giants, other types, other sizes."""


@st.composite
def mangled(draw: st.DrawFn, data: bytes) -> bytes:
    """Bytes that differ from these: changed, cut, filled up, moved, repeated."""
    position, length = draw(st.integers(0, len(data) - 1)), draw(st.integers(1, 40))
    replacement = draw(st.binary(min_size=1, max_size=40))
    changed = draw(
        st.sampled_from(
            [
                data[:position],
                data[:position] + data[position + length :],
                data[:position] + replacement + data[position:],
                data[:position] + replacement + data[position + len(replacement) :],
                data[:position] + bytes([data[position] ^ 1 << length % 8]) + data[position + 1 :],
                data[:position] + data[position:] * 2,
                data + replacement,
                replacement + data,
                data[position:] + data[:position],
            ]
        )
    )
    return changed if changed != data else data[:-1]


def entries(all_paths: list[tuple[Any, ...]]) -> st.SearchStrategy[tuple[Any, ...]]:
    """One of the places in a container's content."""
    return st.sampled_from(all_paths)
