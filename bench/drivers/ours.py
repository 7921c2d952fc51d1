"""This library's schemes behind the protocol of `serve.py`. Arguments: CKKS or BFV, N, a target ("" is the best)."""

import sys
from collections.abc import Callable
from typing import Any

import fhe
from bench.drivers.serve import serve
from bench.operations import make_keys, operations, parameters, peak_memory, sizes

NAMES = {
    "add": "Add",
    "multiply": "Multiply all",
    "multiply_plain": "Multiply plain",
    "rotate": "Rotate",
    "encode": "Encode",
    "encrypt": "Encrypt",
    "decode": "Decode",
    "keys": "Keys",
}


def facts(scheme: str, ring_degree: int, target: str, peak: dict[str, Any]) -> dict[str, Any]:
    chosen = parameters(scheme, ring_degree)
    owner = make_keys(chosen, target)
    return {
        "library": f"fhe {fhe.__version__} {owner.chain.backend.target}",
        "log_qp": round(chosen.log_qp),
        "limbs": len(chosen.moduli()),
        "special": len(chosen.special),
        "levels": chosen.max_level,
        "digits": len(chosen.digits(chosen.max_level)),
        "bytes": sizes(owner),
        "peak_bytes": peak,
    }


def main(scheme: str, degree: str, target: str) -> None:
    fhe.set_num_threads(1)
    ring_degree = int(degree)
    found = operations(scheme, ring_degree, target)
    calls: dict[str, Callable[[], Any]] = {name: found[ours] for name, ours in NAMES.items()}
    calls["encode_encrypt"] = lambda: (found["Encode"](), found["Encrypt"]())
    calls["decrypt_decode"] = lambda: (found["Decrypt"](), found["Decode"]())
    serve(calls, facts(scheme, ring_degree, target, {name: peak_memory(call) for name, call in calls.items()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
