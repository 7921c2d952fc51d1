"""Layouts, plans and all that moves elements or sums them, against NumPy, on slots in the clear."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from fhe.arrays.array import EncryptedArray
from fhe.arrays.elementwise import meeting
from fhe.arrays.layout import Axis, Layout
from fhe.arrays.plans import Cost
from fhe.arrays.rearrange import moved
from tests.arrays.clear import ClearEvaluator, laid_out, read

SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, max_side=6) | st.tuples(st.integers(1, 70))


@st.composite
def evaluators(draw: st.DrawFn) -> ClearEvaluator:
    """One row of slots, as in CKKS, or two, as in BFV."""
    slots = draw(st.sampled_from([8, 16, 32, 64]))
    return ClearEvaluator(slots, draw(st.sampled_from([slots, slots // 2])))


@st.composite
def layouts(draw: st.DrawFn, shape: tuple[int, ...], slots: int, row: int) -> Layout:
    """What encryption makes of a shape, and what is left of it after views and sums."""
    batch = draw(st.none() | st.integers(0, len(shape) - 1)) if shape else None
    layout = Layout.of(shape, slots, row, batch=batch, repeat=draw(st.booleans()))
    if draw(st.booleans()):
        layout = replace(layout, clean=False)
    for axis in range(len(shape)):
        if draw(st.integers(0, 3)) == 0:
            view = layout.view(lambda a, axis=axis: np.flip(a, axis))
            assert view is not None
            layout = view.layout
    return layout


@st.composite
def arrays(draw: st.DrawFn, evaluator: ClearEvaluator, shape: tuple[int, ...]) -> tuple[NDArray[Any], EncryptedArray]:
    """A plain array and the same in slots, in any layout: fresh, transposed, a slice of something larger."""
    larger = tuple(n + draw(st.integers(0, 3)) for n in shape) if draw(st.booleans()) else shape
    order = draw(st.permutations(range(len(shape))))
    inverse = np.argsort(order).astype(int).tolist() if shape else []
    permuted = tuple(larger[k] for k in inverse)
    values = draw(hnp.arrays(np.int64, permuted, elements=st.integers(-9, 9)))
    x = laid_out(evaluator, values, draw(layouts(permuted, evaluator.slots, evaluator.row)))
    crop = tuple(slice(m - n, m) for n, m in zip(shape, larger, strict=True))
    return values.transpose(order)[crop], x.transpose(order)[(*crop, ...)]


@given(st.data(), evaluators(), SHAPES)
def test_layouts_keep_every_element_apart(
    data: st.DataObject, evaluator: ClearEvaluator, shape: tuple[int, ...]
) -> None:
    layout = data.draw(layouts(shape, evaluator.slots, evaluator.row))
    values = np.arange(1, layout.size + 1).reshape(shape)
    packed = layout.pack(values)
    assert packed.shape == (layout.shards, layout.slots)
    assert np.array_equal(layout.unpack(list(packed)), values)
    counts = np.unique_counts(packed[packed != 0])
    assert counts.values.tolist() == list(range(1, layout.size + 1))
    assert set(counts.counts) == {np.prod([length for length, _ in layout.repeats], dtype=int)}
    assert np.array_equal(layout.mask() != 0, packed != 0)
    assert layout.full == bool((packed != 0).all())
    assert layout.injective
    assert layout.within
    assert (layout.contents() > 0).sum() == (packed != 0).sum()


@given(st.data(), evaluators(), SHAPES)
def test_an_array_is_what_it_was_in_any_layout(data: st.DataObject, evaluator: ClearEvaluator, shape: Any) -> None:
    values, x = data.draw(arrays(evaluator, shape))
    assert np.array_equal(read(x), values)
    target = data.draw(layouts(shape, evaluator.slots, evaluator.row))
    cost = x.cost_to(target)
    evaluator.counts.clear()
    y = x.relaid(target)
    assert np.array_equal(read(y), values)
    assert max(shard.depth for shard in y.shards) == cost.levels  # type: ignore[attr-defined]
    assert evaluator.counts["masks"] == cost.masks
    assert evaluator.counts["rotations"] == cost.rotations
    assert (y.layout.strides, y.layout.repeats) == (target.strides, target.repeats)
    cleaned = x.cleaned()
    assert cleaned.layout.tidy
    assert np.array_equal(read(cleaned), values)


@given(st.data(), evaluators(), SHAPES)
def test_a_product_with_a_plain_array_clears_the_padding(
    data: st.DataObject, evaluator: ClearEvaluator, shape: Any
) -> None:
    values, x = data.draw(arrays(evaluator, shape))
    product = x * np.full(shape, 3)
    assert np.array_equal(read(product), 3 * values)
    assert product.layout.tidy or not shape


@given(st.data(), evaluators(), hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=4, max_side=6))
@pytest.mark.parametrize("operation", [operator.add, operator.sub, operator.mul])
def test_operands_broadcast(
    operation: Callable[[Any, Any], Any], data: st.DataObject, evaluator: ClearEvaluator, shapes: Any
) -> None:
    (a, x), (b, y) = (data.draw(arrays(evaluator, shape)) for shape in shapes.input_shapes)
    expected = operation(a, b)
    assume(expected.size <= 400)
    for result in (operation(x, y), operation(x, b), operation(a, y)):
        assert result.shape == expected.shape
        assert np.array_equal(read(result), expected)


@given(st.data(), evaluators(), st.integers(2, 30), st.booleans())
def test_neighbours_meet_by_the_key_that_is_held(
    data: st.DataObject, evaluator: ClearEvaluator, size: int, later_first: bool
) -> None:
    values = data.draw(hnp.arrays(np.int64, size, elements=st.integers(-9, 9)))
    x = laid_out(evaluator, values, Layout.of((size,), evaluator.slots, evaluator.row))
    step = data.draw(st.integers(1, size - 1))
    assume(len(x.shards) == 1 and step % evaluator.row and evaluator.slots == evaluator.row)
    slices = [slice(step, None), slice(None, -step)]
    one, other = slices if later_first else reversed(slices)
    for held in (None, [step], [-step]):
        evaluator.held, evaluator.used = held, set()
        assert np.array_equal(read(x[one] + x[other]), values[one] + values[other])
        period = 1 << (size - 1).bit_length()
        wanted = held or [min(step, -step % period)]  # the smaller step, where any key would do
        assert evaluator.used == {wanted[0] % evaluator.row}


@given(st.data(), evaluators(), hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=5))
def test_who_holds_the_keys_of_a_plan_finds_that_plan(
    data: st.DataObject, evaluator: ClearEvaluator, shapes: Any
) -> None:
    (_, x), (_, y) = (data.draw(arrays(evaluator, shape)) for shape in shapes.input_shapes)
    free = meeting(x.layout, y.layout)
    steps = {step % evaluator.row for plan in free.plans if plan for step in plan.steps}
    more = data.draw(st.sets(st.integers(1, evaluator.row - 1), max_size=4))
    bound = meeting(x.layout, y.layout, tuple(sorted((steps | more) - {0})))
    assert (bound.sum, bound.product, bound.cost) == (free.sum, free.product, free.cost)
    assert [plan and plan.steps for plan in bound.plans] == [plan and plan.steps for plan in free.plans]


@given(st.data(), evaluators(), SHAPES)
def test_basic_and_advanced_indices(data: st.DataObject, evaluator: ClearEvaluator, shape: tuple[int, ...]) -> None:
    values, x = data.draw(arrays(evaluator, shape))
    index = data.draw(hnp.basic_indices(shape, allow_newaxis=True) | hnp.integer_array_indices(shape) if shape else
                      hnp.basic_indices(shape, allow_newaxis=True))  # fmt: skip
    expected = values[index]
    assume(0 < expected.size <= 100)
    result = x[index]
    assert result.shape == expected.shape
    assert np.array_equal(read(result), expected)


@given(st.data(), evaluators(), SHAPES)
def test_a_boolean_index(data: st.DataObject, evaluator: ClearEvaluator, shape: tuple[int, ...]) -> None:
    values, x = data.draw(arrays(evaluator, shape))
    chosen = data.draw(hnp.arrays(bool, shape))
    assume(chosen.any())
    assert np.array_equal(read(x[chosen]), values[chosen])


@given(st.data(), evaluators(), SHAPES, st.booleans())
@pytest.mark.parametrize("name", ["sum", "prod"])
def test_reductions(name: str, data: st.DataObject, evaluator: ClearEvaluator, shape: Any, keepdims: bool) -> None:
    values, x = data.draw(arrays(evaluator, shape))
    axes = data.draw(st.none() | st.sets(st.sampled_from(range(len(shape)))).map(tuple)) if shape else None
    values, x = (values, x) if name == "sum" else (values % 3 - 1, x * 0 + values % 3 - 1)
    result = getattr(x, name)(axis=axes, keepdims=keepdims)
    expected = getattr(values, name)(axis=axes, keepdims=keepdims)
    assert result.shape == np.shape(expected)
    assert np.array_equal(read(result), expected)


MOVES: dict[str, Callable[[Any], Any]] = {
    "ravel": np.ravel,
    "reshape": lambda x: np.reshape(x, -1),
    "roll": lambda x: np.roll(x, 2),
    "roll an axis": lambda x: np.roll(x, -1, axis=0),
    "flip": np.flip,
    "transpose": np.transpose,
    "moveaxis": lambda x: np.moveaxis(x, 0, -1),
    "repeat": lambda x: np.repeat(x, 2, axis=0),
    "tile": lambda x: np.tile(x, 2),
    "take": lambda x: np.take(x, [0, -1], axis=-1),
    "delete": lambda x: np.delete(x, 0, axis=0) if np.shape(x)[0] > 1 else x,
    "resize": lambda x: np.resize(x, (3, 5)),
    "tril": lambda x: np.tril(x) if np.ndim(x) > 1 else np.tril(np.broadcast_to(x, (3, *np.shape(x)))),
    "diag": lambda x: np.diag(np.ravel(x)[:5]),
    "broadcast_to": lambda x: np.broadcast_to(x, (2, *np.shape(x))),
    "concatenate": lambda x: np.concatenate([x, np.ones_like(read_shape(x)), x], axis=0),
    "stack": lambda x: np.stack([x, x], axis=1),
    "append": lambda x: np.append(x, [5, 6]),
    "vstack": lambda x: np.vstack([x, x[:1] if np.ndim(x) > 1 else x]),
    "split": lambda x: np.array_split(np.append(x, 1), 2)[0],
    "expand": lambda x: np.expand_dims(x, 0),
}


def read_shape(x: Any) -> NDArray[Any]:
    """A plain array of the shape of any."""
    return np.empty(np.shape(x), dtype=np.int64)


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
@given(data=st.data(), evaluator=evaluators(), shape=hnp.array_shapes(max_dims=3, max_side=5))
def test_whatever_moves(move: Callable[[Any], Any], data: st.DataObject, evaluator: ClearEvaluator, shape: Any) -> None:
    values, x = data.draw(arrays(evaluator, shape))
    result, expected = move(x), move(values)
    assert result.shape == expected.shape
    assert np.array_equal(read(result), expected)


@given(st.data(), evaluators(), hnp.array_shapes(min_dims=1, max_dims=3, max_side=5))
def test_any_reshape(data: st.DataObject, evaluator: ClearEvaluator, shape: tuple[int, ...]) -> None:
    values, x = data.draw(arrays(evaluator, shape))
    factors = data.draw(st.permutations([*shape, 1]))
    assert np.array_equal(read(x.reshape(factors)), values.reshape(factors))


# --- what must be free, and what may cost -------------------------------------------------------------------------


def cost_of(evaluator: ClearEvaluator, compute: Callable[[], EncryptedArray]) -> tuple[int, int]:
    """Levels and rotations of a computation."""
    evaluator.counts.clear()
    result = compute()
    read(result)
    return max(shard.depth for shard in result.shards), evaluator.counts["rotations"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("row", [64, 32])
def test_what_is_free(row: int) -> None:
    evaluator = ClearEvaluator(64, row)
    X = laid_out(evaluator, np.arange(12).reshape(4, 3), Layout.of((4, 3), 64, row))
    w = laid_out(evaluator, np.arange(3), Layout.of((3,), 64, row))
    for view in (X.T, X[1:], X[:, ::-1], X[::2, 1], X[None], X.reshape(2, 2, 3), X.swapaxes(0, 1)):
        assert cost_of(evaluator, lambda view=view: view) == (0, 0)
    assert cost_of(evaluator, lambda: X + w) == (0, 0)
    assert cost_of(evaluator, lambda: w + X[2:]) == (0, 0)
    assert cost_of(evaluator, lambda: X.sum(axis=0)) == (0, 2)
    assert cost_of(evaluator, lambda: X - X.sum(axis=0)) == (0, 2)
    assert cost_of(evaluator, lambda: w - w.sum()) == (0, 2)
    assert cost_of(evaluator, lambda: X - X.sum()) == (0, 4)
    assert cost_of(evaluator, lambda: X.sum(axis=1)) == (0, 2)
    assert cost_of(evaluator, lambda: X - X.sum(axis=1, keepdims=True)) == (1, 4)
    assert cost_of(evaluator, lambda: w[1:] - w[:-1]) == (0, 1)
    assert cost_of(evaluator, lambda: np.stack([w, w, w])) == (0, 0)


def test_a_batch_axis_sums_without_rotations() -> None:
    evaluator = ClearEvaluator(16, 16)
    values = np.arange(120).reshape(40, 3)
    X = laid_out(evaluator, values, Layout.of((40, 3), 16, batch=0))
    assert len(X.shards) == 9
    assert cost_of(evaluator, lambda: X @ np.array([1, 2, 3])) == (1, 0)
    assert cost_of(evaluator, lambda: X[:, 1] * 2) == (0, 0)
    assert len(X[:, 1].shards) == 3
    assert len(X[:, ::2].shards) == 6
    assert len(X[20:25].shards) == 3


def test_a_permutation_takes_giant_steps() -> None:
    evaluator = ClearEvaluator(64, 64)
    order = np.random.default_rng(1).permutation(64)
    x = laid_out(evaluator, np.arange(64), Layout.of((64,), 64))
    levels, rotations = cost_of(evaluator, lambda: x[order])
    assert levels == 1
    assert rotations < 20
    assert np.array_equal(read(x[order]), order)


def test_costs_add_up() -> None:
    assert Cost(1, 3, 2) + Cost(0, 4, 0) == Cost(1, 7, 2)
    layout = Layout((3,), 8, repeats=(Axis(2, 4),))
    assert not layout.full
    assert layout.tidy
    assert not replace(layout, clean=False).tidy
    assert moved(laid_out(ClearEvaluator(8, 8), np.arange(3), layout), np.flip).layout.offset == 2
