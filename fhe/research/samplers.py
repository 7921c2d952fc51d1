"""Other distributions for secrets and errors, to exchange for `ternary` and `centred_binomial`. Variable time."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fhe.backend.protocol import BasisHandle, Buffer, Words
from fhe.errors import ParameterError
from fhe.research.exchange import Exchanged

Sampler = Callable[[Exchanged, BasisHandle, Words], Buffer]
TAIL = 14  # standard deviations: what lies beyond has a probability below 2^-140
WORD = 1 << 64


def _uniform(words: Words) -> NDArray[np.uint64]:
    return np.frombuffer(words, dtype="<u8")


def gaussian(sigma: float) -> Sampler:
    """P(k) proportional to exp(-k^2 / 2 sigma^2) on the integers, by inversion: one word each, as `centred_binomial`.

    The number k of a word w is the first with w / 2^64 < P(X <= k), to the precision of a double.

    >>> from fhe.research import exchanged
    >>> backend = exchanged("reference", centred_binomial=gaussian(3.2))
    >>> backend.target
    'compiled with another centred_binomial'
    """
    if not 0 < sigma < 2**20:
        raise ParameterError(f"the standard deviation must be positive and below 2^20, not {sigma:g}")
    reach = math.ceil(TAIL * sigma)
    weights = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * sigma**2))
    below = np.cumsum(weights)[:-1] / np.sum(weights)

    def sample(backend: Exchanged, basis: BasisHandle, words: Words) -> Buffer:
        found = np.searchsorted(below, _uniform(words) / WORD, side="right") - reach
        buffer: Buffer = backend.reduce(basis, found.astype(np.int64))
        return buffer

    return sample


def sparse_ternary(weight: int) -> Sampler:
    """Exactly ``weight`` coefficients ±1, the others 0: for the places with the smallest words, signs from low bits.

    The security tables are for uniform ternary secrets: sparse ones have less, and no row here.

    >>> from fhe.research import exchanged
    >>> import fhe
    >>> basis = fhe.Basis.of(64, [257], exchanged("reference", ternary=sparse_ternary(8)))
    >>> words = np.random.default_rng(1).integers(0, 2**64, 64, dtype=np.uint64)
    >>> residues = basis.backend.view(basis.backend.ternary(basis.handle, words))
    >>> int(np.count_nonzero(residues)), set(residues.ravel().tolist()) <= {0, 1, 256}
    (8, True)
    """
    if weight < 1:
        raise ParameterError(f"a sparse secret has at least one coefficient, not {weight}")

    def sample(backend: Exchanged, basis: BasisHandle, words: Words) -> Buffer:
        given = _uniform(words)
        places = np.argsort(given, kind="stable")[:weight]
        found = np.zeros(len(given), dtype=np.int64)
        found[places] = 1 - 2 * (given[places] & np.uint64(1)).astype(np.int64)
        buffer: Buffer = backend.reduce(basis, found)
        return buffer

    return sample
