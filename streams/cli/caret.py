"""Shows the line of a file that a problem is about, with a caret under the place."""

import re
from pathlib import Path

_PLACE = re.compile(r"(.+?):(\d+):(\d+): ")


def excerpt(problem: str) -> list[str]:
    """The line, and a caret under its column; empty where the problem names no column or no file that can be read."""
    found = _PLACE.match(problem)
    if found is None:
        return []
    row, column = int(found[2]), int(found[3])
    try:
        lines = Path(found[1]).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    if row > len(lines):
        return []
    shown = lines[row - 1].expandtabs(1)
    return [f"    {shown}", f"    {' ' * (column - 1)}^"]
