"""Polynomials that others have published: odd ones of degree 7, steep at 0 or flat near 1 and -1.

Cheon, D. Kim, D. Kim, ASIACRYPT 2020 (ePrint 2019/1234).
"""

from __future__ import annotations

from numpy.polynomial import Chebyshev, Polynomial

SIGN_F = (Polynomial([0, 35, 0, -35, 0, 21, 0, -5]) / 2**4).convert(kind=Chebyshev)
SIGN_G = (Polynomial([0, 4589, 0, -16577, 0, 25614, 0, -12860]) / 2**10).convert(kind=Chebyshev)
