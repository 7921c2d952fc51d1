"""Encrypted arrays: NumPy's manners on ciphertexts.

An `EncryptedArray` is any number of ciphertexts ("shards") and the `Layout` of its elements in their slots.
It mixes with numbers and plain arrays on either side. What encryption makes impossible (reading a value,
branching on one) raises TypeError and says what to do instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NoReturn, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fhe.arrays.layout import Layout
from fhe.arrays.matrix import EncodedMatrix
from fhe.circuits import linear
from fhe.circuits.evaluator import Evaluator
from fhe.circuits.power import power
from fhe.errors import EncodingError
from fhe.io.registry import to_bytes
from fhe.rlwe.ciphertext import Ciphertext


class EncryptedArray:
    """An array whose values only the key owner can read. Operations return new arrays, operands never change.

    >>> import fhe
    >>> owner = fhe.ckks(depth=2, ring_degree=64, insecure="a small ring for this example", backend="reference")
    >>> x = owner.encrypt([1.0, 2.0, 3.0], bound=4)
    >>> y = 2 * x**2 - np.array([1, 0, 1])
    >>> y.shape, owner.decrypt(y).round(3).tolist(), owner.decrypt(x @ [1, 1, 1]).round(3).item()
    ((3,), [1.0, 8.0, 17.0], 6.0)
    """

    __slots__ = ("dtype", "evaluator", "layout", "shards")

    def __init__(
        self, evaluator: Evaluator, shards: Sequence[Ciphertext], layout: Layout, dtype: np.dtype[Any]
    ) -> None:
        self.evaluator = evaluator
        self.shards = tuple(shards)
        self.layout = layout
        self.dtype = dtype

    # --- what is publicly known -------------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        return self.layout.shape

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def key_id(self) -> bytes:
        return self.shards[0].key_id

    @property
    def level(self) -> int:
        """The level of the lowest shard, pending rescales counted as done."""
        return min(shard.level for shard in self.settled().shards)

    @property
    def levels_left(self) -> int:
        """Multiplications that still fit (CKKS: levels below; BFV: levels to switch down to)."""
        return self.level

    @property
    def precision_bits(self) -> float:
        """Bits after the binary point that are right, by the tracked bound; infinite in BFV."""
        return min(self.evaluator.precision_bits(shard) for shard in self.shards)

    @property
    def room_bits(self) -> float:
        """Bits that noise (BFV) or values (CKKS) may still grow before results are refused, by the tracked bound."""
        return min(self.evaluator.room_bits(shard) for shard in self.shards)

    def __copy__(self) -> Self:
        return self  # immutable

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of an encrypted number; it has no axis")
        return self.shape[0]

    def __repr__(self) -> str:
        return (
            f"EncryptedArray(shape={self.shape}, dtype={self.dtype}, level={self.shards[0].level}, "
            f"ciphertexts={len(self.shards)})"
        )

    # --- arithmetic -------------------------------------------------------------------------------------------------

    def __add__(self, other: Any) -> EncryptedArray:
        return self._combine(other, self.evaluator.add, self.evaluator.add_plain)

    __radd__ = __add__

    def __sub__(self, other: Any) -> EncryptedArray:
        def plain(shard: Ciphertext, values: ArrayLike) -> Ciphertext:
            return self.evaluator.add_plain(shard, np.negative(values))  # values are signed by now

        return self._combine(other, self.evaluator.sub, plain)

    def __rsub__(self, other: Any) -> EncryptedArray:
        return (-self).__add__(other)

    def __neg__(self) -> EncryptedArray:
        return self._map(self.evaluator.negate)

    def __mul__(self, other: Any) -> EncryptedArray:
        return self._combine(other, self.evaluator.multiply, self.evaluator.multiply_plain)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> EncryptedArray:
        if isinstance(other, EncryptedArray):
            raise TypeError(
                "dividing by an encrypted array is not arithmetic of the scheme; multiply by an approximate inverse"
            )
        self.evaluator.result_type(self.dtype, np.dtype(np.float64))
        divisor = np.asarray(other)
        if not np.all(divisor):
            raise EncodingError("division by zero in the plain operand")
        return self * (1 / divisor)

    def __pow__(self, exponent: int) -> EncryptedArray:
        """x**k for a whole k >= 1, in ceil(log2 k) levels."""
        return self._map(lambda shard: power(self.evaluator, shard, exponent))

    def __matmul__(self, other: Any) -> EncryptedArray:
        """Vector @ vector (plain or encrypted), vector @ plain matrix, rows @ plain vector."""
        if isinstance(other, EncryptedArray):
            return self._dot_encrypted(other)
        if isinstance(other, EncodedMatrix):
            return self.__rmatmul__(other.T)
        plain = np.asarray(other)
        if plain.ndim == 1 and self.ndim in (1, 2):
            self._check_axis(plain.shape[0], self.shape[-1], plain.shape)
            return (self * plain).sum(axis=-1)
        if plain.ndim == 2 and self.ndim == 1:
            self._check_axis(plain.shape[0], self.shape[0], plain.shape)
            return self._matrix_vector(plain.T)
        raise EncodingError(
            f"matmul of shapes {self.shape} and {plain.shape} is not offered; take one vector at a time: x @ W[:, j]"
        )

    def __rmatmul__(self, other: Any) -> EncryptedArray:
        if isinstance(other, EncodedMatrix):
            if self.ndim != 1:
                raise EncodingError(f"an encoded matrix multiplies vectors, got shape {self.shape}; take one at a time")
            self._check_axis(other.shape[1], self.shape[0], other.shape)
            return self._matrix_vector(other)
        plain = np.asarray(other)
        if self.ndim == 1 and plain.ndim == 1:
            return self @ plain
        if self.ndim == 1 and plain.ndim == 2:
            self._check_axis(plain.shape[1], self.shape[0], plain.shape)
            return self._matrix_vector(plain)
        raise EncodingError(f"matmul of shapes {plain.shape} and {self.shape} is not offered; take one row at a time")

    def dot(self, other: Any) -> EncryptedArray:
        """``self @ other``."""
        return self.__matmul__(other)

    def sum(self, axis: int | None = None) -> EncryptedArray:
        """The sum of all elements (``axis=None``), or of each row (``axis=-1`` of two dimensions)."""
        if self.ndim == 2 and axis in (1, -1):
            return self._sum_rows()
        if axis is not None and not (self.ndim == 1 and axis in (0, -1)):
            raise EncodingError(
                f"sum over axis {axis} of shape {self.shape} is not offered; use axis=None or the last axis"
            )
        array = self._sum_rows() if self.ndim == 2 else self
        return array._sum_column()

    # --- inside -----------------------------------------------------------------------------------------------------

    def settled(self) -> EncryptedArray:
        """With pending relinearisations and rescales done."""
        return self._map(self.evaluator.settle)

    def _map(self, function: Callable[[Ciphertext], Ciphertext], **changes: Any) -> EncryptedArray:
        layout = replace(self.layout, **changes) if changes else self.layout
        return EncryptedArray(self.evaluator, [function(shard) for shard in self.shards], layout, self.dtype)

    def _combine(
        self,
        other: Any,
        encrypted: Callable[[Ciphertext, Ciphertext], Ciphertext],
        plain: Callable[[Ciphertext, ArrayLike], Ciphertext],
    ) -> EncryptedArray:
        if isinstance(other, EncryptedArray):
            self._check_layout(other)
            shards = [encrypted(x, y) for x, y in zip(self.shards, other.shards, strict=True)]
            layout = replace(self.layout, clean=self.layout.clean and other.layout.clean)
            return EncryptedArray(self.evaluator, shards, layout, self.evaluator.result_type(self.dtype, other.dtype))
        array = np.asarray(other)
        dtype = self.evaluator.result_type(self.dtype, array.dtype)
        array, _ = self.evaluator.admit(array, self._plain_bound(array))
        self.layout.check_broadcast(array.shape)
        keeps_zeros = plain == self.evaluator.multiply_plain or self.layout.full or not self.layout.clean
        if array.ndim == 0 and keeps_zeros:
            shards = [plain(shard, array) for shard in self.shards]
        else:  # into the elements' slots only, so that padding stays zero
            shards = [plain(shard, slots) for shard, slots in zip(self.shards, self.layout.pack(array), strict=True)]
        return EncryptedArray(self.evaluator, shards, self.layout, dtype)

    @staticmethod
    def _plain_bound(array: NDArray[Any]) -> float | None:
        if array.dtype.kind not in "fc" or not array.size:
            return None
        largest = float(np.max(np.abs(array)))
        return max(largest, 2.0**-20) if np.isfinite(largest) else None

    def _dot_encrypted(self, other: EncryptedArray) -> EncryptedArray:
        if self.ndim != 1 or other.ndim != 1:
            raise EncodingError(
                f"matmul of two encrypted arrays is offered for vectors, got {self.shape} and {other.shape}"
            )
        return (self * other).sum()

    def _matrix_vector(self, matrix: NDArray[Any] | EncodedMatrix) -> EncryptedArray:
        if len(self.shards) > 1 or self.layout.stride != 1:
            raise EncodingError(
                f"a plain matrix multiplies vectors within one ciphertext ({self.evaluator.row} slots), got {self!r}"
            )
        encoded = matrix if isinstance(matrix, EncodedMatrix) else EncodedMatrix(self.evaluator, matrix)
        dtype = self.evaluator.result_type(self.dtype, encoded.dtype)
        shard = encoded.times(self.shards[0], zero_padded=self.layout.clean)
        layout = Layout(encoded.shape[:1], self.layout.slots, clean=False)
        return EncryptedArray(self.evaluator, [shard], layout, dtype)

    def _sum_rows(self) -> EncryptedArray:
        array = self._cleaned()
        summed = array._map(lambda shard: linear.inner_sum(self.evaluator, shard, self.layout.width))
        return EncryptedArray(self.evaluator, summed.shards, self.layout.column(), self.dtype)

    def _sum_column(self) -> EncryptedArray:
        array = self._cleaned()
        total = array.shards[0]
        for shard in array.shards[1:]:
            total = self.evaluator.add(total, shard)
        count = min(self.layout.length, self.layout.per_shard)
        total = linear.inner_sum(self.evaluator, self.evaluator.settle(total), count, self.layout.stride)
        return EncryptedArray(self.evaluator, [total], Layout((), self.layout.slots, clean=False), self.dtype)

    def _cleaned(self) -> EncryptedArray:
        """With zero padding; where the padding holds something, a mask takes it away at the price of a level."""
        if self.layout.clean:
            return self
        masks = self.layout.mask().astype(self.dtype if self.dtype.kind == "i" else np.float64)
        shards = [self.evaluator.multiply_plain(x, mask) for x, mask in zip(self.shards, masks, strict=True)]
        return EncryptedArray(self.evaluator, shards, replace(self.layout, clean=True), self.dtype)

    def _check_layout(self, other: EncryptedArray) -> None:
        if self.shape != other.shape:
            raise EncodingError(f"encrypted arrays of shapes {self.shape} and {other.shape} do not combine")
        if self.layout.stride != other.layout.stride:
            raise EncodingError(
                f"these arrays lie differently in their slots, strides {self.layout.stride} and {other.layout.stride}; "
                "bring both through the same operations, or encrypt them again"
            )

    def _check_axis(self, given: int, needed: int, shape: tuple[int, ...]) -> None:
        if given != needed:
            raise EncodingError(f"matmul of shapes {self.shape} and {shape}: {needed} and {given} differ")

    # --- NumPy's protocols ------------------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        operator = _UFUNCS.get(ufunc)
        if operator is None or method != "__call__" or kwargs:
            offered = ", ".join(known.__name__ for known in _UFUNCS)
            raise TypeError(
                f"np.{ufunc.__name__} of an encrypted array is not offered; there are {offered}, each without "
                "keywords; other functions need a polynomial, see fhe.arrays.functions.apply"
            )
        return operator(*inputs)

    def __array__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("an encrypted array has no readable values; its owner decrypts it: owner.decrypt(x)")

    def __bool__(self) -> NoReturn:
        raise TypeError("an encrypted array has no truth value: no branch can depend on it; compute both branches")

    def __lt__(self, other: Any) -> NoReturn:
        raise TypeError(
            "encrypted arrays cannot be compared here, the answer would have to be encrypted too; compute x - y, and "
            "let its owner look at the sign"
        )

    __le__ = __gt__ = __ge__ = __lt__

    def __eq__(self, other: object) -> NoReturn:
        self.__lt__(other)

    def __ne__(self, other: object) -> NoReturn:
        self.__lt__(other)

    __hash__ = None  # type: ignore[assignment]

    def __float__(self) -> NoReturn:
        raise TypeError("an encrypted value cannot become a float; its owner decrypts it: owner.decrypt(x)")

    __int__ = __complex__ = __index__ = __float__

    def to_bytes(self) -> bytes:
        """The array as bytes, to be read by `Context.load`."""
        return to_bytes(self)


def _swapped(operation: Callable[[Any, Any], Any], reflected: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda a, b: operation(a, b) if isinstance(a, EncryptedArray) else reflected(b, a)


_UFUNCS: dict[np.ufunc, Callable[..., Any]] = {
    np.add: _swapped(EncryptedArray.__add__, EncryptedArray.__radd__),
    np.subtract: _swapped(EncryptedArray.__sub__, EncryptedArray.__rsub__),
    np.multiply: _swapped(EncryptedArray.__mul__, EncryptedArray.__rmul__),
    np.matmul: _swapped(EncryptedArray.__matmul__, EncryptedArray.__rmatmul__),
    np.negative: EncryptedArray.__neg__,
    np.positive: lambda x: x,
    np.square: lambda x: x * x,
}
