"""Where the elements of an array lie in the slots of its ciphertexts.

One dimension: element i is in slot ``(i mod per) * stride`` of ciphertext ``i // per``, with ``per = slots // stride``.
Two dimensions: the same for row i, whose elements then lie side by side; ``stride`` is the row length rounded up
to a power of two, so that a rotate-and-sum stays within a row:

    shape (3, 3), 8 slots, stride 4       shape (5,), 4 slots, stride 1
    | a0 a1 a2  . | b0 b1 b2  . |         | x0 x1 x2 x3 |
    | c0 c1 c2  . |  .  .  .  . |         | x4  .  .  . |

The slots marked with a dot are padding: zero while the layout is ``clean``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fhe.errors import EncodingError


@dataclass(frozen=True, slots=True)
class Layout:
    """Shape, and the places of its elements among ``slots`` per ciphertext."""

    shape: tuple[int, ...]
    slots: int
    stride: int = 1
    clean: bool = True

    @classmethod
    def of(cls, shape: tuple[int, ...], slots: int, row: int | None = None) -> Layout:
        """The layout that encryption gives an array: a number, a vector, or the rows of a matrix.

        >>> Layout.of((3, 3), 8).stride, Layout.of((3, 3), 8).shards, Layout.of((5,), 4).shards
        (4, 2, 2)
        """
        row = slots if row is None else row
        if len(shape) > 2:
            raise EncodingError(f"encrypted arrays have up to two dimensions, got shape {shape}; reshape first")
        if 0 in shape:
            raise EncodingError(f"an encrypted array holds at least one element, got shape {shape}")
        if len(shape) < 2:
            return cls(shape, slots)
        stride = 1 << (shape[1] - 1).bit_length()
        if stride > row:
            raise EncodingError(f"a row of {shape[1]} elements does not fit {row} slots; use a larger ring_degree")
        return cls(shape, slots, stride)

    @property
    def length(self) -> int:
        """Elements along the first axis; 1 for a number."""
        return self.shape[0] if self.shape else 1

    @property
    def width(self) -> int:
        """Elements of a row; 1 for a vector."""
        return self.shape[1] if len(self.shape) == 2 else 1

    @property
    def per_shard(self) -> int:
        """Entries of the first axis in one ciphertext."""
        return self.slots // self.stride

    @property
    def shards(self) -> int:
        """How many ciphertexts there are."""
        return -(-self.length // self.per_shard)

    @property
    def full(self) -> bool:
        """Is there no padding at all?"""
        return self.width == self.stride and self.length % self.per_shard == 0

    def places(self) -> NDArray[np.int64]:
        """The slot, counted through all ciphertexts, of each element: ``(length, width)``."""
        rows = np.arange(self.length)[:, None] * self.stride  # per_shard * stride == slots
        places: NDArray[np.int64] = rows + np.arange(self.width)
        return places

    def check_broadcast(self, shape: tuple[int, ...]) -> None:
        """Raise EncodingError unless a plain array of this shape broadcasts to the layout's."""
        trailing = self.shape[len(self.shape) - len(shape) :]
        if len(shape) > len(self.shape) or any(n not in (1, m) for n, m in zip(shape, trailing, strict=True)):
            raise EncodingError(f"a plain array of shape {shape} does not broadcast to {self.shape}")

    def pack(self, array: NDArray[Any]) -> NDArray[Any]:
        """The array's elements in their slots, ``(shards, slots)``, padding zero."""
        out = np.zeros(self.shards * self.slots, dtype=array.dtype)
        out[self.places()] = np.broadcast_to(array, self.shape).reshape(self.length, self.width)
        return out.reshape(self.shards, self.slots)

    def unpack(self, slots: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """The inverse of `pack`, whatever the padding holds."""
        return np.concatenate(slots)[self.places()].reshape(self.shape)

    def mask(self) -> NDArray[np.float64]:
        """1 at every element, 0 in the padding: ``(shards, slots)``."""
        return self.pack(np.ones((), dtype=np.float64))

    def column(self) -> Layout:
        """The layout of one number per row, at the row's first slot; what else the row holds is not zero."""
        return replace(self, shape=self.shape[:1], clean=False)
