"""The form of stored parameter sets: which entries there are, and of which types; their values are judged elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fhe.errors import FormatError

LONGEST_NUMBER = 64


def check_form(data: dict[Any, Any], form: Mapping[str, type]) -> None:
    """Raise FormatError unless the keys and types are those of `form`; lengths are checked with the primes."""
    if set(data) != set(form):
        raise FormatError(f"a parameter set has the entries {', '.join(form)} and no others")
    for name, kind in form.items():
        value: Any = data[name]
        if type(value) is not kind or (isinstance(value, int) and value.bit_length() > LONGEST_NUMBER):
            raise FormatError(f"entry {name} of a parameter set must be of type {kind.__name__}, integers of 64 bits")
    for level in data["levels"]:
        if type(level) is not list:
            raise FormatError("each level of a parameter set must be a list of primes")
    if data["quantum"] not in (0, 1):
        raise FormatError("entry quantum of a parameter set must be 0 or 1")
