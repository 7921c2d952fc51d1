"""Yesterday's bytes: files of format version 1, read by every backend and opened with the secret of their time."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

import numpy as np
import pytest

from fhe.arrays.array import EncryptedArray
from fhe.backend.protocol import Backend
from fhe.context import Context
from fhe.keyfile import secret_from_bytes
from fhe.ring.poly import CoeffPoly
from fhe.rlwe.secret import SecretKey
from tests.vectors import make_format_1, make_layouts_1, make_secrets_1

FORMAT: dict[str, Any] = json.loads(make_format_1.FILE.read_text())["cases"]
LAYOUTS: dict[str, Any] = json.loads(make_layouts_1.FILE.read_text())["cases"]
SECRETS: dict[str, Any] = json.loads(make_secrets_1.FILE.read_text())["cases"]


def opened(context: Context, secret: SecretKey, array: EncryptedArray) -> np.ndarray:
    """The values of an array, without the owner that is long gone."""
    slots = [context.evaluator.decode(secret.decrypt(shard), shard) for shard in array.settled().shards]
    return array.layout.unpack(slots)


def openers(case: Any, backend: Backend) -> tuple[Context, SecretKey]:
    """A context of then, and its secret."""
    data = b64decode(case["context"])
    context = Context.from_bytes(data, backend)
    assert context.to_bytes() == data
    s = CoeffPoly.from_int64(context.chain.top, np.array(case["secret"])).to_eval()
    return context, SecretKey(context.chain, s, context.key_id)


def assert_close(name: str, error: np.ndarray) -> None:
    assert np.all(error % 97 == 0) if name == "bfv" else np.all(np.abs(error) < 1e-6)


@pytest.mark.parametrize("name", FORMAT)
def test_format_1_stays_readable(name: str, backend: Backend) -> None:
    context, secret = openers(FORMAT[name], backend)
    for frozen in FORMAT[name]["arrays"].values():
        data, values = b64decode(frozen["data"]), np.array(frozen["values"])
        array = context.load(data)
        assert array.layout.strides == ((4, 1) if values.ndim == 2 else (1,))
        again = context.load(array.to_bytes())  # written as today, it means the same
        assert (again.layout, again.dtype) == (array.layout, array.dtype)
        for computed, expected in [(array, values), (array * array + 1, values**2 + 1)]:
            assert_close(name, opened(context, secret, computed) - expected)


@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts_of_format_1_stay_readable(name: str, backend: Backend) -> None:
    context, secret = openers(LAYOUTS[name], backend)
    for frozen in LAYOUTS[name]["arrays"].values():
        data, values = b64decode(frozen["data"]), np.array(frozen["values"])
        array = context.load(data)
        again = context.load(array.to_bytes())
        assert (again.layout, again.dtype) == (array.layout, array.dtype)
        for computed, expected in [(array, values), (1 - again[..., None], 1 - values[..., None])]:
            assert_close(name, opened(context, secret, computed) - expected)


@pytest.mark.parametrize("name", SECRETS)
def test_secrets_of_format_1_can_be_opened(name: str) -> None:
    case = SECRETS[name]
    secret, manner = secret_from_bytes(b64decode(case["data"]), case["passphrase"], "reference")
    assert secret._s.to_coeff().coefficients() == case["secret"]
    assert manner == make_secrets_1.CASES[name][1]
