"""Killed, interrupted, out of disk, out of memory: what was there is as it was, and what is left can be used."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.codebase import ROOT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="signals and limits as Linux has them")


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finished(code: str, *arguments: object) -> str:
    process = start(code, *arguments)
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors[-2000:]
    return out


SAVING = """
import sys, fhe
parameters = fhe.CKKSParameters(ring_degree=2**12, modulus_bits=[36, 30], special_bits=[36])
owner = fhe.KeyOwner(parameters)
x = owner.encrypt([1.0] * 200_000, bound=1)
fhe.save(sys.argv[1], x)
print("saved", flush=True)
while True:
    fhe.save(sys.argv[1], x)
"""


def test_killed_while_saving_the_old_file_or_the_new_is_whole(tmp_path: Path) -> None:
    """At whatever moment: the same array over and over, killed somewhere in it."""
    import fhe  # noqa: PLC0415

    path = tmp_path / "x.fhe"
    for moment in (0.0, 0.013, 0.037):
        process = start(SAVING, path)
        assert process.stdout
        assert process.stdout.readline() == "saved\n"
        time.sleep(moment)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        assert fhe.io.format.Container.from_bytes(path.read_bytes(), "array").sections


FULL = """
import resource, signal, sys, fhe
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write beyond the limit fails, rather than to end the process
owner = fhe.ckks(depth=1, ring_degree=1024, insecure="a small ring for a test")
fhe.save(sys.argv[1], owner.encrypt([1.0]))
before = open(sys.argv[1], "rb").read()
resource.setrlimit(resource.RLIMIT_FSIZE, (len(before), len(before)))
try:
    fhe.save(sys.argv[1], owner.encrypt([1.0] * 5000))
except OSError as error:
    print(error)
assert open(sys.argv[1], "rb").read() == before
assert owner.decrypt(fhe.load(sys.argv[1], owner)).round(3).tolist() == [1.0]
"""


def test_no_room_for_the_file(tmp_path: Path) -> None:
    said = finished(FULL, tmp_path / "x.fhe")
    assert "File too large" in said
    assert "bytes were not written, and what was there before is as it was" in said
    assert [path.name for path in tmp_path.iterdir()] == ["x.fhe"]


LONG = """
import signal, time, numpy as np, fhe
signal.signal(signal.SIGINT, signal.default_int_handler)  # where tests run in the background it is ignored
owner = fhe.ckks(depth=3, ring_degree=2**13)
x = owner.encrypt(np.linspace(-1, 1, 2**12), bound=1)
x * x
print("ready", flush=True)
started = time.monotonic()
try:
    while time.monotonic() < started + 30:
        (x * x).settled()
except KeyboardInterrupt:
    print("interrupted", flush=True)
np.testing.assert_allclose(owner.decrypt(x * x), np.linspace(-1, 1, 2**12) ** 2, atol=1e-4)
print("usable", flush=True)
"""


def test_an_interrupt_is_prompt_and_leaves_objects_usable() -> None:
    process = start(LONG)
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.2)
    sent = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "interrupted\n"
    assert time.monotonic() - sent < 2  # one native operation takes milliseconds; the rest is a busy machine
    out, errors = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "usable\n"), errors[-2000:]


STARVED = """
import resource, numpy as np, fhe
owner = fhe.ckks(depth=3, ring_degree=2**14)
x = owner.encrypt(np.ones(4), bound=1)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (192 << 20), -1))
kept = []
try:
    while len(kept) < 2000:
        kept.append(x + x)
    print("never")
except MemoryError:
    kept.clear()
    print("refused")
assert abs(owner.decrypt(x + x) - 2).max() < 1e-5
print("usable")
"""


def test_out_of_memory_is_a_memory_error() -> None:
    assert finished(STARVED) == "refused\nusable\n"


@pytest.mark.parametrize("size", [0, 1, 7, 8, 100, -1])
def test_truncated_files_say_so(tmp_path: Path, size: int) -> None:
    import fhe  # noqa: PLC0415

    path = tmp_path / "x.fhe"
    owner = fhe.ckks(depth=1, ring_degree=64, insecure="a small ring for a test", backend="reference")
    fhe.save(path, owner.encrypt([1.0]))
    os.truncate(path, size % path.stat().st_size)
    with pytest.raises(fhe.FormatError, match="cut short"):
        fhe.load(path, owner)
