"""What a program cannot be: said before any work, with the line of the function and what to do instead."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import fhe
from fhe.errors import EncodingError, LevelError, MissingKeyError, NoiseError, ParameterError, ValueOverflowError
from tests.programs.functions import WHOLE

X = fhe.spec(8, bound=1)


def branches(x: Any) -> Any:
    return x if x.sum() > 0 else -x


def too_deep(x: Any) -> Any:
    y = x
    for _ in range(110):
        y = x * y
    return y


def of_anything(x: Any) -> Any:
    return np.log(x)


@pytest.mark.parametrize(
    ("function", "specs", "error", "says"),
    [
        (branches, (X,), TypeError, "no branch can depend on it; compute both branches"),
        (lambda x: x[x.sum()], (X,), TypeError, "encrypted index cannot choose an element"),
        (lambda x: float(x[0]), (X,), TypeError, "its owner decrypts it"),
        (np.median, (X,), TypeError, "an order cannot be read"),
        (np.linalg.norm, (X,), TypeError, "values; use functions of NumPy and of fhe|not offered"),
        (np.unique, (X,), TypeError, "a shape cannot depend on encrypted values"),
        (lambda x: x // 2, (X,), TypeError, "np.floor_divide of an encrypted array is not offered"),
        (lambda x: [1, 2], (X,), TypeError, "returns arrays that depend on encrypted arguments"),
        (lambda x, w: (x, w * 2), (X, fhe.spec(8, bound=1, encrypted=False)), TypeError, "is plain already"),
        (lambda x: x + np.ones(3), (X,), ValueError, "broadcast"),
        (of_anything, (X,), EncodingError, r"at test_errors.py:\d+, return np.log\(x\) has to be approximated on \[-1"),
        (lambda x: 1 / x, (X,), EncodingError, "Narrow it by fhe.assume"),
        (
            too_deep,
            (X,),
            LevelError,
            r"more than 100 levels deep; it gets there in np.multiply at test_errors.py:\d+, y = x \* y",
        ),
        (lambda x: x.mean(), (fhe.spec(8, bound=9, **WHOLE),), EncodingError, "gives fractions of encrypted integers"),
        (lambda x: x**99, (fhe.spec(8, bound=99, **WHOLE),), ValueOverflowError, "promise smaller bounds"),
        (lambda x: x + 1, (fhe.spec(8, bound=1, encrypted=False),), EncodingError, "has an encrypted argument"),
        (lambda x, y: x + y, (X, fhe.spec(8, bound=9, **WHOLE)), EncodingError, "all integers, or none"),
    ],
)
def test_functions_that_are_no_programs(function: Any, specs: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        fhe.compile(function, *specs)


def test_a_precision_beyond_doubles_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"precision of \d+\.\d bits after the point is beyond doubles"):
        fhe.compile(lambda x: x * x, X, precision=1e-18)


def test_errors_of_a_dry_run_name_the_line() -> None:
    with pytest.raises(ParameterError, match=r"test_errors.py:\d+, "):
        fhe.compile(lambda x: (x * 1e30) ** 2, X)


@pytest.mark.parametrize(
    ("given", "says"),
    [({}, "needs bound="), ({"bound": 0}, "positive"), ({"bound": (2, 1)}, "pair"), ({"bound": float("nan")}, "pair")],
)
def test_specs_that_say_nothing(given: Any, says: str) -> None:
    with pytest.raises(EncodingError, match=says):
        fhe.spec(8, **given)
    with pytest.raises(EncodingError, match="at least one element"):
        fhe.spec((0, 2), bound=1)


def test_functions_of_numpy_are_programs_themselves() -> None:
    assert len(fhe.compile(np.multiply, X, X, precision=1e-2).specs) == 2
    assert list(fhe.compile(np.mean, X, precision=1e-2).specs) == ["a"]


# --- arguments of a program ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def program() -> Any:
    return fhe.compile(
        lambda x, w: x @ w, fhe.spec((4, 8), bound=1), fhe.spec(8, bound=2, encrypted=False), precision=1e-2
    )


@pytest.fixture(scope="module")
def owner(program: Any) -> fhe.KeyOwner:
    return program.keygen()


def test_arguments_are_checked_before_any_work(program: Any, owner: fhe.KeyOwner) -> None:
    x, w = np.ones((4, 8)), np.ones(8)
    other = fhe.ckks(depth=2)
    wrong: list[tuple[Any, type[Exception], str]] = [
        ((x, w), TypeError, "argument x is encrypted: program.encrypt"),
        ((owner.encrypt(x[:2]), w), EncodingError, "argument x is encrypted real (4, 8), from -1 to 1, laid out"),
        ((owner.encrypt(x, batch=0), w), EncodingError, "lies otherwise"),
        ((owner.encrypt(x, bound=3), w), EncodingError, "may hold values up to 3"),
        ((owner.encrypt(x, level=0), w), LevelError, "argument x is at level 0, the program begins at 1"),
        (
            (owner.encrypt(x / 2, bound=0.5) + owner.encrypt(x / 2, bound=0.5), w),
            NoiseError,
            "noisier than a new encryption",
        ),
        ((other.encrypt(x), w), ParameterError, "encrypted for other parameters"),
        ((owner.encrypt(x), 3 * w), EncodingError, "argument w was promised between -2 and 2"),
        ((owner.encrypt(x), w[:3]), EncodingError, "argument w is a real array of shape (8,)"),
        ((owner.encrypt(x),), TypeError, "takes the arguments x, w, each once"),
    ]
    for arguments, error, says in wrong:
        with pytest.raises(error, match=re.escape(says)):
            program(*arguments)
    with pytest.raises(EncodingError, match="promised between -1 and 1"):
        program.encrypt(owner, 2 * x, w)
    with pytest.raises(MissingKeyError):
        program(owner.public(rotations=[1], relinearization=False).encrypt(x, bound=1), w)


def test_keys_that_do_not_reach_high_enough_are_refused(program: Any, owner: fhe.KeyOwner) -> None:
    lower = owner.public(rotations=[1, 2, 4], level=0)
    with pytest.raises(LevelError, match="a key reaches up to level 0, the program needs it at 1"):
        program(lower.encrypt(np.ones((4, 8)), bound=1), np.ones(8))
