"""The largest log2(QP) that keeps ring-LWE hard: published tables, nothing estimated here.

Uniform ternary secret, error of standard deviation 3.19 or more (the library's CBD(21) has 3.24), any number of
samples. Q times the special primes P counts, because switching keys are samples modulo P*Q.

Classical rows: Bossuat et al., *Security Guidelines for Implementing Homomorphic Encryption*, ePrint 2024/463,
table 5.2 (cost model MATZOV); at N = 2^10 the guideline lists 128 bits only.

Quantum rows: the guideline's own search starts, file ``max_logQ_tables.py`` of gong-cr/FHE-Security-Guidelines,
which are its earlier quantum table (cost model LaaMosPol14, 2^(0.265 beta + 16.4) * 8d, overheads counted as in
the classical rows). The quantum model that the same file now names, ChaLoy21, counts no overhead at all
(2^(0.257 beta)) and would lower the 128-bit rows to 20, 40, 80, 161, 322, 644, 1289, 2578.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fhe.errors import ParameterError

SOURCE = "ePrint 2024/463"
SOURCES = {
    "classical": f"{SOURCE}, table 5.2: cost model MATZOV",
    "quantum": "gong-cr/FHE-Security-Guidelines, max_logQ_tables.py: cost model LaaMosPol14",
}
SECRET, ERROR = "uniform ternary", "centred binomial of 21 + 21 bits, sigma 3.24"
SECURITY_LEVELS = (128, 192, 256)
SMALLEST_LOG_N, LARGEST_LOG_N = 10, 17

# log2 N: {security in bits: largest log2(QP)}
_CLASSICAL = {
    10: {128: 26},
    11: {128: 53, 192: 36, 256: 27},
    12: {128: 106, 192: 73, 256: 56},
    13: {128: 214, 192: 147, 256: 114},
    14: {128: 430, 192: 297, 256: 230},
    15: {128: 868, 192: 597, 256: 462},
    16: {128: 1747, 192: 1199, 256: 929},
    17: {128: 3523, 192: 2411, 256: 1866},
}
_QUANTUM = {
    10: {128: 25},
    11: {128: 50, 192: 34, 256: 26},
    12: {128: 101, 192: 69, 256: 53},
    13: {128: 203, 192: 140, 256: 108},
    14: {128: 409, 192: 283, 256: 219},
    15: {128: 825, 192: 570, 256: 442},
    16: {128: 1663, 192: 1145, 256: 888},
    17: {128: 3348, 192: 2301, 256: 1784},
}


def largest_log_qp(ring_degree: int, security: int = 128, quantum: bool = False) -> int:
    """The largest log2(QP) with this security at ring degree N, against classical or quantum attackers.

    0 where the table has no entry because nothing useful fits (192 and 256 bits at N = 1024). Raises ParameterError
    for N outside the table or a security level other than 128, 192, 256.

    >>> largest_log_qp(2**14), largest_log_qp(2**14, security=256, quantum=True)
    (430, 219)
    """
    log_n = _log_degree(ring_degree)
    if security not in SECURITY_LEVELS:
        raise ParameterError(f"security is tabulated for 128, 192 and 256 bits, not {security}; ask for one of these")
    if not SMALLEST_LOG_N <= log_n <= LARGEST_LOG_N:
        raise ParameterError(
            f"ring degree {ring_degree} is outside 2^{SMALLEST_LOG_N} … 2^{LARGEST_LOG_N}, where security is tabulated "
            f"({SOURCE}); choose one inside"
        )
    return (_QUANTUM if quantum else _CLASSICAL)[log_n].get(security, 0)


def security_level(ring_degree: int, log_qp: float, quantum: bool = False) -> int:
    """256, 192 or 128: the highest tabulated security of N and log2(QP); 0 below 128.

    Rings smaller than the table's, which only teach, have 0. Raises ParameterError for N above the table.

    >>> security_level(2**13, 214), security_level(2**13, 214.1), security_level(64, 40)
    (128, 0, 0)
    """
    if _log_degree(ring_degree) < SMALLEST_LOG_N:
        return 0
    levels = (bits for bits in SECURITY_LEVELS if log_qp <= largest_log_qp(ring_degree, bits, quantum))
    return max(levels, default=0)


def smallest_ring_degree(log_qp: float, security: int = 128, quantum: bool = False) -> int | None:
    """The smallest tabulated N that keeps this log2(QP) secure, None if none does.

    >>> smallest_ring_degree(215), smallest_ring_degree(5000)
    (16384, None)
    """
    degrees = (1 << log_n for log_n in range(SMALLEST_LOG_N, LARGEST_LOG_N + 1))
    return next((N for N in degrees if log_qp <= largest_log_qp(N, security, quantum)), None)


def require_secure(ring_degree: int, log_qp: float, security: int = 128, quantum: bool = False) -> None:
    """Raise ParameterError, with the limit and what to do, unless N and log2(QP) have this security.

    >>> require_secure(2**14, 430)
    """
    if security_level(ring_degree, log_qp, quantum) >= security:
        return
    limit = largest_log_qp(ring_degree, security, quantum) if ring_degree >> SMALLEST_LOG_N else 0
    enough = smallest_ring_degree(log_qp, security, quantum)
    larger = f"ring_degree={enough}, " if enough else ""
    raise ParameterError(
        f"log2(QP) = {log_qp:.2f} at N = {ring_degree} is not {security}-bit secure: the limit is {limit} ({SOURCE}); "
        f'use {larger}fewer or smaller levels and special primes, or insecure="reason" if it need protect nothing'
    )


@dataclass(frozen=True, slots=True)
class SecurityReport:
    """What the tables say of N and log2(QP), row by row, with the source of each row; its text is for people.

    Nothing is estimated between the rows: a set has the bits of the highest row that it keeps within.

    >>> print(SecurityReport(2**13, 213.0))
    N = 8192, log2(QP) = 213.0; secret: uniform ternary; error: centred binomial of 21 + 21 bits, sigma 3.24
      classical  128 bits  log2(QP) <=   214  holds, 1.0 to spare
      classical  192 bits  log2(QP) <=   147  no, 66.0 too many
      classical  256 bits  log2(QP) <=   114  no, 99.0 too many
      quantum    128 bits  log2(QP) <=   203  no, 10.0 too many
      quantum    192 bits  log2(QP) <=   140  no, 73.0 too many
      quantum    256 bits  log2(QP) <=   108  no, 105.0 too many
    classical rows: ePrint 2024/463, table 5.2: cost model MATZOV
    quantum rows: gong-cr/FHE-Security-Guidelines, max_logQ_tables.py: cost model LaaMosPol14
    asked for: 128 bits against classical attackers, which it has
    """

    ring_degree: int
    log_qp: float
    security: int = 128
    quantum: bool = False
    insecure: str | None = None

    @property
    def bits(self) -> dict[str, int]:
        """The bits of the highest row that holds, 0 for none, by kind of attackers."""
        kinds = enumerate(SOURCES)
        return {kind: security_level(self.ring_degree, self.log_qp, bool(quantum)) for quantum, kind in kinds}

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Every row for this N: attackers, bits, largest log2(QP), whether it holds, source; none for small rings."""
        if _log_degree(self.ring_degree) < SMALLEST_LOG_N:
            return []
        found = []
        for quantum, (attackers, source) in enumerate(SOURCES.items()):
            for bits in SECURITY_LEVELS:
                limit = largest_log_qp(self.ring_degree, bits, bool(quantum))
                row = {"attackers": attackers, "bits": bits, "largest_log_qp": limit}
                found += [row | {"holds": self.log_qp <= limit, "source": source}] if limit else []
        return found

    def to_dict(self) -> dict[str, Any]:
        """The report as plain values."""
        numbers = {"ring_degree": self.ring_degree, "log_qp": self.log_qp, "secret": SECRET, "error": ERROR}
        asked = {"security": self.security, "quantum": self.quantum, "insecure": self.insecure}
        return numbers | asked | {"bits": self.bits, "rows": self.rows}

    def __str__(self) -> str:
        head = f"N = {self.ring_degree}, log2(QP) = {self.log_qp:.1f}; secret: {SECRET}; error: {ERROR}"
        rows = [self._line(row) for row in self.rows] or [
            "  a ring to teach with: no table has it, it protects nothing"
        ]
        sources = [f"{kind} rows: {source}" for kind, source in SOURCES.items() if self.rows]
        kind = "quantum" if self.quantum else "classical"
        has = "which it has" if self.bits[kind] >= self.security else f"which it has NOT: {self.insecure}"
        return "\n".join([head, *rows, *sources, f"asked for: {self.security} bits against {kind} attackers, {has}"])

    def _line(self, row: dict[str, Any]) -> str:
        spare = row["largest_log_qp"] - self.log_qp
        verdict = f"holds, {spare:.1f} to spare" if row["holds"] else f"no, {-spare:.1f} too many"
        return f"  {row['attackers']:<10} {row['bits']} bits  log2(QP) <= {row['largest_log_qp']:>5}  {verdict}"


def _log_degree(ring_degree: int) -> int:
    if ring_degree < 1 or ring_degree & (ring_degree - 1):
        raise ParameterError(f"the ring degree must be a power of two, not {ring_degree}")
    return ring_degree.bit_length() - 1
