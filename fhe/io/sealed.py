"""Sealed containers: plain metadata that anybody may read, and one section that a passphrase opens.

    key      = scrypt(passphrase, salt; n = 2^cost, r = 8, p = 1)                  (RFC 7914)
    section  = AES-256-GCM(key, nonce, secret; associated: kind, version, metadata)  (NIST SP 800-38D)

A key serves one file: its salt is fresh. So the nonce may be anything; it is fresh as well. No byte of the metadata can
be changed either: they are authenticated with the secret. Both come from `cryptography`.
"""

from __future__ import annotations

import os
import unicodedata
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import GCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from fhe.errors import FormatError, ParameterError
from fhe.io.claims import Claims
from fhe.io.format import VERSION, Container, canonical

COST, LEAST_COST, LARGEST_COST = 17, 10, 20  # log2: 128 MiB and some tenths of a second; at most 1 GiB is ever asked
SCRYPT: Final = "scrypt"
CIPHER: Final = "aes-256-gcm"
KEY_BYTES, SALT_BYTES, NONCE_BYTES, TAG_BYTES = 32, 32, 12, 16
ENTRIES: Final = ["kdf", "cost", "salt", "cipher", "nonce"]


def seal(kind: str, content: dict[str, Any], secret: bytearray, passphrase: str | bytes, cost: int = COST) -> bytes:
    """The bytes of a container with ``content``, and ``secret`` under a passphrase; the caller wipes the secret.

    >>> data = seal("note", {"to": "me"}, bytearray(b"the key"), "correct horse", cost=10)
    >>> unseal(data, "note", "correct horse")
    ({'to': 'me'}, bytearray(b'the key'))
    >>> unseal(data, "note", "battery staple")
    Traceback (most recent call last):
    fhe.errors.FormatError: this passphrase does not open the file (or somebody changed its bytes and their digest)
    """
    salt, nonce = os.urandom(SALT_BYTES), os.urandom(NONCE_BYTES)
    lock = {"kdf": SCRYPT, "cost": cost, "salt": salt.hex(), "cipher": CIPHER, "nonce": nonce.hex()}
    content = content | {"lock": lock}
    encryptor = Cipher(AES(_key(passphrase, salt, cost)), GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(_associated(kind, content))
    sealed = encryptor.update(secret) + encryptor.finalize() + encryptor.tag
    return Container(kind, content, {"sealed": sealed}).to_bytes()


def unseal(data: bytes, kind: str, passphrase: str | bytes) -> tuple[dict[str, Any], bytearray]:
    """Content and secret of `seal`; the caller wipes the secret.

    Raises FormatError for bytes that are no such container, were changed, or belong to another passphrase.
    """
    container = Container.from_bytes(data, kind)
    container.require_sections(["sealed"])
    content, sealed = container.content, container.sections["sealed"]
    lock = Claims(content.get("lock"), f"a sealed {kind}", ENTRIES)
    lock.choice("kdf", {SCRYPT: SCRYPT})
    lock.choice("cipher", {CIPHER: CIPHER})
    cost, salt = lock.integer("cost", LEAST_COST, LARGEST_COST), lock.octets("salt", SALT_BYTES)
    nonce = lock.octets("nonce", NONCE_BYTES)
    if len(sealed) < TAG_BYTES:
        raise FormatError(f"a sealed section has at least {TAG_BYTES} bytes, not {len(sealed)}")
    body, tag = sealed[:-TAG_BYTES], bytes(sealed[-TAG_BYTES:])
    decryptor = Cipher(AES(_key(passphrase, salt, cost)), GCM(nonce, tag)).decryptor()
    decryptor.authenticate_additional_data(_associated(kind, content))
    secret = _opened(decryptor, bytes(body))
    return {name: value for name, value in content.items() if name != "lock"}, secret


def wipe(secret: bytearray) -> None:
    """Overwrite with zeros, in place."""
    secret[:] = bytes(len(secret))


def _opened(decryptor: CipherContext, sealed: bytes) -> bytearray:
    """What was sealed, in memory that can be wiped, and is if it was changed."""
    secret = bytearray(len(sealed) + AES.block_size // 8)  # what `update_into` wants to have, though it writes less
    try:
        size = decryptor.update_into(sealed, secret)
        decryptor.finalize()
    except InvalidTag as error:
        wipe(secret)
        raise FormatError(
            "this passphrase does not open the file (or somebody changed its bytes and their digest)"
        ) from error
    del secret[size:]
    return secret


def _key(passphrase: str | bytes, salt: bytes, cost: int) -> bytes:
    """The key of a passphrase: of text in the form NFC, as UTF-8, so that it is the same on every keyboard."""
    given = unicodedata.normalize("NFC", passphrase).encode() if isinstance(passphrase, str) else bytes(passphrase)
    if not given:
        raise ParameterError("an empty passphrase protects nothing; give one of several words")
    return Scrypt(salt=salt, length=KEY_BYTES, n=1 << cost, r=8, p=1).derive(given)


def _associated(kind: str, content: dict[str, Any]) -> bytes:
    return canonical([kind, VERSION, content]).encode("ascii")
