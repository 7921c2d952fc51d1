"""The owner of a program believes no sender: whatever a reply says of itself is forged, and nothing comes of it."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from typing import Any

import numpy as np
import pytest

import fhe
from fhe.errors import EncodingError, FHEError, FormatError, NoiseError, ParameterError, ValueOverflowError
from fhe.io.format import Container
from fhe.owner import KeyOwner
from fhe.programs.program import Program
from tests.io.parties import forged, with_entry

TOY: Any = {"ring_degree": 1024, "insecure": "a small ring for a test"}
REALS, INTEGERS, WEIGHTS = np.array([0.5, -0.25, 1.0]), np.array([5, -7, 11]), np.array([2.0, -3.0, 0.5])


@cache
def compiled(scheme: str, stored: bool) -> Program:
    """A program with a plain argument, as it was compiled or as it was read from a file."""
    if scheme == "ckks":
        x, w = fhe.spec(3, bound=1), fhe.spec(3, bound=4, encrypted=False)
        program = fhe.compile(lambda x, w: x * x * w, x, w, precision=1e-3, publish=(6, 1000), **TOY)
    else:
        x, w = fhe.spec(3, bound=20, dtype=int), fhe.spec(3, bound=(-5, 9), dtype=int, encrypted=False)
        program = fhe.compile(lambda x, w: x * x * w, x, w, **TOY)
    return Program.from_bytes(program.to_bytes()) if stored else program


@cache
def owner_of(scheme: str) -> KeyOwner:
    return compiled(scheme, False).keygen()


@cache
def answered(scheme: str) -> tuple[bytes, Any]:
    """An honest reply, and what it holds."""
    owner = owner_of(scheme)
    server = fhe.Context.from_bytes(owner.public().to_bytes())
    values, weights = (REALS, WEIGHTS) if scheme == "ckks" else (INTEGERS, np.array([2, -5, 9]))
    reply = compiled(scheme, True)(server.load(owner.encrypt(values).to_bytes()), weights)
    return reply.to_bytes(), values * values * weights


def is_right(found: Any, exact: Any) -> bool:
    close = 1e-3 if exact.dtype.kind == "f" else 0
    return bool(found.shape == exact.shape and found.dtype == exact.dtype and np.max(np.abs(found - exact)) <= close)


@pytest.fixture(params=["compiled", "stored"])
def stored(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "stored")


@pytest.fixture(params=["ckks", "bfv"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_an_honest_reply_is_decrypted(scheme: str, stored: bool) -> None:
    data, exact = answered(scheme)
    program, owner = compiled(scheme, stored), owner_of(scheme)
    for reply in (data, memoryview(data), owner.load(data)):
        assert is_right(program.decrypt(owner, reply), exact)


MISLEADING: dict[str, list[dict[str, Any]]] = {  # plain `decrypt` gives other values, of these claims
    "ckks": [{"scale": 0.7}, {"scale": 0.5}],
    "bfv": [{"interval": [0, 1000]}, {"interval": [300, 1000]}],
}
HARMLESS: list[dict[str, Any]] = [{"bound": 1e-9}, {"bound": 0.0}, {"noise": 0.0}, {"noise": 1.0, "bound": 1e-9}]


def claiming(scheme: str, claims: dict[str, Any]) -> bytes:
    """The honest reply, with other claims of its ciphertext; a scale is said as a factor."""
    data, _ = answered(scheme)
    for name, value in claims.items():
        own = owner_of(scheme).load(data).shards[0].scale
        data = with_entry(data, "array", ("shards", 0, name), value * own if name == "scale" else value)
    return data


@pytest.mark.parametrize("case", range(len(HARMLESS) + 2))
def test_claims_of_a_ciphertext_are_overridden(scheme: str, stored: bool, case: int) -> None:
    program, owner, (_, exact) = compiled(scheme, stored), owner_of(scheme), answered(scheme)
    misleading = case < len(MISLEADING[scheme])
    claims = MISLEADING[scheme][case] if misleading else HARMLESS[case - len(MISLEADING[scheme])]
    data = claiming(scheme, claims)
    with suppress(ValueOverflowError):  # where values and claims contradict each other
        assert is_right(owner.decrypt(owner.load(data)), exact) is not misleading
    assert is_right(program.decrypt(owner, data), exact)
    if scheme == "ckks":
        assert np.max(np.abs(program.decrypt_public(owner, data) - exact)) < 2.0**-6


@pytest.mark.parametrize("level", [0, 1, 2, 7])
def test_a_forged_level_is_refused(scheme: str, stored: bool, level: int) -> None:
    program, owner, (data, _) = compiled(scheme, stored), owner_of(scheme), answered(scheme)
    honest = owner.load(data).shards[0].level
    if level != honest:
        with pytest.raises(FormatError, match=r"level|bytes, not"):
            program.decrypt(owner, with_entry(data, "array", ("shards", 0, "level"), level))


def test_a_lower_level_with_bytes_that_fit_is_refused_or_means_the_same() -> None:
    """In CKKS values would be off by the quotient of scales; in BFV there is nothing but noise, which is measured."""
    for scheme in ("ckks", "bfv"):
        program, owner = compiled(scheme, False), owner_of(scheme)
        values, weights = (REALS, WEIGHTS) if scheme == "ckks" else (INTEGERS, np.array([2, -5, 9]))
        x = owner.encrypt(values)
        fresh = program(x, weights).settled()
        higher = fresh if fresh.level else x
        dropped = higher.like([shard.at_level(higher.level - 1) for shard in higher.shards], higher.layout)
        with pytest.raises((ParameterError, NoiseError), match=r"another program's|too close to where"):
            program.decrypt(owner, dropped)
    exact = compiled("bfv", False)
    result = exact(owner_of("bfv").encrypt(INTEGERS), np.array([1, 1, 1])).settled()
    evaluator: Any = result.evaluator
    if result.level:
        lowered = result.map(lambda shard: evaluator.mod_switch(shard, 0))
        assert exact.decrypt(owner_of("bfv"), lowered).tolist() == [25, 49, 121]


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ({"shape": [2], "strides": [1]}, "has shape"),
        ({"shape": [3, 1], "strides": [1, 0]}, "has shape"),
        ({"strides": [2], "repeats": []}, "has layout"),
        ({"offset": 1}, "has layout"),
        ({"clean": None}, "has layout"),
        ({"repeats": []}, "has layout"),
        ({"dtype": "complex128"}, "has dtype"),
        ({"key_id": "00" * 16}, "is under key"),
        ({"parameters": "00" * 32}, "is of parameter set"),
        ({"slots": 256}, "entry slots"),
    ],
    ids=str,
)
def test_claims_of_an_array_are_refused(scheme: str, stored: bool, entries: dict[str, Any], says: str) -> None:
    program, owner, (data, _) = compiled(scheme, stored), owner_of(scheme), answered(scheme)
    honest = owner.load(data).layout
    for name, value in entries.items():
        data = with_entry(data, "array", (name,), not honest.clean if name == "clean" else value)
    wrong_scheme = "dtype" in entries and scheme == "bfv"
    with pytest.raises((ParameterError, FormatError), match="entry dtype" if wrong_scheme else says):
        program.decrypt(owner, data)


def test_ciphertexts_more_or_fewer_are_refused(scheme: str) -> None:
    program, owner, (data, _) = compiled(scheme, False), owner_of(scheme), answered(scheme)

    def twice(content: dict[str, Any], sections: dict[str, bytes]) -> None:
        content["shards"] *= 2
        sections["shard.1"] = sections["shard.0"]

    with pytest.raises(FHEError):
        program.decrypt(owner, forged(data, "array", twice))


def test_noise_that_is_not_what_it_says_is_refused() -> None:
    """BFV measures it; in CKKS it is part of the value, and nobody can tell."""
    program, owner, (data, _) = compiled("bfv", False), owner_of("bfv"), answered("bfv")
    x = owner.load(data)
    (shard,) = x.shards
    c0, c1 = shard.coeffs()
    spike = type(c0).from_int64(c0.basis, np.eye(1, 1024, dtype=np.int64)[0])
    noisy = spike.scale(int(2 ** (owner.evaluator.limit(shard.level) - 1)))  # type: ignore[union-attr]
    with pytest.raises(NoiseError, match="too close to where decryption fails"):
        program.decrypt(owner, x.like([shard.with_polys((c0 + noisy, c1))], x.layout))


def test_another_owner_or_another_arrangement_is_refused() -> None:
    program, owner, (data, _) = compiled("ckks", False), owner_of("ckks"), answered("ckks")
    with pytest.raises(ParameterError, match="keys for other parameters"):
        program.decrypt(owner_of("bfv"), data)
    with pytest.raises(ParameterError, match="is under key"):
        program.decrypt(program.keygen(), data)
    with pytest.raises(ParameterError, match="belongs to key"):
        program.decrypt(program.keygen(), owner.load(data))
    several = fhe.compile(lambda x: {"a": (x.sum(), x + 1)}, fhe.spec(3, bound=5, dtype=int), **TOY)
    its = several.keygen()
    a, b = several(its.encrypt([1, 2, 3]))["a"]
    found = several.decrypt(its, {"a": [a.to_bytes(), b]})
    assert isinstance(found["a"], tuple)
    assert found["a"][0] == 6
    assert found["a"][1].tolist() == [2, 3, 4]
    for reply in (a, (a, b), {"b": (a, b)}, {"a": (a, b, b)}, {"a": a}):
        with pytest.raises(ParameterError, match="this program returns"):
            several.decrypt(its, reply)
    with pytest.raises(ParameterError, match="another program's"):
        several.decrypt(its, {"a": (b, a)})


def test_what_is_published_is_hidden_by_ones_own_bound() -> None:
    program, owner, (data, exact) = compiled("ckks", False), owner_of("ckks"), answered("ckks")
    with pytest.raises(ParameterError, match="somebody's claim"):
        owner.decrypt_public(owner.load(data))
    before = owner.published
    assert np.max(np.abs(program.decrypt_public(owner, data) - exact)) < 2.0**-6
    assert owner.published == before + 3


@pytest.mark.parametrize("scheme", ["ckks", "bfv"])
def test_a_reply_tells_nothing_of_plain_values_but_in_its_ciphertexts(scheme: str) -> None:
    """Scale, level, bounds and noise are what was foretold, hidden or not."""
    program, owner = compiled(scheme, False), owner_of(scheme)
    x = owner.encrypt(REALS if scheme == "ckks" else INTEGERS)
    said = []
    for weights in ([4, -4, 2], [1, 1, 1], [-1, 3, 0]):
        content = Container.from_bytes(program(x, np.array(weights)).to_bytes(), "array").content
        said.append([{name: shard[name] for name in shard} for shard in content["shards"]])
    assert said[0] == said[1] == said[2]


# --- plain arguments, that nobody knows who predicts ------------------------------------------------------------------


@pytest.mark.parametrize("w", [4.0, -4.0, 2, 0.3, 1 / 3, -1e-3, 1.0])
def test_plain_numbers_take_the_same_level_whatever_they_are(w: float) -> None:
    x = fhe.spec(3, bound=1)
    for function in (lambda x, w: x * w, lambda x, w: x / w):
        program = fhe.compile(
            function, x, fhe.spec((), bound=(1e-4, 4) if w > 0 else (-4, -1e-4), encrypted=False), **TOY
        )
        owner = program.keygen()
        reply = program(owner.encrypt(REALS), w).to_bytes()
        assert np.allclose(program.decrypt(owner, reply), function(REALS, w), atol=1e-2 if abs(w) > 0.1 else 1)


@pytest.mark.parametrize("seed", range(4))
def test_what_is_foretold_holds_for_any_plain_values(seed: int) -> None:
    rng = np.random.default_rng(seed)
    w = fhe.spec((4, 4), bound=(-1, 3), encrypted=False)
    program = fhe.compile(lambda x, w: (x * (w - w.mean())).sum(axis=0) + (x @ w), fhe.spec(4, bound=1), w, **TOY)
    owner = program.keygen()
    for values in (rng.uniform(-1, 3, (4, 4)), rng.choice([-1.0, 3.0], (4, 4)), np.full((4, 4), 3.0)):
        (shard,), (known,) = program(owner.encrypt(REALS[[0, 1, 2, 0]]), values).shards, program.trial.outputs[0].shards
        assert (shard.level, shard.degree, shard.scale) == (known.level, known.degree, known.scale)
        assert shard.bound <= known.bound * (1 + 1e-9)
        assert shard.noise <= known.noise * (1 + 1e-9)


def test_integers_of_any_plain_values_fit_what_is_foretold() -> None:
    def function(x: Any, w: Any) -> Any:
        return x * (w - 4) + (x * w).sum() + w

    x, w = fhe.spec(512, bound=(0, 5), dtype=int), fhe.spec(512, bound=(-3, 9), dtype=int, encrypted=False)
    program = fhe.compile(function, x, w, **TOY)
    owner, rng = program.keygen(), np.random.default_rng(1)
    data = rng.integers(0, 6, 512)
    for values in (np.full(512, -3), np.full(512, 9), rng.integers(-3, 10, 512), rng.choice([-3, 9], 512)):
        result = program(owner.encrypt(data), values)
        assert np.array_equal(program.decrypt(owner, result.to_bytes()), function(data, values))
        said, known = result.shards[0].interval, program.trial.outputs[0].shards[0].interval
        assert known.low <= said.low <= said.high <= known.high  # type: ignore[union-attr, operator]


def test_plain_values_without_bounds_are_refused_when_they_are_planned() -> None:
    with pytest.raises(EncodingError, match=r"nothing bounds what np\.divide makes of plain arguments"):
        fhe.compile(lambda x, w: x / w, fhe.spec(3, bound=1), fhe.spec(3, bound=1, encrypted=False), **TOY)
