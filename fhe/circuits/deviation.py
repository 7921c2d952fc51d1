"""What is known of a ciphertext's error, restated: where analysis knows better than operation by operation."""

from __future__ import annotations

import math
from dataclasses import replace

from fhe.rlwe.ciphertext import Ciphertext


def as_exact(x: Ciphertext) -> Ciphertext:
    """The same ciphertext as the encryption of just what it holds: without error, and as much larger values."""
    return replace(x, noise=0.0, rms=0.0, bound=x.bound + distance(x))


def distance(x: Ciphertext) -> float:
    """The bound on the error of a value."""
    return x.noise / x.scale


def off_by(x: Ciphertext, most: float, usual: float | None = None) -> Ciphertext:
    """The same ciphertext standing in for values further away by up to ``most``, and usually by ``usual``."""
    more = most if usual is None else usual
    return replace(x, noise=x.noise + most * x.scale, rms=math.hypot(x.rms, more * x.scale))
