"""Guess: which formats records are in, each told as `format: auto` tells it, and by what.

It refuses to choose where nothing tells: such records are counted with the reason.
"""

from collections import Counter
from collections.abc import Iterable

from schemas.config.limits import LimitsConfig
from schemas.errors import ConfigError, DecodeError
from schemas.records import Headers
from schemas.wire.cloud_events import content_type_of, is_event
from schemas.wire.format import Format as WireFormat
from schemas.wire.format import size_fault
from schemas.wire.recognition import Recognition
from schemas.wire.registry import AUTO, CLOUD_EVENTS, find_format, names
from streams.inspect.report import Format

UNTOLD = ""
SHOWN_KEYS = 6
FEW = 0.01
"""A share of records that is left out of the choice: they are strays, and become dead letters."""


class Guess:
    """Tells the formats of records."""

    def __init__(self, limits: LimitsConfig) -> None:
        self._limits = limits
        self._formats: dict[str, WireFormat] = {}
        for name in names():
            try:
                found = find_format(name)
            except ConfigError:  # its packages are not here
                continue
            if name != AUTO:
                self._formats[name] = found
        self._recognition = Recognition(self._formats)
        self._found: Counter[tuple[str, str]] = Counter()

    def note(self, records: Iterable[tuple[bytes | None, Headers]]) -> None:
        """Take in records."""
        for value, headers in records:
            self._found[self.tell(value, headers)] += 1

    def tell(self, value: bytes | None, headers: Headers = ()) -> tuple[str, str]:
        """Name of a record's format and what told it; no name, and why, where nothing did."""
        if (fault := size_fault(value, self._limits)) is not None:
            return UNTOLD, fault[0].value
        assert value is not None
        kind = content_type_of(headers) if headers else ""
        if headers and is_event(headers, kind):
            return CLOUD_EVENTS, "headers of CloudEvents"
        try:
            name = self._recognition.name(value, kind)
        except DecodeError as error:
            return UNTOLD, error.detail
        return name, self._why(name, value, kind)

    def _why(self, name: str, value: bytes, kind: str) -> str:
        if kind and kind in self._formats[name].content_types:
            return f"header content-type: {kind}"
        if value.startswith(self._formats[name].starts) and self._formats[name].starts:
            return "first bytes"
        shape = max(
            (s for s in self._formats[name].shapes if all(f'"{k}"'.encode() in value for k in s)),
            key=len,
            default=frozenset[str](),
        )
        if shape:
            return f"JSON with {', '.join(sorted(shape)[:SHOWN_KEYS])}"
        return "JSON" if value.lstrip()[:1] in (b"{", b"[") else "how the bytes look"

    def formats(self) -> list[Format]:
        """What was found, the most frequent first."""
        return [Format(name, n, why) for (name, why), n in self._found.most_common()]

    def choose(self) -> str:
        """Format for a source: the one that all but a few records have, or else `auto`."""
        by_name: Counter[str] = Counter()
        for (name, _), count in self._found.items():
            if name != UNTOLD:
                by_name[name] += count
        (chosen, most), *_ = by_name.most_common(1) or [(AUTO, 0)]
        return chosen if most >= (1 - FEW) * by_name.total() else AUTO
