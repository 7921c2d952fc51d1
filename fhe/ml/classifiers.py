"""Linear classifiers: a score for each class, X @ W.T + b; the largest wins."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn import svm
from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from fhe.errors import EncodingError
from fhe.ml.base import WEIGHING, LinearModel


class Deciding:
    """Scores, from which the classes follow; encrypted scores, once their owner has decrypted them."""

    classes_: NDArray[Any]

    def decide(self, scores: ArrayLike) -> NDArray[Any]:
        """The classes that decrypted scores stand for: of two classes by their sign, of more by the largest.

        >>> model = LinearSVC().fit([[-2.0], [-1.0], [1.0], [2.0]], ["no", "no", "yes", "yes"])
        >>> model.decide([0.5, -1.0]).tolist()
        ['yes', 'no']
        """
        check_is_fitted(self)
        scores = np.asarray(scores)
        chosen: NDArray[np.intp] = scores.argmax(axis=-1) if scores.ndim > 1 else (scores > 0).astype(np.intp)
        return self.classes_[chosen]

    def _decided(self, X: Any, method: str) -> NDArray[Any]:
        check_is_fitted(self)
        hidden = getattr(self, "coef_", getattr(self, "forest_", None))
        if hasattr(X, "evaluator") or hasattr(hidden, "evaluator"):
            raise EncodingError(
                f"predict would have to see which of the encrypted scores is largest; decrypt {method}(X) and pass it "
                "to decide"
            )
        return self.decide(getattr(self, method)(X))


class Classifier(Deciding, ClassifierMixin):  # type: ignore[misc]
    """What decides, and says that it is a classifier."""


class LinearClassifier(Classifier, LinearModel):
    """Weights for each class, or one row of them for two classes."""

    def decision_function(self, X: Any) -> Any:
        """X @ W.T + b, at the cost of one level: ``(n, classes)``, of two classes ``(n,)``."""
        return self._scores(X)

    def predict(self, X: Any) -> Any:
        """The classes of plain rows. What encrypted rows have are scores: decrypt them, and pass them to `decide`."""
        return self._decided(X, "decision_function")

    def _scores(self, X: Any, depth: int = WEIGHING) -> Any:
        scores = super()._scores(X, depth)
        return scores[:, 0] if scores.ndim == 2 and scores.shape[1] == 1 else scores


class TwoClasses(LinearClassifier):
    """A linear classifier of two classes."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags


class LinearSVC(LinearClassifier, svm.LinearSVC):  # type: ignore[misc]
    """The widest margins between classes: `sklearn.svm.LinearSVC`.

    >>> import fhe
    >>> model = LinearSVC().fit([[-2.0], [-1.0], [1.0], [2.0]], [0, 0, 1, 1])
    >>> owner = fhe.ckks(depth=1, ring_degree=64, insecure="a small ring for this example")
    >>> model.decide(owner.decrypt(model.decision_function(owner.encrypt([[-1.5], [1.5]])))).tolist()
    [0, 1]
    """
