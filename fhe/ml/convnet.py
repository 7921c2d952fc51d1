"""Convolutional networks: layers learnt in the clear, then one computation for plain images and for encrypted ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.polynomial import Polynomial
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from fhe.arrays.approximate import approximate
from fhe.arrays.array import EncryptedArray
from fhe.errors import EncodingError
from fhe.ml.activations import Activation, ReLU, Sigmoid, Square, Tanh
from fhe.ml.classifiers import Classifier
from fhe.ml.encrypted import Networks, explained
from fhe.ml.folding import Folded, Series
from fhe.ml.hidden import HiddenConvNet, public_part
from fhe.ml.layers import Array, Flatten, Layer, Linear, Shape
from fhe.ml.learning import Adam, drawn
from fhe.ml.sizing import parameters_for
from fhe.owner import KeyOwner
from fhe.parameters import CKKSParameters
from fhe.progress import showing

SMALLEST_REACH = 2.0**-20


class ConvNet(Classifier, BaseEstimator):  # type: ignore[misc]
    """A network of layers, for images ``(n, channels, height, width)``, ``(n, height, width)``, or rows.

    ``layers`` are those before the last, which is a `Linear` with an output for each class, and learnt with them. It
    learns by Adam, from plain images. Activations other than `Square` are to be replaced by polynomials before
    encrypted images come: `approximate`.

    Encrypted images are either one alone, in the shape of an image, or many: each in a ciphertext of its own (stacked),
    for little delay; or samples side by side and pixels in ciphertexts of their own (``encrypt(batch=0)``), for
    throughput. `encrypt` chooses by cost, `explain` says what comes out and why.

    ``slack`` is by how much what enters activations may exceed what it is for the images that it has learnt from: that
    is **assumed** (`fhe.assume`), and other images get meaningless answers. Squares need not rely on it: with
    ``assume=False`` their bounds are proved from those of pixels, which makes larger parameters.

    >>> import fhe
    >>> from fhe.ml import ConvNet, Conv2d, Flatten, Square
    >>> images = np.zeros((8, 4, 4)); images[::2, 0] = 1; images[1::2, :, 0] = 1
    >>> model = ConvNet([Conv2d(2, 3, padding=1), Square(), Flatten()], epochs=200, random_state=0)
    >>> model = model.fit(images, 4 * ["row", "column"])
    >>> owner = model.owner(ring_degree=256, insecure="a small ring for this example")
    >>> model.decide(owner.decrypt(model.decision_function(owner.encrypt(images[:2], bound=1, batch=0)))).tolist()
    ['row', 'column']
    >>> model.decide(owner.decrypt(model.decision_function(owner.encrypt(images[1], bound=1)))[None]).tolist()
    ['column']
    """

    def __init__(
        self,
        layers: Sequence[Layer] | None = None,
        *,
        epochs: int = 20,
        batch_size: int = 64,
        learning_rate: float = 0.02,
        alpha: float = 1e-4,
        slack: float = 1.25,
        assume: bool = True,
        random_state: Any = None,
    ) -> None:
        self.layers = layers
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.alpha = alpha
        self.slack = slack
        self.assume = assume
        self.random_state = random_state

    @classmethod
    def of(cls, layers: Sequence[Layer], shape: Shape, **parameters: Any) -> Self:
        """A network of layers that have their weights, for samples of a shape; classes are 0, 1, …

        Encrypted images take `approximate` first, even where all activations are exact.

        >>> from fhe.ml import ConvNet, Linear
        >>> ConvNet.of([Linear(1, np.array([[1.0, -1.0]]))], (2,)).predict([[3.0, 2.0], [2.0, 3.0]]).tolist()
        [1, 0]
        """
        model, outputs = cls(layers, **parameters), shape
        for layer in layers:
            outputs = layer.shape(outputs)
        model.shape_, model.n_features_in_ = shape, math.prod(shape)
        model.classes_ = np.arange(max(outputs[-1], 2))
        model._take(layers)
        return model

    @classmethod
    def from_sklearn(cls, fitted: Any, **parameters: Any) -> Self:
        """The network of a fitted `MLPClassifier`, scikit-learn's or this package's, for single rows with little delay.

        >>> from sklearn.neural_network import MLPClassifier
        >>> X, y = [[-1.0], [-0.5], [0.5], [1.0]], ["far", "near", "near", "far"]
        >>> theirs = MLPClassifier([8], solver="lbfgs", random_state=0).fit(X, y)
        >>> ConvNet.from_sklearn(theirs).predict(X).tolist() == theirs.predict(X).tolist()
        True
        """
        check_is_fitted(fitted)
        kind = getattr(getattr(fitted, "_label_binarizer", None), "y_type_", "no classes at all")
        if kind not in ("binary", "multiclass"):
            raise EncodingError(f"{type(fitted).__name__} for {kind}; a network decides between classes")
        between = {"identity": (), "logistic": (Sigmoid(),), "tanh": (Tanh(),), "relu": (ReLU(),)}[fitted.activation]
        layers: list[Layer] = []
        for W, b in zip(fitted.coefs_, fitted.intercepts_, strict=True):
            layers += [Linear(W.shape[1], W.T, b), *between]
        model = cls.of(layers[: len(layers) - len(between)], (fitted.n_features_in_,), **parameters)
        model.classes_ = fitted.classes_
        return model

    # --- learning -----------------------------------------------------------------------------------------------------

    def fit(self, X: ArrayLike, y: ArrayLike, *, progress: bool = False) -> Self:
        """Learn from plain images and their classes; ``progress=True`` shows a bar."""
        images, labels = self._labelled(X, y)
        check_classification_targets(labels)
        self.classes_, targets = np.unique(labels, return_inverse=True)
        outputs = len(self.classes_) if len(self.classes_) > 2 else 1
        rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31))
        before = (Flatten(), Linear(32), Square()) if self.layers is None else self.layers
        layers = drawn([*before, Linear(outputs)], self.shape_, rng)
        adam = Adam(self.epochs, self.batch_size, self.learning_rate, self.alpha)
        with showing(progress):
            self._take(adam.learnt(layers, images, targets, rng))
        if all(layer.exact for layer in self._activations()):
            self.approximate(X)
        return self

    def approximate(self, X: ArrayLike, *, degree: int = 7) -> Self:
        """Replace activations by their best polynomials, for plain images and encrypted ones alike.

        They are right wherever what enters them is at most ``slack`` times what it is for the plain images X, such as
        those the model has learnt from. Images for which more enters get meaningless answers. Squares stay squares.
        """
        x = self._images(X)
        if not self.slack >= 1:
            raise ValueError(f"slack must be at least 1, to hold the images it is measured on, got {self.slack!r}")
        self.largest_, polynomials = float(self.slack * np.max(np.abs(x), initial=SMALLEST_REACH)), list[Series]()
        for layer in self.layers_:
            if isinstance(layer, Activation):
                reach = float(self.slack * np.max(np.abs(x), initial=SMALLEST_REACH))
                polynomials.append(_polynomial(layer, reach, degree))
                x = polynomials[-1](x)
            else:
                x = layer(x)
        self._take(self.layers_, polynomials)
        return self

    def reached(self, X: ArrayLike) -> list[float]:
        """How much of its reach each activation is entered with by plain images: more than 1 is beyond what is assumed.

        >>> from fhe.ml import ConvNet, Linear, Square
        >>> model = ConvNet.of([Linear(1, np.eye(1)), Square()], (1,), slack=2.0).approximate([[1.0]])
        >>> model.reached([[1.0], [-3.0]])
        [1.5]
        """
        x, found, polynomials = self._images(X), [], iter(self._known_polynomials())
        for layer in self.layers_:
            if isinstance(layer, Activation):
                p = next(polynomials)
                found.append(float(np.max(np.abs(x)) / p.domain[1]))
                x = p(x)
            else:
                x = layer(x)
        return found

    def _take(self, layers: Sequence[Layer], polynomials: Sequence[Series] | None = None) -> None:
        """What was learnt; without polynomials the model is for plain images."""
        self.layers_, self.polynomials_ = list(layers), polynomials
        self._networks: Networks | None = None

    # --- what it answers ----------------------------------------------------------------------------------------------

    def decision_function(self, X: Any, *, progress: bool = False) -> Any:
        """A score for each class, ``(n, classes)``; of two classes ``(n,)``. Of one encrypted image without the n.

        ``progress=True`` shows a bar while encrypted images are scored.
        """
        check_is_fitted(self)
        if isinstance(X, EncryptedArray):
            with showing(progress):
                scores: Any = self._encrypted()(X)
        else:
            scores = self._images(X)
            activations = iter(self.polynomials_ or self._activations())
            for layer in self.layers_:
                scores = next(activations)(scores) if isinstance(layer, Activation) else layer(scores)
        return scores[..., 0] if scores.shape[-1] == 1 else scores

    def predict(self, X: Any) -> Any:
        """The classes of plain images. What encrypted ones have are scores: decrypt them, and pass them to `decide`."""
        return self._decided(X, "decision_function")

    # --- what encrypted images take ---------------------------------------------------------------------------------

    def depth(self) -> int:
        """The levels that scoring takes."""
        return self._encrypted().folded.depth

    def value_bound(self, feature_bound: float) -> float:
        """A public bound on all values that scoring meets when no |pixel| exceeds ``feature_bound``."""
        return max(self._encrypted().folded.bounds(feature_bound, self.assume))

    def parameters(
        self, feature_bound: float = 1.0, *, precision_bits: float = 11, hidden: bool = False, **options: Any
    ) -> CKKSParameters:
        """The smallest secure parameters for images up to a bound, and with ``hidden`` for weights that are encrypted.

        Values within the network, which are about 1, are then usually right to 2^-precision_bits. There are slots for
        one image in a ciphertext, unless ``slots`` are given. Other options are those of `choose_ckks`: security,
        quantum, ring_degree, insecure.
        """
        folded = public_part(self._encrypted().folded) if hidden else self._encrypted().folded
        slots = options.pop("slots", None) or max(affine.matrix.shape[1] for affine in folded.maps)
        return parameters_for(folded, feature_bound, precision_bits, self.assume, slots=slots, **options)

    def owner(self, feature_bound: float = 1.0, *, backend: Any = None, **options: Any) -> KeyOwner:
        """Keys for `parameters`; ``owner.public(rotations=model.rotations(owner))`` is what a server needs of them."""
        return KeyOwner(self.parameters(feature_bound, **options), backend)

    def rotations(self, context: Any, *, hidden: bool = False) -> dict[int, int]:
        """The steps that one image takes, each with the highest level where it does: for `KeyOwner.public`."""
        return self._encrypted().plan(context.parameters, apart=hidden).rotations

    def encrypted(self, context: Any) -> HiddenConvNet:
        """The network with encrypted weights, for whoever shall score without seeing them.

        It scores plain images, and images encrypted under the same key, one by one. A bound on the weights of each
        matrix is public: the next power of two. The context's parameters are those with ``hidden=True``.

        >>> from fhe.ml import ConvNet, Linear
        >>> model = ConvNet.of([Linear(1, np.array([[1.0, -1.0]]))], (2,)).approximate([[1.0, 1.0]])
        >>> owner = model.owner(hidden=True, ring_degree=64, insecure="a small ring for this example")
        >>> owner.decrypt(model.encrypted(owner).decision_function([3.0, 2.0])).round(2).item()
        1.0
        """
        return HiddenConvNet(context, self._encrypted().folded, self.assume, self.classes_)

    def encode(self, context: Any) -> Self:
        """Encode the weights now for single images, rather than when the first comes."""
        self._encrypted().encode(context)
        return self

    def encrypt(self, context: Any, X: ArrayLike, *, bound: float = 1.0, packing: str | None = None) -> EncryptedArray:
        """Plain images encrypted by a context or owner, packed as costs least: "latency" or "throughput"."""
        return self._encrypted().encrypt(context, self._images(X), bound, packing)

    def explain(self, parameters: Any = None, images: int = 1) -> str:
        """What was folded, where values may lie, and what either packing costs for so many images."""
        chosen = parameters or self.parameters()
        networks, reaches = self._encrypted(), [float(p.domain[1]) for p in self._known_polynomials()]
        return explained(networks, getattr(chosen, "parameters", chosen), images, reaches)

    # --- inside -------------------------------------------------------------------------------------------------------

    def _activations(self) -> list[Activation]:
        return [layer for layer in self.layers_ if isinstance(layer, Activation)]

    def _encrypted(self) -> Networks:
        """The network for encrypted images, folded when it is first asked for."""
        polynomials = self._known_polynomials()
        if self._networks is None:
            segments, between = _segments(self.layers_, polynomials)
            self._networks = Networks(Folded.of(self.shape_, segments, between), self.assume, self.largest_)
        return self._networks

    def _known_polynomials(self) -> Sequence[Series]:
        """What activations were replaced by, or what has to be done first."""
        check_is_fitted(self)
        if self.polynomials_ is None:
            names = ", ".join(sorted({type(layer).__name__ for layer in self._activations() if not layer.exact}))
            raise EncodingError(
                f"encrypted images need polynomials for {names}; call {type(self).__name__}.approximate(X) with plain "
                "images, such as those it has learnt from"
            )
        return self.polynomials_

    def _labelled(self, X: Any, y: Any) -> tuple[Array, NDArray[Any]]:
        """Images and their classes, and the shape of images from now on."""
        rows, shape = _flat(X)
        found, labels = validate_data(self, rows, y, dtype=np.float64)
        self.shape_: Shape = shape or found.shape[1:]
        return found.reshape(-1, *self.shape_), labels

    def _images(self, X: Any) -> Array:
        """Plain images of the shape that was learnt, flattened or not."""
        check_is_fitted(self)
        rows, shape = _flat(X)
        if shape and shape != self.shape_:
            raise EncodingError(f"{type(self).__name__} is for images of shape {self.shape_}, got {shape}")
        found: Array = validate_data(self, rows, reset=False, dtype=np.float64)
        return found.reshape(-1, *self.shape_)

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_networks": None} if hasattr(self, "_networks") else super().__getstate__()


def _flat(X: Any) -> tuple[Any, Shape | None]:
    """Images as rows, and their shape with channels; whatever else is given as it is."""
    array = np.empty(0) if hasattr(X, "toarray") else np.asarray(X)
    if array.ndim not in (3, 4):
        return X, None
    return array.reshape(len(array), -1), ((1,) * (4 - array.ndim) + array.shape[1:])


def _polynomial(activation: Activation, reach: float, degree: int) -> Series:
    """On [-reach, reach]: the square itself, of others their best polynomial."""
    if activation.exact:
        return Polynomial([0.0, 0.0, reach**2], domain=[-reach, reach])
    (found,) = approximate(activation, (-reach, reach), degree=degree).stages
    return found


def _segments(layers: Sequence[Layer], polynomials: Sequence[Series]) -> tuple[list[list[Layer]], list[Series]]:
    """Affine layers between polynomials; what is linear after all is one of them."""
    segments: list[list[Layer]] = [[]]
    between, found = [], iter(polynomials)
    for layer in layers:
        if layer.affine:
            segments[-1].append(layer)
            continue
        p = next(found)
        if p.degree() < 2:
            shift, factor = (*p.convert(kind=Polynomial, domain=[-1, 1]).coef, 0.0)[:2]
            segments[-1].append(_Uniform(float(factor), float(shift)))
        else:
            between.append(p)
            segments.append([])
    return segments, between


class _Uniform(Layer):
    """factor x + shift."""

    def __init__(self, factor: float, shift: float) -> None:
        self.factor, self.shift = factor, shift

    def linear(self, x: Array) -> Array:
        return self.factor * x

    def __call__(self, x: Array) -> Array:
        return self.factor * x + self.shift
