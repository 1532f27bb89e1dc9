"""The outbox as a state machine: what is said, in which order, how often."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.config.notify import NotifyConfig, RouteConfig, StdoutReceiver, WebhookReceiver
from schemas.config.section import Secret
from schemas.errors import CheckpointError
from schemas.notifications import Notification, announcement_key
from schemas.reasons import AnnounceReason, DeliveryReason
from sinks.notify import outbox as outbox_module
from sinks.notify.attempt import DELIVERED, WAIT_MAX_MS, Attempt, Outcome
from sinks.notify.outbox import Outbox
from tests.sinks.sample import ADDED, ALL, FIRST, SOME, T0, make_alert, make_incident

NOW = T0 + 5_000
RETRY = Outcome(reason=DeliveryReason.SERVER_ERROR, retryable=True, detail="HTTP 503")
REFUSED = Outcome(reason=DeliveryReason.CLIENT_ERROR, detail="HTTP 404")


def _hook(name: str = "hook", **fields: object) -> WebhookReceiver:
    return WebhookReceiver(type="webhook", name=name, url=Secret("http://x/"), **fields)


def _outbox(**fields: object) -> Outbox:
    return Outbox(NotifyConfig(receivers=(_hook(**fields),)))


def _key(announcement: int = 1, receiver: str = "hook") -> str:
    return announcement_key(make_incident().id, announcement, receiver)


def _reasons(items: list[Attempt | Notification]) -> list[DeliveryReason | str]:
    return [i.reason if isinstance(i, Notification) else "attempt" for i in items]


def test_an_announcement_is_one_attempt_under_its_key() -> None:
    """An announcement asks for one attempt, at once, under the key of incident, announcement and receiver."""
    (attempt,) = _outbox().apply(make_incident())

    assert (_key(), "hook", 1, 0) == (
        attempt.key,
        attempt.receiver,
        attempt.number,
        attempt.not_before_ms,
    )


def test_nothing_to_announce_says_nothing() -> None:
    """A record that announces nothing asks for nothing."""
    assert [] == _outbox().apply(make_incident(announce=None))


def test_a_delivery_is_recorded_with_its_route() -> None:
    """A delivered attempt is final, and its record says which route asked for it."""
    outbox = _outbox()
    outbox.apply(make_incident())

    (record,) = outbox.settle(_key(), DELIVERED, NOW)

    assert (
        Notification(
            id=_key(),
            incident=make_incident().id,
            tenant="shop",
            receiver="hook",
            announce=FIRST,
            reason=DeliveryReason.DELIVERED,
            final=True,
            attempt=1,
            time=T0,
            delivered_at=NOW,
            detail="no route matched: first receiver",
        )
        == record
    )


def test_the_final_record_after_a_provisional_one_is_a_duplicate() -> None:
    """A provisional announcement is sent at once, and its final twin is counted but not sent."""
    outbox = _outbox()
    first = outbox.apply(make_incident(provisional=True))
    again = outbox.apply(make_incident())

    assert (["attempt"], [], 1) == (
        _reasons(first),
        again,
        outbox.counts[DeliveryReason.DUPLICATE],
    )


def test_old_records_come_again_after_a_restart_of_the_correlator() -> None:
    """Any announcement up to the highest seen is a duplicate, also when it was not sent."""
    outbox = _outbox(send_resolved=False)
    records = [make_incident(), make_incident(announce=ALL, announcement=2)]
    for record in records:
        outbox.apply(record)

    assert [[], []] == [outbox.apply(record) for record in records]


def test_resolved_waits_for_the_first_notification() -> None:
    """A resolve is handed out only when "first notification" has been delivered."""
    outbox = _outbox()
    outbox.apply(make_incident())
    waiting = outbox.apply(make_incident(announce=ALL, announcement=2))
    after = outbox.settle(_key(), DELIVERED, NOW)

    assert ([], [DeliveryReason.DELIVERED, "attempt"]) == (waiting, _reasons(after))
    assert _key(2) == after[1].key


def test_resolved_waits_through_a_retry() -> None:
    """A retry of "first notification" goes out before "resolved"."""
    outbox = _outbox()
    outbox.apply(make_incident())
    outbox.apply(make_incident(announce=ALL, announcement=2))

    _, retry = outbox.settle(_key(), RETRY, NOW)

    assert (_key(), 2) == (retry.key, retry.number)


@pytest.mark.parametrize("outcome", [REFUSED, RETRY], ids=["refused", "gave up"])
def test_resolved_is_not_said_to_who_never_heard(outcome: Outcome) -> None:
    """When the first notification was never taken, "resolved" is not sent: NEVER_ANNOUNCED."""
    outbox = _outbox(max_attempts=1)
    outbox.apply(make_incident())
    outbox.apply(make_incident(announce=ALL, announcement=2))

    records = outbox.settle(_key(), outcome, NOW)

    last = DeliveryReason.GAVE_UP if outcome.retryable else DeliveryReason.CLIENT_ERROR
    assert [last, DeliveryReason.NEVER_ANNOUNCED] == _reasons(records)
    assert [True, True] == [r.final for r in records]


def test_a_resolve_out_of_nowhere_is_not_sent() -> None:
    """A resolve of an incident that nobody was told of is recorded and not sent."""
    assert [DeliveryReason.NEVER_ANNOUNCED] == _reasons(
        _outbox().apply(make_incident(announce=ALL, announcement=7))
    )


def test_after_a_resolve_it_must_be_told_anew() -> None:
    """When the news of a reopened incident was refused, its second resolve is not sent either."""
    outbox = _outbox()
    outbox.apply(make_incident())
    outbox.settle(_key(), DELIVERED, NOW)
    outbox.apply(make_incident(announce=ALL, announcement=2))
    outbox.settle(_key(2), DELIVERED, NOW)
    outbox.apply(make_incident(announcement=3))
    outbox.settle(_key(3), REFUSED, NOW)

    assert [DeliveryReason.NEVER_ANNOUNCED] == _reasons(
        outbox.apply(make_incident(announce=ALL, announcement=4))
    )


def test_an_update_after_a_failure_is_sent() -> None:
    """When the first notification was refused, a later update still goes out, and then the resolve."""
    outbox = _outbox()
    outbox.apply(make_incident())
    outbox.settle(_key(), REFUSED, NOW)
    update = outbox.apply(make_incident(announce=ADDED, announcement=2))
    outbox.settle(_key(2), DELIVERED, NOW)
    resolve = outbox.apply(make_incident(announce=ALL, announcement=3))

    assert (["attempt"], ["attempt"]) == (_reasons(update), _reasons(resolve))


@pytest.mark.parametrize("announce", [SOME, ALL])
def test_resolves_are_not_sent_where_they_are_not_wanted(announce: AnnounceReason) -> None:
    """`send_resolved: false` refuses both kinds of resolve with a reason."""
    outbox = _outbox(send_resolved=False)
    outbox.apply(make_incident())
    outbox.settle(_key(), DELIVERED, NOW)

    records = outbox.apply(make_incident(announce=announce, announcement=2))

    assert [DeliveryReason.RESOLVE_NOT_WANTED] == _reasons(records)


def test_what_was_over_before_it_could_be_told_is_not_told() -> None:
    """A historical incident is recorded once and not sent."""
    outbox = _outbox()
    record = make_incident(announce=None, announcement=0, historical=True)

    assert [DeliveryReason.HISTORICAL] == _reasons(outbox.apply(record))
    assert [] == outbox.apply(record)


def test_no_receiver_is_recorded() -> None:
    """Without a receiver the announcement is recorded as NO_ROUTE."""
    outbox = Outbox(NotifyConfig(receivers=()))

    assert [DeliveryReason.NO_ROUTE] == _reasons(outbox.apply(make_incident()))


def test_who_was_told_hears_the_end_whatever_the_routes_say() -> None:
    """A receiver that was told is told of the resolve, also when later alerts are routed elsewhere."""
    outbox = Outbox(
        NotifyConfig(
            receivers=(_hook("default"), _hook("orders")),
            routes=(RouteConfig(receiver="orders", matchers=("service=orders",)),),
        )
    )
    outbox.apply(make_incident())
    outbox.settle(_key(1, "orders"), DELIVERED, NOW)
    both = (make_alert("orders", firing=False), make_alert("cart", firing=False))

    (attempt,) = outbox.apply(make_incident(announce=ALL, announcement=2, alerts=both))

    assert "orders" == attempt.receiver


def test_retries_keep_key_and_body() -> None:
    """Every attempt of an announcement carries the same key and the same bytes, and counts up to the last."""
    outbox = _outbox(max_attempts=4)
    (attempt,) = outbox.apply(make_incident())
    seen = [attempt]
    records = []
    while True:
        out = outbox.settle(_key(), RETRY, NOW)
        records.append(out[0])
        if len(out) == 1:
            break
        seen.append(out[1])

    assert {(attempt.key, attempt.body)} == {(a.key, a.body) for a in seen}
    assert [1, 2, 3, 4] == [a.number for a in seen] == [r.attempt for r in records]
    assert [False, False, False, True] == [r.final for r in records]
    assert (DeliveryReason.GAVE_UP, "server_error: HTTP 503") == (
        records[-1].reason,
        records[-1].detail,
    )


@given(number=st.integers(1, 60), name=st.text(min_size=1, max_size=5))
def test_back_off_doubles_within_its_bounds(number: int, name: str) -> None:
    """The n-th wait lies in the upper half of base x 2^(n-1), never above the maximum, and is the same each time."""
    waits = []
    for _ in range(2):
        outbox = _outbox(max_attempts=100, backoff=1_000, max_backoff=300_000)
        (attempt,) = outbox.apply(make_incident(name))
        for _ in range(number):
            _, attempt = outbox.settle(attempt.key, RETRY, NOW)
        waits.append(attempt.not_before_ms - NOW)
    whole = min(300_000, 1_000 * 2 ** (number - 1))

    assert whole // 2 <= waits[0] <= whole
    assert waits[0] == waits[1]


@pytest.mark.parametrize(("asked", "expected"), [(7.5, 7_500), (1e9, WAIT_MAX_MS)])
def test_retry_after_is_honoured_and_capped(asked: float, expected: int) -> None:
    """A receiver that asks for a longer wait gets it, up to an hour."""
    outbox = _outbox()
    outbox.apply(make_incident())
    busy = Outcome(reason=DeliveryReason.RATE_LIMITED, retryable=True, retry_after_seconds=asked)

    _, retry = outbox.settle(_key(), busy, NOW)

    assert NOW + expected == retry.not_before_ms
    assert expected == retry.wait_ms


def test_a_wait_is_as_long_after_a_restart_as_it_was_meant() -> None:
    """The length is kept beside the time, so that a clock which has been set back makes it no longer."""
    outbox = _outbox(max_attempts=3)
    outbox.apply(make_incident())
    _, retry = outbox.settle(_key(), RETRY, NOW)
    again = _outbox(max_attempts=3)
    again.restore(outbox.snapshot())

    assert [retry] == again.pending()
    assert retry.wait_ms == retry.not_before_ms - NOW


def test_stdout_is_tried_once() -> None:
    """A receiver without a retry policy gives up after its only attempt."""
    outbox = Outbox(NotifyConfig(receivers=(StdoutReceiver(type="stdout", name="hook"),)))
    outbox.apply(make_incident())

    assert [DeliveryReason.GAVE_UP] == _reasons(outbox.settle(_key(), RETRY, NOW))


def test_an_outcome_that_nobody_waits_for_changes_nothing() -> None:
    """A late or doubled outcome is ignored."""
    outbox = _outbox()
    outbox.apply(make_incident())
    outbox.apply(make_incident(announce=ADDED, announcement=2))
    before = outbox.snapshot()

    assert [] == outbox.settle("unknown", DELIVERED, NOW)
    assert [] == outbox.settle(_key(2), DELIVERED, NOW)
    assert before == outbox.snapshot()


def test_restore_tries_again_what_was_not_settled() -> None:
    """After a restore the same attempts are pending, with the same key, body and time."""
    outbox = _outbox()
    outbox.apply(make_incident("a"))
    (other,) = outbox.apply(make_incident("b"))
    _, retry = outbox.settle(_key(), RETRY, NOW)
    restored = _outbox()
    restored.restore(outbox.snapshot())

    assert [retry, other] == restored.pending() == outbox.pending()
    assert outbox.snapshot() == restored.snapshot()
    assert outbox.settle(_key(), DELIVERED, NOW) == restored.settle(_key(), DELIVERED, NOW)


@pytest.mark.parametrize("blob", [b"", b"junk", b"\x82\xa1v\x63\xa6tracks\x80"])
def test_a_state_that_cannot_be_read_is_refused(blob: bytes) -> None:
    """Junk and an unknown version are refused with a clear error."""
    with pytest.raises(CheckpointError, match="the notifier's state"):
        _outbox().restore(blob)


def test_incidents_are_forgotten_oldest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the cap the incident untouched for longest is forgotten, unless something is still to be said."""
    monkeypatch.setattr(outbox_module, "TRACKS_MAX", 2)
    outbox = _outbox()
    outbox.apply(make_incident("waits"))
    for name in ("old", "new"):
        (attempt,) = outbox.apply(make_incident(name))
        outbox.settle(attempt.key, DELIVERED, NOW)
    outbox.apply(make_incident("newest"))

    assert [] == outbox.apply(make_incident("waits"))
    assert ["attempt"] == _reasons(outbox.apply(make_incident("old")))


def test_a_receiver_that_is_down_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the cap the oldest announcement to that receiver is given up, also after a restore."""
    monkeypatch.setattr(outbox_module, "WAITING_MAX", 2)
    outbox = _outbox()
    for name in ("a", "b"):
        outbox.apply(make_incident(name))
    restored = _outbox()
    restored.restore(outbox.snapshot())

    out = restored.apply(make_incident("c"))

    assert ["attempt", DeliveryReason.GAVE_UP] == _reasons(out)
    assert _key() == out[1].id
    assert 2 == len(restored.pending())
