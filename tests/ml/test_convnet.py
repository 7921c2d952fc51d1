"""Networks of layers: what they learn, and what encrypted images get, by plain weights and by encrypted ones."""

from __future__ import annotations

import pickle
from functools import cache
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.neural_network import MLPClassifier, MLPRegressor

import fhe
from fhe.errors import EncodingError, LevelError, MissingKeyError
from fhe.ml import AvgPool2d, Conv2d, ConvNet, Flatten, Linear, ReLU, Sigmoid, SiLU, Square, Tanh
from fhe.ml.activations import Activation
from fhe.ml.layers import Layer
from fhe.owner import KeyOwner
from tests.schemes.owners import INSECURE

pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
SMALL = [Conv2d(4, 3, padding=1), Square(), AvgPool2d(2), Flatten(), Linear(16), Square()]


@cache
def digits() -> tuple[Any, Any]:
    X, y = load_digits(return_X_y=True)
    return X.reshape(-1, 8, 8) / 16, y


@cache
def fitted() -> ConvNet:
    X, y = digits()
    return ConvNet(SMALL, epochs=12, random_state=0).fit(X[:1200], y[:1200])


@cache
def owner(ring_degree: int = 2048) -> KeyOwner:
    return fitted().owner(ring_degree=ring_degree, insecure=INSECURE)


# --- learning -------------------------------------------------------------------------------------------------------


def test_it_learns_digits() -> None:
    X, y = digits()
    assert fitted().score(X[1200:], y[1200:]) > 0.9
    again = clone(fitted()).fit(X[:1200], y[:1200])
    assert np.array_equal(again.decision_function(X[:9]), fitted().decision_function(X[:9]))


def test_rows_and_two_classes() -> None:
    X, y = digits()
    rows, odd = X.reshape(len(X), -1)[:400], y[:400] % 2
    model = ConvNet(epochs=10, random_state=0).fit(rows, odd)
    assert model.decision_function(rows).shape == (400,)
    assert model.score(rows, odd) > 0.9
    np.testing.assert_allclose(fitted().decision_function(X[:5].reshape(5, -1)), fitted().decision_function(X[:5]))


# --- encrypted images -----------------------------------------------------------------------------------------------


def close(found: Any, wanted: Any) -> None:
    np.testing.assert_allclose(found, wanted, rtol=0, atol=4e-3 * np.abs(wanted).max())


@pytest.mark.parametrize("shape", [(8, 8), (1, 8, 8)])
def test_one_image(shape: tuple[int, ...]) -> None:
    X, _ = digits()
    hidden = fitted().decision_function(owner().encrypt(X[1500].reshape(shape), bound=1))
    assert hidden.shape == (10,)
    close(owner().decrypt(hidden), fitted().decision_function(X[1500:1501])[0])


@pytest.mark.parametrize("packing", ["latency", "throughput"])
def test_many_images_in_either_packing(packing: str) -> None:
    X, _ = digits()
    images, model = X[1500:1504], fitted()
    encrypted = model.encrypt(owner(), images, packing=packing)
    scores = owner().decrypt(model.decision_function(encrypted))
    close(scores, model.decision_function(images))
    assert np.array_equal(model.decide(scores), model.predict(images))


def test_more_images_than_slots() -> None:
    X, _ = digits()
    party = fitted().owner(ring_degree=256, slots=128, insecure=INSECURE)
    hidden = fitted().decision_function(party.encrypt(X[:300], bound=1, batch=0))
    close(party.decrypt(hidden), fitted().decision_function(X[:300]))


def test_a_server_needs_no_keys_but_those_it_is_told() -> None:
    X, _ = digits()
    model = fitted()
    rotations = model.rotations(owner())
    server = owner().public(rotations=rotations)
    model.encode(server)
    close(owner().decrypt(model.decision_function(server.encrypt(X[3], bound=1))), model.decision_function(X[3:4])[0])
    assert sorted(server.rotations) == sorted(step % 1024 for step in rotations)
    assert {key.level for key in server.keys.galois.values()} == set(rotations.values())
    assert min(rotations.values()) < max(rotations.values()) == model.depth()
    with pytest.raises(MissingKeyError, match="rotating by"):
        model.decision_function(owner().public(rotations=[1]).encrypt(X[3], bound=1))


@pytest.mark.parametrize(("activation", "degree"), [(ReLU(), 2), (SiLU(), 4), (Tanh(), 3), (Sigmoid(), 1)])
def test_activations_become_polynomials(activation: Activation, degree: int) -> None:
    X, y = digits()
    model = ConvNet([Conv2d(2, 3), activation, Flatten()], epochs=3, random_state=0).fit(X[:300], y[:300])
    with pytest.raises(EncodingError, match=r"call ConvNet\.approximate\(X\)"):
        model.depth()
    model.approximate(X[:300], degree=degree)
    assert model.depth() == {1: 1, 2: 2, 3: 4, 4: 5}[degree]
    party = model.owner(ring_degree=512, insecure=INSECURE)
    for packing in ("latency", "throughput"):
        scores = party.decrypt(model.decision_function(model.encrypt(party, X[:2], packing=packing)))
        close(scores, model.decision_function(X[:2]))


def test_good_polynomials_hardly_change_a_network() -> None:
    X, y = digits()
    model = ConvNet([Conv2d(4, 3), ReLU(), Flatten()], epochs=3, random_state=0).fit(X[:600], y[:600])
    exact = model.predict(X[600:])
    assert np.mean(model.approximate(X[:600], degree=15).predict(X[600:]) == exact) > 0.97


def test_parameters_are_the_smallest_and_secure() -> None:
    parameters = fitted().parameters()
    assert parameters.is_secure
    assert parameters.ring_degree == 8192
    assert parameters.max_level == fitted().depth() == 3
    assert fitted().parameters(precision_bits=24).ring_degree > 8192
    text = fitted().explain(parameters, images=5000)
    assert "throughput" in text.splitlines()[-1]
    assert "<- chosen" in text.splitlines()[-1]
    assert "<- chosen" in fitted().explain(parameters).splitlines()[-2]


def test_what_bounds_do_not_hold_is_refused() -> None:
    X, _ = digits()
    with pytest.raises(EncodingError, match="exceeds the public bound"):
        owner().encrypt(3 * X[0], bound=1)
    with pytest.raises(EncodingError, match=r"bounded by 1.5, .* measured on some up to 1.25; encrypt with bound=1.25"):
        fitted().decision_function(owner().encrypt(X[0], bound=1.5))
    proved = clone(fitted()).set_params(assume=False, epochs=1).fit(X[:50], digits()[1][:50])
    party = proved.owner(ring_degree=2048, insecure=INSECURE)
    with pytest.raises(fhe.ScaleError, match=r"need .* bits"):
        proved.decision_function(party.encrypt(X[0], bound=2.0**12))


def test_bounds_of_squares_may_be_proved_instead() -> None:
    X, y = digits()
    model = ConvNet(SMALL, epochs=4, assume=False, random_state=0).fit(X[:300], y[:300])
    assert model.parameters().modulus_bits[0] > fitted().parameters().modulus_bits[0]
    assert model.value_bound(1.0) > fitted().value_bound(1.0)
    party = model.owner(ring_degree=2048, insecure=INSECURE)
    worst = np.sign(model._encrypted().folded.maps[0].matrix[0]).reshape(8, 8)
    images = np.stack([X[0], worst, -worst])
    for packing in ("latency", "throughput"):
        hidden = model.decision_function(model.encrypt(party, images, packing=packing))
        wanted = model.decision_function(images)
        close(party.decrypt(hidden), wanted)
        assert min(shard.bound for shard in hidden.shards) > 100 * np.abs(wanted).max()


def test_impossible_images() -> None:
    X, _ = digits()
    model = fitted()
    for wrong in (X[:2, :7], X[:2, None, :, :4]):
        with pytest.raises(EncodingError, match=r"is for images of shape \(1, 8, 8\), got"):
            model.predict(wrong)
    with pytest.raises(EncodingError, match=r"samples of shape \(1, 8, 8\), one alone or many"):
        model.decision_function(owner().encrypt(X[0, :7], bound=1))
    with pytest.raises(EncodingError, match="encrypt many samples with batch=0"):
        model.decision_function(owner().encrypt(X[:2], bound=1))
    with pytest.raises(EncodingError, match="packings are latency and throughput, not 'fast'"):
        model.encrypt(owner(), X[:2], packing="fast")
    with pytest.raises(LevelError, match="needs 3 levels, 1 is left"):
        model.decision_function(owner().encrypt(X[0], bound=1, level=1))
    with pytest.raises(NotFittedError):
        ConvNet().depth()
    with pytest.raises(ValueError, match="slack must be at least 1"):
        clone(model).set_params(slack=0.5).fit(X[:50], digits()[1][:50])


def test_it_travels_without_what_it_encoded() -> None:
    X, _ = digits()
    model = fitted()
    model.encode(owner())
    data = pickle.dumps(model)
    assert len(data) < 200_000
    np.testing.assert_array_equal(pickle.loads(data).decision_function(X[:2]), model.decision_function(X[:2]))  # noqa: S301


def test_perceptrons_of_scikit_learn_score_single_rows() -> None:
    X, y = digits()
    rows = X.reshape(len(X), -1)
    for activation, classes in (("relu", y), ("tanh", y % 2), ("logistic", y)):
        theirs = MLPClassifier([12], activation=activation, max_iter=25, random_state=0).fit(rows[:400], classes[:400])
        model = ConvNet.from_sklearn(theirs)
        assert np.array_equal(model.predict(rows[400:]), theirs.predict(rows[400:]))
        model.approximate(rows[:400], degree=2)
        party = model.owner(ring_degree=512, insecure=INSECURE)
        found = party.decrypt(model.decision_function(party.encrypt(rows[0], bound=1)))
        close(found, model.decision_function(rows[:1])[0])
    labels = np.column_stack([y > 4, y % 2 == 0, y == 3]).astype(int)[:200]
    with pytest.raises(EncodingError, match="for multilabel-indicator; a network decides"):
        ConvNet.from_sklearn(MLPClassifier([4], max_iter=2).fit(rows[:200], labels))
    with pytest.raises(EncodingError, match="MLPRegressor for no classes at all"):
        ConvNet.from_sklearn(MLPRegressor(hidden_layer_sizes=[4], max_iter=2).fit(rows[:200], y[:200]))


def test_how_far_images_reach_is_told() -> None:
    X, _ = digits()
    reached = fitted().reached(X[:1200])
    assert max(reached) == pytest.approx(1 / fitted().slack)
    assert fitted().reached(2 * X[:1200])[0] > 1
    with pytest.raises(EncodingError, match=r"call ConvNet\.approximate"):
        ConvNet([Tanh()], epochs=1).fit(X[:50].reshape(50, -1), digits()[1][:50]).reached(X[:2].reshape(2, -1))


# --- encrypted weights ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layers", [SMALL, [Conv2d(3, 3, stride=2), Tanh(), Flatten(), Linear(12), Square()]])
def test_weights_may_be_encrypted_and_images_too(layers: list[Layer]) -> None:
    X, y = digits()
    model = ConvNet(layers, epochs=4, random_state=0).fit(X[:300], y[:300]).approximate(X[:300], degree=3)
    party = model.owner(hidden=True, ring_degree=1024, insecure=INSECURE)
    server = party.public(rotations=model.rotations(party, hidden=True))
    hidden = model.encrypted(server)
    wanted = model.decision_function(X[:2])
    for images in (X[:2], np.stack([party.encrypt(x, bound=1) for x in X[:2]])):
        scores = party.decrypt(hidden.decision_function(images))
        close(scores, wanted)
        assert np.array_equal(hidden.decide(scores), model.predict(X[:2]))
    close(party.decrypt(hidden.decision_function(server.encrypt(X[0], bound=1))), wanted[0])
    assert hidden.nbytes > 0
    assert party.parameters.max_level == 3 + (2 if layers is SMALL else 3)
    assert not any(isinstance(value, np.ndarray) and value.dtype.kind == "f" for value in vars(hidden).values())
    with pytest.raises(EncodingError, match=r"for images of shape \(1, 8, 8\), one or"):
        hidden.decision_function(X[:2, :7])
    with pytest.raises(EncodingError, match="encrypt each image alone"):
        hidden.decision_function(party.encrypt(X[:2], bound=1, batch=0))
    with pytest.raises(LevelError, match="this network needs"):
        hidden.decision_function(party.encrypt(X[0], bound=1, level=2))


@pytest.mark.wide
def test_secure_parameters_change_no_decision() -> None:
    X, y = digits()
    layers = [Conv2d(6, 3, padding=1), Square(), AvgPool2d(2), Flatten(), Linear(32), Square()]
    model = ConvNet(layers, random_state=0).fit(X[:1347], y[:1347])
    party = model.owner()
    assert party.parameters.is_secure
    for images, packing in ((X[1347:], "throughput"), (X[1347:1397], "latency")):
        scores = party.decrypt(model.decision_function(model.encrypt(party, images, packing=packing)))
        assert np.mean(model.decide(scores) == model.predict(images)) >= 0.995
        close(scores, model.decision_function(images))
