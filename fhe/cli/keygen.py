"""``fhe keygen``: a key pair in files, the secret sealed under a passphrase."""

from __future__ import annotations

import argparse
import getpass
import os
from pathlib import Path
from typing import Any

import fhe
from fhe.cli.common import add_choice, chosen, command, show, whole
from fhe.errors import ParameterError

MORE = """\
NAME.secret is for its owner alone, readable by nobody else, and sealed: without the passphrase nobody opens it.
NAME.keys is for those who encrypt and compute.

  in Python:  owner = fhe.load_secret_key("NAME.secret", passphrase=…)
              server = fhe.load("NAME.keys")
"""
FIRST_LINE = 1 << 16


def add_to(commands: Any) -> None:
    """Declare the command."""
    parser = command(commands, "keygen", run, "make a secret key, sealed, and the keys to give away", MORE)
    parser.add_argument("name", metavar="NAME", help="where the files go: NAME.secret and NAME.keys")
    add_choice(parser)
    parser.add_argument("--depth", type=whole, default=1, help="multiplications in a row (default: %(default)s)")
    parser.add_argument(
        "--rotations", type=_steps, metavar="STEPS", help="1,2,-4 or none (default: powers of two, enough for sums)"
    )
    parser.add_argument("--no-relinearization", action="store_true", help="no key for products of encrypted arrays")
    parser.add_argument(
        "--publish",
        type=whole,
        nargs=2,
        metavar=("BITS", "NUMBERS"),
        help="CKKS: plan for decrypt_public",
    )
    parser.add_argument("--passphrase-file", metavar="FILE", help="take the first line of a file, and ask nobody")
    parser.add_argument("--overwrite", action="store_true", help="replace files that are there, another secret too")


def _steps(text: str) -> list[int]:
    return [] if text == "none" else [whole(step) for step in text.split(",")]


def run(options: argparse.Namespace) -> int:
    """Choose, generate, write; nothing is written if a file is in the way."""
    secret, public = (Path(f"{options.name}.{suffix}") for suffix in ("secret", "keys"))
    if taken := [str(path) for path in (secret, public) if os.path.lexists(path) and not options.overwrite]:
        raise FileExistsError(f"{' and '.join(taken)} would be overwritten; --overwrite does, or choose another name")
    if not (folder := secret.parent).is_dir():
        raise FileNotFoundError(f"there is no folder {folder} to write to")
    owner = _owner(options)
    given = owner.public(rotations=options.rotations, relinearization=not options.no_relinearization)
    owner.save_secret_key(secret, passphrase=_passphrase(options), overwrite=options.overwrite)
    fhe.save(public, given)
    files = {path.name: path.stat().st_size for path in (secret, public)}
    found = {"secret": str(secret), "keys": str(public), "key_id": owner.key_id.hex(), "bytes": files}
    lines = [owner.parameters.summary(), "", f"{secret}: the secret, sealed; keep it, and the passphrase"]
    lines.append(f"{public}: public and evaluation keys, {files[public.name]:,} bytes, to give away")
    show(options.json, found | {"parameters": owner.parameters.to_dict()}, "\n".join(lines))
    return 0


def _owner(options: argparse.Namespace) -> fhe.KeyOwner:
    if options.publish is None:
        return fhe.KeyOwner(chosen(options, options.depth))
    if options.scheme != "ckks":
        options.parser.error("--publish is for --scheme ckks; exact results carry no noise")
    names = ("security", "quantum", "ring_degree", "insecure", "scale_bits", "bound")
    chosen(options, options.depth)  # refuses options of the other scheme
    return fhe.ckks(options.depth, publish=tuple(options.publish), **{name: getattr(options, name) for name in names})


def _passphrase(options: argparse.Namespace) -> str:
    """The first line of the file, or what is typed twice."""
    if options.passphrase_file:
        with Path(options.passphrase_file).open(encoding="utf-8") as file:
            return file.readline(FIRST_LINE).rstrip("\r\n")
    try:
        first, again = getpass.getpass("passphrase: "), getpass.getpass("again: ")
    except EOFError:
        raise ParameterError("nobody is here to type a passphrase; give --passphrase-file FILE") from None
    if first != again:
        raise ParameterError("the two passphrases differ; nothing was written")
    return first
