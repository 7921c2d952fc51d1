"""Powers by repeated multiplication, in the least depth."""

from __future__ import annotations

from fhe.circuits.evaluator import Evaluator
from fhe.errors import EncodingError, LevelError
from fhe.parameters import CKKSParameters
from fhe.rlwe.ciphertext import Ciphertext


def depth_of_power(exponent: int) -> int:
    """ceil(log2 k): the levels of x**k.

    >>> [depth_of_power(k) for k in (1, 2, 3, 4, 5, 40)]
    [0, 1, 2, 2, 3, 6]
    """
    return (exponent - 1).bit_length()


def power(evaluator: Evaluator, x: Ciphertext, exponent: int) -> Ciphertext:
    """x**k for a whole k >= 1, as x**ceil(k/2) * x**floor(k/2): every x**j of the tree is computed once.

    Raises LevelError before any work when fewer than ceil(log2 k) levels are left (CKKS).
    """
    if isinstance(exponent, bool) or not isinstance(exponent, int) or exponent < 1:
        raise EncodingError(
            f"the exponent of an encrypted array must be a whole number of at least 1, got {exponent!r}; roots and "
            "inverses are fhe.sqrt, fhe.rsqrt, fhe.inverse"
        )
    x = evaluator.settle(x)
    depth = depth_of_power(exponent)
    if isinstance(evaluator.chain.parameters, CKKSParameters) and depth > x.level:
        most = evaluator.chain.parameters.max_level
        raise LevelError.short(f"x**{exponent}", depth, x.level, most, "re-encrypt x")
    known = {1: x}

    def of(k: int) -> Ciphertext:
        if k not in known:
            half = of((k + 1) // 2)
            known[k] = evaluator.square(half) if k % 2 == 0 else evaluator.multiply(half, of(k // 2))
        return known[k]

    return of(exponent)
