"""A convolutional network, learnt in the clear, reads encrypted digits: one at once, or thousands together."""

from __future__ import annotations

from time import perf_counter

import numpy as np
from sklearn.datasets import load_digits

from fhe.ml import AvgPool2d, Conv2d, ConvNet, Flatten, Linear, Square, compare


def main() -> None:
    """Learn, give a server the keys it needs and no more, and let it read."""
    X, y = load_digits(return_X_y=True)
    images = X.reshape(-1, 8, 8) / 16
    train, test = slice(0, 1347), slice(1347, None)

    model = ConvNet([Conv2d(6, 3, padding=1), Square(), AvgPool2d(2), Flatten(), Linear(32), Square()], random_state=0)
    model.fit(images[train], y[train])
    owner = model.owner()
    server = owner.public(rotations=model.rotations(owner))
    model.encode(server)  # weights, once
    print(model.explain(server, images=1))

    image = owner.encrypt(images[test][0], bound=1)
    start = perf_counter()
    scores = model.decision_function(server.load(image.to_bytes()))
    print(f"one image   : {1000 * (perf_counter() - start):.0f} ms", end="; ")
    print(f"it is a {model.decide(owner.decrypt(scores)[np.newaxis])[0]}, in truth a {y[test][0]}")

    print(compare(model, owner, images[test], y[test], server=server, bound=1, batch=0))


if __name__ == "__main__":
    main()
