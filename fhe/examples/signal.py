"""A moving average and a Fourier transform of an encrypted signal."""

from __future__ import annotations

from typing import Any

import numpy as np

import fhe

LENGTH, WINDOW, RATE = 256, 8, 64.0


def main() -> None:
    """Smooth a noisy signal, and find its frequency from the encrypted spectrum."""
    t = np.arange(LENGTH) / RATE
    signal = np.sin(2 * np.pi * 5 * t) + 0.3 * np.random.default_rng(3).standard_normal(LENGTH)
    kernel = np.full(WINDOW, 1 / WINDOW)
    n = np.arange(LENGTH)
    fourier = np.exp(-2j * np.pi * np.outer(n[: LENGTH // 2], n) / LENGTH) / LENGTH

    owner = fhe.ckks(depth=2)
    x = owner.encrypt(signal, bound=3)
    smooth: Any = np.convolve(x, kernel, mode="valid")
    spectrum: Any = fourier @ x
    power = spectrum * np.conj(spectrum)

    smoothing = np.max(np.abs(owner.decrypt(smooth) - np.convolve(signal, kernel, mode="valid")))
    transform = np.max(np.abs(owner.decrypt(spectrum) - np.fft.fft(signal)[: LENGTH // 2] / LENGTH))
    peak = np.argmax(owner.decrypt(power).real) * RATE / LENGTH
    print(f"{LENGTH} samples, N = {owner.parameters.ring_degree}")
    print(f"  moving average of {WINDOW}: differs from NumPy's by {smoothing:.1e}")
    print(f"  discrete Fourier transform: differs from NumPy's by {transform:.1e}; strongest at {peak:g} Hz")


if __name__ == "__main__":
    main()
