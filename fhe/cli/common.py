"""What the commands share: how they are declared, and how they print."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from fhe.choice import choose_bfv, choose_ckks
from fhe.parameters import Parameters

Command = Callable[[argparse.Namespace], int]
MISUSED = 2


class Parser(argparse.ArgumentParser):
    """One that says what is wrong and where to read more, instead of all options at once."""

    def error(self, message: str) -> NoReturn:
        self.exit(MISUSED, f"{self.prog}: {message.removeprefix('argument ')}\n`{self.prog} --help` says more\n")


def command(commands: Any, name: str, run: Command, text: str, more: str = "") -> argparse.ArgumentParser:
    """A command that knows ``--json`` and ``--help``; ``more`` stands below its options."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog=more,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.set_defaults(command=run, parser=parser)
    return parser


def show(as_json: bool, found: dict[str, Any], text: str) -> None:
    """A result on standard output, for scripts or for people."""
    print(json.dumps(found, indent=2) if as_json else text)


def whole(text: str) -> int:
    """An argument that is an integer."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a whole number, not {text!r}") from None


def positive(text: str) -> int:
    """An argument that counts."""
    if (number := whole(text)) < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {number}")
    return number


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as they must be; the first to the left, the others to the right.

    >>> print(table(["N", "bits"], [["4096", "106"], ["8192", "214"]]))
    N     bits
    4096   106
    8192   214
    """
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = ([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])] for row in (head, *rows))
    return "\n".join("  ".join(line).rstrip() for line in lines)


# --- parameters by options ------------------------------------------------------------------------------------------

SPECIAL = {"ckks": ("scale_bits", "bound"), "bfv": ("plain_modulus", "value_bits")}


def add_choice(parser: argparse.ArgumentParser) -> None:
    """The options that `fhe.ckks` and `fhe.bfv` have for their parameters, but for the depth."""
    parser.add_argument("--scheme", choices=("ckks", "bfv"), required=True, help="real numbers, or exact integers")
    parser.add_argument("--security", type=whole, default=128, help="bits: 128, 192 or 256 (default: %(default)s)")
    parser.add_argument("--quantum", action="store_true", help="against quantum attackers")
    parser.add_argument("--ring-degree", type=whole, help="N, instead of the smallest that fits")
    parser.add_argument("--insecure", metavar="REASON", help="take the ring degree whatever its security, for a reason")
    parser.add_argument("--scale-bits", type=whole, help="CKKS: bits of the scale (default: 40)")
    parser.add_argument("--bound", type=float, help="CKKS: what no |value| exceeds")
    parser.add_argument("--plain-modulus", type=whole, help="BFV: t")
    parser.add_argument("--value-bits", type=whole, help="BFV: the smallest t for integers of so many bits")


def chosen(options: argparse.Namespace, depth: int) -> Parameters:
    """The parameters that these options ask for."""
    common = {name: getattr(options, name) for name in ("security", "quantum", "ring_degree", "insecure")}
    (foreign,) = (names for scheme, names in SPECIAL.items() if scheme != options.scheme)
    if given := [f"--{name.replace('_', '-')}" for name in foreign if getattr(options, name) is not None]:
        options.parser.error(f"{', '.join(given)} means nothing for --scheme {options.scheme}")
    own = {name: value for name in SPECIAL[options.scheme] if (value := getattr(options, name)) is not None}
    choose = choose_ckks if options.scheme == "ckks" else choose_bfv
    return choose(depth, **common, **own)
