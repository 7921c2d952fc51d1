"""The command line: ``fhe demo``, ``fhe doctor``, ``fhe inspect``, ``fhe params``."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import fhe
from fhe.backend.choose import choose, targets
from fhe.choice import choose_bfv, choose_ckks
from fhe.describe import describe, report
from fhe.errors import FHEError
from fhe.parameters import Parameters

DESCRIPTION = "Homomorphic encryption on NumPy arrays: compute on data that stays encrypted."
PACKAGES = ("numpy", "cryptography", "scikit-learn")
DIFFERS, FAILED, INTERRUPTED = 1, 1, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit status: 0 well done, 1 failed, 2 not understood (from argparse)."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.command(options)
    except KeyboardInterrupt:
        return INTERRUPTED
    except (FHEError, ImportError, OSError) as error:
        print(f"fhe: {error}", file=sys.stderr)
        return FAILED
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="fhe", description=DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"fhe {fhe.__version__}")
    commands = parser.add_subparsers(metavar="command", required=True)

    demo = _command(commands, "demo", _demo, "a model scores encrypted data, beside its clear twin")
    demo.add_argument("--backend", choices=("native", "reference"), help="who computes (default: native, where built)")
    demo.add_argument("--samples", type=_positive, help="how many samples to score (default: the whole test set, 143)")
    demo.add_argument("--no-progress", action="store_true", help="no progress bar on standard error")

    _command(commands, "doctor", _doctor, "what this machine offers, and what was built")

    inspect = _command(commands, "inspect", _inspect, "what a file is, from its header alone")
    inspect.add_argument("file", help="what fhe.save or save_secret_key wrote")

    params = _command(commands, "params", _params, "the parameters that a computation gets")
    params.add_argument("--scheme", choices=("ckks", "bfv"), required=True)
    params.add_argument("--depth", type=int, default=1, help="multiplications in a row (default: %(default)s)")
    params.add_argument("--security", type=int, default=128, help="bits: 128, 192 or 256 (default: %(default)s)")
    params.add_argument("--quantum", action="store_true", help="against quantum attackers")
    params.add_argument("--ring-degree", type=int, help="N, instead of the smallest that fits")
    params.add_argument("--insecure", metavar="REASON", help="take the ring degree whatever its security, for a reason")
    params.add_argument("--scale-bits", type=int, help="CKKS: bits of the scale (default: 40)")
    params.add_argument("--bound", type=float, help="CKKS: what no |value| exceeds")
    params.add_argument("--plain-modulus", type=int, help="BFV: t")
    params.add_argument("--value-bits", type=int, help="BFV: the smallest t for integers of so many bits")
    return parser


def _command(commands: Any, name: str, function: Any, text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.set_defaults(command=function, parser=parser)
    return parser


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _print(as_json: bool, found: dict[str, Any], text: str) -> None:
    print(json.dumps(found, indent=2) if as_json else text)


# --- demo --------------------------------------------------------------------------------------------------------


def _demo(options: argparse.Namespace) -> int:
    import fhe.ml  # noqa: F401, PLC0415  (says what to install; the other commands do without)
    from fhe import demo  # noqa: PLC0415

    backend = choose(options.backend).name
    found = demo.run(backend, options.samples, progress=not options.no_progress)
    _print(options.json, found.to_dict(), demo.report(found))
    if not found.agrees:
        print(f"fhe: encrypted and clear scores differ by {found.largest_score_difference:.1e}", file=sys.stderr)
        return DIFFERS
    return 0


# --- doctor ------------------------------------------------------------------------------------------------------


def _doctor(options: argparse.Namespace) -> int:
    backend = choose()
    native, reference = targets("native"), targets("reference")
    found = {
        "cpu": _cpu(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "fhe": fhe.__version__,
        "packages": {package: _version(package) for package in PACKAGES},
        "backend": backend.name,
        "target": backend.target,
        "native_core": bool(native),
        "native_targets": native,
        "compiled_reference": "compiled" in reference,
        "environment": {name: os.environ[name] for name in ("FHE_BACKEND", "FHE_TARGET") if name in os.environ},
    }
    _print(options.json, found, _diagnosis(found))
    return 0


def _diagnosis(found: dict[str, Any]) -> str:
    native = f"there, with targets {', '.join(found['native_targets'])}" if found["native_core"] else "not built"
    compiled = "there" if found["compiled_reference"] else "not built (the interpreted one defines every operation)"
    packages = ", ".join(f"{name} {version or '(missing)'}" for name, version in found["packages"].items())
    lines = {
        "fhe": found["fhe"],
        "cpu": f"{found['cpu']}, {found['machine']}, {found['cores']} cores",
        "system": f"{found['system']}, Python {found['python']}",
        "packages": packages,
        "native core": native,
        "compiled reference": compiled,
        "computing with": f"{found['backend']} backend, {found['target']}",
        "environment": ", ".join(f"{k}={v}" for k, v in found["environment"].items()) or "nothing set",
    }
    return "\n".join(f"{name:<19} {text}" for name, text in lines.items())


def _cpu() -> str:
    """The processor's name, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or "unknown CPU"


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


# --- inspect -----------------------------------------------------------------------------------------------------


def _inspect(options: argparse.Namespace) -> int:
    found = describe(options.file)
    _print(options.json, found, report(found))
    return 0


# --- params ------------------------------------------------------------------------------------------------------


def _params(options: argparse.Namespace) -> int:
    parameters = _chosen(options)
    found = parameters.to_dict() | {
        "log_q": parameters.log_q,
        "log_qp": parameters.log_qp,
        "security_bits": parameters.security_bits,
        "id": parameters.id,
    }
    _print(options.json, found, parameters.summary())
    return 0


def _chosen(options: argparse.Namespace) -> Parameters:
    common = {name: getattr(options, name) for name in ("security", "quantum", "ring_degree", "insecure")}
    own, foreign = ("scale_bits", "bound"), ("plain_modulus", "value_bits")
    if options.scheme == "bfv":
        own, foreign = foreign, own
    if given := [f"--{name.replace('_', '-')}" for name in foreign if getattr(options, name) is not None]:
        options.parser.error(f"{', '.join(given)} means nothing for --scheme {options.scheme}")
    special = {name: value for name in own if (value := getattr(options, name)) is not None}
    choose_parameters = choose_ckks if options.scheme == "ckks" else choose_bfv
    return choose_parameters(options.depth, **common, **special)
