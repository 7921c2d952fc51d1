"""Which level holds a result as well as the present one: decided by tracked noise and public parameters alone.

Dividing the modulus divides the noise along, and rounds: as long as the noise stays well above what key switching, the
largest of the small additions, adds at the lower level, nothing is lost. What is left then grows as it would have, and
every operation is faster.
"""

from __future__ import annotations

from fhe import noise
from fhe.rlwe.chain import ModulusChain
from fhe.rlwe.ciphertext import Ciphertext


def sufficient_level(chain: ModulusChain, bound: float, level: int) -> int:
    """The lowest level at which noise of this bound stays `noise.ABOVE_SWITCHING_BITS` above what is added next."""
    excess = bound - chain.log_q(level) - noise.ABOVE_SWITCHING_BITS
    fitting = (low for low in range(level) if excess + chain.log_q(low) >= noise.key_switch(chain.parameters, low))
    return next(fitting, level)


def settled_level(x: Ciphertext) -> int:
    """The level that a ciphertext settles at."""
    return sufficient_level(x.chain, linear_noise(x), x.level)


def settled_noise(x: Ciphertext, level: int) -> float:
    """Of x once it is settled, and at a level not above that."""
    settled = settled_level(x)
    bound = switched_noise(x.chain, linear_noise(x), x.level, settled)
    return switched_noise(x.chain, bound, settled, level)


def linear_noise(x: Ciphertext) -> float:
    """Of x at degree 1, at its own level."""
    return x.noise if x.degree < 2 else noise.add(x.noise, noise.key_switch(x.chain.parameters, x.level))


def switched_noise(chain: ModulusChain, bound: float, level: int, lower: int, degree: int = 1) -> float:
    """Of a ciphertext with this noise at a level, switched to one not above."""
    if lower == level:
        return bound
    shrunk = bound + chain.log_q(lower) - chain.log_q(level)
    return noise.add(shrunk, noise.divide_round(chain.parameters, degree))
