"""How many examples a property draws, where one is expensive."""

from __future__ import annotations

from hypothesis import settings

WIDE_EXAMPLES = 100


def quick(examples: int) -> int:
    """So many in the quick profile, and all that the wide one asks for."""
    asked = settings().max_examples
    return min(examples, asked) if asked < WIDE_EXAMPLES else asked
