"""What models share: rows that are checked before any work, and the scores X @ W.T + b with any part encrypted."""

from __future__ import annotations

from copy import copy
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from fhe.arrays.array import EncryptedArray
from fhe.arrays.functions import require
from fhe.arrays.wide import WideArray
from fhe.circuits.linear import inner_sum_steps
from fhe.errors import EncodingError
from fhe.programs.compiler import compile as compile_program
from fhe.programs.spec import Spec
from fhe.programs.symbolic import SymbolicArray

WEIGHING = 1  # level of the product with the weights
SPARSE = ("csr", "csc")
ENCRYPTED = EncryptedArray, WideArray


class Model(BaseEstimator):  # type: ignore[misc]
    """A model whose rows, ``(samples, features)``, may be encrypted: one after another, or by ``encrypt(batch=0)``."""

    n_features_in_: int

    @classmethod
    def from_sklearn(cls, fitted: Any, **parameters: Any) -> Self:
        """The same model as a fitted one of scikit-learn; ``parameters`` are further ones of this class."""
        check_is_fitted(fitted)
        offered = cls._get_param_names()
        shared = {name: value for name, value in fitted.get_params(deep=False).items() if name in offered}
        return cls(**{**shared, **parameters})._learn(fitted)

    def rotations(self, n_features: int | None = None) -> list[int]:
        """The rotation steps that scoring takes: what to give `KeyOwner.public`; none for ``encrypt(batch=0)``.

        >>> Model().rotations(n_features=30)
        [1, 2, 4, 8, 16]
        """
        return inner_sum_steps(self._features() if n_features is None else n_features)

    def _rows(self, X: Any, depth: int, *, products: bool = False, **checks: Any) -> Any:
        """Rows fit for ``depth`` levels, or what is wrong with them."""
        features, name = self._features(), type(self).__name__
        if not hidden(X):
            return validate_data(self, X, reset=False, **checks)
        if X.ndim != 2:
            raise EncodingError(f"expected encrypted rows (two dimensions), got shape {X.shape}; encrypt x[None, :]")
        if X.shape[1] != features:
            raise EncodingError(f"X has {X.shape[1]} features, but {name} is expecting {features} features as input")
        if isinstance(X, SymbolicArray):  # levels and keys are the program's to find
            return X
        apart = X.layout.strides[1] % X.layout.slots == 0
        one = X.parts[0] if isinstance(X, WideArray) else X
        require(one, levels=depth, rotations=() if apart else self.rotations(), products=products, what=f"this {name}")
        return X

    def _features(self) -> int:
        check_is_fitted(self)
        return int(self.n_features_in_)

    def _learn(self, fitted: Any) -> Self:
        """Take over what a scikit-learn model has learnt."""
        for name in vars(fitted).keys() - fitted.get_params(deep=False).keys():
            setattr(self, name, getattr(fitted, name))
        return self


class LinearModel(Model):
    """Weights W and intercepts b; rows, weights or both may be encrypted."""

    coef_: Any
    intercept_: Any

    def value_bound(self, feature_bound: float) -> float:
        """A public bound on all values that scoring meets when no |feature| exceeds ``feature_bound``.

        It is what `fhe.ckks` takes as ``bound``: the largest |weight| counts for every place of a padded row.
        """
        padded = 1 << (self._features() - 1).bit_length()
        return float(feature_bound * np.max(np.abs(self.coef_)) * padded + np.max(np.abs(self.intercept_)))

    def compile(self, X: Spec, *, training: bool = False, **options: Any) -> Any:
        """The `fhe.Program` that scores encrypted rows of a shape and bound: parameters, keys, time (`fhe.compile`).

        ``options`` are those of `fhe.compile`, such as ``precision``. What learns from encrypted rows compiles its
        training, and with ``training=False`` its scores once learnt; of all else scores are all there is.

        >>> import fhe
        >>> model = fhe.ml.Ridge().fit([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], [1.0, 3.0, 4.0])
        >>> program = model.compile(fhe.spec((5, 2), bound=1))
        >>> program.parameters.ring_degree, len(program.keys)
        (4096, 1)
        """
        check_is_fitted(self)
        if training:
            raise EncodingError(f"{type(self).__name__} learns from plain examples; compile what learns from encrypted")
        return compile_program(getattr(self, "decision_function", None) or self.predict, X, **options)

    def encrypted(self, context: Any, *, bound: float | None = None) -> Self:
        """The model with encrypted weights, for whoever shall score without seeing them.

        ``bound`` is a public bound on every |weight| and |intercept|. It scores plain rows, and rows encrypted under
        the same key, whose product takes a relinearisation key.

        >>> import fhe
        >>> model = fhe.ml.Ridge().fit([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], [1.0, 3.0, 4.0])
        >>> owner = fhe.ckks(depth=1, ring_degree=64, insecure="a small ring for this example")
        >>> hidden = model.encrypted(owner)
        >>> bool(np.allclose(owner.decrypt(hidden.predict([[1.0, 1.0]])), model.predict([[1.0, 1.0]]), atol=1e-5))
        True
        """
        check_is_fitted(self)
        hidden = copy(self)
        W, b = np.asarray(self.coef_, dtype=np.float64), np.asarray(self.intercept_, dtype=np.float64)
        b = np.broadcast_to(b, W.shape[:-1]) if W.ndim > 1 else b.ravel()[0]
        hidden.coef_, hidden.intercept_ = _apart(context, W, W.ndim - 1, bound), _apart(context, b, b.ndim, bound)
        return hidden

    def decrypted(self, owner: Any) -> Self:
        """The model with its weights decrypted by the `KeyOwner`: the clear twin."""
        check_is_fitted(self)
        clear = copy(self)
        for name, value in vars(self).items():
            if isinstance(value, ENCRYPTED):
                setattr(clear, name, owner.decrypt(value))
        return clear

    def _scores(self, X: Any, depth: int = WEIGHING) -> Any:
        """X @ W.T + b, encrypted if either is; ``depth`` is what the caller will take in all."""
        hidden = isinstance(getattr(self, "coef_", None), ENCRYPTED)
        sparse = SPARSE if self.__sklearn_tags__().input_tags.sparse else False
        X = self._rows(X, depth, products=hidden or depth > WEIGHING, accept_sparse=sparse)
        return affine(X, self.coef_.toarray() if hasattr(self.coef_, "toarray") else self.coef_, self.intercept_)


def hidden(X: Any) -> bool:
    """Are these encrypted, or do they stand for what will be, in a function being traced?"""
    return isinstance(X, (*ENCRYPTED, SymbolicArray))


def require_plain(model: Any, *examples: Any) -> None:
    """Raise where encrypted examples are given to what learns from plain ones; what learns from them is named."""
    if any(isinstance(part, ENCRYPTED) for part in examples):
        other = "NesterovClassifier" if hasattr(model, "decide") else "NesterovRegressor"
        raise EncodingError(f"{type(model).__name__} learns from plain examples; from encrypted ones {other} does")


def affine(X: Any, W: Any, b: Any) -> Any:
    """X @ W.T + b, of which anything may be encrypted: a vector where W is one, else a column for each row of W."""
    if W.ndim == 1:
        return X @ W + b
    b = b if isinstance(b, ENCRYPTED) else np.broadcast_to(b, len(W))
    return np.stack([X @ w + c for w, c in zip(W, b, strict=True)], axis=-1)


def _apart(context: Any, values: NDArray[np.float64], axes: int, bound: float | None) -> Any:
    """Encrypted with the first axes across ciphertexts, so that each weight vector begins one."""
    if not axes:
        return context.encrypt(values, bound=bound)
    return np.stack([_apart(context, value, axes - 1, bound) for value in values])
