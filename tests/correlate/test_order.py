"""The reorder buffer: what waits, what goes out, what is refused."""

import pytest

from schemas.alerts import Alert
from streams.correlate import order as order_room
from streams.correlate.order import Order, Release
from streams.correlate.reasons import DropReason
from tests.correlate.sample import MINUTE, T0, S, make_alert, make_tick, resolved


def released(order: Order, at: int, source: int = 0, record_time: int | None = None) -> list[Alert]:
    """Alerts that a tick releases."""
    release = order.tick(make_tick(at, source, record_time=record_time))
    return [] if release is None else release.alerts


def test_alert_waits_for_every_source() -> None:
    """It goes out when the last source has ticked at or past its time."""
    order = Order(2)
    alert = make_alert("cart", 5 * S)
    order.hold(alert)

    assert [] == released(order, 9 * S, 0)
    assert [] == released(order, 4 * S, 1)
    assert [alert] == released(order, 5 * S, 1)


def test_order_is_that_of_time_then_fingerprint() -> None:
    """Alerts of several sources come out sorted, whoever was read first."""
    order = Order(2)
    alerts = [
        make_alert(s, at * S, source=i) for s, at, i in (("a", 3, 1), ("b", 1, 0), ("c", 3, 0))
    ]
    for alert in alerts:
        order.hold(alert)
    released(order, 5 * S, 0)

    expected = sorted(alerts, key=lambda a: (a.time, a.fingerprint))
    assert expected == released(order, 5 * S, 1)


def test_sent_again_is_a_duplicate() -> None:
    """The same id, or a time that its source has ticked past, is refused as a duplicate."""
    order = Order(2)
    alert = make_alert("cart", 5 * S)

    assert alert is order.hold(alert)
    assert DropReason.DUPLICATE is order.hold(alert)
    released(order, 6 * S, 0)
    assert DropReason.DUPLICATE is order.hold(alert)
    assert order.hold(other := make_alert("orders", 5 * S, source=1)) is other


def test_same_alert_of_two_sources_counts_once() -> None:
    """Of equal transitions the one of the least source goes on, whichever was read first."""
    a, b = (make_alert("cart", 5 * S, source=n) for n in (0, 1))
    for first, second in ((a, b), (b, a)):
        order = Order(2)
        order.hold(first)
        assert DropReason.DUPLICATE is order.hold(second)
        released(order, 5 * S, 0)
        assert [a] == released(order, 5 * S, 1)


def test_unknown_source_is_refused() -> None:
    """Neither alerts nor ticks of a source that is not expected count."""
    order = Order(1)

    assert DropReason.UNKNOWN_SOURCE is order.hold(make_alert("cart", 0, source=1))
    assert None is order.tick(make_tick(5 * S, 1))


def test_silent_source_holds_back_for_ever() -> None:
    """A source never heard of is waited for, however far the others have come."""
    order = Order(2)
    alert = make_alert("cart", 5 * S)
    order.hold(alert)

    assert [] == released(order, 10_000 * MINUTE, 0)
    assert [alert] == released(order, 5 * S, 1)


def test_ticks_never_go_back() -> None:
    """A tick that a restarted worker sends again releases nothing."""
    order = Order(1)
    released(order, 10 * S)

    assert None is order.tick(make_tick(5 * S))
    assert None is order.tick(make_tick(10 * S))
    assert T0 + 10 * S == order.until


def test_backlog_is_what_the_first_tick_past_a_time_made_known() -> None:
    """The backlog at a time reaches to the earliest tick at or after it, of any source."""
    order = Order(2)
    alerts = [make_alert(f"s{n}", n * S) for n in range(10)]
    for alert in alerts:
        order.hold(alert)
    order.tick(make_tick(9 * S, 0, record_time=90 * S))
    order.tick(make_tick(4 * S, 1, record_time=40 * S))
    release = order.tick(make_tick(9 * S, 1, record_time=91 * S))
    assert release is not None

    record_time, known = release.backlog(T0 + 5 * S)
    assert (T0 + 91 * S, alerts[6:]) == (record_time, list(known))


def test_what_became_known_long_after_its_time_became_known_with_all_up_to_its_tick() -> None:
    """A time that was passed soon stands for itself, and so does the time of the tick that passed it late."""
    release = Release(T0 + 9 * S, [], [(T0 + 4 * S, T0 + 5 * S), (T0 + 9 * S, T0 + 90 * S)])
    reached = [release.known_with(T0 + at * S, 10 * S) for at in (2, 4, 5, 9)]
    assert [T0 + at * S for at in (2, 4, 9, 9)] == reached


def test_what_is_held_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound the earlier half goes out without waiting for the missing source."""
    monkeypatch.setattr(order_room, "HELD_MAX", 10)
    order = Order(2)
    alerts = [make_alert(f"s{n}", n * S) for n in range(11)]
    for alert in alerts[:10]:
        order.hold(alert)
        assert None is order.relieve()
    order.hold(alerts[10])
    release = order.relieve()

    assert release is not None
    assert alerts[:6] == release.alerts


def test_what_comes_too_late_counts_as_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind what went out without waiting, alerts are taken in right after it, in their source's own order."""
    monkeypatch.setattr(order_room, "HELD_MAX", 1)
    order = Order(2)
    for n in range(2):
        order.hold(make_alert(f"s{n}", 100 * S))
    order.relieve()
    firing = make_alert("cart", 90 * S, source=1)
    again = make_alert("cart", 98 * S, source=1)
    for alert in (again, resolved(firing, 95 * S), firing):
        order.hold(alert)

    assert 3 == order.late
    assert [] == released(order, 200 * S, 0)
    out = released(order, 200 * S, 1)
    assert ["firing", "resolved", "firing"] == [a.state.value for a in out]
    assert {T0 + 100 * S + 1} == {a.time for a in out}


@pytest.mark.parametrize("cut", [0, 3, 25, 97, 200])
def test_many_and_few_come_out_alike(cut: int) -> None:
    """However much of what is held is due at once, it is what is due, in order, and the rest waits."""
    order = Order(1)
    alerts = [make_alert(f"s{n}", (n * 37) % 100 * S) for n in range(100)]
    for alert in alerts:
        order.hold(alert)
    expected = sorted(alerts, key=lambda a: (a.time, a.fingerprint))
    due = [a for a in expected if a.time <= T0 + cut * S]

    assert due == released(order, cut * S)
    assert [a for a in expected if a not in due] == released(order, 300 * S)
