"""Modules of PyTorch as networks of this package: read, layer by layer, without importing it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from fhe.errors import EncodingError
from fhe.ml.activations import ReLU, Sigmoid, SiLU, Square, Tanh
from fhe.ml.convnet import ConvNet
from fhe.ml.layers import Array, AvgPool2d, Conv2d, Flatten, Layer, Linear, Scale, Shape

AGREEING = 1e-3  # of the largest output: how far a module, in single precision, may be from its layers

NOTHING = ("Dropout", "Dropout2d", "Identity")
LAST = ("Softmax", "LogSoftmax")  # they change no decision, and are their owner's to take of decrypted scores
ACTIVATIONS = {"ReLU": ReLU, "SiLU": SiLU, "Sigmoid": Sigmoid, "Square": Square, "Tanh": Tanh}


def from_torch(module: Any, example: Any, *, degree: int = 7, slack: float = 1.25, assume: bool = True) -> ConvNet:
    """A trained ``nn.Sequential`` of PyTorch, or what is like one, for plain and encrypted images.

    ``example`` are typical samples, an array or a tensor ``(n, …)``: they give the shape, and how far values within the
    network reach, on which activations become polynomials of a degree (`ConvNet.approximate`). There may be Linear,
    Conv2d, AvgPool2d, AdaptiveAvgPool2d, BatchNorm1d and BatchNorm2d (as in evaluation), Flatten, Dropout, ReLU, SiLU,
    Sigmoid, Tanh, modules named Square, a Softmax at the end, and modules that apply their children one after another.
    That they do is checked: outputs for the examples have to be those of the module.

    Raises EncodingError for other modules, and where outputs differ.

    >>> from types import SimpleNamespace
    >>> class Linear(SimpleNamespace):
    ...     "What `torch.nn.Linear` has."
    >>> from_torch(Linear(weight=[[1.0, -1.0]], bias=[0.5]), [[1.0, 2.0]]).decision_function([[2.0, 1.0]]).tolist()
    [1.5]
    """
    module = module.eval() if hasattr(module, "eval") else module
    x = _array(example)
    layers, shape = list[Layer](), x.shape[1:]
    for part in _parts(module):
        for layer in _layers(part, shape):
            shape = layer.shape(shape)
            layers.append(layer)
    if len(shape) != 1:
        raise EncodingError(f"a network ends with a vector of scores, not with {shape}; add Flatten()")
    model = ConvNet.of(layers, x.shape[1:], slack=slack, assume=assume)
    _check(module, x, model)
    return model.approximate(x, degree=degree)


def _parts(module: Any) -> Iterator[Any]:
    """The modules within, in their order, that are layers."""
    name = type(module).__name__
    children = list(module.children()) if hasattr(module, "children") else []
    if name in NOTHING or name in LAST:
        return
    if name in READERS or name in ACTIVATIONS or not children:
        yield module
    for child in children:
        yield from _parts(child)


def _layers(module: Any, shape: Shape) -> list[Layer]:
    name = type(module).__name__
    if name in ACTIVATIONS:
        return [ACTIVATIONS[name]()]
    if name in READERS:
        return [READERS[name](module, shape)]
    remedy = "use AvgPool2d" if name.startswith("MaxPool") else f"there are {', '.join([*READERS, *ACTIVATIONS])}"
    raise EncodingError(f"{name} is no layer for encrypted images; {remedy}")


def _check(module: Any, x: Array, model: ConvNet) -> None:
    """Do the layers do what the module does? Asked of the module itself, where it can answer."""
    if not callable(module):
        return
    weights = next(iter(module.parameters()))
    wanted = _array(module(weights.new_tensor(x)))
    found = model.decision_function(x).reshape(len(x), -1)
    for last in (name for name in LAST if _ends_with(module, name)):
        found = found - np.log(np.exp(found).sum(axis=1, keepdims=True))
        found = np.exp(found) if last == "Softmax" else found
    if wanted.shape != found.shape or np.abs(wanted - found).max() > AGREEING * max(np.abs(wanted).max(), 1.0):
        raise EncodingError(
            f"{type(module).__name__} does not apply its modules one after another, as nn.Sequential does; rewrite it "
            "as one"
        )


def _ends_with(module: Any, name: str) -> bool:
    children = list(module.children())
    return _ends_with(children[-1], name) if children else type(module).__name__ == name


# --- one module ----------------------------------------------------------------------------------------------------


def _linear(module: Any, shape: Shape) -> Layer:
    weight = _array(module.weight)
    return Linear(len(weight), weight, _biases(module, len(weight)))


def _convolution(module: Any, shape: Shape) -> Layer:
    """With groups and dilation as zeros in its kernels."""
    if getattr(module, "padding_mode", "zeros") != "zeros":
        raise EncodingError(f"Conv2d with padding_mode={module.padding_mode!r}; only zeros can be around an image")
    narrow, (down, right), groups = _array(module.weight), _pair(module.dilation), int(module.groups)
    o, c, height, width = narrow.shape
    kernel = np.zeros((o, c * groups, (height - 1) * down + 1, (width - 1) * right + 1))
    for group in range(groups):
        rows = slice(group * o // groups, (group + 1) * o // groups)
        kernel[rows, group * c : (group + 1) * c, ::down, ::right] = narrow[rows]
    padding = module.padding
    if isinstance(padding, str):
        padding = (0, 0) if padding == "valid" else tuple((n - 1) // 2 for n in kernel.shape[2:])
        if module.padding == "same" and not all(n % 2 for n in kernel.shape[2:]):
            raise EncodingError(f"padding='same' of an even window {kernel.shape[2:]} is not symmetric; give numbers")
    return Conv2d(o, kernel.shape[2:], _pair(module.stride), _pair(padding), kernel, _biases(module, o))


def _pool(module: Any, shape: Shape) -> Layer:
    if _pair(module.padding) != (0, 0) or module.ceil_mode:
        raise EncodingError("AvgPool2d with padding or ceil_mode; windows have to lie within the image")
    return AvgPool2d(_pair(module.kernel_size), _pair(module.stride or module.kernel_size))


def _adaptive(module: Any, shape: Shape) -> Layer:
    wanted = _pair(module.output_size)
    if any(n % k for n, k in zip(shape[1:], wanted, strict=True)):
        raise EncodingError(f"AdaptiveAvgPool2d to {wanted} does not divide an image of {shape[1:]}")
    return AvgPool2d((shape[1] // wanted[0], shape[2] // wanted[1]))


def _normalization(module: Any, shape: Shape) -> Layer:
    mean, variance = _array(module.running_mean), _array(module.running_var)
    factor = 1 / np.sqrt(variance + float(module.eps))
    if module.weight is not None:
        factor = factor * _array(module.weight)
    return Scale(factor, _biases(module, len(mean)) - mean * factor)


def _flatten(module: Any, shape: Shape) -> Layer:
    if getattr(module, "start_dim", 1) != 1 or getattr(module, "end_dim", -1) not in (-1, len(shape)):
        raise EncodingError("Flatten has to make one vector of each sample: start_dim=1, end_dim=-1")
    return Flatten()


READERS: dict[str, Callable[[Any, Shape], Layer]] = {
    "Linear": _linear,
    "Conv2d": _convolution,
    "AvgPool2d": _pool,
    "AdaptiveAvgPool2d": _adaptive,
    "BatchNorm1d": _normalization,
    "BatchNorm2d": _normalization,
    "Flatten": _flatten,
}


def _array(values: Any) -> Array:
    """Of a tensor or whatever NumPy takes."""
    values = values.detach().cpu().numpy() if hasattr(values, "detach") else values
    return np.asarray(values, dtype=np.float64)


def _biases(module: Any, count: int) -> Array:
    return np.zeros(count) if module.bias is None else _array(module.bias)


def _pair(size: Any) -> tuple[int, int]:
    first, second = size if isinstance(size, tuple | list) else (size, size)
    return int(first), int(second)
