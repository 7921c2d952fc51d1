"""Writes layouts_1.json: arrays of format version 1 in layouts of all kinds, with the secret that opens them.

    python -m tests.vectors.make_layouts_1

Made once, with this library at version 0.1.0, reference backend, when arrays first had strides, offsets and repeats;
not to be made again: later versions must read these very bytes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from fhe.backend.choose import choose
from fhe.io.format import VERSION
from tests.io.parties import owner_of, values_of
from tests.vectors.make_format_1 import text_of

FILE = Path(__file__).with_name("layouts_1.json")


def case(name: str) -> dict[str, Any]:
    """A public context, arrays under its key, what they decrypt to, and the coefficients of the secret."""
    owner = owner_of(name, choose("reference"))
    cube, rows = values_of(owner, 2, 3, 2, seed=1), values_of(owner, 3, 4, seed=2)
    x, y = owner.encrypt(cube), owner.encrypt(rows, bound=6 if name == "bfv" else 1)
    arrays = {
        "number": (cube[0, 0, 0], owner.encrypt(cube[0, 0, 0])),
        "repeated vector": (rows[0, :3], owner.encrypt(rows[0, :3])),
        "three dimensions": (cube, x),
        "batch": (rows, owner.encrypt(rows, batch=0)),
        "backwards": (rows.T[::-1, 1:], y.T[::-1, 1:]),
        "sums of rows": (rows.sum(axis=1), y.sum(axis=1)),
        "sums of columns": (rows.sum(axis=0), y.sum(axis=0)),
        "stacked": (np.stack([rows[0], rows[1]]), np.stack([y[0], y[1]])),
    }
    return {
        "secret": owner._secret._s.to_coeff().limbs(0, 1).lift().astype(int).tolist(),
        "context": text_of(owner.public(rotations=[1], conjugation=True).to_bytes()),
        "arrays": {
            key: {"values": np.asarray(values).tolist(), "data": text_of(array.to_bytes())}
            for key, (values, array) in arrays.items()
        },
    }


def main() -> None:
    assert VERSION == "1", "this script is about format version 1; write another for another"
    cases = {name: case(name) for name in ("ckks", "bfv")}
    FILE.write_text(json.dumps({"made_by": "python -m tests.vectors.make_layouts_1", "cases": cases}, indent=1) + "\n")


if __name__ == "__main__":
    main()
