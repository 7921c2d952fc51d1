"""Fixed-point decimals, exactly: encrypted integers, and a public number of places behind the point.

A value is an integer times 10^-places. Products add places, sums align them, by a multiplication with a power of ten
that costs no depth; nothing is ever rounded. So amounts of money are what they would be in `decimal.Decimal` with
enough digits. Intervals, and what overflows them, are counted in units of the last place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, InvalidOperation
from typing import Any, Final, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fhe.errors import EncodingError
from fhe.interval import Bound
from fhe.io.registry import to_bytes

MOST_PLACES: Final = 300

MULTIPLYING = (np.multiply, np.matmul, np.dot, np.vdot, np.inner, np.outer, np.tensordot, np.convolve)
DECIDING = (
    *(np.greater, np.greater_equal, np.less, np.less_equal, np.equal, np.not_equal, np.sign, np.argmax, np.argmin),
    *(np.shape, np.ndim, np.size),
)
ALIGNING = (np.add, np.subtract, np.negative, np.positive, np.absolute, np.maximum, np.minimum)
OPERANDS: Final[dict[Any, slice]] = {np.where: slice(1, 3), np.clip: slice(0, 3)}  # of others the first, or its items
REFUSED = ("truediv", "prod", "mean", "var", "std")  # not exact, or of a number of places that is not public


class EncryptedDecimals:
    """An encrypted array of decimals with ``places`` digits behind the point, made by ``encrypt(…, decimals=2)``.

    It mixes with plain integers, floats (as they print) and `Decimal` on either side.

    >>> import fhe
    >>> owner = fhe.bfv(depth=1, value_bits=40, decimals=2, ring_degree=64, insecure="for this example")
    >>> price, count = owner.encrypt(["19.99", "5.00"], bound=100), owner.encrypt([3, 2], bound=9, decimals=0)
    >>> total = (price * count).sum() * 1.19
    >>> total.places, owner.decrypt(total).item()
    (4, Decimal('83.2643'))
    """

    __slots__ = ("array", "places")
    made_of_arrays = True  # so encrypted integers on the left leave operations to decimals
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, array: Any, places: int) -> None:
        if not 0 <= places <= MOST_PLACES:
            raise EncodingError(f"decimals have 0 to {MOST_PLACES} places here, not {places}")
        self.array = array
        self.places = places

    def at(self, places: int) -> EncryptedDecimals:
        """The same values with more places."""
        if places < self.places:
            raise EncodingError(f"{self.places} places cannot become {places}: that would round; decrypt first")
        if places == self.places:
            return self
        return EncryptedDecimals(self.array * 10 ** (places - self.places), places)

    def decoded(self, integers: NDArray[Any]) -> NDArray[np.object_]:
        """The decimals of decrypted integers, exactly."""
        decoded = np.empty(integers.shape, dtype=object)
        for index, value in np.ndenumerate(integers):
            decoded[index] = Decimal(int(value)).scaleb(-self.places, _CONTEXT)
        return decoded

    def settled(self) -> EncryptedDecimals:
        """With pending relinearisations done."""
        return EncryptedDecimals(self.array.settled(), self.places)

    # --- the manners of an array --------------------------------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        """What an `EncryptedArray` has: shape, sum, T, …"""
        if name.startswith("_") or name in REFUSED:
            raise AttributeError(f"{type(self).__name__} has no {name}: its result would not be an exact decimal")
        found = getattr(self.array, name)
        if callable(found) and not hasattr(found, "evaluator"):
            return lambda *args, **kwargs: self._wrapped(found(*args, **kwargs))
        return self._wrapped(found)

    def __getitem__(self, index: Any) -> EncryptedDecimals:
        return EncryptedDecimals(self.array[index], self.places)

    def __len__(self) -> int:
        return len(self.array)

    def __repr__(self) -> str:
        return f"EncryptedDecimals(places={self.places}, {self.array!r})"

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method != "__call__" or ufunc not in (*MULTIPLYING, *DECIDING, *ALIGNING):
            raise TypeError(f"np.{ufunc.__name__} of encrypted decimals is not offered; it would not be exact")
        return _called(ufunc, inputs, kwargs)

    def __array_function__(self, func: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        if func.__name__ in REFUSED:
            raise TypeError(f"np.{func.__name__} of encrypted decimals is not offered; it would not be exact")
        return _called(func, args, kwargs)

    def __array__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("an encrypted array has no readable values; its owner decrypts it: owner.decrypt(x)")

    def __bool__(self) -> NoReturn:
        raise TypeError("an encrypted array has no truth value: no branch can depend on it; compute both branches")

    def to_bytes(self) -> bytes:
        """The array as bytes, to be read by `Context.load`."""
        return to_bytes(self)

    def _wrapped(self, found: Any) -> Any:
        return EncryptedDecimals(found, self.places) if hasattr(found, "evaluator") else found


def encrypted_decimals(encrypt: Callable[..., Any], values: ArrayLike, places: int, bound: Bound) -> EncryptedDecimals:
    """Values as integers in units of 10^-places, encrypted; EncodingError for those that have more places."""
    integers, needed = fixed(values)
    if needed > places:
        raise EncodingError(
            f"values with {needed} decimals do not fit decimals={places} without rounding; round them first, or "
            f"encrypt with decimals={needed}"
        )
    reach: Any = bound if bound is None or isinstance(bound, tuple) else (-bound, bound)
    if reach is not None:  # in decimal arithmetic, as it prints
        reach = tuple(Decimal(str(end)) * 10**places for end in reach)
    return EncryptedDecimals(encrypt(integers * 10 ** (places - needed), bound=reach), places)


def fixed(values: ArrayLike) -> tuple[NDArray[np.object_], int]:
    """Plain numbers as integers and their common number of places, the least that is exact.

    Floats count as they print: 0.1 is one tenth.

    >>> fixed([1.5, 2, Decimal("0.25")])
    (array([150, 200, 25], dtype=object), 2)
    """
    array = np.asarray(values)
    decimals = [_decimal(value, index) for index, value in np.ndenumerate(array)]
    places = max((-int(d.normalize(_CONTEXT).as_tuple().exponent) for d in decimals), default=0)
    places = max(places, 0)
    integers = np.empty(array.shape, dtype=object)
    for (index, _), decimal in zip(np.ndenumerate(array), decimals, strict=True):
        integers[index] = int(decimal.scaleb(places, _CONTEXT))
    return integers, places


_CONTEXT = Context(prec=4 * MOST_PLACES, Emax=MAX_EMAX, Emin=MIN_EMIN)


def _decimal(value: Any, index: tuple[int, ...]) -> Decimal:
    try:
        decimal = Decimal(str(value)) if not isinstance(value, Decimal) else value
    except (InvalidOperation, ValueError):
        decimal = Decimal("NaN")
    if not decimal.is_finite():
        raise EncodingError(f"the value at index {index} is no finite decimal")
    return decimal


# --- operations -------------------------------------------------------------------------------------------------------


def _called(function: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """A NumPy function of operands among which are decimals: places added, or aligned, or kept."""
    if function in MULTIPLYING:
        pairs = [_parted(x) for x in args[:2]]
        return EncryptedDecimals(function(*[x for x, _ in pairs], *args[2:], **kwargs), sum(p for _, p in pairs))
    if function in OPERANDS or isinstance(function, np.ufunc):
        chosen = OPERANDS.get(function, slice(None))
        aligned, places = _aligned(list(args[chosen]))
        result = function(*args[: chosen.start or 0], *aligned, **kwargs)
    elif args and isinstance(args[0], list | tuple):
        aligned, places = _aligned(list(args[0]))
        result = function(type(args[0])(aligned), *args[1:], **kwargs)
    else:
        plain, places = _parted(args[0])
        result = function(plain, *args[1:], **kwargs)
    if function in DECIDING:
        return result
    if isinstance(result, list | tuple):
        return type(result)(EncryptedDecimals(part, places) for part in result)
    return EncryptedDecimals(result, places) if hasattr(result, "evaluator") else result


def _parted(x: Any) -> tuple[Any, int]:
    """Integers, and their places: of decimals, of an encrypted array of integers, or of plain numbers."""
    if isinstance(x, EncryptedDecimals):
        return x.array, x.places
    return (x, 0) if hasattr(x, "evaluator") or x is None else fixed(x)


def _aligned(operands: list[Any]) -> tuple[list[Any], int]:
    """Integers in units of the last place of any."""
    pairs = [_parted(x) for x in operands]
    places = max(p for _, p in pairs)
    return [x if x is None or p == places else x * 10 ** (places - p) for x, p in pairs], places


def _operator(ufunc: np.ufunc, reflected: bool = False) -> Callable[..., Any]:
    def operation(self: EncryptedDecimals, *other: Any) -> Any:
        return _called(ufunc, (*other, self) if reflected else (self, *other), {})

    return operation


for _name, _ufunc in {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "matmul": np.matmul, "neg": np.negative, "abs": np.absolute,
    "gt": np.greater, "ge": np.greater_equal, "lt": np.less, "le": np.less_equal, "eq": np.equal, "ne": np.not_equal,
}.items():  # fmt: skip
    setattr(EncryptedDecimals, f"__{_name}__", _operator(_ufunc))
    if _name in ("add", "sub", "mul", "matmul"):
        setattr(EncryptedDecimals, f"__r{_name}__", _operator(_ufunc, reflected=True))
