"""Networks of PyTorch: read from stand-ins that have what modules have, and from modules where PyTorch is installed."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

from fhe.errors import EncodingError
from fhe.ml import ConvNet, Scale, from_torch
from tests.schemes.owners import INSECURE

VECTORS = Path(__file__).parents[1] / "vectors" / "torch_digits.json"
X, Y = load_digits(return_X_y=True)
IMAGES = X.reshape(-1, 1, 8, 8) / 16


class Sequential:
    """As much of ``nn.Sequential`` as is read."""

    def __init__(self, *parts: Any) -> None:
        self.parts = parts

    def children(self) -> Any:
        return iter(self.parts)


def module(name: str, **attributes: Any) -> Any:
    """Something of a class of this name."""
    weights = "weight", "bias", "running_mean", "running_var"
    values = {key: np.asarray(v) if key in weights and v is not None else v for key, v in attributes.items()}
    return type(name, (SimpleNamespace,), {})(**values)


def stored() -> tuple[Sequential, Any]:
    found = json.loads(VECTORS.read_text())
    return Sequential(*(module(**layer) for layer in found["layers"])), np.array(found["scores"])


def test_layers_do_what_the_module_does() -> None:
    parts, scores = stored()
    model = from_torch(parts, IMAGES, degree=63)
    exact = ConvNet.of(model.layers_, (1, 8, 8))
    np.testing.assert_allclose(exact.decision_function(IMAGES[-len(scores) :]), scores, atol=1e-4)
    assert exact.score(IMAGES[-300:], Y[-300:]) > 0.9
    assert np.mean(model.predict(IMAGES) == exact.predict(IMAGES)) > 0.99


def test_encrypted_images_get_the_scores() -> None:
    parts, scores = stored()
    model = from_torch(parts, IMAGES, degree=4)
    owner = model.owner(ring_degree=1024, insecure=INSECURE)
    found = owner.decrypt(model.decision_function(owner.encrypt(IMAGES[-1], bound=1)))
    np.testing.assert_allclose(found, model.decision_function(IMAGES[-1:])[0], atol=1e-2)
    assert found.argmax() == scores[-1].argmax()


def linear(rows: int, columns: int) -> Any:
    return module("Linear", weight=np.ones((rows, columns)), bias=None)


def convolution(**changes: Any) -> Any:
    usual = {"stride": (1, 1), "padding": 0, "dilation": (1, 1), "groups": 1, "padding_mode": "zeros", "bias": None}
    return module("Conv2d", weight=np.ones((1, 1, 2, 2)), **{**usual, **changes})


def pool(**changes: Any) -> Any:
    return module("AvgPool2d", **{"kernel_size": 2, "stride": None, "padding": 0, "ceil_mode": False, **changes})


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([module("MaxPool2d")], "MaxPool2d is no layer for encrypted images; use AvgPool2d"),
        ([module("LSTM")], "LSTM is no layer for encrypted images; there are Linear"),
        ([convolution(padding_mode="reflect")], "only zeros can be around an image"),
        ([convolution(padding="same")], "is not symmetric"),
        ([pool(padding=1)], "windows have to lie within"),
        ([pool(ceil_mode=True)], "windows have to lie within"),
        ([module("AdaptiveAvgPool2d", output_size=3)], "does not divide an image"),
        ([module("Flatten", start_dim=2, end_dim=-1)], "one vector of each sample"),
        ([convolution()], "ends with a vector of scores"),
        ([module("Flatten"), linear(3, 5)], "has weights for 5 entries, and is given 64"),
    ],
)
def test_what_cannot_be_read_is_named(parts: list[Any], message: str) -> None:
    with pytest.raises(EncodingError, match=message):
        from_torch(Sequential(*parts), IMAGES[:4])


def test_what_is_left_out_and_what_is_nested() -> None:
    inner = Sequential(module("Dropout"), convolution(padding="valid", dilation=(2, 1)), module("Identity"))
    adaptive = module("AdaptiveAvgPool2d", output_size=(1, 7))
    norm = module("BatchNorm1d", weight=None, bias=None, running_mean=np.ones(7), running_var=4 * np.ones(7), eps=0.0)
    parts = [inner, adaptive, module("Flatten"), norm, module("Square"), linear(2, 7), module("Softmax")]
    model = from_torch(Sequential(*parts), IMAGES[:8])
    assert isinstance(model.layers_[3], Scale)
    taps = IMAGES[:8, 0]
    sums = (taps[:, :-2, :-1] + taps[:, 2:, :-1] + taps[:, :-2, 1:] + taps[:, 2:, 1:]).mean(axis=1)
    wanted = (((sums - 1) / 2) ** 2).sum(axis=1)
    np.testing.assert_allclose(model.decision_function(IMAGES[:8]), np.stack([wanted, wanted], axis=1))


def test_modules_of_pytorch_itself() -> None:
    torch = pytest.importorskip("torch")
    nn = torch.nn
    torch.manual_seed(1)

    class Branched(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))

        def forward(self, x: Any) -> Any:
            return 2 * self.body(x)

    images = torch.tensor(IMAGES[:16], dtype=torch.float32)
    with pytest.raises(EncodingError, match="Branched does not apply its modules one after another"):
        from_torch(Branched(), images)
    for last in ([], [nn.Softmax(dim=1)], [nn.LogSoftmax(dim=1)]):
        known = nn.Sequential(
            nn.Conv2d(1, 6, 3, padding="same", dilation=2),
            nn.BatchNorm2d(6),
            nn.Tanh(),
            nn.AdaptiveAvgPool2d(4),
            nn.Conv2d(6, 6, 3, stride=(1, 2), groups=3, padding=1),
            nn.Sigmoid(),
            nn.Dropout(),
            nn.Flatten(),
            nn.Linear(48, 10),
            *last,
        )
        known.train()(images)  # statistics for the normalisation
        model = from_torch(known, images, degree=15)
        exact = ConvNet.of(model.layers_, (1, 8, 8)).decision_function(IMAGES[:16])
        decided = known(images).detach().numpy()
        assert np.array_equal(exact.argmax(axis=1), decided.argmax(axis=1))
        if not last:
            np.testing.assert_allclose(exact, decided, atol=1e-5)
