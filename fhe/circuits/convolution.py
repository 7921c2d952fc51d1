"""Convolutions as linear maps: a diagonal for each entry of the kernel, whatever the size of the image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fhe.circuits.diagonals import Diagonals, Entries
from fhe.circuits.evaluator import Evaluator
from fhe.circuits.matrix import LinearMap
from fhe.errors import EncodingError


def convolution(
    evaluator: Evaluator, kernel: NDArray[Any], shape: Sequence[int], padding: int = 0, stride: int = 1
) -> LinearMap:
    """y[o, p] = sum over c and t of kernel[o, c, t] x[c, stride p + t - padding], over places where x is; one level.

    ``shape`` is that of x: channels, then one axis or more of places, C-contiguous in the first slots. The kernel has
    two axes of channels, out and in, and one for each of places, as in machine learning (no entry is turned round).
    y stays on the grid of x: channel o, place p lies where x has channel o, place stride p, and the slots between are
    zero: `grid` says where. Whatever follows x in its slots has no influence.

    Raises EncodingError for shapes that do not belong together or do not fit a row of slots, MissingKeyError where the
    rotation keys at hand do not suffice.

    >>> import fhe
    >>> owner = fhe.ckks(depth=1, ring_degree=64, insecure="a small ring for this example", backend="reference")
    >>> difference = convolution(owner.evaluator, np.array([[[-1.0, 0.0, 1.0]]]), (1, 5))
    >>> y = difference(owner.encrypt([1.0, 2.0, 4.0, 8.0, 16.0], bound=16).shards[0])
    >>> values = owner.evaluator.decode(owner._secret.decrypt(y), y).real
    >>> values[grid((1, 5), (1, 1, 3))].round(3).tolist(), difference.rotations
    ([[3.0, 6.0, 12.0]], [2])
    """
    _check(kernel.shape, shape, padding, stride, evaluator.row)
    slots, sources, values = _entries(kernel, shape, padding, stride)
    half = evaluator.row // 2
    steps = (sources - slots + half) % evaluator.row - half
    return LinearMap(evaluator, [Diagonals(evaluator.row, (steps, slots, values))])


def _entries(kernel: NDArray[Any], shape: Sequence[int], padding: int, stride: int) -> Entries:
    """Where a product goes, where it comes from, and by what it is: one for each place and entry of the kernel."""
    places, window = math.prod(shape[1:]), kernel.shape[2:]
    pitches = [math.prod(shape[axis + 1 :]) for axis in range(1, len(shape))]
    firsts = [np.arange(n) * stride - padding for n in _extent(shape, kernel.shape, padding, stride)]
    found: list[Entries] = [(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0, kernel.dtype))]
    for taps in product(*map(range, window)):
        at = np.meshgrid(*(first + tap for first, tap in zip(firsts, taps, strict=True)), indexing="ij")
        inside = np.logical_and.reduce([(s >= 0) & (s < n) for s, n in zip(at, shape[1:], strict=True)])
        source: NDArray[np.int64] = np.sum(
            [s[inside] * pitch for s, pitch in zip(at, pitches, strict=True)], axis=0, dtype=np.int64
        )
        shift = sum((tap - padding) * pitch for tap, pitch in zip(taps, pitches, strict=True))
        weights = kernel.reshape(*kernel.shape[:2], -1)[..., np.ravel_multi_index(taps, window)]
        for o, c in np.argwhere(weights).tolist():
            found.append((o * places + source - shift, c * places + source, np.full(source.shape, weights[o, c])))
    slots, sources, values = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return slots, sources, values


def grid(shape: Sequence[int], kernel: Sequence[int], padding: int = 0, stride: int = 1) -> NDArray[np.int64]:
    """The slots of the result of a `convolution`, in the shape that it has: output channels, then places.

    >>> grid((1, 4, 4), (1, 1, 2, 2), stride=2).tolist()
    [[[0, 2], [8, 10]]]
    """
    whole = np.arange(kernel[0] * math.prod(shape[1:])).reshape(kernel[0], *shape[1:])
    extent = _extent(shape, kernel, padding, stride)
    return whole[(slice(None), *(slice(0, n * stride, stride) for n in extent))]


def _extent(shape: Sequence[int], kernel: Sequence[int], padding: int, stride: int) -> list[int]:
    """How many places the result has along each axis."""
    return [(n + 2 * padding - w) // stride + 1 for n, w in zip(shape[1:], kernel[2:], strict=True)]


def _check(kernel: Sequence[int], shape: Sequence[int], padding: int, stride: int, row: int) -> None:
    if len(kernel) < 3 or len(kernel) != len(shape) + 1 or kernel[1] != shape[0]:
        raise EncodingError(
            f"a kernel of shape {tuple(kernel)} does not belong to an image of shape {tuple(shape)}: it takes output "
            "channels, the image's channels, and a window of as many axes as the image has places"
        )
    if padding < 0 or stride < 1 or 2 * padding >= min(kernel[2:]) or min(_extent(shape, kernel, padding, stride)) < 1:
        raise EncodingError(
            f"a window of {tuple(kernel[2:])} at stride {stride} with padding {padding} on {tuple(shape[1:])} places "
            "has no result on their grid; padding goes up to half of the window, strides from 1"
        )
    if max(kernel[0], shape[0]) * math.prod(shape[1:]) > row:
        raise EncodingError(
            f"{max(kernel[0], shape[0])} channels of {math.prod(shape[1:])} places do not fit a row of {row} slots; "
            "split the channels over several ciphertexts, or use a larger ring_degree"
        )
