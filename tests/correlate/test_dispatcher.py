import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.notices import Notice
from schemas.reasons import AnnounceReason, Gate, GateReason, IncidentState
from schemas.silences import AtEnd
from streams.correlate.dispatcher import Dispatcher
from streams.correlate.grouping import DispatcherState
from tests.correlate.routing import make_dispatcher, make_silence, put, say, told
from tests.correlate.sample import MINUTE, T0, S, make_alert, resolved

FIRST, NEW = "first notification", "new alerts added"
ENDED, REPEAT = "all alerts resolved", "repeat interval elapsed"


def test_tenants_are_never_in_one_group() -> None:
    """Alerts of two tenants with the same labels are told apart, under different identities."""
    alerts = [make_alert("cart", 0, tenant=t) for t in ("acme", "globex")]
    notices = put(make_dispatcher(), *alerts, until=MINUTE)
    assert {"acme", "globex"} == {n.tenant for n in notices}
    assert 2 == len({n.id for n in notices})
    assert all(a.alert.tenant == n.tenant for n in notices for a in n.alerts)


def test_tenants_do_not_inhibit_each_other() -> None:
    """A source of one tenant keeps nothing of another from being told."""
    rule = {"source_matchers": ['severity="critical"'], "target_matchers": ['severity="warning"']}
    dispatcher = make_dispatcher(inhibit_rules=[rule])
    source = make_alert("cart", 0, severity="critical", tenant="globex")
    notices = put(dispatcher, source, make_alert("cart", 1), until=MINUTE)
    assert {"acme", "globex"} == {n.tenant for n in notices if n.announce}


def test_matcher_on_tenant() -> None:
    """A route may choose by tenant although an alert has no such label."""
    child = {"matchers": ['tenant="globex"'], "receiver": "r1"}
    alerts = [make_alert("cart", 0, tenant=t) for t in ("acme", "globex")]
    notices = put(make_dispatcher({"routes": [child]}), *alerts, until=MINUTE)
    assert [("acme", "r0"), ("globex", "r1")] == sorted((n.tenant, n.receiver) for n in notices)


def test_several_receivers_are_each_told_by_what_they_know() -> None:
    """One that takes no ends is told of nothing new when one of two alerts ends, the other is."""
    receivers = [
        {"type": "stdout", "name": "r0"},
        {"type": "stdout", "name": "r1", "send_resolved": False},
    ]
    dispatcher = make_dispatcher({"receiver": ["r0", "r1"]}, notify={"receivers": receivers})
    one, two = make_alert("cart", 0), make_alert("bank", 1)
    put(dispatcher, one, two, until=20 * S)
    assert [("some alerts resolved", "r0")] == [
        (reason, receiver)
        for _, receiver, reason, _ in told(put(dispatcher, resolved(one, 30 * S), until=2 * MINUTE))
    ]


def test_inhibited_alert_is_on_record() -> None:
    """What kept an alert from being told is written once, with the rule and the source, and counted each time."""
    rule = {
        "name": "worse",
        "source_matchers": ['severity="critical"'],
        "target_matchers": ['severity="warning"'],
    }
    dispatcher = make_dispatcher({"group_by": ["severity"]}, inhibit_rules=[rule])
    source = make_alert("cart", 0, severity="critical")
    target = make_alert("cart", 1)
    notices = put(dispatcher, source, target, until=5 * MINUTE)
    silent = [n for n in notices if n.announce is None]
    assert [[(Gate.INHIBITION, GateReason.SOURCE_FIRES, "worse", target.fingerprint)]] == [
        [(d.gate, d.reason, d.by, d.alert) for d in n.decisions] for n in silent
    ]
    assert source.fingerprint in silent[0].decisions[0].text
    assert 5 == dispatcher.stopped[Gate.INHIBITION]


def test_end_of_what_was_told_before_it_was_silenced() -> None:
    """People who were told that an alert fires are told that it is over, although it is silenced meanwhile."""
    alert = make_alert("cart", 0)
    silence = make_silence('service="cart"', start=20 * S, end=60 * MINUTE)
    for tells, expected in ((True, [ENDED]), (False, [])):
        dispatcher = make_dispatcher(silences={"tell_resolved": tells})
        put(dispatcher, alert, say(silence, 20 * S), until=30 * S)
        notices = put(dispatcher, resolved(alert, 2 * MINUTE), until=10 * MINUTE)
        assert expected == [reason for _, _, reason, _ in told(notices)]


def test_end_of_a_silenced_one_while_another_fires() -> None:
    """The end of an alert that was told and then silenced is told even after the group was told of others."""
    cart, bank = make_alert("cart", 0), make_alert("bank", 90 * S)
    dispatcher = make_dispatcher()
    silence = make_silence('service="cart"', start=20 * S, end=60 * MINUTE)
    put(dispatcher, cart, bank, say(silence, 20 * S), until=3 * MINUTE)
    notices = put(dispatcher, resolved(cart, 4 * MINUTE), until=10 * MINUTE)
    assert [["bank"]] == [firing for _, _, reason, firing in told(notices) if "some" in reason]


def test_never_told_is_never_told_resolved() -> None:
    """What was silenced from the start and ends inside leaves no word."""
    alert = make_alert("cart", 1)
    silence = make_silence('service="cart"', end=60 * MINUTE)
    notices = put(
        make_dispatcher(), alert, resolved(alert, 2 * MINUTE), say(silence), until=90 * MINUTE
    )
    assert [] == told(notices)


def _after_silence(at_end: AtEnd) -> list[tuple[int, str, str, list[str]]]:
    """Three alerts in two groups, silenced until 5 minutes and 5 seconds; two of them still fire then."""
    dispatcher = make_dispatcher({"group_by": ["service"], "group_interval": "4m"})
    silence = make_silence("alertname=LatencyHigh", end=5 * MINUTE + 5 * S, at_end=at_end)
    cart, bank = make_alert("cart", 1), make_alert("bank", 2)
    gone = make_alert("search", 3)
    over = resolved(gone, 10 * S)
    notices = put(dispatcher, cart, bank, gone, over, say(silence), until=6 * MINUTE)
    notices += put(dispatcher, until=9 * MINUTE)
    return told(notices)


def test_end_of_silence_waits_for_the_flush() -> None:
    """Unless asked for more, what a silence kept back is told at the next flush of each group, as in Alertmanager."""
    at = 8 * MINUTE + 10 * S
    assert [(at + 1, "r0", FIRST, ["cart"]), (at + 2, "r0", FIRST, ["bank"])] == _after_silence(
        AtEnd.NEXT_FLUSH
    )


def test_end_of_silence_told_at_once() -> None:
    """With `notify_now` each group is told in the moment in which the silence ends."""
    at = 5 * MINUTE + 5 * S
    assert [(at, "r0", FIRST, ["bank"]), (at, "r0", FIRST, ["cart"])] == _after_silence(
        AtEnd.NOTIFY_NOW
    )


def test_end_of_silence_summary() -> None:
    """With `summary` a receiver is told once of all that is left, and the groups have nothing new to tell."""
    at = 5 * MINUTE + 5 * S
    assert [(at, "r0", "silence ended", ["cart", "bank"])] == [
        (t, r, why, sorted(firing, reverse=True))
        for t, r, why, firing in _after_silence(AtEnd.SUMMARY)
    ]


def test_end_of_silence_nothing() -> None:
    """With `nothing` what it left is not told, until it resolves and fires anew."""
    assert [] == _after_silence(AtEnd.NOTHING)
    dispatcher = make_dispatcher()
    silence = make_silence("service=cart", end=MINUTE, at_end=AtEnd.NOTHING)
    cart = make_alert("cart", 1)
    assert [] == told(put(dispatcher, cart, say(silence), until=5 * MINUTE))
    anew = [resolved(cart, 6 * MINUTE), make_alert("cart", 8 * MINUTE)]
    assert [FIRST] == [why for _, _, why, _ in told(put(dispatcher, *anew, until=15 * MINUTE))]


def test_recurring_silence() -> None:
    """One that names a time interval holds in it only; between its times alerts are told."""
    # T0 is 22:13:20 UTC on a Tuesday
    night = {
        "name": "night",
        "time_intervals": [{"times": [{"start_time": "22:00", "end_time": "22:20"}]}],
    }
    dispatcher = make_dispatcher(time_intervals=[night])
    silence = make_silence("service=cart", end=40 * 24 * 60 * MINUTE, interval="night")
    notices = put(dispatcher, make_alert("cart", 1), say(silence), until=30 * MINUTE)
    assert [(7 * MINUTE + 10 * S + 1, FIRST)] == [(t, why) for t, _, why, _ in told(notices)]


def test_recurring_silence_tells_at_the_end_of_its_time() -> None:
    """`notify_now` acts at the end of each of its times, not only at its own."""
    night = {
        "name": "night",
        "time_intervals": [{"times": [{"start_time": "22:00", "end_time": "22:20"}]}],
    }
    dispatcher = make_dispatcher(time_intervals=[night])
    silence = make_silence(
        "service=cart", end=40 * 24 * 60 * MINUTE, interval="night", at_end=AtEnd.NOTIFY_NOW
    )
    notices = put(dispatcher, make_alert("cart", 1), say(silence), until=30 * MINUTE)
    assert [(6 * MINUTE + 40 * S, FIRST)] == [(t, why) for t, _, why, _ in told(notices)]


def test_a_notice_of_an_end_is_resolved() -> None:
    """Its state follows its alerts, its number counts, and its identity stays."""
    alert = make_alert("cart", 0)
    notices = put(make_dispatcher(), alert, resolved(alert, 2 * MINUTE), until=10 * MINUTE)
    assert [(IncidentState.OPEN, 1), (IncidentState.RESOLVED, 2)] == [
        (n.state, n.announcement) for n in notices
    ]
    assert 1 == len({n.id for n in notices})
    assert AnnounceReason.ALL_ALERTS_RESOLVED is notices[-1].announce


def test_another_tree_after_a_restart() -> None:
    """Groups of routes that are gone are dropped; what was told of a route that is still there is not told again."""
    child = {"matchers": ['service="cart"'], "receiver": "r1"}
    before = make_dispatcher({"routes": [child]})
    put(before, make_alert("cart", 0), make_alert("bank", 1), until=MINUTE)
    after = make_dispatcher({"group_by": []})
    after.restore(before.snapshot())
    assert [] == told(put(after, until=30 * MINUTE))


_SERVICES = st.sampled_from(["cart", "bank", "search"])
_STEP = st.tuples(_SERVICES, st.integers(1, 200), st.sampled_from(["info", "critical"]))


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(_STEP, max_size=25), cut=st.integers(0, 25))
def test_one_release_or_many(steps: list[tuple[str, int, str]], cut: int) -> None:
    """How the log is cut into releases changes nothing of what comes out, nor does a restart between them."""
    rule = {"source_matchers": ["severity=critical"], "target_matchers": ["severity=info"]}
    alerts, at, firing = [], 0, {}
    for service, wait, severity in steps:
        at += wait * S
        name = (service, severity)
        known = firing.pop(name, None)
        if known is None:
            firing[name] = make_alert(service, at, severity=severity)
        alerts.append(firing[name] if known is None else resolved(known, at))

    def make() -> Dispatcher:
        return make_dispatcher(
            {"group_by": ["service"], "repeat_interval": "5m"}, inhibit_rules=[rule]
        )

    whole = put(make(), *alerts, until=at + 60 * MINUTE)
    first = make()
    notices: list[Notice] = []
    if alerts[:cut]:
        notices += put(first, *alerts[:cut], until=alerts[:cut][-1].time - T0)
    second = make()
    blob = msgspec.json.encode(first.snapshot())
    second.restore(msgspec.json.decode(blob, type=DispatcherState))
    notices += put(second, *alerts[cut:], until=at + 60 * MINUTE)
    assert whole == notices
