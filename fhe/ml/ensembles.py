"""Forests and boosted trees on encrypted integers: sums of trees, which share every comparison they have in common."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn import ensemble
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.utils.validation import check_is_fitted, validate_data

from fhe.errors import EncodingError
from fhe.ml.classifiers import Deciding
from fhe.ml.forest import Forest, Tree, in_units
from fhe.ml.trees import TreeClassifier, TreeModel, TreeRegressor, tree_of_probabilities, with_decimals
from fhe.progress import showing


class Averaging(TreeClassifier):
    """Classifiers that average the probabilities of their trees."""

    def predict(self, X: Any) -> Any:
        """The classes of plain rows. Encrypted rows have probabilities: decrypt them, and pass them to `decide`."""
        if self._hides(X):
            return self._decided(X, "predict_proba")
        return super().predict(X)

    def _rounded(self) -> Forest | None:
        if self.n_outputs_ > 1:
            return None
        others, trees = len(self.classes_) - 1, [estimator.tree_ for estimator in self.estimators_]
        shares = np.diff(np.linspace(0, 10**self.decimals, len(trees) + 1).round().astype(int))
        rounded = [tree_of_probabilities(tree, units, others) for tree, units in zip(trees, shares, strict=True)]
        return Forest(tuple(rounded), (0,) * others, self.decimals)


class AveragingRegressor(TreeRegressor):
    """Regressions that average their trees."""

    def _rounded(self) -> Forest | None:
        if self.n_outputs_ > 1:
            return None
        trees = [estimator.tree_ for estimator in self.estimators_]
        rounded = [Tree.of(tree, in_units(tree.value[:, 0, :] / len(trees), self.decimals)) for tree in trees]
        return Forest(tuple(rounded), (0,), self.decimals)


@with_decimals(4)
class RandomForestClassifier(Averaging, ensemble.RandomForestClassifier):  # type: ignore[misc]
    """The average of trees on random samples: `sklearn.ensemble.RandomForestClassifier`, for encrypted integers too.

    Encrypted rows are those of `DecisionTreeClassifier`. Each tree's probabilities are rounded to its share of
    10^decimals units, so that those of all classes sum to 1 exactly.

    >>> import fhe
    >>> X, y = np.array([[0, 5], [1, 1], [3, 2], [3, 6]]), [0, 0, 1, 1]
    >>> model = RandomForestClassifier(5, random_state=0).fit(X, y)
    >>> owner = fhe.bfv(model.depth((0, 7)), value_bits=model.value_bits, ring_degree=64, insecure="for this example")
    >>> model.decide(owner.decrypt(model.predict_proba(owner.encrypt(X, bound=(0, 7), batch=0)))).tolist()
    [0, 0, 1, 1]
    """


@with_decimals(2)
class RandomForestRegressor(AveragingRegressor, ensemble.RandomForestRegressor):  # type: ignore[misc]
    """The average of trees on random samples: `sklearn.ensemble.RandomForestRegressor`, for encrypted integers too.

    >>> model = RandomForestRegressor(5, random_state=0).fit([[0], [1], [2], [3]], [0.0, 0.0, 1.0, 1.0])
    >>> model.predict([[0], [3]]).tolist()
    [0.0, 1.0]
    """


@with_decimals(4)
class ExtraTreesClassifier(Averaging, ensemble.ExtraTreesClassifier):  # type: ignore[misc]
    """The average of trees with random thresholds: `sklearn.ensemble.ExtraTreesClassifier`, for encrypted integers too.

    >>> model = ExtraTreesClassifier(5, random_state=0).fit([[0], [1], [2], [3]], [0, 0, 1, 1])
    >>> model.predict([[0], [3]]).tolist()
    [0, 1]
    """


@with_decimals(2)
class ExtraTreesRegressor(AveragingRegressor, ensemble.ExtraTreesRegressor):  # type: ignore[misc]
    """The average of trees with random thresholds: `sklearn.ensemble.ExtraTreesRegressor`, for encrypted integers too.

    >>> model = ExtraTreesRegressor(5, random_state=0).fit([[0], [1], [2], [3]], [0.0, 0.0, 1.0, 1.0])
    >>> model.predict([[0], [3]]).tolist()
    [0.0, 1.0]
    """


class Boosting(TreeModel):
    """A constant, and trees that each correct the ones before: init + rate * (their sum), an output for each class."""

    def _rounded(self) -> Forest | None:
        if not (isinstance(self.init_, DummyClassifier | DummyRegressor) or self.init_ == "zero"):
            return None
        origin = np.zeros((1, self.n_features_in_), dtype=np.float32)
        base = in_units(self._raw_predict_init(origin)[0], self.decimals)

        def rounded(tree: Any, output: int) -> Tree:
            return Tree.of(tree, in_units(self.learning_rate * tree.value[:, 0, :], self.decimals), (output,))

        trees = [rounded(found.tree_, k) for stage in self.estimators_ for k, found in enumerate(stage)]
        return Forest(tuple(trees), tuple(base.tolist()), self.decimals)

    def apply(self, X: Any) -> NDArray[np.int64]:
        """The leaf of each row in each tree."""
        rows = validate_data(self, X, dtype=np.float32, order="C", accept_sparse="csr", reset=False)
        return np.asarray(super().apply(rows)).astype(np.int64)


@with_decimals(4)
class GradientBoostingClassifier(Deciding, Boosting, ensemble.GradientBoostingClassifier):  # type: ignore[misc]
    """Boosted trees: `sklearn.ensemble.GradientBoostingClassifier`, for encrypted integers too.

    Encrypted rows are those of `DecisionTreeClassifier`, and have scores: `decide` makes classes of decrypted ones.

    >>> import fhe
    >>> X, y = np.array([[0, 5], [1, 1], [3, 2], [3, 6]]), [0, 0, 1, 1]
    >>> model = GradientBoostingClassifier(n_estimators=5, random_state=0).fit(X, y)
    >>> owner = fhe.bfv(model.depth((0, 7)), value_bits=model.value_bits, ring_degree=64, insecure="for this example")
    >>> model.decide(owner.decrypt(model.decision_function(owner.encrypt(X, bound=(0, 7), batch=0)))).tolist()
    [0, 0, 1, 1]
    """

    def decision_function(self, X: Any, *, progress: bool = False) -> Any:
        """Scores, ``(samples,)`` of two classes, else ``(samples, classes)``; of encrypted rows encrypted decimals.

        ``progress=True`` shows a bar, for those.
        """
        if self._hides(X):
            with showing(progress):
                return self._decimals(self._encrypted_outputs(X))
        check_is_fitted(self)
        if self.forest_ is None:
            return super().decision_function(X)
        scores = self._plain_outputs(self.apply(X)) / 10.0**self.forest_.places
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def predict_proba(self, X: Any) -> Any:
        """The probabilities of plain rows; of encrypted rows they follow from the decrypted scores."""
        if self._hides(X):
            raise EncodingError("probabilities of encrypted rows follow from scores: decrypt decision_function(X)")
        return super().predict_proba(X)

    def decide(self, scores: ArrayLike) -> NDArray[Any]:
        """The classes that decrypted scores stand for; of two classes the second, where the score is 0."""
        check_is_fitted(self)
        scores = np.asarray(scores)
        chosen = scores.argmax(axis=-1) if scores.ndim > 1 else (scores >= 0).astype(np.intp)
        return np.asarray(self.classes_[chosen])

    def predict(self, X: Any) -> Any:
        """The classes of plain rows. What encrypted rows have are scores: decrypt them, and pass them to `decide`."""
        return self._decided(X, "decision_function") if self._hides(X) else super().predict(X)


@with_decimals(2)
class GradientBoostingRegressor(Boosting, TreeRegressor, ensemble.GradientBoostingRegressor):  # type: ignore[misc]
    """Boosted trees: `sklearn.ensemble.GradientBoostingRegressor`, for encrypted integers too.

    >>> model = GradientBoostingRegressor(n_estimators=50, random_state=0).fit([[0], [1], [2], [3]], [0, 0, 1, 1])
    >>> model.predict([[0], [3]]).round(1).tolist()
    [0.0, 1.0]
    """
