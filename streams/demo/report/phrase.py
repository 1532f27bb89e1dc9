"""Phrases: times, spans, quantities and faults in words for people.

Text from outside is cut to a bounded length, and what cannot be printed (controls, marks that turn the
direction of writing, lone surrogates) is replaced, so no label can disguise itself or fill the page.
Refuses to escape: that is the template's business.
"""

from datetime import UTC, datetime
from math import isfinite

from streams.produce.shop.faults import Fault, FaultKind

LONGEST_TEXT = 240
_PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
_ACTS = {
    FaultKind.SLOW_DATABASE: "answers {0:.1f} times slower",
    FaultKind.MEMORY_LEAK: "memory grows to {0:.1f} times",
    FaultKind.TRAFFIC_DROP: "demand falls to {0:.0%}",
    FaultKind.BAD_DEPLOYMENT: "{0:.0%} of requests fail",
    FaultKind.SILENT_HOST: "nothing is heard of it",
}


def clean(text: str, longest: int = LONGEST_TEXT) -> str:
    """Printable text of at most `longest` characters."""
    cut = text if len(text) <= longest else text[: longest - 1] + "…"
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in cut)


def clock(time_ms: int) -> str:
    """Time of the day, UTC, to the second."""
    return f"{datetime.fromtimestamp(time_ms // 1000, UTC):%H:%M:%S}"


def minute(time_ms: int) -> str:
    """Time of the day, UTC, to the minute."""
    return clock(time_ms)[:5]


def day(time_ms: int) -> str:
    """Date, UTC."""
    return f"{datetime.fromtimestamp(time_ms // 1000, UTC):%Y-%m-%d}"


def duration(span_ms: int) -> str:
    """Length of time in its two largest units; the sign is kept."""
    sign, seconds = ("-" if span_ms < 0 else ""), round(abs(span_ms) / 1000)
    hours, minutes, seconds = seconds // 3600, seconds // 60 % 60, seconds % 60
    units = ((hours, "h"), (minutes, "min"), (seconds, "s"))
    said = [f"{count} {unit}" for count, unit in units if count]
    return sign + (" ".join(said[:2]) or "0 s")


def quantity(value: float | None, unit: str) -> str:
    """A value with its unit: seconds below one in ms, bytes and large numbers with an SI prefix, ratios in percent."""
    if value is None or not isfinite(value):
        return "\N{EN DASH}"
    if unit == "ratio":
        return f"{_digits(value * 100)} %"
    if unit == "s" and abs(value) < 1:
        return f"{_digits(value * 1000)} ms"
    shown = "B" if unit == "bytes" else unit
    for size, prefix in _PREFIXES:
        if abs(value) >= size:
            return f"{_digits(value / size)} {prefix}{shown}"
    return f"{_digits(value)} {shown}".rstrip()


def act(fault: Fault) -> str:
    """What a fault does to its place."""
    return _ACTS[fault.kind].format(fault.magnitude).replace("%", " %")


def elapsed(span_ms: int) -> str:
    """Whole minutes since a start."""
    return f"+{span_ms // 60_000} min"


def words(name: str) -> str:
    """The value of an enum as words."""
    return name.replace("_", " ")


def plural(count: int, noun: str) -> str:
    """Number and noun, `no` for none."""
    return f"{count or 'no'} {noun}{'' if count == 1 else 's'}"


def _digits(value: float) -> str:
    """Three significant digits without an exponent where that is readable."""
    return f"{value:.0f}" if 100 <= abs(value) < 1e6 else f"{value:.3g}"
