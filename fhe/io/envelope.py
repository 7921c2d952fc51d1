"""Envelopes: bytes that only holders of a shared key can have made, and only they can read.

    key'    = HKDF-SHA-256(key, salt; info: what it is, the purpose)      (RFC 5869)
    sealed  = AES-256-GCM(key', nonce 0, bytes; associated: all before)   (NIST SP 800-38D)

The salt, 32 fresh bytes, makes a new key for each message: there is no count to keep, and no nonce that could come
twice. Both come from `cryptography`. What was sealed for one purpose is not opened for another.
"""

from __future__ import annotations

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from fhe.errors import FormatError, ParameterError

MAGIC: Final = b"fhe envelope 1\n\0"
KEY_BYTES, SALT_BYTES, TAG_BYTES = 32, 32, 16
NONCE: Final = bytes(12)


def new_envelope_key() -> bytes:
    """32 fresh bytes of the operating system: a key for `seal` and `unseal`, to be shared over a channel you trust.

    >>> len(new_envelope_key())
    32
    """
    return os.urandom(KEY_BYTES)


def seal(data: bytes, key: bytes, purpose: str = "") -> bytes:
    """The bytes in an envelope: AES-256-GCM under a key derived from ``key``, a fresh salt and the purpose.

    It protects what travels between holders of the key, metadata included: others can neither read nor change it. It
    does not stop anybody from sending the same envelope twice, or none: name in ``purpose`` what it answers (a number,
    a direction), and both sides check that. It says nothing of how a result was computed. 64 bytes are added.

    Raises ParameterError for a key that has not 32 bytes.

    >>> import fhe
    >>> key = fhe.new_envelope_key()
    >>> sent = fhe.seal(b"request", key, purpose="to the server, 17")
    >>> fhe.unseal(sent, key, purpose="to the server, 17")
    b'request'
    >>> fhe.unseal(sent, key, purpose="to the server, 18")
    Traceback (most recent call last):
    fhe.errors.FormatError: this key and purpose do not open the envelope, or somebody changed it
    """
    salt = os.urandom(SALT_BYTES)
    return MAGIC + salt + AESGCM(_derived(key, salt, purpose)).encrypt(NONCE, data, MAGIC + salt)


def unseal(data: bytes, key: bytes, purpose: str = "") -> bytes:
    """What `seal` was given. Raises FormatError for another key or purpose, and for bytes that were changed or cut.

    >>> key = bytes(range(32))
    >>> unseal(seal(b"", key), key)
    b''
    """
    head = len(MAGIC) + SALT_BYTES
    if len(data) < head + TAG_BYTES or not data.startswith(MAGIC):
        raise FormatError(f"{len(data)} bytes that are no envelope: it begins otherwise, or was cut short")
    try:
        return AESGCM(_derived(key, data[len(MAGIC) : head], purpose)).decrypt(NONCE, data[head:], data[:head])
    except InvalidTag as error:
        raise FormatError("this key and purpose do not open the envelope, or somebody changed it") from error


def is_sealed(data: bytes) -> bool:
    """Whether bytes begin like an envelope."""
    return data.startswith(MAGIC)


def _derived(key: bytes, salt: bytes, purpose: str) -> bytes:
    if len(key) != KEY_BYTES:
        raise ParameterError(
            f"an envelope's key has {KEY_BYTES} bytes, not {len(key)}; make one: fhe.new_envelope_key()"
        )
    return HKDF(SHA256(), KEY_BYTES, salt, MAGIC + purpose.encode()).derive(key)
