"""The experiments of "ML Confidential" (Graepel, Lauter, Naehrig, 2012): classifiers trained and used under encryption.

Nearest means and Fisher's discriminant by a few gradient steps, without a division, on the Wisconsin breast-cancer data
and on Gaussians. Everything is an integer, so encrypted results equal those in the clear, bit for bit. `main` takes
seconds; ``python -m fhe.examples.ml_confidential all`` encrypts two and three gradient steps as well.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from operator import add, mul
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer

import fhe
from fhe.ml import FisherDiscriminant, LinearMeansClassifier
from fhe.ml.compiled import Training

Data = tuple[NDArray[np.int64], NDArray[np.int64]]

PER_DEVIATION, LARGEST = 2, 7  # features are counted in halves of a standard deviation, and clipped at 7 of them
CURVATURE = 20  # near the largest eigenvalue of the scatter within classes of such features
ENCRYPTED_STEPS, ALL_STEPS, CLEAR_STEPS = (1,), (1, 2, 3), range(1, 7)


def quantised(X: NDArray[np.float64]) -> NDArray[np.int64]:
    """Standardised features as small integers."""
    standard = (X - X.mean(axis=0)) / X.std(axis=0)
    counted: NDArray[np.int64] = np.rint(PER_DEVIATION * standard).clip(-LARGEST, LARGEST).astype(np.int64)
    return counted


def tumours() -> Data:
    """569 samples of 30 features, malignant or not."""
    X, y = load_breast_cancer(return_X_y=True)
    return quantised(X), y


def gaussians(features: int, samples: int = 100) -> Data:
    """Two classes, normal around means two deviations apart, with one covariance that is not a multiple of 1."""
    draw = np.random.default_rng(features)
    y = np.arange(samples) % 2
    mixing = np.eye(features) + 0.5 * draw.normal(size=(features, features)) / np.sqrt(features)
    apart = 2.0 * draw.normal(size=features) / np.sqrt(features)
    return quantised(draw.normal(size=(samples, features)) @ mixing + np.outer(y, apart)), y


def fisher(steps: int | None = None) -> FisherDiscriminant:
    """By gradient steps, or exact."""
    return FisherDiscriminant(gradient_steps=steps, curvature=CURVATURE)


def accuracies(X: NDArray[np.int64], y: NDArray[np.int64]) -> list[float]:
    """Of nearest means, of Fisher's discriminant after one step, two steps …, and of the exact one."""
    models = [LinearMeansClassifier(division_free=True), *map(fisher, CLEAR_STEPS), fisher()]
    return [float(model.fit(X, y).score(X, y)) for model in models]


def timed(function: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    """The result of the second call, and its seconds: by then plans are made and pages are there."""
    function(*arguments)
    start = perf_counter()
    result = function(*arguments)
    return result, perf_counter() - start


def encrypted_line(name: str, training: Training, X: NDArray[np.int64], y: NDArray[np.int64]) -> str:
    """Trained and evaluated by a server without the secret, beside the same in the clear."""
    owner = training.keygen()
    server = fhe.Context.from_bytes(owner.public().to_bytes())
    rows = server.load(training.encrypt(owner, X).to_bytes())
    hidden, train = timed(training.fit, rows)
    scores, classify = timed(hidden.decision_function, rows)
    clear, clear_train = timed(type(hidden)(**hidden.get_params()).fit, X, y)
    expected, clear_classify = timed(clear.decision_function, X)
    found = owner.decrypt(scores)
    equal, right = np.array_equal(found, expected), np.mean(hidden.decide(found) == y)
    N, bits = training.parameters.ring_degree, training.parameters.log_qp
    times = [f"{1e3 * seconds:9.3g} ms" for seconds in (train, clear_train, classify, clear_classify)]
    return f"{name:<24}{N:>6} {bits:>7.0f}  {'equal' if equal else 'DIFFERENT'} {right:8.4f} {''.join(times)}"


def operations(training: Training, X: NDArray[np.int64]) -> list[str]:
    """What single operations of the scheme take, at these parameters."""
    owner, values = training.keygen(), X[:100, :10].ravel()
    x = owner.encrypt(values, bound=LARGEST)
    calls: list[tuple[str, Callable[[], Any]]] = [
        ("KeyGen (with evaluation keys)", lambda: training.keygen().public()),
        ("Encrypt", lambda: owner.encrypt(values, bound=LARGEST)),
        ("Decrypt", lambda: owner.decrypt(x)),
        ("Add", lambda: add(x, x)),
        ("Multiply, relinearised", lambda: mul(x, x).settled()),
    ]
    return [f"  {name:<32}{1e3 * timed(call)[1]:10.3g} ms" for name, call in calls]


def main(everything: bool = False) -> None:
    """The tables."""
    X, y = tumours()
    steps = "".join(f"   r = {step}" for step in CLEAR_STEPS)
    print(f"accuracy by number of gradient steps  means{steps}   exact")
    for name, data in [("tumours, 569 x 30", (X, y)), *((f"Gaussians, 100 x {d}", gaussians(d)) for d in (2, 10, 30))]:
        print(f"  {name:<34}" + "".join(f"{found:8.4f}" for found in accuracies(*data)))

    rows = fhe.spec(X.shape, dtype=int, bound=LARGEST)
    means = LinearMeansClassifier(division_free=True).compile(rows, y)
    print("\ntrained and evaluated encrypted, 569 x 30, 128-bit security: train, classify; each encrypted, clear")
    print(f"{'':<26}N log2 QP  scores accuracy")
    print(encrypted_line("nearest means", means, X, y))
    for r in ALL_STEPS if everything else ENCRYPTED_STEPS:
        print(encrypted_line(f"Fisher, r = {r}", fisher().compile(rows, y, n_iter=r), X, y))
    print(f"\n{means.parameters!r}")
    print("\n".join(operations(means, X)))


if __name__ == "__main__":
    main(everything=sys.argv[1:] == ["all"])
