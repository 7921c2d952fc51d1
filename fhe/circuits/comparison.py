"""The sign of a ciphertext's values, by the compositions of `fhe.circuits.sign`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from numpy.polynomial import Chebyshev

from fhe.circuits.deviation import as_exact, distance, off_by
from fhe.circuits.evaluator import Evaluator
from fhe.circuits.extremes import steepest
from fhe.circuits.polynomial import evaluate_polynomial
from fhe.circuits.sign import slack
from fhe.errors import NoiseError
from fhe.rlwe.automorphism import swap_element
from fhe.rlwe.ciphertext import Ciphertext


def evaluate_composition(
    evaluator: Evaluator, x: Ciphertext, stages: Sequence[Chebyshev], gaps: Sequence[float]
) -> Ciphertext:
    """p_n(… p_1(u)) for the slots u of x, |u| <= 1, with an error bound for those of at least the first gap.

    The bound is what the last stage adds, since each stage is good on more than the values of the one before it: noise
    within the slack of its gap moves no value from where it should be. This holds on the real line. What a stage
    leaves beside it is taken away by adding the conjugate to half of it, before the next would enlarge it: one
    automorphism for each stage but the last, no level, and the conjugation key.

    The first stage meets complex values u + d: Re p(u + d) is within |d|^2 max |p''| / 2 of p(u + Re d).
    """
    if len(stages) == 1:
        return evaluate_polynomial(evaluator, replace(x, bound=min(x.bound, 1.0)), stages[0], (gaps[0], 1.0))
    evaluator.keys.require_galois(swap_element(evaluator.chain.parameters.ring_degree))
    near = distance(x)
    beside = near**2 * steepest(stages[0].deriv(), -1.0, 1.0, near) / 2
    for p, gap in zip(stages[:-1], gaps, strict=False):
        y = evaluator.settle(evaluate_polynomial(evaluator, _taken_as_exact(x, gap), p / 2))
        y = replace(off_by(y, beside / 2), bound=0.5)
        x, beside = evaluator.add(y, evaluator.swap(y)), 0.0
    return evaluate_polynomial(evaluator, _taken_as_exact(x, gaps[-1]), stages[-1])


def _taken_as_exact(x: Ciphertext, gap: float) -> Ciphertext:
    """x without its noise, since this stays within the slack; NoiseError if it does not."""
    if distance(x) > slack(gap):
        raise NoiseError(
            f"this comparison tells values apart that differ by {gap:.2g} of their bound, and needs them with errors "
            f"of at most {slack(gap):.2g}; the tracked error is {distance(x):.2g}: use a larger scale_bits, a wider "
            "margin, or encrypt(…, symmetric=True)"
        )
    return replace(as_exact(x), bound=1 + distance(x))
