"""Regression learnt by Nesterov's gradient steps, the whole batch in the slots of one ciphertext."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import validate_data

from fhe.arrays.array import EncryptedArray
from fhe.arrays.functions import assume
from fhe.circuits.approximation import Approximation, best, sigmoid
from fhe.errors import EncodingError, LevelError
from fhe.ml.base import LinearModel
from fhe.ml.classifiers import TwoClasses
from fhe.ml.compiled import steps_compiled
from fhe.ml.labelled import beside
from fhe.ml.odd import Odd, odd, scaled, times
from fhe.programs.choice import Demand
from fhe.programs.spec import Spec
from fhe.progress import progress as shown

PRODUCTS = 2  # levels of a step beside h: rows with weights, and a mask with the rate
BEYOND = "scores reach {:.3g}, beyond score_bound={:g}: encrypted rows would learn nonsense; lower rate, or raise it"
Refresh = Callable[[EncryptedArray], EncryptedArray]


def momentum(t: float) -> tuple[float, float]:
    """Nesterov's next t, and the weight eta of the last step.

    >>> momentum(1.0), momentum(momentum(1.0)[0])[1]
    ((1.618033988749895, 0.0), 0.28175352512532087)
    """
    following = (1 + math.sqrt(1 + 4 * t * t)) / 2
    return following, (t - 1) / following


class Batch(NamedTuple):
    """What stays the same from step to step: rows, X * y, the rate of a row, and h."""

    X: Any
    target: Any
    rate: float
    h: Odd


class State(NamedTuple):
    """The weights v and X v summed over the features, and both of the step before (None at first)."""

    v: Any
    before: Any = None
    scores: Any = None
    t: float = 1.0


class Accelerated(LinearModel):
    """v' = w + X.T (y - h(X w)), then w = v' + eta (v' - v): Nesterov's steps from zero, v their last.

    The weights in between are those over rate / n, which meets them where a mask meets X w; eta weighs scores that are
    there already: neither takes a level. X stands in the slots row by row, so that a sum over rows is in the place of
    every row. There is no intercept; append a constant feature, as `GradientScaler` does.

    Encrypted: rows as ``encrypt(X)``, y beside every feature, as `examples` has it; `depth` says how many levels are
    taken. ``fit(…, refresh=…)`` goes on where no level is left. It is called with the encrypted weights of two steps,
    which only the owner of the key can encrypt anew, as `refreshed_by` does: the owner sees weights on the way, and
    whoever computes sees nothing.

    alpha
        What pulls the weights to zero, as in `sklearn.linear_model.Ridge`.
    weight_bound, error_bound
        What no |weight|, and no error of a weight or a score, exceeds in any step: the caller's promises
        (`fhe.assume`). Tracked bounds are worst cases, all errors of one sign in the largest rows, and multiply from
        step to step; true errors stay small, because steps lead to one place. ``precision_bits`` of learnt weights
        rests on them, and so would `decrypt_public`. Learning from plain data of the kind tells the first.

    (Nesterov, 1983; Chiang, "Privacy-Preserving Logistic Regression Training with a Faster Gradient Variant", arXiv
    2201.10838: of rows from `GradientScaler` these are steps along the quadratic gradient.)
    """

    steps: int
    rate: float
    alpha: float
    weight_bound: float
    error_bound: float
    score_bound: float

    def depth(self, steps: int | None = None) -> int:
        """The levels that learning takes in so many steps, by default all: what to give `fhe.ckks`.

        >>> NesterovRegressor(steps=3).depth(), NesterovClassifier(steps=5).depth(), NesterovClassifier().depth(1)
        (7, 21, 2)
        """
        steps = self.steps if steps is None else steps
        return 1 + (steps - 1) * self._levels() if steps > 1 else 2

    def examples(self, X: Any, y: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What to encrypt of plain examples: the rows, and y beside every feature.

        >>> NesterovClassifier().examples([[1.0, 2.0], [3.0, 4.0]], ["no", "yes"])[1].tolist()
        [[-0.5, -0.5], [0.5, 0.5]]
        """
        X, y = self._checked(X, y)
        return X, np.repeat(y[:, None], X.shape[1], axis=1)

    def compile(
        self,
        X: Spec,
        y: Spec | None = None,
        *,
        n_iter: int | None = None,
        refreshes: int = 0,
        training: bool = True,
        **claims: Any,
    ) -> Any:
        """The smallest secure parameters for so many steps on rows of a shape and bound, and just the keys they take.

        ``refreshes`` is how often the owner of the key will encrypt weights anew (``fit(…, refresh=…)``). ``y`` bounds
        the targets of a regression, by default as ``score_bound`` does. ``claims`` are security, quantum, ring_degree
        and insecure, as `fhe.ckks` takes them. Raises ParameterError where no ring holds the steps.

        >>> import fhe
        >>> training = NesterovClassifier(rate=2.5).compile(fhe.spec((426, 31), bound=3), n_iter=5)
        >>> training.parameters.ring_degree, training.parameters.max_level, len(training.keys)
        (32768, 21, 20)
        """
        if not training:
            return super().compile(X, **claims)
        model = clone(self).set_params(steps=self.steps if n_iter is None else n_iter)
        y = y or Spec(X.shape, "real", -model._target_bound(), model._target_bound())

        def run(X: Any, y: Any, refresh: Refresh | None) -> None:
            clone(model).fit(X, y, refresh=refresh)

        return steps_compiled(
            model, X, y, run, (min(model.depth(), 1 + (model.steps == 1)), model._levels()), refreshes, Demand(**claims)
        )

    def promises(self) -> list[str]:
        """What is assumed while learning, and nobody's promise but the caller's."""
        return [
            f"assumed: no |score| beyond {self.score_bound:g}, no |weight| beyond {self.weight_bound:g}, no error of "
            f"either beyond {self.error_bound:g}"
        ]

    def _target_bound(self) -> float:
        return self.score_bound

    def refreshed_by(self, owner: Any) -> Refresh:
        """A ``refresh=`` where the owner of the key is at hand: weights decrypted, and encrypted at all levels."""
        return lambda weights: owner.encrypt(owner.decrypt(weights), bound=max(s.bound for s in weights.shards))

    def fit(self, X: Any, y: Any, *, refresh: Refresh | None = None, progress: bool = False) -> Self:
        """Learn from plain or encrypted examples; the weights are encrypted if the examples are."""
        if not (isinstance(self.steps, int) and self.steps > 0 and self.rate > 0 and self.alpha >= 0):
            raise ValueError(
                "steps and rate must be positive, alpha not negative; got "
                f"{self.steps!r}, {self.rate!r} and {self.alpha!r}"
            )
        if isinstance(X, EncryptedArray) or isinstance(y, EncryptedArray):
            self._require(X, y, refresh)
        else:
            X, y = self._checked(X, y)
            y = y[:, None]
        batch = Batch(X, X * y, self.rate / len(X), self._h())
        self.coef_, self.intercept_ = self._descended(batch, refresh, progress), 0.0
        return self

    def _descended(self, batch: Batch, refresh: Refresh | None, progress: bool) -> Any:
        if self.steps == 1:
            return (batch.target * batch.rate).sum(axis=0)
        state = State(self._kept(batch.target.sum(axis=0), batch.rate))
        for step in shown(range(1, self.steps), "steps", progress):
            if isinstance(state.v, EncryptedArray) and state.v.levels_left < self._levels() and refresh is not None:
                state = self._renewed(state, batch.X, refresh)
            state = self._step(batch, state, step == self.steps - 1)
        return state.v

    def _step(self, batch: Batch, state: State, last: bool) -> State:
        """One step; the last one in units of the weights themselves: where the rate meets rows, levels are plenty."""
        v, before, past, t = state
        t, eta = momentum(t)
        scores = (batch.X * v).sum(axis=1, keepdims=True)
        u = self._spread(scores, past, eta, batch)
        unit, kept = batch.rate if last else 1.0, 1 - self.alpha * batch.rate
        w = scaled(v, unit * kept * (1 + eta)) if eta else scaled(v, unit * kept)
        w = w if before is None or not eta else w - before * (unit * kept * eta)
        ux = u * scaled(batch.X, unit)
        change = scaled(batch.target, unit) - times(batch.h.coefficients, ux, [u * u] if batch.h.depth > 1 else [])
        return State(self._kept(w + change.sum(axis=0), batch.rate / unit), v, scores, t)

    def _spread(self, scores: Any, past: Any, eta: float, batch: Batch) -> Any:
        """s X w in the place of every feature, from X v and X v of the step before."""
        weight, bound = np.full((len(batch.X), 1), batch.rate * batch.h.scale), self.score_bound * batch.h.scale
        u = scores * (weight * (1 + eta))
        u = u if past is None or not eta else u - past * (weight * eta)
        if isinstance(u, EncryptedArray):
            return promised(beside(u, batch.X.layout), bound, self.error_bound * batch.h.scale)
        if (largest := float(np.max(np.abs(u)))) > bound:
            warnings.warn(BEYOND.format(largest / batch.h.scale, self.score_bound), ConvergenceWarning, stacklevel=5)
        return np.clip(u, -bound, bound)

    def _renewed(self, state: State, X: Any, refresh: Refresh) -> State:
        """The same, with levels for a step."""
        v: Any = refresh(state.v)
        before: Any = None if state.before is None else refresh(state.before)
        if v.levels_left < self._levels():
            raise LevelError(
                f"a step takes {self._levels()} levels, refresh gave weights with {v.levels_left}; encrypt them at the "
                f"highest level, of parameters with depth={self._levels()} or more"
            )
        return State(v, before, None if before is None else (X * before).sum(axis=1, keepdims=True), state.t)

    def _kept(self, weights: Any, rate: float) -> Any:
        return promised(weights, self.weight_bound / rate, self.error_bound / rate)

    def _h(self) -> Odd:
        """h - h(0)."""
        return Odd(1.0, (1.0,))

    def _levels(self) -> int:
        """Levels of each step but the first."""
        return PRODUCTS + self._h().depth

    def _require(self, X: Any, y: Any, refresh: Refresh | None) -> None:
        encrypted = isinstance(X, EncryptedArray) and isinstance(y, EncryptedArray)
        if not encrypted or X.ndim != 2 or y.shape != X.shape:
            raise EncodingError(
                f"expected encrypted rows (n, features) and y beside every feature, got shapes {np.shape(X)} and "
                f"{np.shape(y)}; encrypt both of examples(X, y)"
            )
        if (X.layout.strides[1] != 1 and X.shape[1] > 1) or y.layout != X.layout:
            raise EncodingError("learning takes rows side by side, and y as they are: encrypt(X), without batch=")
        needed, left = self.depth() if refresh is None else self._levels(), min(X.levels_left, y.levels_left)
        if needed > left:
            what, or_else = (
                (f"{self.steps} steps need", ", fewer steps, or refresh=") if refresh is None else ("a step takes", "")
            )
            raise LevelError(f"{what} {needed} levels, {left} are left; use fhe.ckks(depth={needed}){or_else}")
        self._told(X)

    def _told(self, X: Any) -> None:
        self.n_features_in_ = X.shape[1]

    def _checked(self, X: Any, y: Any) -> tuple[Any, Any]:
        X, y = validate_data(self, X, y, y_numeric=True, dtype=np.float64)
        return X, y


class NesterovRegressor(RegressorMixin, Accelerated):  # type: ignore[misc]
    """y = X @ w, linear or ridge regression: the squared error's gradient, three levels a step. See `Accelerated`.

    >>> import fhe
    >>> X, y = np.array([[-1.0, 1.0], [0.0, 1.0], [1.0, 1.0]]), np.array([-1.0, 1.0, 3.0])
    >>> model = NesterovRegressor(steps=4, rate=1.0)
    >>> owner = fhe.ckks(depth=model.depth(), ring_degree=64, insecure="a small ring for this example")
    >>> learnt = model.fit(*[owner.encrypt(part, bound=4) for part in model.examples(X, y)]).decrypted(owner)
    >>> learnt.coef_.round(3).tolist()
    [2.017, 1.0]
    """

    def __init__(
        self,
        *,
        steps: int = 10,
        rate: float = 0.5,
        alpha: float = 0.0,
        weight_bound: float = 8.0,
        error_bound: float = 1e-3,
        score_bound: float = 16.0,
    ) -> None:
        self.steps = steps
        self.rate = rate
        self.alpha = alpha
        self.weight_bound = weight_bound
        self.error_bound = error_bound
        self.score_bound = score_bound

    def predict(self, X: Any) -> Any:
        """X @ w: for encrypted rows, or weights, encrypted."""
        return self._scores(X)


class NesterovClassifier(TwoClasses, Accelerated):
    """Two classes, sigmoid(X @ w) the probability of the second: logistic regression. See `Accelerated`.

    The sigmoid is the minimax polynomial of an odd degree on (-score_bound, score_bound), 2 + log2(degree + 1) levels a
    step. Plain examples meet the same polynomial as encrypted ones do.

    score_bound
        What no |X @ w| exceeds while learning: the caller's promise (`fhe.assume`). Learning from plain examples of the
        kind warns where it is not kept.

    >>> import fhe
    >>> X, y = np.array([[-2.0], [-1.0], [1.0], [2.0]]), np.array([0, 0, 1, 1])
    >>> model = NesterovClassifier(steps=2)
    >>> owner = fhe.ckks(depth=model.depth(), ring_degree=64, insecure="a small ring for this example")
    >>> learnt = model.fit(*[owner.encrypt(part, bound=2) for part in model.examples(X, y)]).decrypted(owner)
    >>> bool(np.allclose(learnt.coef_, NesterovClassifier(steps=2).fit(X, y).coef_, atol=1e-5))
    True
    """

    def __init__(
        self,
        *,
        steps: int = 5,
        rate: float = 1.0,
        alpha: float = 0.0,
        weight_bound: float = 8.0,
        error_bound: float = 1e-3,
        score_bound: float = 14.0,
        sigmoid_degree: int = 7,
    ) -> None:
        self.steps = steps
        self.rate = rate
        self.alpha = alpha
        self.weight_bound = weight_bound
        self.error_bound = error_bound
        self.score_bound = score_bound
        self.sigmoid_degree = sigmoid_degree

    def approximation(self) -> Approximation:
        """What stands in for the sigmoid: its polynomial, domain and measured error."""
        return _sigmoid(self.score_bound, self.sigmoid_degree)[0]

    def _target_bound(self) -> float:
        return 0.5

    def _h(self) -> Odd:
        return _sigmoid(self.score_bound, self.sigmoid_degree)[1]

    def _told(self, X: Any) -> None:
        super()._told(X)
        self.classes_ = np.array([0, 1])

    def _checked(self, X: Any, y: Any) -> tuple[Any, Any]:
        X, y = validate_data(self, X, y, dtype=np.float64)
        if (kind := type_of_target(y, input_name="y", raise_unknown=True)) != "binary":
            raise ValueError(f"Only binary classification is supported. The type of the target is {kind}.")
        self.classes_, y = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("a classifier needs two classes to tell apart, the labels have 1 class")
        return X, y - 0.5


def promised(x: Any, bound: float, error: float) -> Any:
    """x, of which the caller promises that no |value| exceeds a bound, and no error another one; plain values as is."""
    return assume(x, bound, error) if isinstance(x, EncryptedArray) else x


@lru_cache(maxsize=64)
def _sigmoid(bound: float, degree: int) -> tuple[Approximation, Odd]:
    if not (bound > 0 and isinstance(degree, int) and degree > 0 and degree % 2):
        raise ValueError(f"score_bound must be positive, sigmoid_degree odd and positive; got {bound!r} and {degree!r}")
    found = best(lambda z: sigmoid(z) - 0.5, degree, -bound, bound)
    return found, odd(found.stages[0])
