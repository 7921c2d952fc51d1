"""Writes format_1.json: files of format version 1 with the secret that opens them.

    python -m tests.vectors.make_format_1

Made once, with this library at version 0.1.0, reference backend, and not to be made again: later versions must read
these very bytes. A new format version gets a file of its own.
"""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

from fhe.backend.choose import choose
from fhe.io.format import VERSION
from tests.io.parties import owner_of, values_of

FILE = Path(__file__).with_name("format_1.json")


def text_of(data: bytes) -> str:
    return b64encode(data).decode("ascii")


def case(name: str) -> dict[str, Any]:
    """A public context, arrays under its key, what they decrypt to, and the coefficients of the secret."""
    owner = owner_of(name, choose("reference"))
    vector, matrix = values_of(owner, 20, seed=1), values_of(owner, 3, 3, seed=2)
    arrays = {
        "vector": (vector, owner.encrypt(vector)),
        "symmetric vector": (vector, owner.encrypt(vector, symmetric=True)),
        "matrix": (matrix, owner.encrypt(matrix)),
        "product": (vector * 2 + vector, owner.encrypt(vector) * owner.encrypt(vector * 0 + 2) + owner.encrypt(vector)),
    }
    return {
        "secret": owner._secret._s.to_coeff().limbs(0, 1).lift().astype(int).tolist(),
        "context": text_of(owner.public(rotations=[1], conjugation=True).to_bytes()),
        "arrays": {
            key: {"values": values.tolist(), "data": text_of(x.to_bytes())} for key, (values, x) in arrays.items()
        },
    }


def main() -> None:
    assert VERSION == "1", "this script is about format version 1; write another for another"
    cases = {name: case(name) for name in ("ckks of wide levels", "bfv")}
    FILE.write_text(json.dumps({"made_by": "python -m tests.vectors.make_format_1", "cases": cases}, indent=1) + "\n")


if __name__ == "__main__":
    main()
