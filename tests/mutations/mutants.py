"""All mutants, and those that compute the same."""

from __future__ import annotations

from tests.mutations.arithmetic import DOUBLES, KERNELS, REFERENCE, RING, SAMPLES_AND_KEYS
from tests.mutations.layers import LAYERS
from tests.mutations.refusals import REFUSALS

MUTANTS = [*KERNELS, *DOUBLES, *RING, *SAMPLES_AND_KEYS, *REFERENCE, *REFUSALS, *LAYERS]

# Mutants that compute the same: they must survive, and say why.
EQUIVALENT = {
    next(m for m in MUTANTS if m.after == "step < 4; ++step"): "four steps give g^-1 mod 2^48, and 2N is at most 2^18",
    next(m for m in MUTANTS if "2 * x >= Q" in m.after): "Q is odd, so 2x is never Q",
}
