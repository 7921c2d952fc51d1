"""Linear combinations of many ciphertexts, y_i = sum_j w_ij x_j with plain numbers, as one product of matrices.

With weights rounded to multiples of 1 / scale this is a product of integers modulo every prime. Doubles hold integers
up to 2^53: residues are cut into pieces short enough that no sum of products exceeds that, and a product of matrices of
doubles, what processors do fastest, is exact. Rows of weights that meet the same ciphertexts go together, so that zeros
cost nothing where they form blocks, as in convolutions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fhe.circuits.evaluator import Evaluator
from fhe.errors import EncodingError
from fhe.ring.basis import Basis
from fhe.ring.poly import EvalPoly, Poly
from fhe.rlwe.ciphertext import Ciphertext, Factors, same_key
from fhe.rlwe.evaluate import relinearize, relinearize_rescale

Doubles = NDArray[np.float64]

EXACT_BITS = 53  # of doubles
TILE = 2048  # coefficients at a time: what there is of them stays near the processor
ROUNDED = 0.5, 0.3  # by how much a weight misses its multiple at most, and usually


def combinations(
    evaluator: Evaluator, weights: Doubles, xs: Sequence[Ciphertext], scale: float | None = None
) -> list[Ciphertext]:
    """sum_j weights[i, j] xs[j] for each i, slot by slot, in CKKS: one level.

    The ciphertexts are alike: of one level, scale and degree. Products of degree 2 are relinearised and rescaled at
    once, after they are summed. ``scale`` is that of the weights, by default the level's own.

    >>> import fhe
    >>> owner = fhe.ckks(depth=1, ring_degree=64, insecure="a small ring for this example", backend="reference")
    >>> xs = owner.encrypt([[1.0, 2.0], [3.0, 5.0]], bound=8, batch=1).shards
    >>> mean, difference = combinations(owner.evaluator, np.array([[0.5, 0.5], [1.0, -1.0]]), xs)
    >>> [owner.evaluator.decode(owner._secret.decrypt(y), y).real[:2].round(3).tolist() for y in (mean, difference)]
    [[2.0, 3.5], [-2.0, -3.0]]
    """
    first = xs[0]
    _check(weights, xs)
    scale = scale or evaluator.chain.parameters.scale(first.level)  # type: ignore[attr-defined]
    rms = math.nan if any(math.isnan(x.rms) for x in xs) else max(x.rms for x in xs)
    like = replace(first, bound=max(x.bound for x in xs), noise=max(x.noise for x in xs), rms=rms)
    forecasts = [_forecast(evaluator, like, row, scale) for row in weights]
    whole = np.rint(weights * scale)
    basis = evaluator.chain.q(first.level)
    components = [_products(whole, [x.evals()[c].residues for x in xs], basis) for c in range(first.degree + 1)]
    found = []
    for result, polys in zip(forecasts, zip(*components, strict=True), strict=True):
        found.append(result.with_polys(_lowered(evaluator, first, polys, result.level)))
    return found


def _check(weights: Doubles, xs: Sequence[Ciphertext]) -> None:
    if weights.ndim != 2 or weights.shape[1] != len(xs) or not len(weights):
        raise EncodingError(f"weights of shape {weights.shape} do not combine {len(xs)} ciphertexts")
    for x in xs:
        same_key(xs[0], x)
        if (x.level, x.degree) != (xs[0].level, xs[0].degree) or not math.isclose(x.scale, xs[0].scale):
            raise EncodingError(f"{x!r} and {xs[0]!r} do not combine; bring them to one level, scale and degree")


def _forecast(evaluator: Evaluator, x: Ciphertext, row: Doubles, scale: float) -> Ciphertext:
    """The metadata of one combination of ciphertexts like x."""
    most, usual = np.count_nonzero(row) * ROUNDED[0], math.sqrt(np.count_nonzero(row)) * ROUNDED[1]
    gain, energy = float(np.abs(row).sum()), float(np.linalg.norm(row))
    noise = evaluator.weighted_noise(x, evaluator.noise_of(x), Factors((), x.level, scale, gain, energy, most, usual))
    noise = evaluator.switched_noise(noise, x.level, x.degree - 1)
    sums = np.maximum(row, 0).sum(keepdims=True), np.minimum(row, 0).sum(keepdims=True)
    return evaluator.forecast(x, noise, sums, scale)


def _lowered(evaluator: Evaluator, x: Ciphertext, polys: Sequence[EvalPoly], level: int) -> Sequence[Poly]:
    """Relinearised and, where there is a level to go, rescaled."""
    if x.degree == 2:
        y = x.with_polys(polys)
        return relinearize_rescale(y, evaluator.keys) if level < x.level else relinearize(y, evaluator.keys).c
    return [poly.divide_round(0, evaluator.chain.parameters.limbs(level)) for poly in polys]


def _products(weights: Doubles, residues: Sequence[NDArray[np.uint64]], basis: Basis) -> list[EvalPoly]:
    """sum_j weights[i, j] residues[j] for each i, modulo every prime; the weights are whole."""
    product, N = _Exact(weights), basis.ring_degree
    out = np.empty((len(weights), len(basis), N), dtype=np.uint64)
    for limb, q in enumerate(basis.moduli):
        for start in range(0, N, TILE):
            columns = slice(start, min(start + TILE, N))
            product([x[limb, columns] for x in residues], q, out[:, limb, columns])
    return [EvalPoly(basis, basis.backend.load(basis.handle, part)) for part in out]


class _Exact:
    """weights @ x modulo q, in memory that is used over and over: fresh pages would take longer than the products."""

    def __init__(self, weights: Doubles) -> None:
        rows, columns = weights.shape
        self.piece = piece_bits(weights)
        self.blocks = blocks(weights)
        self.x, self.cut = np.empty((2, columns, TILE), np.uint64)
        self.part = np.empty((columns, TILE))
        self.sums, self.quotient = np.zeros((2, rows, TILE))
        self.total, self.whole = np.empty((2, rows, TILE), np.int64)

    def __call__(self, rows: Sequence[NDArray[np.uint64]], q: int, out: NDArray[np.uint64]) -> None:
        """By Horner's scheme over the pieces of residues, the highest first."""
        width = out.shape[1]
        x, cut, part, total = self.x[:, :width], self.cut[:, :width], self.part[:, :width], self.total[:, :width]
        np.stack(rows, out=x)
        total[...] = 0
        for shift in reversed(range(0, q.bit_length(), self.piece)):
            np.right_shift(x, np.uint64(shift), out=cut)
            np.bitwise_and(cut, np.uint64((1 << self.piece) - 1), out=cut)
            np.copyto(part, cut, casting="unsafe")
            for chosen, columns, weights in self.blocks:
                self.sums[chosen, :width] = weights @ part[columns]
            self._reduce(total, self.sums[:, :width], q)
        np.copyto(out, total, casting="unsafe")

    def _reduce(self, total: NDArray[np.int64], sums: Doubles, q: int) -> None:
        """total = (2^piece total + sums) mod q: the quotient by doubles, right to 1; the rest modulo 2^64."""
        quotient, whole = self.quotient[:, : sums.shape[1]], self.whole[:, : sums.shape[1]]
        np.multiply(total, 2.0**self.piece, out=quotient)
        quotient += sums
        quotient *= 1 / q
        np.floor(quotient, out=quotient)
        np.left_shift(total, self.piece, out=total)
        np.copyto(whole, sums, casting="unsafe")
        total += whole
        np.copyto(whole, quotient, casting="unsafe")
        whole *= q
        total -= whole  # in [-q, 2q)
        for surplus in (0, q):
            total -= surplus
            np.right_shift(total, 63, out=whole)
            whole &= q
            total += whole


def piece_bits(weights: Doubles) -> int:
    """The bits of residues that meet whole weights at a time, so that no sum exceeds what doubles hold."""
    largest = math.log2(max(float(np.abs(weights).sum(axis=1).max()), 1.0))
    piece = EXACT_BITS - 1 - math.ceil(largest)
    if piece < 1:
        raise EncodingError(f"weights that sum to 2^{largest:.0f} leave doubles no bits; lower their scale")
    return piece


def blocks(weights: Doubles) -> list[tuple[Any, Any, Doubles]]:
    """Rows that meet the same columns, those columns, and the weights there: what is zero is left out."""
    _, kinds = np.unique(weights != 0, axis=0, return_inverse=True)
    found = []
    for kind in range(int(kinds.max()) + 1):
        rows = np.flatnonzero(kinds.ravel() == kind)
        columns = np.flatnonzero(weights[rows[0]])
        within = slice(None) if columns.size == weights.shape[1] else columns
        found.append((rows, within, np.ascontiguousarray(weights[np.ix_(rows, columns)])))
    return found
