"""Plain numbers on their way into ciphertexts."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike


def gaussian(number: complex) -> bool:
    """Is this a + b i for small integers a and b?"""
    return all(part.is_integer() and abs(part) < 2**20 for part in (number.real, number.imag))


def scaled(number: float, scale: float) -> int:
    """round(number * scale), exactly."""
    return round(Fraction(number) * Fraction(scale))


def largest(array: ArrayLike) -> float:
    """max |value|, 0 for an empty array."""
    return float(np.max(np.abs(array), initial=0.0))
