"""Late samples amend incidents: the same id, marked, and nobody is paged a second time."""

from msgspec.structs import replace

from schemas.alerts import Alert, Late, transition_id
from schemas.incidents import Incident
from schemas.reasons import (
    AlertReason,
    AlertState,
    Amendment,
    AnnounceReason,
    IncidentChange,
    IncidentState,
)
from tests.correlate.routing import make_dispatcher, put
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

LATE = Late(samples=3, most_ms=12_500)


def amended(
    alert: Alert, at: int, state: AlertState, reason: AlertReason, **changes: object
) -> Alert:
    """What late samples say of an alert `at` ms after T0."""
    return replace(
        alert,
        id=transition_id(alert.fingerprint, state, T0 + at),
        time=T0 + at,
        state=state,
        reason=reason,
        late=LATE,
        amends=(alert.id,),
        **changes,
    )


def withdrawn(alert: Alert, at: int) -> Alert:
    """That it never was true."""
    return amended(alert, at, AlertState.RESOLVED, AlertReason.WITHDRAWN)


def announced(records: list[Incident]) -> list[AnnounceReason]:
    """What people are told, in order."""
    return [r.announce for r in records if r.announce is not None]


def test_a_withdrawn_incident_ends_at_once_and_says_so() -> None:
    """Who was told that it fires is told that it is over, and why; the incident keeps its id and is marked."""
    alert = make_alert("cart", 0)
    records = run_until(make_correlator(), [alert, withdrawn(alert, 2 * MINUTE)], 5 * MINUTE)
    last = records[-1]

    assert 1 == len({r.id for r in records})
    first, end = AnnounceReason.FIRST_NOTIFICATION, AnnounceReason.ALL_ALERTS_RESOLVED
    assert [first, end] == announced(records)
    assert (IncidentState.RESOLVED, IncidentChange.WITHDRAWN) == (last.state, last.change)
    assert (Amendment.WITHDRAWN, T0 + 2 * MINUTE) == (last.amendment, last.resolved_at)
    assert last.title.endswith("(withdrawn)")
    texts = [entry.text for entry in last.timeline]
    assert "LatencyHigh never was true: 3 samples came up to 12.5 s late" in texts
    assert "withdrawn: late samples show that nothing of it was true" in texts


def test_what_is_withdrawn_before_it_was_told_pages_nobody() -> None:
    """It is written once, as historical."""
    alert = make_alert("cart", 0)
    records = run_until(make_correlator(), [alert, withdrawn(alert, 20 * S)], 5 * MINUTE)

    assert [(IncidentChange.WITHDRAWN, None, True)] == [
        (r.change, r.announce, r.historical) for r in records
    ]


def test_an_amended_onset_is_written_and_not_told() -> None:
    """The incident has the alert as it is now, and the one announcement that it had."""
    alert = make_alert("cart", 0, value=0.9)
    moved = amended(
        alert,
        2 * MINUTE,
        AlertState.FIRING,
        AlertReason.AMENDED,
        active_at=T0 - MINUTE,
        value=0.7,
    )
    records = run_until(make_correlator(), [alert, moved], 5 * MINUTE)
    last = records[-1]

    assert [AnnounceReason.FIRST_NOTIFICATION] == announced(records)
    assert (IncidentState.OPEN, IncidentChange.AMENDED) == (last.state, last.change)
    assert Amendment.AMENDED == last.amendment
    assert [(T0 - MINUTE, 0.7, LATE)] == [
        (a.alert.active_at, a.alert.value, a.alert.late) for a in last.alerts
    ]


def test_an_incident_goes_on_with_what_is_left() -> None:
    """One of two alerts is withdrawn: the other one fires on, and the incident is amended."""
    one, other = make_alert("cart", 0), make_alert("cart", S, name="ErrorsHigh")
    records = run_until(make_correlator(), [one, other, withdrawn(one, 2 * MINUTE)], 3 * MINUTE)
    last = records[-1]

    assert (IncidentState.OPEN, Amendment.AMENDED) == (last.state, last.amendment)
    assert ["ErrorsHigh"] == [a.alert.name for a in last.firing]


def test_an_end_that_late_samples_take_back_is_no_second_page() -> None:
    """Within the resolve delay the incident is still open: it fires on, and nobody hears of it."""
    alert = make_alert("cart", 0)
    again = amended(alert, 2 * MINUTE + 20 * S, AlertState.FIRING, AlertReason.AMENDED)
    log = [alert, resolved(alert, 2 * MINUTE), again]
    records = run_until(make_correlator(resolve_delay=MINUTE), log, 4 * MINUTE)

    assert [AnnounceReason.FIRST_NOTIFICATION] == announced(records)
    assert (IncidentState.OPEN, 1) == (records[-1].state, len(latest(records)))


def test_an_alert_that_only_late_samples_show_opens_an_incident() -> None:
    """It is told as any other; what it says of itself is that it was amended."""
    alert = amended(make_alert("cart", 0), 15 * S, AlertState.FIRING, AlertReason.AMENDED)
    records = run_until(make_correlator(), [alert], 2 * MINUTE)

    assert [AnnounceReason.FIRST_NOTIFICATION] == announced(records)
    assert [AlertReason.AMENDED] == [a.alert.reason for a in records[-1].alerts]


def test_what_came_and_went_before_it_was_known_is_nobodys_business() -> None:
    """The end of an alert that nobody holds is counted, and opens nothing."""
    over = amended(make_alert("cart", 0), 15 * S, AlertState.RESOLVED, AlertReason.AMENDED)
    correlator = make_correlator()

    assert [] == run_until(correlator, [over], 2 * MINUTE)
    assert 1 == sum(correlator.dropped.values())


def test_a_withdrawn_incident_that_fires_again_is_no_longer_withdrawn() -> None:
    """The same incident is open again, under its id, and marked as amended."""
    alert = make_alert("cart", 0)
    later = make_alert("cart", 4 * MINUTE)
    log = [alert, withdrawn(alert, 2 * MINUTE), later]
    records = run_until(make_correlator(reopen_within=10 * MINUTE), log, 6 * MINUTE)

    assert 1 == len({r.id for r in records})
    assert (IncidentState.OPEN, Amendment.AMENDED) == (records[-1].state, records[-1].amendment)
    assert "(withdrawn)" not in records[-1].title


def test_amended_state_outlives_a_restart() -> None:
    """What comes after a restart is what would have come without."""
    alert = make_alert("cart", 0)
    log = [alert, withdrawn(alert, 2 * MINUTE), make_tick(5 * MINUTE)]
    for at in (1, 2):
        one, first = make_correlator(), make_correlator()
        expected = run(one, log)
        before = run(first, log[:at])
        second = make_correlator()
        second.restore(first.snapshot())

        assert expected == before + run(second, log[at:])


def test_a_withdrawn_notice_says_so() -> None:
    """With a route tree the receiver that was told of the alert is told at the next flush that it never was true."""
    alert = make_alert("cart", 0)
    dispatcher = make_dispatcher()
    first, last = put(dispatcher, alert, withdrawn(alert, 30 * S), until=3 * MINUTE)

    assert [AnnounceReason.FIRST_NOTIFICATION, AnnounceReason.ALL_ALERTS_RESOLVED] == [
        first.announce,
        last.announce,
    ]
    assert (IncidentChange.WITHDRAWN, "LatencyHigh: 1 withdrawn") == (last.change, last.title)


def test_an_amended_alert_is_no_second_notice() -> None:
    """The group has the alert as it is now, and its receiver has nothing new to hear."""
    alert = make_alert("cart", 0)
    moved = amended(alert, 30 * S, AlertState.FIRING, AlertReason.AMENDED, value=0.1)

    assert 1 == len(put(make_dispatcher(), alert, moved, until=10 * MINUTE))
