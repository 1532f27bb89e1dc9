"""Pages above the budget of a team, and pages that somebody holds."""

import pytest

from schemas.commands import Command, Verb
from schemas.config import CorrelateConfig, TopologyConfig
from schemas.incidents import Incident
from schemas.reasons import (
    AnnounceReason,
    CommandReason,
    Gate,
    IncidentChange,
    IncidentState,
)
from streams.correlate import Correlator
from streams.correlate.ledger import Ledger
from streams.correlate.order import Release
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

FIRST = AnnounceReason.FIRST_NOTIFICATION
BUDGET = {"storm": {"pages": 3, "per": 600_000}}


def paged(records: list[Incident]) -> list[Incident]:
    """Incidents that people are told of for the first time."""
    return [r for r in records if r.announce is FIRST]


def summaries(records: list[Incident]) -> list[Incident]:
    """Records of incidents that list held pages."""
    return [r for r in records if r.alerts[0].alert.rule == "tocsin/PagesHeld"]


def test_one_summary_instead_of_the_pages_above_the_budget() -> None:
    """Three are told as usual, the fourth begins the summary, and all others are held and written."""
    correlator = make_correlator(**BUDGET)
    records = run_until(correlator, [make_alert(f"s{n:02}", n * S) for n in range(20)], 2 * MINUTE)
    held = [r for r in records if r.change is IncidentChange.HELD]

    assert 3 + 1 == len(paged(records))
    assert [1] == [r.announcement for r in summaries(records) if r.announce]
    assert 17 == len(held)
    assert all(r.held and r.announce is None and not r.historical for r in held)
    assert {r.id for r in held} == {
        a.alert.labels["incident"] for a in summaries(records)[-1].alerts
    }
    assert {("storm", False, "over_budget", "correlate.storm.pages")} == {
        (d.gate.value, d.passed, d.reason, d.by) for r in held for d in r.decisions[-1:]
    }


def test_a_budget_that_is_gone_after_a_restart_holds_nobody_back() -> None:
    """What was held is told when it is calm, all at once."""
    before, after = make_correlator(**BUDGET), make_correlator()
    run_until(before, [make_alert(f"s{n:02}", n * S) for n in range(9)], 2 * MINUTE)
    after.restore(before.snapshot())
    told = paged(run_until(after, [], 15 * MINUTE))

    assert [f"s{n:02}" for n in range(3, 9)] == sorted(r.group_labels["service"] for r in told)


def test_a_summary_says_what_it_is() -> None:
    """Its title counts the incidents, and each line of it the alerts."""
    correlator = make_correlator(**BUDGET)
    records = run_until(correlator, [make_alert(f"s{n:02}", n * S) for n in range(6)], 2 * MINUTE)
    last = summaries(records)[-1]

    assert "pages are held: 3 incidents" == last.title
    assert {"LatencyHigh: 1 alert fires, the page is held"} == {
        a.alert.annotations["summary"] for a in last.alerts
    }


def test_decision_of_a_page_within_the_budget_is_kept() -> None:
    """Whoever asks why there was a page sees that there was room."""
    (incident,) = run_until(make_correlator(**BUDGET), [make_alert("cart", 0)], MINUTE)

    assert [
        (Gate.STORM, True, "page 1 of all without a team within 10m, the budget is 3"),
        (Gate.DEDUP, True, "announcement 1: first notification"),
    ] == [(d.gate, d.passed, d.text) for d in incident.decisions]


def test_storm_ends_by_itself_and_nothing_is_lost() -> None:
    """When it is calm, what still fires is told, no more at once than the budget has, until nothing is held."""
    correlator = make_correlator(**BUDGET, repeat_interval=0, page_horizon=180 * MINUTE)
    alerts = [make_alert(f"s{n:02}", n * S) for n in range(10)]
    records = run_until(correlator, alerts, 120 * MINUTE)
    own = [r for r in paged(records) if r not in summaries(records)]
    times = [r.updated_at for r in own]

    assert 10 == len({r.id for r in own})
    assert all(len([t for t in times if at <= t < at + 10 * MINUTE]) <= 3 for at in times)
    assert IncidentState.RESOLVED is summaries(records)[-1].state
    assert AnnounceReason.ALL_ALERTS_RESOLVED is summaries(records)[-1].announce
    assert all(not r.held for r in latest(records))


def test_what_ends_while_it_is_held_is_written_and_not_told() -> None:
    """Its last record says resolved; nobody is told of an end whose beginning they do not know."""
    correlator = make_correlator(**BUDGET)
    alerts = [make_alert(f"s{n:02}", n * S) for n in range(5)]
    ends = [resolved(a, 5 * MINUTE + n) for n, a in enumerate(alerts)]
    records = latest(run_until(correlator, [*alerts, *ends], 40 * MINUTE))
    own = [r for r in records if r not in summaries(records)]

    assert {IncidentState.RESOLVED} == {r.state for r in records}
    assert [True, True, True, False, False] == sorted(
        (r.announcement > 0 for r in own), reverse=True
    )


def test_teams_have_budgets_of_their_own() -> None:
    """The storm of one team holds no page of another, nor that of another tenant."""
    correlator = make_correlator(**BUDGET)
    storm = [make_alert(f"s{n:02}", n * S, team="shop") for n in range(9)]
    others = [
        make_alert("x", 20 * S, team="bank"),
        make_alert("y", 20 * S, team="shop", tenant="globex"),
        make_alert("z", 20 * S),
    ]
    records = run_until(correlator, [*storm, *others], 2 * MINUTE)
    told = {r.group_labels.get("service") for r in paged(records)}

    assert {"s00", "s01", "s02", "x", "y", "z", None} == told
    assert {("acme", "shop")} == {
        (r.tenant, r.group_labels.get("team")) for r in summaries(records)
    }


def test_no_budget_unless_configured() -> None:
    """Without `storm.pages` everything is told."""
    records = run_until(make_correlator(), [make_alert(f"s{n}", n) for n in range(50)], MINUTE)

    assert 50 == len(paged(records))


def hold(correlator: Correlator, *commands: Command, until: int = 20 * MINUTE) -> list[Incident]:
    """Two alerts, a minute apart, with these commands."""
    alerts = [make_alert("billing", 0), make_alert("warehouse", 2 * MINUTE)]
    everything = sorted([*alerts, *commands], key=lambda r: r.time)
    return run_until(correlator, everything, until)


def test_pages_held_by_command_are_told_when_it_ends() -> None:
    """From its time on nothing but one summary is told; at its end what still fires, and the summary is over."""
    command = make_command(Verb.HOLD, MINUTE, until=11 * MINUTE)
    records = hold(make_correlator(), command)
    at = {r.group_labels.get("service"): r.updated_at - command.time for r in paged(records)}

    assert {"billing": -30 * S, None: 90 * S, "warehouse": 10 * MINUTE} == at
    assert [True, False] == [r.announce is FIRST for r in summaries(records) if r.announce]
    assert "ann holds pages until 2023-11-14T22:24:20.000Z" == (
        next(r for r in records if r.held).timeline[-1].text
    )


def test_released_pages_are_told_at_once() -> None:
    """Whoever releases them does not wait for the end of the hold."""
    commands = (
        make_command(Verb.HOLD, MINUTE, until=11 * MINUTE),
        make_command(Verb.RELEASE, 4 * MINUTE, actor="bob"),
    )
    records = hold(make_correlator(), *commands)
    (warehouse,) = [r for r in paged(records) if r.group_labels.get("service") == "warehouse"]

    assert commands[1].time == warehouse.updated_at
    assert (Gate.HOLD, True, "bob releases the pages") == (
        warehouse.decisions[-1].gate,
        warehouse.decisions[-1].passed,
        warehouse.decisions[-1].text,
    )


def test_hold_for_one_team_leaves_the_others_alone() -> None:
    """Its subject is the team; the pages of other teams go."""
    records = hold(
        make_correlator(), make_command(Verb.HOLD, MINUTE, subject="x", until=11 * MINUTE)
    )

    assert {"billing", "warehouse"} == {r.group_labels["service"] for r in paged(records)}


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (make_command(Verb.HOLD, MINUTE, until=MINUTE), CommandReason.OVER_ALREADY),
        (make_command(Verb.RELEASE, MINUTE), CommandReason.NOTHING_HELD),
    ],
)
def test_hold_that_makes_no_sense_is_refused(command: Command, reason: CommandReason) -> None:
    """With a reason, for whoever drives the stage."""
    correlator = make_correlator()
    hold(correlator, command)

    assert [reason] == [r.reason for r in correlator.take_refusals()]


def test_end_of_an_urgent_incident_that_was_told_early_is_told() -> None:
    """It was announced ahead of order, then held in order: who knows that it fires hears that it is over."""
    correlator = make_correlator()
    early = run(correlator, [make_alert("cart", 2 * MINUTE, urgent=True)])
    command = make_command(Verb.HOLD, MINUTE, until=60 * MINUTE)
    final = run(correlator, [command, make_tick(3 * MINUTE)])
    end = resolved(make_alert("cart", 2 * MINUTE), 4 * MINUTE)
    last = [r for r in run_until(correlator, [end], 9 * MINUTE) if r.id == early[0].id][-1]

    assert (FIRST, 1, True) == (early[0].announce, early[0].announcement, early[0].provisional)
    assert IncidentChange.HELD in {r.change for r in final}
    assert (AnnounceReason.ALL_ALERTS_RESOLVED, 2) == (last.announce, last.announcement)


def test_urgent_alert_is_not_told_early_while_pages_are_held() -> None:
    """What holds pages holds those that go ahead of order too."""
    correlator = make_correlator()
    run(correlator, [make_command(Verb.HOLD, 0, until=60 * MINUTE), make_tick(MINUTE)])

    assert [] == run(correlator, [make_alert("cart", 2 * MINUTE, urgent=True)])


def test_nothing_is_held_where_others_say_who_is_told() -> None:
    """With a route tree notices tell people: no incident is held, and the answer to a hold is not the ledger's."""
    ledger = Ledger(
        CorrelateConfig.model_validate(BUDGET),
        TopologyConfig(),
        page_horizon_ms=60 * MINUTE,
        announces=False,
    )
    alerts = [make_alert(f"s{n:02}", n * S) for n in range(9)]
    hold_all = make_command(Verb.HOLD, 0, until=MINUTE)
    records = ledger.advance(Release(T0 + MINUTE, alerts, [(T0 + MINUTE, T0 + MINUTE)], [hold_all]))

    assert {False} == {r.held for r in records}
    assert [] == ledger.desk.take_refusals()
