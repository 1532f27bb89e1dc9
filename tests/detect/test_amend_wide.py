"""Late samples amend rules that are wider than the locality, and it hangs on the logs alone how."""

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.alerts import Alert
from schemas.reasons import AlertReason, AlertState
from tests.detect.amending import (
    SECOND,
    START,
    Line,
    Sent,
    detect_wide,
    in_order,
    standing,
)

END = 145
RULES = """
groups:
  - name: g
    interval: 5s
    rules:
      - record: all:heat:max
        expr: max(max_over_time(heat[10s]))
      - alert: Hot
        expr: max by (room) (heat) > 50
        for: 10s
      - alert: Warm
        expr: avg(avg_over_time(heat[20s])) > 30
        keep_firing_for: 10s
      - alert: Recorded
        expr: all:heat:max > 60
      - alert: Empty
        expr: absent(heat{room="attic"})
      - alert: Busiest
        expr: topk(1, heat) > 40
  - name: slow
    interval: 20s
    rules:
      - alert: Many
        expr: count(heat > 30) > 1
"""


def wide(sent: list[Sent], **time: int) -> list[Alert]:
    """What comes of telemetry, a record at a time."""
    line = Line(RULES, **time)
    for each in sent:
        line.feed(each.partition, [each])
    return detect_wide(line, range(0, 10_000, 9))


def beats(end: int = END) -> list[Sent]:
    """What keeps time going, of two services that are at home in both detect partitions."""
    return [
        Sent(p, second, "cellar", 0.0, service=f"beat{p}")
        for second in range(0, end, 5)
        for p in (0, 1)
    ]


def named(alerts: list[Alert], name: str) -> list[Alert]:
    """The alerts of one rule, without those to pending."""
    return [a for a in alerts if a.name == name and a.state is not AlertState.PENDING]


def test_a_wide_alert_that_a_late_sample_refutes_is_withdrawn() -> None:
    """The mean of all services was high because one of them was late: all that was told of it is taken back."""
    steady = beats()
    hot = [Sent(0, s, "hall", 95.0, service="a") for s in range(30, 33)]
    late = [Sent(1, s, "hall", -300.0, service="b") for s in range(25, 35)]
    arrived = sorted([*steady, *hot], key=lambda each: each.second)
    at = next(i for i, each in enumerate(arrived) if each.second == 50)
    fired, ended, withdrawn = named(wide([*arrived[:at], *late, *arrived[at:]]), "Warm")

    assert (AlertState.FIRING, AlertReason.CONDITION_TRUE) == (fired.state, fired.reason)
    assert (AlertState.RESOLVED, AlertReason.CONDITION_FALSE) == (ended.state, ended.reason)
    assert (AlertState.RESOLVED, AlertReason.WITHDRAWN) == (withdrawn.state, withdrawn.reason)
    assert (fired.fingerprint, (fired.id, ended.id)) == (withdrawn.fingerprint, withdrawn.amends)
    # the detect partitions said so at the step behind second 43, and the second stage hears at the next one
    assert START + 60 * SECOND + 1 == withdrawn.time
    # how many samples were late is known where they came; here are sums of them
    assert withdrawn.late is None


def test_without_amendments_a_wide_rule_hears_nothing_of_what_is_late() -> None:
    """With `amend_within: 0` it is as if the late samples had not come."""
    steady = beats()
    at = next(i for i, each in enumerate(steady) if each.second == 50)
    late = [Sent(1, s, "hall", 99.0, service="b") for s in range(25, 35)]

    assert wide(steady, amend_within=0) == wide([*steady[:at], *late, *steady[at:]], amend_within=0)


def onsets(alerts: list[Alert]) -> dict[str, int]:
    """Since when the alerts that fire in the end have been true."""
    return {alert: onset for alert, (onset, _) in standing(alerts).items()}


services = st.sampled_from(["a", "b", "c"])
rooms = st.sampled_from(["hall", "attic"])
telemetry = st.lists(
    st.tuples(st.integers(0, 16), services, rooms, st.sampled_from([10.0, 45.0, 70.0])),
    min_size=5,
    max_size=60,
)
delays = st.lists(st.integers(0, 28), min_size=60, max_size=60)


def arranged(found: list[tuple[int, str, str, float]], late: list[int]) -> list[Sent]:
    """Samples in the order in which they come: each so many seconds after its time."""
    # a series speaks in one partition, once at a time: else the first that came has the time
    once = {(second, service, room): v for second, service, room, v in found}
    sent = [
        (4 * second + wait, Sent(int(service == "a"), 4 * second, room, v, service=service))
        for ((second, service, room), v), wait in zip(once.items(), late, strict=False)
    ]
    timed = [(each.second, each) for each in beats()]
    return [each for _, each in sorted(timed + sent, key=lambda pair: pair[0])]


@settings(max_examples=4)
@given(telemetry, delays)
def test_in_the_end_all_is_as_if_nothing_had_been_late(
    found: list[tuple[int, str, str, float]], late: list[int]
) -> None:
    """Which wide alerts fire, and since when, is what it would be had every sample come in time."""
    sent = arranged(found, late)

    assert onsets(wide(in_order(sent))) == onsets(wide(sent))


@settings(max_examples=4)
@given(telemetry, delays, st.data())
def test_neither_cuts_nor_restarts_nor_interleaving_show(
    found: list[tuple[int, str, str, float]], late: list[int], data: st.DataObject
) -> None:
    """However chunks are cut, partitions interleaved and workers restarted, the same alerts come out, bit by bit."""
    sent = arranged(found, late)
    expected = sorted(wide(sent), key=lambda a: (a.time, a.id))
    other = Line(RULES)
    queues = [[s for s in sent if s.partition == p] for p in (0, 1)]
    while any(queues):
        turn = data.draw(st.integers(0, 1)) if all(queues) else int(not queues[0])
        size = data.draw(st.integers(1, 30))
        other.feed(turn, queues[turn][:size])
        del queues[turn][:size]
    most = max(map(len, other.samples))
    cuts = data.draw(st.sets(st.integers(1, most), max_size=6))
    restarts = data.draw(st.sets(st.sampled_from(sorted(cuts)), max_size=2)) if cuts else set()

    got = detect_wide(other, sorted(cuts), sorted(restarts))
    assert expected == sorted(got, key=lambda a: (a.time, a.id))
