"""Activations of networks: functions of every entry, which encrypted images meet as polynomials."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from fhe.circuits.approximation import sigmoid
from fhe.ml.layers import Array, Gradients, Layer


class Activation(Layer):
    """A function of every entry, with its derivative; ``exact`` if it is a polynomial, so that nothing is replaced.

    >>> ReLU()(np.array([-1.0, 2.0])).tolist(), Square().exact, ReLU()
    ([0.0, 2.0], True, ReLU())
    """

    affine = False
    exact: ClassVar[bool] = False

    def derivative(self, x: Array) -> Array:
        """The slope of the function at every entry."""
        raise AssertionError("each activation has its own")

    def gradients(self, x: Array, slope: Array) -> tuple[Array, Gradients]:
        return slope * self.derivative(x), {}

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class Square(Activation):
    """x^2: exact, and cheaper than any other.

    >>> Square()(np.array([-3.0])).tolist()
    [9.0]
    """

    exact = True

    def __call__(self, x: Array) -> Array:
        return x * x

    def derivative(self, x: Array) -> Array:
        return 2 * x


class ReLU(Activation):
    """max(x, 0).

    >>> ReLU()(np.array([-3.0, 2.0])).tolist()
    [0.0, 2.0]
    """

    def __call__(self, x: Array) -> Array:
        return np.maximum(x, 0.0)

    def derivative(self, x: Array) -> Array:
        return (x > 0).astype(np.float64)


class SiLU(Activation):
    """x / (1 + exp(-x)).

    >>> SiLU()(np.array([0.0, 40.0])).tolist()
    [0.0, 40.0]
    """

    def __call__(self, x: Array) -> Array:
        return x * sigmoid(x)

    def derivative(self, x: Array) -> Array:
        return sigmoid(x) * (1 + x * (1 - sigmoid(x)))


class Sigmoid(Activation):
    """1 / (1 + exp(-x)).

    >>> Sigmoid()(np.array([0.0])).tolist()
    [0.5]
    """

    def __call__(self, x: Array) -> Array:
        return sigmoid(x)

    def derivative(self, x: Array) -> Array:
        return sigmoid(x) * (1 - sigmoid(x))


class Tanh(Activation):
    """tanh(x).

    >>> Tanh()(np.array([0.0])).tolist()
    [0.0]
    """

    def __call__(self, x: Array) -> Array:
        return np.tanh(x)

    def derivative(self, x: Array) -> Array:
        return 1 - np.tanh(x) ** 2
