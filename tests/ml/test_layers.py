"""Layers, what they fold to, and where their values lie in slots: plain numerics."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.polynomial import Polynomial

from fhe.arrays.layout import Layout
from fhe.errors import EncodingError
from fhe.ml import AvgPool2d, Conv2d, Flatten, Linear, ReLU, Scale, Sigmoid, SiLU, Square, Tanh
from fhe.ml.folding import Affine, Folded
from fhe.ml.latency import planned
from fhe.ml.layers import Layer
from fhe.ml.learning import drawn
from fhe.ml.placing import Plan
from fhe.parameters import CKKSParameters

RNG = np.random.default_rng(0)
PARAMETERS = CKKSParameters(
    ring_degree=2048, modulus_bits=[40] + [44] * 3, special_bits=[46], scale_bits=44, insecure="a small ring for tests"
)

# --- layers ---------------------------------------------------------------------------------------------------------

sizes = st.integers(1, 3)


@st.composite
def windows(draw: st.DrawFn) -> tuple[Layer, tuple[int, ...]]:
    """A convolution or a pool, and a shape of images that it goes over."""
    kernel = draw(st.tuples(sizes, sizes))
    shape = draw(sizes), kernel[0] + draw(st.integers(0, 5)), kernel[1] + draw(st.integers(0, 5))
    stride = draw(st.one_of(sizes, st.tuples(sizes, sizes)))
    if draw(st.booleans()):
        return AvgPool2d(kernel, draw(st.sampled_from([None, stride]))), shape
    return Conv2d(draw(sizes), kernel, stride, draw(st.integers(0, 2))), shape


@given(windows())
def test_windows_are_sums_over_places(case: tuple[Any, tuple[int, ...]]) -> None:
    layer, shape = case
    layer = layer.drawn(shape, np.random.default_rng(1))
    x = RNG.normal(size=(2, *shape))
    found = layer(x)
    assert found.shape == (2, *layer.shape(shape))
    padding = layer.padding if isinstance(layer, Conv2d) else 0
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    (down, right), (height, width) = layer.pitch, layer.kernel
    for n, o, i, j in np.ndindex(found.shape):
        window = padded[n, :, i * down : i * down + height, j * right : j * right + width]
        wanted = window[o].mean() if isinstance(layer, AvgPool2d) else np.sum(window * layer.weight[o]) + layer.bias[o]
        assert found[n, o, i, j] == pytest.approx(wanted)


LEARNING = [
    (Conv2d(2, 3, stride=2, padding=1), (2, 5, 6)),
    (AvgPool2d(2), (2, 4, 5)),
    (Linear(3), (4,)),
    (Flatten(), (2, 3, 3)),
    (Scale(), (2, 3, 3)),
    *[(activation, (4,)) for activation in (Square(), ReLU(), SiLU(), Sigmoid(), Tanh())],
]


@pytest.mark.parametrize(("layer", "shape"), LEARNING, ids=lambda case: type(case).__name__)
def test_slopes_are_those_of_differences(layer: Layer, shape: tuple[int, ...]) -> None:
    layer = layer.drawn(shape, np.random.default_rng(2))
    x = RNG.normal(size=(3, *shape))
    direction, slope = RNG.normal(size=x.shape), RNG.normal(size=layer(x).shape)
    back, _ = layer.gradients(x, slope)
    step = 1e-6
    change = (layer(x + step * direction) - layer(x - step * direction)) / (2 * step)
    assert np.sum(back * direction) == pytest.approx(np.sum(slope * change), rel=1e-5)


def test_weights_have_slopes_too() -> None:
    for drawing, shape in LEARNING[:5]:
        layer = drawing.drawn(shape, np.random.default_rng(3))
        x = RNG.normal(size=(3, *shape))
        slope = RNG.normal(size=layer(x).shape)
        for name, gradient in layer.gradients(x, slope)[1].items():
            weights = getattr(layer, name)
            direction = RNG.normal(size=weights.shape)
            moved = [type(layer)(**{**vars(layer), name: weights + step * direction}) for step in (1e-6, -1e-6)]
            change = (moved[0](x) - moved[1](x)) / 2e-6
            assert np.sum(gradient * direction) == pytest.approx(np.sum(slope * change), rel=1e-5)


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (Linear(3), (1, 4, 4), "put Flatten"),
        (Conv2d(1, 5), (1, 4, 4), "has no place on an image"),
        (Conv2d(1, 3), (16,), "windows go over images"),
        (Conv2d(1, 3, weight=np.zeros((1, 2, 3, 3))), (1, 4, 4), "an image of"),
        (Linear(3, np.zeros((3, 5))), (4,), "has weights for 5 entries, and is given 4"),
        (Scale(np.ones(3), np.ones(3)), (2, 4, 4), "Scale has 3 factors"),
    ],
)
def test_layers_refuse_shapes_that_do_not_follow(layer: Layer, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(EncodingError, match=message):
        layer.shape(shape)
    with pytest.raises(EncodingError, match="no weights yet"):
        Linear(3)(np.zeros((1, 3)))


# --- folding --------------------------------------------------------------------------------------------------------

POLYNOMIALS = [
    Polynomial([0, 0, 4], domain=[-2, 2]),
    Polynomial([0.5, -0.25, 0.75], domain=[-3, 3]),
    Polynomial([0.1, 0.2, 0, 0.3], domain=[-2, 2]),
]


@given(st.lists(st.sampled_from(POLYNOMIALS), min_size=1, max_size=2), st.integers(0, 2**32))
@settings(max_examples=20)
def test_a_folded_network_is_the_network(polynomials: list[Polynomial], seed: int) -> None:
    segments: list[list[Layer]] = [[Conv2d(2, 3, padding=1), Scale(), AvgPool2d(2)], [Conv2d(3, 2), Flatten()]]
    segments = [*segments[: len(polynomials)], [Flatten(), Linear(3)]]
    rng, shape, known = np.random.default_rng(seed), (1, 6, 6), []
    for layers in segments:
        known.append(drawn(layers, shape, rng))
        for layer in layers:
            shape = layer.shape(shape)
    folded = Folded.of((1, 6, 6), known, polynomials)
    x = wanted = rng.uniform(-1, 1, size=(5, 1, 6, 6))
    for index, layers in enumerate(known):
        for layer in layers:
            wanted = layer(wanted)
        wanted = polynomials[index](wanted) if index < len(polynomials) else wanted
    np.testing.assert_allclose(folded(x), wanted, rtol=1e-9, atol=1e-9)
    assert folded.squares == all(p.degree() == 2 for p in polynomials)
    assert np.abs(folded(x)).max() <= folded.bounds(1.0)[-1] or not folded.squares


# --- places ---------------------------------------------------------------------------------------------------------


def computed(plan: Plan, network: Folded, x: Any, layout: Layout) -> Any:
    """The network by its diagonals, on plain slots."""
    (slots,) = layout.pack(x)
    for index, (step, affine) in enumerate(zip(plan.steps, network.maps, strict=True)):
        slots = step.diagonals(slots)
        period = np.zeros(step.places.period)
        period[step.places.slots] = affine.offset
        used = np.flatnonzero(np.bincount(step.places.slots, minlength=step.places.period))
        repeated = slots.reshape(-1, step.places.period)
        np.testing.assert_allclose(repeated, np.broadcast_to(repeated[0], repeated.shape), atol=1e-9)
        assert not np.delete(repeated[0], used).any()
        slots = slots + np.tile(period, len(repeated))
        if index < len(network.polynomials):
            slots = network.polynomials[index](slots)
    return slots[plan.steps[-1].places.slots]


@pytest.mark.parametrize(
    ("shape", "layers"),
    [
        ((1, 9, 9), [[Conv2d(5, 3, stride=2)], [Conv2d(4, 3, padding=1), AvgPool2d(2)], [Flatten(), Linear(6)]]),
        ((2, 6, 8), [[Conv2d(3, 3, padding=1), AvgPool2d((2, 4))], [Flatten(), Linear(40)], [Linear(3)]]),
        ((20,), [[Linear(70)], [Linear(5)]]),
        ((1, 8, 8), [[Conv2d(2, 3)]]),
    ],
)
def test_diagonals_between_places_are_the_matrices(shape: tuple[int, ...], layers: list[list[Layer]]) -> None:
    rng, known, given_shape = np.random.default_rng(4), [], shape
    for segment in layers:
        known.append(drawn(segment, given_shape, rng))
        for layer in segment:
            given_shape = layer.shape(given_shape)
    network = Folded.of(shape, known, [POLYNOMIALS[0]] * (len(layers) - 1))
    parameters, layout = PARAMETERS, Layout.of(shape, 1024)
    x = rng.uniform(-1, 1, size=shape)
    plan = planned(network, layout, parameters)
    np.testing.assert_allclose(computed(plan, network, x, layout), network(x[None])[0], atol=1e-9)
    assert plan.cycles > 0


def test_windows_take_a_diagonal_for_each_tap() -> None:
    layout, shape = Layout.of((1, 16, 16), 1024), (1, 16, 16)
    network = Folded.of(shape, [drawn([Conv2d(4, 3, padding=1)], shape, RNG)], [])
    steps = planned(network, layout, PARAMETERS).steps
    assert len(steps[0].diagonals.steps) == 9


def test_what_does_not_fit_a_row_is_said_before_any_work() -> None:
    known = drawn([Flatten(), Linear(2000)], (4, 4, 4), RNG)
    with pytest.raises(EncodingError, match=r"2000 values .* do not fit a row of 1024 slots; use a larger"):
        planned(Folded.of((4, 4, 4), [known], []), Layout.of((4, 4, 4), 1024), PARAMETERS)


def test_maps_are_affine() -> None:
    layers = drawn([Conv2d(2, 3, stride=2), Scale()], (1, 7, 7), RNG)
    affine = Affine.of(layers, (1, 7, 7))
    assert (affine.shape, affine.pitch) == ((2, 3, 3), (2, 2))
    assert np.count_nonzero(affine.matrix) == 2 * 9 * 9
    assert affine.bound(2.0) <= 2 * affine.gain + np.abs(affine.offset).max()
