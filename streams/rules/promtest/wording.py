"""Label sets, numbers and durations in promtool's words, so that its output and ours can be compared.

Every function is pure and total. The forms are those of Go's strconv and time.
"""

import math
from decimal import Decimal

from schemas.labels import LABEL_NAME, Labels
from streams.rules.template.gofmt import quote


def show_labels(labels: Labels) -> str:
    """`{a="b", c="d"}`, the metric's name among them."""
    pairs = (f"{n if LABEL_NAME.fullmatch(n) else quote(n)}={quote(v)}" for n, v in labels)
    return "{" + ", ".join(pairs) + "}"


def show_exponent(value: float) -> str:
    """Go's format 'E' with the shortest digits: `1.5E-01`."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("+Inf" if value > 0 else "-Inf")
    if value == 0:
        return "-0E+00" if math.copysign(1, value) < 0 else "0E+00"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    assert isinstance(exponent, int)
    first, *rest = map(str, digits)
    mantissa = f"{first}.{''.join(rest)}" if rest else first
    return f"{'-' if sign else ''}{mantissa}E{len(digits) + exponent - 1:+03d}"


def show_go_span(ms: int) -> str:
    """Go's form of a duration: `1h30m0s`, `5m0s`, `0s`, `500ms`, `1.5s`."""
    if ms == 0:
        return "0s"
    if abs(ms) < 1000:
        return f"{ms}ms"
    sign, ms = ("-" if ms < 0 else ""), abs(ms)
    minutes, rest = divmod(ms, 60_000)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{rest / 1000:.3f}".rstrip("0").rstrip(".") + "s"
    lead = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return sign + lead + seconds


def indent(text: str, by: str) -> str:
    """All lines but the first, set in."""
    return text.replace("\n", f"\n{by}")
