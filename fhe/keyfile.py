"""A secret key as bytes: sealed under a passphrase, with all that its owner needs to be the same owner again."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

from fhe.backend.protocol import Backend
from fhe.errors import FormatError
from fhe.interval import Bound
from fhe.io.claims import Claims
from fhe.io.sealed import COST, seal, unseal, wipe
from fhe.rlwe.chain import ModulusChain
from fhe.rlwe.codec import parameters_of
from fhe.rlwe.secret import KEY_ID_BYTES, SecretKey

ENTRIES: Final = ["parameters", "key_id", "bound", "decimals", "eager"]
MOST_DECIMALS: Final = 300
LONGEST_NUMBER: Final = 1000


@dataclass(frozen=True, slots=True)
class Manner:
    """How an owner encrypts and computes unless told otherwise: the options of `fhe.bfv` and `fhe.ckks` that stay.

    ``published`` is how many numbers of the plan ``publish`` are spent.
    """

    bound: Bound = None
    decimals: int = 0
    eager: bool = False
    publish: tuple[int, int] | None = None
    published: int = 0


def secret_to_bytes(secret: SecretKey, manner: Manner, passphrase: str | bytes, cost: int = COST) -> bytes:
    """A sealed container of kind "secret": parameters, key id and manner in the clear, s under the passphrase."""
    content: dict[str, Any] = {
        "parameters": secret.chain.parameters.to_dict(),
        "key_id": secret.id.hex(),
        "bound": _texts(manner.bound),
        "decimals": manner.decimals,
        "eager": manner.eager,
    }
    if manner.publish is not None:
        content["publish"] = [*manner.publish, manner.published]
    octets = secret.octets()
    try:
        return seal("secret", content, octets, passphrase, cost)
    finally:
        wipe(octets)


def secret_from_bytes(
    data: bytes, passphrase: str | bytes, backend: Backend | str | None = None
) -> tuple[SecretKey, Manner]:
    """The secret of `secret_to_bytes` and its owner's manner, on a backend.

    Raises FormatError for bytes that are no such container, were changed, or belong to another passphrase.
    """
    content, octets = unseal(data, "secret", passphrase)
    try:
        claims = Claims(content, "a secret key", [*ENTRIES, *(["publish"] if "publish" in content else [])])
        chain = ModulusChain.of(parameters_of(claims), backend)
        habits = _bound(claims), claims.integer("decimals", 0, MOST_DECIMALS), claims.flag("eager")
        manner = Manner(*habits, *_publish(claims))
        return SecretKey.from_octets(chain, octets, claims.octets("key_id", KEY_ID_BYTES)), manner
    finally:
        wipe(octets)


def _texts(bound: Bound) -> list[str] | None:
    """The numbers of a bound as text, exactly: integers of any size, floats in hexadecimal, infinities."""
    if bound is None:
        return None
    numbers: tuple[Any, ...] = bound if isinstance(bound, tuple) else (bound,)
    return [float(x).hex() if isinstance(x, float) or math.isinf(x) else str(int(x)) for x in numbers]


def _publish(claims: Claims) -> tuple[tuple[int, int] | None, int]:
    """The plan to publish, and how much of it is spent; a file without the entry has none."""
    if not claims.knows("publish"):
        return None, 0
    numbers = claims.integers("publish", 3)
    if len(numbers) != 3 or not 0 <= numbers[2] <= numbers[1]:
        raise FormatError("entry publish of a secret key must be precision, queries, and how many of those are spent")
    return (numbers[0], numbers[1]), numbers[2]


def _bound(claims: Claims) -> Bound:
    if not claims.has("bound"):
        return None
    texts = claims.items("bound")
    if len(texts) not in (1, 2) or not all(isinstance(text, str) and len(text) <= LONGEST_NUMBER for text in texts):
        raise FormatError("entry bound of a secret key must be one number or two, as text")
    try:
        numbers = [float.fromhex(text) if set(text) & set("xin") else int(text) for text in texts]
    except (ValueError, OverflowError) as error:
        raise FormatError("entry bound of a secret key must be one number or two, as text") from error
    bound = numbers[0] if len(numbers) == 1 else (numbers[0], numbers[1])
    if _texts(bound) != texts:
        raise FormatError("entry bound of a secret key is not in its one canonical form")
    return bound
