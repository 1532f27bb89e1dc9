"""What people say to an incident, and what becomes of it."""

import pytest

from schemas.commands import Command, Verb
from schemas.incidents import Incident
from schemas.reasons import (
    AnnounceReason,
    CommandReason,
    Gate,
    IncidentChange,
    IncidentState,
    JoinReason,
)
from streams.correlate import Correlator
from tests.correlate.sample import (
    MINUTE,
    T0,
    S,
    latest,
    make_alert,
    make_command,
    make_correlator,
    make_tick,
    resolved,
    run,
    run_until,
)

ALL = AnnounceReason.ALL_ALERTS_RESOLVED
REPEAT = AnnounceReason.REPEAT_INTERVAL_ELAPSED


def opened(correlator: Correlator, *services: str) -> list[Incident]:
    """Announced incidents of services that are not connected, in their order."""
    found = run_until(correlator, [make_alert(s, 0) for s in services], 30 * S)
    return sorted(found, key=lambda r: services.index(r.group_labels["service"]))


def say(correlator: Correlator, *commands: Command, until: int = 2 * MINUTE) -> list[Incident]:
    """All that comes out of commands and one tick."""
    return run_until(correlator, commands, until)


def told(records: list[Incident]) -> list[AnnounceReason]:
    """Why people are told."""
    return [r.announce for r in records if r.announce]


def test_acknowledged_incident_is_not_repeated() -> None:
    """It has a state and an owner, reminders stop, and its end is still told."""
    correlator = make_correlator(repeat_interval=10 * MINUTE)
    (incident,) = opened(correlator, "cart")
    (taken,) = say(correlator, make_command(Verb.ACKNOWLEDGE, MINUTE, incident.id, text="on it"))
    later = run(correlator, [make_tick(60 * MINUTE)])
    (*_, end) = run_until(correlator, [resolved(make_alert("cart", 0), 61 * MINUTE)], 99 * MINUTE)

    assert (IncidentState.ACKNOWLEDGED, "ann", IncidentChange.ACKNOWLEDGED) == (
        taken.state,
        taken.owner,
        taken.change,
    )
    assert [(T0 + MINUTE, "ann", "acknowledged by ann: reminders stop: on it")] == [
        (e.time, e.actor, e.text) for e in taken.timeline[-1:]
    ]
    assert Gate.ACKNOWLEDGED is taken.decisions[-1].gate
    assert [] == told(later)
    assert (IncidentState.RESOLVED, ALL) == (end.state, end.announce)


def test_unacknowledged_incident_is_repeated_from_then_on() -> None:
    """A reminder that fell due meanwhile comes at the next opportunity, not at a time that has passed."""
    correlator = make_correlator(repeat_interval=10 * MINUTE, group_interval=5 * MINUTE)
    (incident,) = opened(correlator, "cart")
    records = say(
        correlator,
        make_command(Verb.ACKNOWLEDGE, MINUTE, incident.id),
        make_command(Verb.UNACKNOWLEDGE, 42 * MINUTE, incident.id),
        until=46 * MINUTE,
    )

    assert [(45 * MINUTE + 30 * S, REPEAT)] == [
        (r.updated_at - T0, r.announce) for r in records if r.announce
    ]
    assert (IncidentState.OPEN, "") == (records[-1].state, records[-1].owner)


def test_new_alerts_of_an_acknowledged_incident_are_told() -> None:
    """Whoever has taken it over is told what is new."""
    correlator = make_correlator()
    (incident,) = opened(correlator, "cart")
    more = make_alert("cart", 2 * MINUTE, name="ErrorsHigh")
    acknowledge = make_command(Verb.ACKNOWLEDGE, MINUTE, incident.id)
    records = run_until(correlator, [acknowledge, more], 20 * MINUTE)

    assert [AnnounceReason.NEW_ALERTS_ADDED] == told(records)


def test_assign_and_note() -> None:
    """An owner can be set without acknowledging, and a note stands in the timeline under its author."""
    correlator = make_correlator()
    (incident,) = opened(correlator, "cart")
    *_, last = say(
        correlator,
        make_command(Verb.ASSIGN, MINUTE, incident.id, subject="bob"),
        make_command(Verb.NOTE, MINUTE + 1, incident.id, text="disk was full"),
    )

    assert ("bob", IncidentState.OPEN) == (last.owner, last.state)
    assert [("assigned to bob", "ann"), ("disk was full", "ann")] == [
        (e.text, e.actor) for e in last.timeline[-2:]
    ]


def test_resolved_by_hand() -> None:
    """It is over though its alerts fire; a new firing of one of them opens it again."""
    correlator = make_correlator()
    (incident,) = opened(correlator, "cart")
    (end,) = say(correlator, make_command(Verb.RESOLVE, MINUTE, incident.id, text="known"))
    again = run_until(correlator, [make_alert("cart", 3 * MINUTE, name="B")], 10 * MINUTE)

    assert (IncidentState.RESOLVED, ALL, T0 + MINUTE) == (
        end.state,
        end.announce,
        end.resolved_at,
    )
    assert ("resolved by hand: known", "ann") == (end.timeline[-1].text, end.timeline[-1].actor)
    assert {incident.id} == {r.id for r in again}
    assert (IncidentChange.REOPENED, 2) == (again[0].change, len(again[0].firing))


def test_reopened_by_hand_stays_open_without_an_alert() -> None:
    """Nothing resolves it by itself until something has fired in it and ended."""
    correlator = make_correlator()
    (incident,) = opened(correlator, "cart")
    run_until(correlator, [resolved(make_alert("cart", 0), MINUTE)], 3 * MINUTE)
    reopened = say(
        correlator, make_command(Verb.REOPEN, 4 * MINUTE, incident.id), until=600 * MINUTE
    )

    assert [(IncidentChange.REOPENED, IncidentState.OPEN)] == [
        (r.change, r.state) for r in reopened
    ]


def test_merge_and_unmerge_keep_ids() -> None:
    """The part is closed with a pointer, its alerts live on in the other; taken out, it has its own id and alerts."""
    correlator = make_correlator()
    billing, warehouse = opened(correlator, "billing", "warehouse")
    merge = make_command(Verb.MERGE, MINUTE, billing.id, subject=warehouse.id)
    part, whole = say(correlator, merge)
    (grown,) = run_until(correlator, [make_alert("warehouse", 3 * MINUTE, name="B")], 4 * MINUTE)
    unmerge = make_command(Verb.UNMERGE, 5 * MINUTE, warehouse.id)
    back, rest = say(correlator, unmerge, until=5 * MINUTE + S)

    assert (warehouse.id, IncidentState.RESOLVED, billing.id, ALL) == (
        part.id,
        part.state,
        part.merged_into,
        part.announce,
    )
    assert (billing.id, 2, IncidentChange.MERGED) == (whole.id, len(whole.firing), whole.change)
    assert JoinReason.MERGED_BY_HAND in {a.joined for a in whole.alerts}
    assert (billing.id, 3) == (grown.id, len(grown.alerts))
    assert (warehouse.id, IncidentState.OPEN, "", 1) == (
        back.id,
        back.state,
        back.merged_into,
        len(back.alerts),
    )
    assert (billing.id, ["billing", "warehouse"]) == (
        rest.id,
        [a.alert.labels["service"] for a in rest.alerts],
    )


def test_part_that_was_taken_out_is_announced_again() -> None:
    """People were told that it is over, so they are told that it is not."""
    correlator = make_correlator()
    billing, warehouse = opened(correlator, "billing", "warehouse")
    records = say(
        correlator,
        make_command(Verb.MERGE, MINUTE, billing.id, subject=warehouse.id),
        make_command(Verb.UNMERGE, 2 * MINUTE, warehouse.id),
        until=4 * MINUTE,
    )
    mine = [r for r in records if r.id == warehouse.id]

    assert [ALL, AnnounceReason.NEW_ALERTS_ADDED] == told(mine)
    assert [2, 3] == [r.announcement for r in mine if r.announce]


def test_merged_incident_ends_with_the_last_of_all_alerts() -> None:
    """The whole is resolved when the alerts that it took in have ended too, and both can be forgotten."""
    correlator = make_correlator()
    billing, warehouse = opened(correlator, "billing", "warehouse")
    say(correlator, make_command(Verb.MERGE, MINUTE, billing.id, subject=warehouse.id))
    first = run_until(correlator, [resolved(make_alert("billing", 0), 3 * MINUTE)], 9 * MINUTE)
    last = run_until(correlator, [resolved(make_alert("warehouse", 0), 10 * MINUTE)], 60 * MINUTE)
    new = run_until(correlator, [make_alert("warehouse", 61 * MINUTE)], 62 * MINUTE)

    assert IncidentState.OPEN is first[-1].state
    assert (billing.id, IncidentState.RESOLVED) == (last[-1].id, last[-1].state)
    assert 2 == new[0].generation


def refusal(correlator: Correlator, command: Command) -> tuple[list[CommandReason], list[str]]:
    """Reasons of refusals: those that no incident shows, and entries in timelines."""
    records = say(correlator, command, until=command.time - T0 + S)
    alone = [r.reason for r in correlator.take_refusals()]
    shown = [r.timeline[-1].text for r in latest(records) if r.change is IncidentChange.REFUSED]
    return alone, shown


@pytest.mark.parametrize(
    ("verb", "reason"),
    [
        (Verb.UNACKNOWLEDGE, CommandReason.NOT_ACKNOWLEDGED),
        (Verb.ASSIGN, CommandReason.INCOMPLETE),
        (Verb.NOTE, CommandReason.INCOMPLETE),
        (Verb.REOPEN, CommandReason.NOT_RESOLVED),
        (Verb.MERGE, CommandReason.UNKNOWN_INCIDENT),
        (Verb.UNMERGE, CommandReason.NOT_MERGED),
    ],
)
def test_what_does_not_fit_the_state_is_refused_in_the_timeline(
    verb: Verb, reason: CommandReason
) -> None:
    """The record says who wanted what and why it was not done; nothing else of it changes."""
    correlator = make_correlator()
    (incident,) = opened(correlator, "cart")

    assert ([], [f"{verb.value} refused: {reason.value}"]) == refusal(
        correlator, make_command(verb, MINUTE, incident.id)
    )
    assert {reason: 1} == correlator.refused


@pytest.mark.parametrize("verb", [Verb.ACKNOWLEDGE, Verb.RESOLVE, Verb.UNACKNOWLEDGE])
def test_resolved_incident_is_not_acknowledged_nor_resolved(verb: Verb) -> None:
    """What is over stays over."""
    correlator = make_correlator()
    (incident,) = opened(correlator, "cart")
    say(correlator, make_command(Verb.RESOLVE, MINUTE, incident.id))
    _, shown = refusal(correlator, make_command(verb, 3 * MINUTE, incident.id))

    assert 1 == len(shown)


def test_unknown_incident_and_that_of_another_tenant_are_the_same() -> None:
    """A tenant learns nothing of the incidents of another, not even that they are there."""
    correlator = make_correlator()
    (incident,) = opened(correlator, "cart")
    foreign = make_command(Verb.ACKNOWLEDGE, MINUTE, incident.id, tenant="globex")
    unknown = make_command(Verb.ACKNOWLEDGE, 3 * MINUTE, "nothing", tenant="globex")

    assert ([CommandReason.UNKNOWN_INCIDENT], []) == refusal(correlator, foreign)
    assert ([CommandReason.UNKNOWN_INCIDENT], []) == refusal(correlator, unknown)


def test_merging_with_itself_with_a_part_or_across_tenants_is_refused() -> None:
    """Three ways in which two incidents would not stay two."""
    correlator = make_correlator()
    billing, warehouse = opened(correlator, "billing", "warehouse")
    (other,) = run_until(correlator, [make_alert("billing", 40 * S, tenant="globex")], 80 * S)

    def merge(at: int, one: str, two: str) -> list[str]:
        return refusal(correlator, make_command(Verb.MERGE, at, one, subject=two))[1]

    assert ["merge refused: same_incident"] == merge(2 * MINUTE, billing.id, billing.id)
    assert ["merge refused: unknown_incident"] == merge(3 * MINUTE, billing.id, other.id)
    assert [] == merge(4 * MINUTE, billing.id, warehouse.id)
    assert ["merge refused: already_merged"] == merge(5 * MINUTE, billing.id, warehouse.id)


def test_command_that_comes_twice_takes_effect_once() -> None:
    """A forwarder that was killed sends some again: a note stands in the timeline once."""
    correlator = make_correlator()
    (incident,) = opened(correlator, "cart")
    note = make_command(Verb.NOTE, MINUTE, incident.id, text="once")
    first = say(correlator, note, note)

    assert 1 == len(first)
    assert [] == say(correlator, note, until=9 * MINUTE)
    assert {CommandReason.DUPLICATE: 2} == correlator.refused


def test_late_command_takes_effect_behind_what_was_released() -> None:
    """Its record is not older than the one before it."""
    correlator = make_correlator()
    (incident,) = opened(correlator, "cart")
    run(correlator, [make_tick(5 * MINUTE)])
    (noted,) = say(
        correlator, make_command(Verb.NOTE, MINUTE, incident.id, text="late"), until=6 * MINUTE
    )

    assert T0 + 5 * MINUTE + 1 == noted.updated_at
