"""How long a call takes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

OTHER_WORK = 80_000_000  # bytes: more than any cache holds


def seconds_of(call: Callable[[], Any], samples: int = 5, least: float = 2e-3) -> float:
    """The median of a few samples of at least some seconds each, after a warm-up."""
    found = []
    for _ in range(2):
        call()
    for _ in range(samples):
        done, start, spent = 0, time.perf_counter(), 0.0
        while spent < least:
            call()
            done, spent = done + 1, time.perf_counter() - start
        found.append(spent / done)
    return statistics.median(found)


def seconds_amid(call: Callable[[], Any], samples: int = 7) -> float:
    """The median of a few calls, each after other work that leaves nothing of theirs in any cache."""
    found, work = [], np.ones(OTHER_WORK // 8)
    for _ in range(samples):
        work.sum()
        start = time.perf_counter()
        call()
        found.append(time.perf_counter() - start)
    return statistics.median(found)
