"""Two ways through a forest: thousands of encrypted rows at once, and one row as fast as can be."""

from __future__ import annotations

from time import perf_counter

import numpy as np
from sklearn.datasets import load_wine

import fhe
from fhe.ml import RandomForestClassifier, digits_of

BITS = 4


def main() -> None:
    """Wines by their chemistry, in sixteen steps from the least to the largest value of each feature."""
    X, y = load_wine(return_X_y=True)
    low, high = X.min(axis=0), X.max(axis=0)
    X = np.round((X - low) / (high - low) * 15).astype(int)
    forest = RandomForestClassifier(4, max_depth=4, random_state=0).fit(X[::2], y[::2])

    owner = fhe.bfv(forest.depth(bits=BITS), value_bits=forest.value_bits)
    rows = owner.encrypt_bits(X[1::2], bits=BITS, batch=0)
    start = perf_counter()
    probabilities = forest.predict_proba(rows)
    seconds, found = perf_counter() - start, forest.decide(owner.decrypt(probabilities))
    print(f"{len(found)} wines (as many as {rows.bits[0].layout.slots} at once) in {seconds:.2f} s")
    print(f"as in the clear: {np.array_equal(found, forest.predict(X[1::2]))}, right: {np.mean(found == y[1::2]):.1%}")

    owner = fhe.bfv(forest.depth(bits=BITS, single=True), value_bits=forest.value_bits)
    server = owner.public(rotations=forest.single_rotations(owner.parameters.ring_degree))
    fast = forest.for_single_rows(server, bits=BITS)
    request = owner.encrypt(digits_of(X[1:2], bits=BITS), bound=(0, 1), symmetric=True).to_bytes()
    fast.predict_proba(server.load(request))  # maps are encoded when they are first used
    start = perf_counter()
    reply = fast.predict_proba(server.load(request)).to_bytes()
    seconds, found = perf_counter() - start, forest.decide(owner.decrypt(owner.load(reply)))
    print(f"one wine, {len(request) // 1024} KiB there, in {seconds:.2f} s: class {found[0]}, in truth {y[1]}")


if __name__ == "__main__":
    main()
