"""Learning of networks in the clear: softmax or logistic regression on what the last layer says, by Adam."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fhe.circuits.approximation import sigmoid
from fhe.ml.layers import Array, Gradients, Layer, Shape
from fhe.progress import steps

FORGETTING, SQUARED, SMALL = 0.9, 0.999, 1e-8  # of Adam's means (Kingma, Ba, ICLR 2015)
LARGEST_STEP = 1.0  # norm to which gradients are cut: squares make steep losses


def drawn(layers: Sequence[Layer], given: Shape, rng: np.random.Generator) -> list[Layer]:
    """The layers with random weights for samples of a shape; EncodingError where shapes do not follow."""
    found = []
    for layer in layers:
        layer.shape(given)
        found.append(layer.drawn(given, rng))
        given = layer.shape(given)
    return found


@dataclass(frozen=True, slots=True)
class Adam:
    """Steps by running means of gradients and of their squares, with weights drawn to zero by ``alpha``."""

    epochs: int
    batch_size: int
    rate: float
    alpha: float

    def learnt(self, layers: Sequence[Layer], X: Array, y: NDArray[np.int64], rng: np.random.Generator) -> list[Layer]:
        """The layers after so many passes over the samples; y are classes, the last layer has an output for each.

        With one output y is 0 or 1. The rate falls to zero along half a cosine.
        """
        layers = list(layers)
        means: list[dict[str, Any]] = [{} for _ in layers]
        batches = max(-(-len(X) // self.batch_size), 1)
        total = self.epochs * batches
        for step in steps(range(total), "learning"):
            if step % batches == 0:
                order = rng.permutation(len(X))
            chosen = order[step % batches :: batches]
            rate = self.rate * (1 + np.cos(np.pi * step / total)) / 2
            gradients = _gradients(layers, X[chosen], y[chosen])
            layers = [
                self._moved(layer, found, mean, rate, step)
                for layer, found, mean in zip(layers, gradients, means, strict=True)
            ]
        return layers

    def _moved(self, layer: Layer, gradients: Gradients, means: dict[str, Any], rate: float, step: int) -> Layer:
        changed = {}
        for name, gradient in gradients.items():
            weights: Array = getattr(layer, name)
            if name in ("weight", "factor"):
                gradient = gradient + self.alpha * weights  # noqa: PLW2901
            first, second = means.get(name, (0.0, 0.0))
            first = FORGETTING * first + (1 - FORGETTING) * gradient
            second = SQUARED * second + (1 - SQUARED) * gradient**2
            means[name] = first, second
            ahead = first / (1 - FORGETTING ** (step + 1))
            changed[name] = weights - rate * ahead / (np.sqrt(second / (1 - SQUARED ** (step + 1))) + SMALL)
        return replace(layer, **changed) if changed else layer  # type: ignore[type-var]


def _gradients(layers: Sequence[Layer], x: Array, y: NDArray[np.int64]) -> list[Gradients]:
    """Of the mean cross-entropy, for every layer."""
    inputs = []
    for layer in layers:
        inputs.append(x)
        x = layer(x)
    slope, found = _surplus(x, y) / len(x), []
    for layer, given in zip(reversed(layers), reversed(inputs), strict=True):
        slope, gradients = layer.gradients(given, slope)
        found.append(gradients)
    norm = np.sqrt(sum(float(np.sum(g**2)) for gradients in found for g in gradients.values()))
    cut = min(1.0, LARGEST_STEP / max(norm, SMALL))
    return [{name: cut * g for name, g in gradients.items()} for gradients in reversed(found)]


def _surplus(scores: Array, y: NDArray[np.int64]) -> Array:
    """By how much the likely classes are too likely: the slope of the cross-entropy at the scores."""
    if scores.shape[1] == 1:
        return sigmoid(scores) - y[:, None]
    likely = np.exp(scores - scores.max(axis=1, keepdims=True))
    likely /= likely.sum(axis=1, keepdims=True)
    likely[np.arange(len(y)), y] -= 1
    surplus: Array = likely
    return surplus
