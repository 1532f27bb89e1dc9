"""How a while went, in figures."""

from zoneinfo import ZoneInfo

import msgspec

from schemas.incidents import Incident, TimelineEntry
from schemas.notifications import Notification
from schemas.reasons import AnnounceReason, DeliveryReason, IncidentChange
from streams.correlate.listed import RULE
from streams.report.figures import Means, Noise, Paged, Times, figures_of, times_of
from tests.sinks.sample import ALL, FIRST, T0, make_alert, make_incident

MINUTE = 60_000
DAY = 1_440 * MINUTE


def make(
    name: str,
    *,
    told: int | None = 1,
    taken: int | None = None,
    over: int | None = None,
    day: int = 0,
) -> Incident:
    """An incident with these events, in minutes after its begin; its condition was true half a minute before."""
    shift = day * DAY
    events = (
        (told, IncidentChange.ANNOUNCED),
        (taken, IncidentChange.ACKNOWLEDGED),
        (over, IncidentChange.RESOLVED),
    )
    alert = make_alert(firing=over is None)
    moved = msgspec.structs.replace(alert.alert, active_at=alert.alert.active_at + shift)
    return msgspec.structs.replace(
        make_incident(name, announce=FIRST if over is None else ALL),
        opened_at=T0 + shift,
        resolved_at=None if over is None else T0 + shift + over * MINUTE,
        alerts=(msgspec.structs.replace(alert, alert=moved),),
        timeline=tuple(
            TimelineEntry(time=T0 + shift + at * MINUTE, change=change, text="")
            for at, change in events
            if at is not None
        ),
    )


def page(
    at: int,
    receiver: str = "ann",
    reason: DeliveryReason = DeliveryReason.DELIVERED,
    why: AnnounceReason = FIRST,
) -> Notification:
    return Notification(
        id=f"{at}{receiver}",
        incident="i",
        tenant="shop",
        receiver=receiver,
        announce=why,
        reason=reason,
        final=True,
        attempt=1,
        time=T0 + at * MINUTE,
        delivered_at=T0 + at * MINUTE,
    )


def test_times_of_an_incident() -> None:
    """From the condition to the page, from the page to the acknowledgement, from the condition to the end."""
    assert Times(T0 - 30_000, 90_000, 4 * MINUTE, 600_000 + 30_000) == times_of(
        make("a", told=1, taken=5, over=10)
    )
    assert Times(T0 - 30_000, None, None, None) == times_of(make("a", told=None))


def test_means_are_over_those_that_have_both_ends() -> None:
    """What is still open, or was never acknowledged, does not count as 0."""
    figures = figures_of(
        [make("a", told=1, taken=3, over=10), make("b", told=3), make("c", told=None, day=99)],
        [],
        since=T0,
        until=T0 + DAY,
    )

    assert (
        Means(
            incidents=2,
            pages=0,
            detect_ms=150_000,
            acknowledge_ms=120_000,
            resolve_ms=630_000,
        )
        == figures.whole
    )


def test_a_person_may_have_several_receivers() -> None:
    """Pages and nights are those of the person; a receiver of nobody stands for itself."""
    pages = [page(0, "ann-phone"), page(1, "ann-chat"), page(24 * 60, "ann-chat"), page(2, "team")]
    persons = {"ann-phone": "ann", "ann-chat": "ann"}
    figures = figures_of([], pages, since=T0, until=T0 + 3 * DAY, persons=persons)

    assert [
        Paged(name="ann", pages=3, at_night=3, nights=2),
        Paged(name="team", pages=1, at_night=1, nights=1),
    ] == figures.people
    assert ["ann-chat", "ann-phone", "team"] == [r.name for r in figures.receivers]


def test_pages_of_a_receiver_by_night() -> None:
    """Delivered messages about what fires; a night is that of its evening, in the zone that is asked for."""
    # T0 is 22:13:20 UTC
    pages = [
        page(0),
        page(240),
        page(720),
        page(1_440),
        page(1, "bob"),
        page(2, reason=DeliveryReason.GAVE_UP),
        page(3, why=ALL),
    ]
    utc = figures_of([], pages, since=T0, until=T0 + 9 * DAY)
    tokyo = figures_of([], pages, since=T0, until=T0 + 9 * DAY, zone=ZoneInfo("Asia/Tokyo"))

    assert [
        Paged(name="ann", pages=4, at_night=3, nights=2),
        Paged(name="bob", pages=1, at_night=1, nights=1),
    ] == utc.receivers
    assert [0, 0] == [r.at_night for r in tokyo.receivers if r.name == "bob"] + [0]
    assert 5 == utc.whole.pages


def test_noise_of_a_rule() -> None:
    """The share of its incidents that ended without anybody; who is still open is no noise yet."""
    figures = figures_of(
        [make("a", over=5), make("b", taken=2, over=5), make("c", over=9), make("d")],
        [],
        since=T0,
        until=T0 + DAY,
    )

    assert [Noise(rule="checkout/Slow", alerts=4, incidents=4, ignored=2)] == figures.rules
    assert 0.5 == figures.rules[0].share


def test_weeks() -> None:
    """Those of ISO 8601; incidents by their begin, pages by their time."""
    figures = figures_of(
        [make("a"), make("b", day=7), make("c", day=7)], [page(0)], since=T0, until=T0 + 9 * DAY
    )

    assert {"2023-W46": (1, 1), "2023-W47": (2, 0)} == {
        week: (means.incidents, means.pages) for week, means in figures.weeks.items()
    }


def test_part_of_another_incident_is_not_counted() -> None:
    """Two that were merged are one."""
    part = msgspec.structs.replace(make("a"), merged_into="b")

    assert 1 == figures_of([part, make("b")], [], since=T0, until=T0 + DAY).whole.incidents


def test_a_summary_of_held_pages_is_no_incident() -> None:
    """It is a page, but neither an incident nor noise of a rule."""
    item = make_alert()
    held = msgspec.structs.replace(item.alert, rule=RULE)
    summary = msgspec.structs.replace(
        make("s", over=10), alerts=(msgspec.structs.replace(item, alert=held),)
    )
    figures = figures_of([make("a"), summary], [page(0)], since=T0, until=T0 + DAY)

    assert (1, 1) == (figures.whole.incidents, figures.whole.pages)
    assert [item.alert.rule] == [n.rule for n in figures.rules]
