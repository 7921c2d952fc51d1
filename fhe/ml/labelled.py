"""Rows, plain or encrypted: their labels, and numbers in the place of every feature."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d, validate_data

from fhe.arrays.array import EncryptedArray
from fhe.arrays.exact import interval_of
from fhe.arrays.functions import assume
from fhe.arrays.layout import Layout
from fhe.arrays.moves import slid
from fhe.errors import EncodingError
from fhe.ml.base import ENCRYPTED


def labelled(model: Any, X: Any, y: Any) -> tuple[Any, Any]:
    """Rows and their labels, or what is wrong with them; the model is told how many features there are."""
    if not isinstance(X, ENCRYPTED):
        X, y = validate_data(model, X, y, dtype=np.float64)
        check_classification_targets(y)
        return X, y
    if X.ndim != 2:
        raise EncodingError(f"expected encrypted rows (two dimensions), got shape {X.shape}")
    y = column_or_1d(y)
    check_classification_targets(y)
    if len(y) != len(X):
        raise EncodingError(f"there are {len(X)} encrypted rows and {len(y)} labels; give one for each row")
    model.n_features_in_ = X.shape[1]
    return X, y


def integers(X: Any) -> Any:
    """Plain rows of whole numbers as Python's, which no sum is too large for; others as they are.

    >>> integers(np.array([[1.0, 2.0]])).dtype, integers(np.array([[0.5]])).dtype
    (dtype('O'), dtype('float64'))
    """
    if isinstance(X, ENCRYPTED) or not np.array_equal(X, np.rint(X)):
        return X
    return np.frompyfunc(int, 1, 1)(X)


def magnitude(X: Any) -> int:
    """What no |value| of integer rows exceeds: of encrypted ones by their public interval.

    >>> magnitude(np.array([[1, -3]], dtype=object))
    3
    """
    return int(interval_of(X).magnitude) if isinstance(X, ENCRYPTED) else int(np.max(np.abs(X)))


def within(x: Any, bound: int) -> Any:
    """The same integers, encrypted or not, which a proof bounds more tightly than the slots of a ciphertext do."""
    return assume(x, bound) if isinstance(x, ENCRYPTED) and x.dtype.kind == "i" else x


def beside(x: EncryptedArray, layout: Layout) -> EncryptedArray:
    """A number for each row, at its first place and zero at the others, copied to all places of the row; no level."""
    places = 1 << (layout.shape[1] - 1).bit_length()
    return x.map(lambda shard: slid(x.evaluator, shard, places, -1), replace(layout, clean=False))
