"""``fhe inspect``: what a file is."""

from __future__ import annotations

import argparse
from typing import Any

from fhe.cli.common import command, show
from fhe.describe import describe, report


def add_to(commands: Any) -> None:
    """Declare the command."""
    parser = command(commands, "inspect", run, "what a file is, from its header alone")
    parser.add_argument("file", help="what fhe.save, save_secret_key or `fhe keygen` wrote")


def run(options: argparse.Namespace) -> int:
    """Print what the header claims."""
    found = describe(options.file)
    show(options.json, found, report(found))
    return 0
