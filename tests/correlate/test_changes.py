"""Changes: from a raw record on their topic to the causes of an incident."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import topics
from schemas.changes import Change, ChangeKind, change_id
from schemas.config import Config
from schemas.incidents import Cause, Incident
from schemas.reasons import DeadLetterReason
from schemas.records import decode_record, encode_record
from streams.correlate import CorrelateStage, IntakeStage
from streams.correlate import changes as changes_module
from streams.correlate.cause import rank
from streams.correlate.changes import KEPT_MS, Changes
from streams.correlate.symptom import symptom_of
from streams.correlate.topology import Topology
from streams.detect.stage import alert_partition
from streams.replay.pipeline import Pipeline, Recorded
from streams.stage import Outgoing
from streams.transport.chunk import Chunk
from tests.correlate.sample import CALLS, MINUTE, T0, S, make_alert, make_tick

SHOP = Topology(CALLS)
CONFIG = Config.model_validate(
    {"changes": {"topic": "changes", "tenant": "acme"}, "topology": {"calls": CALLS}}
)


def change(service: str, at: int, *, tenant: str = "acme", what: str = "v2") -> Change:
    """A deployment `at` ms after T0."""
    time = T0 + at
    sort = ChangeKind.DEPLOYMENT
    return Change(
        id=change_id(tenant, sort, service, what, "ci", time),
        tenant=tenant,
        sort=sort,
        service=service,
        time=time,
        what=what,
        who="ci",
    )


def causes(*changes: Change) -> tuple[Cause, ...]:
    """The causes of slow orders and checkout, which began at T0."""
    alerts = [make_alert(s, 0, value=1.0, expected=0.1) for s in ("orders", "checkout")]
    return rank([symptom_of(a, "service") for a in alerts], SHOP, changes)


def test_a_change_of_a_silent_dependency_is_a_cause() -> None:
    """A deployment of the database two minutes before is named, with its distance in time and calls."""
    found = {c.entity: c for c in causes(change("orders-db", -2 * MINUTE))}["orders-db"]

    assert ["change"] == [e.kind for e in found.evidence]
    assert (
        "deployment v2 by ci, 2 min before the first onset; orders depends on it over 1 call"
        == found.evidence[0].text
    )


def test_a_change_of_what_has_an_alert_raises_it() -> None:
    """The caller is not to blame without a change, and is with one at the right time."""
    before, after = causes(), causes(change("checkout", -10 * S))

    assert "orders" == before[0].entity
    assert "checkout" == after[0].entity


@pytest.mark.parametrize("service", ["recommend", "frontend", "mars"])
def test_a_change_that_nothing_abnormal_depends_on_is_no_cause(service: str) -> None:
    """Neither callers, nor strangers, nor services that are not in the graph."""
    assert service not in {c.entity for c in causes(change(service, -MINUTE))}


@given(near=st.integers(0, 30), further=st.integers(1, 30))
def test_the_nearer_in_time_the_likelier(near: int, further: int) -> None:
    """Of equal changes of one service the share falls with the distance."""
    shares = [
        {c.entity: c.share for c in causes(change("orders-db", -minutes * MINUTE))}["orders-db"]
        for minutes in (near, near + further)
    ]

    assert shares[0] > shares[1]


@given(
    st.lists(
        st.tuples(st.sampled_from(["orders-db", "orders", "bank"]), st.integers(-60, 1)), max_size=6
    )
)
def test_shares_still_sum_to_one(made: list[tuple[str, int]]) -> None:
    """Whatever was changed, shares sum to 1 and the evidence to its cause's."""
    found = causes(*(change(service, at * MINUTE) for service, at in made))

    assert pytest.approx(1.0, abs=1e-3) == sum(c.share for c in found)
    assert all(abs(c.share - sum(e.share for e in c.evidence)) < 1e-3 for c in found)


def test_what_is_too_old_or_too_late_is_not_asked_for() -> None:
    """A change is a suspect from `within` before the onset until a minute after it."""
    known = Changes()
    for minutes in (-61, -60, 1, 2):
        known.note(change("orders", minutes * MINUTE))

    found = known.before("acme", T0, 60 * MINUTE)

    assert [T0 - 60 * MINUTE, T0 + MINUTE] == [c.time for c in found]


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Old changes go, and no more of a tenant, and no more tenants, are kept than there are places."""
    monkeypatch.setattr(changes_module, "TENANT_CHANGES_MAX", 5)
    monkeypatch.setattr(changes_module, "TENANTS_MAX", 3)
    known = Changes()
    for number in range(50):
        known.note(change("orders", number, tenant=f"t{number % 6}", what=str(number)))
    assert 3 == len(known.snapshot())
    for number in range(50):
        known.note(change("orders", number, what=str(number)))
    assert 5 == len(known.snapshot()[-1])
    known.note(change("orders", KEPT_MS + MINUTE))
    assert 1 == len(known.snapshot()[-1])


def raw(**event: object) -> bytes:
    """A change event as it is sent, two minutes before T0."""
    return json.dumps({"ts": (T0 - 2 * MINUTE) / 1000, "service": "orders-db", **event}).encode()


def taken(value: bytes | None) -> tuple[str, dict[str, object]]:
    """Topic and record of what the stage makes of one value that was written at T0."""
    chunk = Chunk("changes", 0, fetch_offset=0, next_offset=1, values=[value], timestamps=[T0])
    (sent,) = IntakeStage(CONFIG).apply(chunk)
    return sent.topic, json.loads(sent.value or b"")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, DeadLetterReason.TOMBSTONE),
        (b"", DeadLetterReason.EMPTY_VALUE),
        (b"{", DeadLetterReason.NOT_JSON),
        (b'{"ts": 1}', DeadLetterReason.WRONG_TYPE),
        (raw(service=""), DeadLetterReason.WRONG_TYPE),
        (raw(ts="noon"), DeadLetterReason.BAD_TIME),
        (raw(ts=T0 / 1000 + 86_400), DeadLetterReason.TOO_FAR_AHEAD),
        (raw(ts=86_400), DeadLetterReason.TOO_OLD),
        (raw(what="x" * 2_000_000), DeadLetterReason.TOO_LARGE),
    ],
)
def test_what_is_no_change_event_is_refused(value: bytes | None, reason: DeadLetterReason) -> None:
    """It becomes a dead letter with its reason, never a fault."""
    topic, record = taken(value)

    assert (topics.DEAD_LETTERS, reason.value) == (topic, record["reason"])


def test_a_kind_that_is_not_known_is_other() -> None:
    """A change of an unknown kind and without a tenant is taken, as what the configuration says."""
    topic, record = taken(raw(kind="migration", what="x" * 300))

    assert topics.ALERTS == topic
    assert ("other", "acme", 200) == (record["sort"], record["tenant"], len(str(record["what"])))


def test_personal_data_are_scrubbed() -> None:
    """Who did it stays, told apart by a keyed hash, but no mail address goes on."""
    _, record = taken(raw(who="ann@example.com", what="asked by bob@example.com"))

    assert "example.com" not in f"{record['who']} {record['what']}"
    assert str(record["who"]).startswith("<email:")


@pytest.mark.parametrize("late", [False, True], ids=["in time", "after its time was passed"])
def test_from_a_raw_record_to_the_causes_of_an_incident(late: bool) -> None:
    """A change event on its topic stands among the causes, also when it comes after the alert."""
    home = alert_partition("acme", CONFIG.kafka.partitions)
    pipeline = Pipeline(
        {
            "changes": lambda _t, _p: IntakeStage(CONFIG),
            topics.ALERTS: lambda _t, _p: CorrelateStage(CONFIG, sources=1),
        },
        watch=(topics.INCIDENTS,),
    )
    told = Recorded("changes", 0, 0, T0, raw(kind="deployment", what="v2", who="ci"))
    alert = encode_record(make_alert("orders", 0))
    records = [encode_record(make_tick(at)) for at in (10 * S, 20 * S, 60 * S)]
    log = [alert, *records]
    out = [] if late else pipeline.feed([told])
    for offset, value in enumerate(log):
        out += pipeline.inject([_to_alerts(value, home)])
        if late and offset == 1:
            out += pipeline.feed([told])
    incidents = [decode_record(r.value or b"", Incident) for r in out]

    assert "orders-db" in {c.entity for c in incidents[-1].causes}


def _to_alerts(value: bytes, home: int) -> Outgoing:
    return Outgoing(topics.ALERTS, value, partition=home, timestamp_ms=T0)


@given(
    st.sampled_from(["orders", "bank", "nowhere"]),
    st.lists(
        st.tuples(
            st.sampled_from("ab"),
            st.integers(0, 3),
            st.sampled_from(("upstream", "downstream")),
            st.none() | st.sampled_from([0.0, 1.0, 5.0]),
        ),
        min_size=1,
        max_size=6,
    ),
)
def test_one_entity_is_ranked_as_among_others(
    service: str, fired: list[tuple[str, int, str, float | None]]
) -> None:
    """The short way for an incident of one entity finds what the long one does; a change elsewhere makes it go that."""
    symptoms = [
        symptom_of(
            make_alert(service, at * S, name=name, flow=flow, value=1.0, expected=expected),
            "service",
        )
        for name, at, flow, expected in fired
    ]

    assert rank(symptoms, SHOP, [change("elsewhere", 0)]) == rank(symptoms, SHOP)
