"""One Python entry under atheris, which guides it by coverage: an entry's name, a corpus, libFuzzer's options."""

from __future__ import annotations

import atexit
import sys

import atheris

JUDGES = ["fhe.io", "fhe.rlwe.codec", "fhe.ring.codec", "fhe.arrays.codec", "fhe.arrays.composed", "fhe.form"]
JUDGES += ["fhe.arrays.bits_codec", "fhe.arrays.wide_codec", "fhe.arrays.layout", "fhe.parameters", "fhe.keyfile"]

with atheris.instrument_imports(include=[*JUDGES, "fhe.files", "fhe.describe", "fhe.moduli", "fhe.interval"]):
    from tests.fuzz import received

entry, *options = sys.argv[1:]
received.without_scrypt()
account = received.Account()
atheris.Setup([sys.argv[0], *options], lambda data: account.check(entry, data))
atexit.register(lambda: print(f"most allocated beyond 4 times the input: {account.most} bytes", file=sys.stderr))
atheris.Fuzz()
