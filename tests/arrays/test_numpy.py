"""NumPy's functions on encrypted arrays, against NumPy, on slots in the clear."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fhe.arrays.layout import Layout
from fhe.errors import EncodingError
from tests.arrays.clear import ClearEvaluator, laid_out, read
from tests.arrays.test_layouts import arrays, evaluators

FUNCTIONS: dict[str, tuple[Callable[..., Any], list[tuple[int, ...]]]] = {
    "cumsum": (np.cumsum, [(5,)]),
    "cumsum of rows": (lambda x: np.cumsum(x, axis=1), [(3, 4)]),
    "cumsum of columns": (lambda x: np.cumsum(x, axis=0), [(5, 2)]),
    "cumsum of all": (np.cumsum, [(2, 3)]),
    "cumsum of many": (np.cumsum, [(40,)]),
    "diff": (np.diff, [(7,)]),
    "second differences": (lambda x: np.diff(x, n=2, axis=0), [(4, 3)]),
    "dot": (np.dot, [(4,), (4,)]),
    "dot of a number": (np.dot, [(), (4,)]),
    "matmul": (np.matmul, [(3, 4), (4, 2)]),
    "matmul of rows": (np.matmul, [(3, 4), (4,)]),
    "matmul of columns": (np.matmul, [(3,), (3, 4)]),
    "matmul of batches": (np.matmul, [(2, 3, 4), (4, 2)]),
    "inner": (np.inner, [(3, 4), (2, 4)]),
    "outer": (np.outer, [(3,), (4,)]),
    "vdot": (np.vdot, [(2, 3), (6,)]),
    "tensordot": (lambda x, y: np.tensordot(x, y, axes=([0], [1])), [(3, 2), (2, 3)]),
    "trace": (np.trace, [(3, 4)]),
    "einsum of a trace": (lambda x: np.einsum("ii", x), [(4, 4)]),
    "einsum of a transpose": (lambda x: np.einsum("ij->ji", x), [(2, 3)]),
    "einsum of a diagonal": (lambda x: np.einsum("iij->ij", x), [(3, 3, 2)]),
    "einsum of a sum": (lambda x: np.einsum("ijk->j", x), [(2, 3, 2)]),
    "einsum of two": (lambda x, y: np.einsum("ij,jk", x, y), [(2, 3), (3, 2)]),
    "einsum by elements": (lambda x, y: np.einsum("ij,ij->i", x, y), [(2, 3), (2, 3)]),
    "einsum of three": (lambda x, y, z: np.einsum("i,ij,j->", x, y, z), [(2,), (2, 3), (3,)]),
    "einsum of an ellipsis": (lambda x, y: np.einsum("...i,i->...", x, y), [(2, 2, 3), (3,)]),
    "polyval": (lambda x: np.polyval([2, 0, -1, 5], x), [(4,)]),
    "square": (np.square, [(3,)]),
    "power": (lambda x: np.prod(np.stack([x, x, x]), axis=0), [(3,)]),
    "add.reduce": (np.add.reduce, [(3, 2)]),
    "where": (lambda x, y: np.where(np.arange(4) % 2, x, y), [(4,), (4,)]),
    "where a number": (lambda x: np.where([True, False, True], x, 7), [(3,)]),
    "encrypted where": (lambda x, y: np.where(x * 0 + 1, y, 3), [(4,), (4,)]),
    "convolve": (lambda x: np.convolve(x, [1, -2, 3]), [(6,)]),
    "convolve, by name": (lambda x: np.convolve(x, v=[1, -2, 3]), [(6,)]),
    "convolve, same": (lambda x: np.convolve(x, [1, -2, 3], mode="same"), [(6,)]),
    "correlate": (lambda x: np.correlate(x, [1, -2, 3]), [(6,)]),
    "column_stack": (lambda x, y: np.column_stack([x, y]), [(3,), (3,)]),
    "block": (lambda x, y: np.block([[x, y], [y, x]]), [(2, 2), (2, 2)]),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@settings(max_examples=max(settings().max_examples // 4, 5))
@given(data=st.data(), evaluator=evaluators())
def test_functions(name: str, data: st.DataObject, evaluator: ClearEvaluator) -> None:
    function, shapes = FUNCTIONS[name]
    drawn = [data.draw(arrays(evaluator, shape)) for shape in shapes]
    expected = function(*(values for values, _ in drawn))
    encrypted = data.draw(st.sets(st.sampled_from(range(len(shapes))), min_size=1))
    assume(name != "encrypted where" or 0 in encrypted)
    result = function(*(x if k in encrypted else values for k, (values, x) in enumerate(drawn)))
    assert result.shape == np.shape(expected)
    assert np.array_equal(read(result), expected)


def test_what_is_known_without_a_key() -> None:
    x = arrays_of(np.arange(6).reshape(2, 3))
    assert (np.shape(x), np.ndim(x), np.size(x), np.size(x, 1), len(x)) == ((2, 3), 2, 6, 3, 2)
    assert np.zeros_like(x).tolist() == [[0, 0, 0], [0, 0, 0]]
    assert np.copy(x) is x.copy() is x
    assert [read(row).tolist() for row in x] == [[0, 1, 2], [3, 4, 5]]
    assert [read(part).tolist() for part in np.split(x, 3, axis=1)] == [[[0], [3]], [[1], [4]], [[2], [5]]]
    with pytest.raises(TypeError, match="no axis"):
        len(x[0, 0])


def arrays_of(values: Any) -> Any:
    return laid_out(ClearEvaluator(16, 16), values, Layout.of(values.shape, 16))


IMPOSSIBLE: dict[str, tuple[Callable[[Any], Any], str]] = {
    "argsort": (np.argsort, "an order cannot be read"),
    "median": (np.median, "an order cannot be read"),
    "nonzero": (np.nonzero, "mask of zeros and ones"),
    "unique": (np.unique, "mask of zeros and ones"),
    "any": (np.any, "an answer would have to be encrypted"),
    "allclose": (lambda x: np.allclose(x, 1), "an answer would have to be encrypted"),
    "put": (lambda x: np.put(x, [0], [1]), r"np\.where\(mask, value, x\)"),
    "assignment": (lambda x: x.__setitem__(0, 1), "one_hot"),
    "an encrypted index": (lambda x: np.arange(3)[x], "encrypted"),
    "indexed by an encrypted": (lambda x: x[x], "one-hot"),
    "branching": (lambda x: 1 if x else 0, "no branch"),
    "float": (float, "decrypts it"),
    "fft": (np.fft.fft, "is not offered"),
    "arctan": (np.arctan, "is not offered"),
    "out": (lambda x: np.add(x, 1, out=np.zeros(3)), "without"),
    "a divisor": (lambda x: 1 / x, "approximate inverse"),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_what_encryption_makes_impossible_names_a_way(name: str) -> None:
    question, remedy = IMPOSSIBLE[name]
    with pytest.raises(TypeError, match=remedy):
        question(arrays_of(np.arange(3)))


@pytest.mark.parametrize("question", [
    lambda x: np.einsum("ij->i", x), lambda x: np.einsum("i,i", x), lambda x: np.einsum("i->ii", x),
    lambda x: np.convolve(x, x), lambda x: x.reshape(2, 2), lambda x: x[5], lambda x: x.sum(axis=3), lambda x: x @ 3,
    lambda x: np.broadcast_to(x, (2, 2)), lambda x: x[[True, False]],
])  # fmt: skip
def test_what_does_not_fit_is_refused(question: Callable[[Any], Any]) -> None:
    with pytest.raises((EncodingError, ValueError, IndexError)):
        question(arrays_of(np.arange(3)))
