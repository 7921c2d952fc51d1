"""Rows: what Z_q[X]/(X^N + 1) is, in loops over the N residues of one polynomial modulo one prime q.

A row is an ``array('Q')`` of residues in [0, q), either the coefficients f_0 … f_{N-1} of a polynomial f or its
evaluations ``f(psi^(2k+1))``, k = 0 … N-1, at the odd powers of psi, a root of unity with psi^N = -1. Every
function writes its first argument, `out`, which is no other argument of the same call.

This file is ordinary Python, and exact for any q. `residue.pxd` beside it adds C types; compiled with them as
`fhe.reference._residue` the same source is exact for q < 2^63. Products need 128 bits there: their factors are
therefore named (a, b, w …), and the names typed, before they are multiplied.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence


def new_row(length: int) -> array[int]:
    """A row of zeros."""
    return array("Q", bytes(8 * length))


def add(out: array[int], x: array[int], y: array[int], q: int) -> None:
    """out = x + y mod q."""
    for k in range(len(out)):
        out[k] = (x[k] + y[k]) % q


def sub(out: array[int], x: array[int], y: array[int], q: int) -> None:
    """out = x - y mod q."""
    for k in range(len(out)):
        out[k] = (x[k] + (q - y[k])) % q


def neg(out: array[int], x: array[int], q: int) -> None:
    """out = -x mod q."""
    for k in range(len(out)):
        out[k] = (q - x[k]) % q


def mul(out: array[int], x: array[int], y: array[int], q: int) -> None:
    """out = x * y mod q, entry by entry: the product of the ring if these are evaluations."""
    for k in range(len(out)):
        a, b = x[k], y[k]
        out[k] = a * b % q


def mul_add(out: array[int], x: array[int], y: array[int], z: array[int], q: int) -> None:
    """out = x * y + z mod q, entry by entry."""
    for k in range(len(out)):
        a, b, c = x[k], y[k], z[k]
        out[k] = (a * b + c) % q


def mul_scalar(out: array[int], x: array[int], w: int, q: int) -> None:
    """out = x * w mod q for a residue w."""
    for k in range(len(out)):
        a = x[k]
        out[k] = a * w % q


def add_scalar(out: array[int], x: array[int], w: int, q: int) -> None:
    """out = x + w mod q on every entry, for a residue w."""
    for k in range(len(out)):
        out[k] = (x[k] + w) % q


def schoolbook(out: array[int], x: array[int], y: array[int], q: int) -> None:
    """out = x * y mod (X^N + 1, q), on coefficients, by the definition of a product.

    X^i * X^j is X^(i+j), and X^N = -1: what passes degree N comes back at the bottom with its sign changed.
    """
    N = len(out)
    for k in range(N):
        out[k] = 0
    for i in range(N):
        for j in range(N):
            a, b = x[i], y[j]
            if i + j < N:
                out[i + j] = (out[i + j] + a * b % q) % q
            else:
                out[i + j - N] = (out[i + j - N] + (q - a * b % q)) % q


def ntt(out: array[int], x: array[int], powers: Sequence[int], q: int) -> None:
    """out[k] = f(psi^(2k+1)) for the coefficients x of f; powers[e] = psi^e for 0 <= e < 2N.

    ``f(psi^(2k+1)) = sum_j (x_j psi^j) (psi^2)^(jk)``: twist by psi^j, then transform cyclically with psi^2.
    """
    for j in range(len(out)):
        a, w = x[j], powers[j]
        out[j] = a * w % q
    _cyclic_transform(out, powers, q)


def intt(out: array[int], x: array[int], inverse_powers: Sequence[int], q: int, inverse_N: int) -> None:
    """The inverse of `ntt`; inverse_powers[e] = psi^-e for 0 <= e < 2N, and inverse_N = N^-1 mod q.

    Orthogonality, ``sum_k (psi^2)^((i-j)k) = N [i = j]``, makes it the transform with psi^-2, divided by N.
    """
    for k in range(len(out)):
        out[k] = x[k]
    _cyclic_transform(out, inverse_powers, q)
    for j in range(len(out)):
        a, w = out[j], inverse_powers[j]
        a = a * w % q
        out[j] = a * inverse_N % q


def _cyclic_transform(row: array[int], powers: Sequence[int], q: int) -> None:
    """row[k] becomes ``sum_j row[j] omega^(jk)`` with omega = powers[2], of order N (Cooley, Tukey, 1965).

    With even j and odd j apart, the sum is E(k) + omega^k O(k), each a transform of half the length with omega^2, and
    omega^(N/2) = -1 gives the other half of the k: E(k) - omega^k O(k). Carried down to length 1 this leaves the
    entries in the order of their reversed index bits; then the halves are joined, shortest first.
    """
    N = len(row)
    _reverse_bits(row)
    half = 1
    while half < N:
        stride = N // half  # omega' = psi^stride has order 2 * half
        for start in range(0, N, 2 * half):
            for k in range(half):
                b, w = row[start + half + k], powers[stride * k]
                even = row[start + k]
                odd = b * w % q
                row[start + k] = (even + odd) % q
                row[start + half + k] = (even + (q - odd)) % q
        half *= 2


def _reverse_bits(row: array[int]) -> None:
    """Swap the entries whose indices are each other's reversal in log2(N) bits."""
    N = len(row)
    reversed_k = 0
    for k in range(1, N):
        bit = N // 2  # add 1 to a number that is written backwards
        while reversed_k & bit:
            reversed_k ^= bit
            bit //= 2
        reversed_k |= bit
        if k < reversed_k:
            row[k], row[reversed_k] = row[reversed_k], row[k]


def automorphism_coeff(out: array[int], x: array[int], element: int, q: int) -> None:
    """out = f(X^g) for the coefficients x of f and an odd g in [0, 2N): X^j becomes X^(jg), and X^N = -1."""
    N = len(out)
    for j in range(N):
        exponent = j * element % (2 * N)
        if exponent < N:
            out[exponent] = x[j]
        else:
            out[exponent - N] = (q - x[j]) % q


def automorphism_eval(out: array[int], x: array[int], element: int) -> None:
    """out = f(X^g) for the evaluations x of f and an odd g in [0, 2N): its value at psi^e is f(psi^(eg))."""
    N = len(out)
    for k in range(N):
        exponent = (2 * k + 1) * element % (2 * N)
        out[k] = x[exponent // 2]
