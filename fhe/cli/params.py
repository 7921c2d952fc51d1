"""``fhe params``: the parameters that a computation gets, and what depth costs."""

from __future__ import annotations

import argparse
from typing import Any

from fhe.cli.common import add_choice, chosen, command, show, table, whole
from fhe.costs import key_bytes
from fhe.errors import ParameterError
from fhe.parameters import Parameters

MORE = """\
examples:
  fhe params --scheme ckks --depth 4                    one set, as fhe.ckks(depth=4) chooses it
  fhe params --scheme bfv --value-bits 40 --depth 1-6   a table: what more depth costs
"""
HEAD = ("depth", "N", "slots", "log2(QP)", "primes", "digits", "MiB a key", "security")


def add_to(commands: Any) -> None:
    """Declare the command."""
    parser = command(commands, "params", run, "the parameters that a computation gets", MORE)
    add_choice(parser)
    parser.add_argument(
        "--depth",
        type=_depths,
        default=range(1, 2),
        help="multiplications in a row, or a range, 1-8 (default: 1)",
    )


def _depths(text: str) -> range:
    first, dash, last = text.partition("-")
    depths = range(whole(first), whole(last if dash else first) + 1)
    if not depths:
        raise argparse.ArgumentTypeError(f"a range of depths goes up, such as 1-8, not {text}")
    return depths


def run(options: argparse.Namespace) -> int:
    """Print one set, or a table of those that exist."""
    if len(options.depth) == 1:
        parameters = chosen(options, options.depth[0])
        show(options.json, _described(parameters), parameters.summary())
        return 0
    found: dict[int, Parameters] = {}
    for depth in options.depth:
        try:
            found[depth] = chosen(options, depth)
        except ParameterError:
            if not found:
                raise
            break  # deeper ones fit still less
    rows = [_row(depth, parameters) for depth, parameters in found.items()]
    described = [{"depth": depth} | _described(parameters) for depth, parameters in found.items()]
    show(options.json, {"choices": described}, table(HEAD, rows))
    return 0


def _described(parameters: Parameters) -> dict[str, Any]:
    return parameters.to_dict() | {
        "log_q": parameters.log_q,
        "log_qp": parameters.log_qp,
        "security_bits": parameters.security_bits,
        "id": parameters.id,
    }


def _row(depth: int, parameters: Parameters) -> list[str]:
    top, N = parameters.max_level, parameters.ring_degree
    limbs, special = parameters.limbs(top), len(parameters.special)
    slots = N // 2 if parameters.scheme == "ckks" else N
    size = key_bytes(N, limbs, special, parameters.digit) / 2**20
    security = str(parameters.security_bits) if parameters.is_secure else "none"
    key = [f"{limbs}+{special}", str(len(parameters.digits(top))), f"{size:.1f}"]
    return [str(depth), str(N), str(slots), f"{parameters.log_qp:.0f}", *key, security]
