"""The counting backend has every operation, and the shapes of its results are those of the reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fhe.backend.choose import choose
from fhe.backend.protocol import Backend
from fhe.primes import ntt_primes, primitive_root
from fhe.programs.counting import COUNTING, Blank, BlankKey, counted

N, SPECIAL, DIGIT = 16, 2, 2
PRIMES = ntt_primes(N, 30, 6)
NOT_DRY = {
    "encrypt",
    "secret_words",
    "wipe",
    "uniform",
    "ternary",
    "centred_binomial",
    "pack",
    "unpack",
    "pack_key",
    "unpack_key",
}


def test_it_has_every_operation_that_computes() -> None:
    asked = {name for name in vars(Backend) if not name.startswith("_")} - {"name", "target"}
    assert {name for name in asked - NOT_DRY if not hasattr(COUNTING, name)} == set()


def shapes(result: Any) -> Any:
    return [shapes(part) for part in result] if isinstance(result, tuple | list) else result.shape


@pytest.mark.parametrize("leading", [(), (2,)])
def test_results_have_the_shapes_of_the_reference(leading: tuple[int, ...]) -> None:
    reference = choose("reference")
    roots = [primitive_root(q, N) for q in PRIMES]
    handles = [backend.basis(N, PRIMES, roots) for backend in (reference, COUNTING)]
    parts = [backend.basis(N, PRIMES[:2], roots[:2]) for backend in (reference, COUNTING)]
    values = np.zeros((*leading, len(PRIMES), N), dtype=np.uint64)
    x, y = reference.load(handles[0], values), reference.load(parts[0], values[..., :2, :])
    bx, by = Blank(values.shape), Blank(values[..., :2, :].shape)
    short = reference.limbs(x, SPECIAL, len(PRIMES)), bx.of_limbs(len(PRIMES) - SPECIAL)
    key = reference.pack_key(handles[0], *[[reference.zeros(handles[0])] * 2] * 2), BlankKey(5)
    pairs = {
        "add": ((x, x), (bx, bx)),
        "mul_add": ((x, x, x), (bx, bx, bx)),
        "mul_scalar": ((x, [1] * 6), (bx, [1] * 6)),
        "inner_product": (([x, x], [x, x]), ([bx, bx], [bx, bx])),
        "tensor": ((((x,), (x,)), ((x,), (x,))), (((bx,), (bx,)), ((bx,), (bx,)))),
        "ntt": ((x,), (bx,)),
        "automorphism_eval": ((x, 5), (bx, 5)),
        "reduce": ((values[..., 0, :].astype(np.int64),), (values[..., 0, :].astype(np.int64),)),
        "divide_round_eval": ((1, 4, x), (1, 4, bx)),
        "divide_round_coeff": ((0, 3, x), (0, 3, bx)),
        "decompose": ((SPECIAL, DIGIT, short[0], short[0]), (SPECIAL, DIGIT, short[1], short[1])),
        "key_switch": ((SPECIAL, DIGIT, short[0], short[0], key[0]), (SPECIAL, DIGIT, short[1], short[1], key[1])),
        "switch_down": ((SPECIAL, DIGIT, 5, short[0], key[0], []), (SPECIAL, DIGIT, 5, short[1], key[1], [])),
    }
    with counted() as tally:
        for name, (real, blank) in pairs.items():
            expected = getattr(reference, name)(handles[0], *real)
            assert shapes(getattr(COUNTING, name)(handles[1], *blank)) == shapes(expected), name
        found = COUNTING.convert(parts[1], handles[1], by)
        assert found.shape == reference.convert(parts[0], handles[0], y).shape
        assert COUNTING.join(by, bx).shape == reference.join(y, x).shape
    assert set(pairs) <= set(tally.calls)
    assert tally.keys == {5: len(PRIMES)}
    assert tally.total > 0
