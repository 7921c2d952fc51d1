"""Slips above the seam, where a silent failure would be worst: in what is known, believed, and told to others."""

from __future__ import annotations

from tests.mutations.bookkeeping import ARRAYS, BFV, CKKS, INTERVALS, NOISE, PROGRAMS
from tests.mutations.trust import KEYS, PUBLISHING, RECEIVED

LAYERS = [*NOISE, *INTERVALS, *BFV, *CKKS, *ARRAYS, *PROGRAMS, *KEYS, *RECEIVED, *PUBLISHING]
