"""Things in files: found again by what they say they are, written whole or not at all, refused when harmed."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given

import fhe
from fhe.backend.choose import choose
from fhe.errors import FHEError, FormatError, MissingKeyError, ParameterError
from fhe.io import files
from fhe.io.format import Container
from fhe.io.registry import to_bytes
from tests.codebase import ROOT
from tests.io.parties import SETS, agrees, owner_of, values_of
from tests.io.strategies import mangled

REFERENCE = choose("reference")
names = pytest.mark.parametrize("name", SETS)
TOY: Any = {"ring_degree": 64, "insecure": "a small ring for a test", "backend": "reference"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "thing.fhe"


@names
def test_contexts_come_back(name: str, path: Path) -> None:
    public = owner_of(name, REFERENCE).public(rotations=[1])
    fhe.save(path, public)
    assert path.read_bytes() == public.to_bytes()
    assert fhe.load(path, backend="reference").to_bytes() == public.to_bytes()


@names
def test_parameters_come_back(name: str, path: Path) -> None:
    fhe.save(path, SETS[name])
    assert fhe.load(path) == SETS[name]
    forgery = Container.from_bytes(path.read_bytes(), "parameters")
    forgery.content["parameters"]["ring_degree"] = 17
    path.write_bytes(forgery.to_bytes())
    with pytest.raises(ParameterError, match="power of two"):
        fhe.load(path)


@names
def test_arrays_find_the_context_of_their_key(name: str, path: Path, tmp_path: Path) -> None:
    owner = owner_of(name, REFERENCE, 71)
    values = values_of(owner, 20)
    fhe.save(path, owner.encrypt(values))
    with pytest.raises(MissingKeyError, match="no such context"):
        fhe.load(path)
    assert agrees(owner, fhe.load(path, owner), values)
    fhe.save(tmp_path / "keys.fhe", owner.public(rotations=[]))
    server = fhe.load(tmp_path / "keys.fhe", backend="reference")
    array = fhe.load(path)
    assert array.evaluator is server.evaluator
    assert agrees(owner, array, values)
    with pytest.raises(ParameterError, match="under key"):
        fhe.load(path, owner_of(name, REFERENCE, 72))


def test_what_is_made_of_arrays_comes_back(path: Path) -> None:
    wide = fhe.install(fhe.bfv(depth=1, value_bits=70, **TOY))
    money = fhe.install(fhe.bfv(depth=1, value_bits=30, decimals=2, **TOY))
    cases = [
        (wide, wide.encrypt([10**18, -3], bound=10**18)),
        (money, money.encrypt(["19.99", "5.00"], bound=100)),
        (money, money.encrypt_bits([5, 2], bits=3)),
    ]
    for owner, x in cases:
        fhe.save(path, x)
        read = fhe.load(path)
        assert type(read) is type(x)
        assert owner.decrypt(read).tolist() == owner.decrypt(x).tolist()


def test_storeys_are_not_piled_up() -> None:
    """Decimals of decimals of …: each a container in the other, refused at the second."""
    owner = fhe.bfv(depth=1, value_bits=30, decimals=2, **TOY)
    data = to_bytes(owner.encrypt(["1.00"], bound=2))
    for _ in range(2000):
        data = Container("decimals", {"places": 2}, {"integers": data}).to_bytes()
    with pytest.raises(FormatError, match="hold a 'decimals'"):
        owner.load(data)


def test_owners_and_secrets_go_by_their_own_name(path: Path) -> None:
    with pytest.raises(TypeError, match=r"owner\.public\(\).*save_secret_key"):
        fhe.save(path, owner_of("ckks", REFERENCE))
    with pytest.raises(TypeError, match="no format for list"):
        fhe.save(path, [1.0])
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("kind", ["note", "", "é"])
def test_other_kinds_are_refused(kind: str, path: Path) -> None:
    path.write_bytes(Container(kind, {}, {}).to_bytes())
    with pytest.raises(FormatError):
        fhe.load(path)


BLOBS = [
    to_bytes(SETS["ckks"]),
    owner_of("ckks", REFERENCE).public(rotations=[]).to_bytes(),
    owner_of("ckks", REFERENCE).encrypt(np.ones(3)).to_bytes(),
]


@given(mangled(BLOBS[0]) | mangled(BLOBS[1]) | mangled(BLOBS[2]))
def test_any_harm_is_seen(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "harmed.fhe"
    path.write_bytes(data)
    with pytest.raises(FHEError):
        fhe.load(path, owner_of("ckks", REFERENCE), backend="reference")


def test_a_file_that_was_cut_says_so(path: Path) -> None:
    for size in (0, 7, 100, len(BLOBS[1]) - 1):
        path.write_bytes(BLOBS[1][:size])
        with pytest.raises(FormatError, match="cut short"):
            fhe.load(path)
    with pytest.raises(FileNotFoundError):
        fhe.load(path.with_name("nowhere.fhe"))


# --- writing ----------------------------------------------------------------------------------------------------------


def test_a_new_file_takes_the_place_of_the_old(path: Path) -> None:
    path.write_bytes(b"old")
    files.write(path, b"new and longer")
    assert path.read_bytes() == b"new and longer"
    assert [found.name for found in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("mode", [files.PRIVATE, files.PUBLIC])
def test_a_file_has_its_mode_from_creation(path: Path, mode: int, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def fsync(descriptor: int) -> None:
        seen.append(stat.S_IMODE(os.fstat(descriptor).st_mode))

    monkeypatch.setattr(os, "fsync", fsync)
    before = os.umask(0o022)
    try:
        files.write(path, b"data", mode)
    finally:
        os.umask(before)
    assert seen[0] == mode & ~0o022 == stat.S_IMODE(path.stat().st_mode)


def test_a_full_disk_leaves_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_bytes(b"old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left on device; 3 bytes were not written.*thing\.fhe") as refused:
        files.write(path, b"new")
    assert refused.value.errno == errno.ENOSPC
    assert path.read_bytes() == b"old"
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_that_is_not_there(path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="not written"):
        files.write(path / "deeper", b"new")


def test_a_killed_save_leaves_the_old_file(path: Path) -> None:
    """Killed when all bytes are written and none is at its place yet."""
    path.write_bytes(b"old")
    code = (
        "import os, sys, signal; from fhe.io import files; "
        "os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIGKILL); files.write(sys.argv[1], b'new' * 1000)"
    )
    killed = subprocess.run([sys.executable, "-c", code, path], cwd=ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert path.read_bytes() == b"old"
