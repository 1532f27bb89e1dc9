"""RFC 3339 texts to milliseconds, one by one and in columns."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.wire.stamps import texts_ms

MS = 1_767_225_600_123
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TEXT = "2026-01-01T00:00:00.123456789Z"


def written(stamp: datetime, digits: int) -> str:
    """A time in UTC with so many digits behind the seconds, as Go and Rust write it."""
    fraction = f"{stamp.microsecond:06d}000"[:digits]
    return f"{stamp:%Y-%m-%dT%H:%M:%S}{'.' if digits else ''}{fraction}Z"


STAMPS = st.builds(
    written,
    st.integers(0, 2**52).map(lambda us: EPOCH + timedelta(microseconds=us)),
    st.sampled_from([0, 1, 3, 6, 9]),
)


@given(st.lists(STAMPS, min_size=1, max_size=5))
def test_a_column_is_read_as_each_of_its_texts(texts: list[str]) -> None:
    """Whether a text stands among good ones, or beside a bad one, makes no difference."""
    alone = [texts_ms([text, "bad"]).tolist() for text in texts]
    exact = [(datetime.fromisoformat(t) - EPOCH) / timedelta(milliseconds=1) for t in texts]

    assert [[ms, -1] for ms in texts_ms(texts).tolist()] == alone
    assert [round(ms) for ms in exact] == texts_ms(texts).tolist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (TEXT, MS),
        ("2026-01-01T01:00:00.123+01:00", MS),
        ("2026-01-01T00:00:00.123", -1),
        ("2026-02-30T00:00:00Z", -1),
        ("2026-13-01T00:00:00Z", -1),
        ("2026-01-01T24:00:00Z", -1),
        ("2026-01-01T00:00:60Z", -1),
        ("1969-12-31T23:59:59Z", -1),
        ("2026-01-01T00:00:00Z!", -1),
        ("2026-01-01T00:00:00ZZ", -1),
        ("2026-01-01T00:00:0²Z", -1),
        ("", -1),
        ("now", -1),
        (TEXT * 9, -1),
    ],
)
def test_what_is_no_time_is_minus_one(text: str, expected: int) -> None:
    """A time has a zone, and is one that the calendar has; alone and beside a good one."""
    assert [expected] == texts_ms([text]).tolist()
    assert [expected, MS] == texts_ms([text, TEXT]).tolist()


def test_nothing_is_nothing() -> None:
    """No texts, no times."""
    assert [] == texts_ms([]).tolist()
