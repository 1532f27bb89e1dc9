"""The outbox under any course of events: announcements, successes, failures, restarts, records that come again."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.config.notify import NotifyConfig, WebhookReceiver
from schemas.config.section import Secret
from schemas.notifications import Notification, announcement_key
from schemas.reasons import DeliveryReason
from sinks.notify.attempt import DELIVERED, Attempt, Outcome
from sinks.notify.outbox import Outbox
from tests.sinks.sample import ADDED, ALL, FIRST, T0, make_incident

CONFIG = NotifyConfig(
    receivers=(
        WebhookReceiver(type="webhook", name="hook", url=Secret("http://x"), max_attempts=3),
    )
)
RECORDS = [
    make_incident(name, announce=announce, announcement=number)
    for name in "ab"
    for number, announce in enumerate((FIRST, ADDED, ALL, FIRST, ALL), 1)
]
RETRY = Outcome(reason=DeliveryReason.TIMED_OUT, retryable=True)
REFUSED = Outcome(reason=DeliveryReason.CLIENT_ERROR)
STEPS = st.lists(
    st.sampled_from(["next", "again", "delivered", "retry", "refused", "late", "restart"]),
    max_size=60,
)


class Course:
    """Plays steps and keeps the attempts that are out, and the records of each."""

    def __init__(self) -> None:
        self.outbox = Outbox(CONFIG)
        self.out: dict[str, Attempt] = {}
        self.bodies: dict[str, set[bytes]] = {}
        self.records: list[Notification] = []
        self.applied = 0

    def take(self, items: list[Attempt | Notification]) -> None:
        for item in items:
            if isinstance(item, Notification):
                self.records.append(item)
            else:
                assert item.key not in self.out, "an attempt is out once"
                self.out[item.key] = item
                self.bodies.setdefault(item.key, set()).add(item.body)

    def play(self, step: str, place: int) -> None:
        keys = sorted(self.out)
        if step == "next" and self.applied < len(RECORDS):
            self.applied += 1
            self.take(self.outbox.apply(RECORDS[self.applied - 1]))
        elif step == "again" and self.applied:
            self.take(self.outbox.apply(RECORDS[place % self.applied]))
        elif step == "restart":
            state = self.outbox.snapshot()
            self.outbox = Outbox(CONFIG)
            self.outbox.restore(state)
            assert self.out == {a.key: a for a in self.outbox.pending()}
        elif step == "late":
            self.take(self.outbox.settle("settled long ago", DELIVERED, T0))
        elif keys and step in ("delivered", "retry", "refused"):
            outcome = {"delivered": DELIVERED, "retry": RETRY, "refused": REFUSED}[step]
            key = keys[place % len(keys)]
            del self.out[key]
            self.take(self.outbox.settle(key, outcome, T0))


@given(steps=STEPS, places=st.lists(st.integers(0, 100), min_size=60, max_size=60))
def test_no_course_of_events_breaks_the_lanes(steps: list[str], places: list[int]) -> None:
    """One body a key, one final record a key, one attempt a lane, order kept, no resolve to who never heard."""
    course = Course()
    for step, place in zip(steps, places, strict=False):
        course.play(step, place)

    final = [r for r in course.records if r.final]
    assert len({r.id for r in final}) == len(final)
    assert {1} >= {len(bodies) for bodies in course.bodies.values()}
    assert course.applied == len(final) + _waiting(course)
    for name in "ab":
        incident = make_incident(name).id
        told = False
        numbers = []
        for record in (r for r in final if r.incident == incident):
            numbers.append(_number(record))
            if record.reason is DeliveryReason.DELIVERED:
                assert told or record.announce is not ALL
                told = record.announce is not ALL
        assert sorted(numbers) == numbers


def _number(record: Notification) -> int:
    """The announcement that a record speaks of."""
    return next(n for n in range(1, 6) if announcement_key(record.incident, n, "hook") == record.id)


def _waiting(course: Course) -> int:
    """How many announcements the outbox still holds."""
    return sum(len(waiting) for waiting in course.outbox._waiting.values())
