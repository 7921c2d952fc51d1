"""As many samples as there are slots, a ciphertext for each of their entries: a network with the most throughput.

Nothing ever moves: every matrix is a combination of ciphertexts by plain numbers, every activation is computed in all
samples at once. (Gilad-Bachrach et al., CryptoNets, ICML 2016.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from fhe.arrays.functions import require
from fhe.arrays.layout import Layout
from fhe.arrays.packed import A
from fhe.circuits.combination import combinations
from fhe.circuits.evaluator import Evaluator
from fhe.circuits.polynomial import evaluate_polynomial
from fhe.ml.folding import SQUARE, Folded, Series
from fhe.ml.latency import scales_of
from fhe.progress import steps
from fhe.rlwe.ciphertext import Ciphertext


@dataclass(frozen=True, eq=False)
class Throughput:
    """A network for samples across slots; ``assume`` trusts that what enters activations is at most 1."""

    evaluator: Evaluator
    network: Folded
    assume: bool

    def __call__(self, X: A) -> A:
        """What the network makes of all samples."""
        require(X, levels=self.network.depth, products=bool(self.network.polynomials), what="this network")
        count, slots, row = X.shape[0], X.layout.slots, X.layout.row
        batches = -(-count // slots)
        first = _first_shards(X.layout)
        made = [self._run([X.shards[entry + batch] for entry in first]) for batch in range(batches)]
        layout = Layout.of((count, *self.network.maps[-1].shape), slots, row, batch=0)
        return X.like([shard for shards in zip(*made, strict=True) for shard in shards], replace(layout, clean=False))

    def _run(self, xs: Sequence[Ciphertext]) -> Sequence[Ciphertext]:
        evaluator, network = self.evaluator, self.network
        xs = [evaluator.settle(x).at_level(network.depth) for x in xs]
        scales = scales_of(network, evaluator.chain.parameters)
        maps = list(zip(network.maps, scales, strict=True))
        for index, (affine, scale) in enumerate(steps(maps, "matrices")):
            found = combinations(evaluator, affine.matrix, xs, scale)
            xs = [evaluator.add_plain(x, b) for x, b in zip(found, affine.offset.tolist(), strict=True)]
            if index < len(network.polynomials):
                xs = [self.activated(x, network.polynomials[index]) for x in xs]
        return xs

    def activated(self, x: Ciphertext, p: Series) -> Ciphertext:
        """Squares stay of degree 2 where they need no level: they are relinearised after their sum."""
        if self.assume or p is not SQUARE:
            x = replace(x, bound=min(x.bound, 1.0))
        y = self.evaluator.square(x) if p is SQUARE else evaluate_polynomial(self.evaluator, x, p)
        return y if self.network.squares else self.evaluator.settle(y)


def _first_shards(layout: Layout) -> list[int]:
    """The ciphertext in which each entry's first samples lie."""
    entries = Layout(layout.shape[1:], layout.slots, layout.strides[1:], layout.offset)
    places = np.zeros(entries.shape, dtype=np.int64) + layout.offset
    for axis, (n, stride) in enumerate(entries.axes):
        places += (np.arange(n) * stride).reshape(-1, *[1] * (places.ndim - axis - 1))
    shards: list[int] = (places.ravel() // layout.slots).tolist()
    return shards
