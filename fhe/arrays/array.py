"""Encrypted arrays: NumPy's manners on ciphertexts.

An `EncryptedArray` is any number of ciphertexts ("shards") and the `Layout` of its elements in their slots.
It mixes with numbers and plain arrays on either side. What encryption makes impossible (reading a value,
branching on one) raises TypeError and says what to do instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NoReturn, Self

import numpy as np

from fhe.arrays import comparison, elementwise, extremes, products, protocols, reduce, scan, show
from fhe.arrays.elementwise import NUMBERS, combined, with_plain
from fhe.arrays.packed import Packed, outranked, outranks
from fhe.arrays.rearrange import indexed, moved
from fhe.circuits.power import power
from fhe.errors import EncodingError
from fhe.io.registry import to_bytes


class EncryptedArray(Packed):
    """An array whose values only the key owner can read. Operations return new arrays, operands never change.

    It has any number of dimensions and any size. Indexing, broadcasting and NumPy's functions work as they do on plain
    arrays; ``layout`` says where the elements lie, and `cost_to` what it takes to bring them elsewhere.

    >>> import fhe
    >>> owner = fhe.ckks(depth=2, ring_degree=64, insecure="a small ring for this example", backend="reference")
    >>> x = owner.encrypt([1.0, 2.0, 3.0], bound=4)
    >>> y = 2 * x**2 - np.array([1, 0, 1])
    >>> y.shape, owner.decrypt(y).round(3).tolist(), owner.decrypt(x @ [1, 1, 1]).round(3).item()
    ((3,), [1.0, 8.0, 17.0], 6.0)
    >>> rows = owner.encrypt([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], bound=8)
    >>> owner.decrypt((rows - rows.mean(axis=0))[:, ::-1].T).round(3).tolist()
    [[-1.5, 1.5], [-1.5, 1.5], [-1.5, 1.5]]
    """

    __slots__ = ()
    __pandas_priority__ = 5000  # frames leave df + x to x

    def __copy__(self) -> Self:
        return self  # immutable

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def copy(self) -> Self:
        """The array itself, which nothing can change."""
        return self

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of an encrypted number; it has no axis")
        return self.shape[0]

    def __iter__(self) -> Iterator[EncryptedArray]:
        return (self[index] for index in range(len(self)))

    def __repr__(self) -> str:
        return show.text(self)

    def _repr_html_(self) -> str:
        return show.html(self)

    # --- arithmetic -------------------------------------------------------------------------------------------------

    def __add__(self, other: Any) -> EncryptedArray:
        if isinstance(other, EncryptedArray):
            return combined(self, other, self.evaluator.add)
        if isinstance(other, NUMBERS):
            return with_plain(self, other, self.evaluator.add_plain)
        return _of(elementwise.add, self, other)

    def __radd__(self, other: Any) -> EncryptedArray:
        return _of(elementwise.add, self, other)

    def __sub__(self, other: Any) -> EncryptedArray:
        return self + -other if isinstance(other, NUMBERS) else _of(elementwise.subtract, self, other)

    def __rsub__(self, other: Any) -> EncryptedArray:
        return NotImplemented if outranks(type(other)) else elementwise.subtract(other, self)

    def __neg__(self) -> EncryptedArray:
        return elementwise.negate(self)

    def __pos__(self) -> EncryptedArray:
        return self

    def __mul__(self, other: Any) -> EncryptedArray:
        if isinstance(other, NUMBERS):
            return with_plain(self, other, self.evaluator.multiply_plain, absorbing=True)
        return _of(elementwise.multiply, self, other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> EncryptedArray:
        if isinstance(other, EncryptedArray):
            raise TypeError(
                "dividing by an encrypted array is not arithmetic of the scheme; multiply by an approximate inverse, "
                "fhe.inverse(y, interval=(low, high))"
            )
        self.evaluator.result_type(self.dtype, np.dtype(np.float64))
        divisor = np.asarray(other)
        if not np.all(divisor):
            raise EncodingError("division by zero in the plain operand")
        return self * (1 / divisor)

    def __rtruediv__(self, other: Any) -> NoReturn:
        self.__truediv__(self)
        raise AssertionError("division by an encrypted array")

    def __pow__(self, exponent: int) -> EncryptedArray:
        """x**k for a whole k >= 1, in ceil(log2 k) levels."""
        if self.shape:
            self.require_slots()
        return self.map(lambda shard: power(self.evaluator, shard, exponent))

    def __matmul__(self, other: Any) -> EncryptedArray:
        """np.matmul, with plain and encrypted arrays of any dimensions."""
        return _of(products.matmul, self, other)

    def __rmatmul__(self, other: Any) -> EncryptedArray:
        return NotImplemented if outranks(type(other)) else products.matmul(other, self)

    def dot(self, other: Any) -> EncryptedArray:
        """``self @ other``."""
        return self.__matmul__(other)

    # --- along axes -------------------------------------------------------------------------------------------------

    def sum(self, axis: reduce.Axes = None, *, keepdims: bool = False) -> EncryptedArray:
        """The sum of all elements, or along some axes: rotations and additions, no level."""
        return reduce.total(self, axis, keepdims)

    def mean(self, axis: reduce.Axes = None, *, keepdims: bool = False) -> EncryptedArray:
        """The mean of all elements, or along some axes (CKKS): a level, for dividing by their count."""
        return reduce.mean(self, axis, keepdims)

    def var(self, axis: reduce.Axes = None, *, ddof: float = 0, keepdims: bool = False) -> EncryptedArray:
        """The mean of |x - mean|^2 with n - ddof for n (CKKS): two levels, or three (see `reduce.variance`)."""
        return reduce.variance(self, axis, ddof, keepdims)

    def prod(self, axis: reduce.Axes = None, *, keepdims: bool = False) -> EncryptedArray:
        """The product of all elements, or along some axes, in ceil(log2 n) levels."""
        return reduce.product(self, axis, keepdims)

    def max(self, axis: extremes.Axes = None, *, keepdims: bool = False) -> EncryptedArray:
        """The largest of all elements, or along some axes, by ceil(log2 n) rounds of comparisons."""
        largest: EncryptedArray = extremes.largest(self, axis, keepdims=keepdims)
        return largest

    def min(self, axis: extremes.Axes = None, *, keepdims: bool = False) -> EncryptedArray:
        """The smallest, likewise."""
        smallest: EncryptedArray = extremes.smallest(self, axis, keepdims=keepdims)
        return smallest

    def argmax(self, axis: int | None = None) -> Any:
        """Where the largest is, encrypted: `fhe.argmax`."""
        return np.argmax(self, axis=axis)

    def argmin(self, axis: int | None = None) -> Any:
        """Where the smallest is, encrypted: `fhe.argmin`."""
        return np.argmin(self, axis=axis)

    def clip(self, low: Any = None, high: Any = None) -> Any:
        """Each element, or the bound that it is beyond: `fhe.clip`."""
        return comparison.clip(self, low, high)

    def cumsum(self, axis: int | None = None) -> EncryptedArray:
        """Running sums: one level (CKKS)."""
        return scan.cumsum(self, axis)

    # --- shape and order --------------------------------------------------------------------------------------------

    def __getitem__(self, index: Any) -> EncryptedArray:
        """Ints, slices, None, Ellipsis, plain arrays of integers or booleans; slices move nothing."""
        return indexed(self, index)

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        raise TypeError(
            "encrypted arrays do not change; make a new one: np.where(mask, value, x) with a plain mask, or "
            "x * (1 - one_hot) + value * one_hot where the place itself is encrypted"
        )

    @property
    def real(self) -> EncryptedArray:
        """The real part; for complex arrays a level."""
        return elementwise.real(self)

    @property
    def imag(self) -> EncryptedArray:
        """The imaginary part; for complex arrays a level."""
        return elementwise.imaginary(self)

    def conj(self) -> EncryptedArray:
        """The complex conjugate: a key switching, no level."""
        return elementwise.conjugate(self)

    conjugate = conj

    @property
    def T(self) -> EncryptedArray:
        """The array with its axes reversed; nothing moves."""
        return moved(self, np.transpose)

    def transpose(self, *axes: Any) -> EncryptedArray:
        """The array with its axes in another order; nothing moves."""
        return moved(self, lambda a: a.transpose(*axes))

    def swapaxes(self, first: int, second: int) -> EncryptedArray:
        """The array with two axes exchanged; nothing moves."""
        return moved(self, lambda a: a.swapaxes(first, second))

    def reshape(self, *shape: Any) -> EncryptedArray:
        """The same elements, in their order, in another shape; see `cost_to` for what may have to move."""
        return moved(self, lambda a: a.reshape(*shape))

    def ravel(self) -> EncryptedArray:
        """The elements in one dimension."""
        return moved(self, np.ravel)

    flatten = ravel

    def squeeze(self, axis: int | tuple[int, ...] | None = None) -> EncryptedArray:
        """Without axes of one element; nothing moves."""
        return moved(self, lambda a: a.squeeze(axis))

    # --- NumPy's protocols ------------------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return NotImplemented if outranked(map(type, inputs)) else protocols.ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, func: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        return NotImplemented if outranked(types) else protocols.function(func, args, kwargs)

    def __array__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("an encrypted array has no readable values; its owner decrypts it: owner.decrypt(x)")

    def __bool__(self) -> NoReturn:
        raise TypeError("an encrypted array has no truth value: no branch can depend on it; compute both branches")

    def __lt__(self, other: Any) -> Any:
        return comparison.less(self, other)

    def __le__(self, other: Any) -> Any:
        return comparison.less_equal(self, other)

    def __gt__(self, other: Any) -> Any:
        return comparison.greater(self, other)

    def __ge__(self, other: Any) -> Any:
        return comparison.greater_equal(self, other)

    def __eq__(self, other: object) -> Any:
        return comparison.equal(self, other)

    def __ne__(self, other: object) -> Any:
        return comparison.not_equal(self, other)

    def __abs__(self) -> Any:
        return comparison.absolute(self)

    __hash__ = None  # type: ignore[assignment]

    def __float__(self) -> NoReturn:
        raise TypeError("an encrypted value cannot become a float; its owner decrypts it: owner.decrypt(x)")

    __int__ = __complex__ = __index__ = item = tolist = __float__

    def _is_no_bit(self, *others: Any) -> NoReturn:
        raise TypeError("masks are numbers, 0 and 1: write a * b for a & b, a + b - a * b for a | b, 1 - a for ~a")

    __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = __invert__ = _is_no_bit

    def _is_not_whole(self, other: Any) -> NoReturn:
        raise TypeError("quotients and remainders of encrypted values are not offered; let their owner divide")

    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __divmod__ = __rdivmod__ = _is_not_whole

    def to_bytes(self) -> bytes:
        """The array as bytes, to be read by `Context.load`."""
        return to_bytes(self)


def _of(operation: Callable[[Any, Any], Any], x: EncryptedArray, other: Any) -> EncryptedArray:
    result: EncryptedArray = NotImplemented if outranks(type(other)) else operation(x, other)
    return result
