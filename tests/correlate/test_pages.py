"""Notices above the budget of a team, and notices that somebody holds, where a route tree says who is told."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.alerts import Alert
from schemas.commands import Command, Verb
from schemas.config import CorrelateConfig, TopologyConfig
from schemas.notices import Notice
from schemas.reasons import AlertState, AnnounceReason, CommandReason, Gate
from streams.correlate import Correlator
from streams.correlate.dispatcher import Dispatcher
from streams.correlate.grouping import DispatcherState
from tests.correlate.routing import make_dispatcher, put
from tests.correlate.sample import (
    MINUTE,
    T0,
    S,
    make_alert,
    make_command,
    make_tick,
    resolved,
    run,
)

FIRST, ENDED = AnnounceReason.FIRST_NOTIFICATION, AnnounceReason.ALL_ALERTS_RESOLVED
BUDGET = {"storm": {"pages": 3, "per": "10m"}}
BY_SERVICE = {"group_by": ["service"]}


def make_pages(budget: bool = True) -> Dispatcher:
    """A dispatcher with a group for each service, and a budget of three pages in ten minutes."""
    return make_dispatcher(BY_SERVICE, correlate=BUDGET if budget else {})


def is_summary(notice: Notice) -> bool:
    """Whether it lists held pages."""
    return notice.group_labels.get("alertname") == "PagesHeld"


def pages(notices: list[Notice]) -> list[tuple[int, str]]:
    """Time in ms after T0 and service of each first notification but the summaries."""
    return [
        (n.updated_at - T0, n.group_labels["service"])
        for n in notices
        if n.announce is FIRST and not is_summary(n)
    ]


def test_one_summary_instead_of_the_notices_above_the_budget() -> None:
    """Three are told as usual, the fourth begins the summary, and each that is held is written with the decision."""
    alerts = [make_alert(f"s{n:02}", n * S) for n in range(20)]
    notices = put(make_pages(), *alerts, until=2 * MINUTE)
    held = [n for n in notices if n.announce is None and not is_summary(n)]
    summaries = [n for n in notices if is_summary(n)]

    assert ["s00", "s01", "s02"] == [service for _, service in pages(notices)]
    assert [FIRST, None, None, None, None] == [n.announce for n in summaries]
    assert [1, 2, 4, 8, 16] == [len(n.alerts) for n in summaries]
    assert 17 == len(held)
    assert {("storm", False, "over_budget", "correlate.storm.pages")} == {
        (d.gate.value, d.passed, d.reason, d.by) for n in held for d in n.decisions
    }


def test_storm_ends_by_itself_and_all_that_fires_is_told() -> None:
    """When it is calm they are told, no more at once than the budget has, and the summary ends with the last."""
    dispatcher = make_pages()
    notices = put(dispatcher, *(make_alert(f"s{n}", n * S) for n in range(8)), until=60 * MINUTE)
    told = pages(notices)
    last = [n for n in notices if is_summary(n)][-1]

    assert sorted(f"s{n}" for n in range(8)) == sorted(service for _, service in told)
    assert all(len([t for t, _ in told if at <= t < at + 10 * MINUTE]) <= 3 for at, _ in told)
    assert (ENDED, 5, {AlertState.RESOLVED}) == (
        last.announce,
        len(last.alerts),
        {a.alert.state for a in last.alerts},
    )


def test_end_of_what_was_known_is_told_although_the_group_is_held() -> None:
    """A group was told of one alert and is held for another: the end of the first comes with the news of the second."""
    dispatcher = make_pages()
    cart, more = make_alert("cart", 0), make_alert("cart", 2 * MINUTE, name="Other")
    hold = make_command(Verb.HOLD, MINUTE, until=11 * MINUTE)
    end = resolved(cart, 4 * MINUTE)
    notices = put(dispatcher, cart, more, end, hold, until=20 * MINUTE)
    told = [n for n in notices if n.announce and not is_summary(n)]

    assert [(10 * S, ["firing"]), (11 * MINUTE, ["firing", "resolved"])] == [
        (n.updated_at - T0, [a.alert.state.value for a in n.alerts]) for n in told
    ]


def test_end_of_all_is_told_while_pages_are_held() -> None:
    """Who knows that something fires hears at once that it is over."""
    cart = make_alert("cart", 0)
    hold = make_command(Verb.HOLD, MINUTE, until=60 * MINUTE)
    notices = put(make_pages(), cart, resolved(cart, 2 * MINUTE), hold, until=30 * MINUTE)

    assert [FIRST, ENDED] == [n.announce for n in notices if n.announce]


def test_released_notices_are_told_at_once() -> None:
    """Whoever releases them does not wait for the end of the hold, and the notice says who let it go."""
    commands = (
        make_command(Verb.HOLD, 0, until=60 * MINUTE),
        make_command(Verb.RELEASE, 4 * MINUTE, actor="bob"),
    )
    notices = put(make_pages(), make_alert("cart", S), *commands, until=30 * MINUTE)
    (told,) = [n for n in notices if n.announce and not is_summary(n)]

    assert 4 * MINUTE == told.updated_at - T0
    assert (Gate.HOLD, True, "bob releases the pages") == (
        told.decisions[-1].gate,
        told.decisions[-1].passed,
        told.decisions[-1].text,
    )


def test_hold_of_one_team_leaves_the_others_alone() -> None:
    """Nor does it touch another tenant's."""
    alerts = [
        make_alert("a", 0, team="shop"),
        make_alert("b", 1, team="bank"),
        make_alert("c", 2, team="shop", tenant="globex"),
    ]
    hold = make_command(Verb.HOLD, 0, subject="shop", until=60 * MINUTE)

    assert ["b", "c"] == [s for _, s in pages(put(make_pages(), *alerts, hold, until=MINUTE))]


@pytest.mark.parametrize(
    ("command", "reasons"),
    [
        (make_command(Verb.HOLD, MINUTE, until=MINUTE), [CommandReason.OVER_ALREADY]),
        (make_command(Verb.RELEASE, MINUTE), [CommandReason.NOTHING_HELD]),
        (make_command(Verb.HOLD, MINUTE, until=2 * MINUTE), []),
    ],
)
def test_commands_are_answered_once(command: Command, reasons: list[CommandReason]) -> None:
    """With a route tree it is the dispatcher that carries a hold out, or refuses it."""
    correlator = Correlator(
        CorrelateConfig(),
        TopologyConfig(),
        sources=1,
        page_horizon_ms=60 * MINUTE,
        dispatcher=make_pages(),
    )
    run(correlator, [command, make_tick(2 * MINUTE)])

    assert reasons == [r.reason for r in correlator.take_refusals()]


Step = tuple[int, int, bool]
steps = st.lists(st.tuples(st.integers(0, 9), st.integers(1, 90), st.booleans()), max_size=40)
holds = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 15), st.booleans()), max_size=3)


def story(given_steps: list[Step], given_holds: list[Step]) -> list[Alert | Command]:
    """Alerts of five services in two teams that fire and end, and holds some of which are released."""
    said: list[Alert | Command] = []
    firing: dict[int, Alert] = {}
    at = 0
    for number, gap, named in given_steps:
        at += gap * S
        if number in firing:
            said.append(resolved(firing.pop(number), at))
        else:
            name = "Other" if named else "LatencyHigh"
            alert = make_alert(f"s{number % 5}", at, name=name, n=str(number), team=str(number % 2))
            firing[number] = alert
            said.append(alert)
    for begin, span, released in given_holds:
        said.append(make_command(Verb.HOLD, begin * MINUTE, until=(begin + span) * MINUTE))
        if released:
            said.append(make_command(Verb.RELEASE, (begin + span) * MINUTE - 1))
    return sorted(said, key=lambda r: r.time)


def through(said: list[Alert | Command], cuts: list[int], *, restart: bool) -> list[Notice]:
    """What is written until long after, in one release or cut at these minutes, anew from the snapshot each time."""
    dispatcher, notices, begin = make_pages(), [], -1
    for cut in [*sorted(set(cuts)), 600]:
        until = cut * MINUTE
        now = [r for r in said if begin < r.time - T0 <= until]
        notices += put(dispatcher, *now, until=until)
        begin = until
        if restart:
            blob = msgspec.json.encode(dispatcher.snapshot())
            dispatcher = make_pages()
            dispatcher.restore(msgspec.json.decode(blob, type=DispatcherState))
    return notices


@settings(max_examples=60, deadline=None)
@given(steps, holds)
def test_nothing_is_lost_and_nothing_told_twice(
    given_steps: list[Step], given_holds: list[Step]
) -> None:
    """In the end people know exactly what fires, and no end of what they knew was kept from them."""
    said = story(given_steps, given_holds)
    known: dict[str, set[str]] = {}
    over: dict[str, set[str]] = {}
    for notice in through(said, [], restart=False):
        if notice.announce is None or is_summary(notice):
            continue
        before = known.get(notice.id, set())
        now = {a.alert.fingerprint for a in notice.alerts if a.firing}
        ended = {a.alert.fingerprint for a in notice.alerts if not a.firing}
        assert before <= now | ended, "each end of what was known is told"
        news = now - before or ended - over.get(notice.id, set())
        assert news or notice.announce is AnnounceReason.REPEAT_INTERVAL_ELAPSED
        known[notice.id], over[notice.id] = now, ended
    last = {a.fingerprint: a.state for a in said if isinstance(a, Alert)}

    assert {f for f, state in last.items() if state is AlertState.FIRING} == set().union(
        *known.values()
    )


@settings(max_examples=30, deadline=None)
@given(steps, holds, st.lists(st.integers(0, 90), max_size=4))
def test_cuts_and_restarts_change_nothing(
    given_steps: list[Step], given_holds: list[Step], cuts: list[int]
) -> None:
    """The notices are the same for one release and for many with a snapshot after each."""
    said = story(given_steps, given_holds)

    assert through(said, [], restart=False) == through(said, cuts, restart=True)
