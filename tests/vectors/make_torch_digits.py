"""Makes `torch_digits.json`: a network trained by PyTorch on scikit-learn's digits, and its scores of some of them.

python -m tests.vectors.make_torch_digits > tests/vectors/torch_digits.json
"""

from __future__ import annotations

import json
from typing import Any

import torch
from sklearn.datasets import load_digits
from torch import nn

KEPT = {
    "Conv2d": ("weight", "bias", "stride", "padding", "dilation", "groups", "padding_mode"),
    "BatchNorm2d": ("weight", "bias", "running_mean", "running_var", "eps"),
    "AvgPool2d": ("kernel_size", "stride", "padding", "ceil_mode"),
    "Linear": ("weight", "bias"),
}
SCORED = 24


def main() -> None:
    """Ten passes over all but the last images; weights rounded to what the file has of them."""
    torch.manual_seed(0)
    X, y = load_digits(return_X_y=True)
    images, classes = torch.tensor(X, dtype=torch.float32).reshape(-1, 1, 8, 8) / 16, torch.tensor(y)
    module = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1, bias=False),
        nn.BatchNorm2d(4),
        nn.SiLU(),
        nn.AvgPool2d(2),
        nn.Conv2d(4, 8, 3, groups=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32, 10),
    )
    optimizer = torch.optim.Adam(module.parameters(), 0.01)
    for _ in range(10):
        for chosen in torch.randperm(len(images) - 300).split(64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(module(images[chosen]), classes[chosen]).backward()
            optimizer.step()
    module.eval()
    with torch.no_grad():
        for values in module.state_dict().values():
            if values.is_floating_point():
                values.copy_((values * 4096).round() / 4096)
        scores = module(images[-SCORED:])
    print(
        json.dumps({"layers": list(map(plain, module)), "scores": [[round(v, 5) for v in s] for s in scores.tolist()]})
    )


def plain(layer: nn.Module) -> dict[str, Any]:
    """A layer as its name and what it was made of."""
    name = type(layer).__name__
    values = ((key, getattr(layer, key)) for key in KEPT.get(name, ()))
    return {"name": name, **{key: v.tolist() if isinstance(v, torch.Tensor) else v for key, v in values}}


if __name__ == "__main__":
    main()
