"""Sealed bids: 4096 auctions at once find winner and price, the second highest bid, and nobody sees a bid."""

from __future__ import annotations

import numpy as np

import fhe

BIDDERS, AUCTIONS, BITS = 4, 4096, 8


def main() -> None:
    """Run the auctions on encrypted bits, and compare with the clear."""
    bids = np.random.default_rng(2026).integers(0, 1 << BITS, (BIDDERS, AUCTIONS))
    owner = fhe.bfv(depth=fhe.depth_of_comparison(bits=BITS) + 4)  # and to count, to look up the rank, and to pick
    sealed = [owner.encrypt_bits(bid, BITS) for bid in bids]

    *_, price, highest = fhe.sort(sealed)  # all pairs are compared at once
    winner = fhe.argmax(sealed)

    assert np.array_equal(owner.decrypt(winner), bids.argmax(axis=0))
    assert np.array_equal(owner.decrypt(price), np.sort(bids, axis=0)[-2])
    earned = owner.decrypt(price).sum()
    print(f"{AUCTIONS} auctions of {BIDDERS} bidders, {BITS} bits a bid: sold for {earned} in all")
    print(f"the first went to bidder {owner.decrypt(winner)[0]}, for {owner.decrypt(price)[0]}")
    print(f"highest bids in all: {owner.decrypt(highest).sum()}")


if __name__ == "__main__":
    main()
