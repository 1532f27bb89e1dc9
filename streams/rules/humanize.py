"""Numbers and texts as Go and Prometheus print them: `%v`, printf, and the functions of rule templates.

The forms are those of Go's `fmt` and of Prometheus's `template/template.go`. A function that is not in
`FUNCTIONS` does not exist for a template.

Refuses `query` and its kin: a template may not look into the store of samples.
"""

import json
import math
import re
from collections.abc import Callable, Mapping, Sized
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import quote_plus

from schemas.config.section import parse_duration

LARGE = ("k", "M", "G", "T", "P", "E", "Z", "Y")
BINARY = ("ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi")
SMALL = ("m", "u", "n", "p", "f", "a", "z", "y")


def print_float(value: float) -> str:
    """Go's `%v` of a float64: shortest digits, an exponent below 1e-4 and from 1e6 on.

    https://pkg.go.dev/strconv#FormatFloat, format 'g' with precision -1 (its threshold is then 6 digits).
    """
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("+Inf" if value > 0 else "-Inf")
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    assert isinstance(exponent, int)
    point = len(digits) + exponent - 1
    if value == 0:
        return "-0" if sign else "0"
    if -4 <= point < 6:
        return f"{Decimal(repr(value)).normalize():f}"
    first, *rest = map(str, digits)
    mantissa = f"{first}.{''.join(rest)}" if rest else first
    return f"{'-' if sign else ''}{mantissa}e{point:+03d}"


def print_value(value: object) -> str:
    """Go's `%v` of what a template can hold."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return print_float(value)
    if isinstance(value, Mapping):
        return f"map[{' '.join(f'{k}:{v}' for k, v in sorted(value.items()))}]"
    return str(value)


def type_name(value: object) -> str:
    """Go's name of the value's type, as its messages show it."""
    names = {bool: "bool", int: "int", float: "float64", str: "string"}
    return names.get(type(value), "map[string]string")


_VERB = re.compile(r"%([-+# 0]*)(\d+)?(?:\.(\d*))?(.)?", re.DOTALL)


def printf(form: object, *given: object) -> str:
    """Go's Sprintf for the verbs v s q d x t e f g and %%, flags, width and precision."""
    if not isinstance(form, str):
        raise TypeError(f"wrong type for value; expected string; got {type_name(form)}")
    left = list(given)

    def one(found: re.Match[str]) -> str:
        flags, width, precision, verb = found.groups()
        if verb == "%":
            return "%"
        if verb is None:
            return "%!(NOVERB)"
        if not left:
            return f"%!{verb}(MISSING)"
        value = left.pop(0)
        text = _verb(verb, value, flags, precision)
        if text is None:
            return f"%!{verb}({type_name(value)}={print_value(value)})"
        return _pad(text, flags, int(width or 0), isinstance(value, int | float))

    out = _VERB.sub(one, form)
    if left:
        extra = ", ".join(f"{type_name(v)}={print_value(v)}" for v in left)
        out += f"%!(EXTRA {extra})"
    return out


def _verb(verb: str, value: object, flags: str, precision: str | None) -> str | None:
    """The value under a verb, None where Go calls the pair wrong."""
    places = int(precision or 0)
    plus = "+" if "+" in flags else ""
    if isinstance(value, bool):
        return print_value(value) if verb in "vt" else None
    if isinstance(value, float):
        if verb not in "vgGeEfF":
            return None
        if not math.isfinite(value):
            return print_float(value)
        if verb in "vgG" and precision is None:
            return (plus if value >= 0 else "") + print_float(value)
        kind = "g" if verb == "v" else verb
        return f"{value:{plus}.{6 if precision is None else places}{kind}}"
    if isinstance(value, int):
        return f"{value:{plus}{'d' if verb == 'v' else verb}}" if verb in "vdxXob" else None
    if isinstance(value, str):
        if verb in "vs":
            return value[:places] if precision is not None else value
        if verb == "q":
            return json.dumps(value, ensure_ascii=False)
        return value.encode().hex() if verb == "x" else None
    return print_value(value) if verb in "vs" else None


def _pad(text: str, flags: str, width: int, number: bool) -> str:
    if "-" in flags:
        return text.ljust(width)
    if "0" in flags and number and text[-1].isdigit():
        return text.zfill(width)
    return text.rjust(width)


def to_float(value: object) -> float:
    """The number that a humanize function was given; texts are read, as Prometheus does."""
    if isinstance(value, int | float | str):
        return float(value)
    raise TypeError(f"can't convert {type_name(value)} to float")


def _short(value: float) -> str:
    return print_float(value) if not math.isfinite(value) else f"{value:.4g}"


def _scaled(value: float, prefixes: tuple[str, ...], base: int) -> tuple[float, str]:
    """The value divided by the base (or multiplied, for small ones) until it fits, and the prefix for it."""
    prefix = ""
    for name in prefixes:
        if abs(value) < base if prefixes is not SMALL else abs(value) >= 1:
            break
        prefix = name
        value = value * base if prefixes is SMALL else value / base
    return value, prefix


def humanize(given: object) -> str:
    """SI prefixes: 1234567 -> 1.235M, 0.0012 -> 1.2m."""
    value = to_float(given)
    if value == 0 or not math.isfinite(value):
        return _short(value)
    value, prefix = _scaled(value, LARGE if abs(value) >= 1 else SMALL, 1000)
    return f"{value:.4g}{prefix}"


def humanize_1024(given: object) -> str:
    """Binary prefixes: 2048 -> 2ki."""
    value = to_float(given)
    if abs(value) <= 1 or not math.isfinite(value):
        return _short(value)
    value, prefix = _scaled(value, BINARY, 1024)
    return f"{value:.4g}{prefix}"


def humanize_duration(given: object) -> str:
    """Seconds as days to seconds: 4000 -> 1h 6m 40s, 0.01 -> 10ms."""
    value = to_float(given)
    if not math.isfinite(value):
        return _short(value)
    if value == 0:
        return "0s"
    if abs(value) < 1:
        value, prefix = _scaled(value, SMALL, 1000)
        return f"{value:.4g}{prefix}s"
    sign, value = ("-" if value < 0 else ""), abs(value)
    minutes, seconds = divmod(int(value), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{sign}{days}d {hours}h {minutes}m {seconds}s"
    if hours:
        return f"{sign}{hours}h {minutes}m {seconds}s"
    return f"{sign}{minutes}m {seconds}s" if minutes else f"{sign}{value:.4g}s"


def humanize_percentage(given: object) -> str:
    """Shares as percent: 0.1234 -> 12.34%."""
    return f"{_short(to_float(given) * 100)}%"


def humanize_timestamp(given: object) -> str:
    """Seconds since the epoch as Go prints a time, to the millisecond."""
    value = to_float(given)
    if not math.isfinite(value):
        return _short(value)
    if abs(value) * 1e9 > 2**63:
        raise ValueError(f"{print_float(value)} overflows a time")
    seconds, ms = divmod(math.floor(value * 1000), 1000)
    stamp = datetime.fromtimestamp(seconds, UTC)
    part = f".{ms:03d}".rstrip("0") if ms else ""
    return f"{stamp:%Y-%m-%d %H:%M:%S}{part} +0000 UTC"


def title(text: str) -> str:
    """The first letter of each word in upper case."""
    return re.sub(r"(?<!\w)\w", lambda found: found[0].upper(), text)


def replace_all(pattern: str, replacement: str, text: str) -> str:
    """Go's ReplaceAllString: `$1` and `${1}` name groups."""
    template = re.sub(r"\$(?:\{(\w+)\}|(\w+))", r"\\g<\1\2>", replacement.replace("\\", r"\\"))
    return re.sub(pattern, template, text)


def strip_port(address: str) -> str:
    """`host:9100` -> `host`."""
    return re.sub(r"^(?:\[([^\]]*)\]|([^:]*)):[^:]*$", r"\1\2", address)


def strip_domain(address: str) -> str:
    """`host.example.com:9100` -> `host:9100`; an address in numbers stays."""
    host, colon, port = address.partition(":")
    return address if re.fullmatch(r"[\d.]+|.*:.*:.*", host) else host.split(".")[0] + colon + port


def go_print(*given: object) -> str:
    """Go's Sprint: a space between two operands of which neither is a text."""
    out = ""
    for i, value in enumerate(given):
        gap = i and not isinstance(value, str) and not isinstance(given[i - 1], str)
        out += (" " if gap else "") + print_value(value)
    return out


def length(value: object) -> int:
    """Bytes of a text, entries of a map."""
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, Sized):
        return len(value)
    raise TypeError(f"len of type {type_name(value)}")


def lookup(mapping: object, key: object) -> str:
    """Entry of a map, empty where it is missing."""
    if not isinstance(mapping, Mapping):
        raise TypeError(f"can't index item of type {type_name(mapping)}")
    return str(mapping.get(key, ""))


@dataclass(frozen=True)
class Function:
    """A function of templates and how many arguments it takes; -1: any number."""

    call: Callable[..., object]
    least: int = 1
    most: int = 1


def _compare(test: Callable[[int], bool]) -> Callable[..., object]:
    def compare(left: object, *others: object) -> bool:
        return any(test(_order(left, right)) for right in others)

    return compare


def _order(left: object, right: object) -> int:
    """-1, 0 or 1, and 2 for NaN; Go never compares a float with an int, nor a number with a text."""
    if type(left) is not type(right) or isinstance(left, Mapping):
        pair = f"{type_name(left)} and {type_name(right)}"
        raise IncompatibleTypesError(f"incompatible types for comparison: {pair}")
    if isinstance(left, float | int) and isinstance(right, float | int):
        return 2 if math.isnan(left) or math.isnan(right) else (left > right) - (left < right)
    first, second = str(left), str(right)
    return (first > second) - (first < second)


class IncompatibleTypesError(TypeError):
    """A comparison that fails whatever the values are."""


FUNCTIONS: dict[str, Function] = {
    "eq": Function(_compare(lambda c: c == 0), 2, -1),
    "ne": Function(_compare(lambda c: c != 0), 2, 2),
    "lt": Function(_compare(lambda c: c == -1), 2, 2),
    "le": Function(_compare(lambda c: c in (-1, 0)), 2, 2),
    "gt": Function(_compare(lambda c: c == 1), 2, 2),
    "ge": Function(_compare(lambda c: c in (0, 1)), 2, 2),
    "and": Function(lambda *a: next((x for x in a if not x), a[-1]), 1, -1),
    "or": Function(lambda *a: next((x for x in a if x), a[-1]), 1, -1),
    "not": Function(lambda x: not x),
    "print": Function(go_print, 0, -1),
    "printf": Function(printf, 1, -1),
    "println": Function(lambda *a: " ".join(map(print_value, a)) + "\n", 0, -1),
    "len": Function(length),
    "index": Function(lookup, 2, 2),
    "urlquery": Function(lambda *a: quote_plus(go_print(*a), safe=""), 1, -1),
    "humanize": Function(humanize),
    "humanize1024": Function(humanize_1024),
    "humanizeDuration": Function(humanize_duration),
    "humanizePercentage": Function(humanize_percentage),
    "humanizeTimestamp": Function(humanize_timestamp),
    "title": Function(title),
    "toUpper": Function(str.upper),
    "toLower": Function(str.lower),
    "match": Function(lambda pattern, text: re.search(pattern, text) is not None, 2, 2),
    "reReplaceAll": Function(replace_all, 3, 3),
    "stripPort": Function(strip_port),
    "stripDomain": Function(strip_domain),
    "parseDuration": Function(lambda text: parse_duration(text) / 1000),
    "safeHtml": Function(lambda text: text),
}
