"""The sign of a number by composite minimax polynomials: plain numerics, no ciphertext.

On t <= |u| <= 1 let p be the odd polynomial of its degree nearest to sign(u), its error e < 1. It maps these u to
1 - e … 1 + e in magnitude; divided by 1 + e, to t' … 1 with t' = (1 - e) / (1 + e) > t, where the next polynomial
begins. A few of low degree reach in this way what one polynomial would need a degree of about log(1/error) / t for.
Between -t and t the result lies between -1 and 1. (Lee, Lee, No, Kim, IEEE TDSC 2022, ePrint 2020/834; composite
polynomials for comparison: Cheon et al., ASIACRYPT 2019 and 2020.)

Values arrive with noise. A polynomial that is steep between its extremes would multiply it, stage after stage; but as
only the sign is wanted, noise does no harm while values stay where the next polynomial is good. So every polynomial is
the best on a little more than it should need: from t - `slack` to 1 + TOP_SLACK.

Which degrees are best is found once, by dynamic programming, and kept in `fhe.circuits.sign_table`.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.polynomial import Chebyshev

from fhe.circuits.approximation import Approximation
from fhe.circuits.remez import minimax
from fhe.circuits.sign_table import DEGREES, ERROR_BITS
from fhe.errors import EncodingError

GAP_SLACK, TOP_SLACK = 1 / 8, 2.0**-8
HAIR = 1e-5  # by how much the error of an exchange may be passed between its extremes


def slack(gap: float) -> float:
    """The noise that does no harm to values of magnitude gap … 1."""
    return min(gap * GAP_SLACK, TOP_SLACK)


@lru_cache(maxsize=8192)
def nearest(degree: int, gap: float) -> tuple[Chebyshev, float]:
    """The odd polynomial nearest to the sign on gap <= |u| <= 1 and its slack, divided by its maximum 1 + e; and e.

    >>> p, e = nearest(7, 0.25)
    >>> bool(np.all(np.abs(p(np.linspace(-1, 1, 999))) <= 1)), round(e, 3)
    (True, 0.086)
    """
    top = 1 + TOP_SLACK
    found = minimax(np.ones_like, degree, -top, top, parity=1, gap=gap - slack(gap))
    error = found.error * (1 + HAIR)
    p = found.polynomial.convert(domain=[-1, 1], kind=Chebyshev) / (1 + error)
    p.coef[::2] = 0.0
    return p, error


def next_gap(error: float) -> float:
    """Where the values of a stage with this error begin, once they end at 1."""
    return (1 - error) / (1 + error)


def sign(margin: float, error: float = 1e-3, bound: float = 1.0) -> Approximation:
    """sign(x) for margin <= |x| <= bound, within ``error``, in the fewest levels, then the fewest relinearisations.

    Nearer to 0 the result lies between -1 and 1. Raises EncodingError where there is no such composition.

    >>> approximation = sign(margin=0.25, error=1e-3, bound=8)
    >>> [stage.degree() for stage in approximation.stages], approximation.depth, approximation.error < 1e-3
    ([13, 27], 10, True)
    """
    if not 0 < margin < bound:
        raise EncodingError(f"the margin of a sign must lie between 0 and the bound {bound:g}, got {margin:g}")
    if not 0 < error < 1:
        raise EncodingError(f"the error of a sign must lie between 0 and 1, got {error:g}")
    alpha = max(1, math.ceil(math.log2(bound / margin) - HAIR))
    bits = -math.log2(error)
    if alpha > len(DEGREES) or bits > ERROR_BITS[-1]:
        raise EncodingError(
            f"a sign with margin {margin:g} of {bound:g} within {error:g} takes too many stages; the margin may be "
            f"2^-{len(DEGREES)} of the bound, the error 2^-{ERROR_BITS[-1]}: widen one of them"
        )
    degrees = DEGREES[alpha - 1][next(k for k, most in enumerate(ERROR_BITS) if bits <= most)]
    return composed(degrees, margin, bound)


def composed(degrees: tuple[int, ...], margin: float, bound: float) -> Approximation:
    """The best odd polynomials of these degrees, one after the other."""
    stages, gaps, gap, error = [], [], margin / bound, 1.0
    for degree in degrees:
        p, error = nearest(degree, gap)
        stages.append(p)
        gaps.append(gap)
        gap = next_gap(error)
    stages[-1] = stages[-1] * (1 + error)  # around 1, not up to 1
    stages[0] = Chebyshev(stages[0].coef, domain=[-bound, bound])
    return Approximation(tuple(stages), error, tuple(gaps))
