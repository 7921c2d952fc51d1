"""Fitted models of scikit-learn as models of this package, which score encrypted rows as well."""

from __future__ import annotations

from typing import Any

from sklearn.pipeline import Pipeline

from fhe.errors import EncodingError
from fhe.ml.bayes import GaussianNB
from fhe.ml.boosters import twin_of
from fhe.ml.classifiers import LinearSVC
from fhe.ml.clusters import KMeans
from fhe.ml.ensembles import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from fhe.ml.fisher import FisherDiscriminant
from fhe.ml.kernel import SVC
from fhe.ml.linear import LinearRegression, Ridge
from fhe.ml.logistic import LogisticRegression
from fhe.ml.neighbours import KNeighborsClassifier, KNeighborsRegressor
from fhe.ml.neural import MLPClassifier, MLPRegressor
from fhe.ml.preprocessing import PCA, StandardScaler
from fhe.ml.trees import DecisionTreeClassifier, DecisionTreeRegressor

TWINS: dict[str, Any] = {
    "DecisionTreeClassifier": DecisionTreeClassifier,
    "DecisionTreeRegressor": DecisionTreeRegressor,
    "ExtraTreesClassifier": ExtraTreesClassifier,
    "ExtraTreesRegressor": ExtraTreesRegressor,
    "GaussianNB": GaussianNB,
    "GradientBoostingClassifier": GradientBoostingClassifier,
    "GradientBoostingRegressor": GradientBoostingRegressor,
    "KNeighborsClassifier": KNeighborsClassifier,
    "KNeighborsRegressor": KNeighborsRegressor,
    "KMeans": KMeans,
    "LinearDiscriminantAnalysis": FisherDiscriminant,
    "LinearRegression": LinearRegression,
    "LinearSVC": LinearSVC,
    "LogisticRegression": LogisticRegression,
    "MLPClassifier": MLPClassifier,
    "MLPRegressor": MLPRegressor,
    "PCA": PCA,
    "RandomForestClassifier": RandomForestClassifier,
    "RandomForestRegressor": RandomForestRegressor,
    "Ridge": Ridge,
    "SVC": SVC,
    "StandardScaler": StandardScaler,
}


def from_sklearn(fitted: Any, **parameters: Any) -> Any:
    """A fitted model of scikit-learn, a `Pipeline` of some, or trees of XGBoost or LightGBM, for all rows.

    ``parameters`` are further ones of the model, in a pipeline of its last step, such as ``score_bound``.

    >>> from sklearn.linear_model import Ridge
    >>> from_sklearn(Ridge(alpha=0.5).fit([[0.0], [1.0]], [0.0, 2.0])).predict([[0.5]]).tolist()
    [1.0]
    """
    if isinstance(fitted, Pipeline):
        *first, (name, last) = fitted.steps
        steps = [(step, part if part == "passthrough" else from_sklearn(part)) for step, part in first]
        return Pipeline([*steps, (name, from_sklearn(last, **parameters))])
    if twin := twin_of(fitted):
        return twin.from_sklearn(fitted, **parameters)
    kind = type(fitted).__name__
    if kind not in TWINS or not type(fitted).__module__.startswith("sklearn."):
        raise EncodingError(
            f"{kind} has no twin for encrypted rows; there are {', '.join(TWINS)}, and pipelines of them"
        )
    return TWINS[kind].from_sklearn(fitted, **parameters)
