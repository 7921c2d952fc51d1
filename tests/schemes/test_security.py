"""The security tables against the published figures, literally."""

from __future__ import annotations

import json
import math
from itertools import pairwise

import pytest

from fhe.choice import choose_ckks
from fhe.errors import ParameterError
from fhe.security import SecurityReport, largest_log_qp, require_secure, security_level, smallest_ring_degree

DEGREES = [1 << k for k in range(10, 18)]

# ePrint 2024/463, table 5.2, uniform ternary secret, as in RNS-CKKS-examples/lattigo/parameters/tables.go of
# gong-cr/FHE-Security-Guidelines.
CLASSICAL = {
    128: [26, 53, 106, 214, 430, 868, 1747, 3523],
    192: [0, 36, 73, 147, 297, 597, 1199, 2411],
    256: [0, 27, 56, 114, 230, 462, 929, 1866],
}
# The same project, max_logQ_tables.py, `logq_initial_quantum_ternary`; its entries for N = 1024 beyond 128 bits are
# marked as dummies there.
QUANTUM = {
    128: [25, 50, 101, 203, 409, 825, 1663, 3348],
    192: [0, 34, 69, 140, 283, 570, 1145, 2301],
    256: [0, 26, 53, 108, 219, 442, 888, 1784],
}
# Homomorphic Encryption Standard 1.1 (2018), 128-bit classical, ternary: older and looser.
STANDARD_2018 = [27, 54, 109, 218, 438, 881]


@pytest.mark.parametrize("security", [128, 192, 256])
def test_tables_are_the_published_ones(security: int) -> None:
    assert [largest_log_qp(N, security) for N in DEGREES] == CLASSICAL[security]
    assert [largest_log_qp(N, security, quantum=True) for N in DEGREES] == QUANTUM[security]


def test_never_looser_than_the_older_standard() -> None:
    assert all(largest_log_qp(N) < old for N, old in zip(DEGREES, STANDARD_2018, strict=False))


@pytest.mark.parametrize("quantum", [False, True])
def test_monotone(quantum: bool) -> None:
    for N, twice in pairwise(DEGREES):
        for security in (128, 192, 256):
            assert 2 * largest_log_qp(N, security, quantum) <= largest_log_qp(twice, security, quantum)
        at_n = [largest_log_qp(N, security, quantum) for security in (128, 192, 256)]
        assert at_n == sorted(at_n, reverse=True)
    assert all(largest_log_qp(N, quantum=True) < largest_log_qp(N) for N in DEGREES)


def test_security_level_steps_at_the_table() -> None:
    for table, quantum in ((CLASSICAL, False), (QUANTUM, True)):
        for security, row in table.items():
            for N, limit in zip(DEGREES, row, strict=True):
                if limit:
                    assert security_level(N, limit, quantum) == security
                    assert security_level(N, math.nextafter(limit, math.inf), quantum) < security
    assert security_level(8, 20) == 0


def test_smallest_ring_degree_is_the_first_that_fits() -> None:
    for security in (128, 192, 256):
        for N, limit in zip(DEGREES, CLASSICAL[security], strict=True):
            if limit:
                assert smallest_ring_degree(limit, security) == N
                assert smallest_ring_degree(limit + 0.01, security) == (None if N == 2**17 else 2 * N)


@pytest.mark.parametrize(("ring_degree", "security"), [(512, 128), (2**18, 128), (3000, 128), (0, 128), (4096, 80)])
def test_outside_the_table(ring_degree: int, security: int) -> None:
    with pytest.raises(ParameterError):
        largest_log_qp(ring_degree, security)


def test_no_security_is_claimed_above_the_table() -> None:
    with pytest.raises(ParameterError, match=r"2\^17"):
        security_level(2**18, 100)


def test_refusal_names_both_numbers_and_the_remedy() -> None:
    require_secure(8192, 214.0)
    with pytest.raises(ParameterError, match=r"215\.00 at N = 8192 .* 214 .*2024/463.*ring_degree=16384.*insecure="):
        require_secure(8192, 215.0)
    with pytest.raises(ParameterError, match="the limit is 0"):
        require_secure(64, 20.0)
    with pytest.raises(ParameterError, match="use fewer or smaller"):
        require_secure(2**17, 4000.0)


@pytest.mark.parametrize("index", range(len(DEGREES)))
def test_the_report_repeats_the_published_rows(index: int) -> None:
    N, published = DEGREES[index], {"classical": CLASSICAL, "quantum": QUANTUM}
    rows = SecurityReport(N, 106.0).rows
    assert [(row["attackers"], row["bits"], row["largest_log_qp"]) for row in rows] == [
        (kind, bits, limits[index])
        for kind, table in published.items()
        for bits, limits in table.items()
        if limits[index]
    ]
    assert all(row["holds"] == (row["largest_log_qp"] >= 106) for row in rows)
    assert all(
        ("2024/463" if row["attackers"] == "classical" else "max_logQ_tables.py") in row["source"] for row in rows
    )


def test_the_report_judges_what_was_asked() -> None:
    secure = choose_ckks(3, security=192, quantum=True).security_report()
    assert secure.bits["quantum"] >= 192
    assert str(secure).endswith("asked for: 192 bits against quantum attackers, which it has")
    toy = choose_ckks(1, ring_degree=64, insecure="a test").security_report()
    assert (toy.rows, toy.bits) == ([], {"classical": 0, "quantum": 0})
    assert str(toy).endswith("which it has NOT: a test")
    assert "protects nothing" in str(toy)
    assert json.loads(json.dumps(toy.to_dict())) == toy.to_dict()
