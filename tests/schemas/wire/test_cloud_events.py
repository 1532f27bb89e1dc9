"""CloudEvents around records of other formats."""

import base64
import json
from typing import Any

import pytest

from schemas.records import Headers
from schemas.wire.columns import WHOLE
from tests.schemas.wire.decoding import decode

NATIVE = {"ts": 1_760_000_000, "metric": "up", "value": 1, "labels": {"service": "cart"}}
LINE = "up,service=cart value=1 1760000000000000000"
BINARY = (("ce_specversion", b"1.0"), ("ce_id", b"1"), ("ce_source", b"/a"), ("ce_type", b"t"))


def event(**parts: Any) -> bytes:
    """A structured event around a native sample."""
    whole = {"specversion": "1.0", "id": "1", "source": "/a", "type": "t", "data": NATIVE}
    return json.dumps({key: part for key, part in (whole | parts).items() if part != ""}).encode()


def of_type(kind: str, *others: tuple[str, bytes]) -> Headers:
    """Headers with this content type."""
    return (*others, ("content-type", kind.encode()))


@pytest.mark.parametrize(
    ("value", "headers"),
    [
        (json.dumps(NATIVE).encode(), BINARY),
        (json.dumps(NATIVE).encode(), of_type("application/json; charset=utf-8", *BINARY)),
        (LINE.encode(), of_type("text/plain", *BINARY)),
        (event(), ()),
        (event(), of_type("application/cloudevents+json; charset=UTF-8")),
        (event(), of_type("application/cloudevents+json", *BINARY)),
        (event(datacontenttype="application/json"), ()),
        (event(datacontenttype="text/plain", data=LINE), ()),
        (event(data="", data_base64=base64.b64encode(LINE.encode()).decode()), ()),
    ],
)
@pytest.mark.parametrize("name", ["cloud_events", "auto"])
def test_an_event_written_by_hand_is_opened(name: str, value: bytes, headers: Headers) -> None:
    """In either mode what is inside is read as the format that it is, by `cloud_events` and by `auto`."""
    found = decode(name, value, headers=[headers])

    assert [] == found.refused
    assert ['{service="cart"}', 1_760_000_000_000, 1.0] == [
        found.samples[0].series[-16:],
        *found.samples[0][1:],
    ]


@pytest.mark.parametrize(
    ("value", "headers", "reason"),
    [
        (event(specversion="0.3"), (), "unknown_format"),
        (b"x", (("ce_specversion", b"2.0"),), "unknown_format"),
        (event(data=""), (), "missing_value"),
        (event(data="", data_base64="!"), (), "wrong_type"),
        (event(datacontenttype="text/plain", data=7), (), "wrong_type"),
        (event(data={"a": 1}), (), "unknown_format"),
        (event(data=None), (), "wrong_type"),
        (event(data=json.loads(event())), (), "unknown_format"),
        (event(id=7), (), "wrong_type"),
        (b"[]", of_type("application/cloudevents-batch+json"), "wrong_type"),
        (b"{", of_type("application/cloudevents+json"), "not_json"),
        (b"\xff", of_type("application/cloudevents+json"), "not_utf8"),
        (None, BINARY, "tombstone"),
        (event(data="", data_base64=""), (), "missing_value"),
        (event(data=NATIVE | {"value": "x"}), (), "wrong_type"),
        (event(data=NATIVE | {"labels": {"a": "x" * 900}}), (), "too_large"),
    ],
)
def test_a_bad_event_is_refused_alone(value: bytes | None, headers: Headers, reason: str) -> None:
    """Each fault has its reason, and the events before and behind are read."""
    found = decode("auto", event(), value, event(), headers=[(), headers, ()], message_bytes=800)

    assert [(1, WHOLE, reason)] == [*found.refused]
    assert [0, 2] == found.columns.records.tolist()


def test_what_is_no_event_is_refused_where_events_are_declared() -> None:
    """A source that says `cloud_events` takes nothing else, `auto` does."""
    bare = json.dumps(NATIVE).encode()

    assert [(0, WHOLE, "unknown_format")] == decode("cloud_events", bare).refused
    assert [] == decode("auto", bare).refused
