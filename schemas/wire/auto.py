"""The format `auto`: each record in the format that its content-type header names, or else its first bytes.

Every known format takes part that says how its records are told; one whose packages are not installed does not. What no
format claims is refused. Samples come out in the order of the log, whatever the formats around them.
"""

from collections.abc import Sequence
from itertools import groupby, repeat

from schemas.config.limits import LimitsConfig
from schemas.errors import ConfigError
from schemas.reasons import DeadLetterReason
from schemas.records import Headers
from schemas.wire.columns import WHOLE, Columns, Decoder, Refusal
from schemas.wire.format import Format, of_chunk, size_fault
from schemas.wire.interner import Interner
from schemas.wire.registry import AUTO as NAME
from schemas.wire.registry import find_format, names

_CONTENT_TYPE = "content-type"


class Auto:
    """Decoder of records of several formats."""

    def __init__(self, limits: LimitsConfig) -> None:
        self._limits = limits
        self._decoders: dict[str, Decoder] = {}
        self._by_type: dict[bytes, str] = {}
        self._by_start: dict[bytes, str] = {}
        for name in names():
            if name == NAME:
                continue
            try:
                found = find_format(name)
            except ConfigError:  # its packages are not here, so its records are refused
                continue
            self._decoders[name] = found.make(limits)
            self._by_type |= dict.fromkeys((t.encode() for t in found.content_types), name)
            self._by_start |= dict.fromkeys(found.starts, name)
        # longer ones first: what they tell is more
        self._lengths = sorted({len(start) for start in self._by_start}, reverse=True)

    def decode(
        self,
        values: Sequence[bytes | None],
        interner: Interner,
        headers: Sequence[Headers] | None = None,
    ) -> Columns:
        """Columns of the samples in these values; without their headers only first bytes tell the format."""
        refused: list[Refusal] = []
        parts: list[Columns] = []
        first = 0
        # run by run, in the order of the log: at a limit the first come is served
        for name, run in groupby(map(self._name, values, headers or repeat(()))):
            last = first + sum(1 for _ in run)
            if name is None:
                for at in range(first, last):
                    fault = size_fault(values[at], self._limits) or _UNKNOWN
                    refused.append(Refusal(at, WHOLE, *fault))
            else:
                part = self._decoders[name].decode(values[first:last], interner)
                part.records += first
                refused += [r._replace(record=r.record + first) for r in part.refused]
                parts.append(part)
            first = last
        if len(parts) == 1:
            parts[0].refused = refused
            return parts[0]
        return of_chunk(parts, refused)

    def _name(self, value: bytes | None, headers: Headers) -> str | None:
        if not value:
            return None
        for key, content in headers:
            if key.lower() == _CONTENT_TYPE:
                # what stands after the type are parameters: RFC 9110, section 8.3.1
                name = self._by_type.get(content.partition(b";")[0].strip().lower())
                if name is not None:
                    return name
        for length in self._lengths:
            name = self._by_start.get(value[:length])
            if name is not None:
                return name
        return None


_UNKNOWN = (
    DeadLetterReason.UNKNOWN_FORMAT,
    "neither its content type nor its first bytes tell a format",
)

AUTO = Format(Auto)
