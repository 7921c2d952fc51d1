"""Ordinary NumPy on numbers that stay encrypted."""

from __future__ import annotations

import numpy as np

import fhe


def main() -> None:
    """Evaluate a cubic at a thousand encrypted points, and their mean square, beside NumPy."""
    owner = fhe.ckks(depth=3)
    points = np.linspace(-1, 1, 1000)

    x = owner.encrypt(points)
    y = 0.5 + 0.197 * x - 0.004 * x**3
    mean_square = (x * x).sum() / len(x)

    print(owner.parameters)
    error = np.max(np.abs(owner.decrypt(y) - (0.5 + 0.197 * points - 0.004 * points**3)))
    print(f"1000 values, levels left {y.levels_left}, largest error {error:.1e}")
    print(f"mean square {owner.decrypt(mean_square):.6f}, in the clear {np.mean(points**2):.6f}")


if __name__ == "__main__":
    main()
