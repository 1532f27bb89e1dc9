"""The functions that Prometheus adds to Go's templates: humanized numbers, times, addresses, regular expressions.

Source: Prometheus's `template/template.go` and `common/helpers/templates`. Each raises `CallError` where Prometheus
returns an error, in its words.
"""

import ipaddress
import math
import re
from typing import Any
from urllib.parse import quote_plus

import re2  # type: ignore[import-untyped]  # the wheel has no stubs

from streams.rules.template.gofmt import print_float, quote
from streams.rules.template.span import read_span
from streams.rules.template.values import CallError, Duration, Time, type_name

LARGE = ("k", "M", "G", "T", "P", "E", "Z", "Y")
BINARY = ("ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi")
SMALL = ("m", "u", "n", "p", "f", "a", "z", "y")

_SPECIAL = re.compile(r"[-+]?(?:inf|infinity|nan)", re.IGNORECASE)
_FLOAT = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_HEX = re.compile(r"[-+]?0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][-+]?\d+")


def to_float(value: object) -> float:
    """The number that a humanize function was given; texts are read, as Prometheus does."""
    match value:
        case bool():
            pass
        case int() | float():
            return float(value)
        case str() if _HEX.fullmatch(value):
            return float.fromhex(value)
        case str() if _FLOAT.fullmatch(value) or _SPECIAL.fullmatch(value):
            return float(value)
        case str():
            raise CallError(f"strconv.ParseFloat: parsing {quote(value)}: invalid syntax")
        case None:
            raise CallError("can't convert <nil> to float")
    raise CallError(f"can't convert {type_name(value)} to float")


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
        return f"{value:.4g}s"
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
    return _short(value) if not math.isfinite(value) else str(to_time(given))


def to_time(given: object) -> Time:
    """Seconds since the epoch as a time, cut to the millisecond."""
    value = to_float(given)
    if not math.isfinite(value):
        raise CallError("value is NaN or Inf")
    if abs(value) * 1e9 > 2**63:
        what = "cannot be represented as a nanoseconds timestamp since it overflows int64"
        raise CallError(f"{print_float(value)} {what}")
    return Time(int(value * 1e9) // 1_000_000 if value >= 0 else -(-int(value * 1e9) // 1_000_000))


def to_duration(given: object) -> Duration:
    """Seconds as a span."""
    value = to_float(given) * 1e9
    return Duration(int(value) if math.isfinite(value) and abs(value) < 2**63 else -(2**63))


def parse_seconds(text: str) -> float:
    """Seconds of a Prometheus duration, which may have a sign."""
    bare = text.removeprefix("-")
    try:
        ms = read_span(bare)
    except ValueError as error:
        raise CallError(str(error)) from error
    return (-ms if bare != text else ms) / 1000


# U+2019 and U+00B7 join letters as a point does (Unicode TR 29, rules WB6 and WB7)
_WORD = re.compile("\\w(?:\\w|[.:'\u2019\u00b7](?=\\w))*")
_LETTER = re.compile(r"[^\W\d_]")


def title(text: str) -> str:
    """The first letter of each word in upper case; points, colons and apostrophes within a word do not end it."""
    return _WORD.sub(lambda word: _LETTER.sub(lambda c: c[0].upper(), word[0], count=1), text)


_OPTIONS = re2.Options()
_OPTIONS.log_errors = False
# RE2 in C++, which reads the expressions here, has other words than RE2 in Go, which Prometheus is built with.
_GO_WORDS = {
    "bad repetition operator": "invalid nested repetition operator",
    "invalid named capture group": "invalid named capture",
    "invalid perl operator": "invalid or unsupported Perl syntax",
    "invalid repetition size": "invalid repeat count",
    "missing )": "missing closing )",
    "missing ]": "missing closing ]",
    "no argument for repetition operator": "missing argument to repetition operator",
    "trailing \\": "trailing backslash at end of expression",
}


def _compiled(pattern: str, lead: str = "") -> Any:
    try:
        return re2.compile(pattern, _OPTIONS)
    except re2.error as error:
        given = error.args[0] if error.args else b""
        said = given.decode(errors="replace") if isinstance(given, bytes) else str(given)
        what, _, where = said.partition(": ")
        known = _GO_WORDS.get(what, what)
        raise CallError(f"{lead}error parsing regexp: {known}: `{where}`") from None


def match(pattern: str, text: str) -> bool:
    """Whether a regular expression matches somewhere."""
    return _compiled(pattern).search(text) is not None


_REFERENCE = re.compile(r"\$(?:\$|\{(\w+)\}|(\w+))", re.ASCII)


def replace_all(pattern: str, replacement: str, text: str) -> str:
    """Go's ReplaceAllString: `$1` and `${1}` name groups, `$$` is a dollar; a group that is not there is empty."""
    out, at, last = [], 0, -1
    for found in _compiled(pattern, f"regexp: Compile(`{pattern}`): ").finditer(text):
        if found.end() == found.start() == last:
            continue  # an empty match right behind another is none
        out += [text[at : found.start()], _expanded(replacement, found)]
        at = last = found.end()
    return "".join([*out, text[at:]])


def _expanded(replacement: str, found: Any) -> str:
    groups = {str(number): group for number, group in enumerate([found[0], *found.groups()])}
    groups |= found.groupdict()

    def refer(reference: re.Match[str]) -> str:
        name = reference[1] or reference[2]
        return "$" if name is None else groups.get(name) or ""

    return _REFERENCE.sub(refer, replacement)


def _split_port(address: str) -> tuple[str, str] | None:
    """Go's net.SplitHostPort, None where it fails."""
    found = re.fullmatch(r"\[([^\[\]]*)\]:([^:\[\]]*)|([^:\[\]]*):([^:\[\]]*)", address)
    if found is None:
        return None
    return (found[1], found[2]) if found[1] is not None else (found[3], found[4])


def strip_port(address: str) -> str:
    """`host:9100` -> `host`; what is no address with a port stays."""
    parts = _split_port(address)
    return parts[0] if parts is not None else address


def strip_domain(address: str) -> str:
    """`host.example.com:9100` -> `host:9100`; an address in numbers stays."""
    host, port = _split_port(address) or (address, "")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        host = host.split(".")[0]
        if not port:
            return host
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return address


def graph_link(expression: str) -> str:
    """Path of an expression's graph in Prometheus."""
    return f"/graph?g0.expr={quote_plus(expression, safe='')}&g0.tab=0"


def table_link(expression: str) -> str:
    """Path of an expression's table in Prometheus."""
    return f"/graph?g0.expr={quote_plus(expression, safe='')}&g0.tab=1"
