"""Exact arithmetic under encryption: an order priced to the cent, and what two catalogues have in common."""

from __future__ import annotations

import numpy as np

import fhe


def main() -> None:
    """Price an encrypted order, and count what two encrypted catalogues share."""
    rng = np.random.default_rng(2026)
    owner = fhe.bfv(depth=1, value_bits=40)

    quantities, cents = rng.integers(0, 1000, 500), rng.integers(1, 100_000, 500)
    total = owner.encrypt(quantities, bound=1000) @ cents  # prices are the server's, and plain
    print(f"order: {owner.decrypt(total)} cents, in the clear {quantities @ cents}")

    ours, theirs = rng.integers(0, 2, (2, 500))
    common = owner.encrypt(ours, bound=1) @ owner.encrypt(theirs, bound=1)
    print(f"articles in both catalogues: {owner.decrypt(common)}, in the clear {ours @ theirs}")
    print(f"noise budget left: {owner.noise_budget_bits(common):.0f} bits")


if __name__ == "__main__":
    main()
