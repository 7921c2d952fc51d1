"""``fhe doctor``: what this machine offers, what was built, and whether it computes right."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from dataclasses import asdict
from importlib import metadata
from typing import Any

import fhe
from fhe.backend.choose import choose, num_threads, targets
from fhe.cli import agreement
from fhe.cli.common import command, show
from fhe.cli.machine import cores, cpu, features, memory
from fhe.measure import bytes_text

PACKAGES = ("numpy", "cryptography", "scikit-learn")
VARIABLES = ("FHE_BACKEND", "FHE_TARGET", "FHE_NUM_THREADS", "FHE_PURE_PYTHON")
DIFFERS = 1


def add_to(commands: Any) -> None:
    """Declare the command."""
    parser = command(commands, "doctor", run, "what this machine offers, what was built, and whether it computes right")
    parser.add_argument("--no-self-test", action="store_true", help="do not compute anything (it takes some seconds)")


def run(options: argparse.Namespace) -> int:
    """Look, test, print; 1 where backends or targets disagree."""
    found = examine()
    checks = [] if options.no_self_test else list(agreement.checks())
    found["self_test"] = None if options.no_self_test else _tested(checks)
    show(options.json, found, _diagnosis(found))
    if checks and not agreement.agree(checks):
        print("fhe: backends or targets of this machine do not agree; please report this output", file=sys.stderr)
        return DIFFERS
    return 0


def examine() -> dict[str, Any]:
    """What there is, without computing."""
    backend = choose()
    native, reference = targets("native"), targets("reference")
    return {
        "cpu": cpu(),
        "machine": platform.machine(),
        "features": features(),
        "cores": cores(),
        "memory": memory(),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "fhe": fhe.__version__,
        "packages": {package: _version(package) for package in PACKAGES},
        "backend": backend.name,
        "target": backend.target,
        "threads": num_threads(),
        "native_core": bool(native),
        "native_targets": native,
        "compiled_reference": "compiled" in reference,
        "environment": {name: os.environ[name] for name in VARIABLES if name in os.environ},
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _tested(checks: list[agreement.Check]) -> dict[str, Any]:
    seconds = sum(check.seconds for check in checks)
    return {"agree": agreement.agree(checks), "seconds": round(seconds, 2), "checks": [asdict(c) for c in checks]}


def _diagnosis(found: dict[str, Any]) -> str:
    native = f"there, with targets {', '.join(found['native_targets'])}" if found["native_core"] else "not built"
    compiled = "there" if found["compiled_reference"] else "not built (the interpreted one defines every operation)"
    packages = ", ".join(f"{name} {version or '(missing)'}" for name, version in found["packages"].items())
    known = {name: size for name, size in found["memory"].items() if size}
    lines = {
        "fhe": found["fhe"],
        "cpu": f"{found['cpu']}, {found['machine']}",
        "instruction sets": "unknown" if found["features"] is None else " ".join(found["features"]) or "the baseline",
        "cores, threads": f"{found['cores']} to use, {found['threads']} used by an operation",
        "memory": ", ".join(f"{bytes_text(size)} {name}" for name, size in known.items()) or "unknown",
        "system": f"{found['system']}, Python {found['python']}",
        "packages": packages,
        "native core": native,
        "compiled reference": compiled,
        "computing with": f"{found['backend']} backend, {found['target']}",
        "environment": ", ".join(f"{k}={v}" for k, v in found["environment"].items()) or "nothing set",
        "self-test": _verdict(found["self_test"]),
    }
    return "\n".join(f"{name:<19} {text}" for name, text in lines.items())


def _verdict(tested: dict[str, Any] | None) -> str:
    if tested is None:
        return "left out"
    checks = tested["checks"]
    parties = len({(check["backend"], check["target"]) for check in checks})
    circuits = len({check["circuit"] for check in checks})
    if tested["agree"]:
        return f"{parties} targets agree in every bit of {circuits} circuits, and are right ({tested['seconds']:.1f} s)"
    lines = [f"{c['circuit']}: {c['backend']} {c['target']}, {c['digest'][:12]}, right: {c['right']}" for c in checks]
    return "\n".join(["THEY DO NOT AGREE", *lines])
