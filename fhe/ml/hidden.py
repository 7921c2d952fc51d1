"""Networks with encrypted weights, for whoever shall score without seeing them.

Every diagonal of a matrix is a ciphertext, every product with it one of two ciphertexts, relinearised once for each
giant step: a multiple of the time that plain weights take. Public are the architecture, hence which diagonals there
are, the polynomials, and a bound on the weights of each matrix.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fhe.arrays.array import EncryptedArray
from fhe.arrays.functions import require
from fhe.arrays.layout import Axis, Layout
from fhe.arrays.rearrange import indexed, joined
from fhe.circuits.evaluator import Evaluator
from fhe.circuits.linear import summed
from fhe.circuits.polynomial import evaluate_polynomial
from fhe.circuits.schedule import Schedule
from fhe.errors import EncodingError
from fhe.ml.folding import SQUARE, Affine, Folded
from fhe.ml.latency import fits, planned
from fhe.ml.layers import Array, Shape
from fhe.ml.placing import Step
from fhe.progress import showing, steps
from fhe.rlwe.ciphertext import Ciphertext


def public_part(network: Folded) -> Folded:
    """A network with the bounds of its weights in their places: what parameters and plans may depend on."""
    maps = []
    for affine in network.maps:
        bound = _power_of_two(affine.matrix, affine.offset)
        matrix, offset = np.where(affine.matrix != 0, bound, 0.0), np.full(affine.offset.shape, bound)
        maps.append(replace(affine, matrix=matrix, offset=offset))
    return replace(network, maps=tuple(maps), apart=True)


@dataclass(frozen=True, slots=True, eq=False)
class HiddenMap:
    """A matrix by its encrypted diagonals, each rotated by its giant step, and an encrypted offset."""

    weights: tuple[Ciphertext, ...]
    offset: Ciphertext
    schedule: Schedule
    level: int

    @classmethod
    def of(cls, context: Any, step: Step, affine: Affine, bound: float) -> HiddenMap:
        """Encrypted by a context."""
        row = context.evaluator.row

        def encrypted(period: NDArray[Any], level: int) -> Ciphertext:
            whole: Ciphertext = context.encrypt(np.tile(period, row // period.size), bound=bound, level=level).shards[0]
            return whole

        vectors = step.diagonals.vectors(step.schedule.giants)
        added = np.zeros(step.places.period)
        added[step.places.slots] = affine.offset
        weights = tuple(encrypted(vector, step.level) for vector in vectors)
        return cls(weights, encrypted(added, step.level - 1), step.schedule, step.level)

    def __call__(self, evaluator: Evaluator, x: Ciphertext | NDArray[np.float64]) -> Ciphertext:
        """Of a ciphertext, or of plain slots, which are rotated for nothing."""
        babies = sorted(set(self.schedule.babies))
        if isinstance(x, Ciphertext):
            turned: dict[int, Any] = dict(zip(babies, evaluator.rotations(x.at_level(self.level), babies), strict=True))
            product: Any = evaluator.multiply
        else:
            turned, product = {step: np.roll(x, -step) for step in babies}, evaluator.multiply_plain
        groups: dict[int, list[Ciphertext]] = {}
        for weight, baby, giant in zip(self.weights, self.schedule.babies, self.schedule.giants, strict=True):
            groups.setdefault(giant, []).append(product(weight, turned[baby]))
        parts = [
            evaluator.rotate(evaluator.settle(reduce(evaluator.add, terms)), giant) for giant, terms in groups.items()
        ]
        total = reduce(evaluator.add, parts)
        if self.schedule.folds:
            total = summed(evaluator, total, list(self.schedule.folds))
        return evaluator.add(total, self.offset)


class HiddenConvNet:
    """A `ConvNet` whose weights nobody sees but their owner: made by `ConvNet.encrypted`."""

    def __init__(self, context: Any, network: Folded, assume: bool, classes: NDArray[Any]) -> None:
        network = replace(network, apart=True)
        self.classes_, self.assume, self.shape_ = classes, assume, network.shape
        self._polynomials, self._outputs, self._depth = network.polynomials, network.maps[-1].shape, network.depth
        self._evaluator: Evaluator = context.evaluator.lazy()
        self._layout = Layout.of(network.shape, self._evaluator.slots, self._evaluator.row)
        steps = planned(network, self._layout, context.parameters).steps
        bounds = [float(affine.offset[0]) for affine in public_part(network).maps]
        self._maps = tuple(map(HiddenMap.of, [context] * len(steps), steps, network.maps, bounds))
        period = steps[-1].places.period
        repeats = (Axis(self._layout.row // period, period),) if period < self._layout.row else ()
        self._scores = Layout(self._outputs, self._layout.slots, repeats=repeats, row=self._layout.row)

    @property
    def nbytes(self) -> int:
        """Bytes of the encrypted weights in memory."""
        return sum(x.nbytes for made in self._maps for x in (*made.weights, made.offset))

    def decision_function(self, X: Any, *, progress: bool = False) -> EncryptedArray:
        """Encrypted scores of one image, plain or encrypted under the same key, or of several, ``(n, …)``.

        ``progress=True`` shows a bar.
        """
        with showing(progress):
            scores = self._outputs_of(X)
        return indexed(scores, (..., 0)) if scores.shape[-1] == 1 else scores

    def decide(self, scores: ArrayLike) -> NDArray[Any]:
        """The classes that decrypted scores stand for."""
        found = np.asarray(scores)
        decided: NDArray[Any] = self.classes_[found.argmax(axis=-1) if len(self.classes_) > 2 else 1 * (found > 0)]
        return decided

    def _outputs_of(self, X: Any) -> EncryptedArray:
        X = X if isinstance(X, EncryptedArray) else np.asarray(X, dtype=np.float64)
        if _squeezed(X.shape) == _squeezed(self.shape_):
            return self._scored(X)
        if _squeezed(X.shape[1:]) != _squeezed(self.shape_):
            raise EncodingError(f"this network is for images of shape {self.shape_}, one or (n, …), got {X.shape}")
        numbers = steps(range(len(X)), "images")
        each = (indexed(X, k) if isinstance(X, EncryptedArray) else X[k] for k in numbers)
        together: EncryptedArray = joined(np.stack, [self._scored(x) for x in each])
        return together

    def _scored(self, image: Any) -> EncryptedArray:
        evaluator, x = self._evaluator, self._slots(image)
        for index, function in enumerate(self._maps):
            x = function(evaluator, x)
            if index < len(self._polynomials):
                p = self._polynomials[index]
                if self.assume or p is not SQUARE:
                    x = replace(x, bound=min(x.bound, 1.0))
                x = evaluator.settle(evaluator.square(x) if p is SQUARE else evaluate_polynomial(evaluator, x, p))
        return EncryptedArray(evaluator, [x], self._scores, np.dtype(np.float64))

    def _slots(self, image: Any) -> Any:
        """A plain image in its slots, or the ciphertext of one that lies so."""
        if not isinstance(image, EncryptedArray):
            return self._layout.pack(image.reshape(self.shape_))[0]
        numbers = np.arange(self._layout.slots)
        alike = fits(image.layout) and image.layout.repeats == self._layout.repeats
        if not alike or (image.layout.window(numbers).ravel() != self._layout.window(numbers).ravel()).any():
            raise EncodingError(f"encrypt each image alone, in its shape {self.shape_}, where weights are encrypted")
        require(image, levels=self._depth, products=True, what="this network")
        return self._evaluator.settle(image.shards[0])


def _squeezed(shape: Shape) -> Shape:
    return tuple(n for n in shape if n > 1)


def _power_of_two(*weights: Array) -> float:
    """The least that is no |weight| below."""
    return 2.0 ** math.ceil(math.log2(max(float(np.abs(part).max()) for part in weights) or 1.0))
