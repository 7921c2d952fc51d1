"""A million encrypted numbers, within a stated memory."""

from __future__ import annotations

import resource

import numpy as np
import pytest

import fhe

pytestmark = pytest.mark.wide

COUNT, N = 10**6, 2**13
SHARDS = -(-COUNT // (N // 2))


def peak() -> int:
    """The most memory this process has had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def test_a_million_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    """An array takes its ciphertexts, 16 N bytes a limb for each N / 2 numbers; work on it about as much again."""
    owner = fhe.ckks(depth=3)
    owner.decrypt(owner.encrypt(np.ones(N // 2)).sum())  # keys, tables, pools
    values, limbs = np.random.default_rng(1).uniform(-1, 1, COUNT), len(owner.parameters.moduli())
    before = peak()
    x = owner.encrypt(values, bound=1, progress=True)
    assert "encrypting" in capsys.readouterr().err
    assert (len(x.shards), x.nbytes) == (SHARDS, SHARDS * 2 * limbs * N * 8)
    assert peak() - before < 1.2 * x.nbytes + 2**25
    y = (x * x + 1)[: COUNT // 2]
    assert len(y.shards) == -(-SHARDS // 2)
    np.testing.assert_allclose(owner.decrypt(y.sum()), (values**2 + 1)[: COUNT // 2].sum(), rtol=1e-6)
    np.testing.assert_allclose(owner.decrypt(x.reshape(1000, 1000)[7] - x.mean()), values[7000:8000] - values.mean(),
                               atol=1e-5)  # fmt: skip
    assert peak() - before < 4 * x.nbytes + 2**26
    np.testing.assert_allclose(owner.decrypt(x, progress=True), values, atol=1e-5)
    assert "decrypting" in capsys.readouterr().err


def test_what_would_take_minutes_is_refused_before_any_work() -> None:
    owner = fhe.ckks(depth=1, ring_degree=N)
    x = owner.encrypt(np.ones(40 * N), bound=1)
    with pytest.raises(fhe.EncodingError, match="rearrange before encrypting"):
        x[::-1] + x
