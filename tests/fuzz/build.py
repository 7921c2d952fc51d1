"""The fuzzed entries of the core as programs: of libFuzzer where clang is, or such as replay what is known."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from tests.codebase import ROOT
from tests.compiled import Compiler, core

ENTRIES: Final = ("unpack", "load", "sample", "key", "residues", "basis")
HERE, BUILT = ROOT / "tests" / "fuzz", ROOT / "build" / "fuzz"
# clang does not define the macro, with which the pool of the core gives blocks back rather than keep them.
WATCHED: Final = ["-O2", "-fno-sanitize-recover=all", "-D__SANITIZE_ADDRESS__"]
CLANGS: Final = ["clang++", *(f"clang++-{version}" for version in range(22, 13, -1))]


def clang() -> str | None:
    """A clang that links with libFuzzer, if there is one: ``FHE_CLANG``, or a usual name."""
    for name in filter(shutil.which, [os.environ.get("FHE_CLANG", ""), *CLANGS]):
        probe = 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }'
        command = [name, "-fsanitize=fuzzer,address,undefined", "-x", "c++", "-", "-o", os.devnull]
        if subprocess.run(command, input=probe, text=True, capture_output=True, check=False).returncode == 0:
            return name
    return None


def build(compiler: str, folder: Path = BUILT, *, fuzzer: bool = True) -> dict[str, Path]:
    """The programs of all entries: with libFuzzer, or such as take the inputs' files as arguments."""
    seen, linked = ("fuzzer-no-link,", "fuzzer,") if fuzzer else ("", "")
    sanitizers = "address,undefined"
    made = Compiler(compiler, folder, [*WATCHED, f"-I{HERE}", f"-fsanitize={seen}{sanitizers}"], [HERE / "entry.hpp"])
    more = [HERE / "entry.cpp"] if fuzzer else [HERE / "entry.cpp", HERE / "replay.cpp"]
    shared, own = made.objects([*core(), *more]), made.objects([HERE / f"{name}.cpp" for name in ENTRIES])
    return {
        name: made.program(name, [*shared, main], f"-fsanitize={linked}{sanitizers}")
        for name, main in zip(ENTRIES, own, strict=True)
    }
