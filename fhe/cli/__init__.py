"""The command line: ``fhe demo | bench | params | keygen | inspect | doctor``, each a module of this package."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import fhe
from fhe.cli import bench, demo, doctor, inspection, keygen, params
from fhe.cli.common import MISUSED, Parser
from fhe.errors import FHEError

DESCRIPTION = "Homomorphic encryption on NumPy arrays: compute on data that stays encrypted."
EPILOG = """\
first steps:
  fhe demo                                   a model scores encrypted data, beside its clear twin
  fhe doctor                                 what this machine offers, and whether it computes right
  fhe params --scheme ckks --depth 1-8       what a computation of so many multiplications costs
  fhe keygen --scheme bfv --depth 2 mine     a key pair: mine.secret, sealed, and mine.keys, to give away
  fhe inspect mine.keys                      what a file is

`fhe COMMAND --help` says more; with --json every command speaks to scripts.
"""
FAILED, INTERRUPTED = 1, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit status: 0 well done, 1 failed, 2 not understood (from argparse), with help if empty."""
    parser = _parser()
    if not (sys.argv[1:] if arguments is None else arguments):
        parser.print_help(sys.stderr)
        parser.exit(MISUSED)
    options = parser.parse_args(arguments)
    try:
        status: int = options.command(options)
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        print(f"fhe: {_told(error)}", file=sys.stderr)
        return FAILED
    except (FHEError, ImportError) as error:
        print(f"fhe: {error}", file=sys.stderr)
        return FAILED
    return status


def _told(error: OSError) -> str:
    """What the system says of a file, without its number."""
    return f"{error.filename}: {str(error.strerror).lower()}" if error.filename else str(error)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="fhe", description=DESCRIPTION, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"fhe {fhe.__version__}")
    commands = parser.add_subparsers(metavar="command", required=True)
    for module in (demo, bench, params, keygen, inspection, doctor):
        module.add_to(commands)
    return parser
