"""Linear circuits: sums over slots, and products with plain matrices by their diagonals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fhe.circuits.evaluator import Evaluator
from fhe.errors import EncodingError
from fhe.rlwe.automorphism import rotation_elements
from fhe.rlwe.ciphertext import Ciphertext


def inner_sum_steps(count: int, stride: int = 1, row: int | None = None) -> list[int]:
    """The rotations that `inner_sum` needs: stride, 2 stride, … (those that stay within a row).

    >>> inner_sum_steps(6), inner_sum_steps(4, stride=8)
    ([1, 2, 4], [8, 16])
    """
    steps = [stride << k for k in range((count - 1).bit_length())]
    return steps if row is None else [step for step in steps if step < row]


def inner_sum(evaluator: Evaluator, x: Ciphertext, count: int, stride: int = 1) -> Ciphertext:
    """Slot 0 becomes the sum of slots 0, stride, …, (count-1) stride, as does every slot relative to itself.

    ``count`` is rounded up to a power of two: the slots between must be zero. log2(count) rotations, no level.
    """
    steps = inner_sum_steps(count, stride)
    needed = [step for step in steps if step < evaluator.row]
    _require_rotations(evaluator, needed)
    for step in needed:
        x = evaluator.add(x, evaluator.rotate(x, step))
    if len(needed) < len(steps):  # BFV: both rows are occupied
        x = evaluator.add(x, evaluator.swap(x))
    return x


def matrix_vector_steps(inputs: int, outputs: int) -> list[int]:
    """The rotations that `matrix_vector` needs.

    >>> matrix_vector_steps(4, 3)
    [-4, 1, 2, 3]
    """
    d, baby, giant = _split(inputs, outputs)
    return sorted({-d, *range(1, baby), *(j * baby for j in range(1, giant))})


def matrix_vector(evaluator: Evaluator, matrix: NDArray[Any], x: Ciphertext) -> Ciphertext:
    """matrix @ x for a plain matrix (m, n) and a vector in the first n slots, the rest zero: one level.

    With d a power of two, d >= m, n, and diagonals u_k[i] = matrix[i, (i + k) mod d] (zero-padded),

        matrix @ x = sum_k u_k * rot(x, k) = sum_j rot( sum_b rot(u_{jg+b}, -jg) * rot(x, b), jg ),

    baby steps b < g hoisted, giant steps j < d/g. (Halevi, Shoup, CRYPTO 2014 and 2018.) The slots after the
    first d hold no meaning afterwards.
    """
    m, n = matrix.shape
    d, baby, giant = _split(n, m)
    if d > evaluator.row:
        raise EncodingError(f"a matrix of shape {matrix.shape} needs {d} slots in a row, there are {evaluator.row}")
    _require_rotations(evaluator, matrix_vector_steps(n, m))
    padded = np.zeros((d, d), dtype=matrix.dtype)
    padded[:m, :n] = matrix
    x = evaluator.settle(x)
    if d < evaluator.row:
        x = evaluator.add(x, evaluator.rotate(x, -d))  # cyclic with period d over the first 2d slots
    rotated = evaluator.rotations(x, list(range(baby)))
    total: Ciphertext | None = None
    for j in range(giant):
        part = _giant_step(evaluator, padded, rotated, j * baby)
        if part is not None:
            part = evaluator.rotate(part, j * baby) if j else part
            total = part if total is None else evaluator.add(total, part)
    return evaluator.multiply_plain(x, 0) if total is None else total


def _giant_step(evaluator: Evaluator, padded: NDArray[Any], rotated: list[Ciphertext], shift: int) -> Ciphertext | None:
    """sum_b rot(u_{shift+b}, -shift) * rot(x, b), or None where all these diagonals are zero."""
    d = len(padded)
    index, total = np.arange(d), None
    for b, x in enumerate(rotated):
        diagonal = padded[index, (index + shift + b) % d]
        if not diagonal.any():
            continue
        if d == evaluator.row:
            slots = np.roll(diagonal, shift)
        else:
            slots = np.concatenate([np.zeros(shift, dtype=padded.dtype), diagonal])
        product = evaluator.multiply_plain(x, slots)
        total = product if total is None else evaluator.add(total, product)
    return total


def _split(inputs: int, outputs: int) -> tuple[int, int, int]:
    """d, baby steps and giant steps; baby steps are hoisted, hence cheaper, hence more of them."""
    d = 1 << (max(inputs, outputs) - 1).bit_length()
    baby = 1 << math.ceil((d.bit_length() - 1) / 2 + 0.5) if d > 2 else d
    baby = min(baby, d)
    return d, baby, d // baby


def _require_rotations(evaluator: Evaluator, steps: list[int]) -> None:
    evaluator.keys.require_galois_keys(rotation_elements(steps, evaluator.chain.parameters.ring_degree))
