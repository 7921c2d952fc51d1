"""A polynomial fitted in the clear predicts from encrypted measurements."""

from __future__ import annotations

import numpy as np
from numpy.polynomial import Chebyshev

import fhe

SAMPLES = 4000


def main() -> None:
    """Fit the consumption of a heated house against the temperature outside; predict for hidden temperatures."""
    rng = np.random.default_rng(1)
    temperature = rng.uniform(-10, 30, SAMPLES)
    consumption = 2 + 0.09 * np.log1p(np.exp(18 - temperature)) ** 1.2 + 0.1 * rng.standard_normal(SAMPLES)
    model = Chebyshev.fit(temperature, consumption, deg=7, domain=[-10, 30])

    depth = 4  # three for degree 7, and one to bring -10 … 30 to -1 … 1
    owner = fhe.ckks(depth=depth)
    hidden = owner.encrypt(temperature, bound=30)
    predicted = fhe.evaluate(model, hidden)

    error = np.max(np.abs(owner.decrypt(predicted) - model(temperature)))
    print(f"{SAMPLES} predictions of degree {model.degree()}, N = {owner.parameters.ring_degree}, {depth} levels")
    print(f"  differ from the clear ones by {error:.1e}; the tracked bound says {2.0**-predicted.precision_bits:.1e}")


if __name__ == "__main__":
    main()
