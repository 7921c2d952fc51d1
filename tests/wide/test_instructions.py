"""No kernel takes more instructions than when they were last recorded, whatever the machine is doing meanwhile."""

from __future__ import annotations

import pytest

from bench.instructions import RECORD, counts, grown, recorded, toolchain, valgrind

pytestmark = pytest.mark.wide


def test_no_count_has_grown() -> None:
    if not valgrind():
        pytest.skip("needs valgrind (Debian, Ubuntu: apt install valgrind)")
    if not (before := recorded()):
        pytest.skip(f"{RECORD.name} has no counts of {toolchain()}; python -m bench.instructions --update adds them")
    worse = grown(before, counts())
    message = "\n".join([*worse, "explain it, then record it: python -m bench.instructions --update"])
    assert not worse, message


def test_growth_is_seen() -> None:
    before = {"scalar": {"ntt": 1000, "intt": 1000}}
    assert not grown(before, {"scalar": {"ntt": 1019, "intt": 900}})
    assert grown(before, {"scalar": {"ntt": 1021, "intt": 1000}}) == ["scalar ntt: 1000 instructions before, now 1021"]
    assert grown(before, {"scalar": {"ntt": 1000}}) == ["scalar intt: counted and recorded differ"]
