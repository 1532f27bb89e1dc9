"""Flapping, stale incidents, splits on severity and priorities."""

import pytest

from schemas.alerts import Alert
from schemas.config.lifecycle import FlappingConfig, PriorityConfig
from schemas.reasons import (
    AnnounceReason,
    IncidentChange,
    IncidentState,
    JoinReason,
    Priority,
)
from streams.correlate import registry as registry_room
from streams.correlate.flapping import Flapping
from streams.correlate.priority import Priorities
from tests.correlate.sample import (
    MINUTE,
    T0,
    S,
    latest,
    make_alert,
    make_correlator,
    resolved,
    run_until,
)

LONG = 600 * MINUTE
FLAPPING = {"flapping": {"restarts": 3, "window": 1_800_000}}


def flaps(times: int, every: int) -> list[Alert]:
    """An alert that fires `times` times, and is resolved in between."""
    fires = [make_alert("cart", n * every) for n in range(times)]
    return sorted(
        [*fires, *(resolved(a, n * every + every // 2) for n, a in enumerate(fires))],
        key=lambda a: a.time,
    )


def test_flapping_is_told_once() -> None:
    """After the third restart one announcement says so; further ones are silent until it is steady, then it ends."""
    records = run_until(
        make_correlator(**FLAPPING, page_horizon=LONG), flaps(9, 4 * MINUTE), 120 * MINUTE
    )
    told = [(r.updated_at - T0, r.announce) for r in records if r.announce]
    began = next(r for r in records if r.flapping)

    assert (12 * MINUTE, IncidentChange.FLAPPING) == (began.updated_at - T0, began.change)
    assert (12 * MINUTE, AnnounceReason.ALERTS_FLAP) in told
    assert [AnnounceReason.ALL_ALERTS_RESOLVED] == [why for at, why in told if at > 12 * MINUTE]
    # no more than one restart within half an hour of the last but one, at 28 minutes
    assert 58 * MINUTE == told[-1][0]
    assert (IncidentState.RESOLVED, False) == (records[-1].state, records[-1].flapping)


def test_steady_alert_after_flapping_is_told_as_usual() -> None:
    """What goes on firing is reminded of again when it is steady."""
    records = run_until(
        make_correlator(**FLAPPING, repeat_interval=20 * MINUTE, page_horizon=LONG),
        flaps(4, 4 * MINUTE)[:-1],
        80 * MINUTE,
    )
    told = [(r.updated_at - T0, r.announce) for r in records if r.announce]
    steady = [r.updated_at - T0 for r in records if r.change is IncidentChange.STEADY]

    assert [38 * MINUTE] == steady
    assert all(at >= 38 * MINUTE for at, why in told if why.value == "repeat interval elapsed")
    assert IncidentState.OPEN is records[-1].state


def test_few_restarts_are_no_flapping() -> None:
    """With 0, or below the number, every firing is told."""
    never = {"flapping": {"restarts": 0}}
    for config, times in ((never, 9), (FLAPPING, 3)):
        correlator = make_correlator(**config, page_horizon=LONG)
        records = run_until(correlator, flaps(times, 4 * MINUTE), 99 * MINUTE)

        assert not any(r.flapping for r in records)
        assert times == len(
            [r for r in records if r.announce is AnnounceReason.ALL_ALERTS_RESOLVED]
        )


def test_hysteresis_of_flapping() -> None:
    """It begins with all restarts within the window, and ends when no more than half of them lie in it."""
    config, state = FlappingConfig(restarts=4, window=100), Flapping()

    assert [False, False, False, True, False] == [
        state.restart(at, config) for at in (0, 50, 90, 99, 120)
    ]
    assert 190 == state.steady_at(config)
    state.end()
    assert None is state.steady_at(config)


def test_stale_incident_is_closed() -> None:
    """When nothing of it has changed for so long; the alert that fires again opens the next one."""
    correlator = make_correlator(stale_after=120 * MINUTE)
    records = run_until(correlator, [make_alert("cart", 0)], 300 * MINUTE)
    again = run_until(correlator, [make_alert("cart", 301 * MINUTE)], 302 * MINUTE)

    assert (120 * MINUTE, IncidentState.RESOLVED, "stale: nothing has changed for 2h") == (
        records[-1].updated_at - T0,
        records[-1].state,
        records[-1].timeline[-1].text,
    )
    assert 2 == again[-1].generation


def test_rise_of_severity_splits() -> None:
    """A critical alert of an announced warning is an incident of its own, and what follows joins that."""
    alerts = [
        make_alert("cart", 0),
        make_alert("cart", 2 * MINUTE, name="Down", severity="critical"),
        make_alert("cart", 3 * MINUTE, name="Slow"),
    ]
    old, new = latest(run_until(make_correlator(split_on_severity=True), alerts, 9 * MINUTE))

    assert (["LatencyHigh"], 1) == ([a.alert.name for a in old.alerts], old.generation)
    assert (["Down", "Slow"], 2) == ([a.alert.name for a in new.alerts], new.generation)
    assert JoinReason.SEVERITY_SPLIT is new.alerts[0].joined
    (kept,) = latest(run_until(make_correlator(), alerts, 9 * MINUTE))
    assert 3 == len(kept.alerts)


@pytest.mark.parametrize(
    ("severity", "labels", "expected"),
    [
        ("critical", {"tier": "1"}, Priority.P0),
        ("critical", {"tier": "2"}, Priority.P1),
        ("warning", {"tier": "1"}, Priority.P1),
        ("warning", {}, Priority.P2),
        ("info", {}, Priority.P3),
    ],
)
def test_table_of_priorities(severity: str, labels: dict[str, str], expected: Priority) -> None:
    """The first row whose matchers hold decides; what no row takes is P3."""
    rows = (
        PriorityConfig(priority=Priority.P0, matchers=('severity="critical"', 'tier="1"')),
        PriorityConfig(priority=Priority.P1, matchers=('tier="1"',)),
        PriorityConfig(priority=Priority.P1, matchers=('severity="critical"',)),
        PriorityConfig(priority=Priority.P2, matchers=('severity="warning"',)),
    )
    alert = make_alert("cart", 0, severity=severity, **labels)

    assert expected is Priorities(rows).of_alert(alert)


def test_incident_has_the_priority_of_its_most_urgent_alert() -> None:
    """One critical alert makes all of it P1."""
    alerts = [make_alert("cart", 0, severity="info"), make_alert("cart", 1, severity="critical")]
    (incident,) = run_until(make_correlator(), alerts, MINUTE)

    assert Priority.P1 is incident.priority


def test_room_is_made_by_the_same_incident_as_a_search_would(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Resolved ones go first, then the one unchanged for longest, also when they have changed since the last search."""
    monkeypatch.setattr(registry_room, "INCIDENTS_MAX", 3)
    correlator = make_correlator(reopen_within=60 * MINUTE)
    a, b, c = (make_alert(s, n * S) for n, s in enumerate(("a", "b", "c")))
    run_until(correlator, [a, b, c, make_alert("d", 40 * S)], 2 * MINUTE)
    more = make_alert("b", 3 * MINUTE, name="More")
    end = resolved(make_alert("d", 40 * S), 4 * MINUTE)
    records = run_until(
        correlator,
        [more, end, make_alert("e", 6 * MINUTE), make_alert("f", 7 * MINUTE)],
        8 * MINUTE,
    )
    forced = [r.group_labels["service"] for r in records if "make room" in r.timeline[-1].text]

    assert ["c"] == forced
