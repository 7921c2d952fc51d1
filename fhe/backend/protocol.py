"""The seam: everything the library asks of a machine, about forty whole-polynomial operations.

Above this line are schemes and circuits, in Python, indifferent to who computes. Below it are two
implementations that agree bit for bit: `fhe.reference`, pure Python integers, which *is* the definition
of every operation here, and `fhe.backend.native`, C++.

Objects that cross the seam
---------------------------
basis
    An opaque handle for a ring degree N and primes q_0 … q_{L-1}, made by `Backend.basis`.
buffer
    An opaque array of residues of shape ``(..., L, N)``: row i holds values in [0, q_i), always fully
    reduced. The only thing the layers above may ask of a buffer is its ``shape``. Buffers are immutable:
    every operation returns a new one (`wipe` alone destroys one). Leading axes are components or batches;
    where an operation takes two buffers, one of them may lack the first of these axes, or all, and is then repeated.

Two domains
-----------
A row is either the coefficients of a polynomial f of Z_q[X]/(X^N + 1), or its *evaluations*
f(psi^(2 k + 1)) at the odd powers of psi, the 2N-th root of unity given to `basis`. The order in which a
backend keeps evaluations is its own; `evaluation_order` states it. The domain is in the type of the layer
above (`CoeffPoly`, `EvalPoly`); operations say below which they expect.

Errors are checked at the public edge; an operation of the seam may assume well-formed arguments.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

BasisHandle = Any
Words = Any  # bytes-like: little-endian 64-bit words


class Buffer(Protocol):
    """What the layers above may know of a buffer."""

    @property
    def shape(self) -> tuple[int, ...]: ...


class Key(Protocol):
    """What the layers above may know of a switching key that a backend has packed."""

    @property
    def nbytes(self) -> int: ...


def uniform_words(ring_degree: int) -> int:
    """Words of keystream that `Backend.uniform` reads for each row of N residues.

    A word is rejected with probability below 2^-14 (q < 2^50), so N words and this slack run out with
    probability far below 2^-128.
    """
    return ring_degree + ring_degree // 64 + 64


class Backend(Protocol):
    """A machine that computes on residue polynomials."""

    name: str
    """``"native"`` or ``"reference"``."""
    target: str
    """What runs the inner loops: ``"avx512ifma"``, ``"scalar"`` …, ``"interpreted"``, ``"compiled"``."""

    def __hash__(self) -> int: ...

    # --- bases and buffers ------------------------------------------------------------------------

    def basis(self, ring_degree: int, moduli: Sequence[int], roots: Sequence[int]) -> BasisHandle:
        """Prepare N >= 8 and the primes q_i = 1 mod 2N, below 2^50, with their primitive 2N-th roots of unity psi_i."""
        ...

    def evaluation_order(self, ring_degree: int) -> NDArray[np.int64]:
        """The permutation p such that ``buffer[..., k] = f(psi^(2 p[k] + 1))`` in the evaluation domain."""
        ...

    def load(self, basis: BasisHandle, residues: NDArray[np.uint64]) -> Buffer:
        """Copy an array ``(..., L, N)`` of residues into a buffer (evaluations in this backend's order)."""
        ...

    def view(self, buffer: Buffer) -> NDArray[np.uint64]:
        """The residues of a buffer as a read-only array; no copy where the memory allows it."""
        ...

    def zeros(self, basis: BasisHandle, leading: tuple[int, ...] = ()) -> Buffer:
        """The zero polynomial, ``leading + (L, N)``."""
        ...

    def limbs(self, buffer: Buffer, start: int, stop: int) -> Buffer:
        """Rows ``start … stop-1`` of the limb axis, at least one; no copy where the memory allows it."""
        ...

    def join(self, first: Buffer, second: Buffer) -> Buffer:
        """The limbs of ``first`` followed by those of ``second``, same leading axes: the inverse of `limbs`."""
        ...

    def secret_words(self, count: int) -> memoryview:
        """Writable zeroed memory of ``8 * count`` bytes for secret keystream, wiped when released."""
        ...

    def wipe(self, buffer: Buffer) -> None:
        """Overwrite a buffer that held a secret, and what shares its memory (`limbs`, `view`), with zeros."""
        ...

    # --- arithmetic, row by row, in either domain (`mul` is the ring product only on evaluations) -----

    def add(self, basis: BasisHandle, x: Buffer, y: Buffer) -> Buffer:
        """x + y mod q_i."""
        ...

    def sub(self, basis: BasisHandle, x: Buffer, y: Buffer) -> Buffer:
        """x - y mod q_i."""
        ...

    def neg(self, basis: BasisHandle, x: Buffer) -> Buffer:
        """-x mod q_i."""
        ...

    def mul(self, basis: BasisHandle, x: Buffer, y: Buffer) -> Buffer:
        """x * y mod q_i, entry by entry."""
        ...

    def mul_add(self, basis: BasisHandle, x: Buffer, y: Buffer, z: Buffer) -> Buffer:
        """x * y + z mod q_i, entry by entry; x and z have the same shape."""
        ...

    def mul_scalar(self, basis: BasisHandle, x: Buffer, scalars: Sequence[int]) -> Buffer:
        """x * s_i mod q_i; one residue s_i in [0, q_i) for each row."""
        ...

    def add_scalar(self, basis: BasisHandle, x: Buffer, scalars: Sequence[int]) -> Buffer:
        """x + s_i mod q_i on every entry: in the evaluation domain, adding a constant polynomial."""
        ...

    def inner_product(self, basis: BasisHandle, xs: Sequence[Buffer], ys: Sequence[Buffer]) -> Buffer:
        """sum_j xs[j] * ys[j] mod q_i, entry by entry. A ``ys[j]`` may have more limbs: its first L count.

        As many ys as xs, at least one; the xs have one shape, and so have the leading axes of the ys.
        """
        ...

    def inner_products(
        self,
        basis: BasisHandle,
        xs: Sequence[Sequence[Buffer]],
        terms: Sequence[Sequence[int]],
        ys: Sequence[Sequence[Buffer]],
    ) -> Sequence[Sequence[Buffer]]:
        """For each sum g and component c the `inner_product` of some of xs[c], those numbered terms[g], with ys[g].

        A matrix times vectors: what is large is read once. There are no leading axes; a factor may have more limbs.
        """
        ...

    def tensor(
        self,
        basis: BasisHandle,
        xs: Sequence[Sequence[Buffer]],
        ys: Sequence[Sequence[Buffer]],
        x_coeffs: int = 0,
        y_coeffs: int = 0,
    ) -> tuple[Buffer, Buffer, Buffer]:
        """(x_0 y_0, x_0 y_1 + x_1 y_0, x_1 y_1) mod q_i, entry by entry, of two pairs of one shape.

        Each of the four polynomials comes in parts, whose limbs one after the other are those of the basis: as if by
        `join`. Of the xs the first ``x_coeffs`` limbs come by coefficients, of the ys the first ``y_coeffs``: they are
        transformed on the way, as if by `ntt`.
        """
        ...

    # --- transforms ---------------------------------------------------------------------------------

    def ntt(self, basis: BasisHandle, x: Buffer) -> Buffer:
        """Coefficients to evaluations."""
        ...

    def intt(self, basis: BasisHandle, x: Buffer) -> Buffer:
        """Evaluations to coefficients."""
        ...

    def to_natural(self, basis: BasisHandle, x: Buffer) -> Buffer:
        """Evaluations from this backend's order to the natural one, ``out[..., k] = f(psi^(2 k + 1))``.

        The natural order is what leaves the process and what seeds expand to.
        """
        ...

    def from_natural(self, basis: BasisHandle, x: Buffer) -> Buffer:
        """The inverse of `to_natural`."""
        ...

    def automorphism_coeff(self, basis: BasisHandle, x: Buffer, element: int) -> Buffer:
        """f(X) to f(X^g) for odd g, on coefficients."""
        ...

    def automorphism_eval(self, basis: BasisHandle, x: Buffer, element: int) -> Buffer:
        """f(X) to f(X^g) for odd g, on evaluations: entry of exponent e becomes that of e*g mod 2N."""
        ...

    # --- integers in and out --------------------------------------------------------------------------

    def reduce(self, basis: BasisHandle, coefficients: NDArray[np.int64]) -> Buffer:
        """Signed integers ``(..., N)`` to their residues ``(..., L, N)``."""
        ...

    def lift(self, basis: BasisHandle, x: Buffer) -> NDArray[np.float64]:
        """The integer x of (-Q/2, Q/2] with these residues as a double: ``(..., N)``. Constant time.

        Correctly rounded for |x| < 2^100. Beyond, within 1/2 + 2^-40 of the last place, and the same everywhere: with
        the balanced digits of x = a_0 + a_1 q_0 + a_2 q_0 q_1 + …, |a_i| < q_i/2, Horner's rule from the last one on,
        where (h, l), zero at first, stands for 2^64 (h + l) and a for 2^-64 a_i:

            p = h q_i,  e = h q_i - p exactly,  s = p + a,  r = ((l q_i) + e) + (a - (s - p)),
            l = r - ((s + r) - s),  h = s + r, but -2^965 or 2^965 beyond those,

        each operation one of IEEE doubles. The result is 2^64 h: infinite where it rounds beyond the largest double.
        (Dekker, Numerische Mathematik 18, 1971.)
        """
        ...

    # --- from basis to basis, on coefficients unless said otherwise ---------------------------------------
    #
    # For a source basis q_0 … q_{L-1} of product Q put y_i = [x_i * (Q/q_i)^-1] mod q_i. Then
    # sum_i y_i * (Q/q_i) = x + v * Q with 0 <= v < L.

    def convert(
        self,
        source: BasisHandle,
        target: BasisHandle,
        x: Buffer,
        before: Sequence[int] = (),
        after: Sequence[int] = (),
    ) -> Buffer:
        """The centred representative of x mod Q, in the primes of the target.

        With ``before`` that of `mul_scalar` (x, before), with ``after`` times these: a residue for each prime of
        the source, and of the target; empty where nothing is multiplied.

        ``(sum_i y_i * (Q/q_i) - v * Q) mod p_j`` with v = floor(s + 0.5), where s is the IEEE double sum
        ``((0.0 + y_0 * r_0) + y_1 * r_1) + …`` in this order, without contraction, and r_i = 1.0 / q_i
        correctly rounded. Exact when |x|/Q is further than 2^-45 * L from 1/2; else off by one Q.
        (Halevi, Polyakov, Shoup, CT-RSA 2019, section 2.2.)
        """
        ...

    def scale_round(self, basis: BasisHandle, plain: BasisHandle, x: Buffer) -> tuple[Buffer, NDArray[np.float64]]:
        """round(t x / Q) modulo t, the one prime of ``plain``, and how far t x / Q is from it, ``(..., N)``.

        ``v - sum_i y_i * q_i^-1 mod t`` and s - v, with y_i those of t x, and s and v = floor(s + 0.5) as in `convert`.
        Exact when t x / Q is further than 2^-45 * L from half an odd integer. t is none of the q_i. (Same paper, 2.3.)
        """
        ...

    def divide_round_coeff(self, basis: BasisHandle, start: int, stop: int, x: Buffer) -> Buffer:
        """round(x / D) over the limbs ``start … stop-1``, D the product of all the other primes.

        ``(x_j - c_j) * D^-1 mod q_j`` with c = `convert` of the dropped residues (in ascending order of
        limb) to the kept primes. One operation for ModDown, rescaling, modulus switching, and their merger.
        """
        ...

    def divide_round_eval(self, basis: BasisHandle, start: int, stop: int, x: Buffer) -> Buffer:
        """`divide_round_coeff` for evaluations: only the dropped limbs leave the evaluation domain."""
        ...

    def divide_round_sum(self, basis: BasisHandle, special: int, start: int, stop: int, x: Buffer, y: Buffer) -> Buffer:
        """round((x + P*y) / D) over the limbs ``start … stop-1``, for evaluations: `divide_round_eval` of the sum.

        P is the product of the first ``special`` primes, at least one and none after ``start``; y has the other limbs,
        and the leading axes of x. What ends a key switching: ModDown, the sum with what was switched beside, and below
        L a rescale.
        """
        ...

    # --- key switching ------------------------------------------------------------------------------------
    #
    # `basis` is P then Q_l: first ``special`` special primes, then the ciphertext's, so that a lower level
    # is a prefix. Digit j is the limbs ``special + j*digit … special + (j+1)*digit - 1`` (the last may be short).

    def decompose(
        self, basis: BasisHandle, special: int, digit: int, coeff: Buffer, evaluated: Buffer
    ) -> tuple[Buffer, ...]:
        """The digits of x over P*Q_l, in the evaluation domain: `convert` of each digit to all limbs, then `ntt`.

        ``coeff`` and ``evaluated`` are the same polynomial over Q_l in the two domains; a digit's own limbs
        are copied from ``evaluated``. (Han, Ki, CT-RSA 2020.)
        """
        ...

    def pack_key(self, basis: BasisHandle, b: Sequence[Buffer], a: Sequence[Buffer]) -> Key:
        """A switching key of rows (b_j, a_j), one for each digit, as this backend likes to read it. No leading axes."""
        ...

    def unpack_key(self, key: Key) -> tuple[Sequence[Buffer], Sequence[Buffer]]:
        """The rows b_j and a_j of a switching key, over the basis of `pack_key`."""
        ...

    def key_product(self, basis: BasisHandle, digits: Sequence[Buffer], key: Key) -> tuple[Buffer, Buffer]:
        """(sum_j d_j b_j, sum_j d_j a_j) mod q_i: `inner_product` of the digits with both halves of a switching key.

        The key is over the basis or a longer one that begins so; it has a row for each digit, and may have more.
        """
        ...

    def key_switch(
        self, basis: BasisHandle, special: int, digit: int, coeff: Buffer, evaluated: Buffer, key: Key
    ) -> tuple[Buffer, Buffer]:
        """`decompose`, then the `key_product` of the digits."""
        ...

    def switch_down(
        self, basis: BasisHandle, special: int, digit: int, stop: int, x: Buffer, key: Key, ys: Sequence[Buffer]
    ) -> tuple[Buffer, Buffer]:
        """`key_switch` of evaluations x, then `divide_round_sum` of each half with its y over ``special … stop-1``.

        There may be fewer ``ys`` than halves: `divide_round_eval` of those without. They have the leading axes of x.
        """
        ...

    # --- encryption -------------------------------------------------------------------------------------------

    def encrypt(
        self, basis: BasisHandle, special: int, b: Buffer, a: Buffer, u: Words, e0: Words, e1: Words, message: Buffer
    ) -> tuple[Buffer, Buffer]:
        """round((b u + e_0) / P) + m and round((a u + e_1) / P), on evaluations, under a public key (b, a).

        `ternary` of the words u, `centred_binomial` of e0 and e1. P is the product of the first ``special`` primes,
        which the ciphertext lacks (1 of none); ``message`` comes in coefficients over the others. The key is over the
        basis or a longer one that begins so; no leading axes. Constant time in the words and the message.
        """
        ...

    # --- sampling: the same bytes give the same samples everywhere ------------------------------------------

    def uniform(self, basis: BasisHandle, words: Words) -> Buffer:
        """Row i takes `uniform_words` (N) words w in turn; those below floor(2^64/q) * q give w mod q.

        The first N accepted words of a row's share are its residues. Variable time: for public values only.
        Raises ValueError when a share has fewer, which random words do not.
        """
        ...

    def ternary(self, basis: BasisHandle, words: Words) -> Buffer:
        """Coefficients floor(3 w / 2^64) - 1 in {-1, 0, 1}, one word each, in every limb. Constant time."""
        ...

    def centred_binomial(self, basis: BasisHandle, words: Words) -> Buffer:
        """Coefficients popcount(bits 0-20 of w) - popcount(bits 21-41), one word each, in every limb.

        CBD(21): variance 10.5, sigma 3.24. Constant time.
        """
        ...

    # --- wire -------------------------------------------------------------------------------------------------

    def pack(self, basis: BasisHandle, x: Buffer) -> bytes:
        """Each row as a little-endian bit stream, bit_length(q_i) bits a residue, rows one after another."""
        ...

    def unpack(self, basis: BasisHandle, data: bytes, leading: tuple[int, ...] = ()) -> Buffer:
        """The inverse of `pack`. Raises ValueError with (row, column) of the first residue >= q_i.

        Rows are counted through the leading axes, ``index * L + i``. Raises ValueError for any other length too.
        """
        ...
