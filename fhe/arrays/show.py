"""What an encrypted array says of itself to people: everything public, never a value."""

from __future__ import annotations

import math
from html import escape

from fhe.arrays.packed import Packed

STYLE = "text-align:left; padding:0 1em 0 0; vertical-align:top"


def described(x: Packed) -> dict[str, str]:
    """Name and text of what is publicly known, in the order of interest."""
    chain, precision = x.evaluator.chain, x.precision_bits
    lines = {
        "shape": str(x.shape),
        "dtype": str(x.dtype),
        "levels left": f"{x.levels_left} of {chain.parameters.max_level}",
        "precision": "exact" if math.isinf(precision) else f"{precision:.1f} bits after the point, at least",
        "room": f"{x.room_bits:.0f} bits",
        "size": f"{size(x.nbytes)} in {counted(len(x.shards), 'ciphertext')}",
        "places": _places(x),
        "promised": "; ".join(sorted(x.promises)),
        "parameters": str(chain.parameters),
        "key": f"{x.key_id.hex()[:8]}…",
    }
    if not math.isinf(precision):
        del lines["room"]
    if not x.promises:
        del lines["promised"]
    return lines


def text(x: Packed) -> str:
    """One line."""
    precision = "exact" if math.isinf(x.precision_bits) else f"{x.precision_bits:.1f} bits precise"
    parts = (
        f"shape={x.shape}, dtype={x.dtype}, {counted(x.levels_left, 'level')} left, {precision}, {size(x.nbytes)} in "
        f"{counted(len(x.shards), 'ciphertext')}"
    )
    promised = f", on the promise that {'; '.join(sorted(x.promises))}" if x.promises else ""
    return f"{type(x).__name__}({parts}){promised}"


def html(x: Packed) -> str:
    """A table for notebooks."""
    rows = "".join(
        f'<tr><th style="{STYLE}">{escape(name)}</th><td style="{STYLE}">{escape(value)}</td></tr>'
        for name, value in described(x).items()
    )
    return f"<table><caption>{type(x).__name__}: values only its owner can read</caption><tbody>{rows}</tbody></table>"


def size(count: float) -> str:
    """Bytes as people say them.

    >>> size(65536), size(5.5 * 2**20), size(17)
    ('64 KiB', '5.5 MiB', '17 B')
    """
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024 or unit == "GiB":
            break
        count /= 1024
    return f"{count:.1f}".removesuffix(".0") + f" {unit}"


def counted(count: int, what: str) -> str:
    """A number of things.

    >>> counted(1, "level"), counted(2, "level")
    ('1 level', '2 levels')
    """
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _places(x: Packed) -> str:
    layout = x.layout
    repeated = math.prod(length for length, _ in layout.repeats)
    padding = "full" if layout.full else "zero padding" if layout.clean else "padding unknown"
    copies = f", repeated {repeated} times" if repeated > 1 else ""
    return f"strides {layout.strides} in {layout.slots} slots{copies}, {padding}"
