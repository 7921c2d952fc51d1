"""Boosted trees that other libraries have learnt, XGBoost and LightGBM: read from what they write, never imported."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NoReturn, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import RegressorMixin

from fhe.circuits.decisions import LEAF
from fhe.errors import EncodingError
from fhe.ml.classifiers import Classifier
from fhe.ml.forest import Forest, Tree, in_units
from fhe.ml.trees import ENCRYPTED, TreeModel

LIBRARIES = ("xgboost", "lightgbm")
Found = tuple[Tree, NDArray[np.float64]]
FINE = 12  # decimals of sums that tell what else is added
CLOSE = 1e-3  # how far the libraries' float32 sums may be off


class Boosted(TreeModel):
    """A model of XGBoost or LightGBM for rows of integers, plain or encrypted; made by `from_sklearn`.

    Scores are init + the sum of trees, leaves rounded to ``decimals`` places. Splits by categories, and boosters that
    are no sums of trees (dart, rf, linear), are refused.
    """

    def __init__(self, decimals: int = 4) -> None:
        self.decimals = decimals

    @classmethod
    def from_sklearn(cls, fitted: Any, **parameters: Any) -> Self:
        """The same scores as a fitted model with scikit-learn's manners."""
        model = cls(**parameters)
        model.n_features_in_ = int(fitted.n_features_in_)
        if hasattr(fitted, "classes_"):
            model.classes_ = np.asarray(fitted.classes_)
        xgboost = type(fitted).__module__.startswith("xgboost")
        found = list(_of_xgboost(fitted) if xgboost else _of_lightgbm(fitted))
        trees = tuple(_valued(tree, values, model.decimals) for tree, values in found)
        base = in_units(_base(fitted, found, xgboost), model.decimals)
        model.forest_ = Forest(trees, tuple(base.tolist()), model.decimals)
        return model

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **options: Any) -> NoReturn:
        """Raises: the library that has learnt the trees learns others."""
        raise EncodingError("this model takes over what another library has learnt; fit there, then from_sklearn")

    def _scores(self, X: Any) -> Any:
        if isinstance(X, ENCRYPTED):
            return self._decimals(self._encrypted_outputs(X))
        rows, forest = np.asarray(X), self._forest()
        if rows.ndim != 2 or rows.shape[1] != self.n_features_in_ or not np.array_equal(rows, np.rint(rows)):
            raise EncodingError(
                f"expected rows of {self.n_features_in_} integers, got shape {rows.shape} of {rows.dtype}; round them"
            )
        scores = forest(rows.astype(np.int64)) / 10.0**forest.places
        return scores[:, 0] if scores.shape[1] == 1 else scores


class BoostedClassifier(Classifier, Boosted):
    """Scores of classes by trees of another library: see `Boosted`.

    >>> BoostedClassifier(decimals=3).get_params()
    {'decimals': 3}
    """

    def decision_function(self, X: Any) -> Any:
        """Scores, ``(samples,)`` of two classes, else ``(samples, classes)``; of encrypted rows encrypted decimals."""
        return self._scores(X)

    def predict(self, X: Any) -> Any:
        """The classes of plain rows. What encrypted rows have are scores: decrypt them, and pass them to `decide`."""
        return self._decided(X, "decision_function")


class BoostedRegressor(RegressorMixin, Boosted):  # type: ignore[misc]
    """Numbers by trees of another library: see `Boosted`.

    >>> BoostedRegressor(decimals=3).get_params()
    {'decimals': 3}
    """

    def predict(self, X: ArrayLike) -> Any:
        """The number of each row; for encrypted rows encrypted decimals."""
        return self._scores(X)


def twin_of(fitted: Any) -> type[Boosted] | None:
    """What a model of those libraries becomes; None for anything else."""
    if type(fitted).__module__.split(".")[0] not in LIBRARIES:
        return None
    return BoostedClassifier if hasattr(fitted, "predict_proba") else BoostedRegressor


def _unvalued(feature: Any, threshold: Any, left: Any, right: Any, output: int) -> Tree:
    feature, threshold, left, right = (np.asarray(part, dtype=np.int64) for part in (feature, threshold, left, right))
    return Tree(feature, threshold, left, right, np.zeros((len(left), 1), dtype=np.int64), (output,))


def _valued(tree: Tree, values: NDArray[np.float64], places: int) -> Tree:
    return replace(tree, value=in_units(values[:, None], places))


# --- what they write ------------------------------------------------------------------------------------------------


def _of_xgboost(fitted: Any) -> Iterator[Found]:
    """Each tree, and the values of its leaves: x < c goes left, so x > ceil(c) - 1 right."""
    booster = json.loads(bytes(fitted.get_booster().save_raw("json")))["learner"]["gradient_booster"]
    if booster["name"] != "gbtree":
        raise EncodingError(f"booster={booster['name']!r} is no sum of trees; learn with booster='gbtree'")
    model = booster["model"]
    for tree, output in zip(model["trees"], model["tree_info"], strict=True):
        if any(tree["split_type"]):
            raise EncodingError("splits by categories have no comparison; encode categories as integers")
        left, right, c = np.array(tree["left_children"]), np.array(tree["right_children"]), tree["split_conditions"]
        inner, c = left != LEAF, np.array(c, dtype=np.float64)
        threshold = np.where(inner, np.ceil(c) - 1, 0).astype(np.int64)
        yield _unvalued(np.where(inner, tree["split_indices"], LEAF), threshold, left, right, int(output)), c


def _of_lightgbm(fitted: Any) -> Iterator[Found]:
    """The same: x <= c goes left."""
    model = fitted.booster_.dump_model()
    if model["average_output"]:
        raise EncodingError("boosting_type='rf' averages its trees; take over sklearn.ensemble's forests instead")
    for index, tree in enumerate(model["tree_info"]):
        rows: list[tuple[int, int, int, int, float]] = []
        _visit(tree["tree_structure"], rows)
        feature, threshold, left, right, values = map(np.array, zip(*rows, strict=True))
        yield _unvalued(feature, threshold, left, right, index % model["num_tree_per_iteration"]), values


def _visit(node: dict[str, Any], rows: list[tuple[int, int, int, int, float]]) -> int:
    at = len(rows)
    if "leaf_value" in node:
        rows.append((LEAF, 0, LEAF, LEAF, float(node["leaf_value"])))
        return at
    if node["decision_type"] != "<=":
        raise EncodingError("splits by categories have no comparison; encode categories as integers")
    rows.append((LEAF, 0, LEAF, LEAF, 0.0))
    left, right = _visit(node["left_child"], rows), _visit(node["right_child"], rows)
    rows[at] = int(node["split_feature"]), int(np.floor(node["threshold"])), left, right, 0.0
    return at


def _base(fitted: Any, found: list[Found], xgboost: bool) -> NDArray[np.float64]:
    """What the library adds to the sum of its trees, the same for all rows."""
    rows = np.zeros((3, fitted.n_features_in_))
    for tree, _ in found:
        inner = ~tree.leaves
        rows[1, tree.feature[inner]], rows[2, tree.feature[inner]] = tree.threshold[inner], tree.threshold[inner] + 1
    raw = fitted.predict(rows, **{"output_margin" if xgboost else "raw_score": True})
    sums = np.zeros((3, 1 + max(tree.outputs[0] for tree, _ in found)))
    for tree, values in found:
        alone = Forest((replace(_valued(tree, values, FINE), outputs=(0,)),), (0,), FINE)
        sums[:, tree.outputs[0]] += alone(rows.astype(np.int64))[:, 0] / 10.0**FINE
    base = np.asarray(raw, dtype=np.float64).reshape(3, -1) - sums
    linear = hasattr(fitted, "predict_proba") or np.allclose(fitted.predict(rows), raw, atol=CLOSE)
    if not linear or np.ptp(base, axis=0).max() > CLOSE * max(1.0, float(np.abs(raw).max())):
        raise EncodingError(
            f"the answers of this {type(fitted).__name__} are not the sum of all its trees; learn without early "
            "stopping, and with an objective whose predictions are scores"
        )
    return np.asarray(base.mean(axis=0))
