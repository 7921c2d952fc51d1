"""Whether a BFV circuit will fit the noise that is left: asked before it starts, from its products in a row."""

from __future__ import annotations

from fhe import noise
from fhe.bfv.evaluator import BFVEvaluator
from fhe.errors import NoiseError
from fhe.rlwe.ciphertext import Ciphertext

MOST = 512


def products_left(evaluator: BFVEvaluator, x: Ciphertext, factor_bits: float = 0.0) -> int:
    """How many products in a row, each relinearised, x still allows after a multiplication by constants.

    ``factor_bits`` is log2 of what the constants multiply the noise by.
    """
    level, parameters = x.level, evaluator.parameters
    limit, switch = evaluator.limit(level), noise.key_switch(parameters, level)
    bound = noise.add(x.noise, switch) + factor_bits
    for count in range(MOST):
        bound = noise.add(noise.multiply_bfv(parameters, level, bound, bound), switch)
        if bound >= limit:
            return count
    return MOST


def require_products(
    evaluator: BFVEvaluator, x: Ciphertext, products: int, what: str, factor_bits: float = 0.0
) -> None:
    """Raise NoiseError, before any work, unless x allows so many products in a row."""
    left = products_left(evaluator, x, factor_bits)
    if products > left:
        raise NoiseError(
            f"{what} takes {products} products in a row{' and one with constants' if factor_bits else ''}, the noise "
            f"leaves room for {left}; use fhe.bfv(depth=…) with {products - left} more"
        )
