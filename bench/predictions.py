"""What the model of `fhe.costs` says of the operations that are measured, by their names in `operations.py`."""

from __future__ import annotations

from typing import Any

from fhe import costs
from fhe.parameters import BFVParameters, Parameters


def chain_bits(parameters: Parameters, level: int | None = None) -> tuple[list[int], list[int]]:
    """The bits of the primes of Q_l and of P."""
    level = parameters.max_level if level is None else level
    return [q.bit_length() for q in parameters.moduli(level)], [p.bit_length() for p in parameters.special]


def predicted(parameters: Parameters, machine: costs.Machine = costs.ZEN5) -> dict[str, Any]:
    """Cycles of every operation at the highest level."""
    N, digit, m = parameters.ring_degree, parameters.digit, machine
    q, p = chain_bits(parameters)
    found = {
        "Add": costs.addition(N, q, m),
        "Relinearize": costs.relinearization(N, q, p, digit, m),
        "Rescale": costs.rescaling(N, q, machine=m),
        "Multiply plain": costs.plain_product(N, q, m),
        "Rotate": costs.rotation(N, q, p, digit, m),
        "Encrypt": costs.encryption(N, q, p[0], m),
        "Decrypt": costs.decryption(N, q, m),
    }
    if isinstance(parameters, BFVParameters):
        t = parameters.plain_modulus.bit_length()
        return found | {
            "Multiply": costs.tensor_bfv(N, q, p, m),
            "Relinearize": costs.relinearization_bfv(N, q, p, digit, m),
            "Multiply all": costs.product_bfv(N, q, p, digit, m),
            "Encode": costs.encoding_bfv(N, q, t, m),
            "Decode": costs.decoding_bfv(N, q, t, m),
        }
    return found | {
        "Multiply": m.step + costs.Seam(N, m).tensor(q),
        "Multiply all": costs.product_ckks(N, q, p, digit, machine=m),
        "Encode": costs.encoding_ckks(N, q, m),
        "Decode": costs.decoding_ckks(N, q, m),
    }
