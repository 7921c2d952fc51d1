"""Multi-layer perceptrons, trained by scikit-learn, whose activations become polynomials."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn import neural_network
from sklearn.utils.validation import check_is_fitted

from fhe.arrays.approximate import ApproximateFunction, approximate
from fhe.arrays.array import EncryptedArray
from fhe.arrays.elementary import softmax
from fhe.arrays.functions import depth_of_stages
from fhe.circuits.approximation import sigmoid
from fhe.errors import EncodingError
from fhe.ml.base import SPARSE, WEIGHING, Model, affine
from fhe.ml.classifiers import Classifier

ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "identity": lambda x: x,
    "logistic": sigmoid,
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0),
}


class Perceptron(Model):
    """Layers x -> activation(x @ W + b), the last without its activation.

    Encrypted rows need activations that are polynomials: `approximate`. Each layer takes a level, and each polynomial
    of degree d ceil(log2(d + 1)), and one more where rows lie after one another (``encrypt(batch=0)`` saves it, and the
    rotations).
    """

    activation: str
    coefs_: list[NDArray[np.float64]]
    intercepts_: list[NDArray[np.float64]]
    activations_: list[ApproximateFunction]
    reaches_: list[float]

    def approximate(self, X: ArrayLike, *, degree: int = 7, slack: float = 1.25) -> Self:
        """Replace activations by their best polynomials, for plain rows and encrypted ones alike.

        They are right wherever what enters a layer is at most ``slack`` times what it is for the plain rows X, such as
        those the model has learnt from. Degree 2 is a square. Rows for which more enters get meaningless answers.
        """
        check_is_fitted(self)
        if not slack >= 1:
            raise ValueError(f"slack must be at least 1, to hold the rows it is measured on, got {slack!r}")
        x, function = self._rows(X, 0), ACTIVATIONS[self.activation]
        activations, reaches = [], []
        for W, b in self._hidden():
            x = x @ W + b
            reach = float(slack * np.max(np.abs(x), initial=2.0**-20))
            activations.append(approximate(lambda u, reach=reach: function(reach * u), (-1, 1), degree=degree))  # type: ignore[misc]
            reaches.append(reach)
            x = activations[-1](x / reach)
        self.activations_, self.reaches_ = activations, reaches
        return self

    def depth(self) -> int:
        """The levels that scoring takes at most: what to give `fhe.ckks`."""
        self._approximated()
        return WEIGHING + sum(WEIGHING + depth_of_stages(p.stages, clean=False) for p in self.activations_)

    def value_bound(self, feature_bound: float) -> float:
        """A public bound on all values that scoring meets when no |feature| exceeds ``feature_bound``."""
        self._approximated()
        entering = [feature_bound, *(float(np.sum(np.abs(p.stages[0].coef))) + p.error for p in self.activations_)]
        scales = [*self.reaches_, 1.0]
        layers = zip(self.coefs_, self.intercepts_, entering, scales, strict=True)
        return float(max((_padded(W) * bound * np.abs(W).max() + np.abs(b).max()) / s for W, b, bound, s in layers))

    def _fit(self, *data: Any, **options: Any) -> Any:
        """Both of scikit-learn's ways to learn go through here: what was approximated is no longer what is learnt."""
        if hasattr(self, "activations_"):
            del self.activations_, self.reaches_
        return super()._fit(*data, **options)

    def _outputs(self, X: Any) -> Any:
        """What enters the activation of the output, ``(n, outputs)``."""
        check_is_fitted(self)
        if isinstance(X, EncryptedArray):
            self._approximated()
            X = self._rows(X, self._depth_for(X), products=True)
        else:
            X = self._rows(X, 0, accept_sparse=SPARSE)
        function = ACTIVATIONS[self.activation]
        for index, (W, b) in enumerate(self._hidden()):
            if hasattr(self, "activations_"):  # the polynomials are for what enters, divided by its reach
                reach = self.reaches_[index]
                X = self.activations_[index](affine(X, W.T / reach, b / reach))
            else:
                X = function(affine(X, W.T, b))
        return affine(X, self.coefs_[-1].T, self.intercepts_[-1])

    def _depth_for(self, X: EncryptedArray) -> int:
        apart = X.layout.strides[1] % X.layout.slots == 0 and X.layout.tidy
        return WEIGHING + sum(WEIGHING + depth_of_stages(p.stages, clean=apart) for p in self.activations_)

    def _hidden(self) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        return list(zip(self.coefs_, self.intercepts_, strict=True))[:-1]

    def _approximated(self) -> None:
        check_is_fitted(self)
        if not hasattr(self, "activations_"):
            raise EncodingError(
                f"encrypted rows need polynomials for {self.activation}; call {type(self).__name__}.approximate(X) "
                "with plain rows, such as those it has learnt from"
            )


class MLPClassifier(Classifier, Perceptron, neural_network.MLPClassifier):  # type: ignore[misc]
    """A neural network that decides: `sklearn.neural_network.MLPClassifier`.

    >>> import fhe
    >>> X, y = [[-1.0], [-0.5], [0.5], [1.0]], [1, 0, 0, 1]
    >>> model = MLPClassifier([8], solver="lbfgs", random_state=0).fit(X, y).approximate(X, degree=2)
    >>> owner = fhe.ckks(model.depth(), bound=model.value_bound(1), ring_degree=64, insecure="for this example")
    >>> model.decide(owner.decrypt(model.decision_function(owner.encrypt(X, bound=1)))).tolist()
    [1, 0, 0, 1]
    """

    def decision_function(self, X: Any) -> Any:
        """What the sigmoid, or the softmax, of the output is taken of: ``(n,)`` of two classes, ``(n, classes)``."""
        scores = self._outputs(X)
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def decide(self, scores: ArrayLike) -> NDArray[Any]:
        """The classes that decrypted scores stand for; of several labels at once, each by its sign."""
        check_is_fitted(self)
        if self._label_binarizer.y_type_.startswith("multilabel"):
            return (np.asarray(scores) > 0).astype(np.int64)
        return super().decide(scores)

    def predict_proba(self, X: Any) -> Any:
        """The probabilities of all classes, of plain rows; of encrypted ones, `decision_function` is for the owner."""
        if isinstance(X, EncryptedArray):
            raise EncodingError("probabilities of encrypted rows are their owner's: decrypt decision_function(X)")
        scores = self._outputs(X)
        if self.out_activation_ == "softmax":
            return softmax(scores)
        likely = sigmoid(scores)
        return np.hstack([1 - likely, likely]) if likely.shape[1] == 1 else likely

    def predict(self, X: Any) -> Any:
        """The classes of plain rows. What encrypted rows have are scores: decrypt them, and pass them to `decide`."""
        return self._decided(X, "decision_function")


class MLPRegressor(Perceptron, neural_network.MLPRegressor):  # type: ignore[misc]
    """A neural network that measures: `sklearn.neural_network.MLPRegressor`.

    >>> import fhe
    >>> X, y = [[-1.0], [-0.5], [0.5], [1.0]], [1.0, 0.25, 0.25, 1.0]
    >>> model = MLPRegressor(hidden_layer_sizes=[8], solver="lbfgs", random_state=0).fit(X, y).approximate(X)
    >>> owner = fhe.ckks(model.depth(), bound=model.value_bound(1), ring_degree=64, insecure="for this example")
    >>> bool(np.allclose(owner.decrypt(model.predict(owner.encrypt(X, bound=1))), model.predict(X), atol=1e-4))
    True
    """

    def predict(self, X: Any) -> Any:
        """The network's value for each row, encrypted for encrypted rows."""
        found = self._outputs(X)
        return found[:, 0] if found.shape[1] == 1 else found


def _padded(W: NDArray[np.float64]) -> int:
    return 1 << (len(W) - 1).bit_length()
