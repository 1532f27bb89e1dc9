"""Requests that are none: each is refused with a reason, whatever its bytes are, and its neighbours go through."""

import cramjam
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.handles import is_handle, numbers_of
from schemas.labels import METRIC
from schemas.reasons import DeadLetterReason as Why
from schemas.wire.columns import WHOLE
from tests.schemas.wire.remote_write.requests import (
    HISTOGRAM,
    NOW,
    SECOND,
    Series,
    body,
    decode,
    pack,
    request,
    series,
)

VERSIONS = pytest.mark.parametrize("version", [1, 2])
UP, DOWN = series("up", 1.0, 0.0, job="shop"), series("down", 2.5, job="shop")
BOMB = pack(bytes(3_000_000))
TEN = [series(f"m{n}", 1.0) for n in range(10)]
REFS = {"odd": [1], "beyond all symbols": [1, 9], "far beyond": [1, 2**32 - 1]}
CASES = {
    "null tombstone": (None, Why.TOMBSTONE),
    "empty value": (b"", Why.EMPTY_VALUE),
    "not packed": (body(1, *TEN), Why.MALFORMED),
    "framed snappy": (bytes(cramjam.snappy.compress(body(1, UP))), Why.MALFORMED),
    "cut off": (request(1, *TEN)[:-3], Why.MALFORMED),
    "unpacks to too much": (BOMB, Why.TOO_LARGE),
    "announces too much": (b"\xff\xff\xff\xff\x0f" + b"\0" * 20, Why.TOO_LARGE),
    "too large packed": (bytes(200_000), Why.TOO_LARGE),
    "too many samples": (request(1, series("m", *map(float, range(51)))), Why.TOO_LARGE),
    "too many samples of 2.0": (request(2, series("m", *map(float, range(51)))), Why.TOO_LARGE),
    "both versions": (pack(body(1, UP) + body(2, UP)), Why.MALFORMED),
    "no message": (pack(b"nonsense"), Why.MALFORMED),
    "a series that is none": (pack(body(1, UP) + b"\x0a\x02\x0a\x05"), Why.MALFORMED),
    "a sample that is none": (pack(body(1, UP) + b"\x0a\x03\x12\x01\x09"), Why.MALFORMED),
    "a histogram that is none": (pack(body(1, UP) + b"\x0a\x04\x22\x02\x1a\x00"), Why.MALFORMED),
    "symbols that are none": (pack(body(2, UP) + b"\x2a\x03\x0a\x01\xff"), Why.MALFORMED),
} | {
    f"symbols {name}": (
        pack(
            SECOND["Request"](
                symbols=["", "__name__", "up"],
                timeseries=[{"labels_refs": refs, "samples": [{"timestamp": NOW}]}],
            ).SerializeToString()
        ),
        Why.MALFORMED,
    )
    for name, refs in REFS.items()
}


@VERSIONS
@pytest.mark.parametrize(("value", "reason"), CASES.values(), ids=CASES)
def test_a_bad_record_is_refused_whole_and_alone(
    version: int, value: bytes | None, reason: Why
) -> None:
    """One refusal with its reason, no trace in the interner, and both its neighbours go through."""
    good = request(version, DOWN)
    columns, interner = decode(good, value, good, message_bytes=150_000, samples_per_message=50)

    assert [(1, WHOLE, reason)] == [refusal[:3] for refusal in columns.refused]
    assert [0, 2] == columns.records.tolist()
    assert 1 == len(interner)


@given(st.lists(st.one_of(st.none(), st.binary(max_size=60), st.binary(max_size=60).map(pack))))
def test_random_bytes_never_raise(values: list[bytes | None]) -> None:
    """Whatever stands in a chunk, packed or not, its neighbours go through."""
    columns, _ = decode(*values, request(1, DOWN))

    assert len(values) == columns.records[-1]
    assert DOWN.samples[0][0] == columns.values[-1]


TARGETS = [
    body(version, UP, Series([(METRIC, "h")], (), [HISTOGRAM], 1), *TEN) for version in (1, 2)
]


@given(st.sampled_from(TARGETS), st.integers(0, 10_000), st.binary(min_size=1, max_size=8))
def test_damaged_requests_never_raise(target: bytes, at: int, damage: bytes) -> None:
    """Some bytes of a request changed before it is packed: refused with a reason, or read; never more than it had."""
    at %= len(target)
    columns, interner = decode(pack(target[:at] + damage + target[at + len(damage) :]))

    assert all(0 <= row < len(interner) for row in columns.series.tolist())
    assert len(columns.series) == len(columns.values) == len(columns.times)
    handles = numbers_of(columns.values[is_handle(columns.values)])
    assert handles.max(initial=-1) < len(columns.histograms)
