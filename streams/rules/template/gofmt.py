"""Values as Go's `fmt` prints them: `%v`, `Sprint`, `Sprintln` and `Sprintf`.

Forms are those of https://pkg.go.dev/fmt and https://pkg.go.dev/strconv#FormatFloat. What Go calls a wrong verb becomes
the same `%!d(string=x)` here; nothing raises, except a form that is no text.
"""

import math
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

from streams.rules.template.values import Data, Duration, Method, Time, type_name

_PLAIN = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}


def quote(text: str, *, ascii_only: bool = False) -> str:
    """Go's `strconv.Quote`, or `QuoteToASCII`."""
    out = ['"']
    for char in text:
        if char in '"\\':
            out.append("\\" + char)
        elif char.isprintable() and (char.isascii() or not ascii_only):
            out.append(char)
        elif char in _PLAIN:
            out.append(_PLAIN[char])
        else:
            code = ord(char)
            form = "\\x{:02x}" if code < 0x80 else "\\u{:04x}" if code < 0x10000 else "\\U{:08x}"
            out.append(form.format(code))
    return "".join(out) + '"'


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
    match value:
        case None:
            return "<nil>"
        case bool():
            return "true" if value else "false"
        case float():
            return print_float(value)
        case Mapping():
            pairs = sorted(value.items())
            return f"map[{' '.join(f'{k}:{print_value(v)}' for k, v in pairs)}]"
        case list() | tuple():
            return f"[{' '.join(map(print_value, value))}]"
        case Data():
            parts = (value.Labels, value.ExternalLabels, value.ExternalURL, value.Value)
            return f"{{{' '.join(map(print_value, parts))}}}"
    return str(value)


def sprint(*given: object) -> str:
    """Go's Sprint: a space between two operands of which neither is a text."""
    out = ""
    for i, value in enumerate(given):
        gap = i and not isinstance(value, str) and not isinstance(given[i - 1], str)
        out += (" " if gap else "") + print_value(value)
    return out


def sprintln(*given: object) -> str:
    """Go's Sprintln: spaces between all operands, and a newline."""
    return " ".join(map(print_value, given)) + "\n"


_VERB = re.compile(
    r"%(?P<flags>[-+# 0]*)(?:\[(?P<at>\d+)\])?(?P<width>\d+|\*)?(?:\.(?P<precision>\d+|\*|))?"
    r"(?:\[(?P<at2>\d+)\])?(?P<verb>.)?",
    re.DOTALL,
)


class _Arguments:
    """The operands of a Sprintf, and which of them is next."""

    def __init__(self, given: Sequence[object]) -> None:
        self._given = given
        self._next = 0
        self._jumped = False

    def jump(self, number: str | None) -> bool:
        if number is None:
            return True
        self._jumped = True
        self._next = int(number) - 1
        return 0 <= self._next < len(self._given)

    def take(self) -> tuple[bool, object]:
        if self._next >= len(self._given):
            return False, None
        self._next += 1
        return True, self._given[self._next - 1]

    def size(self, word: str, bad: str) -> tuple[int, str]:
        """A width or a precision, from the operands where it is a star, and what to print where that is no number."""
        if word != "*":
            return int(word), ""
        _, value = self.take()
        return (value, "") if type(value) is int else (0, bad)

    def extra(self) -> Sequence[object]:
        return () if self._jumped else self._given[self._next :]


def sprintf(form: str, *given: object) -> str:
    """Go's Sprintf."""
    arguments = _Arguments(given)

    def one(found: re.Match[str]) -> str:
        verb = found["verb"]
        if verb is None:
            return "%!(NOVERB)"
        if not arguments.jump(found["at"]):
            return f"%!{verb}(BADINDEX)"
        # with v, a plus asks for the names of fields, not for a sign
        flags = found["flags"].replace("+", "") if verb == "v" else found["flags"]
        width, bad = arguments.size(found["width"] or "0", "%!(BADWIDTH)")
        flags, width = flags + ("-" if width < 0 else ""), abs(width)
        given_places = found["precision"]
        places, bad_places = arguments.size(given_places or "0", "%!(BADPREC)")
        bad += bad_places if places >= 0 else "%!(BADPREC)"
        if verb == "%":
            return bad + "%"
        if not arguments.jump(found["at2"]):
            return f"{bad}%!{verb}(BADINDEX)"
        there, value = arguments.take()
        if not there:
            return f"{bad}%!{verb}(MISSING)"
        exact = given_places is not None and not bad_places and places >= 0
        return bad + format_value(verb, value, flags, width, places if exact else None)

    out = _VERB.sub(one, form)
    extra = arguments.extra()
    if extra:
        shown = ", ".join(
            "<nil>" if v is None else f"{type_name(v)}={print_value(v)}" for v in extra
        )
        out += f"%!(EXTRA {shown})"
    return out


def format_value(verb: str, value: object, flags: str, width: int, places: int | None) -> str:
    """A value under a verb, padded; `places` is the precision."""
    if verb == "T":
        name = "<nil>" if value is None else type_name(value)
        return _pad(name if places is None else name[:places], flags, width)
    if value is None:
        return _pad("<nil>", flags, width) if verb == "v" else f"%!{verb}(<nil>)"
    if isinstance(value, Mapping):
        pairs = (
            f"{format_value(verb, k, flags, width, places)}:{format_value(verb, v, flags, width, places)}"
            for k, v in sorted(value.items())
        )
        return f"map[{' '.join(pairs)}]"
    if isinstance(value, list | tuple):
        each = (format_value(verb, v, flags, width, places) for v in value)
        return f"[{' '.join(each)}]"
    if isinstance(value, Time | Duration | Method) and verb in "vsqxX":
        value = str(value)
    text = _plain(verb, value, flags, places)
    if text is None:
        shown = "?" if verb == "v" else format_value("v", value, flags, width, places)
        return f"%!{verb}({type_name(value)}={shown})"
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return _pad(text, flags, width, number=is_number and verb not in "cqU")


def _plain(verb: str, value: object, flags: str, places: int | None) -> str | None:
    """The value without padding, None where Go calls the pair wrong."""
    match value:
        case bool():
            return print_value(value) if verb in "vt" else None
        case float():
            return _float(verb, value, flags, places)
        case int():
            return _integer(verb, value, flags, places)
        case str():
            return _text(verb, value, flags, places)
        case Duration():
            return _integer(verb, value.nanoseconds, flags, places)
    return print_value(value) if verb in "vs" else None


def _signed(text: str, flags: str) -> str:
    if text.startswith("-"):
        return text
    return f"+{text}" if "+" in flags else f" {text}" if " " in flags else text


def _float(verb: str, value: float, flags: str, places: int | None) -> str | None:
    if verb not in "vgGeEfFxXb":
        return None
    if not math.isfinite(value):
        text = print_float(value).lstrip("+")
        return (
            _signed(text, flags)
            if "+" in flags or " " in flags or value < 0
            else ("NaN" if math.isnan(value) else "+Inf")
        )
    if "#" in flags and verb in "gGeEfF":
        return _signed(
            f"{value:#.{6 if places is None else places}{verb.replace('F', 'f')}}", flags
        )
    if verb in "vgG" and places is None:
        text = print_float(value)
        return _signed(text.upper() if verb == "G" else text, flags)
    if verb in "xXb":
        text = _binary(value) if verb == "b" else _hexadecimal(value, places)
        return _signed(text.upper() if verb == "X" else text, flags)
    kind = {"v": "g", "F": "f"}.get(verb, verb)
    return _signed(f"{value:.{6 if places is None else places}{kind}}", flags)


def _binary(value: float) -> str:
    """Mantissa and exponent of 2, as Go's format 'b'."""
    mantissa, exponent = math.frexp(value)
    return f"{int(mantissa * 2**53)}p{exponent - 53:+d}" if value else "0p-1074"


def _hexadecimal(value: float, places: int | None) -> str:
    """`0x1.2ep+06`; so many digits behind the point, or as many as there are."""
    mantissa, exponent = math.frexp(abs(value))
    bits, exponent = int(mantissa * 2**53), exponent - 1 if value else 0
    if places is not None and places < 13:
        unit = 1 << (4 * (13 - places))
        bits = round(Fraction(bits, unit)) * unit
        if bits >= 1 << 53:
            bits, exponent = bits >> 1, exponent + 1
    digits = f"{bits & ((1 << 52) - 1):013x}"
    digits = digits.rstrip("0") if places is None else digits[:places].ljust(places, "0")
    sign = "-" if math.copysign(1, value) < 0 else ""
    return f"{sign}0x{bits >> 52}{'.' if digits else ''}{digits}p{exponent:+03d}"


_BASES: dict[str, tuple[str, str]] = {
    "d": ("d", ""), "v": ("d", ""), "b": ("b", "0b"), "o": ("o", "0"), "O": ("o", ""),
    "x": ("x", "0x"), "X": ("X", "0X"),
}  # fmt: skip


def _integer(verb: str, value: int, flags: str, places: int | None) -> str | None:
    if verb == "c":
        return chr(value) if 0 <= value < 0x110000 else "\ufffd"
    if verb == "q":
        char = chr(value) if 0 <= value < 0x110000 else "\ufffd"
        inner = quote(char)[1:-1].replace('\\"', '"')
        return f"'{chr(92) + chr(39) if char == chr(39) else inner}'"
    if verb == "U":
        return f"U+{value:04X}"
    if verb not in _BASES:
        return None
    kind, prefix = _BASES[verb]
    digits = f"{abs(value):{kind}}"
    if places is not None:
        digits = "" if places == 0 and value == 0 else digits.zfill(places)
    lead = prefix if "#" in flags else "0o" if verb == "O" else ""
    return _signed(("-" if value < 0 else "") + lead + digits, flags)


def _text(verb: str, value: str, flags: str, places: int | None) -> str | None:
    if verb in "vs":
        return value if places is None else value[:places]
    if verb == "q":
        value = value if places is None else value[:places]
        if "#" in flags and "`" not in value and all(c.isprintable() or c == "\t" for c in value):
            return f"`{value}`"
        return quote(value, ascii_only="+" in flags)
    if verb in "xX":
        data = value.encode() if places is None else value.encode()[:places]
        lead = "0x" if "#" in flags else ""
        apart = (
            [data[i : i + 1] for i in range(len(data))] if " " in flags else [data] if data else []
        )
        text = " ".join(lead + part.hex() for part in apart)
        return text.upper() if verb == "X" else text
    return None


def _pad(text: str, flags: str, width: int, *, number: bool = False) -> str:
    if "-" in flags:
        return text.ljust(width)
    if "0" in flags and (not number or text[-1:].isalnum()) and text not in ("NaN", "+Inf", "-Inf"):
        if not number:
            return text.rjust(width, "0")
        sign = text[0] if text[:1] in ("+", "-", " ") else ""
        return sign + text[len(sign) :].rjust(width - len(sign), "0")
    return text.rjust(width)
