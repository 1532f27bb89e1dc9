"""Walk: the items of a record, metrics, log records or spans, with the resource and the scope that they are under.

All three signals nest alike: resources, in each its scopes, in each its items. The signal is told by its items: a log
record has its time in field 1 or 11, a span in 7 and 8, and a metric has no number of fixed width of its own.
"""

from collections.abc import Iterator
from typing import Literal

from schemas.errors import DecodeError
from schemas.wire.otlp.protobuf import FIXED64, Span, fields

Signal = Literal["metrics", "logs", "traces"]
RESOURCE = SCOPE = 0x0A
RESOURCES = 0x0A
SCOPES = ITEMS = 0x12
_LOG_TIMES = {0x09, 0x59}
_SPAN_TIMES = {0x39, 0x41}
_NAME = 0x0A
_NOTHING = (0, 0)


def walk(data: bytes, size: int) -> Iterator[tuple[Span, Span, list[Span]]]:
    """Resource, scope and the items under them; raises DecodeError where the bytes are no such record."""
    for tag, at, end in fields(data, 0, size):
        if tag != RESOURCES:
            continue
        resource, scopes = _parts(data, at, end)
        for first, last in scopes:
            scope, items = _parts(data, first, last)
            yield resource, scope, items


def _parts(data: bytes, at: int, end: int) -> tuple[Span, list[Span]]:
    """Field 1, the last one of several, and all of field 2."""
    one = _NOTHING
    many: list[Span] = []
    for tag, first, last in fields(data, at, end):
        if tag == ITEMS:
            many.append((first, last))
        elif tag == RESOURCE:
            one = (first, last)
    return one, many


def signal_of(value: bytes) -> Signal | None:
    """What a record in protobuf holds, by its first item; None where it has none, or is no such record."""
    try:
        for _, _, items in walk(value, len(value)):
            for at, end in items:
                tags = {tag for tag, _, _ in fields(value, at, end)}
                if tags:
                    return _signal(tags)
    except DecodeError:
        pass
    return None


def _signal(tags: set[int]) -> Signal | None:
    numbers = {tag for tag in tags if tag & 7 == FIXED64}
    if numbers:
        if numbers <= _LOG_TIMES:
            return "logs"
        return "traces" if numbers <= _SPAN_TIMES else None
    return "metrics" if _NAME in tags else "logs"
