import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.produce.telemetry import Sample, encode_sample, encode_samples, record, records

LABELS: Mapping[str, str] = {"service": "checkout"}

samples = st.lists(
    st.builds(
        Sample,
        metric=st.text(min_size=1),
        labels=st.dictionaries(st.text(), st.text(), max_size=4),
        ts_ms=st.integers(0, 4_000_000_000_000),
        value=st.floats(allow_nan=False, allow_infinity=False),
    ),
    min_size=1,
    max_size=9,
)


def test_one_sample_is_one_object() -> None:
    """A sample is written with exactly the four names of the wire format."""
    expected = {"ts": 1_700_000_000_000, "metric": "up", "value": 1.5, "labels": dict(LABELS)}

    actual = json.loads(encode_sample(Sample("up", LABELS, 1_700_000_000_000, 1.5)))

    assert expected == actual


@given(samples)
def test_any_json_reader_gets_the_samples_back(given_samples: list[Sample]) -> None:
    """Whatever the names and values, an array reads back as the same samples."""
    read = json.loads(encode_samples(given_samples))

    assert given_samples == [
        Sample(part["metric"], part["labels"], part["ts"], part["value"]) for part in read
    ]


@given(samples, st.integers(1, 4))
def test_records_keep_order_and_limit(given_samples: list[Sample], limit: int) -> None:
    """Chunks hold at most the limit, and all samples in their order; their time is the latest."""
    chunks = list(records(given_samples, limit))

    decoded = [json.loads(chunk.value) for chunk in chunks]
    assert all(len(part) <= limit for part in decoded)
    assert [sample.ts_ms for sample in given_samples] == [
        part["ts"] for chunk in decoded for part in chunk
    ]
    assert [max(part["ts"] for part in chunk) for chunk in decoded] == [
        chunk.timestamp_ms for chunk in chunks
    ]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_json_cannot_say_is_refused(value: float) -> None:
    """NaN and infinities raise, for JSON would make them null in silence."""
    with pytest.raises(ValueError, match="not finite"):
        encode_sample(Sample("up", LABELS, 0, value))


def test_an_empty_record_is_refused() -> None:
    """A record without samples has no time, and is not made."""
    with pytest.raises(ValueError, match="at least one sample"):
        record([])


def test_a_limit_of_none_is_refused() -> None:
    """A limit below one would never end."""
    with pytest.raises(ValueError, match="at least one sample"):
        list(records([Sample("up", LABELS, 0, 1.0)], 0))
