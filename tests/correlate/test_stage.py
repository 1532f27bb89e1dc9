"""The stage: bytes of a partition of tocsin.alerts to bytes of tocsin.incidents, nothing unreadable stops it."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from schemas import topics
from schemas.config import Config
from schemas.dead_letters import DeadLetter
from schemas.incidents import Incident
from schemas.records import decode_record, encode_record
from streams.correlate import CorrelateStage
from streams.stage import Outgoing
from streams.transport.chunk import Chunk
from tests.correlate.sample import MINUTE, T0, make_alert, make_tick


def make_stage() -> CorrelateStage:
    return CorrelateStage(Config(), sources=1)


def chunk(*values: bytes | None) -> Chunk:
    """A chunk of tocsin.alerts from offset 40 on."""
    return Chunk(
        topics.ALERTS,
        3,
        fetch_offset=40,
        next_offset=40 + len(values),
        values=list(values),
        timestamps=[T0] * len(values),
    )


def letters(sent: list[Outgoing]) -> list[DeadLetter]:
    return [
        decode_record(r.value or b"", DeadLetter) for r in sent if r.topic == topics.DEAD_LETTERS
    ]


def test_incident_is_sent_under_its_id() -> None:
    """One record on tocsin.incidents: key, CloudEvents headers, event time as timestamp."""
    alert, tick = make_alert("cart", 0), make_tick(MINUTE)
    (sent,) = make_stage().apply(chunk(encode_record(alert), encode_record(tick)))
    incident = decode_record(sent.value or b"", Incident)
    headers = dict(sent.headers)

    assert (topics.INCIDENTS, incident.id.encode(), incident.updated_at) == (
        sent.topic,
        sent.key,
        sent.timestamp_ms,
    )
    assert (b"tocsin.incident", b"2023-11-14T22:13:50.000Z") == (
        headers["ce_type"],
        headers["ce_time"],
    )


def test_what_cannot_be_read_is_a_dead_letter() -> None:
    """Each has its reason and origin, and what stands beside it goes through."""
    bad_time = encode_record(make_alert("cart", 10**15))
    sent = make_stage().apply(
        chunk(
            None,
            b"",
            b"\xff\xfe",
            b'{"kind":"other"}',
            b"[]",
            bad_time,
            b"[" * 100_000,
            encode_record(make_alert("cart", 0)),
            encode_record(make_tick(MINUTE)),
        )
    )

    assert [
        ("tombstone", 40),
        ("empty_value", 41),
        ("not_json", 42),
        ("wrong_type", 43),
        ("wrong_type", 44),
        ("bad_time", 45),
    ] == [(x.reason.value, x.offset) for x in letters(sent)][:6]
    assert 7 == len(letters(sent))
    assert topics.INCIDENTS == sent[-1].topic


@given(st.lists(st.binary(max_size=60) | st.none(), max_size=8))
def test_random_bytes_never_stop_it(values: list[bytes | None]) -> None:
    """Every random record becomes one dead letter."""
    assert len(values) == len(letters(make_stage().apply(chunk(*values))))


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "id": st.text(max_size=5),
                "tenant": st.text(max_size=5),
                "rule": st.text(max_size=5),
                "fingerprint": st.text(max_size=3),
                "state": st.sampled_from(("pending", "firing", "resolved")),
                "reason": st.just("held_for"),
                "time": st.integers(-(2**62), 2**62) | st.integers(0, 200_000),
                "active_at": st.integers(0, 2**53),
                "labels": st.dictionaries(
                    st.sampled_from(("service", "host", "severity", "flow", "alertname", "x")),
                    st.text(max_size=5),
                ),
                "value": st.none() | st.floats(allow_nan=False, allow_infinity=False),
                "expected": st.none() | st.floats(allow_nan=False, allow_infinity=False),
                "urgent": st.booleans(),
                "source": st.integers(-1, 2),
            }
        ),
        max_size=12,
    )
)
def test_hostile_alerts_never_stop_it(given: list[dict[str, object]]) -> None:
    """Alerts with any content are taken in or refused; a tick after them is still answered."""
    stage = make_stage()
    stage.apply(chunk(*(msgspec.json.encode({"kind": "alert", **fields}) for fields in given)))
    stage.apply(chunk(encode_record(make_tick(0))))
    stage.apply(chunk(encode_record(make_alert("cart", MINUTE))))
    sent = stage.apply(chunk(encode_record(make_tick(3 * MINUTE))))

    assert any(r.topic == topics.INCIDENTS for r in sent)


def test_snapshot_goes_through_the_stage() -> None:
    """A restored stage answers the tick as the first would have."""
    first, second = make_stage(), make_stage()
    first.apply(chunk(encode_record(make_alert("cart", 0))))
    second.restore(first.snapshot())
    tick = chunk(encode_record(make_tick(MINUTE)))

    assert first.apply(tick) == second.apply(tick)


def test_refusals_are_counted() -> None:
    """Figures name what was dropped, by reason."""
    stage = make_stage()
    alert = encode_record(make_alert("cart", 0))
    stage.apply(chunk(alert, alert, b"", b""))
    figures = [tuple(f) for f in stage.figures()]

    assert ("alerts_dropped", "duplicate", 1) in figures
    assert ("refused", "empty_value", 2) in figures
    assert ("dead_letters", "empty_value", 2) in figures
