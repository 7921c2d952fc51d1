"""Long operations show a bar where they are asked to, on standard error, and nothing else ever."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fhe
from fhe.ml import (
    ConvNet,
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    Flatten,
    GradientBoostingClassifier,
    KNeighborsClassifier,
    KNeighborsRegressor,
    RandomForestClassifier,
    Square,
)

SMALL: dict[str, Any] = {"ring_degree": 64, "insecure": "a small ring for a test"}
X, Y = np.array([[0, 3], [1, 1], [3, 2], [3, 0]]), np.array([0, 0, 1, 1])


def of_integers(model: Any, method: str) -> Callable[..., Any]:
    """A method of a fitted model on encrypted rows."""
    model.fit(X, Y)
    owner = fhe.bfv(model.depth((0, 3)), value_bits=model.value_bits, **SMALL)
    rows = X if hasattr(model, "tree_") or hasattr(model, "estimators_") else X[:1]
    x = owner.encrypt(rows, bound=(0, 3), **({"batch": 0} if len(rows) > 1 else {}))
    return lambda **how: getattr(model, method)(x, **how)


def of_images(method: str) -> Callable[..., Any]:
    images = np.zeros((6, 4, 4))
    images[::2, 0], images[1::2, :, 0] = 1, 1
    model = ConvNet([Flatten(), Square()], epochs=2, random_state=0)
    if method == "fit":
        return lambda **how: model.fit(images, [0, 1] * 3, **how)
    model.fit(images, [0, 1] * 3)
    owner = model.owner(hidden=method == "hidden", ring_degree=256, insecure=SMALL["insecure"])
    x = model.encrypt(owner, images[:2], packing="latency")
    scorer = model.encrypted(owner) if method == "hidden" else model
    return lambda **how: scorer.decision_function(x, **how)


def of_a_program() -> Callable[..., Any]:
    program = fhe.compile(lambda x: (x * x).sum() + 1, fhe.spec(4, bound=1), **SMALL)
    arguments = {"x": program.encrypt(program.keygen(), np.ones(4))}
    return lambda **how: program.run(arguments, **how)


MAKERS: dict[str, tuple[Callable[[], Callable[..., Any]], str]] = {
    "tree": (lambda: of_integers(DecisionTreeClassifier(random_state=0), "predict"), "features"),
    "probabilities": (lambda: of_integers(RandomForestClassifier(3, random_state=0), "predict_proba"), "features"),
    "regression": (lambda: of_integers(DecisionTreeRegressor(random_state=0), "predict"), "features"),
    "boosting": (lambda: of_integers(GradientBoostingClassifier(n_estimators=2), "decision_function"), "features"),
    "votes": (lambda: of_integers(KNeighborsClassifier(1), "votes"), "blocks of examples"),
    "shares": (lambda: of_integers(KNeighborsRegressor(1), "predict"), "blocks of examples"),
    "learning": (lambda: of_images("fit"), "learning"),
    "images": (lambda: of_images("plain"), "samples"),
    "hidden": (lambda: of_images("hidden"), "images"),
    "program": (of_a_program, "steps"),
}


@pytest.fixture(params=MAKERS)
def long(request: pytest.FixtureRequest) -> tuple[Callable[..., Any], str]:
    make, says = MAKERS[request.param]
    return make(), says


def test_a_bar_where_it_is_asked_for(long: tuple[Callable[..., Any], str], capsys: pytest.CaptureFixture[str]) -> None:
    function, says = long
    capsys.readouterr()
    function()
    assert capsys.readouterr() == ("", "")
    function(progress=True)
    out, err = capsys.readouterr()
    assert (out, says in err) == ("", True)
    function()
    assert capsys.readouterr() == ("", "")
