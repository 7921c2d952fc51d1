"""Models of this library behind the protocol of `serve.py`: encrypt, predict, decrypt. Argument: threads."""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

import fhe
from bench.drivers.models import ROWS, cancer, digits, same
from bench.drivers.serve import peak_mebibytes, serve
from fhe.ml import DecisionTreeClassifier, LogisticRegression

SCALE_BITS = 28


def logistic() -> tuple[Callable[[int], Any], float]:
    """Scores of so many rows, as `fhe demo` computes them."""
    features, labels, rows = cancer()
    model = LogisticRegression().fit(features, labels)
    owner = fhe.ckks(depth=1, scale_bits=SCALE_BITS, bound=model.value_bound(6.0))
    owner.make_rotation_keys(model.rotations())

    def predict(count: int) -> Any:
        scores = model.decision_function(owner.encrypt(rows[:count], bound=6.0, symmetric=True))
        return model.classes_[(owner.decrypt(scores) > 0).astype(int)]

    return predict, same(predict(ROWS), model.predict(rows))


def tree() -> tuple[Callable[[int], Any], float]:
    """Classes of so many rows, one ciphertext for each feature."""
    features, labels, rows = digits()
    model = DecisionTreeClassifier(max_depth=2, random_state=0).fit(features, labels)
    owner = fhe.bfv(model.depth((0, 16)), value_bits=8)

    def predict(count: int) -> Any:
        return owner.decrypt(model.predict(owner.encrypt(rows[:count], bound=(0, 16), batch=0)))

    return predict, same(predict(ROWS), model.predict(rows))


def main(threads: str) -> None:
    fhe.set_num_threads(int(threads))
    (scores, first), (classes, second) = logistic(), tree()
    calls = {
        "logistic regression, 1 row": lambda: scores(1),
        f"logistic regression, {ROWS} rows": lambda: scores(ROWS),
        "decision tree, 1 row": lambda: classes(1),
    }
    as_clear = np.round(min(first, second), 3).item()
    serve(calls, {"library": f"fhe {fhe.__version__}", "as in the clear": as_clear, "peak_mebibytes": peak_mebibytes()})


if __name__ == "__main__":
    main(*sys.argv[1:])
