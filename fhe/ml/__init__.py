"""Models in scikit-learn's manner that score plain rows and encrypted ones by the same expression."""

try:
    import sklearn  # noqa: F401
except ImportError as error:
    raise ImportError('fhe.ml builds on scikit-learn, which is not installed: pip install "fhe[ml]"') from error

from fhe.ml.bayes import GaussianNB
from fhe.ml.classifiers import LinearSVC
from fhe.ml.conversion import from_sklearn
from fhe.ml.descent import DescentClassifier, DescentRegressor
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
from fhe.ml.means import LinearMeansClassifier
from fhe.ml.metrics import Comparison, compare
from fhe.ml.neural import MLPClassifier, MLPRegressor
from fhe.ml.preprocessing import PCA, StandardScaler
from fhe.ml.trees import DecisionTreeClassifier, DecisionTreeRegressor

__all__ = [
    "PCA",
    "SVC",
    "Comparison",
    "DecisionTreeClassifier",
    "DecisionTreeRegressor",
    "DescentClassifier",
    "DescentRegressor",
    "ExtraTreesClassifier",
    "ExtraTreesRegressor",
    "FisherDiscriminant",
    "GaussianNB",
    "GradientBoostingClassifier",
    "GradientBoostingRegressor",
    "LinearMeansClassifier",
    "LinearRegression",
    "LinearSVC",
    "LogisticRegression",
    "MLPClassifier",
    "MLPRegressor",
    "RandomForestClassifier",
    "RandomForestRegressor",
    "Ridge",
    "StandardScaler",
    "compare",
    "from_sklearn",
]
