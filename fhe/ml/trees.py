"""Decision trees on encrypted integers: every comparison is exact, and so is the answer."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import replace
from functools import reduce, wraps
from inspect import Parameter, signature
from operator import add
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn import tree
from sklearn.utils.validation import check_is_fitted

from fhe.arrays.bits import EncryptedBits
from fhe.arrays.decimals import EncryptedDecimals
from fhe.arrays.exact import claiming
from fhe.errors import EncodingError
from fhe.interval import Interval
from fhe.ml import base
from fhe.ml.base import Model
from fhe.ml.classifiers import Deciding
from fhe.ml.forest import Forest, Tree, apportioned, in_units
from fhe.ml.hidden_trees import HiddenForest, depth_of_hidden
from fhe.ml.questions import Rows
from fhe.ml.single import Single, depth_of_single
from fhe.progress import showing
from fhe.wide import value_modulus

ENCRYPTED = *base.ENCRYPTED, EncryptedBits


def with_decimals(default: int) -> Callable[[type], type]:
    """A model with one parameter more than scikit-learn's: ``decimals``, to which leaves are rounded."""

    def extended(cls: type) -> type:
        inherited: Any = cls.__init__  # type: ignore[misc]

        @wraps(inherited)
        def initialise(self: Any, *args: Any, decimals: int = default, **parameters: Any) -> None:
            inherited(self, *args, **parameters)
            self.decimals = decimals

        known = signature(inherited)
        added = Parameter("decimals", Parameter.KEYWORD_ONLY, default=default)
        vars(initialise)["__signature__"] = known.replace(parameters=[*known.parameters.values(), added])
        cls.__init__ = initialise  # type: ignore[misc]
        return cls

    return extended


class TreeModel(Model):
    """A model that is a sum of trees: learnt by scikit-learn, kept as a `Forest` of integers beside.

    Rows that are encrypted are integers: of a narrow ``bound=(low, high)``, or of any width by `encrypt_bits`; most
    come through at once with ``batch=0``. Leaves are rounded to ``decimals`` places, for plain rows as well, so that
    answers to encrypted rows are the same decimals. `depth` and `value_bits` are what to give `fhe.bfv`.
    """

    decimals: int
    forest_: Any  # a Forest, a HiddenForest, or None

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **options: Any) -> Self:
        """Learn from plain rows, as scikit-learn does, and round the leaves."""
        super().fit(X, y, sample_weight=sample_weight, **options)
        self.forest_ = self._rounded()
        return self

    def _learn(self, fitted: Any) -> Self:
        super()._learn(fitted)
        self.forest_ = self._rounded()
        return self

    def _rounded(self) -> Forest | None:
        """The forest of what has been learnt; None where its answers are not numbers of one kind."""
        raise AssertionError("every model says how its leaves become integers")

    def rotations(self, n_features: int | None = None) -> list[int]:
        """None: nothing moves."""
        return []

    def depth(
        self,
        bound: tuple[int, int] | None = None,
        *,
        bits: int | None = None,
        single: bool = False,
        hidden: bool = False,
    ) -> int:
        """Products in a row that encrypted rows take, of ``bound=(low, high)`` or of ``bits``: for `fhe.bfv`.

        With ``single`` of one row at a time, see `for_single_rows`; with ``hidden`` of an `encrypted` model.
        """
        if (bound is None) == (bits is None):
            raise ValueError("the depth depends on how rows are encrypted: give bound=(low, high) or bits=")
        forest = self._forest()
        if bits is not None and hidden:
            return depth_of_hidden(max(tree.height for tree in self._trees(forest, bits)), bits)
        if bits is not None and single:
            return depth_of_single(max(tree.height for tree in self._trees(forest, bits)), bits)
        if bits is not None:
            return forest.depth(Interval(0, (1 << bits) - 1), bits=True)
        low, high = bound  # type: ignore[misc]
        return forest.depth(Interval(min(low, 0), max(high, 0)))

    def for_single_rows(self, context: Any, *, bits: int) -> Self:
        """The model prepared to answer one encrypted row of ``bits``, as `digits_of` gives it, as fast as possible.

        All questions of all trees stand in the slots of a ciphertext, so that work hardly grows with the trees: see
        `fhe.ml.single`. Takes ``depth(bits=…, single=True)`` and `single_rotations`. Maps are encoded when first used.

        >>> import fhe
        >>> model = DecisionTreeClassifier().fit([[0, 5], [1, 1], [3, 2], [3, 6]], [0, 0, 1, 2])
        >>> depth = model.depth(bits=4, single=True)
        >>> owner = fhe.bfv(depth, value_bits=14, ring_degree=128, insecure="a small ring for this example")
        >>> server = owner.public(rotations=model.single_rotations(128))
        >>> fast = model.for_single_rows(server, bits=4)
        >>> x = owner.encrypt(fhe.ml.digits_of([[3, 5]], bits=4), bound=(0, 1))
        >>> owner.decrypt(fast.predict(server.load(x.to_bytes()))).tolist()
        [2]
        """
        forest, prepared = self._forest(), copy(self)
        prepared.single_ = Single(context, self._trees(forest, bits), self._features(), bits)
        return prepared

    def encrypted(self, context: Any, *, bits: int, bound: float) -> Self:
        """The model with encrypted thresholds and leaves; which features are asked about, and its shape, stay public.

        For rows of ``bits`` without a sign, plain or by `encrypt_bits`; ``bound`` is a public bound on every |answer|.
        Takes ``depth(bits=…, hidden=True)``. Raises EncodingError for thresholds beyond those bits.

        >>> import fhe
        >>> model = DecisionTreeRegressor(decimals=1).fit([[0], [1], [3], [6]], [0.5, 0.5, 1.0, 2.5])
        >>> depth = model.depth(bits=3, hidden=True)
        >>> owner = fhe.bfv(depth, value_bits=10, ring_degree=64, insecure="a small ring for this example")
        >>> answers = model.encrypted(owner, bits=3, bound=4).predict(np.array([[7], [0]]))
        >>> owner.decrypt(answers).astype(float).tolist()
        [2.5, 0.5]
        """
        hidden = copy(self)
        trimmed = replace(self._forest(), trees=tuple(self._trees(self._forest(), bits)))
        hidden.forest_ = HiddenForest.of(trimmed, context, bits, bound)
        return hidden

    def single_rotations(self, ring_degree: int) -> list[int]:
        """The rotation steps of `for_single_rows`, for `KeyOwner.public`: powers of two, both ways."""
        powers = [1 << k for k in range((ring_degree // 2 - 1).bit_length())]
        return [*powers, *(-power for power in powers)]

    def _trees(self, forest: Forest, bits: int) -> list[Tree]:
        return [tree.within(Interval(0, (1 << bits) - 1), merging=False) for tree in forest.trees]

    @property
    def value_bits(self) -> int:
        """Bits of the largest answer in units of the last decimal: for `fhe.bfv`."""
        return self._forest().value_bits

    def _forest(self) -> Forest:
        check_is_fitted(self)
        if self.forest_ is None:
            raise EncodingError(
                f"this {type(self).__name__} has no answer for encrypted rows: of several outputs, or on top of "
                "another model (init=); fit one for each output, with init=None or 'zero'"
            )
        forest: Forest = self.forest_
        return forest

    def _encrypted_outputs(self, X: Any, forest: Forest | None = None) -> list[Any]:
        """The forest's outputs for encrypted rows, as integers."""
        if isinstance(hidden := getattr(self, "forest_", None), HiddenForest):
            return hidden.answers(X, self._features(), type(self).__name__)
        forest, name = self._forest() if forest is None else forest, type(self).__name__
        if len(X.shape) == 4:
            return self._single_outputs(X, forest)
        rows = Rows(X, self._features(), name)
        forest.require(rows, name)
        outputs: list[Any] = forest(rows)
        return outputs

    def _single_outputs(self, X: Any, forest: Forest) -> list[Any]:
        if not hasattr(self, "single_"):
            raise EncodingError(
                "rows of digits are answered one at a time by a model that is prepared for it: "
                "model.for_single_rows(context, bits=…); for many rows use encrypt_bits with batch=0"
            )
        single: Single = self.single_
        forest.require_values(value_modulus(single.evaluator.parameters), type(self).__name__)
        return single(X, forest, self._trees(forest, single.bits))

    def _hides(self, X: Any) -> bool:
        """Are rows or the model encrypted?"""
        return isinstance(X, ENCRYPTED) or isinstance(getattr(self, "forest_", None), HiddenForest)

    def _plain_outputs(self, leaves: NDArray[np.int64]) -> NDArray[np.int64]:
        """The same outputs for rows of which the leaves are known, ``(samples, trees)``, in units."""
        return self._forest().summed(list(leaves.reshape(len(leaves), -1).T))

    def _decimals(self, outputs: list[Any]) -> Any:
        """Encrypted outputs, the columns of a matrix if there are several."""
        values = outputs[0] if len(outputs) == 1 else np.stack(outputs, axis=-1)
        return EncryptedDecimals(values, self._forest().places)


class TreeRegressor(TreeModel):
    """A number for each row."""

    def predict(self, X: Any, check_input: bool = True, *, progress: bool = False) -> Any:
        """The number of each row; for encrypted rows encrypted decimals, with ``progress=True`` behind a bar."""
        if self._hides(X):
            with showing(progress):
                return self._decimals(self._encrypted_outputs(X))
        check_is_fitted(self)
        if self.forest_ is None:
            return super().predict(X)
        return self._plain_outputs(self.apply(X))[:, 0] / 10.0**self.forest_.places


class TreeClassifier(Deciding, TreeModel):
    """Probabilities of classes for each row, of which one output less than there are classes is kept."""

    classes_: Any

    def predict_proba(self, X: Any, check_input: bool = True, *, progress: bool = False) -> Any:
        """The probability of each class, ``(samples, classes)``; for encrypted rows encrypted decimals.

        ``progress=True`` shows a bar, for those.
        """
        if self._hides(X):
            with showing(progress):
                found, units = self._encrypted_outputs(X), 10 ** self._forest().places
            others = reduce(add, (claiming(output, None) for output in found))
            return self._decimals([claiming(units - others, Interval(0, units)), *found])
        check_is_fitted(self)
        if self.forest_ is None:
            return super().predict_proba(X)
        others = self._plain_outputs(self.apply(X))
        units = 10**self.forest_.places
        return np.column_stack([units - others.sum(axis=1), others]) / units


def tree_of_probabilities(fitted: Any, units: int, outputs: int) -> Tree:
    """The ``tree_`` of a classifier, the probabilities of all classes but the first in so many units in all."""
    return Tree.of(fitted, apportioned(fitted.value[:, 0, :], units)[:, 1:], tuple(range(outputs)))


@with_decimals(4)
class DecisionTreeClassifier(TreeClassifier, tree.DecisionTreeClassifier):  # type: ignore[misc]
    """Questions x_j > c, one after the other: `sklearn.tree.DecisionTreeClassifier`, for encrypted integers (BFV) too.

    Rows are integers, such as features in steps of a fixed size, and so are classes. Encrypt rows with ``batch=0`` and
    a narrow ``bound=(low, high)``: questions are then polynomials of x_j, each for all samples at once. Or use
    `encrypt_bits`, for wide integers. All questions are asked, and combined in logarithmic depth, so that nothing
    shows which way a sample goes. In CKKS comparisons are up to a margin: not offered.

    >>> import fhe
    >>> X, y = np.array([[0, 5], [1, 1], [3, 2], [3, 6]]), [0, 0, 1, 2]
    >>> model = DecisionTreeClassifier(random_state=0).fit(X, y)
    >>> owner = fhe.bfv(model.depth((0, 7)), plain_modulus=257, ring_degree=64, insecure="for this example")
    >>> owner.decrypt(model.predict(owner.encrypt(X, bound=(0, 7), batch=0))).tolist()
    [0, 0, 1, 2]
    """

    def predict(self, X: Any, check_input: bool = True, *, progress: bool = False) -> Any:
        """The class of each row; for encrypted rows an encrypted vector of integers, with ``progress=True`` a bar."""
        if not self._hides(X):
            return super().predict(X, check_input)
        self._forest()
        if isinstance(self.forest_, HiddenForest):
            return self._decided(X, "predict_proba")
        if self.classes_.dtype.kind not in "iu":
            raise EncodingError(
                f"encrypted classes are integers, these are {self.classes_.dtype}; number them, and fit again"
            )
        labels = self.classes_[np.argmax(self.tree_.value[:, 0, :], axis=1)]
        with showing(progress):
            return self._encrypted_outputs(X, Forest((Tree.of(self.tree_, labels[:, None]),), (0,), 0))[0]

    def _rounded(self) -> Forest | None:
        if self.n_outputs_ > 1:
            return None
        others = len(self.classes_) - 1
        return Forest((tree_of_probabilities(self.tree_, 10**self.decimals, others),), (0,) * others, self.decimals)


@with_decimals(2)
class DecisionTreeRegressor(TreeRegressor, tree.DecisionTreeRegressor):  # type: ignore[misc]
    """A number for each leaf: `sklearn.tree.DecisionTreeRegressor`, for encrypted integers too; see the classifier.

    >>> import fhe
    >>> X, y = np.array([[0, 5], [1, 1], [3, 2], [3, 6]]), [0.5, 0.25, 1.0, 2.0]
    >>> model = DecisionTreeRegressor(random_state=0).fit(X, y)
    >>> owner = fhe.bfv(model.depth((0, 7)), value_bits=model.value_bits, ring_degree=64, insecure="for this example")
    >>> owner.decrypt(model.predict(owner.encrypt(X, bound=(0, 7), batch=0))).astype(float).tolist()
    [0.5, 0.25, 1.0, 2.0]
    """

    def _rounded(self) -> Forest | None:
        if self.n_outputs_ > 1:
            return None
        values = in_units(self.tree_.value[:, 0, :], self.decimals)
        return Forest((Tree.of(self.tree_, values),), (0,), self.decimals)
