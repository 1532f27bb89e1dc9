"""The format `auto`: each record in its own format, in the order of the log."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.config import LimitsConfig
from schemas.reasons import DeadLetterReason as Why
from schemas.records import Headers
from schemas.wire import registry
from schemas.wire.auto import Auto
from schemas.wire.columns import WHOLE, Columns
from schemas.wire.interner import Identity, Interner
from tests.schemas.wire.test_arrow import GOOD as ARROW
from tests.schemas.wire.test_samples import GOOD as SAMPLES

NATIVE = json.dumps(
    {"ts": 1_700_000_000, "metric": "up", "value": 1.5, "labels": {"service": "cart"}}
).encode()
NO_HEADERS: Headers = ()


def decode(*values: bytes | None, headers: list[Headers] | None = None, **limits: int) -> Columns:
    """Columns of these record values."""
    config = LimitsConfig(**limits)
    return Auto(config).decode(list(values), Interner(Identity(), config), headers)


def test_first_bytes_tell_the_format() -> None:
    """Records of all formats stand side by side, and the same series is one in all of them."""
    columns = decode(SAMPLES, ARROW, b" \n[" + NATIVE + b"]", NATIVE, NATIVE, SAMPLES)

    assert [] == columns.refused
    assert [0, 1, 1, 2, 3, 4, 5] == columns.records.tolist()
    assert [0, 0, 1, 0, WHOLE, WHOLE, 0] == columns.items.tolist()
    assert [0, 0, 1, 0, 0, 0, 0] == columns.series.tolist()


def test_what_no_format_claims_is_refused() -> None:
    """A record that no format claims is one refusal, with its own reason where its size is at fault."""
    columns = decode(NATIVE, b"up 1", None, b"", b"x" * 600, SAMPLES, message_bytes=500)

    assert [
        (1, WHOLE, Why.UNKNOWN_FORMAT),
        (2, WHOLE, Why.TOMBSTONE),
        (3, WHOLE, Why.EMPTY_VALUE),
        (4, WHOLE, Why.TOO_LARGE),
    ] == [r[:3] for r in columns.refused]
    assert [0, 5] == columns.records.tolist()


def test_a_refusal_names_the_record_of_the_chunk() -> None:
    """Records are numbered as in the chunk, whatever the format of their neighbours."""
    columns = decode(NATIVE, SAMPLES[:-1], NATIVE, ARROW[:-60], b"{nonsense")

    assert [(1, Why.MALFORMED), (3, Why.MALFORMED), (4, Why.NOT_JSON)] == [
        (r.record, r.reason) for r in columns.refused
    ]
    assert [0, 2] == columns.records.tolist()


@pytest.mark.parametrize(
    "content_type",
    [b"application/vnd.tocsin.samples", b"Application/vnd.Tocsin.Samples; v=1"],
)
def test_the_content_type_goes_before_the_first_bytes(content_type: bytes) -> None:
    """A header that names a format decides; one that is not known leaves it to the first bytes."""
    named = (("ce_id", b"1"), ("Content-Type", content_type))
    unknown = (("content-type", b"text/plain"),)
    columns = decode(NATIVE, NATIVE, NATIVE, headers=[named, NO_HEADERS, unknown])

    assert [(0, Why.MALFORMED)] == [(r.record, r.reason) for r in columns.refused]
    assert [1, 2] == columns.records.tolist()


def test_a_limit_hangs_on_the_order_of_the_log() -> None:
    """At a limit the first series of the log is taken, whatever its format."""
    other = NATIVE.replace(b"cart", b"shop")
    for values in ((SAMPLES, other, NATIVE), (other, SAMPLES, other)):
        columns = decode(*values, series_per_tenant=1)

        assert [0, 2] == columns.records.tolist()
        assert [Why.TOO_MANY_SERIES] == [r.reason for r in columns.refused]


def test_without_an_extra_its_records_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a format cannot be loaded, its records are of no known format, and the others are read."""
    without = dict(registry.OURS, arrow="schemas.wire.not_there:ARROW")
    monkeypatch.setattr(registry, "OURS", without)
    registry._known.cache_clear()
    try:
        columns = decode(ARROW, SAMPLES)
    finally:
        registry._known.cache_clear()

    assert [(0, Why.UNKNOWN_FORMAT)] == [(r.record, r.reason) for r in columns.refused]
    assert [1] == columns.records.tolist()


@given(
    st.lists(
        st.one_of(
            st.none(),
            st.binary(max_size=60),
            st.sampled_from([NATIVE, SAMPLES, ARROW]),
            st.builds(
                lambda v, n: v[:n], st.sampled_from([NATIVE, SAMPLES, ARROW]), st.integers(1, 99)
            ),
        ),
        max_size=8,
    )
)
def test_any_chunk_is_decoded_or_refused(values: list[bytes | None]) -> None:
    """Each record of a chunk ends up among the samples or the refusals, and nothing raises."""
    columns = decode(*values)

    seen = set(columns.records.tolist()) | {r.record for r in columns.refused}
    # an empty array is a record without samples, and without a fault
    empty = {at for at, value in enumerate(values) if (value or b"").strip() == b"[]"}
    assert set(range(len(values))) - empty == seen - empty
    assert sorted(columns.records.tolist()) == columns.records.tolist()
