"""What hurt in other libraries, and how each of it ends here: a test for each, written as a user would.

The first paragraph of a docstring is the pain, what follows is what happens instead; docs/pains.md is made of them by
``python -m tests.vectors.make_pains``.
"""

from __future__ import annotations

import multiprocessing
import pickle
import re
import resource
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fhe

INSECURE = "a small ring for tests"
WORDS = "correct horse battery staple"


@cache
def reals(depth: int = 2) -> fhe.KeyOwner:
    """Two levels, and all else chosen by the library: 128 bits of security."""
    return fhe.ckks(depth=depth)


@cache
def integers() -> fhe.KeyOwner:
    """Small integers, and all else chosen by the library."""
    return fhe.bfv(depth=1)


def near(owner: fhe.KeyOwner, x: Any, expected: Any) -> None:
    """The decrypted array is within its own promise."""
    assert np.max(np.abs(owner.decrypt(x) - expected)) <= 2.0**-x.precision_bits < 1e-3


def refused(kind: type[fhe.FHEError], work: Callable[[], object]) -> str:
    """What the error says."""
    with pytest.raises(kind) as caught:
        work()
    return str(caught.value)


def test_scale_out_of_bounds() -> None:
    """A circuit is deeper than its modulus chain, and somewhere in the middle it fails with "scale out of bounds".

    What is too deep is refused before any work, and the message says how deep the parameters must be. It is right.
    """
    message = refused(fhe.LevelError, lambda: reals().encrypt([1.0, -0.5]) ** 9)
    assert message == "x**9 needs 4 levels, 2 are left; use fhe.ckks(depth=4) or more, or re-encrypt x"
    deep = fhe.ckks(depth=4)
    near(deep, deep.encrypt([1.0, -0.5], bound=1) ** 9, [1.0, -(0.5**9)])

    halfway = deep.encrypt([1.0, -0.5], bound=1) ** 4
    message = refused(fhe.LevelError, lambda: halfway**8)
    (depth,) = re.findall(r"depth=(\d+)", message)
    deeper = fhe.ckks(depth=int(depth))
    near(deeper, (deeper.encrypt([1.0, -0.5], bound=1) ** 4) ** 8, [1.0, 0.5**32])


def test_scale_mismatch() -> None:
    """A product and a bias are at different scales, or two operands at different levels, and cannot be added.

    There are no scales to match: operands of any levels meet, exactly.
    """
    owner, values = reals(), np.array([0.5, -1.0, 2.0])
    x, weights, bias = owner.encrypt(values, bound=2), np.array([0.3, 0.1, -0.2]), owner.encrypt(0.7, bound=1)
    near(owner, x * weights + bias, values * weights + 0.7)
    near(owner, x * x * x + x - x * x / 3 + 1, values**3 + values - values**2 / 3 + 1)


def test_silent_garbage_when_noise_is_exhausted() -> None:
    """One product too many, and decryption returns random numbers, without an error.

    The noise is tracked: every result that is given is right, and the first that might not be is refused.
    """
    t = 65537
    owner = fhe.bfv(depth=3, plain_modulus=t, wrap=True)
    x, expected = owner.encrypt([3, 5, 7]), np.array([3, 5, 7], dtype=object)
    for _ in range(x.products_left):
        x, expected = x * x, expected**2 % t
        assert (owner.decrypt(x) % t == expected).all()
    assert "use fhe.bfv(depth=" in refused(fhe.NoiseError, lambda: x * x)
    assert owner.noise_budget_bits(x) > x.noise_budget_bits >= 0


def test_silent_wrong_results_beyond_the_slots() -> None:
    """More values than slots, or a matrix that does not fit, and results wrap into each other, silently wrong.

    An array has any size, in as many ciphertexts as it takes; what the slots are is nobody's concern.
    """
    owner, rng = fhe.ckks(depth=2, ring_degree=512, insecure=INSECURE), np.random.default_rng(1)
    vector, matrix = rng.uniform(-1, 1, 300), rng.uniform(-1, 1, (300, 200))
    x = owner.encrypt(vector, bound=1)
    assert len(vector) > owner.parameters.ring_degree // 2
    near(owner, x @ matrix, vector @ matrix)
    near(owner, np.concatenate([x, x]).sum(), 2 * vector.sum())
    near(owner, np.outer(x[:30], x[-30:]), np.outer(vector[:30], vector[-30:]))
    near(owner, np.roll(x, 290), np.roll(vector, 290))


@pytest.mark.parametrize("security", [128, 192, 256])
def test_no_idea_how_to_choose_parameters(security: int) -> None:
    """Ring degree, a list of prime sizes, a scale: chosen by trial and error, and nobody says whether they are secure.

    A depth is enough. The smallest secure parameters are found, and say how secure they are; what is insecure or
    impossible is not made, and the message says what would fit.
    """
    owner = fhe.ckks(depth=3, security=security)
    assert f"{security}-bit security" in repr(owner)
    near(owner, owner.encrypt([0.9, -0.3], bound=1) ** 8, [0.9**8, 0.3**8])
    message = refused(fhe.ParameterError, lambda: fhe.ckks(depth=20, ring_degree=8192, security=security))
    (fits,) = re.findall(r"which holds depth (\d+) at most", message)
    assert fhe.ckks(depth=int(fits), ring_degree=8192, security=security).parameters.max_level == int(fits)


def test_rotation_keys_are_huge() -> None:
    """A context with its rotation keys takes a hundred megabytes at N = 4096, gigabytes above, and cannot be sent.

    An owner makes a rotation key when it is first needed. What is given away holds powers of two, or the very steps
    that a program takes; missing ones are named, as the argument that makes them.
    """
    owner = fhe.ckks(depth=1)
    assert not owner.keys.galois
    powers, none = owner.public(), owner.public(rotations=[])
    assert len(powers.to_bytes()) < 8e6
    x = owner.encrypt(np.arange(8.0), bound=8)
    message = refused(fhe.MissingKeyError, lambda: (y := none.load(x.to_bytes()))[3:] + y[:-3])
    (steps,) = re.findall(r"owner.public\(rotations=\[(\d+)\]\)", message)
    server = fhe.Context.from_bytes(owner.public(rotations=[int(steps)]).to_bytes())
    assert len(server.to_bytes()) < len(powers.to_bytes()) / 4
    y = server.load(x.to_bytes())
    near(owner, owner.load((y[3:] + y[:-3]).to_bytes()), np.arange(3.0, 8.0) + np.arange(5.0))


def test_ciphertexts_blow_up() -> None:
    """5,609 floats become 1.7 GB.

    Thousands of values share a ciphertext, what travels is packed to the bit, and an owner who encrypts under its
    secret key sends half of that.
    """
    owner, values = reals(), np.zeros(5609)
    x, symmetric = owner.encrypt(values), owner.encrypt(values, symmetric=True)
    assert len(x.shards) == 2
    assert x.nbytes < 1.1e6
    assert len(x.to_bytes()) < 0.6e6
    assert len(symmetric.to_bytes()) < 0.51 * len(x.to_bytes())


def test_not_picklable_and_hard_to_save(tmp_path: Path) -> None:
    """Ciphertexts and keys cannot be pickled, and saving them is a hand-written exercise.

    Arrays and contexts are pickled and saved like anything else; no secret is ever in it, and only one function,
    with a passphrase, writes one.
    """
    owner = reals()
    x = owner.encrypt([1.0, 2.0], bound=2)
    context = fhe.install(owner.public())
    near(owner, owner.load(pickle.loads(pickle.dumps(x)).to_bytes()), [1.0, 2.0])  # noqa: S301
    assert pickle.loads(pickle.dumps(context)).key_id == owner.key_id  # noqa: S301
    fhe.save(tmp_path / "x.fhe", x)
    near(owner, fhe.load(tmp_path / "x.fhe", owner), [1.0, 2.0])
    with pytest.raises(TypeError, match="holds a secret key"):
        pickle.dumps(owner)
    owner.save_secret_key(tmp_path / "mine.secret", passphrase=WORDS)
    again = fhe.load_secret_key(tmp_path / "mine.secret", passphrase=WORDS)
    assert again.decrypt(again.load(x.to_bytes())).round(3).tolist() == [1.0, 2.0]


def test_no_comparison_maximum_sort_or_division() -> None:
    """There are sums and products; comparison, maximum, sorting and division are for you to invent.

    They are there, exact on integers, within a stated margin or error on reals.
    """
    owner = fhe.bfv(depth=8, value_bits=16)
    a, b = np.array([3, 9, -4]), np.array([5, 9, -7])
    x, y = owner.encrypt(a, bound=10), owner.encrypt(b, bound=10)
    results: list[Any] = [np.where(x > y, x - y, 0), np.maximum(x, y)]
    assert [owner.decrypt(result).tolist() for result in results] == [[0, 0, 3], [5, 9, -4]]
    real = fhe.ckks(depth=7)
    z = fhe.inverse(real.encrypt([0.5, 2.0], bound=2), interval=(0.4, 2))
    assert np.abs(real.decrypt(z) - [2.0, 0.5]).max() < 1e-3


@pytest.mark.skipif(sys.platform == "win32", reason="memory in use is asked from Unix")
def test_memory_grows() -> None:
    """A loop that throws its results away takes more and more memory, until the process is killed.

    Memory goes back when a result does, and serves the next.
    """
    owner = reals()
    x = owner.encrypt(np.ones(4096), bound=1)

    def work(times: int) -> int:
        for _ in range(times):
            (x * x + x).sum()
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    before = work(5)
    assert work(20) - before < 4 * x.nbytes / (1 if sys.platform == "darwin" else 1024)


def squared_in_a_worker(blob: bytes, x: bytes) -> bytes:
    return (fhe.Context.from_bytes(blob).load(x) ** 2).to_bytes()


def test_threads_and_processes() -> None:
    """One thread only, or wrong results with several; contexts do not reach the workers of a pool.

    Arrays are immutable and may be shared by threads; contexts and arrays travel as bytes, or pickled.
    """
    owner = reals()
    arrays = [owner.encrypt([float(k), 0.5], bound=8) for k in range(8)]
    with ThreadPoolExecutor(4) as pool:
        for k, y in enumerate(pool.map(lambda x: x * x + x.sum(), arrays)):
            near(owner, y, np.array([k * k, 0.25]) + k + 0.5)
    blob, spawn = owner.public(rotations=[]).to_bytes(), multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as processes:
        reply = processes.submit(squared_in_a_worker, blob, arrays[3].to_bytes()).result()
    near(owner, owner.load(reply), [9.0, 0.25])


def test_transparent_ciphertexts() -> None:
    """x - x, or a product with zero, throws "result ciphertext is transparent", wherever that happens.

    Zero is a number like any other. Only sending such a result away is refused, since anybody could read it, and the
    remedy that the message gives is one addition.
    """
    owner = reals()
    x = owner.encrypt([1.0, 2.0], bound=2)
    near(owner, (x - x) + x * 0 + x * np.zeros(2) + x, [1.0, 2.0])
    assert "x + ctx.encrypt(np.zeros(x.shape))" in refused(fhe.ParameterError, (x - x).to_bytes)
    assert (x - x + owner.public().encrypt(np.zeros(2))).to_bytes()


MISTAKES: dict[str, tuple[type[Exception], str, Callable[[Any, Any], object]]] = {
    "shapes": (fhe.EncodingError, r"\(3,\) and \(2,\) do not broadcast", lambda o, x: x + np.ones(2)),
    "matrix": (fhe.EncodingError, r"shapes \(3,\) and \(4, 2\): 3 and 4 differ", lambda o, x: x @ np.ones((4, 2))),
    "nan": (fhe.EncodingError, "value at index 1 is NaN .*; clean the data", lambda o, x: o.encrypt([1, np.nan])),
    "beyond": (fhe.EncodingError, "index 0 exceeds the public bound 16; .*pass a", lambda o, x: o.encrypt([99.0])),
    "text": (fhe.EncodingError, "real or complex numbers, got dtype", lambda o, x: o.encrypt("three")),
    "root": (fhe.EncodingError, "got 0.5; roots and inverses are fhe.sqrt", lambda o, x: x**0.5),
    "division": (TypeError, "fhe.inverse", lambda o, x: 1 / x),
    "branch": (TypeError, "compute both branches", lambda o, x: bool(x)),
    "reading": (TypeError, r"owner.decrypt\(x\)", lambda o, x: float(x)),
    "index": (IndexError, "index 5 is out of bounds for axis 0 with size 3", lambda o, x: x[5]),
    "scale": (fhe.ScaleError, "level 2 holds .*; use a smaller bound", lambda o, x: o.encrypt([1.0], bound=1e30)),
    "degree": (fhe.LevelError, "fhe.exp by a polynomial .* needs . levels, 2 are left", lambda o, x: fhe.exp(x)),
    "key": (fhe.ParameterError, "different keys do not mix", lambda o, x: x + fhe.ckks(depth=2).encrypt(np.ones(3))),
    "no key": (
        fhe.MissingKeyError,
        r"owner.public\(relinearization=True\)",
        lambda o, x: o.public(relinearization=False, rotations=[]).load(x.to_bytes()) ** 4,
    ),
    "bytes": (fhe.FormatError, "cut short", lambda o, x: o.load(x.to_bytes()[:-5])),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_opaque_errors(name: str) -> None:
    """ "ValueError: std::exception", "encrypted is not valid for encryption parameters".

    An error names what is wrong, the limit, and what to do; its class tells what kind of mistake it is. It comes
    before any work.
    """
    kind, message, mistake = MISTAKES[name]
    with pytest.raises(kind, match=message):
        mistake(reals(), reals().encrypt([1.0, 2.0, 3.0]))


def test_remaining_levels_and_precision_are_invisible() -> None:
    """How many products are left, and how many digits are right, is guessed.

    Every array says it, needing no secret; so does its repr.
    """
    owner = reals()
    x = owner.encrypt([0.3, -1.7], bound=2)
    y = (x * x).settled()
    assert (x.levels_left, y.levels_left) == (2, 1)
    assert x.precision_bits > y.precision_bits > 15
    error = np.abs(owner.decrypt(y) - [0.09, 2.89]).max()
    assert -np.log2(error) >= y.expected_precision_bits - 4 >= y.precision_bits - 4
    assert "1 level left, " in repr(y)
    assert f"{y.precision_bits:.1f} bits precise" in repr(y)


@pytest.mark.parametrize("worst", [[2.0] * 64, [2.0, -2.0] * 32, [2.0] + [0.0] * 63], ids=["all", "signs", "one"])
def test_precision_surprises(worst: list[float]) -> None:
    """Random tests see errors of 1e-6, and some input has a thousand times more.

    The bound on the error is proven for every input within its bound, not measured on likely ones; `fhe.audit` searches
    for the worst.
    """
    owner, values = reals(), np.array(worst)
    x = owner.encrypt(values, bound=2)
    near(owner, (x - 0.5) * x * (1 - x), (values - 0.5) * values * (1 - values))
    near(owner, (x * x).sum(), (values**2).sum())


def test_operands_are_changed() -> None:
    """A product destroys its operands; a plaintext is silently another afterwards.

    Nothing changes its operands. Arrays cannot be changed at all, and in-place operators make new ones.
    """
    owner = reals()
    x, plain = owner.encrypt([1.0, 2.0], bound=2), np.array([0.5, 0.25])
    y, before, kept = x, x.to_bytes(), plain.copy()
    assert (x * x + x * plain - plain).sum().shape == ()
    y += 1.0
    y *= plain
    near(owner, y, [1.0, 0.75])
    assert x.to_bytes() == before
    assert (plain == kept).all()
    with pytest.raises(TypeError, match="encrypted arrays do not change"):
        x[0] = 3.0


def test_global_modes() -> None:
    """A mode of the context is switched, relinearisation or rescaling no longer by themselves, and results are wrong.

    Nothing global changes what is computed. Whether products are settled at once is a choice of speed, made with
    the keys.
    """
    lazy, eager = reals(), fhe.ckks(depth=2, eager=True)
    for owner in (lazy, eager, lazy):
        x = owner.encrypt([1.5, -0.5], bound=2)
        near(owner, x * x * 0.5 + x * x + x, 1.5 * np.array([1.5, -0.5]) ** 2 + [1.5, -0.5])


def test_key_generation_is_slow_and_huge() -> None:
    """Keys take hours to make and hundreds of megabytes to keep.

    Keys for depth 8 are made while one reads the line, and those for rotations when a program first takes them.
    """
    owner = fhe.ckks(depth=8)
    held = len(owner.public(rotations=[]).to_bytes())
    assert held < 16e6
    owner.encrypt(np.ones(4), bound=1)[:3].sum()
    assert 0 < len(owner.keys.galois) <= 2


def test_rotation_and_packing_are_unclear() -> None:
    """What rotating by 1 does to slots that were not filled, to two rows, to a padded matrix, is found by trying.

    Nobody rotates slots: `np.roll`, slices and transposes mean what they mean in NumPy. Where elements lie is shown
    by ``x.layout``, and what it costs to move them is told beforehand.
    """
    owner = integers()
    values = np.arange(12).reshape(3, 4)
    x = owner.encrypt(values, bound=100)
    moves: list[Callable[[Any], Any]] = [
        lambda a: np.roll(a, -2, axis=1),
        lambda a: a[::-1, 1:].T,
        lambda a: np.concatenate([a.reshape(6, 2)[:, 1], a[:, 3]]),
    ]
    for move in moves:
        assert (owner.decrypt(move(x)) == move(values)).all()
    assert (x.layout.shape, x.layout.strides) == ((3, 4), (4, 1))
    assert x.T.cost_to(owner.encrypt(values.T, bound=100).layout).rotations > 0


def test_wrapping_modulo_t_unexplained() -> None:
    """Integers come back negative, or as remainders, and nobody said that arithmetic is modulo t.

    Ranges are tracked: what could wrap is refused, naming the range and the parameters that hold it. Arithmetic modulo
    t is there for those who ask for it.
    """
    x = integers().encrypt([300, -200], bound=300)
    message = refused(fhe.ValueOverflowError, lambda: x * x)
    assert "from 0 to 90000, more than t = 65537 tells apart" in message
    (bits,) = re.findall(r"fhe.bfv\(value_bits=(\d+)\)", message)
    wider = fhe.bfv(depth=1, value_bits=int(bits))
    y = wider.encrypt([300, -200], bound=300)
    assert wider.decrypt(y * y).tolist() == [90000, 40000]
    modular = fhe.bfv(depth=1, plain_modulus=65537, wrap=True)
    z = modular.encrypt([300, -200])
    assert ((modular.decrypt(z * z) - [90000, 40000]) % 65537 == 0).all()


def test_files_of_another_version_or_kind() -> None:
    """A file of another version, or of another library, is "invalid", or read as something else.

    A file says what it is, and of which version; anything else is refused, and a changed bit is noticed.
    """
    owner, context = reals(), fhe.Context
    data = bytearray(owner.encrypt([1.0]).to_bytes())
    assert "hold a 'array', where" in refused(fhe.FormatError, lambda: context.from_bytes(bytes(data)))
    assert "no file of this library" in refused(fhe.FormatError, lambda: owner.load(b"SEAL" + bytes(100)))
    data[-1] ^= 1
    assert "digest" in refused(fhe.FormatError, lambda: owner.load(bytes(data)))
