"""What becomes of an incident over time, seen from outside."""

import msgspec
import pytest

from schemas.incidents import Incident
from schemas.reasons import AlertState, AnnounceReason, IncidentChange, IncidentState, JoinReason
from streams.correlate import announce as announce_room
from tests.correlate.sample import (
    MINUTE,
    T0,
    S,
    latest,
    make_alert,
    make_correlator,
    make_tick,
    resolved,
    run,
    run_until,
)

FIRST = AnnounceReason.FIRST_NOTIFICATION
ADDED = AnnounceReason.NEW_ALERTS_ADDED
SOME = AnnounceReason.SOME_ALERTS_RESOLVED
ALL = AnnounceReason.ALL_ALERTS_RESOLVED
REPEAT = AnnounceReason.REPEAT_INTERVAL_ELAPSED
NEVER = 1_000_000 * MINUTE
"""A page horizon for stories told in one long tick, which is no outage."""


def told(records: list[Incident]) -> list[tuple[int, AnnounceReason | None]]:
    """When, in seconds, and why people are told."""
    return [((r.updated_at - T0) // S, r.announce) for r in records if r.announce]


def changes(records: list[Incident]) -> list[tuple[int, IncidentChange]]:
    """When, in seconds, and why records were written."""
    return [((r.updated_at - T0) // S, r.change) for r in records]


def test_nothing_is_written_before_the_first_announcement() -> None:
    """An incident has no record until group_wait after its first alert fired."""
    correlator = make_correlator()

    assert [] == run_until(correlator, [make_alert("cart", 0)], 29 * S)
    (opened,) = run(correlator, [make_tick(30 * S)])
    assert (IncidentChange.OPENED, FIRST, 1, 1) == (
        opened.change,
        opened.announce,
        opened.announcement,
        opened.revision,
    )
    assert (T0, T0 + 30 * S) == (opened.opened_at, opened.updated_at)


def test_whole_life() -> None:
    """Added, partly ended, repeated and resolved: each is told at its time, with its reason."""
    a, b = make_alert("cart", 0), make_alert("cart", 60 * S, name="ErrorsHigh")
    records = run_until(
        make_correlator(repeat_interval=20 * MINUTE),
        [a, b, resolved(a, 400 * S), resolved(b, 2_000 * S)],
        3_000 * S,
    )

    assert [(30, FIRST), (330, ADDED), (630, SOME), (1830, REPEAT), (2060, ALL)] == told(records)
    assert [1, 1, 2, 2, 3, 4, 4, 5] == [r.announcement for r in records]
    assert list(range(1, 9)) == [r.revision for r in records]
    assert [
        (30, IncidentChange.OPENED),
        (60, IncidentChange.ALERTS_ADDED),
        (330, IncidentChange.ANNOUNCED),
        (400, IncidentChange.ALERTS_RESOLVED),
        (630, IncidentChange.ANNOUNCED),
        (1830, IncidentChange.ANNOUNCED),
        (2000, IncidentChange.ALERTS_RESOLVED),
        (2060, IncidentChange.RESOLVED),
    ] == changes(records)
    assert IncidentState.RESOLVED is records[-1].state
    assert T0 + 2_060 * S == records[-1].resolved_at


def test_over_before_the_first_announcement_is_recorded_but_not_told() -> None:
    """What ended within group_wait is written once, as historical, without an announcement."""
    a = make_alert("cart", 0)
    (record,) = run_until(make_correlator(), [a, resolved(a, 10 * S)], 20 * MINUTE)

    assert (IncidentChange.RESOLVED, None, 0, True) == (
        record.change,
        record.announce,
        record.announcement,
        record.historical,
    )


def test_firing_again_before_resolution_waits_group_wait_anew() -> None:
    """Where the first opportunity passed while nothing fired, the next firing starts the wait."""
    a = make_alert("cart", 0)
    records = run_until(
        make_correlator(), [a, resolved(a, 10 * S), make_alert("cart", 50 * S)], 2 * MINUTE
    )

    assert [(80, FIRST)] == told(records)


def test_reopened_within_the_window_keeps_its_id() -> None:
    """A group that fires again within reopen_within is the same incident, told again after group_wait."""
    a = make_alert("cart", 0)
    again = make_alert("cart", 10 * MINUTE)
    records = run_until(make_correlator(), [a, resolved(a, 2 * MINUTE), again], 12 * MINUTE)

    assert 1 == len({r.id for r in records})
    assert [(30, FIRST), (180, ALL), (630, ADDED)] == told(records)
    assert IncidentChange.REOPENED is records[-2].change
    assert (1, 1, IncidentState.OPEN) == (
        records[-1].reopened,
        records[-1].generation,
        records[-1].state,
    )


@pytest.mark.parametrize(("late_ms", "generation"), [(0, 1), (1, 2)])
def test_reopen_window_ends_exactly(late_ms: int, generation: int) -> None:
    """At the end of reopen_within it is still reopened; a millisecond later it is the next generation."""
    a = make_alert("cart", 0)
    again = make_alert("cart", 13 * MINUTE + late_ms)
    records = run_until(make_correlator(), [a, resolved(a, 2 * MINUTE), again], 20 * MINUTE)

    assert generation == records[-1].generation
    assert generation == len({r.id for r in records})


def test_flapping_is_one_incident() -> None:
    """An alert that comes and goes faster than resolve_delay makes one incident, and no storm of announcements."""
    alerts = []
    for n in range(60):
        firing = make_alert("cart", n * 20 * S)
        alerts += [firing, resolved(firing, n * 20 * S + 10 * S)]
    records = run_until(make_correlator(), alerts, 60 * MINUTE)

    assert 1 == len({r.id for r in records})
    assert 0 == records[-1].reopened
    assert len(told(records)) <= 6
    assert len(records[-1].timeline) <= 100


def test_severity_is_that_of_the_worst() -> None:
    """A worse alert raises the severity, and the change says so."""
    records = run_until(
        make_correlator(),
        [make_alert("cart", 0), make_alert("cart", 60 * S, name="Down", severity="critical")],
        61 * S,
    )

    assert ["warning", "critical"] == [r.severity.value for r in records]
    assert IncidentChange.SEVERITY_RAISED is records[-1].change


def test_pending_makes_no_incident() -> None:
    """Only a firing alert opens one; its onset is that of the pending one."""
    pending = make_alert("cart", 0, AlertState.PENDING)
    records = run_until(make_correlator(), [pending], 10 * MINUTE)

    assert [] == records


def test_timers_fire_at_their_own_time() -> None:
    """One tick over an hour gives the records that a tick each second gives, byte for byte."""
    alerts = []
    for n, service in enumerate(("cart", "orders", "search", "bank")):
        firing = make_alert(service, n * 100 * S + 7)
        alerts += [firing, resolved(firing, n * 200 * S + 900 * S)]
    alerts.sort(key=lambda a: a.time)

    at_once = run_until(make_correlator(group_interval=MINUTE), alerts, 3_600 * S)
    steps = [*alerts, *(make_tick(n * S) for n in range(3_601))]
    steps.sort(key=lambda r: (r.time, not hasattr(r, "rule")))
    in_steps = run(make_correlator(group_interval=MINUTE), steps)

    assert msgspec.json.encode(at_once) == msgspec.json.encode(in_steps)


def test_changes_of_one_time_are_one_record() -> None:
    """Alerts that fire at the same time add one record, not one each."""
    first = make_alert("cart", 0)
    more = [make_alert("cart", 60 * S, name=f"Rule{n}") for n in range(5)]
    records = run_until(make_correlator(), [first, *more], 61 * S)

    assert [(30, IncidentChange.OPENED), (60, IncidentChange.ALERTS_ADDED)] == changes(records)
    assert 6 == len(records[-1].alerts)


def test_full_incident_counts_the_rest() -> None:
    """Beyond max_alerts firing alerts an incident takes none in, counts them, and says so in its title."""
    correlator = make_correlator(max_alerts=3)
    alerts = [make_alert("cart", n, name=f"Rule{n}") for n in range(5)]
    (record,) = run_until(correlator, alerts, 30 * S + 4)

    assert 3 == len(record.alerts)
    assert "cart: Rule0 (+4 alerts on 1 service)" == record.title
    assert {"incident_full": 2} == {k.value: n for k, n in correlator.dropped.items()}


def test_resolved_alert_makes_room() -> None:
    """A full incident gives up its alert that resolved first for a new one."""
    a, b = make_alert("cart", 0), make_alert("cart", 1, name="B")
    new = make_alert("cart", 20 * S, name="C")
    (record,) = run_until(make_correlator(max_alerts=2), [a, b, resolved(a, 10 * S), new], 31 * S)

    assert ["B", "C"] == [x.alert.name for x in record.alerts]


def test_old_incident_takes_no_new_alert() -> None:
    """After max_span a new alert of the group opens the next generation, and the old one lives on."""
    records = run_until(
        make_correlator(max_span=10 * MINUTE),
        [make_alert("cart", 0), make_alert("cart", 11 * MINUTE, name="ErrorsHigh")],
        13 * MINUTE,
    )

    assert [1, 2] == [r.generation for r in latest(records)]


def test_what_ended_long_ago_is_not_told() -> None:
    """Known more than page_horizon late, and over by then: recorded as historical."""
    a = make_alert("cart", 0)
    late = make_tick(30 * MINUTE, record_time=300 * MINUTE)
    (record,) = run(make_correlator(), [a, resolved(a, 5 * MINUTE), late])

    assert (None, True, T0 + 6 * MINUTE) == (record.announce, record.historical, record.resolved_at)


def test_what_was_known_late_but_still_fires_is_told() -> None:
    """Being behind silences only what is over; the rest is told once, with all that became known at the same time."""
    late = make_tick(30 * MINUTE, record_time=300 * MINUTE)
    more = make_alert("cart", 10 * MINUTE, name="B")
    told = run(make_correlator(), [make_alert("cart", 0), more, late])
    (record,) = [r for r in told if r.announce]

    assert (30 * MINUTE, FIRST) == (record.updated_at - T0, record.announce)
    assert {"LatencyHigh", "B"} == {each.alert.name for each in record.alerts}


def test_reminders_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that jumps far ahead writes no more than so many reminders in a row; news starts the count again."""
    monkeypatch.setattr(announce_room, "REPEATS_MAX", 3)
    correlator = make_correlator(
        page_horizon=NEVER, repeat_interval=10 * MINUTE, max_span=100_000 * MINUTE
    )
    records = run_until(correlator, [make_alert("cart", 0)], 10_000 * MINUTE)
    more = run_until(correlator, [make_alert("cart", 10_001 * MINUTE, name="B")], 20_000 * MINUTE)

    assert [FIRST, REPEAT, REPEAT, REPEAT] == [why for _, why in told(records)]
    assert [ADDED, REPEAT, REPEAT, REPEAT] == [why for _, why in told(more)]


def test_no_reminder_with_a_repeat_interval_of_zero() -> None:
    """0 means never, and a group_interval of 0 means at once."""
    correlator = make_correlator(page_horizon=NEVER, repeat_interval=0, group_interval=0)
    alerts = [make_alert("cart", 0), make_alert("cart", 40 * S, name="B")]

    assert [(30, FIRST), (40, ADDED)] == told(run_until(correlator, alerts, 10_000 * MINUTE))


def test_no_labels_to_group_by() -> None:
    """An alert without the labels of group_by belongs to the tenant's own group."""
    alerts = [make_alert("", 0, name="A"), make_alert("", 1, name="B")]
    (record,) = run_until(make_correlator(), alerts, 31 * S)

    assert ('{tenant="acme"}', {}, ()) == (record.group_key, record.group_labels, record.causes)
    assert "A (+1 alert)" == record.title
    assert [JoinReason.FIRST_OF_GROUP, JoinReason.SAME_GROUP] == [a.joined for a in record.alerts]
