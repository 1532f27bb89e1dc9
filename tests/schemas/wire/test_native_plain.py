"""Native JSON by compiled code: the same columns, refusals and series as by the ordinary path, whatever comes."""

import json
from collections.abc import Iterator
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import compiled
from schemas.config import LimitsConfig
from schemas.spans import Spans
from schemas.wire import native_plain
from schemas.wire.columns import Columns
from schemas.wire.identity import Identity
from schemas.wire.interner import Interner
from schemas.wire.native import NativeJson
from schemas.wire.native_plain import SCAN

NUMBERS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers(-10, 2_000_000_000_000).map(str),
    st.sampled_from(
        ["-0", "0.5", "1e3", "1e999", "01", "NaN", "null", '"1"', "[1]", "1.", "1" * 25]
    ),
)
METRICS = st.sampled_from(
    [
        '"up"',
        '"down"',
        '""',
        '"\\u0075p"',
        '"caf\u00e9"',
        "7",
        '"up',
        "null",
        # the text of one metric, and another whose bytes look like it
        '"a\\\\b"',
        '"a\\b"',
    ]
)
LABELS = st.sampled_from(
    [
        '{"service":"cart"}',
        '{"service":"card"}',
        '{"service": "cart"}',
        '{"tenant":"other","a":"}"}',
        '{"a":"\\"}"}',
        "{}",
        "null",
        '{"a":1}',
        '{"a":"b"',
        '"text"',
        '{"a":"b"}}',
    ]
)
LAYOUTS = st.sampled_from(
    [
        '{{"ts":{ts},"metric":{metric},"value":{value},"labels":{labels}}}',
        '{{"ts": {ts}, "metric": {metric}, "value": {value}, "labels": {labels}}}',
        '{{ "labels" : {labels} , "value":{value},"metric":{metric},"ts":{ts} }}',
        '{{"metric":{metric},"value":{value},"ts":{ts}}}',
        '{{"ts":{ts},"metric":{metric},"value":{value},"labels":{labels},"more":1}}',
        '{{"ts":{ts},"ts":1,"metric":{metric},"value":{value},"labels":{labels}}}',
        '{{"ts":{ts},"metric":{metric},"value":{value},"labels":{labels},}}',
        '{{"ts":{ts} "metric":{metric},"value":{value},"labels":{labels}}}',
        '{{"ts":{ts},"metric":{metric},"value":{value},"labels":{labels}}} ',
        '{{"ts":{ts},"metric":{metric},"value":{value},"labels":{labels}}}}}',
        '{{"labels":{labels},"value":{value},"metric":{metric},"ts":{ts}}}x',
        '[{{"ts":{ts},"metric":{metric},"value":{value},"labels":{labels}}}]',
        '{{"ts":{ts},"metric":{metric},"value":{value},"labels":{labels}',
        '{{"ts":{ts},\n"metric":{metric},"value":{value},"labels":{labels}}}',
    ]
)
WHOLE = st.sampled_from([None, b"", b"{", b"{}", b"42", b"\xff", b'{"ts"', b'{"ts":', b"x" * 400])


def write(layout: str, ts: str, metric: str, value: str, labels: str) -> bytes:
    """A record."""
    return layout.format(ts=ts, metric=metric, value=value, labels=labels).encode()


GOOD = st.builds(
    write,
    st.just('{{"ts":{ts},"metric":{metric},"value":{value},"labels":{labels}}}'),
    st.integers(1_700_000_000_000, 1_700_000_100_000).map(str),
    st.just('"up"'),
    st.floats(-1e6, 1e6).map(repr),
    st.sampled_from([f'{{"service":"s{n}"}}' for n in range(9)]),
)
RECORDS = st.one_of(GOOD, st.builds(write, LAYOUTS, NUMBERS, METRICS, NUMBERS, LABELS), WHOLE)
CHUNKS = st.lists(st.lists(RECORDS, min_size=1, max_size=12), min_size=1, max_size=5)
LIMITS = st.sampled_from([{}, {"series_per_tenant": 3}, {"message_bytes": 1024, "tenants": 1}])


@pytest.fixture(autouse=True, scope="module")
def _at_once() -> Iterator[None]:
    """Chunks of any size are read by compiled code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled, "WORTH_CALLING", 0)
        SCAN.load()
        yield


class Reading:
    """A decoder with its series."""

    def __init__(self, limits: dict[str, int], tenant: str | None = None) -> None:
        self.limits = LimitsConfig(**limits)  # type: ignore[arg-type]  # pydantic knows their types
        self.interner = Interner(Identity(partitions=4), self.limits)
        self.interner.tenant = tenant
        self.decoder = NativeJson(
            message_bytes=self.limits.message_bytes,
            samples_per_message=self.limits.samples_per_message,
        )

    def ordinary(self, values: list[bytes | None]) -> list[object]:
        """What the ordinary path makes of a chunk."""
        return shown(self.decoder._decode(values, self.interner))

    def plain(self, values: list[bytes | None], *, spans: bool) -> list[object]:
        """What is made of it with compiled code."""
        chunk = Spans.of([b"#", *values, b"{"])[1:-1] if spans else values
        return shown(self.decoder.decode(chunk, self.interner))

    def move_on(self, minute: int) -> None:
        """Let all series go that were not heard in the minute before, and give back their ids."""
        self.interner.hear(np.arange(len(self.interner))[::2], minute)
        self.interner.retire(minute)
        self.interner.compact()

    def restart(self) -> None:
        """Go on from a checkpoint."""
        found, tenant = self.interner.snapshot(), self.interner.tenant
        self.interner = Interner(Identity(partitions=4), self.limits)
        self.interner.restore(found, 0)
        self.interner.tenant = tenant

    def known(self) -> list[object]:
        """Everything that is remembered."""
        state = {name: column.tolist() for name, column in self.interner.snapshot().items()}
        return [state, list(self.interner.label_bytes)]


def shown(columns: Columns) -> list[object]:
    """Columns in a form that tells every bit."""
    return [
        columns.series.tolist(),
        columns.times.tolist(),
        columns.values.view(np.int64).tolist(),
        columns.records.tolist(),
        columns.items.tolist(),
        columns.refused,
        columns.unread,
        columns.ignored,
    ]


@settings(max_examples=150, deadline=None)
@given(
    CHUNKS,
    LIMITS,
    st.sampled_from([None, "acme"]),
    st.booleans(),
    st.integers(0, 2),
    st.sampled_from([native_plain.PIECE, 2]),
)
def test_both_paths_make_the_same_of_any_chunks(
    chunks: list[list[bytes | None]],
    limits: dict[str, int],
    tenant: str | None,
    spans: bool,
    turn: int,
    piece: int,
) -> None:
    """Order, ids, values bit by bit, refusals, counts and what is remembered; through retirement and restart too."""
    one, other = Reading(limits, tenant), Reading(limits, tenant)
    # what was new the first time is known the second
    for minute, values in enumerate([*chunks, *chunks]):
        with patch.object(native_plain, "PIECE", piece):
            assert one.ordinary(values) == other.plain(values, spans=spans)
        for reading in (one, other):
            if turn == 1:
                reading.move_on(minute)
            elif turn == 2:
                reading.restart()
        assert one.known() == other.known()


KNOWN = [
    rb'{"ts":1,"metric":"a\\b","value":1,"labels":{"a":"b"}}',
    rb'{"ts":1,"metric":"up","value":1,"labels":{"a":"b"}}',
    rb'{"labels":{"a":"b"},"ts":1,"metric":"up","value":1}',
]
"""Series of two metrics, the first of which has a backslash."""


@pytest.mark.parametrize(
    "value",
    [
        rb'{"ts":1,"metric":"a\b","value":1,"labels":{"a":"b"}}',
        rb'{"labels":{"a":"b"},"ts":1,"metric":"up","value":1}x',
        rb'{"labels":{"a":"b"},"ts":1,"metric":"up","value":1}}',
        rb'{"labels":{"a":"b"},"ts":1,"metric":"up","value":1,}',
        rb'{"labels":{"a":"b"},"ts":1 "metric":"up","value":1}',
        rb'{"labels":{"a":"b"},"ts":1,,"metric":"up","value":1}',
        rb'{"labels":{"a":"b"},"ts" 1,"metric":"up","value":1}',
        rb'{"labels":{"a":"b"},"ts":1,"metric":"up","value":1',
        rb'{"labels":{"a":"b"},"ts":1,"metric":"up"}',
        rb'{"labels":{"a":"b"},"ts":1,"metric":up,"value":1}',
        rb'{"labels":{"a":"b"},"ts":1,"metric":"up","value":01}',
        rb'{"ts":1,"metric":"up","value":1,"labels":{"a":"b"},"labels":{}}',
    ],
)
def test_what_looks_like_a_known_series_is_none(value: bytes) -> None:
    """One byte more or less, or one that means another: the ordinary path has the word."""
    one, other = Reading({}), Reading({})
    for chunk in (KNOWN, [*KNOWN, value]):
        assert one.ordinary([*chunk]) == other.plain([*chunk], spans=True)


def test_nearly_all_records_of_a_stream_are_plain() -> None:
    """Known series are read without the ordinary path, in any layout that JSON writers have by default."""
    sample = {"ts": 1_700_000_000, "metric": "up", "value": 0.1, "labels": {"service": "cart"}}
    values: list[bytes | None] = [
        json.dumps(sample).encode(),
        json.dumps(sample, separators=(",", ":")).encode(),
        json.dumps(sample, sort_keys=True).encode(),
        json.dumps(sample | {"value": 0.1 + 0.2}).encode(),
    ]
    reading = Reading({})
    expected = reading.plain(values, spans=True)

    def refuse(*_: object) -> Columns:
        raise AssertionError("a plain record takes the ordinary path")

    reading.decoder._decode = refuse  # type: ignore[method-assign]  # it must not be asked
    assert expected == reading.plain(values, spans=True)
