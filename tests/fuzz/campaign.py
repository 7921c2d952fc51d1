"""Fuzzing that goes on where it stopped: every entry in slices, until each has had its executions.

    make fuzz ARGS='--executions 1e7 --python-executions 1e6'
    python -m tests.fuzz.campaign unpack public --seconds 600     some entries, for so long
    python -m tests.fuzz.campaign --keep                          what was found into tests/fuzz/corpus, smallest first

What a crash, a hang or a wrong answer came from stays below build/fuzz, and ends the run with its path.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import re
import shutil
import subprocess
import sys
import time
import zlib
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from tests.codebase import ROOT
from tests.fuzz import build, received

KEPT: Final = build.HERE / "corpus"
LONGEST: Final = {"native": 1024, "python": 8192}
SLICE: Final = {"native": 400_000, "python": 20_000}
SMALL_ENOUGH: Final = 24_000  # bytes of each kept corpus
ENVIRONMENT: Final = {"ASAN_OPTIONS": "detect_leaks=0", "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}


class Entry:
    """One entry: how it is run, its corpus, and what has been done with it."""

    def __init__(self, name: str, command: Sequence[str], language: str) -> None:
        self.name, self.command, self.language = name, [*command], language
        self.folder = build.BUILT / "found" / name
        self.corpus = self.folder / "corpus"
        self.corpus.mkdir(parents=True, exist_ok=True)
        self._state = self.folder / "state.json"
        self.state: dict[str, Any] = {"executions": 0, "seconds": 0.0, "edges": 0, "beyond": 0}
        if self._state.exists():
            self.state |= json.loads(self._state.read_text())
        for data in kept(name) + (received.seeds(name) if language == "python" else []):
            self.add(data)

    def add(self, data: bytes) -> None:
        (self.corpus / sha256(data).hexdigest()[:40]).write_bytes(data)

    def run(self, *options: str) -> subprocess.CompletedProcess[str]:
        longest = f"-max_len={LONGEST[self.language]}"
        command = [*self.command, *options, longest, "-timeout=1", f"-artifact_prefix={self.folder}/"]
        return subprocess.run(
            command,
            cwd=ROOT,
            env=os.environ | ENVIRONMENT,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )

    def slice(self, executions: int) -> str | None:
        """So many executions more; the path of what was found, if anything was."""
        start, seed = time.monotonic(), 1 + self.state["executions"] % (1 << 31)
        ran = self.run(str(self.corpus), f"-runs={executions}", f"-seed={seed}", "-print_final_stats=1")
        found = re.search(r"Test unit written to (.+)", ran.stderr)
        if found and Path(found[1]).name.startswith("timeout-") and self.run(found[1]).returncode == 0:
            Path(found[1]).unlink()  # a busy machine
        elif ran.returncode or found:
            (self.folder / "last.log").write_text(ran.stderr[-20000:])
            return found[1] if found else str(self.folder / "last.log")
        done = re.search(r"number_of_executed_units: (\d+)", ran.stderr)
        self.state["executions"] += int(done[1]) if done else 0
        self.state["seconds"] += time.monotonic() - start
        self.state["edges"] = max([self.state["edges"], *map(int, re.findall(r"cov: (\d+)", ran.stderr))])
        self.state["beyond"] = max(
            [self.state["beyond"], *map(int, re.findall(r"the input: (-?\d+) bytes", ran.stderr))]
        )
        self._state.write_text(json.dumps(self.state))
        return None

    def keep(self) -> int:
        """The inputs that reach all that was reached, as few as do, the smallest first, into the kept corpus.

        libFuzzer finds the few; under atheris, where it does not, all that it kept are taken.
        """
        fewest = self.folder / "fewest"
        shutil.rmtree(fewest, ignore_errors=True)
        fewest.mkdir()
        if self.language == "native":
            merged = self.run("-merge=1", str(fewest), str(self.corpus))
            assert merged.returncode == 0, merged.stderr[-2000:]
        found = {path.read_bytes() for path in (fewest if self.language == "native" else self.corpus).iterdir()}
        chosen: list[str] = []
        for data in sorted(found, key=lambda data: (len(data), data)):
            line = base64.b85encode(packed(data)).decode()
            if sum(map(len, chosen)) + len(line) > SMALL_ENOUGH:
                break
            chosen.append(line)
        KEPT.mkdir(exist_ok=True)
        (KEPT / f"{self.name.replace(', ', '-')}.b85").write_text("".join(f"{line}\n" for line in chosen))
        return len(chosen)

    def report(self) -> str:
        state, rate = self.state, self.state["executions"] / max(self.state["seconds"], 1)
        inputs = sum(1 for _ in self.corpus.iterdir())
        return (
            f"{self.name:<18} {state['executions']:>12,} executions {rate:>9,.0f}/s {state['edges']:>6} edges "
            f"{inputs:>5} inputs {state['beyond']:>9,} bytes beyond 4x"
        )


# What files begin with, for the compressor; kept corpora can be read with this text alone.
RESEMBLED: Final = (
    b'"strides":[1],"offset":0,"repeats":[],"seed":null,"scale":1.0,"noise":1.0,"bound":1.0,"relinearization":{"level":2,'
    b'{"__metadata__":{"format":"fhe","version":"1","kind":"array","digest":"","content":"{\\"clean\\":true,\\"dtype\\":'
    b'\\"float64\\",\\"key_id\\":\\"","shape":[504],"data_offsets":[0,504]}}'
)


def packed(data: bytes) -> bytes:
    deflater = zlib.compressobj(9, wbits=-15, zdict=RESEMBLED)
    return deflater.compress(data) + deflater.flush()


def kept(name: str) -> list[bytes]:
    """The kept inputs of an entry."""
    path = KEPT / f"{name.replace(', ', '-')}.b85"
    lines = path.read_text().splitlines() if path.exists() else []
    return [zlib.decompressobj(wbits=-15, zdict=RESEMBLED).decompress(base64.b85decode(line)) for line in lines]


def entries(names: Sequence[str]) -> list[Entry]:
    """Those of these names, or all that can be run here."""
    compiler, found = build.clang(), []
    if compiler and (not names or set(names) & set(build.ENTRIES)):
        found = [Entry(name, [str(path)], "native") for name, path in build.build(compiler).items()]
    elif not compiler:
        print("no clang with libFuzzer here (apt install clang): the C++ entries are left out")
    python = os.environ.get("FHE_FUZZ_PYTHON", sys.executable)
    if subprocess.run([python, "-c", "import atheris"], capture_output=True, check=False).returncode == 0:
        found += [Entry(name, [python, "-m", "tests.fuzz.under_atheris", name], "python") for name in received.ENTRIES]
    else:
        print("no atheris here (pip install atheris): the Python entries are left out")
    return [entry for entry in found if not names or entry.name in names]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help=f"of {', '.join((*build.ENTRIES, *received.ENTRIES))}")
    parser.add_argument("--executions", type=float, default=1e7, help="of each C++ entry (1e7)")
    parser.add_argument("--python-executions", type=float, default=1e6, help="of each Python entry (1e6)")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="after which no slice is begun")
    parser.add_argument("--keep", action="store_true", help="write the kept corpora anew, and end")
    arguments = parser.parse_args()
    wanted = {"native": int(arguments.executions), "python": int(arguments.python_executions)}
    received.without_scrypt()
    end, running = time.monotonic() + arguments.seconds, entries(arguments.names)
    if arguments.keep:
        print("\n".join(f"{entry.name}: {entry.keep()} inputs kept" for entry in running))
        return
    while left := [entry for entry in running if entry.state["executions"] < wanted[entry.language]]:
        for entry in left:
            if time.monotonic() > end:
                break
            missing = wanted[entry.language] - entry.state["executions"]
            if finding := entry.slice(min(SLICE[entry.language], missing)):
                raise SystemExit(f"{entry.name}: {finding}\nwhat happened: {entry.folder / 'last.log'}")
        else:
            continue
        break
    print("\n".join(entry.report() for entry in running))


if __name__ == "__main__":
    main()
