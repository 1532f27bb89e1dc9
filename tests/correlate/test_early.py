"""Urgent alerts: told on arrival, once, and put right where the order of time decides otherwise."""

from schemas.alerts import Alert, Tick
from schemas.incidents import Incident
from schemas.reasons import AnnounceReason, IncidentChange, IncidentState
from tests.correlate.sample import (
    MINUTE,
    T0,
    S,
    make_alert,
    make_correlator,
    make_tick,
    resolved,
    run,
)


def ticks(at: int) -> list[Alert | Tick]:
    """Ticks of both sources."""
    return [make_tick(at, n) for n in range(2)]


def told(records: list[Incident]) -> list[tuple[bool, str, int, AnnounceReason | None]]:
    """What a receiver sees."""
    return [(r.provisional, r.id, r.announcement, r.announce) for r in records if r.announce]


def test_urgent_alert_is_told_on_arrival() -> None:
    """Its provisional record comes with the alert; the final one has the same id, revision and announcement."""
    correlator = make_correlator(sources=2)
    (ahead,) = correlator.apply(make_alert("cart", 5 * S, urgent=True))
    (final,) = run(correlator, ticks(5 * S))

    first = AnnounceReason.FIRST_NOTIFICATION
    assert [(True, ahead.id, 1, first), (False, ahead.id, 1, first)] == told([ahead, final])
    assert (1, 1) == (ahead.revision, final.revision)
    assert T0 + 5 * S == final.updated_at
    assert IncidentChange.OPENED is final.change


def test_urgent_alert_is_told_once() -> None:
    """Neither its duplicate nor a second urgent alert of the same incident is told ahead again."""
    correlator = make_correlator(sources=2)
    alert = make_alert("cart", 5 * S, urgent=True)
    more = make_alert("cart", 6 * S, urgent=True, name="ErrorsHigh")

    assert 1 == len(run(correlator, [alert, alert, more]))


def test_urgent_alert_raises_an_incident_that_waits() -> None:
    """An incident in its group_wait is announced at once when an urgent alert joins it."""
    correlator = make_correlator(sources=2)
    records = run(
        correlator,
        [
            make_alert("cart-cache", 0),
            *ticks(1 * S),
            make_alert("cart", 5 * S, urgent=True),
            *ticks(MINUTE),
        ],
    )

    assert [True, False] == [r.provisional for r in records]
    assert [2, 2] == [len(r.alerts) for r in records]
    assert 1 == len({r.id for r in records})
    assert T0 + 5 * S == records[-1].updated_at


def test_urgent_alert_of_a_told_incident_waits_its_turn() -> None:
    """People know already: no record ahead of order."""
    correlator = make_correlator(sources=2)
    run(correlator, [make_alert("cart", 0), *ticks(MINUTE)])

    assert [] == correlator.apply(make_alert("cart", 61 * S, urgent=True, name="ErrorsHigh"))


def test_urgent_alert_out_of_order_is_put_right() -> None:
    """When an earlier alert of another source decides otherwise, the incident told ahead is ended."""
    correlator = make_correlator(sources=2)
    (ahead,) = correlator.apply(make_alert("orders", 5 * S, urgent=True))
    earlier = make_alert("orders-db", 0, source=1)
    records = run(correlator, [earlier, *ticks(6 * S)])
    final, withdrawn = records

    assert not final.provisional
    assert final.id != ahead.id
    assert ["orders-db", "orders"] == [a.alert.labels["service"] for a in final.alerts]
    assert AnnounceReason.FIRST_NOTIFICATION is final.announce
    assert (True, ahead.id, IncidentState.RESOLVED) == (
        withdrawn.provisional,
        withdrawn.id,
        withdrawn.state,
    )
    assert (2, AnnounceReason.ALL_ALERTS_RESOLVED) == (withdrawn.announcement, withdrawn.announce)
    assert () == withdrawn.firing
    assert final.id in withdrawn.timeline[-1].text


def test_id_told_ahead_in_vain_is_never_used_again() -> None:
    """The group's next incident has another id, so that its first notification is not taken for a duplicate."""
    correlator = make_correlator(sources=2)
    urgent = make_alert("orders", 5 * S, urgent=True)
    db = make_alert("orders-db", 0, source=1)
    records = run(
        correlator,
        [
            urgent,
            db,
            resolved(urgent, MINUTE),
            resolved(db, MINUTE),
            *ticks(30 * MINUTE),
            make_alert("orders", 31 * MINUTE),
            *ticks(40 * MINUTE),
        ],
    )

    assert records[0].provisional
    assert records[-1].group_labels == {"service": "orders"}
    assert records[0].id != records[-1].id


def test_urgent_reopening_is_told_on_arrival() -> None:
    """An urgent alert that reopens a resolved incident is told at once, under the next announcement."""
    correlator = make_correlator(sources=2)
    a = make_alert("cart", 0)
    run(correlator, [a, resolved(a, MINUTE), *ticks(3 * MINUTE)])
    (ahead,) = correlator.apply(make_alert("cart", 4 * MINUTE, urgent=True))
    (final,) = run(correlator, ticks(4 * MINUTE))

    assert (3, IncidentChange.REOPENED) == (ahead.announcement, ahead.change)
    assert (3, IncidentChange.REOPENED) == (final.announcement, final.change)


def test_resolved_urgent_alert_is_not_told_ahead() -> None:
    """Only what fires is urgent."""
    correlator = make_correlator(sources=2)
    end = resolved(make_alert("cart", 0), 5 * S)

    assert [] == correlator.apply(end)
