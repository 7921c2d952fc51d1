"""Writes secrets_1.json: sealed secret keys of format version 1, their passphrases, and what they hold.

    python -m tests.vectors.make_secrets_1

Made once, with this library at version 0.1.0, reference backend, and not to be made again: later versions must open
these very bytes. A new format version gets a file of its own.
"""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

from fhe.backend.choose import choose
from fhe.io.format import VERSION
from fhe.keyfile import Manner, secret_to_bytes
from tests.io.parties import owner_of

FILE = Path(__file__).with_name("secrets_1.json")
CASES: dict[str, tuple[str, Manner, str, int]] = {
    "plain": ("ckks", Manner(), "correct horse battery staple", 17),
    "all options": ("bfv", Manner((-(10**20), float("inf")), 2, True), "café ☃", 10),
}


def case(name: str, manner: Manner, passphrase: str, cost: int) -> dict[str, Any]:
    secret = owner_of(name, choose("reference"))._secret
    return {
        "passphrase": passphrase,
        "secret": secret._s.to_coeff().coefficients(),
        "data": b64encode(secret_to_bytes(secret, manner, passphrase, cost)).decode("ascii"),
    }


def main() -> None:
    assert VERSION == "1", "this script is about format version 1; write another for another"
    cases = {key: case(*arguments) for key, arguments in CASES.items()}
    FILE.write_text(json.dumps({"made_by": "python -m tests.vectors.make_secrets_1", "cases": cases}, indent=1) + "\n")


if __name__ == "__main__":
    main()
