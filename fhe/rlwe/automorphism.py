"""Galois elements: rotation steps to automorphisms X -> X^g.

The slots form two rows of N/2. 5 generates the rotations of both rows together, -1 swaps the rows (in CKKS:
conjugates).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import accumulate

from fhe.errors import ParameterError


def rotation_element(step: int, ring_degree: int) -> int:
    """5^step mod 2N: rotates each row by ``step`` places towards index 0, as ``np.roll(row, -step)``.

    >>> rotation_element(1, 16), rotation_element(-1, 16), rotation_element(8, 16)
    (5, 13, 1)
    """
    return pow(5, step % (ring_degree // 2), 2 * ring_degree)


def swap_element(ring_degree: int) -> int:
    """-1 mod 2N: swaps the two rows; complex conjugation in CKKS."""
    return 2 * ring_degree - 1


def inverse_element(element: int, ring_degree: int) -> int:
    """g^-1 mod 2N."""
    return pow(element, -1, 2 * ring_degree)


def check_element(element: int, ring_degree: int) -> int:
    """The element itself, if X -> X^g is an automorphism."""
    if not (0 < element < 2 * ring_degree and element % 2 == 1):
        raise ParameterError(f"Galois element {element} is not an odd number in 1 … {2 * ring_degree - 1}")
    return element


def step_of(element: int, ring_degree: int) -> int | None:
    """The rotation step of an element, or None for the row swap and what is composed with it.

    >>> step_of(rotation_element(3, 64), 64), step_of(swap_element(64), 64)
    (3, None)
    """
    return _steps(ring_degree).get(element)


@lru_cache(maxsize=8)
def _steps(ring_degree: int) -> dict[int, int]:
    """The discrete logarithms to base 5 modulo 2N."""
    powers = accumulate(range(ring_degree // 2 - 1), lambda power, _: power * 5 % (2 * ring_degree), initial=1)
    return {power: step for step, power in enumerate(powers)}


def power_of_two_steps(slots: int) -> list[int]:
    """1, 2, 4, … below ``slots``: the steps of a rotate-and-sum.

    >>> power_of_two_steps(8)
    [1, 2, 4]
    """
    return [1 << k for k in range((slots - 1).bit_length())]


def rotation_elements(steps: Iterable[int], ring_degree: int) -> list[int]:
    """Distinct elements of these steps in their order, the identity left out."""
    elements = dict.fromkeys(rotation_element(step, ring_degree) for step in steps)
    return [element for element in elements if element != 1]
