"""scikit-learn's own checks of estimators, on plain data; those of models that scikit-learn itself trains are wide."""

from __future__ import annotations

from typing import Any

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from fhe.ml import (
    PCA,
    SVC,
    ConvNet,
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    FisherDiscriminant,
    GaussianNB,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    KNeighborsClassifier,
    KNeighborsRegressor,
    LinearRegression,
    LinearSVC,
    LogisticRegression,
    MLPClassifier,
    MLPRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    Ridge,
    StandardScaler,
)

LIBLINEAR = "liblinear's coordinate descent stops early, at another place for repeated samples than for weights"
LIBSVM = "libsvm stops at another place for repeated samples than for weights"
FEW = {"n_estimators": 5}
TREES = (
    KNeighborsClassifier(),
    KNeighborsRegressor(),
    DecisionTreeRegressor(),
    ExtraTreesClassifier(**FEW),
    ExtraTreesRegressor(**FEW),
    GradientBoostingClassifier(**FEW),
    GradientBoostingRegressor(**FEW),
    RandomForestClassifier(**FEW),
    RandomForestRegressor(**FEW),
)
OTHERS = ConvNet(epochs=10), DecisionTreeClassifier(), PCA(), Ridge(), SVC(), StandardScaler()
SAMPLED = "samples are drawn, or set aside, before they are weighted"
RANDOM = {
    "check_sample_weight_equivalence_on_dense_data": SAMPLED,
    "check_sample_weight_equivalence_on_sparse_data": SAMPLED,
}
EXPECTED = {  # what scikit-learn's own estimators of the same name fail as well
    "LinearSVC": {
        "check_sample_weight_equivalence_on_dense_data": LIBLINEAR,
        "check_sample_weight_equivalence_on_sparse_data": LIBLINEAR,
    },
    **{
        f"{name}{kind}": RANDOM for name in ("RandomForest", "GradientBoosting") for kind in ("Classifier", "Regressor")
    },
    "SVC": {
        "check_sample_weight_equivalence_on_dense_data": LIBSVM,
        "check_sample_weight_equivalence_on_sparse_data": LIBSVM,
    },
    "Ridge": {"check_non_transformer_estimators_n_iter": "the direct solvers, taken by default, do not iterate"},
}


@pytest.mark.filterwarnings("ignore")  # the checks provoke warnings of all kinds
@parametrize_with_checks([LogisticRegression(), LinearRegression()])
def test_the_conventions_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.wide
@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(
    [FisherDiscriminant(), GaussianNB(), LinearSVC(), MLPClassifier(), MLPRegressor(), *OTHERS, *TREES],
    expected_failed_checks=lambda estimator: EXPECTED.get(type(estimator).__name__, {}),
)
def test_the_conventions_where_scikit_learn_trains(estimator: Any, check: Any) -> None:
    check(estimator)
