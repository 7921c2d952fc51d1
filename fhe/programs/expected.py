"""Predicted times in words: what they assume stands beside them."""

from __future__ import annotations

from fhe.arrays.show import counted
from fhe.backend.choose import num_threads
from fhe.costs import ZEN5, Run, milliseconds


def cycles(run: Run, *, cold: bool = False) -> float:
    """Of a run on the machine of `fhe.costs`, on as many threads as operations may use here now."""
    return float(run.cycles(cold=cold, threads=num_threads()))


def predicted(run: Run) -> str:
    """How long a run takes when it is repeated, and after other work; and where.

    >>> predicted(Run())
    'predicted time: 0 ms when repeated, 0 ms after other work; 1 thread of a Zen 5 server, AVX-512 IFMA'
    """
    warm, cold = (duration(cycles(run, cold=state)) for state in (False, True))
    return f"predicted time: {warm} when repeated, {cold} after other work; {where()}"


def where() -> str:
    """The threads and the machine of a prediction."""
    return f"{counted(num_threads(), 'thread')} of a {ZEN5.name}"


def duration(cycles: float) -> str:
    """Milliseconds; seconds where they are many.

    >>> duration(4.2e7), duration(8.4e10)
    ('10 ms', '20 s')
    """
    found = milliseconds(cycles)
    return f"{found / 1e3:.3g} s" if found >= 1e4 else f"{found:.3g} ms"
