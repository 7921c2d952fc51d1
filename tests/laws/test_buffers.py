"""What may be known of a buffer: its shape, its residues, and that no operation changes it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhe.backend.protocol import Backend
from tests.strategies import bases, digit_layouts, leadings, operands, polys

BASES = bases(limbs=(1, 3))


@given(BASES, st.data())
def test_view_inverts_load(machine, basis, data):
    x = data.draw(polys(basis, data.draw(leadings())))
    buffer = machine.load(basis, x)
    view = machine.backend.view(buffer)
    assert buffer.shape == x.shape
    assert view.dtype == np.uint64
    assert np.array_equal(view, x)


@given(BASES, st.data())
def test_load_copies(machine, basis, data):
    x = data.draw(polys(basis))
    before, buffer = x.copy(), machine.load(basis, x)
    x[:] = 0
    assert np.array_equal(machine.read(buffer), before)


@given(BASES, st.data())
def test_load_takes_any_memory_layout(machine, basis, data):
    x = data.draw(polys(basis, (2,)))
    assert np.array_equal(machine.read(machine.load(basis, np.asfortranarray(x))), x)
    assert np.array_equal(machine.read(machine.load(basis, x[::-1, :, ::-1])), x[::-1, :, ::-1])


@given(BASES)
def test_a_view_is_read_only_and_outlives_its_buffer(machine, basis):
    x = basis.residues(np.arange(basis.ring_degree))
    view = machine.backend.view(machine.load(basis, x))
    assert np.array_equal(view, x)
    with pytest.raises(ValueError, match="read-only"):
        view[0, 0] = 1


@given(BASES, leadings())
def test_zeros(machine, basis, leading):
    buffer = machine.backend.zeros(machine.handle(basis), leading)
    assert buffer.shape == (*leading, len(basis), basis.ring_degree)
    assert not machine.read(buffer).any()


@given(BASES, st.data())
def test_join_inverts_limbs(machine, basis, data):
    x = data.draw(polys(basis, data.draw(leadings())))
    cut = data.draw(st.integers(0, len(basis)))
    backend, buffer = machine.backend, machine.load(basis, x)
    assert np.array_equal(machine.read(backend.limbs(buffer, 0, len(basis))), x)
    if 0 < cut < len(basis):
        low, high = backend.limbs(buffer, 0, cut), backend.limbs(buffer, cut, len(basis))
        assert low.shape == (*x.shape[:-2], cut, basis.ring_degree)
        assert np.array_equal(machine.read(low), x[..., :cut, :])
        assert np.array_equal(machine.read(high), x[..., cut:, :])
        assert np.array_equal(machine.read(backend.join(low, high)), x)


@given(bases(limbs=(2, 3)), st.data())
def test_operations_take_limbs_of_a_buffer(machine, basis, data):
    """A slice may share memory with what it was cut from; it works like a buffer of its own."""
    x = data.draw(polys(basis, data.draw(leadings())))
    upper = basis.limbs(1, len(basis))
    cut, whole = machine.backend.limbs(machine.load(basis, x), 1, len(basis)), machine.load(upper, x[..., 1:, :])
    backend, handle = machine.backend, machine.handle(upper)
    for operation in (backend.neg, backend.ntt):
        assert np.array_equal(machine.read(operation(handle, cut)), machine.read(operation(handle, whole)))
    assert np.array_equal(machine.read(backend.mul(handle, cut, cut)), machine.read(backend.mul(handle, whole, whole)))
    assert backend.pack(handle, cut) == backend.pack(handle, whole)


@given(BASES, st.data())
def test_wipe_leaves_zeros(machine, basis, data):
    buffer = machine.load(basis, data.draw(polys(basis)))
    view = machine.backend.view(buffer)
    machine.backend.wipe(buffer)
    del view
    assert not machine.read(buffer).any()


@pytest.mark.parametrize("count", [1, 8, 1000])
def test_secret_words_are_writable_zeros(backend: Backend, count):
    memory = backend.secret_words(count)
    assert len(memory.cast("B")) == 8 * count
    assert not memory.readonly
    assert not any(memory.cast("B"))
    memory.cast("B")[:] = bytes([255]) * (8 * count)


@given(bases(limbs=(1, 2)), st.data())
def test_samplers_read_secret_words(machine, basis, data):
    seed = data.draw(st.integers(0, 2**32))
    stream = np.random.default_rng(seed).bytes(8 * basis.ring_degree)
    memory = machine.backend.secret_words(basis.ring_degree)
    memory.cast("B")[:] = stream
    for sampler in (machine.backend.ternary, machine.backend.centred_binomial):
        secret, plain = sampler(machine.handle(basis), memory), sampler(machine.handle(basis), stream)
        assert np.array_equal(machine.read(secret), machine.read(plain))


@given(BASES, st.data())
def test_operations_leave_their_operands_alone(machine, basis, data):
    backend, handle = machine.backend, machine.handle(basis)
    arrays = data.draw(operands(basis, 3))
    x, y, z = (machine.load(basis, a) for a in arrays)
    scalars = [1] * len(basis)
    z = x if z.shape != x.shape else z
    backend.add(handle, x, y), backend.sub(handle, x, y), backend.mul(handle, x, y), backend.mul_add(handle, x, y, z)
    backend.neg(handle, x), backend.mul_scalar(handle, x, scalars), backend.add_scalar(handle, x, scalars)
    backend.inner_product(handle, [x, x], [y, y]), backend.ntt(handle, x), backend.intt(handle, x)
    backend.to_natural(handle, x), backend.from_natural(handle, x), backend.lift(handle, x), backend.pack(handle, x)
    backend.automorphism_coeff(handle, x, 3), backend.automorphism_eval(handle, x, 3)
    backend.convert(handle, handle, x)
    assert np.array_equal(machine.read(x), arrays[0])
    assert np.array_equal(machine.read(y), arrays[1])


@given(digit_layouts(), st.data())
def test_key_switching_leaves_its_operands_alone(machine, layout, data):
    backend, handle = machine.backend, machine.handle(layout.basis)
    x = data.draw(polys(layout.lower))
    coeff, evaluated = machine.load(layout.lower, x), machine.load(layout.lower, x)
    keys = [machine.load(layout.basis, data.draw(polys(layout.basis))) for _ in layout.digits]
    before = [machine.read(key) for key in keys]
    key = backend.pack_key(handle, keys, keys)
    backend.key_switch(handle, layout.special, layout.digit, coeff, evaluated, key)
    backend.switch_down(handle, layout.special, layout.digit, len(layout.basis), evaluated, key, [coeff])
    assert all(
        np.array_equal(machine.read(row), old) for row, old in zip(backend.unpack_key(key)[1], before, strict=True)
    )
    backend.divide_round_eval(handle, 0, layout.special, keys[0])
    assert np.array_equal(machine.read(coeff), x)
    assert np.array_equal(machine.read(evaluated), x)
    assert all(np.array_equal(machine.read(key), old) for key, old in zip(keys, before, strict=True))
