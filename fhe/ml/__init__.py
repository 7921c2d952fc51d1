"""Models in scikit-learn's manner that score plain rows and encrypted ones by the same expression."""

try:
    import sklearn  # noqa: F401
except ImportError as error:
    raise ImportError('fhe.ml builds on scikit-learn, which is not installed: pip install "fhe[ml]"') from error

from fhe.ml.activations import ReLU, Sigmoid, SiLU, Square, Tanh
from fhe.ml.bayes import GaussianNB
from fhe.ml.classifiers import LinearSVC
from fhe.ml.clusters import KMeans
from fhe.ml.conversion import from_sklearn
from fhe.ml.convnet import ConvNet
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
from fhe.ml.layers import AvgPool2d, Conv2d, Flatten, Linear, Scale
from fhe.ml.linear import LinearRegression, Ridge
from fhe.ml.logistic import LogisticRegression
from fhe.ml.means import LinearMeansClassifier
from fhe.ml.metrics import Comparison, compare
from fhe.ml.neighbours import KNeighborsClassifier, KNeighborsRegressor
from fhe.ml.nesterov import NesterovClassifier, NesterovRegressor
from fhe.ml.neural import MLPClassifier, MLPRegressor
from fhe.ml.preprocessing import PCA, StandardScaler
from fhe.ml.scaling import GradientScaler
from fhe.ml.single import digits_of
from fhe.ml.torch_modules import from_torch
from fhe.ml.trees import DecisionTreeClassifier, DecisionTreeRegressor

__all__ = [
    "PCA",
    "SVC",
    "AvgPool2d",
    "Comparison",
    "Conv2d",
    "ConvNet",
    "DecisionTreeClassifier",
    "DecisionTreeRegressor",
    "DescentClassifier",
    "DescentRegressor",
    "ExtraTreesClassifier",
    "ExtraTreesRegressor",
    "FisherDiscriminant",
    "Flatten",
    "GaussianNB",
    "GradientBoostingClassifier",
    "GradientBoostingRegressor",
    "GradientScaler",
    "KMeans",
    "KNeighborsClassifier",
    "KNeighborsRegressor",
    "Linear",
    "LinearMeansClassifier",
    "LinearRegression",
    "LinearSVC",
    "LogisticRegression",
    "MLPClassifier",
    "MLPRegressor",
    "NesterovClassifier",
    "NesterovRegressor",
    "RandomForestClassifier",
    "RandomForestRegressor",
    "ReLU",
    "Ridge",
    "Scale",
    "SiLU",
    "Sigmoid",
    "Square",
    "StandardScaler",
    "Tanh",
    "compare",
    "digits_of",
    "from_sklearn",
    "from_torch",
]
