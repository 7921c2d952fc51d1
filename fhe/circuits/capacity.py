"""Whether a BFV circuit will fit the noise that is left: asked before it starts, from its products in a row."""

from __future__ import annotations

from fhe.bfv.evaluator import BFVEvaluator
from fhe.errors import NoiseError
from fhe.rlwe.ciphertext import Ciphertext


def require_products(
    evaluator: BFVEvaluator, x: Ciphertext, products: int, what: str, factor_bits: float = 0.0
) -> None:
    """Raise NoiseError, before any work, unless x allows so many products in a row."""
    left = evaluator.products_left(x, factor_bits)
    if products > left:
        raise NoiseError(
            f"{what} takes {products} products in a row{' and one with constants' if factor_bits else ''}, the noise "
            f"leaves room for {left}; use fhe.bfv(depth=…) with {products - left} more"
        )
