"""Every entry that sees foreign bytes, under the sanitizers: all inputs that were kept, and some new ones."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.fuzz import received
from tests.fuzz.build import ENTRIES, build, clang
from tests.fuzz.campaign import KEPT, kept
from tests.io.parties import SETS

pytestmark = pytest.mark.wide
NEW = 30_000


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The C++ entries as any compiler builds them: they take the inputs' files."""
    compiler = shutil.which("c++")
    assert compiler, "no compiler"
    return build(compiler, tmp_path_factory.mktemp("replay"), fuzzer=False)


@pytest.fixture(scope="module")
def fuzzers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    if not (compiler := clang()):
        pytest.skip("needs clang with libFuzzer (Debian, Ubuntu: apt install clang)")
    return build(compiler, tmp_path_factory.mktemp("fuzzers"))


def finished(*command: str | Path) -> str:
    ran = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, timeout=600)
    assert ran.returncode == 0, ran.stderr[-3000:]
    return ran.stdout + ran.stderr


def inputs(name: str, folder: Path) -> list[Path]:
    """The kept inputs of an entry as files."""
    paths = [folder / str(number) for number, _ in enumerate(kept(name))]
    for path, data in zip(paths, kept(name), strict=True):
        path.write_bytes(data)
    return paths


@pytest.mark.parametrize("name", ENTRIES)
def test_kept_inputs(name: str, programs: dict[str, Path], tmp_path: Path) -> None:
    paths = inputs(name, tmp_path)
    assert len(paths) > 20
    assert len(paths) > 20
    assert f"{len(paths)} inputs" in finished(programs[name], *paths)


@pytest.mark.parametrize("name", ENTRIES)
def test_new_inputs(name: str, fuzzers: dict[str, Path], tmp_path: Path) -> None:
    inputs(name, tmp_path)
    shown = finished(fuzzers[name], tmp_path, f"-runs={NEW}", "-seed=1", "-timeout=5", f"-artifact_prefix={tmp_path}/")
    assert f"Done {NEW} runs" in shown


@pytest.mark.parametrize("name", received.ENTRIES)
def test_kept_inputs_of_python(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(received.sealed, "_key", received.quick_key)
    account = received.Account(every=1)
    for data in [*received.seeds(name), *kept(name)]:
        account.check(name, data)
    assert account.executions > 10


def test_wrong_readers_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that takes much memory, one that believes, and one that fails in a way that nobody promised."""
    data = received.RAW + received.seeds("parameters")[0][1:]
    greedy = bytearray(3_000_000)
    for wrong, raised in [
        (lambda data: received.parameters_from_bytes(bytes(greedy)[:0] + data) if bytes(greedy) else None, "bytes for"),
        (lambda data: SETS["bfv"], "written as it came"),
        (lambda data: 1 // 0, "division"),
    ]:
        monkeypatch.setattr(received, "reader", lambda entry, wrong=wrong: wrong)
        with pytest.raises((AssertionError, ZeroDivisionError), match=raised):
            received.Account(every=1).check("parameters", data)


def test_corpora_are_small() -> None:
    sizes = {path.name: path.stat().st_size for path in KEPT.iterdir()}
    assert len(sizes) == len(ENTRIES) + len(received.ENTRIES)
    assert max(sizes.values()) < 100_000
