"""Products of many ciphertexts, in the least depth."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from itertools import count

from fhe.circuits.evaluator import Evaluator
from fhe.errors import EncodingError
from fhe.rlwe.ciphertext import Ciphertext


def depth_of_product(factors: int) -> int:
    """ceil(log2 n): the products in a row that n factors take.

    >>> [depth_of_product(n) for n in (1, 2, 3, 4, 5, 64)]
    [0, 1, 2, 2, 3, 6]
    """
    return (factors - 1).bit_length()


def product_of(evaluator: Evaluator, xs: Sequence[Ciphertext]) -> Ciphertext:
    """xs[0] * xs[1] * …, pending: always the two that may go deepest are multiplied next (Huffman's order).

    Equal factors make a balanced tree of `depth_of_product`; those that have less room left wait. Raises EncodingError
    for no factors; LevelError (CKKS) or NoiseError (BFV) where room runs out.
    """
    if not xs:
        raise EncodingError("a product takes one factor at least; the empty product is the plain number 1")
    order = count()
    ready = [(_spent(evaluator, x), next(order), x) for x in map(evaluator.settle, xs)]
    heapify(ready)
    while len(ready) > 2:
        x, y = heappop(ready)[2], heappop(ready)[2]
        product = evaluator.settle(evaluator.multiply(x, y))
        heappush(ready, (_spent(evaluator, product), next(order), product))
    return evaluator.multiply(ready[0][2], ready[1][2]) if len(ready) == 2 else ready[0][2]


def _spent(evaluator: Evaluator, x: Ciphertext) -> tuple[int, float]:
    """What orders ciphertexts by how deep they may go: the level, and at one level the room."""
    return -x.level, -evaluator.room_bits(x)
