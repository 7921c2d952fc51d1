"""The product of Z_q[X]/(X^N + 1) by its definition, for anyone who wants to compare."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import overload

from fhe.errors import ParameterError
from fhe.reference.loops import inner_loops
from fhe.reference.residue import new_row


@overload
def schoolbook(a: Sequence[int], b: Sequence[int], q: int) -> list[int]: ...
@overload
def schoolbook(a: Sequence[Sequence[int]], b: Sequence[Sequence[int]], q: Sequence[int]) -> list[list[int]]: ...
def schoolbook(
    a: Sequence[int] | Sequence[Sequence[int]], b: Sequence[int] | Sequence[Sequence[int]], q: int | Sequence[int]
) -> list[int] | list[list[int]]:
    """a * b mod (X^N + 1, q) in N^2 steps, on N coefficients; one row of coefficients for each q if there are several.

    Any integers will do as coefficients; those of the product are in [0, q), for q < 2^63.

    >>> schoolbook([1, 2, 0, 3], [0, 0, 0, 1], 17)  # (1 + 2X + 3X^3) * X^3, and X^4 = -1
    [15, 0, 14, 1]
    >>> schoolbook([[-1, 1], [-1, 1]], [[-1, 1], [-1, 1]], [17, 13])  # (X - 1)^2 = -2X
    [[0, 15], [0, 11]]
    """
    if isinstance(q, Sequence):
        if not len(a) == len(b) == len(q):
            raise ParameterError(f"{len(a)} and {len(b)} rows do not belong to {len(q)} moduli: give one for each")
        return [_product(x, y, modulus) for x, y, modulus in zip(a, b, q, strict=True)]  # type: ignore[arg-type]
    return _product(a, b, q)  # type: ignore[arg-type]


def _product(a: Sequence[int], b: Sequence[int], q: int) -> list[int]:
    if len(a) != len(b):
        raise ParameterError(f"factors of {len(a)} and {len(b)} coefficients: give both of them N")
    if not 0 < q < 1 << 63:
        raise ParameterError(f"the modulus must be positive and below 2^63, not {q}")
    out = new_row(len(a))
    inner_loops().schoolbook(out, array("Q", [int(x) % q for x in a]), array("Q", [int(y) % q for y in b]), q)
    return out.tolist()
