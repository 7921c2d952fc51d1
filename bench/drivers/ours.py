"""This library behind the protocol of `serve.py`. Arguments: CKKS or BFV, N, a target ("" is the best), threads."""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

import fhe
from bench.drivers.serve import peak_mebibytes, right_bits, serve
from bench.operations import CKKS_BITS, make_keys, operations, parameters, peak_memory, sizes

NAMES = {
    "add": "Add",
    "multiply": "Multiply",
    "relinearize": "Relinearize",
    "rescale": "Rescale",
    "product": "Multiply all",
    "multiply_plain": "Multiply plain",
    "rotate": "Rotate",
    "encode": "Encode",
    "encrypt": "Encrypt",
    "decrypt": "Decrypt",
    "decode": "Decode",
    "keys": "Keys",
}
POLYNOMIAL = np.polynomial.Polynomial([0.5, 0.197, 0.0, -0.004])
SIGMOID_LEVELS, COMPARISON_LEVELS = 4, 12


def facts(scheme: str, ring_degree: int, target: str, peak: dict[str, Any], bits: float) -> dict[str, Any]:
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
        "right_bits": bits,
        "peak_mebibytes": peak_mebibytes(),
    }


def array_calls(scheme: str, ring_degree: int, target: str) -> tuple[dict[str, Callable[[], Any]], float]:
    """What users call, on arrays that fill a ciphertext; and the bits of a product that are right."""
    owner = make_keys(parameters(scheme, ring_degree), target)
    if scheme == "BFV":
        numbers = np.arange(ring_degree) % 100
        x, bits = owner.encrypt(numbers, bound=(0, 99)), owner.encrypt(numbers % 2, bound=(0, 1))
        both = {
            "encode_encrypt": lambda: owner.encrypt(numbers, bound=(0, 99)),
            "decrypt_decode": lambda: owner.decrypt(x),
        }
        return both | {"dot": lambda: settled(bits @ bits)}, right_bits(owner.decrypt(x * x), numbers**2)
    values = np.arange(ring_degree // 2) % 100 / 100 - 0.5
    x, y = (owner.encrypt(values, bound=1) for _ in range(2))
    matrix = (3 * np.arange(128)[:, None] + np.arange(64)) % 100 / 100 - 0.5
    short, encoded = owner.encrypt(values[:128], bound=1), owner.encode_matrix(matrix.T)
    calls: dict[str, Callable[[], Any]] = {
        "encode_encrypt": lambda: owner.encrypt(values, bound=1),
        "decrypt_decode": lambda: owner.decrypt(x),
        "dot": lambda: settled(x @ y),
        "matvec": lambda: settled(encoded @ short),
        "polynomial": lambda: settled(fhe.evaluate(POLYNOMIAL, x)),
    }
    levels = len(CKKS_BITS[ring_degree][0]) - 1
    if levels >= SIGMOID_LEVELS:
        calls["sigmoid"] = lambda: settled(fhe.sigmoid(x, interval=4, degree=7))
    if levels >= COMPARISON_LEVELS:
        calls["comparison"] = lambda: settled(fhe.sign(x - y, margin=2.0**-6, error=2.0**-6))
    return calls, right_bits(owner.decrypt(x * y), values**2)


def settled(x: Any) -> Any:
    """With nothing left to do."""
    return x.settled()


def main(scheme: str, degree: str, target: str, threads: str) -> None:
    fhe.set_num_threads(int(threads))
    ring_degree = int(degree)
    found = operations(scheme, ring_degree, target)
    calls: dict[str, Callable[[], Any]] = {name: found[ours] for name, ours in NAMES.items()}
    peak = {name: peak_memory(call) for name, call in calls.items()}
    arrays, bits = array_calls(scheme, ring_degree, target)
    serve(calls | arrays, facts(scheme, ring_degree, target, peak, bits))


if __name__ == "__main__":
    main(*sys.argv[1:])
