"""What arrays say of themselves: everything public, and no value."""

from __future__ import annotations

import re

import numpy as np
import pytest

from fhe.arrays.show import size
from fhe.backend.choose import choose
from fhe.errors import MissingKeyError
from tests.schemes.owners import BFV, CKKS, shared_owner

SECRETS = [1.8125, 1.4375, 1.6875]


def test_a_line_says_what_matters() -> None:
    x = shared_owner(CKKS, choose("native")).encrypt(SECRETS, bound=2)
    line = repr(x)
    assert line.startswith("EncryptedArray(shape=(3,), dtype=float64, 3 levels left, ")
    assert line.endswith(" bits precise, 2 KiB in 1 ciphertext)")
    assert f"{x.precision_bits:.1f}" in line
    assert "2 levels left" in repr(x * x)
    assert repr(np.stack([x, x])).endswith("2 KiB in 2 ciphertexts)")


@pytest.mark.parametrize("parameters", [CKKS, BFV], ids=["ckks", "bfv"])
def test_a_table_says_it_all(parameters: object) -> None:
    owner = shared_owner(parameters, choose("native"))  # type: ignore[arg-type]
    x = owner.encrypt([[5, 6, 7]], bound=8)
    html, scheme, key = x._repr_html_(), owner.parameters.scheme.upper(), f"{x.key_id.hex()[:8]}…"
    assert re.fullmatch(r"<table>.*</table>", html)
    for text in ("(1, 3)", str(x.dtype), "3 of 3", "zero padding", scheme, key):
        assert text in html
    assert "exact" in html if parameters is BFV else "bits after the point" in html
    assert "padding unknown" in owner.encrypt([[1, 2, 3], [3, 4, 5]], bound=8).sum(axis=1)._repr_html_()


def test_looking_computes_nothing() -> None:
    """A pending product is shown without a key to relinearise it."""
    server = shared_owner(CKKS, choose("native")).public(relinearization=False, rotations=[])
    x = server.encrypt(SECRETS, bound=2)
    product = x * x
    assert "2 levels left" in repr(product)
    assert "2 of 3" in product._repr_html_()
    with pytest.raises(MissingKeyError):
        product.settled()


def test_values_are_never_shown() -> None:
    x = shared_owner(CKKS, choose("native")).encrypt(SECRETS, bound=2)
    for value in SECRETS:
        assert str(value) not in repr(x) + x._repr_html_()


def test_sizes() -> None:
    assert [size(count) for count in (0, 1023, 1024, 1536, 2**40)] == ["0 B", "1023 B", "1 KiB", "1.5 KiB", "1024 GiB"]
