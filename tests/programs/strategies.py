"""Functions to trace: drawn step by step, from operations that every kind of array has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

import fhe

ROWS, COLUMNS = 2, 3
MATRIX = np.array([[0.5, -1.0, 0.25], [1.5, 0.0, -0.75], [2.0, 1.0, -0.5]])
Step = Callable[[list[Any], int], Any]

UNARY: dict[str, Callable[[Any], Any]] = {
    "negative": lambda x: -x,
    "square": np.square,
    "cube": lambda x: x**3,
    "half": lambda x: x / 2,
    "shift": lambda x: x + 0.25,
    "three times": lambda x: 3 * x,
    "transposed twice": lambda x: x.T.T,
    "flip": lambda x: x[..., ::-1],
    "rolled": lambda x: np.roll(x, 1, axis=-1),
    "centred": lambda x: x - x.mean(),
    "sums": lambda x: x + x.sum(axis=-1, keepdims=True),
    "running": lambda x: np.cumsum(x, axis=-1),
    "weighted": lambda x: x * MATRIX[0],
    "mixed": lambda x: x @ MATRIX,
    "joined": lambda x: np.concatenate([x[..., :1], 2 * x[..., 1:]], axis=-1),
    "reordered": lambda x: np.take(x, [2, 0, 1], axis=-1),
    "real": np.real,
}
FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "exp": lambda x: np.exp(x / 8),
    "logistic": lambda x: 1 / (1 + np.exp(-x)),
    "swish": lambda x: x * fhe.sigmoid(x),
    "tanh": np.tanh,
    "log": lambda x: np.log(4 + np.tanh(x)),
    "arctan": np.arctan,
}
BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "sum": np.add,
    "difference": np.subtract,
    "product": np.multiply,
    "quotient": lambda x, y: x / (2 + np.tanh(y)),
}


@st.composite
def functions(draw: st.DrawFn, approximate: bool = True, most: int = 8) -> Callable[[Any, Any], Any]:
    """A function of a matrix x and a vector y, with steps that may be used several times, or not at all."""
    unary = list(UNARY) + (list(FUNCTIONS) if approximate else [])
    binary = [name for name in BINARY if approximate or name != "quotient"]
    steps = draw(
        st.lists(
            st.one_of(
                st.tuples(st.sampled_from(unary), st.integers(0, 9)),
                st.tuples(st.sampled_from(binary), st.integers(0, 9), st.integers(0, 9)),
            ),
            min_size=1,
            max_size=most,
        )
    )
    count = draw(st.integers(1, 3))

    def function(x: Any, y: Any) -> Any:
        values = [x, y]
        for name, *operands in steps:
            chosen = [values[k % len(values)] for k in operands]
            one = UNARY.get(name) or FUNCTIONS.get(name)
            values.append(one(chosen[0]) if one else BINARY[name](*chosen))
        return tuple(values[-count:])

    return function
