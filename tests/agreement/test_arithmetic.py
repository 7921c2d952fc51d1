"""Row by row arithmetic."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import bases, leadings, operands, polys, ring_degrees, scalars


@given(bases(), st.data())
def test_add(agree, basis, data):
    x, y = data.draw(operands(basis, 2))
    agree(lambda m: m.call("add", basis, x, y))
    agree(lambda m: m.call("add", basis, y, x))


@given(bases(), st.data())
def test_sub(agree, basis, data):
    x, y = data.draw(operands(basis, 2))
    agree(lambda m: m.call("sub", basis, x, y))
    agree(lambda m: m.call("sub", basis, y, x))


@given(bases(), st.data())
def test_neg(agree, basis, data):
    x = data.draw(polys(basis, data.draw(leadings())))
    agree(lambda m: m.call("neg", basis, x))


@given(bases(), st.data())
def test_mul(agree, basis, data):
    x, y = data.draw(operands(basis, 2))
    agree(lambda m: m.call("mul", basis, x, y))
    agree(lambda m: m.call("mul", basis, y, x))


@given(bases(), st.data())
def test_mul_add(agree, basis, data):
    x, y = data.draw(operands(basis, 2))
    z = data.draw(polys(basis, x.shape[:-2]))
    agree(lambda m: m.call("mul_add", basis, x, y, z))
    if y.shape == x.shape:
        return
    agree(lambda m: m.call("mul_add", basis, y, x, y))


@given(bases(limbs=(1, 6)), leadings(), st.booleans(), st.data())
def test_tensor(agree, basis, leading, square, data):
    """Of polynomials in parts, each cut where it likes, whose first limbs come by coefficients."""
    xs = [data.draw(polys(basis, leading)) for _ in range(2)]
    ys = xs if square else [data.draw(polys(basis, leading)) for _ in range(2)]
    inner = st.sets(st.integers(1, len(basis) - 1)) if len(basis) > 1 else st.just(set())
    coeffs = [data.draw(st.integers(0, len(basis))) for _ in range(2)]
    cuts = [[0, *sorted(data.draw(inner)), len(basis)] for _ in range(4)]

    def tensor(m):
        order, parts = m.backend.evaluation_order(basis.ring_degree), []
        for x, first, cut in zip([*xs, *ys], np.repeat(coeffs, 2), cuts, strict=True):
            mixed = np.concatenate([x[..., :first, :], x[..., first:, order]], axis=-2)
            parts.append([m.load(basis.limbs(i, j), mixed[..., i:j, :]) for i, j in pairwise(cut)])
        return [m.read_eval(c) for c in m.backend.tensor(m.handle(basis), parts[:2], parts[2:], *coeffs)]

    agree(tensor)


@given(bases(), st.data())
def test_mul_scalar(agree, basis, data):
    x, s = data.draw(polys(basis, data.draw(leadings()))), data.draw(scalars(basis))
    agree(lambda m: m.call("mul_scalar", basis, x, s))


@given(bases(), st.data())
def test_add_scalar(agree, basis, data):
    x, s = data.draw(polys(basis, data.draw(leadings()))), data.draw(scalars(basis))
    agree(lambda m: m.call("add_scalar", basis, x, s))


@given(bases(), st.integers(1, 9) | st.sampled_from([16, 17, 40]), st.integers(0, 2), st.data())
def test_inner_product(agree, basis, terms, more, data):
    """With factors that lack leading axes, and with factors of more limbs."""
    longer = basis + data.draw(bases((2, 2), st.just(basis.ring_degree))).limbs(0, more)
    x, y = data.draw(operands(basis, 2))
    xs = [data.draw(polys(basis, x.shape[:-2])) for _ in range(terms)]
    ys = [data.draw(polys(longer, y.shape[:-2])) for _ in range(terms)]
    agree(
        lambda m: m.read(
            m.backend.inner_product(m.handle(basis), [m.load(basis, x) for x in xs], [m.load(longer, y) for y in ys])
        )
    )


@given(bases(degrees=ring_degrees(8, 128)), st.integers(1, 3), st.integers(1, 20), st.integers(0, 2), st.data())
def test_inner_products(agree, basis, components, terms, more, data):
    """Sums of any of the terms, also of one term several times, with factors of more limbs."""
    longer = basis + data.draw(bases((2, 2), st.just(basis.ring_degree))).limbs(0, more)
    xs = [[data.draw(polys(basis)) for _ in range(terms)] for _ in range(components)]
    picked = data.draw(st.lists(st.lists(st.integers(0, terms - 1), min_size=1, max_size=5), min_size=1, max_size=4))
    ys = [[data.draw(polys(longer)) for _ in total] for total in picked]
    agree(
        lambda m: [
            [m.read(part) for part in total]
            for total in m.backend.inner_products(
                m.handle(basis),
                [[m.load(basis, x) for x in component] for component in xs],
                picked,
                [[m.load(longer, y) for y in total] for total in ys],
            )
        ]
    )
