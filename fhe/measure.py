"""How long a call takes, and how that is written."""

from __future__ import annotations

import timeit
from collections.abc import Callable
from statistics import median

SECONDS, FEWEST, MOST = 0.2, 3, 1000  # of each measurement: its time, and its least and largest number of repetitions
SHORTEST = 2e-5  # seconds below which calls are timed several at once


def median_us(function: Callable[[], object]) -> float:
    """The median time of a call in microseconds; the first call, slower, is left out unless all are slow.

    >>> median_us(lambda: None) < 1e3
    True
    """
    timer = timeit.Timer(function)
    first = timer.timeit(1)
    if first > SECONDS:
        return 1e6 * median([first, *timer.repeat(FEWEST - 1, 1)])
    once = timer.timeit(1)
    number = max(1, round(SHORTEST / max(once, 1e-9)))
    repetitions = min(max(round(SECONDS / max(once * number, 1e-9)), FEWEST), MOST)
    return 1e6 * median(timer.repeat(repetitions, number)) / number


def time_text(us: float) -> str:
    """Microseconds in a unit that fits.

    >>> time_text(8.27), time_text(1660.0), time_text(2.5e6)
    ('8.27 µs', '1.66 ms', '2.5 s')
    """
    return f"{us:,.3g} µs" if us < 999.5 else f"{us / 1e3:,.3g} ms" if us < 999.5e3 else f"{us / 1e6:,.3g} s"


def bytes_text(count: int) -> str:
    """In decimal units.

    >>> bytes_text(717), bytes_text(102592), bytes_text(1_234_567), bytes_text(16 << 30)
    ('717 B', '102.6 kB', '1.23 MB', '17.18 GB')
    """
    if count < 10**6:
        return f"{count} B" if count < 1000 else f"{count / 1e3:.1f} kB"
    return f"{count / 1e6:.2f} MB" if count < 10**9 else f"{count / 1e9:.2f} GB"
