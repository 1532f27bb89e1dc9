"""Durations in Prometheus's form, read and written with its words: `1h30m`, `15s`, `1d`.

Milliseconds, never negative. The form is that of `model.Duration` in prometheus/common.
"""

import re

from streams.rules.template.gofmt import quote

_UNITS_MS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1))
_EXACT_MS = (("y", 31_536_000_000), ("w", 604_800_000))
_SPAN = re.compile(r"(\d+)([a-z]*)")
_ORDER = ("y", "w", "d", "h", "m", "s", "ms")


def show_span(ms: int) -> str:
    """Prometheus's form of a duration: `1h30m`, `0s`; years and weeks only where nothing is left over."""
    if ms == 0:
        return "0s"
    out, left = "", ms
    for unit, size in _EXACT_MS:
        if left and left % size == 0:
            out, left = f"{out}{left // size}{unit}", 0
    for unit, size in _UNITS_MS:
        n, left = divmod(left, size)
        out += f"{n}{unit}" if n else ""
    return out


def read_span(text: str) -> int:
    """Milliseconds of a duration in Prometheus's form.

    Raises:
        ValueError: it is none; the message is Prometheus's.

    """
    if text in ("0", ""):
        if text:
            return 0
        raise ValueError("empty duration string")
    sizes = dict((*_EXACT_MS, *_UNITS_MS))
    total, at, last = 0, 0, -1
    while at < len(text):
        found = _SPAN.match(text, at)
        if found is None or not found[2]:
            raise ValueError(f"not a valid duration string: {quote(text)}")
        if found[2] not in sizes:
            raise ValueError(f"unknown unit {quote(found[2])} in duration {quote(text)}")
        if _ORDER.index(found[2]) <= last:
            raise ValueError(f"not a valid duration string: {quote(text)}")
        last = _ORDER.index(found[2])
        total, at = total + int(found[1]) * sizes[found[2]], found.end()
    return total
