"""The nearest known name for a mistyped one."""

from collections.abc import Sequence
from difflib import get_close_matches


def nearest(given: str, known: Sequence[str]) -> str:
    """Hint for a mistyped name: the nearest known one, or all of them when none is near."""
    near = get_close_matches(given, known, n=1)
    return f"did you mean '{near[0]}'?" if near else f"known are {', '.join(sorted(known))}"
