"""Layers of networks on plain images, ``(n, channels, height, width)``, or rows, ``(n, features)``.

A layer is what it was made with: weights come by `Layer.drawn`, as a new layer, and never change. What it does to
samples is ``linear(x)`` and an offset, by which a network can be folded; ``gradients`` is what learning asks of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from fhe.errors import EncodingError

Array = NDArray[np.float64]
Shape = tuple[int, ...]
Pair = int | tuple[int, int]
Gradients = dict[str, Array]


class Layer:
    """What networks are made of."""

    affine: ClassVar[bool] = True

    def shape(self, given: Shape) -> Shape:
        """The shape of what it makes of one sample of a shape; EncodingError where it cannot."""
        return given

    def drawn(self, given: Shape, rng: np.random.Generator) -> Self:
        """The same layer with weights, drawn at random, if it has some."""
        return self

    @property
    def pitch(self) -> tuple[int, int]:
        """How far places of the result are apart on the image that it is made of, along both axes."""
        return 1, 1

    def linear(self, x: Array) -> Array:
        """The layer without its offset."""
        return x

    def __call__(self, x: Array) -> Array:
        return self.linear(x)

    def gradients(self, x: Array, slope: Array) -> tuple[Array, Gradients]:
        """Of a loss whose slope at the layer's result is known: its slope at x, and at the weights by their names."""
        return slope, {}


@dataclass(frozen=True, eq=False)
class Linear(Layer):
    """x @ weight.T + bias, of vectors.

    >>> Linear(2, np.array([[1.0, 1.0], [0.0, 2.0]]), np.zeros(2))(np.array([[3.0, 4.0]])).tolist()
    [[7.0, 8.0]]
    """

    units: int
    weight: Array | None = field(default=None, repr=False)
    bias: Array | None = field(default=None, repr=False)

    def shape(self, given: Shape) -> Shape:
        if len(given) != 1:
            raise EncodingError(f"Linear takes vectors, not samples of shape {given}; put Flatten() in front of it")
        if self.weight is not None and self.weight.shape != (self.units, *given):
            raise EncodingError(f"Linear has weights for {self.weight.shape[1]} entries, and is given {given[0]}")
        return (self.units,)

    def drawn(self, given: Shape, rng: np.random.Generator) -> Linear:
        weight = rng.normal(0.0, math.sqrt(1 / given[0]), (self.units, given[0]))
        return replace(self, weight=weight, bias=np.zeros(self.units))

    def linear(self, x: Array) -> Array:
        return x @ _known(self.weight).T

    def __call__(self, x: Array) -> Array:
        return self.linear(x) + (0.0 if self.bias is None else self.bias)

    def gradients(self, x: Array, slope: Array) -> tuple[Array, Gradients]:
        return slope @ _known(self.weight), {"weight": slope.T @ x, "bias": slope.sum(axis=0)}


@dataclass(frozen=True, eq=False)
class Conv2d(Layer):
    """y[o, p] = bias[o] + sum over c and t of weight[o, c, t] x[c, stride p + t - padding], zero where no image is.

    ``kernel``, ``stride`` and ``padding`` are numbers, or pairs for height and width.

    >>> Conv2d(4, 3, stride=2, padding=1).shape((1, 8, 8))
    (4, 4, 4)
    """

    channels: int
    kernel: Pair
    stride: Pair = 1
    padding: Pair = 0
    weight: Array | None = field(default=None, repr=False)
    bias: Array | None = field(default=None, repr=False)

    @property
    def pitch(self) -> tuple[int, int]:
        return _pair(self.stride)

    def shape(self, given: Shape) -> Shape:
        places = _extent(given, self.kernel, self.stride, self.padding)
        wanted = (self.channels, given[0], *_pair(self.kernel))
        if self.weight is not None and self.weight.shape != wanted:
            raise EncodingError(f"Conv2d has weights of shape {self.weight.shape}; an image of {given} takes {wanted}")
        return (self.channels, *places)

    def drawn(self, given: Shape, rng: np.random.Generator) -> Conv2d:
        kernel = (self.channels, given[0], *_pair(self.kernel))
        weight = rng.normal(0.0, math.sqrt(1 / math.prod(kernel[1:])), kernel)
        return replace(self, weight=weight, bias=np.zeros(self.channels))

    def linear(self, x: Array) -> Array:
        windows = _windows(x, self.kernel, self.stride, self.padding)
        product: Array = np.einsum("nchwij,ocij->nohw", windows, _known(self.weight), optimize=True)
        return product

    def __call__(self, x: Array) -> Array:
        return self.linear(x) + (0.0 if self.bias is None else self.bias[:, None, None])

    def gradients(self, x: Array, slope: Array) -> tuple[Array, Gradients]:
        windows = _windows(x, self.kernel, self.stride, self.padding)
        weight = np.einsum("nchwij,nohw->ocij", windows, slope, optimize=True)
        taps = np.einsum("nohw,ocij->ijnchw", slope, _known(self.weight), optimize=True)
        back = _spread(taps, x.shape, self.stride, self.padding)
        return back, {"weight": weight, "bias": slope.sum(axis=(0, 2, 3))}


@dataclass(frozen=True, eq=False)
class AvgPool2d(Layer):
    """The mean of each window of a channel; windows lie side by side unless a ``stride`` is given.

    >>> AvgPool2d(2)(np.arange(16.0).reshape(1, 1, 4, 4)).tolist()
    [[[[2.5, 4.5], [10.5, 12.5]]]]
    """

    kernel: Pair
    stride: Pair | None = None

    @property
    def pitch(self) -> tuple[int, int]:
        return _pair(self.kernel if self.stride is None else self.stride)

    def shape(self, given: Shape) -> Shape:
        return (given[0], *_extent(given, self.kernel, self.pitch, 0))

    def linear(self, x: Array) -> Array:
        means: Array = _windows(x, self.kernel, self.pitch, 0).mean(axis=(-2, -1))
        return means

    def gradients(self, x: Array, slope: Array) -> tuple[Array, Gradients]:
        height, width = _pair(self.kernel)
        taps = np.broadcast_to(slope / (height * width), (height, width, *slope.shape))
        return _spread(taps, x.shape, self.pitch, 0), {}


@dataclass(frozen=True, eq=False)
class Flatten(Layer):
    """All entries of an image as one vector: channel by channel, row by row.

    >>> Flatten().shape((4, 3, 3))
    (36,)
    """

    def shape(self, given: Shape) -> Shape:
        return (math.prod(given),)

    def linear(self, x: Array) -> Array:
        return x.reshape(len(x), -1)

    def gradients(self, x: Array, slope: Array) -> tuple[Array, Gradients]:
        return slope.reshape(x.shape), {}


@dataclass(frozen=True, eq=False)
class Scale(Layer):
    """x * factor + shift, with numbers for each channel or entry: what is left of batch normalisation once it learnt.

    >>> Scale(np.array([2.0]), np.array([1.0]))(np.array([[[[3.0]]]])).item()
    7.0
    """

    factor: Array | None = field(default=None, repr=False)
    shift: Array | None = field(default=None, repr=False)

    def shape(self, given: Shape) -> Shape:
        if self.factor is not None and self.factor.shape != given[:1]:
            raise EncodingError(f"Scale has {len(self.factor)} factors, and is given samples of shape {given}")
        return given

    def drawn(self, given: Shape, rng: np.random.Generator) -> Scale:
        return Scale(np.ones(given[0]), np.zeros(given[0]))

    def linear(self, x: Array) -> Array:
        return x * _along(_known(self.factor), x)

    def __call__(self, x: Array) -> Array:
        return self.linear(x) + _along(_known(self.shift), x)

    def gradients(self, x: Array, slope: Array) -> tuple[Array, Gradients]:
        others = (0, *range(2, x.ndim))
        weights = {"factor": (slope * x).sum(axis=others), "shift": slope.sum(axis=others)}
        return self.linear(slope), weights


# --- windows of images ---------------------------------------------------------------------------------------------


def _pair(size: Pair) -> tuple[int, int]:
    return size if isinstance(size, tuple) else (size, size)


def _extent(given: Shape, kernel: Pair, stride: Pair, padding: Pair) -> tuple[int, int]:
    """How many places a window has along both axes."""
    if len(given) != 3:
        raise EncodingError(f"windows go over images (channels, height, width), not over samples of shape {given}")
    sizes = zip(given[1:], _pair(kernel), _pair(stride), _pair(padding), strict=True)
    height, width = ((n + 2 * p - k) // s + 1 if min(n + 2 * p - k, p) >= 0 < min(k, s) else 0 for n, k, s, p in sizes)
    if min(height, width) < 1:
        raise EncodingError(
            f"a window of {_pair(kernel)} at stride {_pair(stride)} with padding {_pair(padding)} has no place on an "
            f"image of {given[1:]}"
        )
    return height, width


def _windows(x: Array, kernel: Pair, stride: Pair, padding: Pair) -> Array:
    """``(n, channels, places, places, kernel, kernel)``, a view of the padded image."""
    (up, left), (down, right) = _pair(padding), _pair(stride)
    padded = np.pad(x, ((0, 0), (0, 0), (up, up), (left, left))) if up or left else x
    return np.lib.stride_tricks.sliding_window_view(padded, _pair(kernel), axis=(2, 3))[:, :, ::down, ::right]


def _spread(taps: Array, shape: Shape, stride: Pair, padding: Pair) -> Array:
    """The adjoint of `_windows`: every tap, ``(kernel, kernel, n, channels, places, places)``, added where it was."""
    (up, left), (down, right) = _pair(padding), _pair(stride)
    padded = np.zeros((*shape[:2], shape[2] + 2 * up, shape[3] + 2 * left))
    height, width = taps.shape[-2:]
    for i, j in np.ndindex(taps.shape[:2]):
        padded[:, :, i : i + down * height : down, j : j + right * width : right] += taps[i, j]
    return padded[:, :, up : up + shape[2], left : left + shape[3]]


def _along(values: Array, x: Array) -> Array:
    """A number for each channel of images, or each entry of vectors."""
    return values.reshape(-1, *[1] * (x.ndim - 2))


def _known(weights: Array | None) -> Array:
    if weights is None:
        raise EncodingError("this layer has no weights yet; fit the network, or give the layer its weights")
    return weights
