"""What can go wrong, as few classes as a caller needs to tell apart.

Every message names the offending public quantity (a shape, an index, a level, a step; never data), the limit,
and the remedy.
"""


class FHEError(Exception):
    """Base of every error this library raises on purpose."""


class ParameterError(FHEError, ValueError):
    """A parameter set is insecure, impossible, or does not belong to the object it meets."""


class EncodingError(FHEError, ValueError):
    """Values cannot be represented: wrong shape or dtype, NaN, out of range, more than there are slots."""


class LevelError(FHEError):
    """A circuit needs more levels than are left."""


class ScaleError(FHEError):
    """A scale would leave the range in which its modulus can hold it."""


class NoiseError(FHEError):
    """A result would exceed, or has exceeded, its noise budget."""


class MissingKeyError(FHEError, KeyError):
    """An operation needs a key that this party does not hold."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class FormatError(FHEError, ValueError):
    """Bytes are not what they claim to be: magic, version, digest, size, or a value out of range."""
