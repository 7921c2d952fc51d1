"""What can go wrong, as few classes as a caller needs to tell apart.

Every message names the offending public quantity (a shape, an index, a level, a step; never data), the limit,
and the remedy.
"""

from typing import Self


class FHEError(Exception):
    """Base of every error this library raises on purpose.

    >>> import fhe
    >>> issubclass(fhe.LevelError, FHEError)
    True
    """


class ParameterError(FHEError, ValueError):
    """A parameter set is insecure, impossible, or does not belong to the object it meets.

    >>> import fhe
    >>> fhe.CKKSParameters(ring_degree=1000)
    Traceback (most recent call last):
    fhe.errors.ParameterError: the ring degree must be a power of two from 8 to 2^17, not 1000
    """


class EncodingError(FHEError, ValueError):
    """Values cannot be represented: wrong shape or dtype, NaN, out of range, more than there are slots.

    >>> import fhe
    >>> owner = fhe.ckks(depth=1, ring_degree=64, insecure="for this example", backend="reference")
    >>> owner.encrypt([1.0, float("nan")])
    Traceback (most recent call last):
    fhe.errors.EncodingError: the value at index 1 is NaN or infinite; clean the data first
    """


class LevelError(FHEError):
    """A circuit needs more levels than are left.

    >>> import fhe
    >>> owner = fhe.ckks(depth=1, ring_degree=64, insecure="for this example", backend="reference")
    >>> owner.encrypt([1.0]) ** 3
    Traceback (most recent call last):
    fhe.errors.LevelError: x**3 needs 2 levels, 1 is left; use fhe.ckks(depth=2) or more, or re-encrypt x
    """

    @classmethod
    def short(cls, what: str, needed: int, left: int, most: int, remedy: str) -> Self:
        """The error of what needs more levels than are left of ``most``; ``remedy`` is what else there is to do."""
        levels = "a level" if needed == 1 else f"{needed} levels"
        rest = f"{left} are left" if left > 1 else f"{left or 'none'} is left"
        return cls(f"{what} needs {levels}, {rest}; use fhe.ckks(depth={most + needed - left}) or more, or {remedy}")


class ScaleError(FHEError):
    """A scale would leave the range in which its modulus can hold it.

    >>> import fhe
    >>> owner = fhe.ckks(depth=1, ring_degree=64, insecure="for this example", backend="reference")
    >>> (owner.encrypt([1.0], bound=1e6) ** 2).settled() + 0  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    fhe.errors.ScaleError: values up to 1e+12 at scale 2^80.0 need 119.9 bits, level 1 holds ...
    """


class ValueOverflowError(FHEError, OverflowError):
    """An exact result could leave the integers that the plain modulus tells apart.

    >>> import fhe
    >>> owner = fhe.bfv(depth=1, plain_modulus=257, ring_degree=64, insecure="for this example", backend="reference")
    >>> owner.encrypt([1, 2, 3], bound=100) * 2  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    fhe.errors.ValueOverflowError: a product with an integer may take values from -200 to 200, more than t = 257 ...
    """


class NoiseError(FHEError):
    """A result would exceed, or has exceeded, its noise budget.

    >>> import fhe
    >>> owner = fhe.bfv(depth=1, plain_modulus=257, ring_degree=64, insecure="for this example", backend="reference")
    >>> owner.encrypt([1], bound=1) ** 2**20  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    fhe.errors.NoiseError: a product at level ... would bring the noise bound to ...
    """


class MissingKeyError(FHEError, KeyError):
    """An operation needs a key that this party does not hold.

    >>> import fhe
    >>> owner = fhe.ckks(depth=1, ring_degree=64, insecure="for this example", backend="reference")
    >>> owner.public(rotations=[]).encrypt([1.0, 2.0]).sum()  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    fhe.errors.MissingKeyError: rotating by 1 needs a rotation key for each step, ...
    """

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class FormatError(FHEError, ValueError):
    """Bytes are not what they claim to be: magic, version, digest, size, or a value out of range.

    >>> import fhe
    >>> fhe.Context.from_bytes(b"not a context")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    fhe.errors.FormatError: ...
    """
